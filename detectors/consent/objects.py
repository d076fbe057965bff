"""Consent objects that events carry themselves. A missing category says nothing; only true booleans count."""

from collections.abc import Mapping
from itertools import islice
from typing import Any

from detectors.consent.refusal import Reason, Refusal

_MAX_ENTRIES = 256
_LONGEST_NAME = 256


def decode_segment(consent: Any) -> dict[str, bool] | Refusal:
    """Decode `context.consent.categoryPreferences` of Segment's events: category to allowed."""
    if not isinstance(consent, Mapping):
        return Refusal(Reason.TYPE)
    preferences = consent.get("categoryPreferences")
    if not isinstance(preferences, Mapping) or len(preferences) > _MAX_ENTRIES:
        return Refusal(Reason.TYPE)
    if not all(_is_name(key) and isinstance(value, bool) for key, value in preferences.items()):
        return Refusal(Reason.VALUE)
    return dict(preferences)


def _is_name(key: Any) -> bool:
    return isinstance(key, str) and len(key) <= _LONGEST_NAME


def decode_rudderstack(management: Any) -> dict[str, bool] | Refusal:
    """Decode `context.consentManagement` of RudderStack's events: id to allowed. The denied list wins; case matters."""
    if not isinstance(management, Mapping):
        return Refusal(Reason.TYPE)
    states: dict[str, bool] = {}
    for name, state in (("allowedConsentIds", True), ("deniedConsentIds", False)):
        ids = management.get(name, [])
        # Some SDKs print an object with number keys for an empty list.
        if isinstance(ids, Mapping) and not ids:
            continue
        if not isinstance(ids, list | tuple) or len(ids) > _MAX_ENTRIES or not all(map(_is_name, ids)):
            return Refusal(Reason.VALUE)
        states.update(dict.fromkeys(ids, state))
    if not {"allowedConsentIds", "deniedConsentIds"} & management.keys():
        return Refusal(Reason.FORM)
    return states


_SNOWPLOW = {
    "allow_all": "granted",
    "allow_selected": "granted",
    "deny_all": "denied",
    "withdrawn": "denied",
    "pending": "unknown",
    "expired": "unknown",
    "implicit_consent": "implied",
}


def decode_snowplow(preferences: Any) -> str | Refusal:
    """Decode a `consent_preferences` event of Snowplow: granted, denied, unknown or implied. It feeds a ledger."""
    if not isinstance(preferences, Mapping):
        return Refusal(Reason.TYPE)
    kind = preferences.get("eventType", preferences.get("event_type"))
    if not isinstance(kind, str):
        return Refusal(Reason.FORM)
    state = _SNOWPLOW.get(kind)
    return Refusal(Reason.VALUE) if state is None else state


_XDM_PLACES = (
    ("collect",),
    ("share",),
    ("adID",),
    ("personalize", "content"),
    ("marketing", "any"),
    ("marketing", "email"),
    ("marketing", "push"),
    ("marketing", "sms"),
)
_XDM_VALUES = frozenset({"y", "n", "p", "u", "dy", "dn", "VI", "LI", "CT", "CP", "PI"})


def decode_xdm(consents: Any) -> dict[str, str] | Refusal:
    """Decode the `consents` object of Adobe's XDM: dotted place to its `val`. `dy` and `dn` are defaults."""
    if not isinstance(consents, Mapping):
        return Refusal(Reason.TYPE)
    found: dict[str, str] = {}
    for place in _XDM_PLACES:
        node: Any = consents
        for key in place:
            node = node.get(key) if isinstance(node, Mapping) else None
        value = node.get("val") if isinstance(node, Mapping) else None
        if value is None:
            continue
        if not isinstance(value, str) or value not in _XDM_VALUES:
            return Refusal(Reason.VALUE)
        found[".".join(place)] = value
    return found or Refusal(Reason.FORM)


def decode_meta_options(options: Any) -> bool | Refusal:
    """Decode Meta's `data_processing_options`: True where it asks for limited data use, `[]` asks for nothing."""
    if isinstance(options, bool):
        return options
    if isinstance(options, str):
        options = [options] if options else []
    if not isinstance(options, list | tuple):
        return Refusal(Reason.TYPE)
    return any(isinstance(each, str) and each.strip().upper() == "LDU" for each in islice(options, 16))


_GOOGLE_TYPES = ("ad_storage", "analytics_storage", "ad_user_data", "ad_personalization")


def decode_google_consent(consent: Any) -> dict[str, bool] | Refusal:
    """Decode a `consent` object with Google's consent types, `granted` or `denied` in either case."""
    if not isinstance(consent, Mapping):
        return Refusal(Reason.TYPE)
    found: dict[str, bool] = {}
    for name in _GOOGLE_TYPES:
        value = consent.get(name)
        if value is None:
            continue
        state = {"granted": True, "denied": False}.get(value.lower()) if isinstance(value, str) else None
        if state is None:
            return Refusal(Reason.VALUE)
        found[name] = state
    return found or Refusal(Reason.FORM)
