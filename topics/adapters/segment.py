"""Events of Segment, RudderStack and Jitsu: single, in a `batch` envelope, in an array, and Jitsu's flattened snake_case rows.

The formats carry no HTTP headers, so a missing signal proves nothing here.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from topics.adapters import geo, integrations, reading
from topics.adapters.opening import Group, read_message
from topics.adapters.tolerant import OBJECT, value_of
from topics.observation import AdapterOptions, Kind, Media, Observation, Part, Reading
from topics.record import RawRecord, Reason, Rejected

_NO = msgspec.Raw()
_NULL = msgspec.Raw(b"null")


class _Event(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
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


class _Batch(msgspec.Struct):
    batch: list[msgspec.Raw]
    context: msgspec.Raw = _NO
    sent_at: msgspec.Raw = msgspec.field(default=_NO, name="sentAt")


_EVENT = msgspec.json.Decoder(_Event)
_BATCH = msgspec.json.Decoder(_Batch)
_PAGE = msgspec.json.Decoder(_Page)
_DEVICE = msgspec.json.Decoder(_Device)
_LOCATION = msgspec.json.Decoder(_Location)
_EMAIL = msgspec.json.Decoder(_Email)
_ENCODER = msgspec.json.Encoder()

_FIELDS = msgspec.structs.fields(_Event)
_LEAVES = frozenset(field.name for field in _FIELDS if field.type is not msgspec.Raw)
_MEMBERS: Mapping[str, str] = {
    # Flattened rows and RudderStack's request_ip spell the same names with underscores.
    **{field.name: field.name for field in _FIELDS},
    **{field.encode_name: field.name for field in _FIELDS},
}
_PLAIN = frozenset({"ip", "userAgent", "user_agent", "locale", "timezone", "library", "active", "protocols", "channel"})
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
_EMPTY = frozenset({b"", b"null", b"{}", b"[]", b'""'})


class Segment:
    """Reads analytics events, each of which is the body that its destinations receive."""

    name = "segment"

    def __init__(self, options: AdapterOptions) -> None:
        self._service = options.service
        self._recipients = options.recipients

    def read(self, record: RawRecord) -> Reading:
        """Read one record. Never raises."""
        return read_message(record.value, self._one)

    def _one(self, data: bytes, item: int) -> Observation | Rejected | Group:
        if b'"batch"' in data:
            group = self._group(data)
            if group is not None:
                return group
        return self._event(data, item, _NO, _NO)

    def _group(self, data: bytes) -> Group | None:
        members = OBJECT.decode(data)
        if "batch" not in members or "type" in members or "event" in members:
            return None
        envelope = _BATCH.decode(data)
        return Group(envelope.batch, lambda part, item: self._event(part, item, envelope.context, envelope.sent_at))

    def _event(
        self, data: bytes, item: int, shared_context: msgspec.Raw, shared_time: msgspec.Raw
    ) -> Observation | Rejected:
        rest: dict[str, msgspec.Raw] = {}
        try:
            event = _EVENT.decode(data)
        except msgspec.ValidationError:
            event = _loosely(data, rest)
        extra = (("name", event.name), ("groupId", event.group_id), ("previousId", event.previous_id))
        rest.update({key: raw for key, raw in extra if raw and raw != _NULL})
        context = _context(event.context, shared_context)
        if not _is_event(event, context):
            return Rejected(Reason.SHAPE)
        found = _Found(event, context)
        sent = integrations.read(event.integrations, self._recipients)
        if sent is None:
            return Rejected(Reason.TOO_MANY_ITEMS, item)
        if rest:
            found.parts.append(Part("event", _ENCODER.encode(rest), Media.JSON))
        path, query = found.page_path()
        located = found.located
        return Observation(
            item=item,
            kind=Kind.EVENT,
            source="segment",
            service=self._service,
            at_ms=_time(event, shared_time),
            record_id=reading.text(event.message_id),
            name=reading.text(event.event) or reading.text(event.type),
            host=found.host,
            path=path,
            page_host=found.host,
            client_ip=reading.address(event.request_ip) or reading.address(found.leaf("ip")),
            user_agent=reading.text(found.leaf("userAgent")) or reading.text(found.leaf("user_agent")),
            subjects=found.subjects(event),
            destinations=sent.destinations,
            excluded_destinations=sent.excluded,
            country=located.country,
            subdivision=located.subdivision,
            place_source=located.source,
            consent=found.consent,
            parts=(*reading.query_part(query), *found.parts),
        )


class _Found:
    """What the subtrees of one event hold, gathered in one pass."""

    def __init__(self, event: _Event, context: Mapping[str, msgspec.Raw]) -> None:
        self._context = context
        self.parts: list[Part] = []
        self.consent: dict[str, Any] = {}
        self.located = geo.NOWHERE
        self.host: str | None = None
        self._page: _Page | None = None
        self._email: str | None = None
        self._device_id: str | None = None
        self._add("properties", event.properties, with_email=True)
        self._add("traits", event.traits, with_email=True)
        odd: dict[str, msgspec.Raw] = {}
        for key, raw in context.items():
            if key in _SUBTREES:
                self._subtree(key, raw)
            elif key in _CONSENT:
                self.consent[f"context.{key}"] = value_of(raw)
            elif key not in _PLAIN:
                odd[key] = raw
        if odd:
            self.parts.append(Part("context", _ENCODER.encode(odd), Media.JSON))

    def leaf(self, name: str) -> Any:
        raw = self._context.get(name)
        return value_of(raw) if raw else None

    def page_path(self) -> tuple[str | None, str]:
        """Give path and raw query of the page that was shown."""
        page = self._page
        if page is None:
            return None, ""
        url = reading.split_url(page.url) if type(page.url) is str else None
        query = (url[3] if url else "") or (reading.text(page.search) or "").removeprefix("?")
        return reading.text(page.path) or ((url[2] or "/") if url else None), query

    def subjects(self, event: _Event) -> tuple[tuple[str, str], ...]:
        known = {
            "user_id": reading.identifier(event.user_id),
            "anonymous_id": reading.identifier(event.anonymous_id),
            "device_id": self._device_id,
            "email": self._email,
        }
        return reading.ordered({kind: value for kind, value in known.items() if value})

    def _add(self, path: str, raw: msgspec.Raw, *, with_email: bool = False) -> None:
        data = bytes(raw)
        if data in _EMPTY:
            return
        self.parts.append(Part(path, data, Media.JSON))
        if with_email and b'"email"' in data:
            holder = _tolerated(_EMAIL, data)
            self._email = reading.email(holder.email) if holder and reading.email(holder.email) else self._email

    def _subtree(self, key: str, raw: msgspec.Raw) -> None:
        self._add(f"context.{key}", raw, with_email=key == "traits")
        if key == "page":
            self._page = _tolerated(_PAGE, raw)
            if self._page and type(self._page.url) is str:
                self.host = reading.url_host(self._page.url)
        elif key == "device":
            device = _tolerated(_DEVICE, raw)
            if device:
                self._device_id = reading.identifier(device.id) or reading.identifier(device.advertising_id)
                if device.tracking is not None:
                    self.consent["context.device.adTrackingEnabled"] = device.tracking
        elif key == "location":
            place = _tolerated(_LOCATION, raw)
            if place:
                self.located = geo.located(place.country, place.region, "event-location")


def _tolerated(decoder: Any, raw: bytes | msgspec.Raw) -> Any:
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError:
        return None


def _loosely(data: bytes, rest: dict[str, msgspec.Raw]) -> _Event:
    """Read an event that has members we do not know, or spells them with underscores; unknown ones are put into `rest`."""
    event = _Event()
    for key, raw in OBJECT.decode(data).items():
        name = _MEMBERS.get(key)
        if name is None:
            rest[key] = raw
        elif name in _LEAVES:
            value = value_of(raw)
            if value is not None:
                setattr(event, name, value)
        else:
            setattr(event, name, raw)
    return event


def _context(own: msgspec.Raw, shared: msgspec.Raw) -> Mapping[str, msgspec.Raw]:
    merged = _tolerated(OBJECT, shared) or {} if shared else {}
    found = _tolerated(OBJECT, own) if own else None
    return {**merged, **found} if merged and found else found or merged


def _is_event(event: _Event, context: Mapping[str, msgspec.Raw]) -> bool:
    named = (event.type, event.event, event.user_id, event.anonymous_id, event.message_id)
    return any(each is not None for each in named) or bool(context) or bool(event.properties) or bool(event.traits)


def _time(event: _Event, shared: msgspec.Raw) -> int | None:
    for each in (event.timestamp, event.original_timestamp, event.sent_at):
        if each is not None:
            found = reading.milliseconds(each)
            if found is not None:
                return found
    sent = reading.milliseconds(value_of(shared)) if shared else None
    return sent if sent is not None else reading.milliseconds(event.received_at)
