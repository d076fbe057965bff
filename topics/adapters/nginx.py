"""nginx's access log as JSON objects. nginx has no fixed JSON format: the keys are variables that the log_format names."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from topics.adapters import geo, reading
from topics.adapters.moments import milliseconds
from topics.adapters.opening import read_message
from topics.adapters.tolerant import OBJECT, value_of
from topics.observation import AdapterOptions, Destination, Glance, Kind, Observation, Reading, Via
from topics.record import MAX_RECORD_BYTES, RawRecord, Reason, Rejected

DEFAULT_FIELDS: Mapping[str, tuple[str, ...]] = {
    "time": ("time_iso8601", "msec"),
    "client_ip": ("remote_addr",),
    "forwarded_for": ("http_x_forwarded_for",),
    "method": ("request_method",),
    "host": ("host", "server_name"),
    "uri": ("request_uri",),
    "path": ("uri",),
    "args": ("args", "query_string"),
    "status": ("status",),
    "user_agent": ("http_user_agent",),
    "referer": ("http_referer",),
    "cookie": ("http_cookie",),
    "content_type": ("content_type", "http_content_type"),
    "content_length": ("content_length", "http_content_length"),
    "body": ("request_body",),
    "upstream": ("upstream_addr",),
    "upstream_host": ("proxy_host",),
    "route": ("route", "ingress_name", "service_name"),
    "service": ("service_name",),
    "user": ("remote_user",),
    "request_id": ("request_id",),
    "country": ("geoip2_data_country_code", "geoip_country_code"),
    "region": ("geoip2_data_region_code", "geoip_region"),
}
"""Our name -> the log's keys, in order of preference. `AdapterOptions.fields` puts its own key in their place."""

_ESCAPES = re.compile(rb"\\[^x]|((?:\\x[0-9A-Fa-f]{2})+)")
_ROUTES = ("route_0", "route_1", "route_2")
_BACKSLASH = 0x5C
"""Looking for one byte is 20 times as quick as for two."""
_TRIES = re.compile(r"\s*,\s*|\s+:\s+")
_SIGNALS = ("sec-gpc", "dnt")


class Nginx:
    """Reads JSON access logs with a field map."""

    name = "nginx"

    def __init__(self, options: AdapterOptions) -> None:
        self._service = options.service
        self._trusted = options.trusted_proxies
        self._keys = {
            ours: (options.fields[ours],) if ours in options.fields else theirs
            for ours, theirs in DEFAULT_FIELDS.items()
        }
        if options.body:
            self._keys["body"] = (options.body,)
        self._known = frozenset(key for keys in self._keys.values() for key in keys)
        self._glimpse = _glimpse(self._keys)

    def read(self, record: RawRecord) -> Reading:
        """Read one record. Never raises."""
        value = record.value
        if value and _BACKSLASH in value and b"\\x" in value and len(value) <= MAX_RECORD_BYTES:
            value = _ESCAPES.sub(_unescaped, value)
        return read_message(value, self._one)

    def glance(self, value: bytes) -> Glance | None:
        """Look at one record. Never raises."""
        if self._glimpse is None:
            return None
        try:
            seen = self._glimpse.decode(value)
        except (msgspec.MsgspecError, RecursionError):
            return None
        at_ms = milliseconds(seen.time)
        uri, host, cookies = seen.uri, seen.host, seen.cookie
        # Alternatives are for the whole reading; so are several tries, of which the last one answered.
        if at_ms is None or uri[:1] != "/" or host in reading.ABSENT or seen.upstream_host is not None:
            return None
        upstream = seen.upstream
        if upstream is None or upstream in reading.ABSENT:
            upstream = ""
        else:
            found = reading.address(upstream)
            if found is None:
                return None
            upstream = found
        name = seen.route_0
        if name is None or name in reading.ABSENT:
            name = next((each for each in (seen.route_1, seen.route_2) if each and each != "-"), None)
        user = reading.identifier(seen.user)
        return Glance(at_ms, name, seen.method, uri, host, upstream, reading.persons_together(cookies, user))

    def _one(self, data: bytes, item: int) -> Observation | Rejected:
        raw = OBJECT.decode(data)
        if self._known.isdisjoint(raw):
            return Rejected(Reason.SHAPE)
        log = {ours: found for ours, keys in self._keys.items() if (found := _value(raw, keys)) is not None}
        logged = reading.header_map(
            {key[5:].replace("_", "-"): value_of(each) for key, each in raw.items() if key.startswith("http_")}
        )
        path, query = _path_and_query(log)
        cookies = log.get("cookie")
        known = reading.visitor_ids(cookies)
        user = reading.identifier(log.get("user"))
        if user:
            known["user_id"] = user
        located = geo.from_headers(logged)
        if located.country is None:
            located = geo.located(log.get("country"), log.get("region"), "gateway-geo")
        # Without this key in the log, a request without the header looks like one whose header was not logged.
        seen = "http_sec_gpc" in raw or any(name in logged for name in _SIGNALS)
        referer = log.get("referer")
        return Observation(
            item=item,
            kind=Kind.REQUEST,
            source="nginx",
            service=self._service or log.get("service", ""),
            at_ms=milliseconds(log.get("time")),
            record_id=log.get("request_id"),
            name=log.get("route"),
            method=log.get("method"),
            host=reading.host(log.get("host")),
            path=path,
            status=reading.whole(log.get("status")),
            page_host=reading.url_host(referer) if referer else None,
            client_ip=reading.client_address(log.get("client_ip"), log.get("forwarded_for"), self._trusted),
            user_agent=log.get("user_agent"),
            headers=logged if seen else None,
            cookies=cookies,
            subjects=reading.ordered(known),
            destinations=_destinations(log),
            country=located.country,
            subdivision=located.subdivision,
            place_source=located.source,
            parts=reading.query_part(query) + self._body(raw, log),
        )

    def _body(self, raw: Mapping[str, msgspec.Raw], log: Mapping[str, str]) -> tuple[Any, ...]:
        headers = {
            name: (log[ours],)
            for name, ours in (("content-type", "content_type"), ("content-length", "content_length"))
            if ours in log
        }
        for key in self._keys["body"]:
            if key in raw:
                return reading.body_of(raw[key], key, headers)
        return ()


def _glimpse(keys: Mapping[str, tuple[str, ...]]) -> msgspec.json.Decoder[Any] | None:
    """Give a decoder of the few members that a glance needs, strictly typed; None where one key of the log has two meanings."""
    routes = dict(zip(_ROUTES, keys["route"], strict=False))
    required = {ours: keys[ours][0] for ours in ("uri", "host")}
    optional = {ours: keys[ours][0] for ours in ("method", "upstream", "upstream_host", "cookie", "user")} | routes
    names = [keys["time"][0], *required.values(), *optional.values()]
    if len(set(names)) < len(names):
        return None
    fields: list[tuple[str, Any, Any]] = [("time", Any, msgspec.field(name=keys["time"][0]))]
    fields += [(ours, str, msgspec.field(name=key)) for ours, key in required.items()]
    for ours in dict.fromkeys((*optional, *_ROUTES)):
        # A log has one to three keys for the route.
        fields.append((ours, str | None, msgspec.field(default=None, name=optional.get(ours, f"no {ours}"))))
    return msgspec.json.Decoder(msgspec.defstruct("Seen", fields, gc=False))


def _value(raw: Mapping[str, msgspec.Raw], keys: tuple[str, ...]) -> str | None:
    for key in keys:
        each = raw.get(key)
        if each is not None:
            found = reading.text(value_of(each))
            if found is not None:
                return found
    return None


def _path_and_query(log: Mapping[str, str]) -> tuple[str | None, str]:
    uri = log.get("uri")
    if uri is not None:
        path, _, query = uri.partition("?")
        return path, query
    return log.get("path"), log.get("args", "")


def _destinations(log: Mapping[str, str]) -> tuple[Destination, ...]:
    upstream = log.get("upstream")
    if upstream is None:
        return ()
    # One entry per try, and those of internal redirects behind a colon: the last one answered.
    address = reading.address(_TRIES.split(upstream)[-1])
    host = reading.host_name(log.get("upstream_host"))
    if host:
        return (Destination(host, Via.UPSTREAM, "upstream_host", address),)
    return (Destination(address, Via.UPSTREAM, "upstream", address),) if address else ()


def _unescaped(match: re.Match[bytes]) -> bytes:
    r"""Turn a run of `\xHH`, which nginx writes without escape=json, into the characters that JSON writes for these bytes."""
    run = match[1]
    if run is None:
        return match[0]
    text = bytes.fromhex(run.decode().replace("\\x", "")).decode("utf-8", "replace")
    return msgspec.json.encode(text)[1:-1]
