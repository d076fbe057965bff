"""From decoded strings of the standards to what they say of our purposes, vendor by vendor left aside."""

from collections.abc import Mapping
from typing import Any

from detectors.consent import google, gpc, gpp, tcf, usp
from detectors.consent.refusal import Reason, Refusal, Remark
from detectors.consent.tcf_ca import TcfCanada
from detectors.consent.us_sections import UsSection
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
        return (Signal("usp", "not-applicable", path, ADVERTISING, remark),)
    if decoded.notice is usp.Answer.YES:
        return (Signal("usp", "allowed", path, ADVERTISING, remark),)
    return (Signal("usp", "not-applicable", path, ADVERTISING, Remark.NO_NOTICE.value),)


def from_tcf(text: str, path: str, *, gdpr_denied: bool = False, at_ms: int = 0) -> tuple[Signal, ...]:
    """Read a TC string; `gdpr_denied` tells that `gdpr=0` came with it, which every signal then carries as its remark.

    At a known time (0: not known) a string that is too old, or lacks the segment that its day demands, allows nothing;
    what it denies stays denied. One from the future says nothing at all.
    """
    decoded = tcf.decode(text)
    if isinstance(decoded, Refusal):
        return refused("tcf", path, decoded, TRACKING)
    found = _of_tcf(decoded, path, at_ms)
    if gdpr_denied:
        return tuple(Signal(one.kind, one.says, one.path, one.purposes, Remark.GDPR_0.value) for one in found)
    return found


def _of_tcf(decoded: tcf.TcString, path: str, at_ms: int) -> tuple[Signal, ...]:
    doubt = tcf.doubt(decoded, at_ms or decoded.updated_ms)
    if doubt is Remark.WITHOUT_DISCLOSED_VENDORS and not at_ms:
        doubt = None
    if doubt in {Remark.NOT_SERVICE_SPECIFIC, Remark.FUTURE}:
        return (Signal("tcf", "unreadable", path, TRACKING, doubt.value),)
    shown = decoded.purposes | (decoded.purposes_li & tcf.LEGITIMATE_INTEREST)
    if decoded.purpose_one_treatment:
        shown |= {1}
    restricted = {each.purpose for each in decoded.restrictions}
    found = []
    for purposes, needed in TCF_NEEDS:
        remark = ""
        if not needed <= shown:
            says, remark = "denied", doubt.value if doubt else ""
        elif doubt:
            says, remark = "unreadable", doubt.value
        elif decoded.purpose_one_treatment:
            says, remark = "not-applicable", Remark.PURPOSE_ONE_TREATMENT.value
        else:
            says, remark = "allowed", Remark.RESTRICTIONS.value if needed & restricted else ""
        found.append(Signal("tcf", says, path, purposes, remark))
    return tuple(found)


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


def from_gpp(text: str, path: str, *, in_force: frozenset[int] | None = None, at_ms: int = 0) -> tuple[Signal, ...]:
    """Read a GPP string, a signal or more for each section; `in_force` are the ids of `gpp_sid`, None where it is absent.

    The section's name ends the path (`query.gpp.usca`), so that a decision can pick the one of the person's state.
    """
    decoded = gpp.decode(text)
    if isinstance(decoded, Refusal):
        return refused("gpp", path, decoded)
    found: list[Signal] = []
    for each, section in decoded.sections.items():
        place = f"{path}.{gpp.SECTION_NAMES[each]}"
        signals = _of_section(each, section, place, at_ms)
        if in_force is not None and each not in in_force:
            signals = tuple(
                Signal(one.kind, "not-applicable", one.path, one.purposes, Remark.NOT_IN_FORCE.value) for one in signals
            )
        found += signals
    return tuple(found)


def _of_section(section_id: int, section: gpp.Section, path: str, at_ms: int) -> tuple[Signal, ...]:
    if isinstance(section, Refusal):
        kind = {1: "tcf", 2: "tcf", 5: "tcf-ca", 6: "usp"}.get(section_id, "gpp")
        return refused(kind, path, section, TRACKING if kind.startswith("tcf") else ADVERTISING)
    if isinstance(section, UsSection):
        return _of_us(section, path)
    if isinstance(section, tcf.TcString):
        return _of_tcf(section, path, at_ms)
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
