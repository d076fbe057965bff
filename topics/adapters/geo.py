"""Where a person is, as the edge in front of a gateway tells it in headers, or as an event says itself.

Header names are those that the vendors document: Amazon CloudFront, Cloudflare (IP geolocation and "visitor location headers"), Vercel,
Google App Engine, Akamai EdgeScape. Codes are ISO 3166-1 alpha-2 and ISO 3166-2. The values are as trustworthy as the edge that sets them.
"""

import re
from functools import lru_cache
from typing import Any, NamedTuple

from topics.adapters.reading import Headers

_CODES = """
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY
BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK
FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR
IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK
ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM
PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF
TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
"""
_COUNTRIES = frozenset(_CODES.split())
_NAMES = {
    "united states": "US",
    "united states of america": "US",
    "usa": "US",
    "united kingdom": "GB",
    "great britain": "GB",
    "uk": "GB",
    "canada": "CA",
    "germany": "DE",
    "france": "FR",
    "italy": "IT",
    "spain": "ES",
    "netherlands": "NL",
    "ireland": "IE",
    "austria": "AT",
    "switzerland": "CH",
    "brazil": "BR",
}
_LONGEST = 64
_SUBDIVISION = re.compile(r"[A-Z0-9]{1,3}")
_PAIRS = (
    ("cloudfront-viewer-country", "cloudfront-viewer-country-region"),
    ("cf-ipcountry", "cf-region-code"),
    ("x-vercel-ip-country", "x-vercel-ip-country-region"),
    ("x-appengine-country", "x-appengine-region"),
)
_EDGESCAPE = "x-akamai-edgescape"
_ANY_OF_THEM = frozenset({_EDGESCAPE, *(country for country, _ in _PAIRS)})
HEADERS = frozenset({_EDGESCAPE, *(name for pair in _PAIRS for name in pair)})
"""Names of the headers that are read here."""


class Located(NamedTuple):
    """A country and, where known, the part of it; both None when nothing tells them."""

    country: str | None = None
    subdivision: str | None = None
    source: str | None = None


NOWHERE = Located()


def located(country: Any, region: Any, source: str) -> Located:
    """Give ISO codes of a country (a code, or the English name of a common one) and of a region of it (`CA` or `US-CA`)."""
    if type(country) is not str or len(country) > _LONGEST:
        return NOWHERE
    return _located(country, region if type(region) is str and len(region) <= _LONGEST else "", source)


@lru_cache(maxsize=4_096)
def _located(country: str, region: str, source: str) -> Located:
    code = country.strip().upper()
    if code not in _COUNTRIES:
        code = _NAMES.get(country.strip().lower(), "")
        if not code:
            return NOWHERE
    part = region.strip().upper().removeprefix(f"{code}-")
    return Located(code, f"{code}-{part}" if _SUBDIVISION.fullmatch(part) else None, source)


def from_headers(headers: Headers) -> Located:
    """Read the geo headers of the edge; the first vendor that names a real country counts."""
    if _ANY_OF_THEM.isdisjoint(headers):
        return NOWHERE
    for country, region in _PAIRS:
        if country in headers:
            found = located(headers[country][0], headers.get(region, (None,))[0], "gateway-geo")
            if found.country:
                return found
    if _EDGESCAPE in headers:
        pairs = dict(pair.partition("=")[::2] for pair in headers[_EDGESCAPE][0].split(",", 32))
        return located(pairs.get("country_code"), pairs.get("region_code"), "gateway-geo")
    return NOWHERE
