"""Cookies of consent platforms, as their samples show them. The decoded state, not the decision: a default stays a default.

Usercentrics keeps its state in the browser's local storage, so no request carries it. Osano's cookie and Didomi's
`didomi_dcs` are closed formats. All three speak through TC strings, consent mode or the event's own objects.
"""

import re
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import unquote, unquote_plus

import msgspec

from detectors.consent.litter import is_heavy, is_litter
from detectors.consent.refusal import Reason, Refusal

_MAX_ENTRIES = 256


class OneTrust(msgspec.Struct, frozen=True, kw_only=True):
    """`OptanonConsent`. Whether the groups are a choice is told by another cookie, `OptanonAlertBoxClosed`."""

    groups: Mapping[str, bool] | None
    """By group id, of which each tenant has its own; None: not in the cookie."""
    gpc: bool | None
    interactions: int | None
    awaiting_reconsent: bool | None


class Cookiebot(msgspec.Struct, frozen=True, kw_only=True):
    """`CookieConsent`."""

    necessary: bool
    preferences: bool
    statistics: bool
    marketing: bool
    method: str | None
    """`explicit` or `implied`; None in older cookies. Implied is no choice."""
    utc_ms: int | None
    tc: str | None = None
    """A TC string inside."""


class CookiebotOutside(msgspec.Struct, frozen=True):
    """`CookieConsent` without a state."""

    outside_region: bool
    """True: no banner is shown where the person is. False: declined, or not known which (unverified)."""


class TrustArc(msgspec.Struct, frozen=True, kw_only=True):
    """`notice_gdpr_prefs` or `cmapi_cookie_privacy`, both counted from 0: required, functional, advertising."""

    levels: tuple[int, ...]
    implied: bool | None
    """None: not said."""


class Didomi(msgspec.Struct, frozen=True, kw_only=True):
    """`didomi_token` (unverified): ids of purposes switched on and off."""

    enabled: frozenset[str]
    disabled: frozenset[str]


class CommandersAct(msgspec.Struct, frozen=True):
    """`TC_PRIVACY`."""

    opted_out: bool


_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_BITS = {"1": True, "0": False, "true": True, "false": False}
_ONETRUST_KEYS = frozenset({"groups", "isGpcEnabled", "datestamp", "consentId", "interactionCount", "hosts"})


def decode_onetrust(text: str) -> OneTrust | Refusal:
    """Decode `OptanonConsent`: form-encoded pairs in any order, raw, encoded, or encoded twice."""
    if is_heavy(text):
        return Refusal(Reason.TOO_LONG)
    if "=" not in text:
        text = unquote(text)
    if "=" not in text:
        text = unquote(text)
    pairs: dict[str, str] = {}
    for part in text.split("&", _MAX_ENTRIES)[:_MAX_ENTRIES]:
        key, _, value = part.partition("=")
        pairs.setdefault(key.strip(), unquote_plus(value))
    if not pairs.keys() & _ONETRUST_KEYS:
        return _no_form(text)
    groups = _groups(pairs["groups"]) if "groups" in pairs else None
    if isinstance(groups, Refusal):
        return groups
    count = pairs.get("interactionCount", "")
    return OneTrust(
        groups=groups,
        gpc=_BITS.get(pairs.get("isGpcEnabled", "")),
        interactions=int(count) if count.isascii() and count.isdigit() and len(count) < 10 else None,
        awaiting_reconsent=_BITS.get(pairs.get("AwaitingReconsent", "")),
    )


def _groups(text: str) -> dict[str, bool] | Refusal:
    if "%" in text:
        text = unquote(text)
    groups: dict[str, bool] = {}
    for item in text.split(",") if text.strip() else ():
        name, _, state = item.strip().rpartition(":")
        if _ID.fullmatch(name) is None or state not in {"0", "1"} or len(groups) >= _MAX_ENTRIES:
            return Refusal(Reason.VALUE)
        if groups.setdefault(name, state == "1") != (state == "1"):
            return Refusal(Reason.VALUE)
    return groups


_PAIR = re.compile(r"([a-z0-9]+):('[^']*'|[^,'{}]*)(?:,[\s+]*|$)")
_COOKIEBOT_FLAGS = ("necessary", "preferences", "statistics", "marketing")


def decode_cookiebot(text: str) -> Cookiebot | CookiebotOutside | Refusal:
    """Decode `CookieConsent`: an object with bare keys and single quotes, which is not JSON; or `-1` or `0`."""
    if is_heavy(text):
        return Refusal(Reason.TOO_LONG)
    text = _unquoted(text)
    if text in {"-1", "0"}:
        return CookiebotOutside(outside_region=text == "-1")
    if text.startswith("{stamp:") and not text.endswith("}"):
        return Refusal(Reason.TRUNCATED)
    if not (text.startswith("{") and text.endswith("}")):
        return _no_form(text)
    body, at = text[1:-1].strip(" +"), 0
    pairs: dict[str, str] = {}
    while at < len(body):
        match = _PAIR.match(body, at)
        if match is None or match[1] in pairs:
            return Refusal(Reason.FORM)
        pairs[match[1]] = match[2].strip("'")
        at = match.end()
    flags = [{"true": True, "false": False}.get(pairs.get(name, "")) for name in _COOKIEBOT_FLAGS]
    necessary, preferences, statistics, marketing = flags
    if necessary is None or preferences is None or statistics is None or marketing is None:
        return Refusal(Reason.VALUE)
    utc = pairs.get("utc", "")
    method = pairs.get("method")
    if method is not None and method not in {"explicit", "implied"}:
        return Refusal(Reason.VALUE)
    return Cookiebot(
        necessary=necessary,
        preferences=preferences,
        statistics=statistics,
        marketing=marketing,
        # The stamp of -1 marks implied consent in cookies too old to name the method.
        method=method or ("implied" if pairs.get("stamp") == "-1" else None),
        utc_ms=int(utc) if utc.isascii() and utc.isdigit() and len(utc) < 15 else None,
        tc=pairs.get("iab2") or None,
    )


_PREFS = re.compile(
    r"((?:[0-9](?:[,|][0-9]){0,9})?):([A-Za-z0-9_-]{0,128})(?::(implied|expressed)(?:,[a-z_-]{0,16})?)?"
)
_PERMIT = re.compile(r"permit[ _+]([1-9](?:[,|][1-9]){0,8})(?:[ _+]required)?")


def decode_trustarc_prefs(text: str) -> TrustArc | Refusal:
    """Decode `notice_gdpr_prefs`: `0,1,2:` with an optional hash and `:implied,eu` behind it."""
    return _trustarc(_PREFS, text, 0)


def decode_trustarc_permit(text: str) -> TrustArc | Refusal:
    """Decode `cmapi_cookie_privacy`: `permit 1,2,3`, `permit 1 required`, `permit_1|2|3`, levels from 1."""
    return _trustarc(_PERMIT, text, 1)


def _trustarc(form: re.Pattern[str], text: str, first: int) -> TrustArc | Refusal:
    if len(text) > 1_024:
        return Refusal(Reason.TOO_LONG)
    text = _unquoted(text)
    match = form.fullmatch(text.strip('"'))
    if match is None:
        return _no_form(text)
    levels = {int(level) - first for level in re.findall("[0-9]", match[1])}
    mode = match[3] if form is _PREFS else None
    return TrustArc(levels=tuple(sorted(levels)), implied=None if mode is None else mode == "implied")


class _DidomiIds(msgspec.Struct):
    enabled: list[str] = []
    disabled: list[str] = []


class _DidomiToken(msgspec.Struct):
    purposes: _DidomiIds


def decode_didomi(text: str) -> Didomi | Refusal:
    """Decode `didomi_token`: JSON in base64."""
    if is_heavy(text):
        return Refusal(Reason.TOO_LONG)
    text = unquote(text).strip().rstrip("=")
    if not text or is_litter(text):
        return _no_form(text)
    try:
        raw = a2b_base64(text.translate(str.maketrans("-_", "+/")) + "=" * (-len(text) % 4), strict_mode=True)
        purposes = msgspec.json.decode(raw, type=_DidomiToken).purposes
    except (Base64Error, ValueError, msgspec.MsgspecError, RecursionError):
        return Refusal(Reason.FORM)
    # An id on both lists was not granted.
    disabled = frozenset(purposes.disabled)
    return Didomi(enabled=frozenset(purposes.enabled) - disabled, disabled=disabled)


def decode_commanders_act(text: str) -> CommandersAct | Refusal:
    """Decode `TC_PRIVACY`, whose first part is inverted: 1 opted out, 0 opted in."""
    if is_heavy(text):
        return Refusal(Reason.TOO_LONG)
    text = _unquoted(text)
    status, mark, _ = text.partition("@")
    if not mark or status not in {"0", "1"}:
        return _no_form(text)
    return CommandersAct(opted_out=status == "1")


def moment(text: str) -> int:
    """Read the time of `OptanonAlertBoxClosed` (ISO 8601, UTC) in milliseconds since the epoch; 0 where it is none."""
    if not 20 <= len(text := _unquoted(text[:64])) <= 32:
        return 0
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return 0
    return max(0, int(at.timestamp() * 1000)) if at.tzinfo else 0


def _unquoted(text: str) -> str:
    for _ in range(2):
        if "%" in text:
            text = unquote(text)
    return text.strip()


def _no_form(text: str) -> Refusal:
    text = text.strip()
    if not text:
        return Refusal(Reason.EMPTY)
    return Refusal(Reason.LITTER if is_litter(text) else Reason.FORM)
