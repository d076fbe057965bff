"""From what a record carries to signals: each group of strings and flags, each object, each platform's cookie."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from detectors.consent import gpc
from detectors.consent.bits import MAX_ID
from detectors.consent.carriers import Context, Group, cookie_group, query_groups
from detectors.consent.cookies import Cookiebot, decode_cookiebot
from detectors.consent.litter import is_litter
from detectors.consent.platforms import (
    Categories,
    from_age_flag,
    from_limited_use,
    from_object,
    from_platform_cookies,
)
from detectors.consent.refusal import Reason, Refusal, Remark
from detectors.consent.summaries import (
    ADVERTISING,
    TRACKING,
    from_gcd,
    from_gcs,
    from_gpc,
    from_gpp,
    from_tcf,
    from_usp,
    refused,
)
from topics.flow import Signal

DAY_MS = 86_400_000
_MAX_SIGNALS = 64


def from_jar(jar: Mapping[str, str], categories: Categories, day: int = 0, vendor: int = 0) -> tuple[Signal, ...]:
    """Read the cookies of consent, by name; `day` is the day of the event, counted from the epoch, 0 where it is not known."""
    found = from_platform_cookies(jar, categories)
    group = cookie_group(jar)
    cookiebot = decode_cookiebot(jar["CookieConsent"]) if "CookieConsent" in jar else None
    if isinstance(cookiebot, Cookiebot) and cookiebot.tc:
        group.append(("tcf", "CookieConsent.iab2", cookiebot.tc))
    return _distinct([*found, *_read_group(group, "cookies.", day, vendor)])


def from_query(query: str, day: int = 0, vendor: int = 0) -> tuple[Signal, ...]:
    """Read a raw query string."""
    groups = query_groups(query)
    return _distinct([signal for prefix, group in groups for signal in _read_group(group, prefix, day, vendor)])


def from_context(
    consent: Mapping[str, Any], categories: Categories, day: int = 0, vendor: int = 0
) -> tuple[Signal, ...]:
    """Read the consent objects of an event."""
    context = Context(consent)
    found = [signal for key, value, path in context.objects for signal in from_object(key, value, path, categories)]
    for prefix, group in context.groups.items():
        found += _read_group(group, prefix, day, vendor)
    return _distinct(found)


def _read_group(group: Group, prefix: str, day: int, vendor: int) -> tuple[Signal, ...]:
    in_force, gdpr_denied = None, False
    found: list[Signal] = []
    seen: dict[str, set[str]] = {}
    has_gcd = any(standard == "gcd" for standard, _, _ in group)
    for standard, name, value in group:
        if standard == "gpp_sid":
            in_force = _section_ids(value)
        elif standard == "gdpr":
            gdpr_denied, signals = _gdpr(value, prefix + name)
            found += signals
    beside = Beside(day, in_force, gdpr_denied, vendor)
    for standard, name, value in group:
        path = prefix + name
        if standard in _OTHERS:
            found += _OTHERS[standard](value, path)
        elif standard in _STRINGS and isinstance(value, str):
            # Consent mode's older parameter says less of the same.
            if standard == "gcs" and has_gcd:
                continue
            seen.setdefault(standard, set()).add(value)
            read = read_string if len(value) <= _CACHED_LENGTH else read_string.__wrapped__
            found += read(standard, value, path, beside)
        elif standard in _STRINGS and value is not None:
            found += refused(standard, path, Refusal(Reason.TYPE))
    conflicting = {standard for standard, values in seen.items() if len(values) > 1}
    return tuple(_in_conflict(signal) if signal.kind in conflicting else signal for signal in found)


def _in_conflict(signal: Signal) -> Signal:
    # Nobody can tell which of two strings is meant: a denial stands, an allowance does not.
    says = "unreadable" if signal.says == "allowed" else signal.says
    return Signal(signal.kind, says, signal.path, signal.purposes, Remark.CONFLICT.value, signal.at_ms)


_STRINGS = frozenset({"usp", "tcf", "gpp", "gcs", "gcd"})
_CACHED_LENGTH = 2_048


class Beside(NamedTuple):
    """What a string is read with."""

    day: int
    """Of the event, counted from the epoch; 0: not known."""
    in_force: frozenset[int] | None = None
    """Ids of `gpp_sid` beside it."""
    gdpr_denied: bool = False
    """`gdpr=0` stood beside it."""
    vendor: int = 0
    """Whom it is asked about; see `detectors.consent.vendors`."""


@lru_cache(maxsize=8_192)
def read_string(standard: str, text: str, path: str, beside: Beside) -> tuple[Signal, ...]:
    """Read one string of a standard (`usp`, `tcf`, `gpp`, `gcs`, `gcd`) with what stood beside it."""
    at_ms = beside.day * DAY_MS
    if standard == "tcf":
        return from_tcf(text, path, gdpr_denied=beside.gdpr_denied, at_ms=at_ms, vendor=beside.vendor)
    if standard == "gpp":
        return from_gpp(text, path, in_force=beside.in_force, at_ms=at_ms, vendor=beside.vendor)
    if standard == "usp":
        return from_usp(text, path)
    return from_gcd(text, path) if standard == "gcd" else from_gcs(text, path)


_SECTION_ID = re.compile(r"-1|[0-9]{1,5}", re.ASCII)


def _section_ids(value: Any) -> frozenset[int] | None:
    """Read `gpp_sid`: a comma list, a list of numbers, or one number; None where it says nothing."""
    if isinstance(value, str):
        value = [item.strip() for item in value[:256].split(",")]
    items = value if isinstance(value, list | tuple) else [value]
    ids = set()
    for item in items[:64]:
        if isinstance(item, str) and _SECTION_ID.fullmatch(item):
            ids.add(int(item))
        elif isinstance(item, int) and not isinstance(item, bool) and -1 <= item <= MAX_ID:
            ids.add(item)
    return frozenset(ids) or None


def _gdpr(value: Any, path: str) -> tuple[bool, tuple[Signal, ...]]:
    text = value[:64].strip().lower() if isinstance(value, str) else ""
    if text in {"0", "false"} or (isinstance(value, int) and value == 0):
        return True, (Signal("tcf", "not-applicable", path, TRACKING, Remark.GDPR_0.value),)
    if text and text not in {"1", "true"} and is_litter(text):
        return False, (Signal("tcf", "unreadable", path, TRACKING, Reason.LITTER.value),)
    return False, ()


def _dnt(value: Any, path: str) -> tuple[Signal, ...]:
    if gpc.decode_value(value) is not gpc.Gpc.OPT_OUT:
        return ()
    return (Signal("dnt", "not-applicable", path, ADVERTISING, Remark.INFORMATION.value),)


def _ad_tracking(value: Any, path: str) -> tuple[Signal, ...]:
    """Read the device's own switch: off is a refusal of targeted advertising, on says nothing."""
    return (Signal("device", "denied", path, ("advertising.targeted",)),) if value is False else ()


_OTHERS: Mapping[str, Any] = {
    "child": lambda value, path: from_age_flag(value, path, ("minor.0-12",)),
    "minor": lambda value, path: from_age_flag(value, path, ("minor.0-12", "minor.13-15")),
    "gpc": from_gpc,
    "dpo": lambda value, path: from_limited_use(value, path, key="data_processing_options"),
    "limited_data_use": lambda value, path: from_limited_use(value, path, key="limited_data_use"),
    "ad_tracking": _ad_tracking,
    "dnt": _dnt,
}


def _distinct(found: list[Signal]) -> tuple[Signal, ...]:
    return tuple(dict.fromkeys(found))[:_MAX_SIGNALS]
