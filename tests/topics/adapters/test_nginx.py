"""nginx's JSON access logs."""

import json
from typing import Any

from tests.topics.adapters.records import NGINX, only, record
from topics.adapters.nginx import Nginx
from topics.observation import AdapterOptions, Destination, Media, Observation, Part, Via
from topics.record import Reason, Rejected

PLAIN = Nginx(AdapterOptions())


def read(log: Any, adapter: Nginx = PLAIN) -> Observation:
    return only(adapter.read(record(json.dumps(log).encode())))


def test_a_line_is_read_in_the_common_words() -> None:
    seen = read(NGINX)
    assert (seen.method, seen.host, seen.path, seen.status) == ("GET", "shop.example", "/search", 200)
    assert (seen.at_ms, seen.client_ip, seen.page_host) == (1772445600000, "198.51.100.7", "www.shop.example")
    assert (seen.user_agent, seen.cookies) == ("Mozilla/5.0", "visitor_id=v-1")
    assert seen.subjects == (("anonymous_id", "v-1"),)
    assert seen.destinations == (Destination("search.vendor.example", Via.UPSTREAM, "upstream_host", "10.0.0.6"),)
    assert seen.parts == (Part("query", b"q=shoes", Media.FORM),)


def test_headers_count_as_seen_only_when_the_signal_is_logged() -> None:
    seen = read(NGINX)
    assert seen.headers is not None
    assert "sec-gpc" not in seen.headers
    assert read({key: value for key, value in NGINX.items() if key != "http_sec_gpc"}).headers is None
    assert read({"request_uri": "/", "http_dnt": "1"}).headers == {"dnt": ("1",)}


def test_the_field_map_of_the_configuration_wins() -> None:
    adapter = Nginx(AdapterOptions(fields={"client_ip": "peer", "body": "payload"}, service="edge"))
    seen = read({"peer": "[2001:db8::7]:443", "payload": '{"a": 1}', "remote_addr": "10.0.0.1"}, adapter)
    assert (seen.client_ip, seen.service) == ("2001:db8::7", "edge")
    assert seen.parts == (Part("payload", b'{"a": 1}', Media.JSON),)


def test_escapes_of_plain_nginx_are_repaired() -> None:
    line = b' {"request_uri":"/a","http_user_agent":"say \\x22hi\\x22 \\xC3\\xBC \\\\x22","request_body":"x"}'
    assert only(PLAIN.read(record(line))).user_agent == 'say "hi" \u00fc \\x22'


def test_what_cannot_be_repaired_is_rejected() -> None:
    assert [type(each) for each in PLAIN.read(record(b'{"request_uri":"/a\\xZZ"}'))] == [Rejected]


def test_an_object_without_any_known_key_is_no_line() -> None:
    assert PLAIN.read(record(b'{"hello":"world"}')) == [Rejected(Reason.SHAPE)]


def test_seconds_with_a_fraction_and_split_uris_are_read() -> None:
    seen = read(
        {"msec": "1772445600.250", "uri": "/a", "args": "b=1", "upstream_addr": "10.0.0.1:80 : [2001:db8::5]:8080"}
    )
    assert (seen.at_ms, seen.path) == (1772445600250, "/a")
    assert seen.destinations[0].address == "2001:db8::5"
    assert read({"uri": "/a", "upstream_addr": "unix:/run/app.sock"}).destinations == ()
