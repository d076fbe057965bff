"""Segment, RudderStack and Jitsu events."""

import json
from typing import Any

import pytest

from tests.topics.adapters.records import SEGMENT, only, record
from topics.adapters.segment import Segment
from topics.observation import AdapterOptions, Destination, Kind, Observation, Via
from topics.record import Reason, Rejected

PLAIN = Segment(AdapterOptions(service="shop"))


def read(event: Any, adapter: Segment = PLAIN) -> Observation:
    return only(adapter.read(record(json.dumps(event).encode())))


def test_an_event_is_read_in_the_common_words() -> None:
    seen = read(SEGMENT)
    assert (seen.kind, seen.source, seen.service, seen.name) == (Kind.EVENT, "segment", "shop", "Order Completed")
    assert (seen.at_ms, seen.record_id) == (1772445600250, "m-1")
    assert (seen.host, seen.path, seen.client_ip) == ("www.shop.example", "/checkout", "203.0.113.9")
    assert (seen.country, seen.subdivision, seen.place_source) == ("US", "US-CA", "event-location")
    assert seen.headers is None
    assert seen.subjects == (
        ("user_id", "u-77"),
        ("anonymous_id", "anon-1"),
        ("device_id", "dev-5"),
        ("email", "ann@shop.example"),
    )
    assert seen.consent == {"context.us_privacy": "1YYN", "context.device.adTrackingEnabled": False}


def test_what_may_hold_personal_data_is_a_part_and_unknown_members_too() -> None:
    parts = {part.path: part.data for part in read({**SEGMENT, "x_email": "b@c.example", "groupId": "g"}).parts}
    assert set(parts) == {
        *("properties", "context.page", "context.device", "context.location", "context.traits"),
        *("context", "event", "query"),
    }
    assert json.loads(parts["context"]) == {"plan": {"tier": "gold"}}
    assert json.loads(parts["event"]) == {"x_email": "b@c.example", "groupId": "g"}
    assert parts["query"] == b"step=3"


def test_true_or_options_mean_sent_and_false_excluded() -> None:
    seen = read(SEGMENT)
    assert seen.destinations == (
        Destination("Facebook Pixel", Via.INTEGRATION, "integrations.Facebook Pixel"),
        Destination("Rokt", Via.INTEGRATION, "integrations.Rokt"),
    )
    assert seen.excluded_destinations == ("Criteo",)


def test_recipients_of_the_topic_get_it_unless_the_event_excludes_them() -> None:
    staged = Segment(AdapterOptions(recipients=("Warehouse", "criteo", "FACEBOOK PIXEL")))
    names = [(each.name, each.via) for each in read(SEGMENT, staged).destinations]
    assert names == [("Facebook Pixel", Via.INTEGRATION), ("Rokt", Via.INTEGRATION), ("Warehouse", Via.STAGE)]
    assert [each.name for each in read({"type": "page"}, staged).destinations] == [
        "Warehouse",
        "criteo",
        "FACEBOOK PIXEL",
    ]


def test_all_switched_off_leaves_only_the_named() -> None:
    staged = Segment(AdapterOptions(recipients=("Warehouse",)))
    seen = read({"type": "page", "integrations": {"All": False, "Amplitude": True}}, staged)
    assert [each.name for each in seen.destinations] == ["Amplitude"]
    assert seen.excluded_destinations == ("Warehouse",)


def test_a_hostile_integration_name_is_cleaned() -> None:
    name = read({"type": "page", "integrations": {"a\x00\x1b[31m" + "x" * 500: True}}).destinations[0].name
    assert name.isprintable()
    assert len(name) <= 128


def test_too_many_integrations_reject_the_event() -> None:
    event = {"type": "page", "integrations": {str(index): True for index in range(1001)}}
    assert PLAIN.read(record(json.dumps(event).encode())) == [Rejected(Reason.TOO_MANY_ITEMS)]


def test_a_batch_shares_its_context_and_time() -> None:
    batch = {
        "batch": [{"type": "track", "userId": "1"}, 5, {"type": "page", "context": {"ip": "203.0.113.1"}}],
        "context": {"ip": "203.0.113.2", "gpc": True},
        "sentAt": "2026-03-02T10:00:00Z",
    }
    first, broken, last = PLAIN.read(record(json.dumps(batch).encode()))
    assert isinstance(first, Observation)
    assert isinstance(last, Observation)
    assert broken == Rejected(Reason.SHAPE, 1)
    assert (first.client_ip, last.client_ip) == ("203.0.113.2", "203.0.113.1")
    assert first.consent == last.consent == {"context.gpc": True}
    assert first.at_ms == last.at_ms == 1772445600000


def test_a_flattened_row_is_the_same_event() -> None:
    row = {
        "anonymous_id": "anon-1",
        "user_id": 77,
        "message_id": "m-1",
        "sent_at": "2026-03-02T10:00:00Z",
        "request_ip": "203.0.113.9",
        "context": {"user_agent": "Mozilla/5.0", "ip": "198.51.100.1"},
        "email": "ann@shop.example",
        "name": "Ann",
    }
    seen = read(row)
    assert seen.subjects == (("user_id", "77"), ("anonymous_id", "anon-1"))
    assert (seen.record_id, seen.at_ms, seen.client_ip) == ("m-1", 1772445600000, "203.0.113.9")
    assert seen.user_agent == "Mozilla/5.0"
    assert [json.loads(part.data) for part in seen.parts] == [{"email": "ann@shop.example", "name": "Ann"}]


@pytest.mark.parametrize(
    "change",
    [
        {"userId": 5},
        {"timestamp": 1772445600},
        {"context": None},
        {"context": [1]},
        {"context": {"page": "x", "device": 5, "location": [], "traits": None}},
        {"integrations": ["a"]},
        {"properties": 5, "traits": "x"},
        {"type": {"a": 1}, "event": []},
        {"messageId": False},
    ],
)
def test_a_member_of_another_type_does_not_reject_the_event(change: dict[str, Any]) -> None:
    assert read({**SEGMENT, **change}).subjects[0][0] == "user_id"


def test_words_for_nobody_are_no_identifiers() -> None:
    zero = "00000000-0000-0000-0000-000000000000"
    event = {"type": "page", "userId": "undefined", "anonymousId": " null", "context": {"device": {"id": zero}}}
    assert read({**event, "traits": {"email": "n/a"}}).subjects == ()


def test_a_country_that_is_no_code_is_unknown() -> None:
    def place(country: Any, region: Any) -> tuple[str | None, str | None]:
        seen = read({"type": "page", "context": {"location": {"country": country, "region": region}}})
        return seen.country, seen.subdivision

    assert place("United States", "US-CA") == ("US", "US-CA")
    assert place("de", "Bayern") == ("DE", None)
    assert place("Atlantis", "CA") == (None, None)
    assert place(5, None) == (None, None)


def test_an_object_of_another_format_is_no_event() -> None:
    assert PLAIN.read(record(b'{"hello": "world"}')) == [Rejected(Reason.SHAPE)]
