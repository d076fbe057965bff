"""What a verdict is worth when nobody is sure where the person is.

A source that guesses, or two sources that disagree, may be fine: often the law is the same, or broken, in either place.
Only where the place decides between broken and kept is a violation lowered to a gap: a fact is missing, not a duty.
"""

import msgspec

from detectors.assessment import Assessment, Consent, ConsentDecision, Law, Transfer, TransferStatus
from detectors.classify.origin import WEAK_SOURCES
from topics.finding import Basis
from topics.flow import DataFlow

WEAK = "origin-weak"
CONFLICT = "origin-conflict"
NO_REGISTER = "no-register"

_RAISING = frozenset({TransferStatus.MISSING, TransferStatus.EXPIRED, TransferStatus.PROHIBITED})


def is_doubtful(flow: DataFlow) -> bool:
    """Say whether the place of the person is a guess, or another source names another one."""
    return bool(flow.origin_conflict) or flow.origin.source in WEAK_SOURCES


def at_rival(flow: DataFlow) -> DataFlow | None:
    """Give the flow as it is if the other source is right; None where a single source guesses."""
    return msgspec.structs.replace(flow, origin=flow.origin_rival) if flow.origin_conflict else None


def settled_transfer(transfer: Transfer, rival: Transfer | None) -> Transfer:
    """Keep the verdict on a doubtful flow where the rival place gives a violation too; otherwise say unknown.

    `rival` is the verdict at the other place, None where there is none to ask. A person whose place is in doubt is not
    counted among those whose number decides.
    """
    if transfer.bulk and (rival is None or rival.bulk != transfer.bulk):
        transfer = msgspec.structs.replace(transfer, bulk=(), reason=WEAK if rival is None else CONFLICT)
    if transfer.status not in _RAISING or (rival is not None and rival.status in _RAISING):
        return transfer
    return msgspec.structs.replace(
        transfer, status=TransferStatus.UNKNOWN, reason=WEAK if rival is None else CONFLICT, expired_on=""
    )


def without_register(transfer: Transfer) -> Transfer:
    """Turn what only a register could document into a gap where none is configured: a fact is missing, not a basis."""
    if transfer.status is not TransferStatus.MISSING:
        return transfer
    return msgspec.structs.replace(transfer, status=TransferStatus.UNKNOWN, reason=NO_REGISTER)


def settled_tracking(assessment: Assessment, rival: Assessment | None) -> Assessment:
    """Keep a denial on a doubtful flow where it breaks a law in the rival place too; otherwise say unknown.

    A denial that no law of the first place is about rests on the shop's own promise, which holds everywhere.
    """
    if not _breaks(assessment.consent, assessment.law):
        return assessment
    if rival is not None and _breaks(rival.consent, rival.law):
        return assessment
    consent = assessment.consent
    lowered = Consent(
        reason=WEAK if rival is None else CONFLICT, path=consent.path, conflicts=(consent.signal, *consent.conflicts)
    )
    return msgspec.structs.replace(assessment, consent=lowered)


def _breaks(consent: Consent, law: Law) -> bool:
    """Say whether a denial binds under a law: Global Privacy Control where it must be honoured, others by the regime."""
    if consent.decision is not ConsentDecision.DENIED:
        return False
    if consent.signal == "gpc" and law.regime != "opt-in":
        return law.honours_gpc
    return law.regime != "none"


def settled_law(law: Law, rival: Law | None) -> Law:
    """Give the law that a purchase is judged by where the place is a guess: as far as both places have it, else none.

    What is too much stays so by the shop's own policy. `rival` is the law of the other place, None where there is none to ask.
    """
    if rival is None or not (_minimises(law) and _minimises(rival)):
        return msgspec.structs.replace(
            law, duties=(), exposure=(), basis=Basis.POLICY, strict_minimisation=False, sensitive="none"
        )
    return msgspec.structs.replace(
        law,
        strict_minimisation=law.strict_minimisation and rival.strict_minimisation,
        sensitive=law.sensitive if law.sensitive == rival.sensitive else "none",
    )


def _minimises(law: Law) -> bool:
    return any(duty.endswith("-minimisation") for duty in law.duties)
