"""From signals to a decision: may this recipient use this data for this purpose, at that moment?

Order of precedence, highest first.

1. Global Privacy Control on the record itself, outside opt-in regimes. It speaks of sale, sharing and targeted
   advertising (11 CCR 7025; Colo. 4 CCR 904-3 rule 5.02). Only a grant that the person gave after being told of the
   conflict, for this purpose and on record as such, stands above it (11 CCR 7025(c)(3)).
2. A refusal in the ledger that is the latest choice of the person about the purpose, at or before the event. A string on the
   record that allows is stale then (`stale_string`).
3. Strings and objects on the record, as far as they mean anything where the person is: a TC string under opt-in, the US
   sections of a GPP string (those that `gpp_sid` names where they fit the place, else that of the person's state, else the
   national one; IAB GPP implementation guide), a US Privacy string in California. A denial among them stands unless a
   grant on record is later beyond doubt; then it still stands towards third parties, who saw the denial
   (`string_denies`), and no longer for a processor. What cannot be put in order goes to the denial (`unordered_conflict`).
4. A grant in the ledger, then one on the record.
5. What a tag was told (consent mode): evidence of enforcement, heard only when nothing above speaks, and a remark where it
   contradicts (`enforcement_mismatch`).
6. No signal: what the regime says of the purpose. Consent first (GDPR Art. 6(1)(a) with ePrivacy Art. 5(3)): denied.
   A right to refuse (US states): allowed.

Sensitive data and known minors have questions of their own (`detectors.consent.protected`): a minor's is asked first, that of
the data where the purpose as such is not denied.
"""

from collections.abc import Sequence

import msgspec

from detectors.assessment import Consent, ConsentDecision, Law
from detectors.consent.hearing import Question, heard, is_governed, is_named, means_something, speaks
from detectors.consent.ledger import Choice, Coverage, as_of, has_forgotten
from detectors.consent.order import asked_again, standing
from detectors.consent.protected import of_kinds, of_minor
from detectors.consent.refusal import Remark
from topics.flow import DataFlow, Role, Signal

_EVIDENCE = frozenset({"gcs", "gcd", "google"})
"""Kinds that say what a tag was told, not what the person chose."""

_OPEN = frozenset({Remark.INTEREST_UNDECLARED.value, Remark.PURPOSE_ONE_TREATMENT.value})
"""Remarks of a signal that holds an answer which nobody can read off it."""

_TOLD = frozenset(
    {
        Remark.GDPR_0.value,
        Remark.GPC_VS_FIELD.value,
        Remark.NO_NOTICE.value,
        Remark.DECLARED_NOT_DONE.value,
        Remark.NONE_IN_FORCE.value,
        Remark.SAID_NOT_TO_APPLY.value,
        Remark.DEFAULT_DENIED.value,
        Remark.DEFAULT_GRANTED.value,
        Remark.IMPLIED.value,
        Remark.NOT_IN_FORCE.value,
        Remark.CONFLICT.value,
        Remark.NOT_THE_VENDOR.value,
        Remark.NOT_DISCLOSED.value,
        Remark.PUBLISHER_FORBIDS.value,
        Remark.INTEREST_UNDECLARED.value,
        Remark.PURPOSE_ONE_TREATMENT.value,
        Remark.STALE.value,
        Remark.WITHOUT_DISCLOSED_VENDORS.value,
        Remark.AMBIGUOUS_LAYOUT.value,
        Remark.UNKNOWN_SECTION_VERSION.value,
    }
)
"""Remarks of signals that belong to the proof of a decision."""

_NOT_THE_LAST_WORD = frozenset({Coverage.LOADING, Coverage.BEHIND, Coverage.FORGOTTEN})
"""Coverages under which a refusal may be missing from what the ledger gave."""

_NOT_GOVERNED = Consent(decision=ConsentDecision.ALLOWED, signal="not-governed")


def decide(
    flow: DataFlow, law: Law, choices: Sequence[Choice], coverage: Coverage, sensitive: tuple[str, ...] = ()
) -> Consent:
    """Decide for one flow. `coverage` says whether the ledger can speak for that moment, `sensitive` are the codes of its kinds of data."""
    if not is_governed(flow.purpose):
        return _NOT_GOVERNED
    if choices:
        return _decide(flow, law, choices, coverage, sensitive)
    # Without a choice on record the same signals under the same law decide alike, and both are the very same objects again and again: a
    # finder keeps its tuples and a law pack its laws. Remembered, a decision costs a tenth (tests/bench/consent.py).
    key = (
        id(flow.signals),
        id(law),
        flow.purpose,
        flow.role is Role.PROCESSOR,
        id(coverage),
        not flow.subjects,
        sensitive,
    )
    known = _REMEMBERED.get(key)
    if known is not None and known[0] is flow.signals and known[1] is law:
        return known[2]
    consent = _decide(flow, law, choices, coverage, sensitive)
    if len(_REMEMBERED) >= _MOST_REMEMBERED:
        _REMEMBERED.clear()
    _REMEMBERED[key] = flow.signals, law, consent
    return consent


def forget() -> None:
    """Forget all decisions; for measuring what one costs."""
    _REMEMBERED.clear()


_MOST_REMEMBERED = 16_384
_REMEMBERED: dict[tuple[object, ...], tuple[tuple[Signal, ...], Law, Consent]] = {}
"""Decisions by the identity of what they were made from, which is kept so that no other object can take its place."""


def _decide(
    flow: DataFlow, law: Law, choices: Sequence[Choice], coverage: Coverage, sensitive: tuple[str, ...]
) -> Consent:
    if not flow.signals:
        question = Question(flow, law, (), choices, coverage)
        consent = _of_ledger(question)
        return of_kinds(sensitive, question, consent) if sensitive else consent
    question = Question(flow, law, heard(flow.signals, law), choices, coverage)
    minor = of_minor(question)
    if minor is not None:
        return _passed_on(minor, flow, law)
    consent = _of_purpose(question)
    return _passed_on(of_kinds(sensitive, question, consent) if sensitive else consent, flow, law)


def _passed_on(consent: Consent, flow: DataFlow, law: Law) -> Consent:
    """Lower a denial that travelled with the data: the recipient was told to act on it.

    Under limited data use the recipient says that it acts as a service provider, and under a child's flag that it does not profile. Whether
    its contract makes that so is a fact that no record holds.
    """
    if consent.decision is not ConsentDecision.DENIED:
        return consent
    if consent.about == "minor":
        told = any(signal.remark == Remark.CHILD_DIRECTED for signal in flow.signals)
    else:
        told = law.regime == "opt-out" and any(signal.remark == Remark.RESTRICTED_PROCESSING for signal in flow.signals)
    if not told:
        return consent
    return msgspec.structs.replace(consent, decision=ConsentDecision.UNKNOWN, reason="restricted-processing")


def _of_ledger(question: Question) -> Consent:
    """Decide where the record itself says nothing."""
    question, recorded = _looked_up(question)
    if recorded is None:
        if question.coverage in _NOT_THE_LAST_WORD:
            return Consent(reason=question.coverage.value)
        return _by_regime(question, set())
    if recorded[1]:
        if question.coverage in _NOT_THE_LAST_WORD:
            return Consent(reason=question.coverage.value)
        if question.law.jurisdiction == "US-CA" and asked_again(recorded[0], question.choices, question.flow.purpose):
            return _of_choice(question, recorded, {"asked_again"}, ())
    return _of_choice(question, recorded, set(), ())


def _of_purpose(question: Question) -> Consent:
    question, recorded = _looked_up(question)
    flow, law, signals, choices, _ = question
    remarks = {each.remark for each in signals if each.remark in _TOLD and _is_about(each, flow.purpose, law)}
    speaking = [signal for signal in signals if speaks(signal, flow.purpose, law)]
    gpc = next((signal for signal in speaking if signal.kind == "gpc"), None)
    if gpc and law.regime != "opt-in":
        return _of_gpc(question, gpc, recorded, remarks)
    said = [signal for signal in speaking if signal.kind != "gpc" and signal.kind not in _EVIDENCE]
    evidence = [signal for signal in speaking if signal.kind in _EVIDENCE]
    if not said and recorded is None:
        said, evidence = evidence, []
    if any((each.says == "allowed") != _may(recorded, said) for each in evidence):
        remarks.add("enforcement_mismatch")
    if recorded is not None and not recorded[1]:
        stale = next((signal for signal in said if signal.says == "allowed"), None)
        if stale:
            remarks.add("stale_string")
        return _of_choice(question, recorded, remarks, (stale.kind,) if stale else ())
    denied = standing(said, recorded[0] if recorded else None, flow.role, remarks)
    if denied:
        against = "ledger" if recorded else next((each.kind for each in said if each.says == "allowed"), "")
        return _of_signal(denied, remarks, (against,) if against else ())
    # A refusal may still be on its way to a ledger that is behind: a grant found in it is not the last word.
    if question.coverage in _NOT_THE_LAST_WORD:
        return Consent(reason=question.coverage.value, remarks=tuple(sorted(remarks)))
    if recorded is not None:
        if law.jurisdiction == "US-CA" and asked_again(recorded[0], choices, flow.purpose):
            remarks.add("asked_again")
        return _of_choice(question, recorded, remarks, ("gpc",) if gpc else ())
    allowed = next((signal for signal in said if signal.says == "allowed"), None)
    return _of_signal(allowed, remarks, ("gpc",) if gpc else ()) if allowed else _by_regime(question, remarks)


def _looked_up(question: Question) -> tuple[Question, tuple[Choice, bool] | None]:
    """Give the choice in force; where it may be one that the ledger does not hold any more, none, and the coverage says so."""
    flow, choices = question.flow, question.choices
    if not choices:
        return question, None
    recorded = as_of(choices, flow.purpose, flow.at_ms)
    if not has_forgotten(choices, recorded[0] if recorded else None, flow.at_ms):
        return question, recorded
    if question.coverage is Coverage.READY:
        question = question._replace(coverage=Coverage.FORGOTTEN)
    return question, None


def _of_gpc(question: Question, gpc: Signal, recorded: tuple[Choice, bool] | None, remarks: set[str]) -> Consent:
    if recorded and recorded[1]:
        grant = recorded[0]
        named = [prefix for prefix in grant.granted if prefix != "*"]
        if grant.after_gpc_notice and named and is_named(named, question.flow.purpose):
            return _of_choice(question, recorded, remarks, ("gpc",))
    consent = _of_signal(gpc, remarks, ("ledger",) if recorded and recorded[1] else ())
    if recorded and not recorded[1]:
        since = (question.flow.at_ms - recorded[0].at_ms) // 1000
        return msgspec.structs.replace(consent, seconds_since_refusal=since)
    return consent


def _may(recorded: tuple[Choice, bool] | None, said: list[Signal]) -> bool:
    """Tell what follows from choices alone: what a tag was told is held against it."""
    return recorded[1] if recorded is not None else all(signal.says == "allowed" for signal in said)


def _is_about(signal: Signal, purpose: str, law: Law) -> bool:
    return means_something(signal, law) and is_named(signal.purposes, purpose)


def _by_regime(question: Question, remarks: set[str]) -> Consent:
    """Give what holds where nobody said anything that counts."""
    flow, law, signals, _, coverage = question
    told = tuple(sorted(remarks))
    first = law.regime == "opt-in" and (not law.consent_for or is_named(law.consent_for, flow.purpose))
    if signals and law.regime != "none":
        unread = next((each for each in signals if each.says == "unreadable"), None)
        if unread:
            return Consent(reason="unreadable", path=unread.path, remarks=told)
        unsettled = next(
            (each for each in signals if each.remark in _OPEN and _is_about(each, flow.purpose, law)), None
        )
        if unsettled and first:
            return Consent(reason=unsettled.remark.replace("_", "-"), path=unsettled.path, remarks=told)
    if not law.jurisdiction:
        return Consent(reason="no-jurisdiction", remarks=told)
    if not first:
        # What a signal leaves open is allowed where the law gives a right to refuse, and told.
        reason = told[0].replace("_", "-") if told else "no-signal"
        return Consent(decision=ConsentDecision.ALLOWED, signal="default", reason=reason, remarks=told)
    if coverage is not Coverage.READY:
        return Consent(reason=coverage.value, remarks=told)
    if not flow.subjects:
        return Consent(reason="no-subject", remarks=told)
    return Consent(decision=ConsentDecision.DENIED, signal="default", reason="no-signal", remarks=told)


def _of_signal(signal: Signal, remarks: set[str], conflicts: tuple[str, ...]) -> Consent:
    return Consent(
        decision=ConsentDecision.ALLOWED if signal.says == "allowed" else ConsentDecision.DENIED,
        signal=signal.kind,
        path=signal.path,
        at_ms=signal.at_ms,
        conflicts=conflicts,
        remarks=tuple(sorted(remarks)),
    )


def _of_choice(
    question: Question, recorded: tuple[Choice, bool], remarks: set[str], conflicts: tuple[str, ...]
) -> Consent:
    choice, granted = recorded
    return Consent(
        decision=ConsentDecision.ALLOWED if granted else ConsentDecision.DENIED,
        signal="ledger",
        path=choice.place,
        at_ms=choice.at_ms,
        conflicts=conflicts,
        remarks=tuple(sorted(remarks)),
        seconds_since_refusal=-1 if granted else (question.flow.at_ms - choice.at_ms) // 1000,
        refused_by_signal=not granted and choice.source == "gpc",
    )


__all__ = ["decide", "is_governed", "means_something", "speaks"]
