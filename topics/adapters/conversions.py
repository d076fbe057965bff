"""What conversion payloads share: the request that carried them, what they say of the person, and who receives them.

These payloads name their receiver by their format. Credentials (access tokens, `api_secret`) are dropped wherever they stand.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from topics.adapters import geo, integrations, reading
from topics.adapters.tolerant import OBJECT, value_of
from topics.observation import Destination, Media, Part, Via

CREDENTIALS = frozenset(
    {"access_token", "accesstoken", "access-token", "api_secret", "apisecret", "appsecret_proof", "client_secret"}
)
"""Names, in lower case, of members and query parameters that hold credentials."""

Members = Mapping[str, msgspec.Raw]
"""The members of an object, undecoded."""

_NO = msgspec.Raw()
_URLS = ("url", "uri", "request_url", "endpoint")
_BODIES = ("body", "payload", "json", "post_data")
_EMPTY = frozenset({b"", b"null", b"{}", b"[]", b'""'})
_ENCODER = msgspec.json.Encoder()


class Carrier(NamedTuple):
    """The request that carried a payload, where the record holds it."""

    scheme: str
    host: str | None
    """As called, without default port."""
    path: str
    query: str
    proof: str
    """The member that held the URL."""
    body: bytes
    """As sent; empty when there was none."""
    members: Members
    """What else the record says of the request."""


def members_of(raw: bytes | msgspec.Raw | None) -> Members:
    """Give the members of an object; none for anything else."""
    if not raw:
        return {}
    try:
        return OBJECT.decode(raw)
    except msgspec.ValidationError:
        return {}


def value(members: Members, *names: str) -> Any:
    """Give the value of the first of these members that has one."""
    for name in names:
        raw = members.get(name)
        if raw:
            found = value_of(raw)
            if found is not None and found != "":
                return found
    return None


def carrier(members: Members) -> Carrier | None:
    """Give the request around a payload: `url` and `body` side by side, also inside of `request`; None when there is no URL."""
    for prefix, inside in (("", members), ("request.", members_of(members.get("request")))):
        for name in _URLS:
            text = value(inside, name)
            url = reading.split_url(text) if type(text) is str else None
            if url is not None:
                body = next((_sent(inside[each]) for each in _BODIES if each in inside), b"")
                return Carrier(
                    url[0], reading.host(url[1]), url[2] or "/", url[3], prefix + name, body, {**members, **inside}
                )
    return None


def _sent(raw: msgspec.Raw) -> bytes:
    data = bytes(raw)
    if data[:1] != b'"':
        return b"" if data in _EMPTY else data
    text = value_of(raw)
    return text.encode("utf-8", "replace") if type(text) is str else b""


def receivers(
    default: str, domains: tuple[str, ...], request: Carrier | None, recipients: tuple[str, ...], *, proof: str
) -> tuple[Destination, ...]:
    """Give who receives a payload: the host that was called where it is the platform's, else the platform's usual host.

    A call to a host of the shop's is a proxy in front of the platform: nobody else understands the format.
    """
    called = reading.host_name(request.host) if request else None
    if request and called and f".{called}".endswith(domains):
        named = Destination(called, Via.REQUEST, request.proof)
    else:
        named = Destination(default, Via.REQUEST, proof)
    return (named, *staged(recipients))


def staged(recipients: tuple[str, ...]) -> tuple[Destination, ...]:
    """Give the recipients of the whole topic."""
    if not recipients:
        return ()
    sent = integrations.read(_NO, recipients)
    return sent.destinations if sent else ()


def one(found: Any) -> Any:
    """Give the first item of a list, and anything else as it is: platforms take both for the same."""
    if type(found) is list:
        return found[0] if found else None
    return found


def declared(country: Any, region: Any, source: str = "declared-address") -> geo.Located:
    """Give the place that a payload declares: only a plain ISO code of two letters counts, for hashes tell nothing."""
    code, part = one(country), one(region)
    if type(code) is not str or len(code.strip()) != 2:
        return geo.NOWHERE
    return geo.located(code, part, source)


def person(found: Mapping[str, Any], **names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Give the identifiers that stand under these names, by kind; an email only where it is in clear."""
    known: dict[str, str] = {}
    for kind, keys in names.items():
        read = reading.email if kind == "email" else reading.identifier
        for key in keys:
            each = read(one(found.get(key)))
            if each is not None:
                known[kind] = each
                break
    return reading.ordered(known)


class Page(NamedTuple):
    """The page that an event speaks of."""

    host: str | None = None
    path: str | None = None
    query: str = ""


def page_of(found: Any) -> Page:
    """Take the address of a page apart; credentials leave its query."""
    url = reading.split_url(found) if type(found) is str else None
    if url is None:
        return Page()
    return Page(reading.host(url[1]), url[2] or "/", without_credentials(url[3]))


def without_credentials(query: str) -> str:
    """Give a raw query without the parameters that hold credentials."""
    folded = query.lower()
    if not any(name in folded for name in CREDENTIALS):
        return query
    pairs = query.split("&")
    return "&".join([pair for pair in pairs if pair.partition("=")[0].lower() not in CREDENTIALS])


def parts_of(members: Members, apart: Iterable[str], known: frozenset[str]) -> tuple[Part, ...]:
    """Give these members as a part each, and all that are neither known nor credentials as one, named `event`."""
    found: list[Part] = []
    named = set(apart)
    for name in apart:
        data = bytes(members.get(name, b""))
        if data not in _EMPTY:
            found.append(Part(name, data, Media.JSON))
    rest = {
        name: raw
        for name, raw in members.items()
        if name not in named and name not in known and name.lower() not in CREDENTIALS and bytes(raw) not in _EMPTY
    }
    if rest:
        found.append(Part("event", _ENCODER.encode(rest), Media.JSON))
    return tuple(found)
