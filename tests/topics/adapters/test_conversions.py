"""Payloads for Meta, TikTok and Google Analytics."""

import json
from typing import Any

import pytest

from detectors.consent.signals import find_signals
from tests.topics.adapters.event_records import (
    GA4,
    GA4_HIT,
    GA4_REQUEST,
    HASHED,
    META,
    META_EVENT,
    META_REQUEST,
    SECRET,
    TIKTOK,
    TIKTOK_EVENT,
)
from tests.topics.adapters.records import only, record
from topics.adapters import make
from topics.observation import AdapterOptions, Destination, Kind, Observation, Via

READERS = {name: make(name, AdapterOptions()) for name in ("meta-conversions", "tiktok-events", "ga4")}


def read_all(name: str, value: Any) -> list[Observation]:
    found = READERS[name].read(record(json.dumps(value).encode()))
    assert all(isinstance(each, Observation) for each in found)
    return [each for each in found if isinstance(each, Observation)]


def read(name: str, value: Any) -> Observation:
    return only(list(read_all(name, value)))


def says(seen: Observation) -> set[tuple[str, str, str]]:
    query = next((part.data.decode() for part in seen.parts if part.path == "query"), None)
    return {(each.kind, each.says, each.path) for each in find_signals(seen.headers, seen.cookies, query, seen.consent)}


def test_an_event_for_meta_is_read_in_the_common_words() -> None:
    seen = read("meta-conversions", META_EVENT)
    assert (seen.kind, seen.name, seen.record_id, seen.at_ms) == (Kind.EVENT, "Purchase", "ev-1", 1772445600000)
    assert (seen.host, seen.path, seen.page_host) == ("www.shop.example", "/checkout/thank-you", "www.shop.example")
    assert (seen.client_ip, seen.user_agent, seen.headers) == ("203.0.113.9", "Mozilla/5.0", None)
    assert seen.subjects == (("user_id", "u-77"), ("anonymous_id", "fb.1.1772445600.1"))
    assert (seen.country, seen.subdivision, seen.place_source) == ("US", "US-CA", "declared-address")
    assert seen.destinations == (Destination("graph.facebook.com", Via.REQUEST, "user_data"),)
    assert [part.path for part in seen.parts] == ["query", "user_data", "custom_data"]
    assert HASHED.encode() in seen.parts[1].data


def test_limited_use_is_a_refusal_that_is_passed_on() -> None:
    assert says(read("meta-conversions", META_EVENT)) == {("ldu", "denied", "data_processing_options")}
    assert says(read("meta-conversions", {**META_EVENT, "data_processing_options": []})) == set()
    assert says(read("tiktok-events", TIKTOK_EVENT)) == {("ldu", "denied", "limited_data_use")}
    assert says(read("tiktok-events", {**TIKTOK_EVENT, "limited_data_use": False})) == set()
    assert says(read("ga4", GA4)) == {("google", "denied", "consent")}


def test_limited_use_of_a_whole_body_holds_for_each_of_its_events() -> None:
    plain = {key: value for key, value in META_EVENT.items() if not key.startswith("data_")}
    for seen in read_all("meta-conversions", {"data": [plain, plain], "data_processing_options": ["LDU"]}):
        assert seen.consent == {"data_processing_options": ["LDU"]}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("meta-conversions", META),
        ("meta-conversions", META_REQUEST),
        ("meta-conversions", {**META_EVENT, "access_token": SECRET}),
        ("meta-conversions", {"request": {"url": META_REQUEST["url"], "body": json.dumps(META)}}),
        ("tiktok-events", TIKTOK),
        ("tiktok-events", {**TIKTOK_EVENT, "access_token": SECRET}),
        (
            "tiktok-events",
            {"url": "https://business-api.tiktok.com/e", "headers": {"Access-Token": SECRET}, "body": TIKTOK},
        ),
        ("ga4", GA4_REQUEST),
        ("ga4", {**GA4, "api_secret": SECRET}),
        ("ga4", {**GA4_HIT, "url": GA4_HIT["url"] + "&api_secret=" + SECRET}),
    ],
)
def test_a_credential_appears_nowhere(name: str, value: Any) -> None:
    assert SECRET in json.dumps(value)
    for seen in read_all(name, value):
        assert SECRET not in repr(seen)


def test_a_body_holds_one_item_for_each_event() -> None:
    assert [seen.item for seen in read_all("meta-conversions", META)] == [0, 1]
    assert [seen.item for seen in read_all("tiktok-events", TIKTOK)] == [0, 1]


def test_the_called_host_is_proof_where_the_request_is_recorded() -> None:
    assert read("meta-conversions", META_REQUEST).destinations == (
        Destination("graph.facebook.com", Via.REQUEST, "url"),
    )
    assert read("ga4", GA4_REQUEST).destinations == (Destination("region1.google-analytics.com", Via.REQUEST, "url"),)
    proxied = {**META_REQUEST, "url": "https://egress.shop.example/meta"}
    assert read("meta-conversions", proxied).destinations == (
        Destination("graph.facebook.com", Via.REQUEST, "user_data"),
    )
    lookalike = {**META_REQUEST, "url": "https://notfacebook.com/x"}
    assert read("meta-conversions", lookalike).destinations[0].name == "graph.facebook.com"


@pytest.mark.parametrize("country", [HASHED, [HASHED], "United States", "usa", "zz", 5, {}, [], "u s", "\x00\x01"])
def test_a_country_that_is_no_plain_code_places_nobody(country: Any) -> None:
    user = {**META_EVENT["user_data"], "country": country}
    assert read("meta-conversions", {**META_EVENT, "user_data": user}).country is None
    user = {**TIKTOK_EVENT["user"], "country": country}
    assert read("tiktok-events", {**TIKTOK_EVENT, "user": user}).country is None


def test_an_email_in_clear_is_an_identifier_and_a_hash_is_none() -> None:
    user = {**META_EVENT["user_data"], "em": [" Ann@Shop.Example "]}
    assert ("email", "ann@shop.example") in read("meta-conversions", {**META_EVENT, "user_data": user}).subjects
    assert "email" not in dict(read("meta-conversions", META_EVENT).subjects)


def test_an_event_for_tiktok_is_read_in_the_common_words() -> None:
    seen = read("tiktok-events", TIKTOK_EVENT)
    assert (seen.name, seen.record_id, seen.at_ms) == ("CompletePayment", "ev-2", 1772445600000)
    assert (seen.host, seen.path) == ("www.shop.example", "/checkout")
    assert seen.subjects == (("user_id", "u-77"), ("anonymous_id", "ttp-1"))
    assert (seen.country, seen.subdivision) == ("US", "US-CA")
    assert seen.destinations == (Destination("business-api.tiktok.com", Via.REQUEST, "user"),)
    assert [part.path for part in seen.parts] == ["query", "user", "properties"]


def test_a_body_of_the_measurement_protocol_is_read_in_the_common_words() -> None:
    seen = read("ga4", GA4)
    assert (seen.kind, seen.name, seen.record_id, seen.at_ms) == (Kind.EVENT, "purchase", "T-1", 1772445600250)
    assert (seen.host, seen.client_ip) == ("www.shop.example", "203.0.113.9")
    assert seen.subjects == (("user_id", "u-77"), ("anonymous_id", "111.222"))
    assert (seen.country, seen.subdivision, seen.place_source) == ("US", "US-CA", "event-location")
    assert seen.destinations == (Destination("www.google-analytics.com", Via.REQUEST, "events"),)
    assert [part.path for part in seen.parts] == ["query", "params", "user_properties", "user_data"]


def test_each_line_of_a_browsers_request_is_a_hit_with_the_shared_parameters() -> None:
    first, second = read_all("ga4", GA4_HIT)
    assert (first.kind, first.name, second.name) == (Kind.REQUEST, "view_cart", "begin_checkout")
    assert (first.host, first.path, first.page_host) == ("sst.shop.example", "/g/collect", "www.shop.example")
    assert first.destinations == (Destination("sst.shop.example", Via.REQUEST, "url"),)
    assert (first.user_agent, first.client_ip) == ("Mozilla/5.0", "203.0.113.9")
    assert b"cid=111.222" in second.parts[0].data
    assert b"epn.value=12" in second.parts[0].data
    assert {kind for kind, says_, _ in says(first) if says_ == "denied"} >= {"gpc", "usp", "gcs"}


def test_a_hit_whose_parameters_are_the_record_goes_to_google() -> None:
    seen = read("ga4", {"v": 2, "tid": "G-X", "cid": "1.2", "en": "purchase", "dl": "https://shop.example/a"})
    assert (seen.name, seen.page_host, seen.headers) == ("purchase", "shop.example", None)
    assert seen.destinations == (Destination("www.google-analytics.com", Via.REQUEST, "tid"),)


def test_recipients_of_the_whole_topic_get_the_event_too() -> None:
    adapter = make("tiktok-events", AdapterOptions(recipients=("Criteo",)))
    seen = only(adapter.read(record(json.dumps(TIKTOK_EVENT).encode())))
    assert [(each.name, each.via) for each in seen.destinations] == [
        ("business-api.tiktok.com", Via.REQUEST),
        ("Criteo", Via.STAGE),
    ]
