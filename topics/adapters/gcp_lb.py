"""Google Cloud's load balancer log: log entries with `httpRequest`, plain or in Pub/Sub's envelope.

Source: Google Cloud, "LogEntry" and "HTTP(S) Load Balancing logging". It carries the referrer and the user agent, and no other header, no cookies and
no body.
"""

from typing import Any

import msgspec

from topics.adapters import envelopes, reading
from topics.adapters.opening import Group, read_message
from topics.adapters.requests import Logged, observe, passed_on
from topics.adapters.tolerant import Tolerant
from topics.observation import AdapterOptions, Observation, Reading
from topics.record import RawRecord, Reason, Rejected


class _Request(msgspec.Struct):
    method: Any = msgspec.field(default=None, name="requestMethod")
    url: Any = msgspec.field(default=None, name="requestUrl")
    status: Any = None
    client: Any = msgspec.field(default=None, name="remoteIp")
    server: Any = msgspec.field(default=None, name="serverIp")
    agent: Any = msgspec.field(default=None, name="userAgent")
    referer: Any = None


class _Payload(msgspec.Struct):
    client: Any = msgspec.field(default=None, name="remoteIp")


class _Resource(msgspec.Struct):
    labels: dict[str, Any] | None = None


class _Entry(msgspec.Struct):
    timestamp: Any = None
    trace: Any = None
    id: Any = msgspec.field(default=None, name="insertId")
    request: _Request | None = msgspec.field(default=None, name="httpRequest")
    payload: _Payload | None = msgspec.field(default=None, name="jsonPayload")
    resource: _Resource | None = None


_ENTRY = Tolerant(_Entry)


class GcpLoadBalancer:
    """Reads the load balancer's log entries."""

    name = "gcp-lb"

    def __init__(self, options: AdapterOptions) -> None:
        self._options = options

    def read(self, record: RawRecord) -> Reading:
        """Read one record. Never raises."""
        return read_message(record.value, self._one)

    def _one(self, data: bytes, item: int) -> Observation | Rejected | Group:
        return envelopes.opened(data, self._entry) or self._entry(data, item)

    def _entry(self, data: bytes, item: int) -> Observation | Rejected:
        entry = _ENTRY.decode(data)
        request = entry.request
        if request is None:
            return Rejected(Reason.SHAPE)
        labels = (entry.resource.labels if entry.resource else None) or {}
        log = Logged(
            at=entry.timestamp,
            record_id=reading.text(entry.id) or entry.trace,
            route=reading.text(labels.get("backend_service_name")) or labels.get("url_map_name"),
            method=request.method,
            url=request.url,
            status=request.status,
            peer=request.client if request.client is not None else entry.payload.client if entry.payload else None,
            user_agent=request.agent,
            referer=request.referer,
            destinations=passed_on(None, request.server, "httpRequest.serverIp", "httpRequest.serverIp"),
            region=reading.text(labels.get("zone")),
        )
        return observe(log, item, self.name, self._options)
