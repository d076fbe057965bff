"""Identifiers that travel in cookies: known by the cookie's name alone, never by what it holds."""

from collections.abc import Mapping
from functools import lru_cache

_CACHED = 8_192
_LONGEST_CACHED = 2_048
_LONGEST = 8_192
_MOST = 128
COOKIE = "user.device.cookie_id"
CLICK = "user.unique_id.click_id"


def _listed(words: str) -> list[str]:
    return words.split()


_NAMES: Mapping[str, str] = {
    **dict.fromkeys(
        _listed(
            "_ga _gid __utma __utmz _fbp _ttp _uetvid _uetsid muid ide dsid nid anid tdid tdcpm uuid2 "
            "_pin_unauth _scid _sctr _rdt_uuid bcookie guest_id personalization_id cto_bundle cto_lwid tuuid "
            "ajs_anonymous_id ajs_user_id rl_anonymous_id amcv s_vi s_fid s_ecid demdex dextp everest_g_v2 _hjid "
            "_clck muidb optimizelyenduserid _vwo_uuid _vwo_uuid_v2 __hstc hubspotutk _mkto_trk __kla_id __stripe_mid "
            "intercom-id __qca _cc_id _pk_id _sp_id yandexuid _ym_uid _ym_d visitor_id "
            "khaos __adroll _kuid_ driftt_aid"
        ),
        COOKIE,
    ),
    **dict.fromkeys(_listed("_gcl_aw _gcl_au _gcl_dc _gcl_gb _fbc _uetmsclkid _epik _ttclid _twclid li_fat_id"), CLICK),
}
"""Names of cookies, lower case, as their vendors document them."""
_STEMS: tuple[tuple[str, str], ...] = (
    ("_ga_", COOKIE),
    ("_gac_", CLICK),
    ("_pk_id", COOKIE),
    ("_sp_id", COOKIE),
    ("_hjsessionuser", COOKIE),
    ("amcv_", COOKIE),
    ("mp_", COOKIE),
    ("amp_", COOKIE),
    ("ph_phc_", COOKIE),
    ("wt3_", COOKIE),
    ("_clsk", COOKIE),
    ("intercom-id", COOKIE),
)


def categories_in(cookies: str) -> frozenset[str]:
    """Give the categories of the identifiers that a Cookie header carries, by the names of its cookies."""
    # A browser sends the same cookies again and again.
    return _categories_in(cookies) if len(cookies) <= _LONGEST_CACHED else _categories_in.__wrapped__(cookies)


@lru_cache(_CACHED)
def _categories_in(cookies: str) -> frozenset[str]:
    found: set[str] = set()
    for pair in cookies[:_LONGEST].lower().split(";", _MOST):
        name, _, value = pair.strip().partition("=")
        if not value:
            continue
        category = _NAMES.get(name)
        if category is None and name:
            category = next((each for stem, each in _STEMS if name.startswith(stem)), None)
        if category is not None:
            found.add(category)
    return frozenset(found)
