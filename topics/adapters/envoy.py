"""Envoy's and Istio's access log as JSON objects. The keys are the user's choice; these are Istio's and the common ones.

Source: Envoy, "Access logging"; Istio, "Envoy Access Logs". The spelling of keys varies (`-`, `_`, a leading `:`) and is normalised first.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from topics.adapters import geo, reading
from topics.adapters.moments import milliseconds
from topics.adapters.opening import read_message
from topics.adapters.requests import SIGNALS, Logged, observe, passed_on
from topics.adapters.tolerant import ABSENT, OBJECT, Absent, value_of
from topics.observation import AdapterOptions, Destination, Glance, Observation, Reading, Via
from topics.record import RawRecord, Reason, Rejected

DEFAULT_FIELDS: Mapping[str, tuple[str, ...]] = {
    "time": ("start_time", "timestamp"),
    "client_ip": ("downstream_remote_address", "downstream_direct_remote_address"),
    "forwarded_for": ("x_forwarded_for",),
    "method": ("method", "x_envoy_original_method", "request_method"),
    "host": ("authority", "host", "request_authority"),
    "uri": ("path", "x_envoy_original_path", "x_envoy_origin_path", "request_path"),
    "status": ("response_code", "status"),
    "user_agent": ("user_agent",),
    "referer": ("referer",),
    "cookie": ("cookie",),
    "user": ("user_id",),
    "request_id": ("request_id", "x_request_id"),
    "upstream": ("upstream_host",),
    "cluster": ("upstream_cluster",),
    "sni": ("requested_server_name",),
    "route": ("route_name",),
}
"""Our name -> the log's keys, normalised, in order of preference. `AdapterOptions.fields` puts its own key in their place."""

_MARKS = frozenset({"authority", "path", "response_code", "upstream_cluster", "upstream_host", "start_time", "method"})
_HEADERS = {name.replace("-", "_"): name for name in (*SIGNALS, "origin", "referer", *sorted(geo.HEADERS))}
_PASSED_THROUGH = frozenset({"PassthroughCluster", "InboundPassthroughCluster"})
_DIRECTIONS = frozenset({"outbound", "inbound"})
_REFUSED = "BlackHoleCluster"
_WRAPPED = "_._."
"""What Istio's gateways write before the name that they were asked for: `outbound_.443_._.api.vendor.example`."""


class _Seen(msgspec.Struct, gc=False):
    """The few members that a glance needs, by their usual keys and strictly typed: any other record is read whole."""

    path: str
    authority: str
    start_time: Any
    upstream_cluster: str
    method: str | None = None
    route_name: str | None = None
    cookie: str | None = None
    user_id: str | None = None
    # Other spellings may not be there: whoever writes so is read whole.
    other_cluster: Absent = msgspec.field(default=ABSENT, name="upstream-cluster")
    other_authority: Absent = msgspec.field(default=ABSENT, name=":authority")
    other_path: Absent = msgspec.field(default=ABSENT, name=":path")
    other_route: Absent = msgspec.field(default=ABSENT, name="route-name")
    other_user: Absent = msgspec.field(default=ABSENT, name="user-id")
    other_cookie: Absent = msgspec.field(default=ABSENT, name="Cookie")


_SEEN = msgspec.json.Decoder(_Seen).decode


class Envoy:
    """Reads JSON access logs with a field map."""

    name = "envoy"

    def __init__(self, options: AdapterOptions) -> None:
        self._options = options
        self._keys = {
            ours: (_normal(options.fields[ours]),) if ours in options.fields else theirs
            for ours, theirs in DEFAULT_FIELDS.items()
        }
        self._is_usual = not options.fields
        self._marks = _MARKS | {_normal(key) for key in options.fields.values()}

    def read(self, record: RawRecord) -> Reading:
        """Read one record. Never raises."""
        return read_message(record.value, self._one)

    def glance(self, value: bytes) -> Glance | None:
        """Look at one record. Never raises."""
        if not self._is_usual:
            return None
        try:
            seen = _SEEN(value)
        except (msgspec.MsgspecError, RecursionError):
            return None
        direction, bar, rest = seen.upstream_cluster.partition("|")
        upstream = rest.rpartition("|")[2] if direction == "outbound" else ""
        at_ms = milliseconds(seen.start_time)
        if not bar or direction not in _DIRECTIONS or (direction == "outbound" and not upstream):
            return None
        if at_ms is None or seen.path[:1] != "/" or seen.authority in reading.ABSENT:
            return None
        cookies, name = seen.cookie, seen.route_name
        user = reading.identifier(seen.user_id)
        return Glance(
            at_ms,
            None if name == "-" else name,
            seen.method,
            seen.path,
            seen.authority,
            upstream,
            reading.persons_together(cookies, user),
        )

    def _one(self, data: bytes, item: int) -> Observation | Rejected:
        members = {_normal(key): raw for key, raw in OBJECT.decode(data).items()}
        if self._marks.isdisjoint(members):
            return Rejected(Reason.SHAPE)
        log = {ours: found for ours, keys in self._keys.items() if (found := _value(members, keys)) is not None}
        named = {name: value_of(members[key]) for key, name in _HEADERS.items() if key in members}
        logged = Logged(
            at=log.get("time"),
            record_id=log.get("request_id"),
            route=log.get("route"),
            method=log.get("method"),
            host=log.get("host"),
            uri=log.get("uri"),
            status=log.get("status"),
            peer=log.get("client_ip"),
            forwarded=log.get("forwarded_for"),
            user_agent=log.get("user_agent"),
            referer=log.get("referer"),
            cookies=log.get("cookie"),
            user=log.get("user"),
            headers=reading.header_map(named) or None,
            # A key with "-" says that the header is logged and was not sent.
            whole=any(name in named for name in SIGNALS),
            destinations=_destinations(log),
        )
        return observe(logged, item, self.name, self._options)


@lru_cache(maxsize=1_024)
def _normal(key: str) -> str:
    return key.lower().lstrip(":").replace("-", "_")


def _value(members: Mapping[str, msgspec.Raw], keys: tuple[str, ...]) -> str | None:
    for key in keys:
        raw = members.get(key)
        if raw:
            found = reading.text(value_of(raw))
            if found is not None:
                return found
    return None


def _destinations(log: Mapping[str, str]) -> tuple[Destination, ...]:
    """Give the upstream: `outbound|443||api.vendor.example` names it; behind Istio's passthrough the server name or the host does."""
    cluster, address = log.get("cluster", ""), log.get("upstream")
    if cluster == _REFUSED or (address is None and not cluster):
        return ()
    if cluster in _PASSED_THROUGH:
        return _egress(log, address) if cluster == "PassthroughCluster" else ()
    direction, bar, name = cluster.partition("|")
    if bar:
        if direction == "inbound":
            # The sidecar of the service itself: nothing went on to anybody else.
            return ()
        name = name.rpartition("|")[2]
    else:
        name = cluster if "." in cluster else ""
    if not name and _WRAPPED in log.get("sni", ""):
        return _egress(log, address)
    return passed_on(name, address, "upstream_cluster", "upstream_host") or _egress(log, address)


def _egress(log: Mapping[str, str], address: Any) -> tuple[Destination, ...]:
    for ours, path in (("sni", "requested_server_name"), ("host", "authority")):
        host = reading.host_name(log[ours].rpartition(_WRAPPED)[2]) if ours in log else None
        if host:
            return (Destination(host, Via.UPSTREAM, path, reading.address(address)),)
    return passed_on(None, address, "upstream_host", "upstream_host")
