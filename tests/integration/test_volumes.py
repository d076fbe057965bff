"""Persons are counted exactly on Apache Kafka: over workers, a kill in the midst, and a second reading of everything."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alerts.volumes import RULE
from tests.integration.system import System
from tests.kafka.jvm import Cluster
from topics.distinct import Distinct

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(600)]

THRESHOLD = 40
PATIENCE_SECONDS = 150
"""Two planes start anew in the midst, on a machine that may be busy."""
SOURCES = ({"topic": "shop.events", "adapter": "segment", "service": "web"},)
SHIPPED = Path(__file__).parents[2] / "detectors" / "law" / "transfers" / "us-doj.yaml"
REGISTER = """\
recipients:
  - id: clinic
    names: ["Clinic"]
    entity: Clinic Ltd.
    role: third-party
    countries: [CN]
    purposes: [content]
"""


@pytest.fixture
def system(cluster: Cluster, tmp_path: Path) -> Iterator[System]:
    law = tmp_path / "law" / "transfers"
    law.mkdir(parents=True)
    text = SHIPPED.read_text(encoding="utf-8")
    assert "threshold: 10000\n" in text
    (law / SHIPPED.name).write_text(text.replace("threshold: 10000\n", f"threshold: {THRESHOLD}\n"), encoding="utf-8")
    (tmp_path / "register.yaml").write_text(REGISTER, encoding="utf-8")
    settings = {"law": [str(tmp_path / "law")], "register": str(tmp_path / "register.yaml"), "from_beginning": True}
    with System(cluster.bootstrap, tmp_path, SOURCES, settings) as made:
        yield made


def test_the_threshold_is_told_with_the_exact_number_through_a_kill_and_a_second_reading(system: System) -> None:
    workers, alerts = system.start("run", "--workers", "2"), system.start("alerts")
    # The event's date decides: on the eve of the law nobody is counted, on its first day somebody is, in that month.
    system.produce([event(1, "2025-04-07T23:59:59.999Z"), event(2, "2025-04-08T00:00:00.000Z")])
    system.produce([event(person) for person in range(30)])
    await_persons(system, 30)
    assert RULE not in {each["rule"] for each in system.read("privacy.findings.v1")}, "told far below the threshold"

    # Both planes are killed with records of persons 30 to 59 on their way, some of them for the second time.
    system.produce([event(person) for person in (*range(20, 60), *range(30, 60))])
    system.kill(workers)
    system.kill(alerts)
    workers, alerts = system.start("run", "--workers", "2"), system.start("alerts")
    await_persons(system, 60)
    first = await_alert(system, 60)
    assert (first["verdict"], first["severity"], first["jurisdiction"]) == ("violation", "critical", "US")
    assert (first["recipient"], first["law"]) == ("clinic", ["us-bulk-data-rule"])
    proof = dict(first["exemplars"][0]["proof"])
    assert (proof["status"], proof["threshold"], proof["counted"]) == ("prohibited", str(THRESHOLD), "exactly")

    # Another group reads all of it again, by workers of another name: nobody is counted twice.
    system.kill(workers)
    config = json.loads(system.config.read_text())
    config["kafka"]["group"] = "second-reading"
    system.config.write_text(json.dumps(config))
    before = len(system.read("privacy.volumes.v1"))
    system.start("run", "--workers", "2")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(written := system.read("privacy.volumes.v1")) == before or persons(written[before:]) < 60:
        assert time.monotonic() < deadline, system.logs()
        time.sleep(0.5)
    assert persons(written) == 60
    first_month = [each for each in written if each["group"] == "personal-health" and each["month"] == "2025-04"]
    assert {Distinct.decode(each["subjects"]).encode() for each in first_month} == {first_month[0]["subjects"]}
    assert len(Distinct.decode(first_month[0]["subjects"])) == 1
    system.produce([event(60)])
    last = await_alert(system, 61)
    assert last["episode_id"] == first["episode_id"]


def event(person: int, at: str = "") -> tuple[str, bytes | None, bytes | None]:
    value: dict[str, Any] = {
        "type": "identify",
        "messageId": f"m-{person}",
        "userId": f"u-{person}",
        "timestamp": at or time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()),
        "traits": {"email": "ada@shop.example", "health_condition": "asthma", "medical_history": "none"},
        "context": {"location": {"country": "US", "region": "CA"}},
        "integrations": {"All": False, "Clinic": True},
    }
    return "shop.events", str(person).encode(), json.dumps(value).encode()


def persons(records: list[dict[str, Any]]) -> int:
    """Count the health records' persons of what compaction would leave, by union."""
    newest = {(each["writer"], each["month"]): each for each in records if each["group"] == "personal-health"}
    everybody = Distinct()
    for each in newest.values():
        everybody.merge(Distinct.decode(each["subjects"]))
    assert everybody.is_exact
    return len(everybody)


def await_persons(system: System, number: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (counted := persons(system.read("privacy.volumes.v1"))) != number:
        assert counted < number
        assert time.monotonic() < deadline, f"{counted} of {number}\n{system.logs()}"
        time.sleep(0.5)


def await_alert(system: System, number: int) -> dict[str, Any]:
    """Wait for the newest alert of the rule to name so many persons."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        told = [
            each for each in system.read("privacy.alerts.v1") if each["rule"] == RULE and each["verdict"] == "violation"
        ]
        assert all(each["subjects"] <= number for each in told)
        if told and told[-1]["subjects"] == number:
            return told[-1]
        assert time.monotonic() < deadline, f"{[each['subjects'] for each in told]}\n{system.logs()}"
        time.sleep(0.5)
