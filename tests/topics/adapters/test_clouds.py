"""Gateways and load balancers of AWS, Google Cloud and Azure."""

import base64
import json
from typing import Any

import pytest

from tests.topics.adapters.gateway_records import (
    ALB_LINE,
    ALB_REFUSED,
    APIGW,
    AZURE_APIM,
    AZURE_APP,
    AZURE_FRONT_DOOR,
    AZURE_GATEWAY,
    CLOUDFRONT,
    CLOUDFRONT_LINE,
    GCP,
    LAMBDA_ALB,
    LAMBDA_V1,
    LAMBDA_V2,
    WAF,
)
from tests.topics.adapters.records import only, record
from topics.adapters import make
from topics.observation import AdapterOptions, Destination, Media, Observation, Part, Via


def read_all(name: str, value: Any, **options: Any) -> list[Observation]:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    found = make(name, AdapterOptions(**options)).read(record(data))
    assert all(isinstance(each, Observation) for each in found)
    return [each for each in found if isinstance(each, Observation)]


def read(name: str, value: Any, **options: Any) -> Observation:
    return only(list(read_all(name, value, **options)))


def coded(*values: Any) -> str:
    return base64.b64encode(b"".join(json.dumps(each).encode() for each in values)).decode()


def test_api_gateways_log_names_templates_and_not_paths() -> None:
    seen = read("aws-apigw-access", APIGW)
    assert (seen.name, seen.path, seen.method, seen.status) == ("/users/{id}", None, "GET", 200)
    assert (seen.at_ms, seen.client_ip, seen.user_agent) == (1772445600000, "198.51.100.7", "Mozilla/5.0")
    assert (seen.region, seen.headers, seen.subjects) == ("eu-west-1", None, ())
    assert read("aws-apigw-access", {**APIGW, "p": "/users/7"}, fields={"path": "p"}).path == "/users/7"


@pytest.mark.parametrize(
    ("name", "value"), [("aws-apigw-access", APIGW), ("aws-waf", WAF), ("gcp-lb", GCP), ("aws-cloudfront", CLOUDFRONT)]
)
def test_envelopes_of_the_cloud_are_opened(name: str, value: Any) -> None:
    plain = read(name, value)
    firehose = {"records": [{"recordId": "1", "data": coded(value, value)}, {"recordId": "2", "data": coded(value)}]}
    assert [each.item for each in read_all(name, firehose)] == [0, 1, 2]
    assert read_all(name, {"data": coded(value)}) == [plain]
    assert read_all(name, {"message": {"data": coded(value), "messageId": "1"}}) == [plain]
    lines = {"messageType": "DATA_MESSAGE", "logEvents": [{"id": "1", "timestamp": 1, "message": json.dumps(value)}]}
    assert read_all(name, lines) == [plain]


def test_a_broken_envelope_item_costs_no_neighbour() -> None:
    value = {"records": [{"data": coded(WAF)}, {"data": "%%"}, 5, {"data": coded("x")}, {"data": coded(WAF)}]}
    found = make("aws-waf", AdapterOptions()).read(record(json.dumps(value).encode()))
    assert [isinstance(each, Observation) for each in found] == [True, False, False, False, True]


def test_a_proxy_event_of_version_one_keeps_repeats() -> None:
    seen = read("aws-lambda-proxy", LAMBDA_V1)
    assert (seen.name, seen.path, seen.method) == ("/{proxy+}", "/checkout/contact", "POST")
    assert (seen.client_ip, seen.at_ms, seen.region) == ("198.51.100.7", 1772445600250, "us-east-1")
    assert seen.cookies == "a=1; ajs_user_id=u-1"
    assert seen.headers is not None
    assert (seen.headers["accept"], seen.country, seen.place_source) == (("first", "last"), "US", "gateway-geo")
    assert seen.subjects == (("user_id", "u-77"),)
    assert seen.parts == (
        Part("query", b"a=1&a=2", Media.FORM),
        Part("body", b'{"email": "a@shop.example"}', Media.JSON),
    )
    assert read("aws-lambda-proxy", LAMBDA_V1, trusted_proxies=2).client_ip == "203.0.113.9"


def test_a_proxy_event_of_version_two_has_its_cookies_apart() -> None:
    seen = read("aws-lambda-proxy", LAMBDA_V2)
    assert (seen.name, seen.host, seen.path, seen.method) == ("POST /cart", "shop.example", "/cart", "POST")
    assert seen.cookies == "usprivacy=1YYN; ajs_anonymous_id=anon-1"
    assert seen.user_agent == "Mozilla/5.0 (X, Y)"
    assert seen.subjects == (("user_id", "u-77"), ("anonymous_id", "anon-1"))
    assert [part.data for part in seen.parts] == [b"a=1&a=2", b'{"sku": "a"}']


def test_behind_the_load_balancer_the_address_is_what_it_appended() -> None:
    seen = read("aws-lambda-proxy", LAMBDA_ALB)
    assert (seen.client_ip, seen.at_ms, seen.cookies) == ("203.0.113.9", None, "a=1")


def test_a_body_that_is_not_the_base64_it_claims_to_be_is_not_complete() -> None:
    assert read("aws-lambda-proxy", {**LAMBDA_V1, "body": "{no}"}).parts[-1].truncated


def test_a_line_of_the_load_balancer_is_read_by_position() -> None:
    seen = read("aws-alb", ALB_LINE.encode())
    assert (seen.host, seen.path, seen.method, seen.status) == ("www.shop.example", "/cart", "GET", 200)
    assert (seen.client_ip, seen.user_agent) == ("198.51.100.7", 'Mozilla/5.0 (\\"odd\\")')
    assert (seen.at_ms, seen.region, seen.name) == (1772445601186, "eu-central-1", "1")
    assert seen.destinations == (Destination("192.0.2.10", Via.UPSTREAM, "target", "192.0.2.10"),)
    assert (seen.headers, seen.parts) == (None, (Part("query", b"a=1", Media.FORM),))
    assert read("aws-alb", ALB_LINE.replace("https 2026", "wss 2026").encode()).at_ms == 1772445600250


def test_a_request_that_the_load_balancer_refused_reached_nobody() -> None:
    seen = read("aws-alb", ALB_REFUSED.encode())
    assert (seen.destinations, seen.method, seen.client_ip, seen.status) == ((), None, "2001:db8::7", 400)


def test_lines_in_firehoses_envelope_are_read() -> None:
    data = base64.b64encode(f"{ALB_LINE}\n{ALB_REFUSED}\n".encode()).decode()
    assert len(read_all("aws-alb", {"records": [{"data": data}]})) == 2


def test_the_firewalls_log_has_all_headers_and_the_region() -> None:
    seen = read("aws-waf", WAF)
    assert (seen.host, seen.path, seen.method, seen.client_ip) == ("www.shop.example", "/cart", "GET", "198.51.100.7")
    assert (seen.country, seen.subdivision, seen.place_source) == ("US", "US-CA", "gateway-geo")
    assert seen.headers is not None
    assert (seen.headers["sec-gpc"], seen.cookies) == (("1",), "ajs_user_id=u-77; b=2")
    assert "authorization" not in seen.headers
    assert (seen.status, seen.destinations) == (None, ())


def test_cloudfronts_standard_log_is_read_by_its_names() -> None:
    by_place, by_name = read("aws-cloudfront", CLOUDFRONT_LINE.encode()), read("aws-cloudfront", CLOUDFRONT)
    assert by_place == by_name
    assert (by_place.host, by_place.path, by_place.status) == ("www.shop.example", "/cart", 200)
    assert (by_place.at_ms, by_place.page_host) == (1772445600000, "www.shop.example")
    assert (by_place.user_agent, by_place.cookies) == ("Mozilla/5.0 (X)", "ajs_user_id=u-77; usprivacy=1YYN")
    assert (by_place.headers, by_place.destinations) == (None, ())
    other = "#Version: 1.0\n#Fields: c-ip cs-method x-host-header cs-uri-stem\n198.51.100.7\tGET\tshop.example\t/a\n"
    seen = read("aws-cloudfront", other.encode())
    assert (seen.client_ip, seen.host, seen.path) == ("198.51.100.7", "shop.example", "/a")


def test_header_lines_alone_hold_no_record() -> None:
    assert read_all("aws-cloudfront", b"#Version: 1.0\n#Fields: date time c-ip\n") == []


@pytest.mark.parametrize(("count", "whole"), [("3", True), ("9", False), ("-", False)])
def test_a_real_time_log_is_read_by_the_field_map_and_its_header_list_counts_when_complete(
    count: str,
    whole: bool,  # noqa: FBT001 - one row of a table
) -> None:
    fields = {
        "timestamp": "1",
        "c-ip": "2",
        "cs-uri-stem": "3",
        "c-country": "4",
        "cs-headers": "5",
        "cs-headers-count": "6",
    }
    headers = "Host:www.shop.example%0AAccept:*/*%0ACookie:a=1%0A"
    line = f"1772445600.250\t198.51.100.7\t/cart?a=1\tUS\t{headers}\t{count}"
    seen = read("aws-cloudfront", line.encode(), fields=fields)
    assert (seen.at_ms, seen.client_ip, seen.country) == (1772445600250, "198.51.100.7", "US")
    assert (seen.host, seen.path, seen.cookies) == ("www.shop.example", "/cart", "a=1")
    assert (seen.headers is not None) is whole
    assert seen.parts == (Part("query", b"a=1", Media.FORM),)


def test_an_entry_of_googles_load_balancer_is_read_in_the_common_words() -> None:
    seen = read("gcp-lb", GCP)
    assert (seen.host, seen.path, seen.method, seen.status) == ("www.shop.example", "/cart", "GET", 200)
    assert (seen.at_ms, seen.client_ip, seen.name) == (1772445600250, "198.51.100.7", "web")
    assert seen.destinations == (Destination("192.0.2.10", Via.UPSTREAM, "httpRequest.serverIp", "192.0.2.10"),)
    assert (seen.page_host, seen.headers, seen.region) == ("www.shop.example", None, "us-central1")


@pytest.mark.parametrize("value", [AZURE_GATEWAY, AZURE_FRONT_DOOR, AZURE_APP])
def test_azures_products_read_alike(value: dict[str, Any]) -> None:
    seen = read("azure-gateway", {"records": [value]})
    assert (seen.host, seen.path, seen.method, seen.status) == ("www.shop.example", "/cart", "GET", 200)
    assert (seen.at_ms, seen.client_ip, seen.user_agent) == (1772445600250, "198.51.100.7", "Mozilla/5.0")
    assert seen.parts == (Part("query", b"a=1", Media.FORM),)
    assert seen.headers is None


def test_azures_upstreams_and_places_are_found() -> None:
    assert read("azure-gateway", AZURE_GATEWAY).destinations == (
        Destination("192.0.2.10", Via.UPSTREAM, "properties.serverrouted", "192.0.2.10"),
    )
    front = read("azure-gateway", AZURE_FRONT_DOOR)
    assert front.destinations == (
        Destination("origin.vendor.example", Via.UPSTREAM, "properties.originurl", "192.0.2.10"),
    )
    assert front.country == "US"
    assert read("azure-gateway", AZURE_APP).subjects == (("user_id", "u-77"),)


def test_a_record_of_api_management_shows_both_legs() -> None:
    caller, backend = read_all("azure-gateway", {"records": [AZURE_APIM, AZURE_APIM]})[:2]
    assert (caller.item, backend.item, caller.name) == (0, 1, "quote")
    assert (caller.host, caller.path, caller.client_ip) == ("api.shop.example", "/v1/tax", "198.51.100.7")
    assert caller.headers == {"sec-gpc": ("1",), "content-type": ("application/json",)}
    assert caller.destinations == ()
    assert caller.parts[-1] == Part("properties.requestbody", b'{"zip": "12345"}', Media.JSON)
    assert (backend.host, backend.path, backend.status, backend.client_ip) == (
        "tax.vendor.example",
        "/quote",
        201,
        None,
    )
    assert [each.name for each in backend.destinations] == ["tax.vendor.example"]
    assert backend.parts == (Part("properties.backendrequestbody", b'{"zip": "12345"}', Media.JSON),)


def test_a_body_at_azures_limit_is_cut_short() -> None:
    properties = {**AZURE_APIM["properties"], "RequestBody": "x" * 8192}
    assert read_all("azure-gateway", {**AZURE_APIM, "properties": properties})[0].parts[-1].truncated


@pytest.mark.parametrize("properties", ["{", "[]", '"x"', 5, None])
def test_properties_that_cannot_be_read_leave_the_rest(properties: Any) -> None:
    seen = read("azure-gateway", {**AZURE_APIM, "properties": properties})
    assert seen.client_ip == "198.51.100.7"
