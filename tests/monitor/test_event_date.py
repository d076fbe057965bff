"""The date of the event decides which law it is judged by, and which mechanism is in force: never today's date."""

import json
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from detectors.consent.ledger import Choice, Coverage
from monitor.context import load_shipped
from monitor.explain import explain
from monitor.pipeline import Context, process
from topics.adapters import make
from topics.observation import AdapterOptions
from topics.record import RawRecord

REGISTER = """\
recipients:
  - id: helpdesk
    hosts: ["helpdesk.example"]
    names: ["Helpdesk"]
    entity: Helpdesk Inc.
    role: processor
    countries: [US]
    purposes: [support]
    mechanism: {kind: dpf, since: 2020-01-01, expires: 2026-06-01}
  - id: maps
    hosts: ["maps.example"]
    names: ["Maps"]
    entity: Maps Ltd.
    role: third-party
    countries: [CN]
    purposes: [content]
"""
TODAY_MS = int(datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp() * 1000)

EDGES = [
    pytest.param("DE", "helpdesk", "2023-07-09T23:59:59.999Z", "transfers.mechanism-missing", id="before-the-decision"),
    pytest.param("DE", "helpdesk", "2023-07-10T00:00:00.000Z", None, id="from-the-decision-on"),
    pytest.param("DE", "helpdesk", "2026-05-01T23:59:59.999Z", None, id="certification-holds-for-long"),
    pytest.param(
        "DE", "helpdesk", "2026-05-31T23:59:59.999Z", "transfers.mechanism-expiring", id="last-day-of-the-certification"
    ),
    pytest.param(
        "DE", "helpdesk", "2026-06-01T00:00:00.000Z", "transfers.mechanism-expired", id="certification-ran-out"
    ),
    pytest.param("GB", "helpdesk", "2023-10-11T23:59:59.999Z", "transfers.mechanism-missing", id="before-the-bridge"),
    pytest.param("GB", "helpdesk", "2023-10-12T00:00:00.000Z", None, id="from-the-bridge-on"),
    pytest.param("US-CA", "maps", "2025-04-07T23:59:59.999Z", None, id="before-the-american-rule"),
    pytest.param(
        "US-CA", "maps", "2025-04-08T00:00:00.000Z", "transfers.bulk-candidate", id="from-the-american-rule-on"
    ),
]


class NoChoices:
    """A ledger that is read to the present and holds nothing."""

    mark = ""

    def coverage(self, _broker_ms: int) -> Coverage:
        return Coverage.READY

    def choices(self, _subjects: Sequence[str]) -> list[Choice]:
        return []

    def choices_of(self, people: Sequence[Sequence[str]]) -> Sequence[Sequence[Choice]]:
        return [self.choices(person) for person in people]


@pytest.fixture(scope="module")
def register(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("register") / "register.yaml"
    path.write_text(REGISTER, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def context(register: Path) -> Context:
    loaded = load_shipped(domains=["shop.example"], register_file=register)
    found = loaded.context({"events": make("segment", AdapterOptions())}, "c1")
    return msgspec.structs.replace(found, ledger=NoChoices())


def event(origin: str, recipient: str, at: str) -> bytes:
    country, _, state = origin.partition("-")
    location = {"country": country, "region": state} if state else {"country": country}
    message = {
        "type": "identify",
        "messageId": "m-1",
        "userId": "u-1",
        "timestamp": at,
        "traits": {"email": "ada@shop.example", "health_condition": "asthma", "medical_history": "none"},
        "context": {"location": location},
        "integrations": {"All": False, recipient.capitalize(): True},
    }
    return json.dumps(message).encode()


@pytest.mark.parametrize(("origin", "recipient", "at", "rule"), EDGES)
def test_the_date_of_the_event_decides_in_the_pipeline(
    context: Context, origin: str, recipient: str, at: str, rule: str | None
) -> None:
    record = RawRecord("events", 0, 0, TODAY_MS, None, event(origin, recipient, at))
    found = [each for each in process([record], context, {}).findings if each.recipient == recipient]
    assert [each.rule for each in found if each.rule.startswith("transfers.")] == ([rule] if rule else [])


@pytest.mark.parametrize(("origin", "recipient", "at", "rule"), EDGES)
def test_the_date_of_the_event_decides_in_explain(
    context: Context, origin: str, recipient: str, at: str, rule: str | None
) -> None:
    record = RawRecord("events", 0, 0, TODAY_MS, None, event(origin, recipient, at))
    (trace,) = explain(record, context, settle_ms=1_000)
    found = [each["rule"] for each in trace["findings"] if each["rule"].startswith("transfers.")]
    assert found == ([rule] if rule else [])


@pytest.mark.parametrize("origin", ["DE", "GB", "US-CA"])
def test_the_date_of_the_event_decides_in_inspect(register: Path, tmp_path: Path, origin: str) -> None:
    mine = [(recipient, at, rule) for country, recipient, at, rule in map(values, EDGES) if country == origin]
    capture = tmp_path / "capture.har"
    capture.write_text(json.dumps(har([(recipient, at) for recipient, at, _ in mine])), encoding="utf-8")
    command = [sys.executable, "-m", "monitor", "inspect", str(capture)]
    options = [
        "--from",
        origin,
        "--register",
        str(register),
        "--domain",
        "shop.example",
        "--json",
        "--fail-on",
        "never",
    ]
    done = subprocess.run([*command, *options], capture_output=True, check=True, timeout=60)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    found = {
        each["item"]: each["rule"]
        for each in lines
        if each["type"] == "finding" and each["rule"].startswith("transfers.")
    }
    assert sum(lines[-1]["items"].values()) == len(mine)
    assert found == {item: rule for item, (_, _, rule) in enumerate(mine) if rule}


def values(parameters: Any) -> tuple[str, str, str, str | None]:
    origin, recipient, at, rule = parameters.values
    return origin, recipient, at, rule


def har(requests: Sequence[tuple[str, str]]) -> dict[str, Any]:
    body = {"email": "ada@shop.example", "health_condition": "asthma", "medical_history": "none"}
    entries = [
        {
            "startedDateTime": at,
            "request": {
                "method": "POST",
                "url": f"https://{recipient}.example/v1/contacts",
                "headers": [{"name": "content-type", "value": "application/json"}],
                "postData": {"mimeType": "application/json", "text": json.dumps(body)},
            },
            "response": {"status": 200},
        }
        for recipient, at in requests
    ]
    return {"log": {"version": "1.2", "creator": {"name": "test", "version": "1"}, "entries": entries}}
