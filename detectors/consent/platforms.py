"""From consent platforms' cookies and events' own objects to what they say of our purposes."""

from collections.abc import Callable, Mapping
from typing import Any

from detectors.consent import cookies, objects
from detectors.consent.refusal import Reason, Refusal, Remark
from detectors.consent.summaries import ADVERTISING, TRACKING, refused
from topics.flow import Signal

Categories = Mapping[str, tuple[str, ...]]
"""A platform's category (id or name, lower case) to prefixes of our purposes. Each tenant names its own."""

DEFAULT_CATEGORIES: Categories = {
    "c0002": ("analytics",),
    "c0003": ("functional",),
    "c0004": ("advertising",),
    "c0005": ("social",),
    "advertising": ("advertising",),
    "advertisement": ("advertising",),
    "targeting": ("advertising",),
    "marketing": ("advertising",),
    "analytics": ("analytics",),
    "statistics": ("analytics",),
    "performance": ("analytics",),
    "functional": ("functional",),
    "preferences": ("functional",),
    "social": ("social",),
    "socialmedia": ("social",),
    "datasharing": ADVERTISING,
}
"""The platforms' own defaults."""

_CHOICE = ""


def _of_categories(
    kind: str,
    path: str,
    states: Mapping[str, bool],
    categories: Categories,
    *,
    hold: Remark | None = None,
    at_ms: int = 0,
) -> tuple[Signal, ...]:
    """Give a signal for each of our purposes; several categories of one purpose must all allow. `hold`: no choice."""
    by_purpose: dict[tuple[str, ...], bool] = {}
    for name, state in states.items():
        purposes = categories.get(name.lower())
        if purposes is not None:
            by_purpose[purposes] = by_purpose.get(purposes, True) and state
    if hold is None:
        return tuple(
            Signal(kind, "allowed" if state else "denied", path, each, "", at_ms) for each, state in by_purpose.items()
        )
    return tuple(
        Signal(kind, "not-applicable", path, each, _held(hold, granted=state)) for each, state in by_purpose.items()
    )


def _held(remark: Remark, *, granted: bool) -> str:
    if remark is Remark.DEFAULT_GRANTED and not granted:
        return Remark.DEFAULT_DENIED.value
    return remark.value


def from_platform_cookies(jar: Mapping[str, str], categories: Categories) -> tuple[Signal, ...]:
    """Read the cookies of every known platform in a jar of names and raw values."""
    found: tuple[Signal, ...] = ()
    for name, read in _COOKIES.items():
        if name in jar:
            found += read(name, jar, categories)
    return found


def _onetrust(name: str, jar: Mapping[str, str], categories: Categories) -> tuple[Signal, ...]:
    path = f"cookies.{name}"
    decoded = cookies.decode_onetrust(jar[name])
    if isinstance(decoded, Refusal):
        return refused("onetrust", path, decoded, TRACKING)
    # Before the banner is closed the groups are the tenant's defaults.
    closed = jar.get("OptanonAlertBoxClosed", "")
    hold = None if closed else Remark.DEFAULT_GRANTED
    found = _of_categories("onetrust", path, decoded.groups or {}, categories, hold=hold, at_ms=cookies.moment(closed))
    if decoded.gpc:
        found = (Signal("onetrust", "denied", path, ADVERTISING, Remark.GPC.value), *found)
    return found


def _cookiebot(name: str, jar: Mapping[str, str], categories: Categories) -> tuple[Signal, ...]:
    path = f"cookies.{name}"
    decoded = cookies.decode_cookiebot(jar[name])
    if isinstance(decoded, Refusal):
        return refused("cookiebot", path, decoded, TRACKING)
    if isinstance(decoded, cookies.CookiebotOutside):
        remark = Remark.NO_BANNER if decoded.outside_region else Remark.UNVERIFIED
        return (Signal("cookiebot", "not-applicable", path, TRACKING, remark.value),)
    states = {
        "preferences": decoded.preferences,
        "statistics": decoded.statistics,
        "marketing": decoded.marketing,
    }
    hold = Remark.IMPLIED if decoded.method == "implied" else None
    return _of_categories("cookiebot", path, states, categories, hold=hold, at_ms=decoded.utc_ms or 0)


def _trustarc(name: str, jar: Mapping[str, str], _categories: Categories) -> tuple[Signal, ...]:
    read = cookies.decode_trustarc_permit if name == "cmapi_cookie_privacy" else cookies.decode_trustarc_prefs
    path = f"cookies.{name}"
    decoded = read(jar[name])
    if isinstance(decoded, Refusal):
        return refused("trustarc", path, decoded, ADVERTISING)
    implied = decoded.implied
    if implied is None:
        implied = jar.get("notice_behavior", "").startswith("implied")
    granted = 2 in decoded.levels
    if implied:
        return (Signal("trustarc", "not-applicable", path, ("advertising",), Remark.IMPLIED.value),)
    return (Signal("trustarc", "allowed" if granted else "denied", path, ("advertising",)),)


def _didomi(name: str, jar: Mapping[str, str], _categories: Categories) -> tuple[Signal, ...]:
    path = f"cookies.{name}"
    decoded = cookies.decode_didomi(jar[name])
    if isinstance(decoded, Refusal):
        return refused("didomi", path, decoded, TRACKING)
    return (Signal("didomi", "not-applicable", path, TRACKING, Remark.UNVERIFIED.value),)


def _commanders_act(name: str, jar: Mapping[str, str], _categories: Categories) -> tuple[Signal, ...]:
    path = f"cookies.{name}"
    decoded = cookies.decode_commanders_act(jar[name])
    if isinstance(decoded, Refusal):
        return refused("commanders-act", path, decoded, TRACKING)
    if decoded.opted_out:
        return (Signal("commanders-act", "denied", path, TRACKING),)
    return (Signal("commanders-act", "allowed", path, TRACKING, Remark.CATEGORIES_UNREAD.value),)


def _opaque(name: str, jar: Mapping[str, str], _categories: Categories) -> tuple[Signal, ...]:
    if not jar[name]:
        return ()
    kind = "didomi" if name == "didomi_dcs" else "osano"
    return (Signal(kind, "unreadable", f"cookies.{name}", TRACKING, Remark.OPAQUE.value),)


_COOKIES: Mapping[str, Callable[[str, Mapping[str, str], Categories], tuple[Signal, ...]]] = {
    "OptanonConsent": _onetrust,
    "CookieConsent": _cookiebot,
    "notice_gdpr_prefs": _trustarc,
    "cmapi_cookie_privacy": _trustarc,
    "didomi_token": _didomi,
    "didomi_dcs": _opaque,
    "osano_consentmanager": _opaque,
    "TC_PRIVACY": _commanders_act,
}


def from_object(key: str, value: Mapping[str, Any], path: str, categories: Categories) -> tuple[Signal, ...]:
    """Read one object of an event by its key (lower case) and shape; nothing where it is none of those known."""
    if "categoryPreferences" in value:
        return _named("segment", objects.decode_segment(value), f"{path}.categoryPreferences", categories)
    if "allowedConsentIds" in value or "deniedConsentIds" in value:
        return _named("rudderstack", objects.decode_rudderstack(value), path, categories)
    if key == "consent_preferences":
        return _snowplow(objects.decode_snowplow(value), value, path)
    if key == "consents":
        return _xdm(objects.decode_xdm(value), path)
    if key == "consent" and any(name in value for name in ("ad_user_data", "ad_storage", "analytics_storage")):
        return _google(objects.decode_google_consent(value), path)
    return ()


def _named(kind: str, states: dict[str, bool] | Refusal, path: str, categories: Categories) -> tuple[Signal, ...]:
    return (
        refused(kind, path, states, TRACKING)
        if isinstance(states, Refusal)
        else _of_categories(kind, path, states, categories)
    )


def _snowplow(state: str | Refusal, value: Mapping[str, Any], path: str) -> tuple[Signal, ...]:
    if isinstance(state, Refusal):
        return refused("snowplow", path, state, TRACKING)
    if state == "denied":
        return (Signal("snowplow", "denied", path, TRACKING),)
    if state == "granted" and "allow_all" in (value.get("eventType"), value.get("event_type")):
        return (Signal("snowplow", "allowed", path, TRACKING),)
    remark = {"implied": Remark.IMPLIED, "granted": Remark.CATEGORIES_UNREAD}.get(state, Remark.NO_CHOICE)
    return (Signal("snowplow", "not-applicable", path, TRACKING, remark.value),)


_XDM_PURPOSES = {
    "collect": ("analytics",),
    "share": ADVERTISING,
    "adID": ("advertising.targeted",),
    "marketing.any": ("marketing",),
    "marketing.email": ("marketing.email",),
}
_XDM_SAYS = {
    "y": ("allowed", ""),
    "n": ("denied", ""),
    "dy": ("not-applicable", Remark.DEFAULT_GRANTED.value),
    "dn": ("not-applicable", Remark.DEFAULT_DENIED.value),
}


def _xdm(states: dict[str, str] | Refusal, path: str) -> tuple[Signal, ...]:
    if isinstance(states, Refusal):
        # An object of this name with none of the places is somebody else's.
        return () if states.reason is Reason.FORM else refused("xdm", path, states, TRACKING)
    no_choice = ("not-applicable", Remark.NO_CHOICE.value)
    found = []
    for place, purposes in _XDM_PURPOSES.items():
        if place in states:
            says, remark = _XDM_SAYS.get(states[place], no_choice)
            found.append(Signal("xdm", says, f"{path}.{place}", purposes, remark))
    return tuple(found)


_GOOGLE_PURPOSES = (
    (("advertising.targeted",), ("ad_storage", "ad_user_data", "ad_personalization")),
    (("analytics",), ("analytics_storage",)),
)


def _google(states: dict[str, bool] | Refusal, path: str) -> tuple[Signal, ...]:
    if isinstance(states, Refusal):
        return refused("google", path, states, TRACKING)
    found = []
    for purposes, names in _GOOGLE_PURPOSES:
        said = [states[name] for name in names if name in states]
        if said:
            says = "allowed" if all(said) else "denied"
            found.append(Signal("google", says, path, purposes))
    return tuple(found)


def from_age_flag(value: Any, path: str, ages: tuple[str, ...]) -> tuple[Signal, ...]:
    """Read a flag that tells the recipient that the person is a child, or too young to consent (`coppa`, `tfcd`, `tfua`)."""
    if value not in (1, "1", "true", True):
        return ()
    return (Signal("child", "denied", path, ages, Remark.CHILD_DIRECTED.value),)


def from_limited_use(value: Any, path: str, *, key: str) -> tuple[Signal, ...]:
    """Read Meta's `data_processing_options` or TikTok's `limited_data_use`: an opt-out that is passed on to them."""
    if key == "limited_data_use":
        limited: bool | Refusal = value if isinstance(value, bool) else Refusal(Reason.TYPE)
    else:
        limited = objects.decode_meta_options(value)
    if isinstance(limited, Refusal):
        return refused("ldu", path, limited)
    return (Signal("ldu", "denied", path, ADVERTISING, Remark.RESTRICTED_PROCESSING.value),) if limited else ()
