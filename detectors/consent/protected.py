"""Sensitive data and known minors: what a choice about a purpose does not cover.

Sensitive data is judged by the regime that the law of the place has for it: consent first (GDPR Art. 9(2)(a) and most US states), notice and a right
to refuse (Utah, Iowa), a right to limit its use (Cal. Civ. Code § 1798.121), or necessity alone, which consent does not replace (Md. Code, Com. Law
§ 14-4707). Consent to advertising is no consent to the use of health data for it: only a grant that names the kind of data counts.

A minor is known where a section of a GPP string says so (KnownChildSensitiveDataConsents), or a flag tells the recipient (`coppa`, `tfcd`, `tfua`). Sale
and targeted advertising then need the consent that the section holds, and below the age of a ban no consent helps.
"""

import msgspec

from detectors.assessment import Consent, ConsentDecision
from detectors.consent.hearing import Question, means_something
from detectors.consent.ledger import Coverage, as_of, has_forgotten
from topics.flow import Role

_SALE = ("advertising", "social")


def of_minor(question: Question) -> Consent | None:
    """Give the denial for a known minor; None where nobody says that the person is one, or somebody consented as the law asks."""
    law = question.law
    if question.flow.purpose.partition(".")[0] not in _SALE:
        return None
    known = [
        (signal, purpose)
        for signal in question.signals
        for purpose in signal.purposes
        if purpose.startswith("minor.") and means_something(signal, law)
    ]
    if not known:
        return None
    banned = next((signal for signal, age in known if _youngest(age) < law.minors_banned_below), None)
    if banned:
        return Consent(
            decision=ConsentDecision.DENIED,
            about="minor",
            signal=banned.kind,
            path=banned.path,
            reason="consent-is-no-cure",
        )
    refused = next((signal for signal, _ in known if signal.says == "denied"), None)
    if refused is None:
        return None
    return Consent(
        decision=ConsentDecision.DENIED, about="minor", signal=refused.kind, path=refused.path, reason="no-consent"
    )


def _youngest(age: str) -> int:
    return int(age.removeprefix("minor.").partition("-")[0])


def of_kinds(codes: tuple[str, ...], question: Question, consent: Consent) -> Consent:
    """Put the question of sensitive data beside the decision about the purpose, and give what weighs more.

    A purpose that is denied stays denied for that reason. Where it is allowed, or nobody can say, a denial for a kind of data is the answer; a
    kind of data of which nobody can say makes what was allowed unknown.
    """
    consent = msgspec.structs.replace(consent, sensitive=codes)
    if consent.decision is ConsentDecision.DENIED:
        return consent
    unknown: Consent | None = None
    for code in codes:
        told = _of_kind(code, question)
        if told is None:
            continue
        if told.decision is ConsentDecision.DENIED:
            return msgspec.structs.replace(told, sensitive=codes, conflicts=_overruled(consent))
        unknown = unknown or told
    if unknown is None or consent.decision is ConsentDecision.UNKNOWN:
        return consent
    return msgspec.structs.replace(unknown, sensitive=codes, conflicts=_overruled(consent))


def _overruled(consent: Consent) -> tuple[str, ...]:
    return () if consent.signal in {"none", "default"} else (consent.signal,)


def _of_kind(code: str, question: Question) -> Consent | None:
    """Give what stands against the use of a kind of data, or None."""
    flow, law, signals, choices, coverage = question
    asked = f"sensitive.{code}"
    said = [signal for signal in signals if asked in signal.purposes and means_something(signal, law)]
    recorded = as_of(choices, asked, flow.at_ms)
    if choices and has_forgotten(choices, recorded[0] if recorded else None, flow.at_ms):
        recorded = None
        coverage = Coverage.FORGOTTEN if coverage is Coverage.READY else coverage
    if recorded is not None and not recorded[1]:
        return Consent(
            decision=ConsentDecision.DENIED,
            about="sensitive",
            signal="ledger",
            path=recorded[0].place,
            at_ms=recorded[0].at_ms,
            reason=code,
            seconds_since_refusal=(flow.at_ms - recorded[0].at_ms) // 1000,
        )
    denied = next((signal for signal in said if signal.says == "denied"), None)
    if denied:
        return Consent(
            decision=ConsentDecision.DENIED, about="sensitive", signal=denied.kind, path=denied.path, reason=code
        )
    if law.sensitive == "necessary_only_no_sale":
        return Consent(decision=ConsentDecision.DENIED, about="sensitive", signal="law", reason=code)
    barred = _barred(code, question)
    if law.sensitive != "opt_in_consent":
        return barred
    granted = any(signal.says == "allowed" for signal in said) or (
        # A grant of everything does not name the kind of data.
        recorded is not None and any(asked.startswith(prefix) for prefix in recorded[0].granted if prefix != "*")
    )
    behind = coverage in {Coverage.LOADING, Coverage.BEHIND, Coverage.FORGOTTEN}
    if granted and not behind:
        return barred
    if coverage is not Coverage.READY or not flow.subjects:
        reason = coverage.value if coverage is not Coverage.READY else "no-subject"
        return Consent(about="sensitive", reason=reason)
    return Consent(decision=ConsentDecision.DENIED, about="sensitive", signal="default", reason=code)


def _barred(code: str, question: Question) -> Consent | None:
    """Give what no consent cures: a kind of data that may not be sold, to somebody who is no processor, for advertising.

    A sale is a disclosure for money or another value, and what was given in return is in no record: a fact is missing.
    """
    flow = question.flow
    sold = flow.role is not Role.PROCESSOR and flow.purpose.partition(".")[0] in _SALE
    if not sold or code not in question.law.unsold_codes:
        return None
    return Consent(about="sensitive", signal="law", reason="sale-unproved")
