"""From decoded strings of the standards to what they say of our purposes, of kinds of data and of minors."""

from collections.abc import Mapping
from typing import Any

import msgspec

from detectors.consent import google, gpc, gpp, tcf, usp, vendors
from detectors.consent.protected_fields import CHILDREN, KINDS
from detectors.consent.refusal import Reason, Refusal, Remark
from detectors.consent.tcf_ca import TcfCanada
from detectors.consent.us_sections import US_SECTIONS, UsSection
from topics.flow import Signal

ADVERTISING = ("advertising", "social")
"""What an opt-out of sale, sharing and targeted advertising speaks of."""
TRACKING = ("advertising", "social", "analytics")

TCF_NEEDS: tuple[tuple[tuple[str, ...], frozenset[int]], ...] = (
    (("advertising.targeted",), frozenset({1, 2, 3, 4})),
    (("advertising.measurement",), frozenset({1, 7})),
    (("analytics",), frozenset({1, 8})),
)
"""Our purposes and the TCF purposes that each needs, all of them. Canada numbers them alike."""

_GOOGLE_NEEDS: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("advertising.targeted",), ("ad_storage", "ad_user_data", "ad_personalization")),
    (("advertising.measurement",), ("ad_storage", "ad_user_data")),
    (("analytics",), ("analytics_storage",)),
)


def refused(kind: str, path: str, refusal: Refusal, purposes: tuple[str, ...] = ADVERTISING) -> tuple[Signal, ...]:
    """Tell that a signal could not be read; nothing at all where nothing was written."""
    if refusal.reason is Reason.EMPTY:
        return ()
    return (Signal(kind, "unreadable", path, purposes, refusal.reason.value),)


def from_gpc(value: Any, path: str) -> tuple[Signal, ...]:
    """Read a GPC value in an event's context."""
    state = gpc.decode_value(value)
    if state is gpc.Gpc.OPT_OUT:
        return (Signal("gpc", "denied", path, ADVERTISING),)
    if state is gpc.Gpc.NONE:
        return ()
    return (Signal("gpc", "unreadable", path, ADVERTISING, Remark.NONCONFORMING.value),)


def from_usp(text: str, path: str) -> tuple[Signal, ...]:
    """Read a US Privacy string: a refusal, an allowance after notice, or no choice."""
    decoded = usp.decode(text)
    return refused("usp", path, decoded) if isinstance(decoded, Refusal) else _of_usp(decoded, path)


def _of_usp(decoded: usp.Usp, path: str) -> tuple[Signal, ...]:
    remark = decoded.remark.value if decoded.remark else ""
    if decoded.opted_out is usp.Answer.YES:
        return (Signal("usp", "denied", path, ADVERTISING, remark),)
    if decoded.opted_out is usp.Answer.NOT_APPLICABLE:
        return (Signal("usp", "not-applicable", path, ADVERTISING, Remark.SAID_NOT_TO_APPLY.value),)
    if decoded.notice is usp.Answer.YES:
        return (Signal("usp", "allowed", path, ADVERTISING, remark),)
    return (Signal("usp", "not-applicable", path, ADVERTISING, Remark.NO_NOTICE.value),)


def from_tcf(
    text: str, path: str, *, gdpr_denied: bool = False, at_ms: int = 0, vendor: int = vendors.NOBODY_IN_PARTICULAR
) -> tuple[Signal, ...]:
    """Read a TC string, for one vendor where its id is known (`detectors.consent.vendors`).

    `gdpr_denied` tells that `gdpr=0` came with it, which every signal then carries as its remark.

    At a known time (0: not known) a string that is too old, or lacks the segment that its day demands, allows nothing;
    what it denies stays denied. One from the future says nothing at all.
    """
    decoded = tcf.decode(text)
    if isinstance(decoded, Refusal):
        return refused("tcf", path, decoded, TRACKING)
    found = _of_tcf(decoded, path, at_ms, vendor)
    if gdpr_denied:
        return tuple(msgspec.structs.replace(one, remark=Remark.GDPR_0.value) for one in found)
    return found


def _of_tcf(decoded: tcf.TcString, path: str, at_ms: int, vendor: int) -> tuple[Signal, ...]:
    doubt = tcf.doubt(decoded, at_ms or decoded.updated_ms)
    if doubt is Remark.WITHOUT_DISCLOSED_VENDORS and not at_ms:
        doubt = None
    if doubt in {Remark.NOT_SERVICE_SPECIFIC, Remark.FUTURE}:
        return (Signal("tcf", "unreadable", path, TRACKING, doubt.value),)
    found = []
    for purposes, needed in TCF_NEEDS:
        says, remark = _for_all(decoded, needed, vendor)
        if says != "denied" and doubt:
            says, remark = "unreadable", doubt
        elif says == "denied" and doubt:
            remark = doubt
        found.append(Signal("tcf", says, path, purposes, remark.value if remark else "", decoded.updated_ms))
    if not doubt:
        located = "allowed" if _PRECISE_LOCATION in decoded.special_features else "denied"
        found.append(Signal("tcf", located, path, ("sensitive.precise_geolocation",), "", decoded.updated_ms))
    return tuple(found)


_PRECISE_LOCATION = 1


def _for_all(decoded: tcf.TcString, needed: frozenset[int], vendor: int) -> tuple[str, Remark | None]:
    """Put together what a string says of each purpose that is needed: one denial denies, one doubt leaves it open."""
    # Purpose 1 that was not disclosed was not refused either.
    untold = 1 in needed and decoded.purpose_one_treatment
    asked = needed - {1} if untold else needed
    remark = Remark.PURPOSE_ONE_TREATMENT if untold else None
    if vendor == vendors.NOBODY_IN_PARTICULAR:
        if not asked <= decoded.purposes | (decoded.purposes_li & tcf.LEGITIMATE_INTEREST):
            return "denied", None
        if untold:
            return "not-applicable", remark
        restricted = not needed.isdisjoint({each.purpose for each in decoded.restrictions})
        return "allowed", Remark.RESTRICTIONS if restricted else None
    answers = [vendors.says(decoded, purpose, vendor) for purpose in sorted(asked)]
    for wanted in ("denied", "not-applicable"):
        told = [why for says, why in answers if says == wanted]
        if told:
            return wanted, next((why for why in told if why), None)
    return ("not-applicable", remark) if untold else ("allowed", None)


def _of_canada(decoded: TcfCanada, path: str) -> tuple[Signal, ...]:
    if Remark.AMBIGUOUS_LAYOUT in decoded.remarks:
        return (Signal("tcf-ca", "unreadable", path, TRACKING, Remark.AMBIGUOUS_LAYOUT.value),)
    found = []
    for purposes, needed in TCF_NEEDS:
        if not needed <= decoded.purposes_express | decoded.purposes_implied:
            found.append(Signal("tcf-ca", "denied", path, purposes))
        elif needed <= decoded.purposes_express:
            found.append(Signal("tcf-ca", "allowed", path, purposes))
        else:
            found.append(Signal("tcf-ca", "not-applicable", path, purposes, Remark.IMPLIED.value))
    return tuple(found)


def from_gpp(
    text: str,
    path: str,
    *,
    in_force: frozenset[int] | None = None,
    at_ms: int = 0,
    vendor: int = vendors.NOBODY_IN_PARTICULAR,
) -> tuple[Signal, ...]:
    """Read a GPP string, a signal or more for each section; `in_force` are the ids of `gpp_sid`, None where it is absent.

    The section's name ends the path (`query.gpp.usca`), so that a decision can pick the one of the person's state. What stands in a section that
    `gpp_sid` does not name carries that as its remark: it is heard only where what is named cannot be right. `-1` silences all.
    """
    decoded = gpp.decode(text)
    if isinstance(decoded, Refusal):
        return refused("gpp", path, decoded)
    found: list[Signal] = []
    beside_states = any(each in US_SECTIONS and each != _NATIONAL for each in decoded.sections)
    for each, section in decoded.sections.items():
        place = f"{path}.{gpp.SECTION_NAMES[each]}"
        signals = _of_section(each, section, place, at_ms, vendor)
        if in_force == _NONE:
            silent, remark = {"says": "not-applicable"}, Remark.NONE_IN_FORCE.value
            signals = tuple(msgspec.structs.replace(one, **silent, remark=remark) for one in signals)
        elif each not in in_force if in_force is not None else each == _NATIONAL and beside_states:
            signals = tuple(msgspec.structs.replace(one, remark=Remark.NOT_IN_FORCE.value) for one in signals)
        found += signals
    return tuple(found)


_NONE = frozenset({-1})
_NATIONAL = 7


def _of_section(section_id: int, section: gpp.Section, path: str, at_ms: int, vendor: int) -> tuple[Signal, ...]:
    if isinstance(section, Refusal):
        kind = {1: "tcf", 2: "tcf", 5: "tcf-ca", 6: "usp"}.get(section_id, "gpp")
        return refused(kind, path, section, TRACKING if kind.startswith("tcf") else ADVERTISING)
    if isinstance(section, UsSection):
        return _of_us(section, path) + _of_kinds(section, path) + _of_children(section, path)
    if isinstance(section, tcf.TcString):
        return _of_tcf(section, path, at_ms, vendor)
    if isinstance(section, TcfCanada):
        return _of_canada(section, path)
    return _of_usp(section, path)


_OPT_OUTS = (
    ("SaleOptOut", "SaleOptOutNotice"),
    ("SharingOptOut", "SharingOptOutNotice"),
    ("TargetedAdvertisingOptOut", "TargetedAdvertisingOptOutNotice"),
)


def _of_us(section: UsSection, path: str) -> tuple[Signal, ...]:
    if section.gpc:
        contradicted = any(section.fields.get(name) == 2 for name, _ in _OPT_OUTS)
        remark = Remark.GPC_VS_FIELD if contradicted else Remark.GPC
        return (Signal("gpp", "denied", path, ADVERTISING, remark.value),)
    if Remark.UNKNOWN_SECTION_VERSION in section.remarks:
        return (Signal("gpp", "unreadable", path, ADVERTISING, Remark.UNKNOWN_SECTION_VERSION.value),)
    said = {name: _opt_out(section.fields, name, notice) for name, notice in _OPT_OUTS if name in section.fields}
    sale = _worst([said[name] for name in ("SaleOptOut", "SharingOptOut") if name in said])
    # California has no field for targeted advertising: sharing is its word for it.
    targeted = _worst([sale, said.get("TargetedAdvertisingOptOut", said.get("SharingOptOut", sale))])
    if targeted == sale:
        return (Signal("gpp", sale[0], path, ADVERTISING, sale[1]),)
    return (
        Signal("gpp", targeted[0], path, ("advertising.targeted",), targeted[1]),
        Signal("gpp", sale[0], path, ("advertising.measurement", "social"), sale[1]),
    )


def _of_kinds(section: UsSection, path: str) -> tuple[Signal, ...]:
    """Read what a section says of kinds of data: 1 is no consent or an opt-out, 2 the contrary, all else says nothing."""
    values = section.fields.get("SensitiveDataProcessing")
    if not isinstance(values, tuple) or Remark.UNKNOWN_SECTION_VERSION in section.remarks:
        return ()
    found = []
    for says, wanted in (("denied", 1), ("allowed", 2)):
        codes = [
            code for codes, value in zip(KINDS[section.name], values, strict=False) if value == wanted for code in codes
        ]
        if codes:
            found.append(Signal("gpp", says, path, tuple(f"sensitive.{code}" for code in codes)))
    return tuple(found)


def _of_children(section: UsSection, path: str) -> tuple[Signal, ...]:
    """Read what a section says of a known minor, by ages: 1 is no consent, 2 consent; 0 says that nobody is known to be one."""
    values = section.fields.get("KnownChildSensitiveDataConsents")
    if values is None or Remark.UNKNOWN_SECTION_VERSION in section.remarks:
        return ()
    ages = CHILDREN.get(section.name, ("minor.0-12",))
    listed = values if isinstance(values, tuple) else (values,)
    found = []
    for says, wanted in (("denied", 1), ("allowed", 2)):
        known = dict.fromkeys(age for age, value in zip(ages, listed, strict=False) if value == wanted)
        if known:
            found.append(Signal("gpp", says, path, tuple(known)))
    return tuple(found)


def _opt_out(fields: Mapping[str, Any], name: str, notice_name: str) -> tuple[str, str]:
    # 3 is undefined in every field and read as 0.
    value, notice = fields[name] % 3, fields.get(notice_name, 0) % 3
    if value == 1:
        return "denied", ""
    if notice == 2:
        return "not-applicable", Remark.NO_NOTICE.value
    if value == 2:
        return "allowed", ""
    return "not-applicable", (Remark.NO_CHOICE if notice else Remark.DECLARED_NOT_DONE).value


def _worst(said: list[tuple[str, str]]) -> tuple[str, str]:
    return min(said, key=lambda each: ("denied", "not-applicable", "allowed").index(each[0]))


def from_gcd(text: str, path: str) -> tuple[Signal, ...]:
    """Read Google's `gcd`: only what a person's act made of the consent types is a choice."""
    decoded = google.decode_gcd(text)
    if isinstance(decoded, Refusal):
        return refused("gcd", path, decoded, TRACKING)
    found = []
    for purposes, names in _GOOGLE_NEEDS:
        states: list[google.State] = [getattr(decoded, name) for name in names]
        if any(state.update is False for state in states):
            found.append(Signal("gcd", "denied", path, purposes))
        elif all(state.update for state in states):
            found.append(Signal("gcd", "allowed", path, purposes))
        elif all(state.effective is None for state in states):
            found.append(Signal("gcd", "not-applicable", path, purposes, Remark.NO_CHOICE.value))
        else:
            granted = all(state.effective for state in states)
            remark = Remark.DEFAULT_GRANTED if granted else Remark.DEFAULT_DENIED
            found.append(Signal("gcd", "not-applicable", path, purposes, remark.value))
    return tuple(found)


def from_gcs(text: str, path: str) -> tuple[Signal, ...]:
    """Read Google's `gcs`, which hides whether a person acted: a denied state is respected, a granted one proves nothing."""
    decoded = google.decode_gcs(text)
    if isinstance(decoded, Refusal):
        return refused("gcs", path, decoded, TRACKING)
    states = ((("advertising",), decoded.ad_storage), (("analytics",), decoded.analytics_storage))
    return tuple(
        Signal("gcs", "denied" if state is False else "not-applicable", path, purposes, Remark.ACT_UNKNOWN.value)
        for purposes, state in states
        if state is not None
    )
