"""AWS WAF's log: one JSON object for each request that it looked at, with all headers.

Source: AWS, "Log fields for web ACL traffic". It tells the firewall's decision and not the application's answer; there is no body and no upstream.
"""

from typing import Any

import msgspec

from topics.adapters import envelopes, geo, reading
from topics.adapters.opening import Group, read_message
from topics.adapters.requests import Logged, observe
from topics.adapters.tolerant import Tolerant
from topics.observation import AdapterOptions, Observation, Reading
from topics.record import RawRecord, Reason, Rejected

_REGION = "awswaf:clientip:geo:region:"
_REDACTED = "REDACTED"


class _Pair(msgspec.Struct):
    name: Any = None
    value: Any = None


class _Request(msgspec.Struct):
    client: Any = msgspec.field(default=None, name="clientIp")
    country: Any = None
    headers: list[_Pair] | None = None
    uri: Any = None
    args: Any = None
    method: Any = msgspec.field(default=None, name="httpMethod")
    host: Any = None
    id: Any = msgspec.field(default=None, name="requestId")


class _Record(msgspec.Struct):
    timestamp: Any = None
    request: _Request | None = msgspec.field(default=None, name="httpRequest")
    labels: list[_Pair] | None = None


_RECORD = Tolerant(_Record)


class Waf:
    """Reads the firewall's log, also inside of CloudWatch's and Firehose's envelopes."""

    name = "aws-waf"

    def __init__(self, options: AdapterOptions) -> None:
        self._options = options

    def read(self, record: RawRecord) -> Reading:
        """Read one record. Never raises."""
        return read_message(record.value, self._one)

    def _one(self, data: bytes, item: int) -> Observation | Rejected | Group:
        return envelopes.opened(data, self._request) or self._request(data, item)

    def _request(self, data: bytes, item: int) -> Observation | Rejected:
        record = _RECORD.decode(data)
        request = record.request
        if request is None:
            return Rejected(Reason.SHAPE)
        headers = _headers(request.headers)
        labels = [each.name for each in record.labels or () if type(each.name) is str]
        region = next((each.removeprefix(_REGION) for each in labels if each.startswith(_REGION)), None)
        log = Logged(
            at=record.timestamp,
            record_id=request.id,
            method=request.method,
            host=request.host,
            path=_shown(request.uri),
            query=_shown(request.args),
            peer=request.client,
            headers=headers,
            whole=True,
            located=geo.located(request.country, region, "gateway-geo"),
        )
        return observe(log, item, self.name, self._options)


def _shown(value: Any) -> Any:
    """Leave out what the firewall was told to redact."""
    return None if value == _REDACTED else value


def _headers(pairs: list[_Pair] | None) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for pair in pairs or ():
        name, value = reading.text(pair.name), reading.text(pair.value)
        if name and value and value != _REDACTED:
            key = name.lower()
            found[key] = (*found.get(key, ()), value)
    return found
