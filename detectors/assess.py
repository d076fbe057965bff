"""All assessors on one flow: the facts that rules are asked about, in a fixed order."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from detectors import checkout, recipients, tracking, transfers
from detectors.assessment import Assessment, ConsentDecision, TransferStatus
from detectors.classify.knowledge import Knowledge
from detectors.classify.needs import NeedTable
from detectors.consent.ledger import Choice, Coverage
from detectors.doubt import at_rival, is_doubtful, settled_law, settled_tracking, settled_transfer, without_register
from detectors.drift import NOTHING_APPEARED, Appeared
from detectors.law.pack import LawPack
from detectors.register import RegisterEntry
from topics.finding import Detector
from topics.flow import DataFlow


class Knowing(Protocol):
    """What flows are assessed by."""

    @property
    def know(self) -> Knowledge: ...
    @property
    def law(self) -> LawPack: ...
    @property
    def needs(self) -> NeedTable: ...


def assess(
    flow: DataFlow,
    entry: RegisterEntry | None,
    by: Knowing,
    choices: Sequence[Choice],
    coverage: Coverage,
    appeared: Appeared = NOTHING_APPEARED,
) -> list[Assessment]:
    """State what every assessor has to say of a flow.

    `choices` are those of its person, `entry` is its recipient's, `appeared` is what its endpoint never had before.
    """
    found: list[Assessment] = []
    taxonomy = by.know.taxonomy
    law = by.law.law_for(flow.origin.country, flow.origin.subdivision, flow.at_ms)
    doubtful = is_doubtful(flow)
    rival = at_rival(flow) if doubtful else None
    tracked = tracking.assess(flow, law, choices, coverage, tracking.kinds(flow, law, taxonomy))
    if tracked is not None:
        transfer = transfers.assess(flow, entry, by.law, flow.at_ms)
        if doubtful:
            elsewhere = there = None
            if rival is not None:
                other = by.law.law_for(rival.origin.country, rival.origin.subdivision, flow.at_ms)
                elsewhere = tracking.assess(rival, other, choices, coverage, tracking.kinds(rival, other, taxonomy))
                there = transfers.assess(rival, entry, by.law, flow.at_ms)
            tracked = settled_tracking(tracked, elsewhere)
            transfer = settled_transfer(transfer, there)
        if not by.know.has_register:
            transfer = without_register(transfer)
        found.append(tracked)
        found.append(Assessment(detector=Detector.CROSS_JURISDICTION_TRANSFER, flow=flow, law=law, transfer=transfer))
    if by.know.has_register:
        agreement = recipients.assess(flow, entry, flow.at_ms)
        if agreement is not None:
            found.append(Assessment(detector=Detector.UNDOCUMENTED_RECIPIENT, flow=flow, law=law, agreement=agreement))
    if checkout.is_concerned(flow, by.needs) or appeared.categories:
        if doubtful:
            place = rival.origin if rival is not None else None
            law = settled_law(law, by.law.law_for(place.country, place.subdivision, flow.at_ms) if place else None)
        needed = checkout.assess(flow, law, by.needs, taxonomy, appeared)
        found.append(Assessment(detector=Detector.CHECKOUT_OVER_COLLECTION, flow=flow, law=law, checkout=needed))
    return found


def unknowns(assessments: Iterable[Assessment]) -> Iterable[tuple[Detector, str]]:
    """Give what could not be decided, and why."""
    for each in assessments:
        if each.detector is Detector.UNCONSENTED_TRACKING and each.consent.decision is ConsentDecision.UNKNOWN:
            yield each.detector, each.consent.reason or "unknown"
        elif each.detector is Detector.CROSS_JURISDICTION_TRANSFER and each.transfer.status is TransferStatus.UNKNOWN:
            yield each.detector, each.transfer.reason or "unknown"
        elif each.detector is Detector.CHECKOUT_OVER_COLLECTION and each.flow.uninspectable:
            yield each.detector, f"uninspectable-{each.flow.uninspectable[0]}"
