"""What one event of Segment's specification holds: its members, and the subtrees of its context."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import msgspec

from topics.adapters import geo, reading
from topics.adapters.tolerant import value_of
from topics.observation import Media, Part

_NO = msgspec.Raw()


class Event(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """The members of an event."""

    type: Any = None
    event: Any = None
    user_id: Any = None
    anonymous_id: Any = None
    message_id: Any = None
    timestamp: Any = None
    original_timestamp: Any = None
    sent_at: Any = None
    received_at: Any = None
    request_ip: Any = None
    channel: Any = None
    version: Any = None
    rudder_id: Any = None
    write_key: Any = None
    name: msgspec.Raw = _NO
    group_id: msgspec.Raw = _NO
    previous_id: msgspec.Raw = _NO
    properties: msgspec.Raw = _NO
    traits: msgspec.Raw = _NO
    context: msgspec.Raw = _NO
    integrations: msgspec.Raw = _NO


class _Page(msgspec.Struct):
    url: Any = None
    path: Any = None
    search: Any = None


class _Device(msgspec.Struct):
    id: Any = None
    advertising_id: Any = msgspec.field(default=None, name="advertisingId")
    tracking: Any = msgspec.field(default=None, name="adTrackingEnabled")


class _Location(msgspec.Struct):
    country: Any = None
    region: Any = None


class _Email(msgspec.Struct):
    email: Any = None


_PAGE = msgspec.json.Decoder(_Page)
_DEVICE = msgspec.json.Decoder(_Device)
_LOCATION = msgspec.json.Decoder(_Location)
_EMAIL = msgspec.json.Decoder(_Email)
_ENCODER = msgspec.json.Encoder()

_PLAIN = frozenset({"locale", "timezone", "library", "active", "protocols", "channel"})
"""Members of the context that hold nothing beyond what the observation says already."""
_SUBTREES = frozenset(
    {"traits", "device", "location", "page", "campaign", "app", "network", "os", "screen", "referrer", "geo"}
    | {"externalIds", "clientIds", "client_ids", "personas", "group"}
)
_CONSENT = frozenset(
    {"gpc", "globalPrivacyControl", "global_privacy_control", "sec_gpc", "us_privacy", "usPrivacy", "usprivacy"}
    | {"gpp", "gpp_sid", "gppSid", "gpp_string", "gppString", "consent", "consentManagement", "consent_management"}
    | {"data_processing_options", "data_processing_options_country", "data_processing_options_state"}
    | {"dataProcessingOptions", "gdpr", "gdprApplies", "gdpr_applies", "gdpr_consent", "gdprConsent", "addtl_consent"}
    | {"tcf", "tcString", "tc_string", "tcfString", "tcf_string", "tcf_consent", "tcfConsent", "consentString"}
    | {"IABTCF_TCString", "IABTCF_gdprApplies", "IABUSPrivacy_String", "IABGPP_HDR_GppString", "IABGPP_GppSID"}
)
_COARSE = 48
"""Bytes of a location that has room for a country and a region only: a precise one is not kept."""
_LONGEST_PAGE = 1_024
"""Bytes of a page that is remembered."""
_EMPTY = frozenset({b"", b"null", b"{}", b"[]", b'""'})


class Found:
    """What the subtrees of one event hold, gathered in one pass."""

    __slots__ = ("agent", "consent", "device_id", "email", "host", "ip", "located", "odd", "parts", "path", "query")

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.consent: dict[str, Any] = {}
        self.located = geo.NOWHERE
        self.host: str | None = None
        self.path: str | None = None
        self.query = ""
        self.email: str | None = None
        self.device_id: str | None = None
        self.ip: Any = None
        self.agent: Any = None
        self.odd: dict[str, msgspec.Raw] = {}

    def gather(self, event: Event, context: Mapping[str, msgspec.Raw]) -> None:
        if event.properties:
            self.add_with_email("properties", event.properties)
        if event.traits:
            self.add_with_email("traits", event.traits)
        for key, raw in context.items():
            read = _READERS.get(key, _odd)
            if read is not None:
                read(self, key, raw)
        if self.odd:
            self.parts.append(Part("context", _ENCODER.encode(self.odd), Media.JSON))

    def subjects(self, event: Event) -> tuple[tuple[str, str], ...]:
        found: list[tuple[str, str]] = []
        if event.user_id is not None and (user := reading.identifier(event.user_id)):
            found.append(("user_id", user))
        if event.anonymous_id is not None and (visitor := reading.identifier(event.anonymous_id)):
            found.append(("anonymous_id", visitor))
        if self.device_id:
            found.append(("device_id", self.device_id))
        if self.email:
            found.append(("email", self.email))
        return tuple(found)

    def add(self, path: str, raw: msgspec.Raw) -> bytes:
        data = bytes(raw)
        if data not in _EMPTY:
            self.parts.append(Part(path, data, Media.JSON))
        return data

    def add_with_email(self, path: str, raw: msgspec.Raw) -> None:
        if b'"email"' in self.add(path, raw):
            holder = tolerated(_EMAIL, raw)
            self.email = (reading.email(holder.email) if holder else None) or self.email


def _odd(found: Found, key: str, raw: msgspec.Raw) -> None:
    found.odd[key] = raw


def _consent(found: Found, key: str, raw: msgspec.Raw) -> None:
    found.consent[f"context.{key}"] = value_of(raw)


def _subtree(found: Found, key: str, raw: msgspec.Raw) -> None:
    found.add(f"context.{key}", raw)


def _traits(found: Found, _: str, raw: msgspec.Raw) -> None:
    found.add_with_email("context.traits", raw)


def _ip(found: Found, _: str, raw: msgspec.Raw) -> None:
    found.ip = value_of(raw)


def _agent(found: Found, key: str, raw: msgspec.Raw) -> None:
    agent = reading.text(value_of(raw))
    # The spelling of the specification counts before the one of flattened rows.
    if agent is not None and (found.agent is None or key == "userAgent"):
        found.agent = agent


def _page(found: Found, _: str, raw: msgspec.Raw) -> None:
    data = found.add("context.page", raw)
    page = _page_of(data) if len(data) <= _LONGEST_PAGE else _page_of.__wrapped__(data)
    if page is not None:
        found.host, found.path, found.query = page


@lru_cache(maxsize=8_192)
def _page_of(data: bytes) -> tuple[str | None, str | None, str] | None:
    """Give host, path and query of a page: visitors come to the same few."""
    page = tolerated(_PAGE, data)
    if page is None:
        return None
    url = reading.split_url(page.url) if type(page.url) is str else None
    host, query = (reading.host(url[1]), url[3]) if url else (None, "")
    query = query or (reading.text(page.search) or "").removeprefix("?")
    return host, reading.text(page.path) or ((url[2] or "/") if url else None), query


def _device(found: Found, _: str, raw: msgspec.Raw) -> None:
    found.add("context.device", raw)
    device = tolerated(_DEVICE, raw)
    if device is not None:
        found.device_id = reading.identifier(device.id) or reading.identifier(device.advertising_id)
        if device.tracking is not None:
            found.consent["context.device.adTrackingEnabled"] = device.tracking


def _location(found: Found, _: str, raw: msgspec.Raw) -> None:
    data = found.add("context.location", raw)
    found.located = _place(data) if len(data) <= _COARSE else _place.__wrapped__(data)


@lru_cache(maxsize=4_096)
def _place(data: bytes) -> geo.Located:
    place = tolerated(_LOCATION, data)
    return geo.NOWHERE if place is None else geo.located(place.country, place.region, "event-location")


_READERS: Mapping[str, Callable[[Found, str, msgspec.Raw], None] | None] = {
    **dict.fromkeys(_PLAIN),
    **dict.fromkeys(_CONSENT, _consent),
    **dict.fromkeys(_SUBTREES, _subtree),
    "traits": _traits,
    "page": _page,
    "device": _device,
    "location": _location,
    "ip": _ip,
    "userAgent": _agent,
    "user_agent": _agent,
}
"""What is read out of a member of the context: None for members that hold nothing beyond what is known, `_odd` for unknown ones."""


def tolerated(decoder: Any, raw: bytes | msgspec.Raw) -> Any:
    """Decode; None when the value has another shape."""
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError:
        return None
