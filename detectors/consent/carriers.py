"""Where consent signals travel: cookies, query parameters also of URLs inside values, and objects in events."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote_plus

from detectors.consent.summaries import from_gpc, from_usp
from topics.flow import Signal

_Reader = Callable[[str, str], tuple[Signal, ...]]

_QUERY: Mapping[str, _Reader] = {
    "us_privacy": from_usp,
    "usprivacy": from_usp,
}
_COOKIES: Mapping[str, _Reader] = {
    "usprivacy": from_usp,
    "us_privacy": from_usp,
}
_CONTEXT: Mapping[str, _Reader] = {
    "gpc": from_gpc,
    "global_privacy_control": from_gpc,
    "globalprivacycontrol": from_gpc,
    "sec_gpc": from_gpc,
    "sec-gpc": from_gpc,
    "us_privacy": from_usp,
    "usprivacy": from_usp,
    "iabusprivacy_string": from_usp,
}
_QUERY_MARKS = ("us_privacy", "usprivacy")
_COOKIE_MARKS = ("usprivacy=", "us_privacy=")

_MAX_PARTS = 512
"""Parameters or cookies of one text that are looked at."""
_MAX_SIGNALS = 64
_NESTED = re.compile(r"[?&;#]")


def from_cookies(cookies: str) -> tuple[Signal, ...]:
    """Read the Cookie header as sent."""
    if not any(mark in cookies for mark in _COOKIE_MARKS):
        return ()
    found: list[Signal] = []
    for part in cookies.split(";", _MAX_PARTS)[:_MAX_PARTS]:
        name, _, value = part.partition("=")
        reader = _COOKIES.get(name.strip())
        if reader is not None:
            found += reader(value.strip(), f"cookies.{name.strip()}")
    return _distinct(found)


def from_query(query: str) -> tuple[Signal, ...]:
    """Read a raw query string, and those of URLs inside its values, two levels deep."""
    if not any(mark in query for mark in _QUERY_MARKS):
        return ()
    found: list[Signal] = []
    for path, key, value in _parameters(query):
        found += _QUERY[key](value, path)
    return _distinct(found)


def _parameters(query: str, prefix: str = "query.", depth: int = 0) -> Iterator[tuple[str, str, str]]:
    parts = _NESTED.split(query, _MAX_PARTS)[:_MAX_PARTS]
    for part in parts:
        key, _, value = part.partition("=")
        if key in _QUERY:
            yield prefix + key, key, unquote_plus(value)
        elif depth < 2 and any(mark in value for mark in _QUERY_MARKS):
            yield from _parameters(unquote_plus(value), "query.nested.", depth + 1)


def from_context(consent: Mapping[str, Any]) -> tuple[Signal, ...]:
    """Read consent objects of an event, by the last word of their path."""
    found: list[Signal] = []
    for path, value in consent.items():
        reader = _CONTEXT.get(path.rpartition(".")[2].lower())
        if reader is from_gpc or (reader is not None and isinstance(value, str)):
            found += reader(value, path)
    return _distinct(found)


def _distinct(found: list[Signal]) -> tuple[Signal, ...]:
    return tuple(dict.fromkeys(found))[:_MAX_SIGNALS]
