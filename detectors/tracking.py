"""Unconsented tracking: personal data sent for advertising, analytics or social purposes against the person's choice.

## What it finds

A disclosure to somebody else than the shop, for a purpose that consent or an opt-out right governs, although a signal
in force at the moment of the event denied it: Global Privacy Control, a US Privacy string, a refusal in the consent
ledger, a TC string without the recipient's own bit; or, where the law asks for consent first, although nobody had given it.
Sensitive data needs a permission of its own where the law says so, and a known minor's data may not be sold or used for targeted
advertising without the consent that the law asks for, or not at all.

## Why it matters

Opt-out signals bind by law in a growing list of US states, and consent comes first in the EU, the UK and others.
Regulators test it the way this detector does: they send the signal and watch the traffic.

## Example

A Californian's browser sent `Sec-GPC: 1`, and the order was still sent to an advertising network by the server.

## What it cannot see

A disclosure that no configured source carries. A person whom the record does not name cannot be looked up in the
ledger: without a signal on the record itself the verdict is then `unknown`, and counted.
"""

from collections.abc import Sequence

from detectors.assessment import Assessment, Consent, Law
from detectors.classify.taxonomy import Taxonomy
from detectors.consent.decide import decide
from detectors.consent.ledger import Choice, Coverage
from topics.finding import Detector
from topics.flow import DataFlow, Role


def assess(
    flow: DataFlow, law: Law, choices: Sequence[Choice], coverage: Coverage, sensitive: tuple[str, ...] = ()
) -> Assessment | None:
    """State what consent says of a flow. None when nobody else receives it: nothing is disclosed then.

    `sensitive` are its kinds of data that need a permission of their own, as `kinds` gives them.
    """
    if flow.role is Role.OWN or not flow.proof:
        return None
    if flow.purpose == "unknown":
        consent = Consent(reason="unknown-recipient")
    else:
        consent = decide(flow, law, choices, coverage, sensitive)
    return Assessment(detector=Detector.UNCONSENTED_TRACKING, flow=flow, law=law, consent=consent)


def kinds(flow: DataFlow, law: Law, taxonomy: Taxonomy) -> tuple[str, ...]:
    """Give the codes under which the law of the place treats data in a flow as sensitive, sorted."""
    return taxonomy.codes_of(flow.categories, law.jurisdiction, law.sensitive_codes)
