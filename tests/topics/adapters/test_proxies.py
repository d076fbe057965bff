"""APISIX, Envoy and OpenTelemetry spans."""

import json
from typing import Any

import pytest

from tests.topics.adapters.gateway_records import APISIX, CLIENT_SPAN, ENVOY, OTLP, SERVER_SPAN, attributes
from tests.topics.adapters.records import only, record
from topics.adapters import make
from topics.observation import AdapterOptions, Destination, Media, Observation, Part, Via
from topics.record import Reason, Rejected


def read_all(name: str, value: Any, **options: Any) -> list[Observation]:
    found = make(name, AdapterOptions(**options)).read(record(json.dumps(value).encode()))
    assert all(isinstance(each, Observation) for each in found)
    return [each for each in found if isinstance(each, Observation)]


def read(name: str, value: Any, **options: Any) -> Observation:
    return only(list(read_all(name, value, **options)))


def test_a_request_through_apisix_is_read_in_the_common_words() -> None:
    seen = read("apisix", APISIX)
    assert (seen.name, seen.method, seen.status, seen.at_ms) == ("shipping", "POST", 200, 1772445600250)
    assert (seen.host, seen.path, seen.client_ip) == ("api.shop.example:9080", "/v1/shipping", "198.51.100.7")
    assert seen.subjects == (("user_id", "u-77"), ("anonymous_id", "anon-1"))
    assert seen.headers is not None
    assert seen.headers["accept"] == ("a/b", "c/d")
    assert seen.destinations == (Destination("10.1.0.2", Via.UPSTREAM, "upstream", "10.1.0.2"),)
    assert seen.parts == (
        Part("query", b"step=2", Media.FORM),
        Part("request.body", b'{"zip": "12345"}', Media.JSON),
    )


@pytest.mark.parametrize("upstream", [None, "", "-", {}])
def test_a_request_that_apisix_did_not_pass_on_has_no_upstream(upstream: Any) -> None:
    assert read("apisix", {**APISIX, "upstream": upstream}).destinations == ()


def test_lua_may_write_an_empty_map_as_a_list() -> None:
    seen = read("apisix", {**APISIX, "request": {**APISIX["request"], "headers": [], "querystring": []}})
    assert (seen.headers, seen.method, seen.host) == (None, "POST", "api.shop.example:9080")


def test_a_request_through_envoy_is_read_in_the_common_words() -> None:
    seen = read("envoy", ENVOY)
    assert (seen.host, seen.path, seen.method, seen.status) == ("www.shop.example", "/cart", "GET", 200)
    assert (seen.client_ip, seen.user_agent, seen.name) == ("198.51.100.7", "Mozilla/5.0", None)
    assert (seen.at_ms, seen.record_id) == (1772445600250, "req-1")
    assert seen.subjects == (("user_id", "u-77"),)
    assert seen.destinations == (Destination("api.vendor.example", Via.UPSTREAM, "upstream_cluster", "192.0.2.10"),)
    assert read("envoy", ENVOY, trusted_proxies=2).client_ip == "203.0.113.9"


def test_keys_of_either_spelling_mean_the_same() -> None:
    def respelled(key: str) -> str:
        return key.lstrip(":").replace("-", "_").upper()

    assert read("envoy", {respelled(key): value for key, value in ENVOY.items()}) == read("envoy", ENVOY)


def test_a_log_without_the_signals_key_proves_nothing() -> None:
    assert read("envoy", {**ENVOY, "sec_gpc": "1"}).headers == {"sec-gpc": ("1",)}
    without = {key: value for key, value in ENVOY.items() if key != "sec_gpc"}
    assert read("envoy", {**without, "referer": "https://www.shop.example/"}).headers is None


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"upstream_cluster": "inbound|8080||"}, None),
        ({"upstream_cluster": "BlackHoleCluster"}, None),
        ({"upstream_cluster": "-", "upstream_host": None}, None),
        ({"upstream_cluster": "InboundPassthroughCluster"}, None),
        (
            {"upstream_cluster": "PassthroughCluster", "requested_server_name": "sni.vendor.example"},
            "sni.vendor.example",
        ),
        ({"upstream_cluster": "PassthroughCluster", ":authority": "api.vendor.example:8443"}, "api.vendor.example"),
        (
            {"upstream_cluster": "egress", "requested_server_name": "outbound_.443_._.api.vendor.example"},
            "api.vendor.example",
        ),
        ({"upstream_cluster": "web", "requested_server_name": "www.shop.example"}, "192.0.2.10"),
        ({"upstream_cluster": "service_backend", "upstream_host": "[2001:db8::1]:443"}, "2001:db8::1"),
    ],
)
def test_the_upstream_is_who_the_cluster_stands_for(change: dict[str, Any], name: str | None) -> None:
    found = read("envoy", {**ENVOY, **change}).destinations
    assert [each.name for each in found] == ([name] if name else [])


def test_a_key_of_the_users_own_takes_the_place_of_the_default() -> None:
    seen = read("envoy", {"verb": "GET", "peer": "198.51.100.7"}, fields={"method": "verb", "client_ip": "peer"})
    assert (seen.method, seen.client_ip) == ("GET", "198.51.100.7")


def test_an_export_holds_one_item_for_each_http_span() -> None:
    server, client = read_all("otlp-spans", OTLP)
    assert ((server.item, client.item), (server.service, client.service)) == ((0, 1), ("checkout", "checkout"))
    assert (server.host, server.path, server.method, server.status) == ("www.shop.example", "/cart", "GET", 200)
    assert (server.name, server.client_ip, server.user_agent) == ("/cart", "198.51.100.7", "Mozilla/5.0")
    assert (server.at_ms, server.destinations) == (1772445600250, ())
    assert server.headers == {"sec-gpc": ("1",)}
    assert server.parts == (Part("query", b"a=1", Media.FORM),)


def test_a_client_span_is_a_request_to_the_host_that_it_called() -> None:
    seen = read("otlp-spans", CLIENT_SPAN)
    assert seen.destinations == (
        Destination("api.vendor.example", Via.REQUEST, "attributes.net.peer.name", "192.0.2.10"),
    )
    assert (seen.host, seen.path, seen.method, seen.status) == ("api.vendor.example", "/v1/track", "POST", 202)
    assert (seen.client_ip, seen.headers) == (None, None)
    only_url = {**CLIENT_SPAN, "attributes": attributes(http__method="GET", url__full="https://u:p@a.example:8443/x")}
    assert [each.name for each in read("otlp-spans", only_url).destinations] == ["a.example"]


def test_the_same_attribute_names_the_shop_in_one_span_and_the_vendor_in_another() -> None:
    named = attributes(http__request__method="GET", server__address="x.example")
    assert read("otlp-spans", {"kind": 2, "attributes": named}).destinations == ()
    assert [each.name for each in read("otlp-spans", {"kind": 3, "attributes": named}).destinations] == ["x.example"]


def test_a_span_that_is_no_request_is_no_item() -> None:
    reader = make("otlp-spans", AdapterOptions())
    assert reader.read(record(json.dumps({**SERVER_SPAN, "kind": 1}).encode())) == [Rejected(Reason.SHAPE)]
    inner = {
        "resourceSpans": [{"scopeSpans": [{"spans": [{"kind": 3, "attributes": attributes(db__system="redis")}]}]}]
    }
    assert reader.read(record(json.dumps(inner).encode())) == []


def test_a_broken_span_costs_no_neighbour() -> None:
    spans = [
        SERVER_SPAN,
        {"kind": "x", "note": "http.method", "attributes": attributes(http__method="GET")},
        CLIENT_SPAN,
    ]
    value = {
        "resourceSpans": [{"scopeSpans": [{"spans": spans}]}, {"scopeSpans": 5}, {"scopeSpans": [{"spans": spans}]}]
    }
    found = make("otlp-spans", AdapterOptions()).read(record(json.dumps(value).encode()))
    assert [isinstance(each, Observation) for each in found] == [True, False, True, False, True, False, True]
