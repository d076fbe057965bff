"""Snowplow's tracker payloads before the enrichment: `{"schema", "data": [{"e": ...}]}`, one such event, or a record of the request.

Source: Snowplow, "Tracker protocol". A payload as such carries no headers; the collector's own are in the record only where a request is recorded.
"""

from collections.abc import Mapping
from urllib.parse import unquote_plus

import msgspec

from topics.adapters import geo, reading
from topics.adapters.conversions import Carrier, carrier, members_of, page_of, staged
from topics.adapters.moments import milliseconds
from topics.adapters.opening import Group, read_message
from topics.adapters.snowplow import Described, decoded
from topics.adapters.tolerant import OBJECT, value_of
from topics.observation import AdapterOptions, Kind, Media, Observation, Part, Reading
from topics.record import RawRecord, Reason, Rejected

_EVENTS = msgspec.json.Decoder(list[msgspec.Raw])
_NAMES = {
    "pv": "page_view",
    "pp": "page_ping",
    "se": "struct",
    "ue": "unstruct",
    "tr": "transaction",
    "ti": "transaction_item",
}
_DESCRIBED = (("unstruct_event", "ue_pr", "ue_px"), ("contexts", "co", "cx"))
_KNOWN = frozenset(
    {
        "e",
        "eid",
        "uid",
        "duid",
        "nuid",
        "tnuid",
        "ip",
        "ua",
        "url",
        "dtm",
        "stm",
        "ttm",
        "p",
        "aid",
        "tv",
        "tna",
        "co",
        "cx",
        "ue_pr",
        "ue_px",
    }
    | {"res", "vp", "ds", "cd", "cs", "cookie", "tz", "lang", "vid", "f_pdf", "f_java"}
)
"""Keys that are read into the observation, and technical ones that say nothing of a person."""


class SnowplowRaw:
    """Reads what trackers send to the collector."""

    name = "snowplow-raw"

    def __init__(self, options: AdapterOptions) -> None:
        self._service = options.service
        self._recipients = options.recipients

    def read(self, record: RawRecord) -> Reading:
        """Read one record. Never raises."""
        return read_message(record.value, self._one)

    def _one(self, data: bytes, item: int) -> Observation | Rejected | Group:
        members = OBJECT.decode(data)
        # An event has a `url` too: that of its page.
        request = carrier(members) if "e" not in members else None
        if request is not None:
            if request.body[:1] != b"{":
                return self._event(_pairs(request.query), item, request)
            members = OBJECT.decode(request.body)
        if "data" in members and "e" not in members:
            events = _EVENTS.decode(members["data"])
            return Group(events, lambda part, at: self._event(_texts(OBJECT.decode(part)), at, request))
        return self._event(_texts(members), item, request)

    def _event(self, event: Mapping[str, str], item: int, request: Carrier | None) -> Observation | Rejected:
        if "e" not in event or ("p" not in event and "tv" not in event and "eid" not in event):
            return Rejected(Reason.SHAPE)
        found = Described()
        for path, plain, coded in _DESCRIBED:
            data = event[plain].encode("utf-8", "replace") if plain in event else decoded(event.get(coded, ""))
            if data:
                found.add(path, data)
        rest = {name: text for name, text in event.items() if name not in _KNOWN}
        parts = [*found.parts]
        if rest:
            parts.append(Part("event", msgspec.json.encode(rest), Media.JSON))
        page = page_of(event.get("url"))
        held = members_of(request.members.get("headers")) if request else {}
        headers = reading.header_map({name: value_of(raw) for name, raw in held.items()}) or None
        place = geo.from_headers(headers or {})
        known = {
            "user_id": reading.identifier(event.get("uid")),
            "anonymous_id": reading.identifier(event.get("duid"))
            or reading.identifier(event.get("tnuid"))
            or reading.identifier(event.get("nuid")),
        }
        moments = (event.get(name) for name in ("ttm", "dtm", "stm"))
        kind = event["e"]
        return Observation(
            item=item,
            kind=Kind.EVENT,
            source=self.name,
            service=self._service or reading.text(event.get("aid")) or "",
            at_ms=next((at for each in moments if (at := milliseconds(each)) is not None), None),
            record_id=reading.text(event.get("eid")),
            name=found.event or reading.text(event.get("se_ac")) or _NAMES.get(kind) or reading.text(kind),
            host=page.host,
            path=page.path,
            page_host=page.host,
            client_ip=reading.address(event.get("ip")),
            user_agent=reading.text(event.get("ua")) or reading.first(headers or {}, "user-agent"),
            headers=headers,
            cookies=reading.joined(headers or {}, "cookie", "; "),
            subjects=reading.ordered({each: value for each, value in known.items() if value}),
            destinations=staged(self._recipients),
            country=place.country,
            subdivision=place.subdivision,
            place_source=place.source,
            consent=found.consent,
            parts=(*reading.query_part(page.query), *parts),
        )


def _texts(members: Mapping[str, msgspec.Raw]) -> dict[str, str]:
    return {name: text for name, raw in members.items() if (text := reading.text(value_of(raw))) is not None}


def _pairs(query: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in query.split("&", 512)[:512]:
        key, _, text = pair.partition("=")
        if text:
            found.setdefault(key, unquote_plus(text))
    return found
