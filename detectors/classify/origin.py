"""Where the person is: what the record itself declares first, then what the edge or a database says of the address.

Order: shipping address, billing address, address of the account, the gateway's geo headers or the event's own location,
IP address, what the operator assumes. What speaks later never wins, and is kept as a conflict where it says otherwise.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple, Protocol
from urllib.parse import unquote_plus

import orjson

from topics.adapters.geo import located
from topics.flow import Place
from topics.observation import Media, Observation, Part

IP_DATABASE = "ip-database"
WEAK_SOURCES: frozenset[str] = frozenset({IP_DATABASE})
"""Sources that guess: mobile networks, VPNs and shared addresses make them name the wrong place."""
CONFLICTS: frozenset[str] = frozenset({"", "country", "subdivision"})
"""What two sources of one record disagree about."""

_NOWHERE = Place()
_MAX_BYTES = 1 << 18
_MAX_NODES = 2_000
_MAX_PAIRS = 500
_SHIPPING, _BILLING, _ACCOUNT, _PERSON, _NONE = range(5)
_LONGEST_KEY = 64
_CACHED = 65_536


def _words(text: str, kind: int) -> dict[str, int]:
    return dict.fromkeys(text.split(), kind)


# Keys are compared without case and punctuation. An address of somebody else (sender, warehouse, store) is not among them.
_KEYS: Mapping[str, int] = {
    **_words("shippingaddress shipping shipto shiptoaddress deliveryaddress delivery toaddress addressto", _SHIPPING),
    **_words("billingaddress billing billto billtoaddress invoiceaddress billingdetails", _BILLING),
    **_words("customer account user traits person buyer shopper customerinfo userinfo", _PERSON),
}
_ADDRESSES = frozenset({"address", "addresses", "defaultaddress", "postaladdress", "homeaddress"})
_COUNTRIES = frozenset({"country", "countrycode", "countryiso", "countrycodev2", "countrycode2"})
_REGIONS = frozenset(
    {"region", "regioncode", "state", "statecode", "province", "provincecode", "subdivision", "administrativearea"}
)
_SOURCES = {_SHIPPING: "declared-address", _BILLING: "declared-address", _ACCOUNT: "account-address"}


class PlaceOfAddress(Protocol):
    """Tells where an IP address is used. It reads what it needs at start; a look-up does no I/O that can fail."""

    def place_of(self, address: str) -> Place:
        """Give the place, or `Place()` for an unknown, private or malformed address. Never raises."""
        ...


class NoAddresses:
    """Nobody can tell the place of an address."""

    def place_of(self, address: str) -> Place:
        """Give no place."""
        del address
        return _NOWHERE


class Remembered:
    """A source of places that asks once for each address of those it was asked for last."""

    def __init__(self, source: PlaceOfAddress) -> None:
        self.place_of = lru_cache(_CACHED)(source.place_of)
        """Give the place, as the source does."""


class Origin(NamedTuple):
    """Where the person is, and what spoke against it."""

    place: Place = _NOWHERE
    conflict: str = ""
    """One of `CONFLICTS`."""
    rival: Place = _NOWHERE
    """The strongest place that differs."""


_UNKNOWN = Origin()


def origin_of(observation: Observation, addresses: PlaceOfAddress, assumed: Place) -> Origin:
    """Tell where the person of an observation is. Never raises, whatever the bytes."""
    parts = [part for part in observation.parts if _may_address(part.data)]
    country, subdivision, source = observation.country, observation.subdivision or "", observation.place_source or ""
    if country and not parts:
        return _told(country, subdivision, source)
    found = list(_declared(parts))
    if country:
        found.insert(0 if source == "declared-address" else len(found), Place(country, subdivision, source))
    if not found and observation.client_ip:
        place = addresses.place_of(observation.client_ip)
        if place.country:
            return Origin(place)
    if not found:
        return Origin(assumed) if assumed.country else _UNKNOWN
    return Origin(found[0]) if len(found) == 1 else _weighed(found)


def _may_address(data: bytes) -> bool:
    """Tell cheaply whether an address with a country may stand in it: every key of one holds one of these words."""
    return b"ountry" in data and (b"ddress" in data or b"hip" in data or b"ill" in data or b"elivery" in data)


@lru_cache(maxsize=4_096)
def _told(country: str, subdivision: str, source: str) -> Origin:
    return Origin(Place(country, subdivision, source))


def _weighed(found: Iterable[Place]) -> Origin:
    first, *others = found
    for other in others:
        if other.country != first.country:
            return Origin(first, "country", other)
    for other in others:
        if not first.subdivision and other.subdivision:
            # The same country, told more exactly. The source is then that of the exact part, since it decides.
            first = other
        elif other.subdivision and other.subdivision != first.subdivision:
            return Origin(first, "subdivision", other)
    return Origin(first)


def _declared(parts: Iterable[Part]) -> Iterable[Place]:
    found: dict[int, Place] = {}
    for part in parts:
        if len(part.data) > _MAX_BYTES or part.media is Media.TEXT:
            continue
        document = _nested(part.data) if part.media is Media.FORM else _json(part.data)
        _search(document, _KEYS.get(_plain(part.path.rpartition(".")[2]), _NONE), found)
    return (found[kind] for kind in sorted(found))


def _json(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return None


def _nested(data: bytes) -> dict[str, Any]:
    """Read a form whose names have brackets (`shipping[address][country]`) as the object that they describe."""
    document: dict[str, Any] = {}
    for piece in data.decode("utf-8", "replace").split("&", _MAX_PAIRS)[:_MAX_PAIRS]:
        name, _, value = piece.partition("=")
        *above, last = unquote_plus(name).replace("]", "").split("[", 8)
        place = document
        for word in above:
            inner = place.setdefault(word, {})
            if not isinstance(inner, dict):
                break
            place = inner
        else:
            place.setdefault(last, unquote_plus(value))
    return document


def _search(document: Any, kind: int, found: dict[int, Place]) -> None:
    """Find the first address of each kind, breadth first, within a budget of nodes."""
    waiting, left = [(document, kind)], _MAX_NODES
    for node, above in waiting:  # the list grows while it is read
        if isinstance(node, list):
            waiting.extend((each, above) for each in node[:left])
            left -= len(node)
        elif isinstance(node, dict):
            if above < _PERSON and above not in found:
                place = _address(node, _SOURCES[above])
                if place is not None:
                    found[above] = place
            waiting.extend(
                (member, _kind(key, above)) for key, member in node.items() if isinstance(member, dict | list)
            )
            left -= len(node)
        if left <= 0:
            return


def _kind(key: str, above: int) -> int:
    word = _plain(key)
    if word in _ADDRESSES:
        return _ACCOUNT if above == _PERSON else above
    return _KEYS.get(word, _NONE)


def _plain(key: str) -> str:
    return _letters(key) if len(key) <= _LONGEST_KEY else ""


@lru_cache(maxsize=4_096)
def _letters(key: str) -> str:
    return "".join(filter(str.isalnum, key.lower()))


def _address(node: Mapping[str, Any], source: str) -> Place | None:
    country = region = None
    for key, value in node.items():
        if isinstance(value, str):
            word = _plain(key)
            if word in _COUNTRIES and len(value) == 2:  # codes only: names of countries have too many spellings
                country = value
            elif word in _REGIONS:
                region = value
    place = located(country, region, source)
    return Place(place.country, place.subdivision or "", source) if place.country else None
