"""HAR files and entries."""

import copy
import json
from typing import Any

import pytest

from tests.topics.adapters.records import HAR, HAR_ENTRY, only, record
from topics.adapters.har import MAX_ENTRIES, Har
from topics.observation import AdapterOptions, Destination, Kind, Media, Observation, Part, Via
from topics.record import MAX_RECORD_BYTES, Reason, Rejected

PLAIN = Har(AdapterOptions())


def read(entry: Any) -> Observation:
    return only(PLAIN.read(record(json.dumps(entry).encode())))


def test_a_broken_entry_costs_no_neighbour() -> None:
    first, broken, last = PLAIN.read(record(json.dumps(HAR).encode()))
    assert isinstance(first, Observation)
    assert isinstance(last, Observation)
    assert broken == Rejected(Reason.SHAPE, 1)
    assert (first.item, last.item) == (0, 2)
    assert first.page_host == "www.shop.example"


def test_an_entry_is_a_request_to_its_host() -> None:
    seen = read(HAR_ENTRY)
    assert (seen.kind, seen.method, seen.host, seen.path) == (Kind.REQUEST, "POST", "px.tracker.example", "/collect")
    assert seen.destinations == (Destination("px.tracker.example", Via.REQUEST, "request.url", "2001:db8::1"),)
    assert seen.headers == {"sec-gpc": ("1",)}
    assert (seen.cookies, seen.subjects) == ("ajs_user_id=u-77", (("user_id", "u-77"),))
    assert seen.parts == (Part("query", b"cid=1", Media.FORM), Part("request.postData", b"em=a+b", Media.FORM))


@pytest.mark.parametrize(
    "change", [{"_fromCache": "disk"}, {"response": {"status": 0, "_error": "net::ERR_BLOCKED_BY_CLIENT"}}]
)
def test_what_never_left_the_browser_reached_nobody(change: dict[str, Any]) -> None:
    assert read({**HAR_ENTRY, **change}).destinations == ()


@pytest.mark.parametrize("url", ["data:text/plain,hello", "blob:https://a.example/1", "chrome-extension://abc/x.js"])
def test_addresses_inside_the_browser_are_no_hosts(url: str) -> None:
    seen = read({"request": {"url": url}})
    assert (seen.host, seen.destinations) == (None, ())


def test_a_port_is_no_part_of_a_destination() -> None:
    seen = read({"request": {"url": "https://u:p@PX.example:8443/a"}})
    assert (seen.host, seen.destinations[0].name) == ("px.example:8443", "px.example")


def test_a_beacon_of_json_is_read_as_json() -> None:
    entry = copy.deepcopy(HAR_ENTRY)
    entry["request"]["postData"] = {"mimeType": "text/plain", "text": '{"a": 1}'}
    assert read(entry).parts[-1].media is Media.JSON


def test_a_recording_without_headers_has_not_seen_them() -> None:
    assert read({"request": {"url": "https://a.example/", "headers": []}}).headers is None


def test_the_page_is_told_by_the_referer_without_pages() -> None:
    pair = {"name": "Referer", "value": "https://WWW.shop.example/x"}
    assert read({"request": {"url": "https://a.example/", "headers": [pair]}}).page_host == "www.shop.example"


def test_a_file_may_be_larger_than_a_record_and_has_its_own_bounds() -> None:
    big = copy.deepcopy(HAR)
    big["log"]["comment"] = "x" * (MAX_RECORD_BYTES + 1)
    assert len(PLAIN.read(record(json.dumps(big).encode()))) == 3
    many = b'{"log":{"entries":[' + b",".join([b"0"] * (MAX_ENTRIES + 2)) + b"]}}"
    reading = PLAIN.read(record(many))
    assert len(reading) == MAX_ENTRIES + 1
    assert reading[-1] == Rejected(Reason.TOO_MANY_ITEMS, MAX_ENTRIES)
