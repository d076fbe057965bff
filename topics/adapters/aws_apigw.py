"""Amazon API Gateway's access log: JSON objects of `$context` variables under keys of the user's choice.

The default keys are those of the samples in AWS's documentation ("Set up CloudWatch logging for REST APIs", "Customize HTTP API access logs").
The log carries no headers, cookies or body.
"""

from collections.abc import Mapping

from topics.adapters import envelopes, fields
from topics.adapters.aws import moment, region_of_host
from topics.adapters.opening import Group, read_message
from topics.adapters.requests import Logged, observe
from topics.adapters.tolerant import OBJECT
from topics.observation import AdapterOptions, Observation, Reading
from topics.record import RawRecord, Reason, Rejected

DEFAULT_FIELDS: Mapping[str, tuple[str, ...]] = {
    "time": ("requestTimeEpoch", "requestTime"),
    "client_ip": ("ip", "sourceIp", "identity.sourceIp"),
    "forwarded_for": ("xForwardedFor",),
    "method": ("httpMethod", "method"),
    "host": ("domainName", "host"),
    "path": ("path", "rawPath"),
    "query": ("query", "queryString", "rawQueryString"),
    "status": ("status",),
    "user_agent": ("userAgent", "identity.userAgent"),
    "user": ("sub", "principalId", "user", "caller"),
    "request_id": ("requestId", "extendedRequestId"),
    "route": ("resourcePath", "routeKey"),
}
"""Our name -> the log's keys, in order of preference. `AdapterOptions.fields` puts its own key in their place."""


class ApiGatewayAccess:
    """Reads access logs with a field map, also inside of CloudWatch's and Firehose's envelopes."""

    name = "aws-apigw-access"

    def __init__(self, options: AdapterOptions) -> None:
        self._options = options
        self._keys = fields.mapped(DEFAULT_FIELDS, options.fields)
        # "status", "user" and "path" alone would take in any log.
        telling = ("method", "client_ip", "route", "time", "request_id")
        self._known = frozenset(key for ours in telling for key in self._keys[ours])

    def read(self, record: RawRecord) -> Reading:
        """Read one record. Never raises."""
        return read_message(record.value, self._one)

    def _one(self, data: bytes, item: int) -> Observation | Rejected | Group:
        return envelopes.opened(data, self._request) or self._request(data, item)

    def _request(self, data: bytes, item: int) -> Observation | Rejected:
        members = OBJECT.decode(data)
        if self._known.isdisjoint(members):
            return Rejected(Reason.SHAPE)
        log = fields.values(members, self._keys)
        # `resourcePath` and `routeKey` are templates, never the path that was called.
        named = Logged(
            at=moment(log.get("time")),
            record_id=log.get("request_id"),
            route=log.get("route"),
            method=log.get("method"),
            host=log.get("host"),
            path=log.get("path"),
            query=log.get("query"),
            status=log.get("status"),
            peer=log.get("client_ip"),
            forwarded=log.get("forwarded_for"),
            user_agent=log.get("user_agent"),
            user=log.get("user"),
            region=region_of_host(log.get("host")),
        )
        return observe(named, item, self.name, self._options)
