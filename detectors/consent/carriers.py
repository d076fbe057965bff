"""Where consent strings and objects travel: cookies, query parameters also of URLs inside values, and events.

What stands side by side forms a group, because flags (`gdpr`, `gpp_sid`) speak of the string beside them.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any
from urllib.parse import unquote_plus

from detectors.consent.litter import is_heavy
from detectors.consent.refusal import MAX_LENGTH

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
    "coppa": "child",
    "tfcd": "child",
    "tfua": "minor",
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
    "coppa": "child",
    "tfcd": "child",
    "tag_for_child_directed_treatment": "child",
    "tfua": "minor",
    "tag_for_under_age_of_consent": "minor",
    "adtrackingenabled": "ad_tracking",
    "dnt": "dnt",
    "donottrack": "dnt",
}
_CONTAINERS = frozenset({"ext", "regs", "user", "consent", "privacy", "device", "gdpr", "tcf", "usp", "gpp", "ccpa"})
"""Objects in which the names above may stand again."""

# Few and short: each is a search through the whole text.
_QUERY_MARKS = ("privacy", "gdpr", "gpp", "gcs", "gcd", "dpo", "coppa", "tfcd", "tfua")
_COOKIE_MARKS = ("onsent", "privacy", "PRIVACY", "notice_", "didomi_", "Optanon")
_KNOWN_COOKIES = _COOKIES.keys() | {
    "OptanonConsent",
    "OptanonAlertBoxClosed",
    "CookieConsent",
    "notice_gdpr_prefs",
    "notice_behavior",
    "cmapi_cookie_privacy",
    "didomi_token",
    "didomi_dcs",
    "osano_consentmanager",
    "TC_PRIVACY",
}
_NESTED = re.compile(r"[?&;#]")

_LONGEST = 131_072
"""Characters of a Cookie header or query that are looked at; servers take a tenth of that."""
_MAX_PARTS = 512
"""Parameters, cookies or keys of one text or object that are looked at."""

Group = list[tuple[str, str, Any]]
"""What stands side by side: (standard, name in the path, value)."""


def open_jar(cookies: str) -> dict[str, str]:
    """Take the cookies of consent out of the Cookie header as sent. The first cookie of a name counts."""
    jar: dict[str, str] = {}
    if not _has_mark(cookies[:_LONGEST], _COOKIE_MARKS):
        return jar
    for part in _whole(cookies, cookies[:_LONGEST].split(";", _MAX_PARTS)):
        name, _, value = part.partition("=")
        name = name.strip()
        if name in _KNOWN_COOKIES:
            jar.setdefault(name, value.strip().strip('"'))
    return jar


def cookie_group(jar: Mapping[str, str]) -> Group:
    """Give the cookies that hold strings of the standards."""
    return [(standard, name, jar[name]) for name, standard in _COOKIES.items() if name in jar]


def query_groups(query: str) -> Iterator[tuple[str, Group]]:
    """Give the prefix of the path and the group of a raw query, and of those of URLs inside its values, two levels deep."""
    if _has_mark(query[:_LONGEST], _QUERY_MARKS):
        yield from _query_groups(query, "query.", 0)


def _whole(text: str, parts: list[str]) -> list[str]:
    """Leave out what lies beyond the bounds, and a last part that they cut unless it is too long for a signal anyway."""
    if len(parts) > _MAX_PARTS:
        return parts[:_MAX_PARTS]
    if len(text) > _LONGEST and len(parts[-1]) <= MAX_LENGTH:
        return parts[:-1]
    return parts


def _has_mark(text: str, marks: tuple[str, ...]) -> bool:
    return any(mark in text for mark in marks)


def _query_groups(query: str, prefix: str, depth: int) -> Iterator[tuple[str, Group]]:
    group: Group = []
    for part in _whole(query, _NESTED.split(query[:_LONGEST], _MAX_PARTS)):
        key, _, value = part.partition("=")
        if key in _QUERY:
            # What is too heavy for any signal is left as it is: its decoder says so.
            group.append((_QUERY[key], key, value if is_heavy(value) else unquote_plus(value)))
        elif depth < 2 and "%" in value and not is_heavy(value) and _has_mark(value, _QUERY_MARKS):
            yield from _query_groups(unquote_plus(value), "query.nested.", depth + 1)
    if group:
        yield prefix, group


class Context:
    """What an event's consent objects hold: groups by the prefix of their path, and objects by key and path."""

    __slots__ = ("groups", "objects")

    def __init__(self, consent: Mapping[str, Any]) -> None:
        """Walk the objects by the last word of their path, three levels of known containers deep."""
        self.groups: dict[str, Group] = {}
        self.objects: list[tuple[str, dict[Any, Any], str]] = []
        for path, value in islice(consent.items(), _MAX_PARTS):
            parent, dot, name = path.rpartition(".")
            self._walk(name, value, parent + dot, 0)

    def _walk(self, name: str, value: Any, prefix: str, depth: int) -> None:
        key = name.lower()
        if not isinstance(value, dict):
            standard = _CONTEXT.get(key)
            if standard is not None:
                self.groups.setdefault(prefix, []).append((standard, name, value))
            return
        self.objects.append((key, value, prefix + name))
        if depth == 3:
            return
        for inner, each in islice(value.items(), _MAX_PARTS):
            low = inner.lower() if isinstance(inner, str) and len(inner) < 64 else ""
            # The path is made of our own words: a key of the traffic gets into it only where it is one of them.
            if low in _FOLLOWED:
                self._walk(low, each, f"{prefix}{name}.", depth + 1)


_FOLLOWED = _CONTAINERS | _CONTEXT.keys() | {"consents", "consentmanagement", "consent_preferences"}
