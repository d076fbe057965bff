"""`explain` at coordinates on Apache Kafka says what the workers said, and what came to be known later."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.system import Coordinates, System
from tests.kafka.jvm import Cluster

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

SOURCES = ({"topic": "shop.events", "adapter": "segment"},)


@pytest.fixture
def system(cluster: Cluster, tmp_path: Path) -> Iterator[System]:
    with System(cluster.bootstrap, tmp_path, SOURCES) as made:
        yield made


def test_explain_names_the_finding_the_choice_the_link_and_the_late_grant(system: System) -> None:
    now_ms = time.time_ns() // 1_000_000
    refusal = {"at_ms": now_ms - 60_000, "ids": {"anonymous_id": "visitor-1"}, "refused": ["advertising"]}
    [refused] = system.produce([("privacy.consent.v1", b"1", _json(refusal))])
    system.start("run")
    # The visitor logs in: from then on what the visitor chose speaks for the user.
    system.produce([("shop.events", None, _event(now_ms, "identify", anonymousId="visitor-1"))])
    system.await_judged()
    _await_links(system)
    [place] = system.produce([("shop.events", None, _event(now_ms, "track", sent_to="Google Ads"))])
    system.await_judged()
    late = {"at_ms": now_ms - 30_000, "ids": {"user_id": "user-1"}, "granted": ["advertising"]}
    system.produce([("privacy.consent.v1", b"2", _json(late))])

    trace = _explained_when(system, place, lambda flow: flow["ledger"]["late"])
    [flow] = trace["flows"]
    assert flow["ledger"]["used"]["place"] == "/".join(map(str, refused))
    assert flow["ledger"]["todays"]["says"] == "granted"
    told = {each["id"] for each in trace["findings"] if each["rule"] == "tracking.refusal-ignored"}
    found = [fold for fold in system.read("privacy.findings.v1") if fold["rule"] == "tracking.refusal-ignored"]
    assert told == {each["finding_id"] for fold in found for each in fold["exemplars"]}
    assert told
    assert "tracking.refusal-ignored" not in {each["rule"] for each in trace["findings_by_todays_ledger"]}


def _event(at_ms: int, kind: str, *, sent_to: str = "", **more: str) -> bytes:
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at_ms / 1000)) + ".000Z"
    value: dict[str, Any] = {"type": kind, "event": "Product Viewed", "userId": "user-1", "timestamp": stamp, **more}
    value |= {"context": {"location": {"country": "DE"}}, "integrations": {sent_to: True} if sent_to else {}}
    return _json(value)


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _await_links(system: System) -> None:
    deadline = time.monotonic() + 30
    while not system.read("privacy.links.v1"):
        assert time.monotonic() < deadline, system.logs()
        time.sleep(0.2)


def _explained_when(system: System, place: Coordinates, seen: Any) -> dict[str, Any]:
    """Explain the record until the ledger has what was produced last."""
    topic, partition, offset = place
    deadline = time.monotonic() + 30
    while True:
        arguments = ("--topic", topic, "--partition", str(partition), "--offset", str(offset), "--json")
        [trace] = json.loads(system.command("explain", *arguments))
        if seen(trace["flows"][0]):
            return dict(trace)
        assert time.monotonic() < deadline, trace
