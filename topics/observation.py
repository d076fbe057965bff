"""What a source told us, unexamined: the last type that may hold personal data.

An observation is never logged, stored, pickled or put in an error text.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

import msgspec

from topics.record import RawRecord, Rejected


class Media(StrEnum):
    """How the bytes of a part are written."""

    JSON = "json"
    FORM = "form"
    """application/x-www-form-urlencoded, and query strings."""
    TEXT = "text"
    """Anything else: searched as text."""


class Part(msgspec.Struct, frozen=True, gc=False):
    """Undecoded bytes that a person's data may be in. Decoded only when a gate demands it."""

    path: str
    """Where it stands in the record, in the format's own words: `properties`, `context.traits`, `request.body`, `query`."""
    data: bytes
    media: Media
    truncated: bool = False
    """The source cut it short: failing to parse it then proves nothing."""


class Via(StrEnum):
    """How we know of a destination, strongest first. This is the proof that a disclosure happened."""

    REQUEST = "request"
    """The record is a request to that host (HAR, egress gateway, client span)."""
    UPSTREAM = "upstream"
    """A gateway passed the request on to it."""
    INTEGRATION = "integration"
    """The event names it as a destination that gets the event."""
    STAGE = "stage"
    """The configuration declares that this topic is delivered to it."""


class Destination(msgspec.Struct, frozen=True, gc=False):
    """Somebody who was sent the data, as the source names them."""

    name: str
    """Host name in lower case without port, or the name of an integration."""
    via: Via
    path: str = ""
    """The field that named it, as proof: `request.url`, `integrations.Facebook Pixel`."""
    address: str | None = None
    """IP address without port where the source has one."""


class Kind(StrEnum):
    """What sort of record it was."""

    EVENT = "event"
    REQUEST = "request"


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """One event or one request, in the words that all formats share.

    Absent is None or empty, never "-" or "". Header names are lower case.
    """

    item: int
    """Index in the message: a batch holds many. Part of a finding's identity."""
    kind: Kind
    source: str
    """Name of the adapter that read it."""
    service: str = ""
    """Own service or site that the record speaks of, for responders; from the record or the source's configuration."""
    at_ms: int | None = None
    """Time of the event as the source tells it, milliseconds since the epoch. None: use the broker's."""
    record_id: str | None = None
    """The source's own id of the record."""
    name: str | None = None
    """Event name (`Order Completed`, or the type for events without one), or the route template of a gateway."""
    method: str | None = None
    host: str | None = None
    """Host that was called (requests) or whose page was shown (events); lower case, without default port."""
    path: str | None = None
    """Path as sent, without the query."""
    status: int | None = None
    page_host: str | None = None
    """Host of the page that made the request or event, where known."""
    client_ip: str | None = None
    user_agent: str | None = None
    headers: Mapping[str, tuple[str, ...]] | None = None
    """Request headers. None means that the format does not carry them, so the absence of a signal proves nothing."""
    cookies: str | None = None
    """The Cookie header as sent. None: no cookie, or not seen."""
    subjects: tuple[tuple[str, str], ...] = ()
    """Identifiers of the person as (kind, value), most stable first. Kinds: user_id, anonymous_id, device_id, email."""
    destinations: tuple[Destination, ...] = ()
    """Who else gets the data. Empty: nobody that the record names."""
    excluded_destinations: tuple[str, ...] = ()
    """Destinations that the event itself switched off (`integrations: {X: false}`)."""
    country: str | None = None
    """ISO 3166-1 alpha-2 country of the person as told by the record's own declared fields or the gateway's geo headers."""
    subdivision: str | None = None
    """ISO 3166-2 code of the person (`US-CA`)."""
    place_source: str | None = None
    """What told the country: `gateway-geo`, `event-location`, `declared-address`."""
    consent: Mapping[str, Any] = msgspec.field(default_factory=dict)
    """Consent objects in the event itself, by path (`context.gpc`, `context.us_privacy`, `context.consent`), decoded."""
    region: str | None = None
    """Cloud region or zone that answered, in the provider's spelling (`us-east-1`), where the record tells it."""
    parts: tuple[Part, ...] = ()
    """What may hold personal data: body, query, event properties and traits."""


class Glance(msgspec.Struct, frozen=True, gc=False):
    """The few typed fields of a record that tell whether it can concern anybody but the shop itself.

    Reading the record whole would give one observation that says the same. Texts are as the record has them.
    """

    at_ms: int | None
    name: str | None
    method: str | None
    path: str
    """Path as sent, with the query."""
    host: str = ""
    """Host that was called; empty for events, whose page's host is nobody's recipient."""
    upstream: str = ""
    """Host or address that the request was passed on to; empty: to none."""
    subjects: tuple[tuple[str, str], ...] = ()
    """Identifiers that the record names together; empty where they are fewer than two."""


Reading = list[Observation | Rejected]
"""Exactly one entry for each item of the message, in order; one Rejected for a message that could not be opened."""


class AdapterOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the configuration may say about a source. An adapter ignores what it has no use for."""

    service: str = ""
    trusted_proxies: int = 0
    """How many proxies of ours append to X-Forwarded-For; the client address is counted from the right."""
    fields: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Field map for formats without a fixed one (nginx): our name -> the log's key."""
    body: str | None = None
    """Dotted path of the request body where the user adds it (Kong's custom fields)."""
    recipients: tuple[str, ...] = ()
    """Recipients that everything on this topic is delivered to, by pipeline."""


class Adapter(Protocol):
    """Turns the bytes of one source format into observations."""

    name: str

    def read(self, record: RawRecord) -> Reading:
        """Read one record. Never raises, whatever the bytes; drops nothing silently."""
        ...


@runtime_checkable
class Glancing(Adapter, Protocol):
    """An adapter that can tell at a glance what a plain record is about, at a fraction of the cost of reading it."""

    def glance(self, value: bytes) -> Glance | None:
        """Look at one record: UTF-8, within the budget of bytes. None: it has to be read whole. Never raises."""
        ...
