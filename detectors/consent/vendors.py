"""The TC strings on a record, decoded, for decisions about single vendors. `tcf.is_consented` and `tcf.doubt` read them."""

from collections.abc import Iterator, Mapping
from typing import Any

from detectors.consent import cookies as platforms
from detectors.consent import gpp, tcf
from detectors.consent.carriers import Context, Group, cookie_group, open_jar, query_groups


def find_tc_strings(
    cookies: str | None, query: str | None, consent: Mapping[str, Any]
) -> tuple[tuple[str, tcf.TcString], ...]:
    """Give path and value of every TC string that can be read, those inside GPP strings and Cookiebot's cookie too."""
    found: dict[str, tcf.TcString] = {}
    for prefix, group in _groups(cookies, query, consent):
        for standard, name, value in group:
            path = prefix + name
            if not isinstance(value, str):
                continue
            if standard == "tcf":
                decoded: gpp.Section | None = tcf.decode(value)
            elif standard == "gpp":
                whole, path = gpp.decode(value), f"{path}.{gpp.SECTION_NAMES[2]}"
                decoded = whole.sections.get(2) if isinstance(whole, gpp.Gpp) else None
            else:
                continue
            if isinstance(decoded, tcf.TcString):
                found.setdefault(path, decoded)
    return tuple(found.items())


def _groups(cookies: str | None, query: str | None, consent: Mapping[str, Any]) -> Iterator[tuple[str, Group]]:
    if cookies and (jar := open_jar(cookies)):
        yield "cookies.", cookie_group(jar)
        cookiebot = platforms.decode_cookiebot(jar.get("CookieConsent", ""))
        if isinstance(cookiebot, platforms.Cookiebot) and cookiebot.tc:
            yield "cookies.", [("tcf", "CookieConsent.iab2", cookiebot.tc)]
    if query:
        yield from query_groups(query)
    if consent:
        yield from Context(consent).groups.items()
