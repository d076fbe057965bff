"""Snowplow's events, before and behind the enrichment."""

import base64
import json
from typing import Any

import pytest

from detectors.consent.signals import find_signals
from tests.topics.adapters.event_records import (
    PREFERENCES,
    SNOWPLOW_ENRICHED,
    SNOWPLOW_RAW,
    SNOWPLOW_RAW_EVENT,
    enriched_line,
)
from tests.topics.adapters.records import only, record
from topics.adapters.snowplow_enriched import COLUMNS, SnowplowEnriched
from topics.adapters.snowplow_raw import SnowplowRaw
from topics.observation import AdapterOptions, Observation, Via
from topics.record import Reason, Rejected

ENRICHED = SnowplowEnriched(AdapterOptions())
RAW = SnowplowRaw(AdapterOptions())
EVENT = {
    "schema": "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0",
    "data": {"schema": "iglu:com.shop/order_completed/jsonschema/1-0-0", "data": {"email": "ann@shop.example"}},
}
CONTEXTS = {"schema": "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-1", "data": [PREFERENCES]}


def enriched(line: str) -> Observation:
    return only(ENRICHED.read(record(line.encode())))


def raw(event: Any) -> Observation:
    return only(RAW.read(record(json.dumps(event).encode())))


def test_there_are_131_columns_and_their_places_are_those_of_the_documentation() -> None:
    assert (len(COLUMNS), len(set(COLUMNS))) == (131, 131)
    places = {"user_id": 12, "page_url": 29, "contexts": 52, "unstruct_event": 58, "useragent": 77, "true_tstamp": 130}
    assert {name: COLUMNS.index(name) for name in places} == places


@pytest.mark.parametrize("columns", [128, 131, 140])
def test_an_enriched_event_is_read_by_position(columns: int) -> None:
    seen = enriched(enriched_line(columns, unstruct_event=json.dumps(EVENT), event_name=""))
    assert (seen.service, seen.name, seen.record_id) == ("shop", "order_completed", "ev-4")
    assert seen.at_ms == 1772445600250
    assert (seen.host, seen.path, seen.client_ip) == ("www.shop.example", "/cart", "203.0.113.9")
    assert seen.subjects == (("user_id", "u-77"), ("anonymous_id", "anon-1"))
    assert (seen.country, seen.subdivision, seen.place_source) == ("US", "US-CA", "gateway-geo")
    assert [part.path for part in seen.parts] == ["query", "unstruct_event", "event"]
    assert (seen.headers, seen.destinations) == (None, ())


def test_fewer_columns_than_any_version_has_are_no_event() -> None:
    assert ENRICHED.read(record(enriched_line(127).encode())) == [Rejected(Reason.SHAPE)]


def test_an_empty_first_column_moves_no_other() -> None:
    assert enriched(enriched_line(app_id="")).record_id == "ev-4"


def test_the_same_event_as_json_reads_alike() -> None:
    as_json = only(ENRICHED.read(record(json.dumps(SNOWPLOW_ENRICHED).encode())))
    assert as_json == enriched(enriched_line())


def test_consent_in_a_context_is_found() -> None:
    for seen in (
        enriched(enriched_line(contexts=json.dumps(CONTEXTS))),
        raw({**SNOWPLOW_RAW_EVENT, "co": json.dumps(CONTEXTS)}),
        raw({**SNOWPLOW_RAW_EVENT, "cx": base64.urlsafe_b64encode(json.dumps(CONTEXTS).encode()).decode().rstrip("=")}),
    ):
        signals = find_signals(seen.headers, seen.cookies, None, seen.consent)
        assert [(each.kind, each.says, each.path) for each in signals] == [
            ("snowplow", "denied", "contexts.consent_preferences")
        ]


def test_a_tracker_payload_is_read_in_the_common_words() -> None:
    coded = base64.urlsafe_b64encode(json.dumps(EVENT).encode()).decode()
    seen = raw({**SNOWPLOW_RAW_EVENT, "ue_px": coded})
    assert (seen.service, seen.name, seen.record_id, seen.at_ms) == ("shop", "order_completed", "ev-3", 1772445600250)
    assert (seen.host, seen.path, seen.client_ip, seen.user_agent) == (
        "www.shop.example",
        "/cart",
        "203.0.113.9",
        "Mozilla/5.0",
    )
    assert seen.subjects == (("user_id", "u-77"), ("anonymous_id", "anon-1"))
    assert [part.path for part in seen.parts] == ["query", "unstruct_event", "event"]
    assert b"ann@shop.example" in seen.parts[1].data


@pytest.mark.parametrize("coded", ["=", "a", "%%%", "e30", base64.b64encode(b"\xff\xfe").decode(), "x" * 10_001])
def test_base64_that_says_nothing_costs_nothing(coded: str) -> None:
    assert raw({**SNOWPLOW_RAW_EVENT, "ue_px": coded, "cx": coded}).record_id == "ev-3"


def test_a_payload_holds_one_item_for_each_event_and_a_get_request_one() -> None:
    assert [type(each) for each in RAW.read(record(json.dumps(SNOWPLOW_RAW).encode()))] == [Observation, Observation]
    got = raw(
        {
            "url": "https://sp.shop.example/i?e=pv&p=web&tv=js&uid=u-77&url=https%3A%2F%2Fshop.example%2Fa",
            "headers": {"Cookie": "usprivacy=1YYN", "Sec-GPC": "1"},
        }
    )
    assert (got.name, got.host, got.subjects) == ("page_view", "shop.example", (("user_id", "u-77"),))
    assert got.cookies == "usprivacy=1YYN"
    assert got.headers is not None


def test_the_topics_recipients_are_the_only_ones_it_names() -> None:
    adapter = SnowplowEnriched(AdapterOptions(recipients=("Warehouse",)))
    seen = only(adapter.read(record(enriched_line().encode())))
    assert [(each.name, each.via) for each in seen.destinations] == [("Warehouse", Via.STAGE)]
