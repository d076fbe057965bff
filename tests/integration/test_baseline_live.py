"""A baseline learned from a topic, and drift told of what comes afterwards, on Apache Kafka and across a killed worker."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.integration.system import System, distinct_findings
from tests.kafka.jvm import Cluster

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

TOPIC = "shop.kong"
SOURCES = ({"topic": TOPIC, "adapter": "kong", "service": "checkout", "body": "request.body"},)
PLAIN = {"shipping_address": {"first_name": "Noor", "last_name": "Adam", "street": "Birkenallee 9", "city": "Leipzig"}}
DRIFTED = {**PLAIN, "email": "noor.adam@mailbox.example"}


@pytest.fixture
def system(cluster: Cluster, tmp_path: Path) -> Iterator[System]:
    with System(cluster.bootstrap, tmp_path, SOURCES, {"consent": None, "baseline": None}) as made:
        yield made


def logged(body: dict[str, Any]) -> bytes:
    return orjson.dumps(
        {
            "client_ip": "203.0.113.9",
            "started_at": time.time_ns() // 1_000_000,
            "request": {
                "method": "POST",
                "uri": "/checkout/shipping",
                "headers": {"host": "shop.example", "content-type": "application/json"},
                "body": orjson.dumps(body).decode(),
            },
            "response": {"status": 200},
            "tries": [{"ip": "10.20.0.7", "port": 443}],
            "service": {"name": "checkout", "host": "orders.internal.shop.example"},
        }
    )


def test_what_appears_beyond_a_learned_baseline_is_told_once_for_each_record_though_workers_are_killed(
    system: System,
) -> None:
    system.produce([(TOPIC, None, logged(PLAIN)) for _ in range(150)])
    baseline = system.folder / "baseline.yaml"
    system.command("baseline", "learn", "--topic", TOPIC, "--from", "1h", "--out", str(baseline))
    assert "records: 150" in baseline.read_text()
    assert "mailbox" not in baseline.read_text()
    config = orjson.loads(system.config.read_bytes())
    system.config.write_bytes(orjson.dumps({**config, "baseline": "baseline.yaml"}))

    worker = system.start("run")
    drifted = system.produce([(TOPIC, None, logged(DRIFTED if number % 4 == 0 else PLAIN)) for number in range(80)])
    system.await_judged()
    system.kill(worker)
    drifted += system.produce([(TOPIC, None, logged(DRIFTED if number % 4 == 0 else PLAIN)) for number in range(80)])
    system.start("run")
    system.await_judged()

    folds = [each for each in system.read("privacy.findings.v1") if each["rule"] == "checkout.field-appeared"]
    counted = distinct_findings(folds)
    assert len(counted) == 1
    (places,) = counted.values()
    assert places == dict.fromkeys(drifted[::4], 1)
    assert {tuple(each["categories"]) for each in folds} == {("user.contact.email",)}
    assert not [each for each in system.read("privacy.findings.v1") if each["rule"] != "checkout.field-appeared"]
