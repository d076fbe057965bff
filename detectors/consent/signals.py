"""Finding every consent signal on a record: headers, cookies, query and the event's own objects.

What a signal says of a purpose: `denied` and `allowed` are choices; `not-applicable` means that it could be read and holds no choice that counts
(the law is said not to apply, a default before any act, no notice given), with a remark that tells which; `unreadable` that it was there and
could not be read, `litter` in the remark where it never was a signal. An empty value is no signal.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from detectors.consent import gpc
from detectors.consent.carriers import open_jar
from detectors.consent.platforms import DEFAULT_CATEGORIES, Categories
from detectors.consent.readings import DAY_MS, from_context, from_jar, from_query
from detectors.consent.summaries import ADVERTISING
from topics.flow import Signal

_GPC_HEADER = Signal("gpc", "denied", "headers.sec-gpc", ADVERTISING)
_GPC_BROKEN = Signal("gpc", "unreadable", "headers.sec-gpc", ADVERTISING, "nonconforming")


_Jar = tuple[tuple[str, str], ...]


class SignalFinder:
    """Finds signals with one tenant's meaning of consent categories.

    Keeps what it has read by the value of the consent string or cookie, never of the whole header, query or event:
    those hold what must not outlive the record.
    """

    __slots__ = ("_categories", "_read_jar")

    def __init__(self, categories: Categories = DEFAULT_CATEGORIES) -> None:
        """Take the platforms' categories (lower case) to purposes; see `detectors.consent.platforms`."""
        self._categories = categories

        @lru_cache(maxsize=4_096)
        def read_jar(jar: _Jar, day: int) -> tuple[Signal, ...]:
            return from_jar(dict(jar), categories, day)

        self._read_jar = read_jar

    def find(
        self,
        headers: Mapping[str, tuple[str, ...]] | None,
        cookies: str | None,
        query: str | None,
        consent: Mapping[str, Any],
        *,
        at_ms: int = 0,
    ) -> tuple[Signal, ...]:
        """Decode all that speaks of consent; header names are lower case, the query is raw, `consent` maps paths to objects.

        `at_ms` is the time of the event: with it, to the day, TC strings that are too old allow nothing; 0 leaves that out.
        Never raises, whatever the strings hold. Empty when there is no signal.
        """
        day = at_ms // DAY_MS
        found: tuple[Signal, ...] = ()
        if headers:
            values = headers.get("sec-gpc")
            if values:
                found = _HEADER[gpc.decode_header(values)]
            values = headers.get("dnt")
            if values and values[0].strip() == "1":
                found += _DNT
        if cookies and (jar := open_jar(cookies)):
            # Longer texts are read anew, so that memory stays bounded.
            short = sum(map(len, jar.values())) <= _CACHED_LENGTH
            found += self._read_jar(tuple(jar.items()), day) if short else from_jar(jar, self._categories, day)
        if query:
            found += from_query(query, day)
        if consent:
            found += from_context(consent, self._categories, day)
        return found


_HEADER: dict[gpc.Gpc, tuple[Signal, ...]] = {
    gpc.Gpc.OPT_OUT: (_GPC_HEADER,),
    gpc.Gpc.NONE: (),
    gpc.Gpc.NONCONFORMING: (_GPC_BROKEN,),
}
_DNT = (Signal("dnt", "not-applicable", "headers.dnt", ADVERTISING, "information"),)

_CACHED_LENGTH = 4_096

_DEFAULT = SignalFinder()


def find_signals(
    headers: Mapping[str, tuple[str, ...]] | None,
    cookies: str | None,
    query: str | None,
    consent: Mapping[str, Any],
    *,
    at_ms: int = 0,
) -> tuple[Signal, ...]:
    """Find signals with the platforms' own default categories; see `SignalFinder.find`."""
    return _DEFAULT.find(headers, cookies, query, consent, at_ms=at_ms)
