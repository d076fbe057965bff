"""Events for TikTok's Events API: one event, the body `{"event_source", "event_source_id", "data": [...]}`, or a record of its request.

Source: TikTok API for Business, Events API 2.0, "Report web, app, offline, or CRM events". The formats carry no headers.
"""

import msgspec

from topics.adapters import reading
from topics.adapters.conversions import (
    Carrier,
    Members,
    carrier,
    declared,
    members_of,
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

_HOST = "business-api.tiktok.com"
_HOSTS = (".tiktok.com", ".tiktokglobalshop.com")
_EVENTS = msgspec.json.Decoder(list[msgspec.Raw])
_LIMITED = "limited_data_use"
_APART = ("user", "properties", "lead", "ad", "app")
_KNOWN = frozenset({_LIMITED, "event", "event_time", "event_id", "page"})
_FORM = frozenset({"event_time", "user", "event_id", "properties", "page", _LIMITED})


class TikTokEvents:
    """Reads what a shop's servers send to TikTok about its visitors."""

    name = "tiktok-events"

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
        if "data" not in members or "event" in members:
            return self._event(members, item, {}, request)
        shared = {_LIMITED: members[_LIMITED]} if _LIMITED in members else {}
        listed = _EVENTS.decode(members["data"])
        return Group(listed, lambda part, at: self._event(OBJECT.decode(part), at, shared, request))

    def _event(self, members: Members, item: int, shared: Members, request: Carrier | None) -> Observation | Rejected:
        name = reading.text(value(members, "event"))
        if name is None and "user" not in members:
            return Rejected(Reason.SHAPE)
        if _FORM.isdisjoint(members):
            return Rejected(Reason.SHAPE)
        found = {each: value_of(raw) for each, raw in members_of(members.get("user")).items()}
        page = page_of(value(members_of(members.get("page")), "url"))
        place = declared(found.get("country"), found.get("state"))
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
            client_ip=reading.address(found.get("ip")),
            user_agent=reading.text(found.get("user_agent")),
            subjects=person(
                found,
                user_id=("external_id",),
                anonymous_id=("ttp",),
                device_id=("idfa", "gaid", "idfv"),
                email=("email",),
            ),
            destinations=receivers(_HOST, _HOSTS, request, self._recipients, proof="user"),
            country=place.country,
            subdivision=place.subdivision,
            place_source=place.source,
            consent={_LIMITED: value_of(limits[_LIMITED])} if _LIMITED in limits else {},
            parts=(*reading.query_part(page.query), *parts_of(members, _APART, _KNOWN)),
        )
