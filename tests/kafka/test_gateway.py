"""What a real nginx with rsyslog puts on a real topic."""

import json
from typing import Any

import pytest

from tests.kafka.gateway import FIELDS, SHOP_HOST, Gateway

pytestmark = [pytest.mark.kafka, pytest.mark.gateway]


def _decoded(gateway: Gateway, count: int) -> list[dict[str, Any]]:
    raw = gateway.records(count)
    assert len(raw) == count
    return [json.loads(record) for record in raw]


def test_every_request_becomes_one_json_record_with_all_fields(gateway: Gateway) -> None:
    assert gateway.request("GET", "/shop/cart?item=1", headers={"User-Agent": "test-browser"}) == 200
    assert gateway.request("GET", "/elsewhere") == 404

    served, missing = _decoded(gateway, 2)

    assert tuple(served) == FIELDS
    assert set(map(type, served.values())) == {str}
    assert (served["host"], served["request_uri"], served["status"]) == (SHOP_HOST, "/shop/cart?item=1", "200")
    assert served["http_user_agent"] == "test-browser"
    assert served["upstream_addr"].startswith("127.0.0.1:")
    assert (missing["status"], missing["upstream_addr"]) == ("404", "")


def test_the_privacy_signal_of_the_browser_is_in_the_record_and_its_absence_is_empty(gateway: Gateway) -> None:
    gateway.request("GET", "/shop/with", headers={"Sec-GPC": "1"})
    gateway.request("GET", "/shop/without")

    signals = {record["request_uri"]: record["http_sec_gpc"] for record in _decoded(gateway, 2)}

    assert signals == {"/shop/with": "1", "/shop/without": ""}


def test_a_call_to_a_third_party_is_logged_with_its_host_and_body(gateway: Gateway) -> None:
    body = json.dumps({"event_name": "Purchase", "user_data": {"client_ip_address": "192.0.2.7"}}).encode()

    gateway.request(
        "POST",
        "/v19.0/1234/events",
        host="graph.facebook.com",
        headers={"Content-Type": "application/json", "X-Forwarded-For": "198.51.100.9"},
        body=body,
    )

    (record,) = _decoded(gateway, 1)
    assert record["host"] == "graph.facebook.com"
    assert json.loads(record["request_body"]) == json.loads(body)
    assert record["remote_addr"] == "198.51.100.9"
    assert record["http_content_type"] == "application/json"
    (sent,) = gateway.received
    assert (sent.host, sent.method, sent.body) == ("graph.facebook.com", "POST", body)


def test_an_unknown_host_is_refused_and_still_logged(gateway: Gateway) -> None:
    assert gateway.request("GET", "/", host="nobody.example") == 421

    (record,) = _decoded(gateway, 1)
    assert (record["host"], record["status"]) == ("nobody.example", "421")
    assert gateway.received == []


def test_quotes_control_characters_and_long_bodies_stay_one_whole_json_record(gateway: Gateway) -> None:
    body = ('{"note":"' + 'quote \\" tab\t\u00e9 ' * 8_000 + '"}').encode()
    cookie = 'a="1"; b={}\\'

    gateway.request("POST", "/shop/order", headers={"Cookie": cookie}, body=body)

    (record,) = _decoded(gateway, 1)
    assert len(body) > 128_000
    assert record["request_body"] == body.decode()
    assert record["http_cookie"] == cookie


def test_bytes_that_are_not_utf_8_reach_the_topic_as_they_were_sent(gateway: Gateway) -> None:
    gateway.request("GET", "/shop/", headers={"User-Agent": "caf\u00e9"})  # a header travels as Latin-1

    (raw,) = gateway.records(1)

    assert b'"http_user_agent":"caf\xe9"' in raw
    with pytest.raises(UnicodeDecodeError):
        raw.decode()
