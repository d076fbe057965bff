"""HTTP spans as OTLP/JSON: server spans are requests to a service of the shop's, client spans are requests that it sent.

Source: OpenTelemetry, "Semantic conventions for HTTP spans" (stable and older names) and the OTLP specification. Headers are in a span only
where the instrumentation was told to capture them; bodies never.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from topics.adapters import reading
from topics.adapters.opening import Group, read_message
from topics.adapters.requests import Logged, observe
from topics.adapters.tolerant import OBJECT, Tolerant, value_of
from topics.observation import AdapterOptions, Destination, Observation, Reading, Via
from topics.record import RawRecord, Reason, Rejected

_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_HTTP = (b'"http.request.method"', b'"http.method"')
_SERVER = frozenset({2, "2", "SPAN_KIND_SERVER"})
_CLIENT = frozenset({3, "3", "SPAN_KIND_CLIENT"})
_HEADER = "http.request.header."


class _Attribute(msgspec.Struct):
    key: Any = None
    value: msgspec.Raw = msgspec.Raw()


class _Span(msgspec.Struct):
    trace_id: Any = msgspec.field(default=None, name="traceId")
    span_id: Any = msgspec.field(default=None, name="spanId")
    kind: Any = None
    start: Any = msgspec.field(default=None, name="startTimeUnixNano")
    attributes: list[_Attribute] | None = None


class _Resource(msgspec.Struct):
    attributes: list[_Attribute] | None = None


class _OfResource(msgspec.Struct):
    resource: _Resource | None = None


_SPAN = Tolerant(_Span)
_OF_RESOURCE = Tolerant(_OfResource)


class OtlpSpans:
    """Reads HTTP spans: exports (`resourceSpans`), one resource's spans, or a single span. Other spans are no requests, and no items."""

    name = "otlp-spans"

    def __init__(self, options: AdapterOptions) -> None:
        self._options = options

    def read(self, record: RawRecord) -> Reading:
        """Read one record. Never raises."""
        return read_message(record.value, self._one)

    def _one(self, data: bytes, item: int) -> Observation | Rejected | Group:
        members = OBJECT.decode(data)
        for name in ("resourceSpans", "resource_spans"):
            if name in members:
                return Group(_LIST.decode(members[name]), self._of_resource)
        if "scopeSpans" in members or "scope_spans" in members:
            return self._of_resource(data, item)
        return self._span(data, item, None)

    def _of_resource(self, data: bytes, _: int) -> Observation | Rejected | Group:
        members = OBJECT.decode(data)
        resource = _OF_RESOURCE.decode(data).resource
        service = _attributes(resource.attributes if resource else None).get("service.name")
        spans: list[msgspec.Raw] = []
        for name in ("scopeSpans", "scope_spans", "instrumentationLibrarySpans"):
            for scope in _LIST.decode(members[name]) if name in members else ():
                inside = OBJECT.decode(scope)
                if "spans" in inside:
                    spans += [each for each in _LIST.decode(inside["spans"]) if _speaks_http(bytes(each))]
        return Group(spans, lambda part, at: self._span(part, at, service))

    def _span(self, data: bytes, item: int, service: Any) -> Observation | Rejected:
        span = _SPAN.decode(data)
        found = _attributes(span.attributes)
        method = _first(found, "http.request.method", "http.method")
        kind = span.kind if type(span.kind) in (int, str) else None
        if method is None or (kind not in _SERVER and kind not in _CLIENT):
            return Rejected(Reason.SHAPE)
        headers = _headers(found)
        log = Logged(
            at=span.start,
            record_id=span.span_id,
            service=service,
            route=found.get("http.route"),
            method=found.get("http.request.method_original") or method,
            url=_first(found, "url.full", "http.url"),
            path=found.get("url.path"),
            query=found.get("url.query"),
            status=_first(found, "http.response.status_code", "http.status_code"),
            user_agent=_first(found, "user_agent.original", "http.user_agent"),
            user=_first(found, "user.id", "enduser.id"),
            headers=headers or None,
        )
        if kind in _SERVER:
            log.host = _first(found, "http.host", "server.address", "net.host.name")
            log.uri = found.get("http.target")
            log.peer = _first(found, "client.address", "http.client_ip", "network.peer.address", "net.sock.peer.addr")
        else:
            log.uri = found.get("http.target")
            log.destinations = _called(found)
            log.host = log.destinations[0].name if log.destinations else None
        return observe(log, item, self.name, self._options)


def _speaks_http(span: bytes) -> bool:
    return any(name in span for name in _HTTP)


def _attributes(pairs: list[_Attribute] | None) -> dict[str, Any]:
    return {pair.key: _plain(value_of(pair.value)) for pair in pairs or () if type(pair.key) is str and pair.value}


def _plain(value: Any) -> Any:
    """Give the value of one of OTLP's `AnyValue` objects; integers are texts there."""
    if type(value) is not dict:
        return None
    array = value.get("arrayValue")
    if type(array) is dict and type(array.get("values")) is list:
        return [_plain(each) if type(each) is dict and "arrayValue" not in each else None for each in array["values"]]
    return next((value[name] for name in ("stringValue", "intValue", "doubleValue") if name in value), None)


def _first(found: Mapping[str, Any], *names: str) -> str | None:
    return next((text for name in names if (text := reading.text(found.get(name))) is not None), None)


def _headers(found: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    # Older instrumentations write names with underscores.
    named = {key[len(_HEADER) :].replace("_", "-"): value for key, value in found.items() if key.startswith(_HEADER)}
    return reading.header_map(named)


def _called(found: Mapping[str, Any]) -> tuple[Destination, ...]:
    address = reading.address(_first(found, "network.peer.address", "net.sock.peer.addr", "net.peer.ip"))
    for name in ("server.address", "net.peer.name", "http.host"):
        host = reading.host_name(_first(found, name))
        if host:
            return (Destination(host, Via.REQUEST, f"attributes.{name}", address),)
    for name in ("url.full", "http.url"):
        text = _first(found, name)
        url = reading.split_url(text) if text else None
        host = reading.host_name(url[1]) if url else None
        if host:
            return (Destination(host, Via.REQUEST, f"attributes.{name}", address),)
    return (Destination(address, Via.REQUEST, "attributes.network.peer.address", address),) if address else ()
