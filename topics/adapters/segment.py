"""Events of Segment, RudderStack and Jitsu: single, in a `batch` envelope, in an array, and Jitsu's flattened snake_case rows.

The formats carry no HTTP headers, so a missing signal proves nothing here.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from topics.adapters import integrations, reading
from topics.adapters.moments import milliseconds
from topics.adapters.opening import Group, read_message
from topics.adapters.segment_context import Event, Found, tolerated
from topics.adapters.tolerant import ABSENT, OBJECT, Absent, value_of
from topics.observation import AdapterOptions, Glance, Kind, Media, Observation, Part, Reading
from topics.record import RawRecord, Reason, Rejected

_NO = msgspec.Raw()
_NULL = msgspec.Raw(b"null")


class _Batch(msgspec.Struct):
    batch: list[msgspec.Raw]
    context: msgspec.Raw = _NO
    sent_at: msgspec.Raw = msgspec.field(default=_NO, name="sentAt")


_EVENT = msgspec.json.Decoder(Event)
_BATCH = msgspec.json.Decoder(_Batch)
_ENCODER = msgspec.json.Encoder()

_FIELDS = msgspec.structs.fields(Event)
_LEAVES = frozenset(field.name for field in _FIELDS if field.type is not msgspec.Raw)
_MEMBERS: Mapping[str, str] = {
    # Flattened rows and RudderStack's request_ip spell the same names with underscores.
    **{field.name: field.name for field in _FIELDS},
    **{field.encode_name: field.name for field in _FIELDS},
}


class _SeenPage(msgspec.Struct, frozen=True, gc=False):
    path: str = ""
    url: msgspec.Raw = _NO


_NO_PAGE = _SeenPage()


class _SeenPerson(msgspec.Struct, gc=False):
    email: Any = None


class _SeenContext(msgspec.Struct, gc=False):
    page: _SeenPage = _NO_PAGE
    traits: _SeenPerson | None = None
    device: Absent = ABSENT


class _Seen(msgspec.Struct, gc=False):
    """The few members that a glance needs, strictly typed and spelled as specified: any other event is read whole."""

    type: str
    timestamp: Any
    event: str | None = None
    user_id: Any = msgspec.field(default=None, name="userId")
    anonymous_id: Any = msgspec.field(default=None, name="anonymousId")
    context: _SeenContext | None = None
    properties: _SeenPerson | None = None
    traits: _SeenPerson | None = None
    integrations: msgspec.Raw = _NO
    # These may not be there: an envelope, and flattened rows.
    batch: Absent = ABSENT
    other_user: Absent = msgspec.field(default=ABSENT, name="user_id")
    other_visitor: Absent = msgspec.field(default=ABSENT, name="anonymous_id")


_NO_CONTEXT = _SeenContext()
_SEEN = msgspec.json.Decoder(_Seen).decode
_SENT_NOWHERE = frozenset({b"", b"{}", b"null", b'{"All":true}', b'{"All":false}'})


class Segment:
    """Reads analytics events, each of which is the body that its destinations receive."""

    name = "segment"

    def __init__(self, options: AdapterOptions) -> None:
        self._service = options.service
        self._recipients = options.recipients

    def read(self, record: RawRecord) -> Reading:
        """Read one record. Never raises."""
        return read_message(record.value, self._one)

    def glance(self, value: bytes) -> Glance | None:
        """Look at one record: only events that name nobody can be told. Never raises."""
        if self._recipients:
            return None
        try:
            seen = _SEEN(value)
        except (msgspec.MsgspecError, RecursionError):
            return None
        if bytes(seen.integrations) not in _SENT_NOWHERE:
            return None
        context = seen.context or _NO_CONTEXT
        page, path = context.page, context.page.path
        at_ms = milliseconds(seen.timestamp)
        if at_ms is None or (page.url and path in reading.ABSENT):
            return None
        name = seen.event
        return Glance(
            at_ms,
            name if name and name != "-" else seen.type,
            None,
            "" if path in reading.ABSENT else path,
            subjects=_persons(seen, context.traits),
        )

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
        if event.name or event.group_id or event.previous_id:
            extra = (("name", event.name), ("groupId", event.group_id), ("previousId", event.previous_id))
            rest.update({key: raw for key, raw in extra if raw and raw != _NULL})
        context = _context(event.context, shared_context)
        if not _is_event(event, context):
            return Rejected(Reason.SHAPE)
        found = Found()
        found.gather(event, context)
        sent = integrations.read(event.integrations, self._recipients)
        if sent is None:
            return Rejected(Reason.TOO_MANY_ITEMS, item)
        if rest:
            found.parts.append(Part("event", _ENCODER.encode(rest), Media.JSON))
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
            path=found.path,
            page_host=found.host,
            client_ip=reading.address(event.request_ip) or reading.address(found.ip),
            user_agent=found.agent,
            subjects=found.subjects(event),
            destinations=sent.destinations,
            excluded_destinations=sent.excluded,
            country=located.country,
            subdivision=located.subdivision,
            place_source=located.source,
            consent=found.consent,
            parts=(*reading.query_part(found.query), *found.parts) if found.query else tuple(found.parts),
        )


def _persons(seen: _Seen, traits: _SeenPerson | None) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    if seen.user_id is not None and (user := reading.identifier(seen.user_id)):
        found.append(("user_id", user))
    if seen.anonymous_id is not None and (visitor := reading.identifier(seen.anonymous_id)):
        found.append(("anonymous_id", visitor))
    email = None
    for each in (seen.properties, seen.traits, traits):
        if each is not None and each.email is not None:
            email = reading.email(each.email) or email
    if email is not None:
        found.append(("email", email))
    return tuple(found) if len(found) > 1 else ()


def _loosely(data: bytes, rest: dict[str, msgspec.Raw]) -> Event:
    """Read an event that has members we do not know, or spells them with underscores; unknown ones are put into `rest`."""
    event = Event()
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
    merged = tolerated(OBJECT, shared) or {} if shared else {}
    found = tolerated(OBJECT, own) if own else None
    return {**merged, **found} if merged and found else found or merged


def _is_event(event: Event, context: Mapping[str, msgspec.Raw]) -> bool:
    if event.type is not None or event.event is not None or event.user_id is not None:
        return True
    if event.anonymous_id is not None or event.message_id is not None:
        return True
    return bool(context) or bool(event.properties) or bool(event.traits)


def _time(event: Event, shared: msgspec.Raw) -> int | None:
    for each in (event.timestamp, event.original_timestamp, event.sent_at):
        if each is not None:
            found = milliseconds(each)
            if found is not None:
                return found
    sent = milliseconds(value_of(shared)) if shared else None
    return sent if sent is not None else milliseconds(event.received_at)
