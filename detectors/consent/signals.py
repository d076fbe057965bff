"""Finding every consent signal on a record: headers, cookies, query and the event's own objects.

What a signal says of a purpose: `denied` and `allowed` are choices; `not-applicable` means that it could be read and holds no choice that counts
(the law is said not to apply, a default before any act, no notice given), with a remark that tells which; `unreadable` that it was there and
could not be read, `litter` in the remark where it never was a signal. An empty value is no signal.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from detectors.consent import gpc
from detectors.consent.carriers import open_jar
from detectors.consent.platforms import DEFAULT_CATEGORIES, Categories
from detectors.consent.readings import DAY_MS, from_context, from_jar, from_query
from detectors.consent.summaries import ADVERTISING
from topics.flow import Signal

_GPC_HEADER = Signal("gpc", "denied", "headers.sec-gpc", ADVERTISING)
_GPC_BROKEN = Signal("gpc", "unreadable", "headers.sec-gpc", ADVERTISING, "nonconforming")


_Jar = tuple[tuple[str, str], ...]
_CACHED = 8_192
_CACHED_LENGTH = 4_096
_ENCODER = msgspec.json.Encoder()


class SignalFinder:
    """Finds signals with one tenant's meaning of consent categories.

    Keeps what it has read by the value of each carrier, short ones only and a bounded number of them: a browser sends the same cookies and query
    parts again and again. What is kept stays in this object's memory, like the records themselves; nothing is written anywhere.
    """

    __slots__ = ("_categories", "_events", "_of_cookies", "_of_jar", "_of_query")

    def __init__(self, categories: Categories = DEFAULT_CATEGORIES) -> None:
        """Take the platforms' categories (lower case) to purposes; see `detectors.consent.platforms`."""
        self._categories = categories
        self._events: dict[tuple[bytes, int, int], tuple[Signal, ...]] = {}

        @lru_cache(maxsize=_CACHED)
        def of_jar(jar: _Jar, day: int, vendor: int) -> tuple[Signal, ...]:
            return from_jar(dict(jar), categories, day, vendor)

        def of_cookies(cookies: str, day: int, vendor: int) -> tuple[Signal, ...]:
            jar = open_jar(cookies)
            if not jar:
                return ()
            # The cookies of consent repeat where others beside them change.
            short = sum(map(len, jar.values())) <= _CACHED_LENGTH
            return of_jar(tuple(jar.items()), day, vendor) if short else from_jar(jar, categories, day, vendor)

        self._of_cookies = lru_cache(maxsize=_CACHED)(of_cookies)
        self._of_query = lru_cache(maxsize=_CACHED)(from_query)

    def find(
        self,
        headers: Mapping[str, tuple[str, ...]] | None,
        cookies: str | None,
        query: str | None,
        consent: Mapping[str, Any],
        *,
        at_ms: int = 0,
        vendor: int = 0,
    ) -> tuple[Signal, ...]:
        """Decode all that speaks of consent; header names are lower case, the query is raw, `consent` maps paths to objects.

        `at_ms` is the time of the event: with it, to the day, TC strings that are too old allow nothing; 0 leaves that out. `vendor` is whom TC
        strings are asked about (`detectors.consent.vendors`). Never raises, whatever the strings hold. Empty when there is no signal.
        """
        found: tuple[Signal, ...] = ()
        if headers:
            values = headers.get("sec-gpc")
            if values:
                found = _HEADER[gpc.decode_header(values)]
            values = headers.get("dnt")
            if values and values[0][:8].strip() == "1":
                found = _joined(found, _DNT)
        if not (cookies or query or consent):
            return found
        day = at_ms // DAY_MS
        if cookies:
            read = self._of_cookies if len(cookies) <= _CACHED_LENGTH else self._of_cookies.__wrapped__
            found = _joined(found, read(cookies, day, vendor))
        if query:
            read = self._of_query if len(query) <= _CACHED_LENGTH else from_query
            found = _joined(found, read(query, day, vendor))
        if consent:
            found = _joined(found, self._of_event(consent, day, vendor))
        return found

    def _of_event(self, consent: Mapping[str, Any], day: int, vendor: int) -> tuple[Signal, ...]:
        try:
            text = _ENCODER.encode(consent)
        except (TypeError, ValueError, RecursionError):
            # Nothing that came as JSON fails; what a caller made by hand is read anew each time.
            return from_context(consent, self._categories, day, vendor)
        if len(text) > _CACHED_LENGTH:
            return from_context(consent, self._categories, day, vendor)
        key = text, day, vendor
        found = self._events.get(key)
        if found is None:
            if len(self._events) >= _CACHED:
                self._events.clear()
            found = self._events[key] = from_context(consent, self._categories, day, vendor)
        return found


_JOINED: dict[tuple[int, int], tuple[tuple[Signal, ...], tuple[Signal, ...], tuple[Signal, ...]]] = {}


def forget() -> None:
    """Forget what was joined; for measuring what it costs."""
    _JOINED.clear()


def _joined(some: tuple[Signal, ...], more: tuple[Signal, ...]) -> tuple[Signal, ...]:
    """Join, and give the very same tuple for the same two: a decision is remembered by it."""
    if not (some and more):
        return some or more
    key = id(some), id(more)
    known = _JOINED.get(key)
    if known is not None and known[0] is some and known[1] is more:
        return known[2]
    if len(_JOINED) >= _CACHED:
        _JOINED.clear()
    _JOINED[key] = some, more, some + more
    return _JOINED[key][2]


_HEADER: dict[gpc.Gpc, tuple[Signal, ...]] = {
    gpc.Gpc.OPT_OUT: (_GPC_HEADER,),
    gpc.Gpc.NONE: (),
    gpc.Gpc.NONCONFORMING: (_GPC_BROKEN,),
}
_DNT = (Signal("dnt", "not-applicable", "headers.dnt", ADVERTISING, "information"),)

_DEFAULT = SignalFinder()


def find_signals(
    headers: Mapping[str, tuple[str, ...]] | None,
    cookies: str | None,
    query: str | None,
    consent: Mapping[str, Any],
    *,
    at_ms: int = 0,
    vendor: int = 0,
) -> tuple[Signal, ...]:
    """Find signals with the platforms' own default categories; see `SignalFinder.find`."""
    return _DEFAULT.find(headers, cookies, query, consent, at_ms=at_ms, vendor=vendor)
