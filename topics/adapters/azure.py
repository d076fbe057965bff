"""Azure's gateways in the records of diagnostic settings: API Management, Application Gateway, Front Door, App Service.

Source: Microsoft Learn, reference of the categories GatewayLogs, ApplicationGatewayAccessLog, FrontDoorAccessLog and AppServiceHTTPLogs. Names are
compared without regard to case, for the products and the log store spell them differently.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from topics.adapters import envelopes, geo, reading
from topics.adapters.opening import Group, read_message
from topics.adapters.requests import Logged, observe, passed_on
from topics.adapters.tolerant import ANY, OBJECT, value_of
from topics.observation import AdapterOptions, Destination, Media, Observation, Part, Reading, Via
from topics.record import RawRecord, Reason, Rejected

_LONGEST_BODY = 8_192
"""Bytes at which API Management cuts bodies."""
_BACKEND = "\x00backend"
"""Marks the second leg of a record that shows two; no log has such a key."""
_ENCODER = msgspec.json.Encoder()
_MARKS = frozenset(
    {
        "method",
        "httpmethod",
        "csmethod",
        "clientip",
        "cip",
        "calleripaddress",
        "requesturi",
        "backendurl",
        "responsecode",
    }
)


class AzureGateway:
    """Reads the gateways' records, in the envelope `records` or alone; one with two legs gives an observation of each."""

    name = "azure-gateway"

    def __init__(self, options: AdapterOptions) -> None:
        self._options = options

    def read(self, record: RawRecord) -> Reading:
        """Read one record. Never raises."""
        return read_message(record.value, self._one)

    def _one(self, data: bytes, item: int) -> Observation | Rejected | Group:
        return envelopes.opened(data, self._record) or self._record(data, item)

    def _record(self, data: bytes, item: int) -> Observation | Rejected | Group:
        members = OBJECT.decode(data)
        if _BACKEND in members:
            return self._backend(_flat(OBJECT.decode(members[_BACKEND])), item)
        found = _flat(members)
        if _MARKS.isdisjoint(found):
            return Rejected(Reason.SHAPE)
        if _get(found, "backendrequestheaders") or _get(found, "backendrequestbody"):
            second = _ENCODER.encode({_BACKEND: msgspec.Raw(data)})
            return Group([msgspec.Raw(data), msgspec.Raw(second)], self._leg)
        return self._caller(found, item)

    def _leg(self, data: bytes, item: int) -> Observation | Rejected:
        members = OBJECT.decode(data)
        if _BACKEND in members:
            return self._backend(_flat(OBJECT.decode(members[_BACKEND])), item)
        return self._caller(_flat(members), item, alone=False)

    def _caller(self, found: Mapping[str, Any], item: int, *, alone: bool = True) -> Observation:
        headers = _headers(_get(found, "requestheaders"))
        uri = reading.text(
            _get(found, "originalrequesturiwithargs") or _get(found, "requesturi") or _get(found, "csuristem")
        )
        absolute = uri if uri and "://" in uri else _get(found, "url")
        log = Logged(
            at=_get(found, "time") or _get(found, "timestamp") or _get(found, "timegenerated"),
            record_id=_get(found, "correlationid") or _get(found, "transactionid") or _get(found, "trackingreference"),
            route=_get(found, "rulename") or _get(found, "operationid") or _get(found, "apiid"),
            service=_get(found, "apiid"),
            method=_get(found, "httpmethod") or _get(found, "method") or _get(found, "csmethod"),
            host=_get(found, "originalhost") or _get(found, "host") or _get(found, "hostname") or _get(found, "cshost"),
            url=absolute,
            uri=None if uri and "://" in uri else uri,
            query=_get(found, "requestquery") or _get(found, "csuriquery"),
            status=_get(found, "httpstatus")
            or _get(found, "httpstatuscode")
            or _get(found, "responsecode")
            or _get(found, "scstatus"),
            peer=_get(found, "clientip") or _get(found, "cip") or _get(found, "calleripaddress"),
            user_agent=_get(found, "useragent"),
            referer=_get(found, "referer") or _get(found, "referrer"),
            cookies=_get(found, "cookie"),
            user=_get(found, "userid") or _get(found, "csusername") or _get(found, "apimsubscriptionid"),
            headers=headers or None,
            located=geo.located(_get(found, "clientcountry"), None, "gateway-geo"),
            destinations=_upstream(found) if alone else (),
            body=_body(found, "requestbody", headers),
            region=reading.text(_get(found, "location")),
        )
        return observe(log, item, self.name, self._options)

    def _backend(self, found: Mapping[str, Any], item: int) -> Observation | Rejected:
        """Read what the gateway sent on: the person's address is not in that request."""
        headers = _headers(_get(found, "backendrequestheaders"))
        log = Logged(
            at=_get(found, "time") or _get(found, "timestamp") or _get(found, "timegenerated"),
            record_id=_get(found, "correlationid"),
            route=_get(found, "operationid") or _get(found, "apiid"),
            service=_get(found, "apiid"),
            method=_get(found, "backendmethod") or _get(found, "method"),
            url=_get(found, "backendurl"),
            status=_get(found, "backendresponsecode"),
            user=_get(found, "userid"),
            headers=headers or None,
            destinations=_upstream(found),
            body=_body(found, "backendrequestbody", headers),
        )
        return observe(log, item, self.name, self._options)


def _flat(members: Mapping[str, msgspec.Raw]) -> dict[str, Any]:
    """Give the members of the envelope and of its `properties`, which may be JSON inside of a string, by folded names."""
    found: dict[str, Any] = {}
    inner: Any = None
    for name, raw in members.items():
        if name.lower() == "properties":
            inner = value_of(raw)
        else:
            found[name.lower()] = value_of(raw)
    if type(inner) is str:
        inner = _json(inner)
    if type(inner) is dict:
        found.update({name.lower(): value for name, value in inner.items()})
    return found


def _get(found: Mapping[str, Any], name: str) -> Any:
    value = found.get(name)
    return None if type(value) is str and value in reading.ABSENT else value


def _json(text: str) -> Any:
    try:
        return ANY.decode(text.encode("utf-8", "replace"))
    except (msgspec.DecodeError, RecursionError):
        return None


def _headers(value: Any) -> dict[str, tuple[str, ...]]:
    if type(value) is str:
        value = _json(value)
    return reading.header_map(value) if type(value) is dict else {}


def _body(found: Mapping[str, Any], name: str, headers: reading.Headers) -> tuple[Part, ...]:
    value = _get(found, name)
    if value is None:
        return ()
    if type(value) is not str:
        return (Part(f"properties.{name}", _ENCODER.encode(value), Media.JSON),)
    data = value.encode("utf-8", "replace")
    part = reading.body_part(f"properties.{name}", data, reading.first(headers, "content-type"))
    return (msgspec.structs.replace(part, truncated=len(data) >= _LONGEST_BODY),)


def _upstream(found: Mapping[str, Any]) -> tuple[Destination, ...]:
    for name in ("backendurl", "originurl"):
        text = reading.text(_get(found, name))
        host = reading.url_host(text) if text else None
        if host:
            address = reading.address(_get(found, "originip"))
            return (Destination(reading.host_name(host) or host, Via.UPSTREAM, f"properties.{name}", address),)
    for name in ("serverrouted", "originip"):
        passed = passed_on(None, _get(found, name), f"properties.{name}", f"properties.{name}")
        if passed:
            return passed
    return ()
