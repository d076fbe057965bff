"""Events for Meta's Conversions API: one event, the body `{"data": [...]}`, or a record of the request that carried it.

Source: Meta for Developers, Conversions API, "Server Event Parameters" and "Customer Information Parameters". The formats carry no headers.
"""

from typing import Any

import msgspec

from topics.adapters import reading
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
    value,
)
from topics.adapters.moments import milliseconds
from topics.adapters.opening import Group, read_message
from topics.adapters.tolerant import OBJECT, value_of
from topics.observation import AdapterOptions, Kind, Observation, Reading
from topics.record import RawRecord, Reason, Rejected

_HOST = "graph.facebook.com"
_HOSTS = (".facebook.com",)
_EVENTS = msgspec.json.Decoder(list[msgspec.Raw])
_LIMITED = ("data_processing_options", "data_processing_options_country", "data_processing_options_state")
_APART = ("user_data", "custom_data")
_KNOWN = frozenset({*_LIMITED, "event_name", "event_time", "event_id", "event_source_url", "action_source", "opt_out"})


class MetaConversions:
    """Reads what a shop's servers send to Meta about its visitors."""

    name = "meta-conversions"

    def __init__(self, options: AdapterOptions) -> None:
        self._service = options.service
        self._recipients = options.recipients

    def read(self, record: RawRecord) -> Reading:
        """Read one record. Never raises."""
        return read_message(record.value, self._one)

    def _one(self, data: bytes, item: int) -> Observation | Rejected | Group:
        members = OBJECT.decode(data)
        request = carrier(members)
        if request is not None and request.body[:1] == b"{":
            members = OBJECT.decode(request.body)
        if "data" not in members or "event_name" in members:
            return self._event(members, item, {}, request)
        shared = {name: members[name] for name in _LIMITED if name in members}
        # Some senders write the list as JSON inside of a string, as a form would.
        events = members["data"]
        inner = value_of(events) if bytes(events)[:1] == b'"' else None
        listed = _EVENTS.decode(inner.encode("utf-8", "replace") if type(inner) is str else events)
        return Group(listed, lambda part, at: self._event(OBJECT.decode(part), at, shared, request))

    def _event(self, members: Members, item: int, shared: Members, request: Carrier | None) -> Observation | Rejected:
        name = reading.text(value(members, "event_name"))
        user = members.get("user_data")
        if name is None and user is None:
            return Rejected(Reason.SHAPE)
        found = _decoded(user)
        page = page_of(value(members, "event_source_url"))
        place = declared(found.get("country"), found.get("st"))
        limits = {**shared, **members}
        return Observation(
            item=item,
            kind=Kind.EVENT,
            source=self.name,
            service=self._service,
            at_ms=milliseconds(value(members, "event_time")),
            record_id=reading.text(value(members, "event_id")),
            name=name,
            host=page.host,
            path=page.path,
            page_host=page.host,
            client_ip=reading.address(found.get("client_ip_address")),
            user_agent=reading.text(found.get("client_user_agent")),
            subjects=person(
                found, user_id=("external_id",), anonymous_id=("fbp", "anon_id"), device_id=("madid",), email=("em",)
            ),
            destinations=receivers(_HOST, _HOSTS, request, self._recipients, proof="user_data"),
            country=place.country,
            subdivision=place.subdivision,
            place_source=place.source,
            consent={each: value_of(limits[each]) for each in _LIMITED if each in limits},
            parts=(*reading.query_part(page.query), *parts_of(members, _APART, _KNOWN)),
        )


def _decoded(raw: msgspec.Raw | None) -> dict[str, Any]:
    return {name: one(value_of(each)) for name, each in members_of(raw).items()}
