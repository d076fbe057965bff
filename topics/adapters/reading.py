"""How all formats spell the same things: absent values, addresses, hosts, URLs, header maps, bodies."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

import msgspec

from topics.observation import Media, Part
from topics.subject import KINDS

ABSENT = frozenset({"", "-"})
"""Texts that mean "no value" in logs. A missing key and null mean the same."""

Headers = Mapping[str, tuple[str, ...]]
"""Names in lower case, values in the order in which they came."""

_NULL = msgspec.Raw(b"null")
_TEXT = msgspec.json.Decoder(str)

_ADDRESS = re.compile(r"[0-9A-Fa-f.:]{2,45}(?:%[0-9A-Za-z]{1,16})?")
_HOST = re.compile(r"\[[0-9a-f:.%]{2,64}\](?::[0-9]{1,5})?|[^\s:/?#@\[\]\\\x00-\x1f\x7f]{1,253}(?::[0-9]{1,5})?")
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^?#]*)(?:\?([^#]*))?")
_VISITOR = re.compile(r"(?:^|;)\s*(ajs_user_id|visitor_id|ajs_anonymous_id)=([^;]*)")
_USER_COOKIE = "ajs_user_id"
_VISITOR_KINDS = {"ajs_user_id": "user_id", "visitor_id": "anonymous_id", "ajs_anonymous_id": "anonymous_id"}
_NOBODY = frozenset({"null", "undefined", "none", "nan", "00000000-0000-0000-0000-000000000000"})
_NOBODY_LENGTHS = frozenset(map(len, _NOBODY))
_DEFAULT_PORTS = ("80", "443")
_LONGEST_CACHED = 2_048
_LONGEST_HOST = 512


def text(value: Any) -> str | None:
    """Give a scalar as text; None for what is absent, and for lists and objects."""
    if type(value) is str:
        return None if value in ABSENT else value
    if type(value) is int or type(value) is float:
        return str(value)
    return None


def whole(value: Any) -> int | None:
    """Give a count or a status, also from text; None when it is neither."""
    if type(value) is int:
        return value
    if type(value) is str and value.isascii() and value.isdigit() and len(value) <= 18:
        return int(value)
    return None


def identifier(value: Any) -> str | None:
    """Give a person's identifier; None for words by which clients say that they know none."""
    if type(value) is not str:
        return text(value)
    found = value.strip()
    if not found or found == "-" or (len(found) in _NOBODY_LENGTHS and found.lower() in _NOBODY):
        return None
    return found


def email(value: Any) -> str | None:
    """Give an email address trimmed and in lower case; None when the value is none."""
    if type(value) is not str or "@" not in value or len(value) > 320:
        return None
    return value.strip().lower()


def address(value: Any) -> str | None:
    """Give the IP address of `ip`, `ip:port`, `[v6]` or `[v6]:port`; None for anything else."""
    return _address(value) if type(value) is str and len(value) <= 64 else None


@lru_cache(maxsize=16_384)
def _address(value: str) -> str | None:
    found = value.strip()
    if found[:1] == "[":
        found = found[1:].partition("]")[0]
    elif found.count(":") == 1:
        found = found.partition(":")[0]
    return found if _ADDRESS.fullmatch(found) and (":" in found or found.count(".") == 3) else None


def client_address(peer: Any, forwarded: str | None, trusted_proxies: int) -> str | None:
    """Give the client's address: the peer, or behind proxies of ours the entry that the outermost of them appended.

    X-Forwarded-For is counted from the right, because the client itself writes its left. Fewer entries than proxies mean that the request came
    round them, so the peer stands.
    """
    if trusted_proxies > 0 and forwarded:
        hops = forwarded.rsplit(",", trusted_proxies)
        if len(hops) >= trusted_proxies:
            return address(hops[-trusted_proxies])
    return address(peer)


def host(value: str | None) -> str | None:
    """Give a host in lower case without default port and final dot; None when it cannot be a host."""
    return _host(value) if value is not None and len(value) <= _LONGEST_HOST else None


@lru_cache(maxsize=4_096)
def _host(value: str) -> str | None:
    name, port = _split_port(value.strip().lower())
    if not _HOST.fullmatch(name) or name in ABSENT:
        return None
    return f"{name}:{port}" if port and port not in _DEFAULT_PORTS else name


def host_name(value: str | None) -> str | None:
    """Give a host in lower case without any port."""
    found = host(value)
    return _split_port(found)[0] if found else None


def _split_port(value: str) -> tuple[str, str]:
    name, colon, port = value.rpartition(":")
    if not colon or not (port.isascii() and port.isdigit()) or (":" in name and not name.endswith("]")):
        name, port = value, ""
    return name.removesuffix("."), port


def split_url(value: str) -> tuple[str, str, str, str] | None:
    """Give scheme, authority without user information, path and raw query of an absolute URL; None when it is none."""
    found = _URL.match(value)
    if found is None:
        return None
    scheme, authority, path, query = found.groups()
    return scheme.lower(), authority.rpartition("@")[2], path, query or ""


def header_map(raw: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Give headers with names in lower case and all repeats; absent values are left out."""
    headers: dict[str, tuple[str, ...]] = {
        name.lower(): (value,) for name, value in raw.items() if type(value) is str and value not in ABSENT
    }
    if len(headers) == len(raw):
        return headers
    headers = {}
    for name, value in raw.items():
        values = tuple(
            found for each in (value if type(value) is list else (value,)) if (found := text(each)) is not None
        )
        if values:
            key = name.lower()
            headers[key] = headers[key] + values if key in headers else values
    return headers


def first(headers: Headers, name: str) -> str | None:
    """Give the first value of a header."""
    values = headers.get(name)
    return values[0] if values else None


def joined(headers: Headers, name: str, separator: str = ", ") -> str | None:
    """Give all values of a header as one text."""
    values = headers.get(name)
    return separator.join(values) if values else None


def visitor_ids(cookies: str | None) -> dict[str, str]:
    """Give the identifiers by kind in well-known visitor cookies, which may be quoted and percent-encoded."""
    if cookies is None or ("ajs_" not in cookies and "visitor_id" not in cookies):
        return {}
    return dict(_visitor_ids(cookies) if len(cookies) <= _LONGEST_CACHED else _visitor_ids.__wrapped__(cookies))


@lru_cache(maxsize=4_096)
def _visitor_ids(cookies: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for name, value in _VISITOR.findall(cookies):
        plain = identifier(unquote(value).strip().strip('"'))
        if plain is not None:
            found.setdefault(_VISITOR_KINDS[name], plain)
    return found


def persons_together(cookies: str | None, user: str | None) -> tuple[tuple[str, str], ...]:
    """Give the identifiers in visitor cookies and of the person who is signed in, most stable first; none where they are fewer than two."""
    if not cookies or (not user and _USER_COOKIE not in cookies):
        return ()
    return _persons(cookies, user) if len(cookies) <= _LONGEST_CACHED else _persons.__wrapped__(cookies, user)


@lru_cache(maxsize=16_384)
def _persons(cookies: str, user: str | None) -> tuple[tuple[str, str], ...]:
    found = visitor_ids(cookies)
    if user:
        found["user_id"] = user
    return ordered(found) if len(found) > 1 else ()


def body_part(path: str, data: bytes, content_type: str | None, content_length: str | None = None) -> Part:
    """Give a request body, marked as cut short when the sender announced more bytes than the record holds."""
    announced = whole(content_length)
    return Part(path, data, _media(content_type, data), announced is not None and announced > len(data))


def _media(content_type: str | None, data: bytes) -> Media:
    named = _named_media(content_type[:_LONGEST_CACHED]) if content_type else None
    if named is not None:
        return named
    # Beacons send JSON as text/plain to spare themselves a preflight request.
    return Media.JSON if data.lstrip()[:1] in (b"{", b"[") else Media.TEXT


@lru_cache(maxsize=1_024)
def _named_media(content_type: str) -> Media | None:
    named = content_type.lower()
    if "json" in named:
        return Media.JSON
    return Media.FORM if "x-www-form-urlencoded" in named else None


def query_part(query: str) -> tuple[Part, ...]:
    """Give the query string as a part; none when it is empty."""
    return (Part("query", query.encode("utf-8", "replace"), Media.FORM),) if query else ()


def body_of(raw: msgspec.Raw, path: str, headers: Headers) -> tuple[Part, ...]:
    """Give a logged request body, which is a JSON string that holds the body as sent, or the body's own JSON; none when it is absent."""
    if not raw or raw == _NULL:
        return ()
    data = bytes(raw)
    if data[:1] != b'"':
        return (Part(path, data, Media.JSON),)
    sent = _TEXT.decode(data)
    if sent in ABSENT:
        return ()
    length = None if "content-encoding" in headers else first(headers, "content-length")
    return (body_part(path, sent.encode("utf-8", "replace"), first(headers, "content-type"), length),)


def page_host(headers: Headers) -> str | None:
    """Give the host of the page that made a request: of its Referer, else of its Origin."""
    for name in ("referer", "origin"):
        if name in headers:
            found = url_host(headers[name][0])
            if found:
                return found
    return None


@lru_cache(maxsize=4_096)
def url_host(value: str) -> str | None:
    """Give the host of an absolute URL; None when it is none."""
    url = split_url(value[:_LONGEST_CACHED])
    return host(url[1]) if url else None


def ordered(known: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Give identifiers as pairs, most stable first."""
    return tuple((kind, known[kind]) for kind in KINDS if kind in known)
