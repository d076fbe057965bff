"""Where consent signals travel: cookies, query parameters also of URLs inside values, and objects in events."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import islice
from typing import Any
from urllib.parse import unquote_plus

from detectors.consent import gpc
from detectors.consent.bits import MAX_ID
from detectors.consent.litter import is_litter
from detectors.consent.platforms import (
    Categories,
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

_QUERY = {
    "us_privacy": "usp",
    "usprivacy": "usp",
    "gdpr": "gdpr",
    "gdpr_consent": "tcf",
    "gpp": "gpp",
    "gpp_sid": "gpp_sid",
    "gcs": "gcs",
    "gcd": "gcd",
    "dpo": "dpo",
}
_COOKIES = {
    "usprivacy": "usp",
    "us_privacy": "usp",
    "euconsent-v2": "tcf",
    "eupubconsent-v2": "tcf",
    "OTGPPConsent": "gpp",
}
_CONTEXT = {
    "gpc": "gpc",
    "globalprivacycontrol": "gpc",
    "global_privacy_control": "gpc",
    "sec_gpc": "gpc",
    "sec-gpc": "gpc",
    "us_privacy": "usp",
    "usprivacy": "usp",
    "us_privacy_string": "usp",
    "iabusprivacy_string": "usp",
    "gdpr": "gdpr",
    "gdpr_applies": "gdpr",
    "gdprapplies": "gdpr",
    "iabtcf_gdprapplies": "gdpr",
    "gdpr_consent": "tcf",
    "tcf": "tcf",
    "tc_string": "tcf",
    "tcstring": "tcf",
    "iabtcf_tcstring": "tcf",
    "euconsent-v2": "tcf",
    "gpp": "gpp",
    "gpp_string": "gpp",
    "gppstring": "gpp",
    "iabgpp_hdr_gppstring": "gpp",
    "gpp_sid": "gpp_sid",
    "gppsid": "gpp_sid",
    "iabgpp_gppsid": "gpp_sid",
    "gcs": "gcs",
    "gcd": "gcd",
    "data_processing_options": "dpo",
    "limited_data_use": "limited_data_use",
    "adtrackingenabled": "ad_tracking",
    "dnt": "dnt",
    "donottrack": "dnt",
}
_CONTAINERS = frozenset({"ext", "regs", "user", "consent", "privacy", "device", "gdpr", "tcf", "usp", "gpp", "ccpa"})
"""Objects in which the names above may stand again."""

_QUERY_MARKS = ("gdpr", "gpp", "us_privacy", "usprivacy", "gcs", "gcd", "dpo=")
_COOKIE_MARKS = (
    "usprivacy", "us_privacy", "euconsent", "eupubconsent", "OTGPP", "Optanon", "CookieConsent", "notice_gdpr",
    "cmapi_cookie", "didomi_", "osano_", "TC_PRIVACY",
)  # fmt: skip
_NESTED = re.compile(r"[?&;#]")

_MAX_PARTS = 512
"""Parameters, cookies or keys of one text or object that are looked at."""
_MAX_SIGNALS = 64

_Group = list[tuple[str, str, Any]]
"""What stands side by side: (standard, name in the path, value)."""


def _has_mark(text: str, marks: tuple[str, ...]) -> bool:
    return any(mark in text for mark in marks)


def from_cookies(cookies: str, categories: Categories) -> tuple[Signal, ...]:
    """Read the Cookie header as sent. The first cookie of a name counts, as in browsers and servers alike."""
    if not _has_mark(cookies, _COOKIE_MARKS):
        return ()
    jar: dict[str, str] = {}
    for part in cookies.split(";", _MAX_PARTS)[:_MAX_PARTS]:
        name, _, value = part.partition("=")
        jar.setdefault(name.strip(), value.strip().strip('"'))
    group = [(standard, name, jar[name]) for name, standard in _COOKIES.items() if name in jar]
    return _distinct([*from_platform_cookies(jar, categories), *_read_group(group, "cookies.")])


def from_query(query: str) -> tuple[Signal, ...]:
    """Read a raw query string, and those of URLs inside its values, two levels deep."""
    if not _has_mark(query, _QUERY_MARKS):
        return ()
    found: list[Signal] = []
    for prefix, group in _query_groups(query, "query.", 0):
        found += _read_group(group, prefix)
    return _distinct(found)


def _query_groups(query: str, prefix: str, depth: int) -> Iterator[tuple[str, _Group]]:
    group: _Group = []
    for part in _NESTED.split(query, _MAX_PARTS)[:_MAX_PARTS]:
        key, _, value = part.partition("=")
        if key in _QUERY:
            group.append((_QUERY[key], key, unquote_plus(value)))
        elif depth < 2 and "%" in value and _has_mark(value, _QUERY_MARKS):
            yield from _query_groups(unquote_plus(value), "query.nested.", depth + 1)
    if group:
        yield prefix, group


def from_context(consent: Mapping[str, Any], categories: Categories) -> tuple[Signal, ...]:
    """Read consent objects of an event by the last word of their path; two levels of known containers inside them."""
    found: list[Signal] = []
    groups: dict[str, _Group] = {}
    for path, value in islice(consent.items(), _MAX_PARTS):
        parent, _, key = path.rpartition(".")
        found += _walk(key.lower(), key, value, parent, groups, categories, 0)
    for parent, group in groups.items():
        found += _read_group(group, f"{parent}." if parent else "")
    return _distinct(found)


def _walk(  # noqa: PLR0913, PLR0917 - one step of a recursion over plain values
    key: str, name: str, value: Any, parent: str, groups: dict[str, _Group], categories: Categories, depth: int
) -> tuple[Signal, ...]:
    if not isinstance(value, dict):
        standard = _CONTEXT.get(key)
        if standard is not None:
            groups.setdefault(parent, []).append((standard, name, value))
        return ()
    path = f"{parent}.{name}" if parent else name
    found = from_object(key, value, path, categories)
    if depth < 3:
        for inner, each in islice(value.items(), _MAX_PARTS):
            low = inner.lower() if isinstance(inner, str) and len(inner) < 64 else ""
            # The path is made of our own words: a key of the traffic gets into it only where it is one of them.
            if low in _CONTAINERS or low in _CONTEXT or low in _OBJECT_KEYS:
                found += _walk(low, low, each, path, groups, categories, depth + 1)
    return found


_OBJECT_KEYS = frozenset({"consents", "consentmanagement", "consent_preferences"})


def _read_group(group: _Group, prefix: str) -> tuple[Signal, ...]:
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
    for standard, name, value in group:
        path = prefix + name
        if standard in _OTHERS:
            found += _OTHERS[standard](value, path)
        elif standard in _STRINGS and isinstance(value, str):
            # Consent mode's older parameter says less of the same.
            if standard == "gcs" and has_gcd:
                continue
            seen.setdefault(standard, set()).add(value)
            read = _read_string if len(value) <= _CACHED_LENGTH else _read_string.__wrapped__
            found += read(standard, value, path, in_force, gdpr_denied)
        elif standard in _STRINGS and value is not None:
            found += refused(standard, path, Refusal(Reason.TYPE))
    conflicting = {standard for standard, values in seen.items() if len(values) > 1}
    return tuple(_in_conflict(signal) if signal.kind in conflicting else signal for signal in found)


def _in_conflict(signal: Signal) -> Signal:
    # Nobody can tell which of two strings is meant: a denial stands, an allowance does not.
    says = "unreadable" if signal.says == "allowed" else signal.says
    return Signal(signal.kind, says, signal.path, signal.purposes, Remark.CONFLICT.value)


_STRINGS = frozenset({"usp", "tcf", "gpp", "gcs", "gcd"})
_CACHED_LENGTH = 2_048


@lru_cache(maxsize=8_192)
def _read_string(
    standard: str,
    text: str,
    path: str,
    in_force: frozenset[int] | None,
    gdpr_denied: bool,  # noqa: FBT001 - all parts of the cache's key
) -> tuple[Signal, ...]:
    if standard == "tcf":
        return from_tcf(text, path, gdpr_denied=gdpr_denied)
    if standard == "gpp":
        return from_gpp(text, path, in_force=in_force)
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
    "gpc": from_gpc,
    "dpo": lambda value, path: from_limited_use(value, path, key="data_processing_options"),
    "limited_data_use": lambda value, path: from_limited_use(value, path, key="limited_data_use"),
    "ad_tracking": _ad_tracking,
    "dnt": _dnt,
}


def _distinct(found: list[Signal]) -> tuple[Signal, ...]:
    return tuple(dict.fromkeys(found))[:_MAX_SIGNALS]
