"""From signals to a decision: may this recipient use this data for this purpose, at that moment?

Order of precedence, highest first.

1. Global Privacy Control on the record itself, outside opt-in regimes. It speaks of sale, sharing and targeted
   advertising (11 CCR 7025; Colo. 4 CCR 904-3 rule 5.02). Only a grant that the person gave after being told of the
   conflict, on record as such, stands above it (11 CCR 7025(c)(3)).
2. The ledger: the latest choice of the person that speaks of the purpose, at or before the event.
3. Strings and objects on the record, as far as they mean anything where the person is: a TC string under opt-in, the US
   sections of a GPP string in their own state (usnat in all), a US Privacy string in California. A denial among them wins
   over a grant in the ledger towards third parties: they saw the denial. A grant among them does not win over a refusal
   in the ledger: the string is stale.
4. What a tag was told (consent mode): evidence of enforcement, heard only when nothing above speaks.
5. No signal: what the regime says. Opt-in (GDPR Art. 6(1)(a) with ePrivacy Art. 5(3)): denied. Opt-out (US states): allowed.
"""

from collections.abc import Sequence

import msgspec

from detectors.assessment import Consent, ConsentDecision, Law
from detectors.consent.ledger import Choice, Coverage, as_of, has_forgotten
from detectors.consent.refusal import Remark
from topics.flow import DataFlow, Signal

GOVERNED: tuple[str, ...] = ("advertising", "social", "analytics", "marketing")
"""Prefixes of the purposes that consent governs. The others (payment, delivery, …) rest on another legal basis."""

_OPT_OUT_PURPOSES = ("advertising", "social")
"""What the opt-out rights of US states speak of: sale, sharing and targeted advertising."""


def is_governed(purpose: str) -> bool:
    """Tell whether consent or an opt-out right speaks of the purpose at all."""
    return purpose.partition(".")[0] in GOVERNED


_EVIDENCE = frozenset({"gcs", "gcd", "google"})
"""Kinds that say what a tag was told, not what the person chose."""


def decide(flow: DataFlow, law: Law, choices: Sequence[Choice], coverage: Coverage) -> Consent:
    """Decide for one flow. `coverage` says whether the ledger can speak for that moment."""
    consent = _decide(flow, law, choices, coverage)
    if (
        consent.decision is ConsentDecision.DENIED
        and law.regime == "opt-out"
        and any(signal.remark == Remark.RESTRICTED_PROCESSING for signal in flow.signals)
    ):
        # The opt-out travelled with the data as limited data use, under which the recipient says that it acts as a
        # service provider. Whether its contract makes that so is a fact that no record holds.
        return msgspec.structs.replace(consent, decision=ConsentDecision.UNKNOWN, reason="restricted-processing")
    return consent


def _decide(flow: DataFlow, law: Law, choices: Sequence[Choice], coverage: Coverage) -> Consent:
    if not is_governed(flow.purpose):
        return Consent(decision=ConsentDecision.ALLOWED, signal="not-governed")
    recorded = as_of(choices, flow.purpose, flow.at_ms)
    if choices and has_forgotten(choices, recorded[0] if recorded else None, flow.at_ms):
        recorded, coverage = None, Coverage.FORGOTTEN if coverage is Coverage.READY else coverage
    speaking = [signal for signal in flow.signals if speaks(signal, flow.purpose, law)]
    since = (flow.at_ms - recorded[0].at_ms) // 1000 if recorded and not recorded[1] else -1

    gpc = next((signal for signal in speaking if signal.kind == "gpc" and signal.says == "denied"), None)
    if gpc and law.regime != "opt-in":
        if recorded and recorded[1] and recorded[0].after_gpc_notice:
            return _of_choice(recorded[0], ConsentDecision.ALLOWED, conflicts=("gpc",))
        conflicts = ("ledger",) if recorded and recorded[1] else ()
        return Consent(
            decision=ConsentDecision.DENIED,
            signal="gpc",
            path=gpc.path,
            conflicts=conflicts,
            seconds_since_refusal=since,
        )

    said = [signal for signal in speaking if signal.kind != "gpc"]
    said = [signal for signal in said if signal.kind not in _EVIDENCE] or ([] if recorded else said)
    denied = next((signal for signal in said if signal.says == "denied"), None)
    allowed = next((signal for signal in said if signal.says == "allowed"), None)
    if recorded and not recorded[1]:
        conflicts = (allowed.kind,) if allowed else ()
        return _of_choice(recorded[0], ConsentDecision.DENIED, conflicts=conflicts, since=since)
    if denied:
        conflicts = ("ledger",) if recorded else (allowed.kind,) if allowed else ()
        return Consent(decision=ConsentDecision.DENIED, signal=denied.kind, path=denied.path, conflicts=conflicts)
    # A refusal may still be on its way to a ledger that is behind: a grant found in it is not the last word.
    if coverage in {Coverage.LOADING, Coverage.BEHIND, Coverage.FORGOTTEN}:
        return Consent(reason=coverage.value)
    if recorded:
        return _of_choice(recorded[0], ConsentDecision.ALLOWED, conflicts=("gpc",) if gpc else ())
    if allowed:
        return Consent(decision=ConsentDecision.ALLOWED, signal=allowed.kind, path=allowed.path)
    return _without_signal(flow, law, coverage)


def _without_signal(flow: DataFlow, law: Law, coverage: Coverage) -> Consent:
    unreadable = next((s for s in flow.signals if s.says == "unreadable"), None)
    if unreadable and law.regime != "none":
        return Consent(reason="unreadable", path=unreadable.path)
    if not law.jurisdiction:
        return Consent(reason="no-jurisdiction")
    if law.regime != "opt-in":
        return Consent(decision=ConsentDecision.ALLOWED, signal="default", reason="no-signal")
    if coverage is not Coverage.READY:
        return Consent(reason=coverage.value)
    if not flow.subjects:
        return Consent(reason="no-subject")
    return Consent(decision=ConsentDecision.DENIED, signal="default", reason="no-signal")


def speaks(signal: Signal, purpose: str, law: Law) -> bool:
    """Tell whether a signal is about this purpose and means anything under this law."""
    if signal.says not in {"denied", "allowed"}:
        return False
    if not means_something(signal, law):
        return False
    prefixes = signal.purposes or _OPT_OUT_PURPOSES
    return any(purpose == prefix or purpose.startswith(prefix + ".") for prefix in prefixes)


def means_something(signal: Signal, law: Law) -> bool:
    """Tell whether a signal of this kind says anything at all where the person is."""
    if signal.remark == Remark.RESTRICTED_PROCESSING or signal.kind == "dnt":
        return False
    if signal.kind == "usp":
        # A Californian signal (IAB CCPA Compliance Framework): elsewhere it says nothing.
        return law.jurisdiction == "US-CA"
    if signal.kind in {"tcf", "tcf-ca"}:
        return law.regime == "opt-in" if signal.kind == "tcf" else law.jurisdiction.startswith("CA")
    if signal.kind == "gpp":
        section = signal.path.rpartition(".")[2]
        if section.startswith("us"):
            return law.jurisdiction.startswith("US") and section.removeprefix("us") in {
                "nat",
                law.jurisdiction[3:].lower(),
            }
        return law.regime == "opt-in" if section.startswith("tcfeu") else True
    return True


def _of_choice(
    choice: Choice, decision: ConsentDecision, *, conflicts: tuple[str, ...] = (), since: int = -1
) -> Consent:
    return Consent(
        decision=decision,
        signal="ledger",
        path=choice.place,
        at_ms=choice.at_ms,
        conflicts=conflicts,
        seconds_since_refusal=since,
        refused_by_signal=since >= 0 and choice.source == "gpc",
    )
