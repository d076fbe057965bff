"""Apache APISIX's kafka-logger and http-logger: one object for each request (APISIX, `apisix/utils/log-util.lua`).

A configured `log_format` replaces the whole record: such logs are read by the nginx adapter with a field map. `meta_format: origin`, which sends
the raw HTTP text, is not read.
"""

from typing import Any

import msgspec

from topics.adapters import reading
from topics.adapters.opening import read_message
from topics.adapters.requests import Logged, observe, passed_on
from topics.adapters.tolerant import Tolerant, value_of
from topics.observation import AdapterOptions, Observation, Reading
from topics.record import RawRecord, Reason, Rejected


class _Request(msgspec.Struct):
    method: Any = None
    uri: Any = None
    url: Any = None
    headers: dict[str, Any] | None = None
    querystring: msgspec.Raw = msgspec.Raw()
    body: msgspec.Raw = msgspec.Raw()


class _Response(msgspec.Struct):
    status: Any = None


class _Consumer(msgspec.Struct):
    username: Any = None


class _Record(msgspec.Struct):
    client_ip: Any = None
    start_time: Any = None
    request: _Request | None = None
    response: _Response | None = None
    route_id: Any = None
    service_id: Any = None
    upstream: Any = None
    consumer: _Consumer | None = None


_RECORD = Tolerant(_Record)


class Apisix:
    """Reads APISIX's log records: an object, an array of them (a batch), or objects glued together."""

    name = "apisix"

    def __init__(self, options: AdapterOptions) -> None:
        self._options = options

    def read(self, record: RawRecord) -> Reading:
        """Read one record. Never raises."""
        return read_message(record.value, self._one)

    def _one(self, data: bytes, item: int) -> Observation | Rejected:
        log = _RECORD.decode(data)
        request = log.request
        if request is None:
            return Rejected(Reason.SHAPE)
        headers = reading.header_map(request.headers) if request.headers else {}
        # One entry for each try: the last one answered.
        upstream = (reading.text(log.upstream) or "").rpartition(",")[2].strip()
        address = reading.address(upstream)
        # Without `include_req_body` there is none, and with a condition only on some requests: its absence proves nothing.
        body = reading.body_of(request.body, "request.body", headers)
        named = Logged(
            at=log.start_time,
            route=reading.text(log.route_id) or log.service_id,
            method=request.method,
            uri=request.uri,
            url=request.url,
            query_map=value_of(request.querystring) if request.uri is None and request.querystring else None,
            status=log.response.status if log.response else None,
            peer=log.client_ip,
            user=log.consumer.username if log.consumer else None,
            headers=headers,
            whole=True,
            destinations=passed_on(None if address else upstream, address, "upstream", "upstream"),
            body=body,
        )
        return observe(named, item, self.name, self._options)
