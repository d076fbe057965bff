"""A purchase whose person's place is a guess: what is too much stays so, and rests on law only where both places have it."""

import msgspec

from detectors.assess import assess
from detectors.assessment import Assessment
from detectors.classify.origin import IP_DATABASE
from detectors.consent.ledger import Coverage
from monitor.context import load_shipped
from topics.finding import Basis, Detector
from topics.flow import DataFlow, Field, Place, Role, Step

AT_MS = 1_795_000_000_000
BORN = DataFlow(
    item=0,
    location="collection",
    at_ms=AT_MS,
    recipient="own",
    role=Role.OWN,
    step=Step.SHIPPING,
    fields=(Field("body.dob", "user.demographic.date_of_birth"),),
    categories=("user.demographic.date_of_birth",),
)


def judged(origin: Place, rival: Place | None = None) -> Assessment:
    flow = msgspec.structs.replace(BORN, origin=origin)
    if rival is not None:
        flow = msgspec.structs.replace(flow, origin_conflict="country", origin_rival=rival)
    found = assess(flow, None, load_shipped(domains=["shop.example"]), (), Coverage.READY)
    (mine,) = [each for each in found if each.detector is Detector.CHECKOUT_OVER_COLLECTION]
    assert mine.checkout.unneeded == ("user.demographic.date_of_birth",)
    return mine


def place(country: str, subdivision: str = "", source: str = "declared-address") -> Place:
    return Place(country=country, subdivision=subdivision, source=source)


def test_a_told_place_makes_it_law() -> None:
    assert judged(place("DE")).law.basis is Basis.LAW
    assert judged(place("US", "US-MD")).law.strict_minimisation


def test_a_guessed_place_leaves_it_to_policy() -> None:
    law = judged(place("US", "US-MD", IP_DATABASE)).law
    assert (law.basis, law.duties, law.strict_minimisation, law.sensitive) == (Basis.POLICY, (), False, "none")
    assert law.jurisdiction == "US-MD"


def test_two_places_that_both_have_the_duty_leave_it_law_and_the_milder_standard_counts() -> None:
    assert judged(place("DE"), place("FR")).law.basis is Basis.LAW
    maryland = judged(place("US", "US-MD"), place("US", "US-VA")).law
    assert (maryland.basis, maryland.strict_minimisation) == (Basis.LAW, False)
    assert judged(place("DE"), place("US", "US-GA")).law.basis is Basis.POLICY
