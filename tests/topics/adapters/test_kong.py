"""Kong's log records."""

import json
from typing import Any

import pytest

from tests.topics.adapters.records import KONG, only, record
from topics.adapters.kong import Kong
from topics.observation import AdapterOptions, Destination, Media, Observation, Part, Via

PLAIN = Kong(AdapterOptions())


def read(log: Any, adapter: Kong = PLAIN) -> Observation:
    return only(adapter.read(record(json.dumps(log).encode())))


def request(**change: Any) -> dict[str, Any]:
    return {**KONG, "request": {**KONG["request"], **change}}


def test_a_request_is_read_in_the_common_words() -> None:
    seen = read(KONG)
    assert (seen.service, seen.name, seen.method, seen.status) == ("checkout", "shipping", "POST", 200)
    assert (seen.host, seen.path, seen.page_host) == ("api.shop.example", "/v1/shipping", "www.shop.example")
    assert (seen.at_ms, seen.record_id, seen.client_ip) == (1772445600250, "req-1", "198.51.100.7")
    assert seen.subjects == (("user_id", "u-77"), ("anonymous_id", "anon-1"))
    assert (seen.country, seen.subdivision, seen.place_source) == ("US", "US-CA", "gateway-geo")
    assert seen.parts == (
        Part("query", b"step=2", Media.FORM),
        Part("request.body", b'{"zip": "12345"}', Media.JSON),
    )


def test_the_upstream_is_the_last_try() -> None:
    assert read(KONG).destinations == (Destination("tax.vendor.example", Via.UPSTREAM, "service.host", "10.1.0.2"),)
    assert read({**KONG, "service": None}).destinations == (
        Destination("10.1.0.2", Via.UPSTREAM, "tries.ip", "10.1.0.2"),
    )


@pytest.mark.parametrize("change", [{"tries": []}, {"tries": None, "latencies": {"proxy": -1}}])
def test_an_answer_by_kong_itself_reaches_no_upstream(change: dict[str, Any]) -> None:
    assert read({**KONG, **change}).destinations == ()


def test_a_masked_credential_is_no_value_and_repeats_are_kept() -> None:
    headers = read(KONG).headers
    assert headers is not None
    assert "authorization" not in headers
    assert headers["accept"] == ("application/json", "text/html")


def test_headers_that_are_not_logged_are_not_seen() -> None:
    assert read(request(headers=None)).headers is None
    assert read(request(headers={})).headers is None
    assert read(request(headers=[])).headers is None


def test_the_client_is_counted_from_the_right() -> None:
    assert read(KONG, Kong(AdapterOptions(trusted_proxies=2))).client_ip == "203.0.113.9"
    assert read(KONG, Kong(AdapterOptions(trusted_proxies=9))).client_ip == "198.51.100.7"


def test_a_body_under_another_name_is_found() -> None:
    adapter = Kong(AdapterOptions(body="custom.sent"))
    assert read({**KONG, "custom": {"sent": {"a": 1}}}, adapter).parts[-1].path == "custom.sent"
    assert len(read({**KONG, "custom": "x"}, adapter).parts) == 1


def test_a_body_shorter_than_announced_is_cut_short() -> None:
    log = request(body="a=1&b", headers={"content-type": "application/x-www-form-urlencoded", "content-length": "900"})
    assert read(log).parts[-1] == Part("request.body", b"a=1&b", Media.FORM, truncated=True)


def test_a_query_is_rebuilt_where_only_the_map_is_left() -> None:
    log = request(uri=None, url=None, querystring={"a": "1", "b": ["2", "3"], "c": True})
    assert read(log).parts[0].data == b"a=1&b=2&b=3&c="


@pytest.mark.parametrize(
    "change",
    [
        {"tries": {}, "route": [], "consumer": "x", "service": 5},
        {"tries": ["x", {"ip": "10.0.0.9"}], "latencies": []},
        {"response": "x", "started_at": "soon", "client_ip": {}},
        {"unheard": {"of": 1}},
    ],
)
def test_a_member_of_another_type_does_not_reject_the_request(change: dict[str, Any]) -> None:
    seen = read({**KONG, **change})
    assert seen.method == "POST"
    assert seen.headers is not None


def test_an_unreal_country_is_not_taken_from_the_edge() -> None:
    for code in ("XX", "T1", "", "California"):
        assert read(request(headers={"cf-ipcountry": code, "host": "a"})).country is None
    edgescape = "georegion=263,country_code=US,region_code=CA,city=X"
    assert read(request(headers={"x-akamai-edgescape": edgescape})).subdivision == "US-CA"
