"""What all request logs share: from the members that a format has to an observation of one request."""

from typing import Any
from urllib.parse import urlencode

import msgspec

from topics.adapters import geo, reading
from topics.adapters.moments import milliseconds
from topics.observation import AdapterOptions, Destination, Kind, Observation, Part, Via

SIGNALS = ("sec-gpc", "dnt")
"""Headers of which at least one must have been logged before the absence of signals means anything."""


class Logged(msgspec.Struct, kw_only=True):
    """One request in a log, its values as the log has them. Absent members stay None."""

    at: Any = None
    record_id: Any = None
    route: Any = None
    service: Any = None
    method: Any = None
    host: Any = None
    url: Any = None
    """Absolute URL; its parts stand in for those that are not told apart."""
    uri: Any = None
    """Path with query."""
    path: Any = None
    query: Any = None
    query_map: Any = None
    """Parameters by name, where the query as sent is not kept."""
    status: Any = None
    peer: Any = None
    forwarded: Any = None
    """X-Forwarded-For, where it stands outside of the headers."""
    user_agent: Any = None
    referer: Any = None
    cookies: Any = None
    user: Any = None
    """Identifier of the person who is signed in."""
    headers: reading.Headers | None = None
    whole: bool = False
    """All headers are logged, or those that speak of consent: the absence of a signal then is one."""
    located: geo.Located = geo.NOWHERE
    """Where the log itself says that the person is; the geo headers of the edge come first."""
    destinations: tuple[Destination, ...] = ()
    body: tuple[Part, ...] = ()
    region: str | None = None


def observe(log: Logged, item: int, source: str, options: AdapterOptions) -> Observation:
    """Give the observation of one request in a log."""
    seen = log.headers or {}
    url = reading.split_url(log.url) if type(log.url) is str else None
    path, query = _path_and_query(log, url)
    referer = reading.text(log.referer)
    forwarded = reading.text(log.forwarded) or (reading.joined(seen, "x-forwarded-for") if seen else None)
    cookies = reading.text(log.cookies) or reading.joined(seen, "cookie", "; ")
    known = reading.visitor_ids(cookies)
    user = reading.identifier(log.user)
    if user:
        known["user_id"] = user
    located = geo.from_headers(seen) if seen else geo.NOWHERE
    if located.country is None:
        located = log.located
    return Observation(
        item=item,
        kind=Kind.REQUEST,
        source=source,
        service=options.service or reading.text(log.service) or "",
        at_ms=milliseconds(log.at),
        record_id=reading.text(log.record_id),
        name=reading.text(log.route),
        method=reading.text(log.method),
        host=reading.host(reading.text(log.host) or reading.first(seen, "host"))
        or (reading.host(url[1]) if url else None),
        path=path,
        status=reading.whole(log.status) or None,
        page_host=(reading.url_host(referer) if referer else None) or reading.page_host(seen),
        client_ip=reading.client_address(log.peer, forwarded, options.trusted_proxies),
        user_agent=reading.text(log.user_agent) or reading.first(seen, "user-agent"),
        headers=log.headers if seen and (log.whole or any(name in seen for name in SIGNALS)) else None,
        cookies=cookies,
        subjects=reading.ordered(known) if known else (),
        destinations=log.destinations,
        country=located.country,
        subdivision=located.subdivision,
        place_source=located.source,
        region=log.region,
        parts=reading.query_part(query) + log.body,
    )


def _path_and_query(log: Logged, url: tuple[str, str, str, str] | None) -> tuple[str | None, str]:
    uri = reading.text(log.uri)
    path: str | None
    if uri is not None and uri[:1] == "/":
        path, _, query = uri.partition("?")
    else:
        path, query = reading.text(log.path) or ((url[2] or "/") if url else None), ""
    query = query or (reading.text(log.query) or "").removeprefix("?") or (url[3] if url else "")
    if not query and type(log.query_map) is dict and log.query_map:
        query = urlencode(
            {key: "" if value is True or value is None else value for key, value in log.query_map.items()},
            doseq=True,
            errors="replace",
        )
    return path, query


def passed_on(name: Any, address: Any, name_path: str, address_path: str) -> tuple[Destination, ...]:
    """Give the upstream: by its host name where there is one, else by its address; none where there is neither."""
    found = reading.address(address)
    host = reading.host_name(reading.text(name))
    if host:
        return (Destination(host, Via.UPSTREAM, name_path, found),)
    return (Destination(found, Via.UPSTREAM, address_path, found),) if found else ()
