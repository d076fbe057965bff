"""Hits for Google Analytics 4: bodies of the Measurement Protocol, and what gtag.js sends from the browser (`/g/collect`).

Source: Google, "Measurement Protocol (Google Analytics 4)", reference of the JSON body. The browser's parameters are not documented by Google;
several events share one request, one line of the body each, with what they share in the URL.
A body as such carries no headers; a record of the browser's request has those that the record holds.
"""

from typing import Any
from urllib.parse import unquote_plus, urlencode

import msgspec

from topics.adapters import geo, reading
from topics.adapters.conversions import (
    Carrier,
    Members,
    carrier,
    declared,
    members_of,
    one,
    page_of,
    parts_of,
    person,
    receivers,
    staged,
    value,
    without_credentials,
)
from topics.adapters.moments import milliseconds
from topics.adapters.opening import Group, read_message
from topics.adapters.tolerant import OBJECT, value_of
from topics.observation import AdapterOptions, Destination, Kind, Observation, Reading, Via
from topics.record import RawRecord, Reason, Rejected

_HOST = "www.google-analytics.com"
_HOSTS = (".google-analytics.com", ".analytics.google.com", ".doubleclick.net", ".app-measurement.com")
_EVENTS = msgspec.json.Decoder(list[msgspec.Raw])
_NO = msgspec.Raw()
_HIT_PATH = "/g/collect"
_HIT_KEYS = ("tid", "cid")
_PARAMS = frozenset({"tid", "cid", "uid", "en", "dl"})
_VISITORS = frozenset({"client_id", "app_instance_id", "user_id", "user_data", "consent"})
_SHARED = ("user_properties", "user_data", "device")
_KNOWN = frozenset(
    {"client_id", "app_instance_id", "user_id", "timestamp_micros", "consent", "events", "user_location"}
    | {"ip_override", "user_agent", "non_personalized_ads", "validation_behavior", "measurement_id", "firebase_app_id"}
)


class Ga4:
    """Reads what a shop, or its pages, send to Google Analytics."""

    name = "ga4"

    def __init__(self, options: AdapterOptions) -> None:
        self._service = options.service
        self._trusted = options.trusted_proxies
        self._recipients = options.recipients

    def read(self, record: RawRecord) -> Reading:
        """Read one record. Never raises."""
        return read_message(record.value, self._one)

    def _one(self, data: bytes, item: int) -> Observation | Rejected | Group:
        members = OBJECT.decode(data)
        request = carrier(members)
        if request is not None:
            if request.path.endswith(_HIT_PATH):
                return self._hits(request, item)
            if request.body[:1] == b"{":
                members = OBJECT.decode(request.body)
        if "events" in members and not _VISITORS.isdisjoint(members):
            events = _EVENTS.decode(members["events"])
            return Group(events, lambda part, at: self._event(members, OBJECT.decode(part), at, request))
        if all(key in members for key in _HIT_KEYS):
            pairs = [(key, text) for key, raw in members.items() if (text := reading.text(value_of(raw))) is not None]
            return self._hit(urlencode(pairs, errors="replace"), item, None)
        return Rejected(Reason.SHAPE)

    def _event(self, body: Members, event: Members, item: int, request: Carrier | None) -> Observation | Rejected:
        name = reading.text(value(event, "name"))
        if name is None:
            return Rejected(Reason.SHAPE)
        params = members_of(event.get("params"))
        page = page_of(value(params, "page_location"))
        found = {each: value_of(body[each]) for each in ("client_id", "app_instance_id", "user_id") if each in body}
        place = _place(body)
        moment = value(event, "timestamp_micros") or value(body, "timestamp_micros")
        return Observation(
            item=item,
            kind=Kind.EVENT,
            source=self.name,
            service=self._service,
            at_ms=milliseconds(moment),
            record_id=reading.text(value(params, "transaction_id")),
            name=name,
            host=page.host,
            path=page.path,
            page_host=page.host,
            client_ip=reading.address(value(body, "ip_override")),
            user_agent=reading.text(value(body, "user_agent")),
            subjects=person(found, user_id=("user_id",), anonymous_id=("client_id",), device_id=("app_instance_id",)),
            destinations=receivers(_HOST, _HOSTS, request, self._recipients, proof="events"),
            country=place.country,
            subdivision=place.subdivision,
            place_source=place.source,
            consent={"consent": value_of(body["consent"])} if "consent" in body else {},
            parts=(
                *reading.query_part(page.query),
                *parts_of({**body, "params": event.get("params", _NO)}, ("params", *_SHARED), _KNOWN),
            ),
        )

    def _hits(self, request: Carrier, item: int) -> Observation | Rejected | Group:
        lines = [line for line in request.body.splitlines() if line.strip()]
        if request.body[:1] in (b"{", b"["):
            lines = []
        if len(lines) < 2:
            return self._hit(_joined(request.query, lines[0] if lines else b""), item, request)
        raws = [msgspec.Raw(line) for line in lines]
        return Group(raws, lambda line, at: self._hit(_joined(request.query, line), at, request))

    def _hit(self, query: str, item: int, request: Carrier | None) -> Observation | Rejected:
        query = without_credentials(query)
        found = _params(query)
        if not any(key in found for key in (*_HIT_KEYS, "en")):
            return Rejected(Reason.SHAPE)
        page = page_of(found.get("dl"))
        held = request.members if request else {}
        headers = reading.header_map(_objects(held.get("headers"))) or None
        seen = headers or {}
        place = geo.from_headers(seen)
        forwarded = reading.joined(seen, "x-forwarded-for") if self._trusted else None
        return Observation(
            item=item,
            kind=Kind.REQUEST,
            source=self.name,
            service=self._service,
            at_ms=milliseconds(value(held, "timestamp", "time", "at")),
            name=reading.text(found.get("en")),
            method=reading.text(value(held, "method")),
            host=request.host if request else None,
            path=request.path if request else _HIT_PATH,
            page_host=page.host or reading.page_host(seen),
            client_ip=reading.client_address(value(held, "client_ip", "remote_addr"), forwarded, self._trusted),
            user_agent=reading.first(seen, "user-agent"),
            headers=headers,
            cookies=reading.joined(seen, "cookie", "; "),
            subjects=person(found, user_id=("uid",), anonymous_id=("cid",)),
            destinations=(*_called(request), *staged(self._recipients)),
            country=place.country,
            subdivision=place.subdivision,
            place_source=place.source,
            parts=reading.query_part(query),
        )


def _called(request: Carrier | None) -> tuple[Destination, ...]:
    name = reading.host_name(request.host) if request else None
    # A name of the shop's own is a proxy; the path tells classification who stands behind it.
    return (
        Destination(name, Via.REQUEST, request.proof) if name and request else Destination(_HOST, Via.REQUEST, "tid"),
    )


def _params(query: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in query.split("&"):
        key, _, text = pair.partition("=")
        if key in _PARAMS and text:
            found[key] = unquote_plus(text)
    return found


def _joined(query: str, line: bytes) -> str:
    own = line.decode("utf-8", "replace").strip()
    return f"{query}&{own}" if query and own else query or own


def _place(body: Members) -> geo.Located:
    location = members_of(body.get("user_location"))
    found = declared(value(location, "country_id"), value(location, "region_id"), "event-location")
    if found.country:
        return found
    address = one(value(members_of(body.get("user_data")), "address"))
    return declared(address.get("country"), address.get("region")) if type(address) is dict else geo.NOWHERE


def _objects(raw: msgspec.Raw | None) -> dict[str, Any]:
    return {name: value_of(each) for name, each in members_of(raw).items()}
