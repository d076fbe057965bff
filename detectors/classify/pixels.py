"""Hosts that nobody has listed: what their name, the path and the names of the parameters say about the purpose.

One sign proves nothing: `events.example.com` may sell tickets. A purpose is given only when signs of two kinds agree, and
it stays a likelihood: the recipient is unknown, and the flow says that it was known by its looks.
"""

import re
from functools import lru_cache
from typing import NamedTuple

_WORD = re.compile(r"[a-z]+")
_CACHED = 16_384
_LONGEST_PATH = 512
_LONGEST_QUERY = 4_096
_MOST_PARAMETERS = 64
_ENOUGH = 3
_FACTS = 2
_MANY_FACTS = 4
_MANY_IDENTIFIERS = 3
_KINDS = 2

ADVERTISING = "advertising.targeted"
ANALYTICS = "analytics"


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


_AD_HOST = _listed(
    "ad ads adserver adservice adserv adsrv adsystem adnet adx adtech adview admanager rtb dsp ssp dmp bid bids bidder prebid "
    "retarget retargeting remarketing affiliate affiliates banner banners doubleclick sync usersync idsync cookiesync cm match "
    "usermatch cookiematch pixel pixels px conversion conversions adroll imp impression impressions creative creatives"
)
_MEASURING_HOST = _listed(
    "track tracker trackers tracking trk trck beacon beacons metrics metric stats stat statistics analytics analytic insights "
    "collect collector collectors telemetry counter hit hits rum log logs logger logging events event smetrics webstats "
    "heatmap heatmaps replay sessionreplay session measure measurement ingest"
)
_AD_PATH = _listed(
    "ad ads adserver adserv adjs adframe adview adimg banner banners bid bids bidder auction openrtb rtb prebid vast vpaid imp "
    "impression impressions usersync cookiesync idsync usermatch cookiematch match sync setuid getuid getid retarget retargeting "
    "remarketing rmkt conversion conversions conv affiliate adsync pixelsync partner cms creative delivery syncd"
)
_MEASURING_PATH = _listed(
    "pixel pixels px track tracker tracking trk beacon beacons collect collector analytics stats stat metrics log logs hit hits "
    "counter count rum event events telemetry pageview pageviews pv view ping visit visitor session measure report"
)
_STRONG = _listed(
    "gdpr gdpr_consent us_privacy gpp gpp_sid addtl_consent google_gid google_cver "
    "google_push google_nid fbp fbc _fbp _fbc fbclid gclid gclsrc dclid wbraid gbraid msclkid ttclid twclid epik li_fat_id sccid "
    "_ga _gid gacid uid uuid uidhash guid userid user_id visitorid visitor_id vid cid client_id clientid anonymousid anon_id "
    "partner_uid partneruserid partner_user_id buyer_uid dsp_uid ttd_puid ttd_id idfa gaid aaid maid deviceid device_id did "
    "puid bidder_uid mid ecid d_uuid dpuuid dpid pid pixelid pixel_id ptag sid sessionid session_id"
)
_PAGE_FACTS = _listed(
    "dl dr dt dh dp url u loc location href page pageurl page_url purl ref referer referrer refer rl rf r sr vp sd sw sh scr screen "
    "res resolution tz tzo lang ul title pt ua je fl cb cachebuster cachebust rnd rand random ord nocache bust ts _t z"
)
_ENDPOINTS = (_AD_PATH | _MEASURING_PATH) - _listed(
    "events event session visit visitor view report count partner creative cms ad ads log logs delivery"
)
_REDIRECTS = _listed("redir redirect redirect_uri rurl rd ru cburl callback gdpr_redir r_url")
_TELLING = re.compile(
    r"analytic|metric|track(?:er|ing)|adserv|pixel|beacon|telemetr|retarget|clickstream|webstat|adtech|adnet|affiliat"
)
_SURE_HOST = re.compile(
    r"(?:^|[.-])(?:ads?|adserv(?:er|ing)?|adx|rtb|dsp|ssp|dmp|prebid|pixels?|px|pxl|track|trk|trck|trackers?|tracking|beacons?|s?metrics?|"
    r"analytics?|stats?|statistics|statistik|webstats?|counter|hits?|collect|collectors?|matomo|piwik|plausible|umami|s?gtm|capig|usermatch|idsync|"
    r"usersync|cookiesync|retargeting|affiliates?|telemetry|rum)\d*(?:[.-]|$)|adserv|retarget|webanalytic|pixeltrack|traffic(?!manager|-edge)|metrics(?:[.-]|$)|audience|affilia|"
    # `downloads`, `leads`, `threads` and their like are no ads.
    r"advert|monetiz|programmatic|adexchange|openrtb|statistic|(?<!en)(?<!dis)counter\d*(?:[.-]|$)|"
    r"(?<!lo)(?<!le)(?<!ro)(?<!re)(?<!he)(?<!be)(?<!pa)(?<!nom)(?<!gr)ads(?:[.-]|$)"
)
"""Labels that nobody gives to anything else: they are two signs at once where the host is a third party's."""
_SURE_PATH = _listed(
    "openrtb rtb prebid usersync cookiesync idsync usermatch cookiematch syncd adserver adserv adframe vast vpaid pixelsync adsync setuid getuid "
    "hbid hb_pb bidder bidrequest userbind"
)
_TINY = (".gif", "/pixel", "/px", "/p", "/i", "/t", "/e", "/b")


class Look(NamedTuple):
    """What the looks of a request say."""

    purpose: str
    signs: tuple[str, ...]
    """Kinds of signs, in our words: `host`, `path`, `identifiers`, `page`, `image`, `redirect`."""


def look(host: str, path: str, query: str, cookies: str = "") -> Look | None:
    """Tell the likely purpose of a request to a host that is not known, or None.

    `host` is the part of its name that was chosen for the service: without the public suffix, and for a host of the
    shop's own without the shop's domain.
    """
    lower = path[:_LONGEST_PATH].lower()
    words = set(_WORD.findall(lower))
    on_host, ad_host, sure_host = _host_says(host)
    ad_path = words & _AD_PATH
    on_path = bool(ad_path or words & _MEASURING_PATH)
    if not on_host and not on_path and not query:
        return None
    # `/v2/track.php` is an endpoint for tracking; `/events/berlin` is a page.
    endpoint = on_path and _stem(lower) in _ENDPOINTS
    names = _names(query) | _cookie_names(cookies)
    tiny = lower.endswith(_TINY)
    # What only an advertising system or a counter is called needs no second sign.
    sure = sure_host or bool(words & _SURE_PATH)
    score = 2 * on_host + on_path + endpoint + 2 * sure
    signs = [name for name, there in (("host", on_host), ("path", on_path)) if there]
    identifiers = len(names & _STRONG)
    if identifiers:
        signs.append("identifiers")
        score += 1 + (identifiers >= _MANY_IDENTIFIERS)
    facts = len(names & _PAGE_FACTS)
    if facts >= _FACTS or (facts and identifiers >= _FACTS):
        signs.append("page")
        score += 1 + (facts >= _MANY_FACTS)
    if names & _REDIRECTS and names & _STRONG:
        signs.append("redirect")
        score += 1
    if tiny and (names or lower.endswith(".gif")) and on_path | on_host | bool(identifiers or facts):
        signs.append("image")
        # A picture that is asked for with parameters is there for the parameters.
        score += 1 + (lower.endswith(".gif") and bool(query))
    if score < _ENOUGH or (len(signs) < _KINDS and not sure):
        return None
    advertising = ad_host or ad_path or "redirect" in signs
    return Look(ADVERTISING if advertising else ANALYTICS, tuple(signs))


@lru_cache(_CACHED)
def _host_says(host: str) -> tuple[bool, bool, bool]:
    """Tell whether the name of a host speaks of tracking at all, of advertising, and of nothing else."""
    labels = set(_WORD.findall(host.lower()))
    advertising = bool(labels & _AD_HOST)
    sure = _SURE_HOST.search(host) is not None
    return sure or advertising or bool(labels & _MEASURING_HOST or _TELLING.search(host)), advertising, sure


def _cookie_names(cookies: str) -> set[str]:
    pieces = cookies[:_LONGEST_QUERY].lower().split(";", _MOST_PARAMETERS)
    return {piece.partition("=")[0].strip() for piece in pieces} & _STRONG


def _stem(path: str) -> str:
    """Give the last segment of a path without its ending."""
    return path.rstrip("/").rpartition("/")[2].partition(".")[0]


def _names(query: str) -> set[str]:
    """Give the lower-case names of the parameters; what they say is not looked at."""
    pieces = query[:_LONGEST_QUERY].lower().removeprefix("?").replace(";", "&").split("&", _MOST_PARAMETERS)
    return {piece.partition("=")[0] for piece in pieces}
