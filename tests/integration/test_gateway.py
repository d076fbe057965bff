"""A real gateway: nginx with a JSON access log, shipped by rsyslog to Apache Kafka, judged by the monitor."""

import json
from pathlib import Path

import pytest

from tests.integration.system import System
from tests.kafka.broker import Broker
from tests.kafka.gateway import Gateway

pytestmark = [pytest.mark.kafka, pytest.mark.gateway]

META = "graph.facebook.com"


def test_the_finding_of_a_request_with_gpc_arrives_and_the_others_stay_silent(
    kafka: Broker, gateway: Gateway, tmp_path: Path
) -> None:
    source = {"topic": gateway.topic, "adapter": "nginx", "service": "edge"}
    from_california = {"CloudFront-Viewer-Country": "US", "CloudFront-Viewer-Country-Region": "CA"}
    body = json.dumps({"data": [{"event_name": "Purchase", "user_data": {"client_ip_address": "192.0.2.1"}}]}).encode()
    requests = [
        (META, {"Sec-GPC": "1", **from_california}),
        (META, from_california),
        ("shop.example", {"Sec-GPC": "1", **from_california}),
        ("api.stripe.com", {"Sec-GPC": "1", **from_california}),
    ]
    with System(kafka.bootstrap, tmp_path, [source], {"consent": None}) as system:
        for host, headers in requests:
            path = "/shop/orders" if host == "shop.example" else "/v18.0/1/events"
            gateway.request("POST", path, host=host, headers=headers, body=body)
        logged = [json.loads(value) for value in gateway.records(len(requests))]
        system.start("run")
        system.await_judged()
        folds = [fold for fold in system.read("privacy.findings.v1") if fold["detector"] == "unconsented-tracking"]
    # The broker is everybody's.
    found = [fold for fold in folds if fold["exemplars"][0]["topic"] == gateway.topic]

    assert [record["host"] for record in logged] == [host for host, _ in requests]
    assert [(fold["recipient"], fold["count"]) for fold in found] == [("meta", 1)]
    finding = found[0]["exemplars"][0]
    assert finding["offset"] == 0
    assert ["signal", "gpc"] in finding["proof"]
