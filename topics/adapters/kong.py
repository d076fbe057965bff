"""Kong's http-log, file-log and kafka-log: one object for each request (Kong, `kong/pdk/log.lua`).

Every key is optional, because custom fields can replace or remove each of them. Bodies are there only when the user adds them.
"""

from typing import Any
from urllib.parse import urlencode

import msgspec

from topics.adapters import geo, reading
from topics.adapters.moments import milliseconds
from topics.adapters.opening import read_message
from topics.adapters.tolerant import ABSENT, OBJECT, Absent, Tolerant, value_of
from topics.observation import AdapterOptions, Destination, Glance, Kind, Observation, Part, Reading, Via
from topics.record import RawRecord, Reason, Rejected

_DEFAULT_BODY = "request.body"
_CREDENTIALS = ("authorization", "proxy-authorization")
_MASKED = ("REDACTED",)


class _Request(msgspec.Struct):
    method: Any = None
    uri: Any = None
    url: Any = None
    id: Any = None
    headers: dict[str, Any] | None = None
    querystring: msgspec.Raw = msgspec.Raw()
    body: msgspec.Raw = msgspec.Raw()


class _Response(msgspec.Struct):
    status: Any = None


class _Latencies(msgspec.Struct):
    proxy: Any = None


class _Try(msgspec.Struct):
    ip: Any = None


class _Named(msgspec.Struct):
    id: Any = None
    name: Any = None
    host: Any = None


class _Consumer(msgspec.Struct):
    custom_id: Any = None
    username: Any = None


class _Record(msgspec.Struct):
    client_ip: Any = None
    started_at: Any = None
    request: _Request | None = None
    response: _Response | None = None
    latencies: _Latencies | None = None
    tries: list[_Try] | None = None
    service: _Named | None = None
    route: _Named | None = None
    consumer: _Consumer | None = None


_RECORD = Tolerant(_Record)
_NO_REQUEST = _Request()


class _SeenHeaders(msgspec.Struct, gc=False):
    host: str = ""
    cookie: str | None = None
    # Kong writes names in lower case. These may not be there: whoever writes so is read whole.
    capital_host: Absent = msgspec.field(default=ABSENT, name="Host")
    capital_cookie: Absent = msgspec.field(default=ABSENT, name="Cookie")


class _SeenRequest(msgspec.Struct, gc=False):
    headers: _SeenHeaders
    uri: str
    method: str | None = None


class _SeenService(msgspec.Struct, gc=False):
    host: str


class _SeenRoute(msgspec.Struct, gc=False):
    name: str | None = None
    id: str | None = None


class _SeenConsumer(msgspec.Struct, gc=False):
    custom_id: str | None = None
    username: str | None = None


class _Seen(msgspec.Struct, gc=False):
    """The few members that a glance needs, strictly typed: any other record is read whole."""

    request: _SeenRequest
    service: _SeenService
    started_at: int
    route: _SeenRoute | None = None
    consumer: _SeenConsumer | None = None


_SEEN = msgspec.json.Decoder(_Seen).decode


class Kong:
    """Reads Kong's log records: an object, an array of them, or objects glued together."""

    name = "kong"

    def __init__(self, options: AdapterOptions) -> None:
        self._service = options.service
        self._trusted = options.trusted_proxies
        body = options.body or _DEFAULT_BODY
        self._body_name = body
        self._body_path = None if body == _DEFAULT_BODY else tuple(body.split("."))

    def read(self, record: RawRecord) -> Reading:
        """Read one record. Never raises."""
        return read_message(record.value, self._one)

    def glance(self, value: bytes) -> Glance | None:
        """Look at one record. Never raises."""
        try:
            seen = _SEEN(value)
        except (msgspec.MsgspecError, RecursionError):
            return None
        request = seen.request
        headers, uri = request.headers, request.uri
        # Without the name of the service the address that was tried says who got it.
        if uri[:1] != "/" or not seen.service.host:
            return None
        route, consumer = seen.route, seen.consumer
        user = None
        if consumer is not None:
            user = reading.identifier(consumer.custom_id) or reading.identifier(consumer.username)
        return Glance(
            milliseconds(seen.started_at),
            (route.name or route.id) if route is not None else None,
            request.method,
            uri,
            headers.host,
            seen.service.host,
            reading.persons_together(headers.cookie, user),
        )

    def _one(self, data: bytes, item: int) -> Observation | Rejected:
        log = _RECORD.decode(data)
        request = log.request
        if request is None:
            if log.client_ip is None and log.started_at is None and log.response is None:
                return Rejected(Reason.SHAPE)
            request = _NO_REQUEST
        headers = reading.header_map(request.headers) if request.headers else None
        seen = headers or {}
        for name in _CREDENTIALS:
            # Kong masks these itself: the mask says nothing about the credential.
            if name in seen and seen[name] == _MASKED:
                del seen[name]
        cookies = reading.joined(seen, "cookie", "; ")
        located = geo.from_headers(seen)
        host = reading.host(reading.first(seen, "host"))
        # The URL repeats what the two usual members say, so it is taken apart only in their absence.
        spare = (host is None or request.uri is None) and type(request.url) is str
        url = reading.split_url(request.url) if spare else None
        path, query = _path_and_query(request, url)
        forwarded = reading.joined(seen, "x-forwarded-for") if self._trusted else None
        return Observation(
            item=item,
            kind=Kind.REQUEST,
            source="kong",
            service=self._service or (reading.text(log.service.name) if log.service else None) or "",
            at_ms=milliseconds(log.started_at),
            record_id=reading.text(request.id),
            name=(reading.text(log.route.name) or reading.text(log.route.id)) if log.route else None,
            method=reading.text(request.method),
            host=host or (reading.host(url[1]) if url else None),
            path=path,
            status=reading.whole(log.response.status) if log.response else None,
            page_host=reading.page_host(seen),
            client_ip=reading.client_address(log.client_ip, forwarded, self._trusted),
            user_agent=reading.first(seen, "user-agent"),
            headers=headers,
            cookies=cookies,
            subjects=_subjects(log.consumer, cookies),
            destinations=_destinations(log),
            country=located.country,
            subdivision=located.subdivision,
            place_source=located.source,
            parts=reading.query_part(query) + self._body(data, request, seen),
        )

    def _body(self, data: bytes, request: _Request, headers: reading.Headers) -> tuple[Part, ...]:
        raw = request.body
        if self._body_path is not None:
            raw = msgspec.Raw(data)
            for step in self._body_path:
                try:
                    raw = OBJECT.decode(raw).get(step, msgspec.Raw())
                except msgspec.ValidationError:
                    return ()
                if not raw:
                    return ()
        return reading.body_of(raw, self._body_name, headers)


def _path_and_query(request: _Request, url: tuple[str, str, str, str] | None) -> tuple[str | None, str]:
    uri = reading.text(request.uri)
    if uri is not None:
        path, _, query = uri.partition("?")
        return path, query
    query = url[3] if url else ""
    if not query and request.querystring:
        pairs = value_of(request.querystring)
        if type(pairs) is dict:
            query = urlencode({key: "" if value is True else value for key, value in pairs.items()}, doseq=True)
    return (url[2] or "/") if url else None, query


def _destinations(log: _Record) -> tuple[Destination, ...]:
    tried = log.tries[-1] if log.tries else None
    if tried is None and (log.tries is not None or (log.latencies is not None and log.latencies.proxy == -1)):
        # Kong answered by itself: nothing was passed on.
        return ()
    address = reading.address(tried.ip) if tried else None
    host = reading.host_name(reading.text(log.service.host)) if log.service else None
    if host:
        return (Destination(host, Via.UPSTREAM, "service.host", address),)
    return (Destination(address, Via.UPSTREAM, "tries.ip", address),) if address else ()


def _subjects(consumer: _Consumer | None, cookies: str | None) -> tuple[tuple[str, str], ...]:
    known = reading.visitor_ids(cookies)
    if consumer is not None:
        user = reading.identifier(consumer.custom_id) or reading.identifier(consumer.username)
        if user:
            known["user_id"] = user
    return reading.ordered(known) if known else ()
