"""HAR 1.2: what a browser recorded, as a whole file in one value or as one entry for each record.

An entry is a request that the browser made to a host, which is the strongest proof of a disclosure that there is.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec

from topics.adapters import geo, reading
from topics.adapters.moments import milliseconds
from topics.adapters.opening import Group, read_message
from topics.adapters.tolerant import Tolerant
from topics.observation import AdapterOptions, Destination, Kind, Observation, Part, Reading, Via
from topics.record import RawRecord, Reason, Rejected

MAX_HAR_BYTES = 512 * 1024 * 1024
MAX_ENTRIES = 200_000

_SENT_BY = frozenset({"http", "https", "ws", "wss"})


class _Pair(msgspec.Struct):
    name: Any = None
    value: Any = None


class _PostData(msgspec.Struct):
    mime_type: Any = msgspec.field(default=None, name="mimeType")
    text: Any = None
    params: list[_Pair] | None = None


class _Request(msgspec.Struct):
    method: Any = None
    url: Any = None
    headers: list[_Pair] | None = None
    cookies: list[_Pair] | None = None
    query: list[_Pair] | None = msgspec.field(default=None, name="queryString")
    post_data: _PostData | None = msgspec.field(default=None, name="postData")


class _Response(msgspec.Struct):
    status: Any = None
    error: Any = msgspec.field(default=None, name="_error")


class _Entry(msgspec.Struct):
    started: Any = msgspec.field(default=None, name="startedDateTime")
    page: Any = msgspec.field(default=None, name="pageref")
    request: _Request | None = None
    response: _Response | None = None
    server: Any = msgspec.field(default=None, name="serverIPAddress")
    from_cache: Any = msgspec.field(default=None, name="_fromCache")


class _Page(msgspec.Struct):
    id: Any = None
    title: Any = None
    url: Any = msgspec.field(default=None, name="_url")


class _Log(msgspec.Struct):
    entries: list[msgspec.Raw]
    pages: list[_Page] | None = None


class _File(msgspec.Struct):
    log: _Log


_ENTRY = Tolerant(_Entry)
_FILE = Tolerant(_File)


class Har:
    """Reads HAR files and single HAR entries."""

    name = "har"

    def __init__(self, options: AdapterOptions) -> None:
        self._service = options.service

    def read(self, record: RawRecord) -> Reading:
        """Read one record. Never raises."""
        return read_message(record.value, self._one, max_bytes=MAX_HAR_BYTES, max_items=MAX_ENTRIES)

    def _one(self, data: bytes, item: int) -> Observation | Rejected | Group:
        if b'"entries"' in data:
            group = self._group(data)
            if group is not None:
                return group
        return self._entry(data, item, {})

    def _group(self, data: bytes) -> Group | None:
        try:
            log = _FILE.decode(data).log
        except (msgspec.ValidationError, TypeError):
            # A single entry may have the word in a body; without `log` and `entries` it is no file.
            return None
        pages: dict[str, str] = {}
        for page in log.pages or ():
            for place in (page.url, page.title):
                host = reading.url_host(place) if type(place) is str else None
                if host and type(page.id) is str:
                    pages.setdefault(page.id, host)
        return Group(log.entries, lambda part, item: self._entry(part, item, pages))

    def _entry(self, data: bytes, item: int, pages: Mapping[str, str]) -> Observation | Rejected:
        entry = _ENTRY.decode(data)
        request = entry.request
        if request is None or type(request.url) is not str:
            return Rejected(Reason.SHAPE)
        url = reading.split_url(request.url)
        host = reading.host(url[1]) if url and url[0] in _SENT_BY else None
        headers = _headers(request.headers)
        seen = headers or {}
        cookies = reading.joined(seen, "cookie", "; ") or _cookies(request.cookies)
        page_host = (pages.get(entry.page) if type(entry.page) is str else None) or reading.page_host(seen)
        located = geo.from_headers(seen)
        query = (url[3] if url else "") or _form(request.query)
        return Observation(
            item=item,
            kind=Kind.REQUEST,
            source="har",
            service=self._service or page_host or "",
            at_ms=milliseconds(entry.started),
            method=reading.text(request.method),
            host=host,
            path=(url[2] or "/") if url and host else None,
            status=(reading.whole(entry.response.status) or None) if entry.response else None,
            page_host=page_host,
            user_agent=reading.first(seen, "user-agent"),
            headers=headers,
            cookies=cookies,
            subjects=reading.ordered(reading.visitor_ids(cookies)),
            destinations=_destinations(entry, host),
            country=located.country,
            subdivision=located.subdivision,
            place_source=located.source,
            parts=reading.query_part(query) + _body(request.post_data, seen),
        )


def _destinations(entry: _Entry, host: str | None) -> tuple[Destination, ...]:
    name = reading.host_name(host)
    if name is None or _not_sent(entry):
        return ()
    return (Destination(name, Via.REQUEST, "request.url", reading.address(entry.server)),)


def _not_sent(entry: _Entry) -> bool:
    """Tell whether the browser answered from its cache, or an extension stopped the request: nothing left it then."""
    if entry.from_cache:
        return True
    error = entry.response.error if entry.response else None
    return type(error) is str and "ERR_BLOCKED" in error


def _headers(pairs: list[_Pair] | None) -> dict[str, tuple[str, ...]] | None:
    """Give the headers; None when there are none, for every request has some and a recording without them has lost them."""
    found: dict[str, tuple[str, ...]] = {}
    for pair in pairs or ():
        name, value = reading.text(pair.name), reading.text(pair.value)
        if name and value and not name.startswith(":"):
            key = name.lower()
            found[key] = (*found.get(key, ()), value)
    return found or None


def _cookies(pairs: list[_Pair] | None) -> str | None:
    found = [f"{name}={reading.text(pair.value) or ''}" for pair in pairs or () if (name := reading.text(pair.name))]
    return "; ".join(found) or None


def _form(pairs: list[_Pair] | None) -> str:
    named = [(name, reading.text(pair.value) or "") for pair in pairs or () if (name := reading.text(pair.name))]
    return urlencode(named, errors="replace")


def _body(post: _PostData | None, headers: reading.Headers) -> tuple[Part, ...]:
    if post is None:
        return ()
    text = reading.text(post.text)
    if text is not None:
        media = reading.text(post.mime_type) or reading.first(headers, "content-type")
        length = None if "content-encoding" in headers else reading.first(headers, "content-length")
        return (reading.body_part("request.postData", text.encode("utf-8", "replace"), media, length),)
    form = _form(post.params)
    if not form:
        return ()
    return (reading.body_part("request.postData", form.encode(), "application/x-www-form-urlencoded"),)
