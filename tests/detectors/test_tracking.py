"""The detector from the record to the finding, on shipped knowledge: vendors, kinds of data, minors."""

import json
from typing import Any

import msgspec
import pytest

from detectors.consent.ledger import Coverage
from monitor.context import Loaded, load_shipped
from monitor.pipeline import process
from tests.detectors.consent.writer import Writer, header, tc_core
from topics.adapters import make
from topics.observation import AdapterOptions
from topics.record import RawRecord

AT_MS = 1_793_448_000_000  # 2026-10-31
EVERY = set(range(1, 12))


class Nobody:
    """A ledger that is read to the present and knows no choice."""

    mark = ""

    def coverage(self, broker_ms: int) -> Coverage:
        return Coverage.READY if broker_ms else Coverage.BEHIND

    def choices(self, subjects: Any) -> tuple[()]:
        del subjects
        return ()

    def choices_of(self, people: Any) -> list[tuple[()]]:
        return [() for _ in people]


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    return load_shipped(domains=["shop.example"])


def rules(loaded: Loaded, *, context: dict[str, Any], integration: str = "Criteo", properties: Any = None) -> set[str]:
    """Give the tracking rules that speak of one Segment event with one destination."""
    event = {
        "type": "track",
        "event": "Product Viewed",
        "userId": "u-1",
        "messageId": "m",
        "timestamp": "2026-10-31T12:00:00Z",
        "context": context,
        "properties": properties or {},
        "integrations": {"All": False, integration: True},
    }
    record = RawRecord("events", 0, 7, AT_MS, None, json.dumps(event).encode())
    made = loaded.context({"events": make("segment", AdapterOptions())}, "test")
    outcome = process([record], msgspec.structs.replace(made, ledger=Nobody()), {})
    assert not outcome.faults
    return {finding.rule for finding in outcome.findings if finding.rule.startswith("tracking.")}


def in_place(country: str, region: str = "", **more: Any) -> dict[str, Any]:
    return {"location": {"country": country, "region": region}, **more}


def test_a_string_that_leaves_the_recipient_out_is_a_refusal_of_it(loaded: Loaded) -> None:
    created = AT_MS // 100 - 864_000
    segment = Writer().integer(1, 3).optimized({91, 50}, as_ranges=False).text()
    for vendors, expected in (({91}, set()), ({50}, {"tracking.refusal-ignored"})):
        text = f"{tc_core(EVERY, set(), vendors, set(), created=created)}.{segment}"
        context = in_place("DE", consent={"tcString": text})
        assert rules(loaded, context=context) == expected


def test_precise_location_needs_a_permission_of_its_own_in_connecticut(loaded: Loaded) -> None:
    located = in_place("US", "CT")
    located["location"] |= {"latitude": 41.76371, "longitude": -72.68509}
    assert "tracking.sensitive-data" in rules(loaded, context=located)
    assert rules(loaded, context=in_place("US", "CT")) == set()


def test_a_known_child_without_consent_is_told(loaded: Loaded) -> None:
    writer = Writer().integer(1, 6)
    for value in (1, 1, 1, 2, 2, *[0] * 8, 1, 0, 0):
        writer.integer(value, 2)
    context = in_place("US", "CT", consent={"gpp": f"{header({12})}~{writer.integer(0, 6).text()}", "gpp_sid": [12]})
    assert rules(loaded, context=context) == {"tracking.known-minor"}
