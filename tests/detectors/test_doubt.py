"""A place in doubt lowers a violation to a gap only where it decides whether there is one."""

import pytest

from detectors import tracking, transfers
from detectors.assessment import Assessment, Consent, ConsentDecision, Law, Transfer, TransferStatus
from detectors.consent.ledger import Coverage
from detectors.doubt import at_rival, is_doubtful, settled_tracking, settled_transfer, without_register
from tests.detectors.law.shipped import pack
from topics.finding import Basis, Detector
from topics.flow import DataFlow, Place, Role, Signal

NOON = 1_793_620_800_000  # 2026-11-02 12:00 UTC
RAISING = (TransferStatus.MISSING, TransferStatus.EXPIRED, TransferStatus.PROHIBITED)


def flow(origin: Place, rival: Place | None = None, *signals: Signal) -> DataFlow:
    return DataFlow(
        item=0,
        location="request",
        at_ms=NOON,
        recipient="acme",
        role=Role.THIRD_PARTY,
        proof="request",
        purpose="advertising.targeted",
        origin=origin,
        origin_conflict="country" if rival else "",
        origin_rival=rival or Place(),
        destination=Place("US", "", "host"),
        categories=("user.contact.email",),
        signals=signals,
    )


@pytest.mark.parametrize("status", RAISING)
def test_a_guessed_place_raises_no_transfer(status: TransferStatus) -> None:
    settled = settled_transfer(Transfer(status=status, origin="DE", expired_on="2026-01-01"), None)
    assert (settled.status, settled.reason, settled.expired_on) == (TransferStatus.UNKNOWN, "origin-weak", "")


@pytest.mark.parametrize("status", RAISING)
@pytest.mark.parametrize("other", TransferStatus)
def test_a_conflict_decides_only_where_the_other_place_raises_nothing(
    status: TransferStatus, other: TransferStatus
) -> None:
    first = Transfer(status=status, origin="DE")
    settled = settled_transfer(first, Transfer(status=other))
    assert settled == first if other in RAISING else settled.reason == "origin-conflict"


@pytest.mark.parametrize("status", [each for each in TransferStatus if each not in RAISING])
def test_what_raises_nothing_is_left_alone(status: TransferStatus) -> None:
    for rival in (None, Transfer(), Transfer(status=TransferStatus.PROHIBITED)):
        assert settled_transfer(Transfer(status=status), rival) == Transfer(status=status)


def _tracked(regime: str, *, gpc: bool, decision: ConsentDecision, signal: str) -> Assessment:
    law = Law(jurisdiction="XX", regime=regime, honours_gpc=gpc, basis=Basis.LAW)
    consent = Consent(decision=decision, signal=signal, path="headers.sec-gpc")
    return Assessment(detector=Detector.UNCONSENTED_TRACKING, flow=flow(Place("DE")), law=law, consent=consent)


def test_a_guessed_place_accuses_nobody_of_tracking_under_a_law() -> None:
    denied = _tracked("opt-out", gpc=True, decision=ConsentDecision.DENIED, signal="gpc")
    settled = settled_tracking(denied, None)
    assert settled.consent.decision is ConsentDecision.UNKNOWN
    assert (settled.consent.reason, settled.consent.conflicts) == ("origin-weak", ("gpc",))


def test_a_refusal_that_binds_in_both_places_stays_a_violation() -> None:
    here = _tracked("opt-in", gpc=False, decision=ConsentDecision.DENIED, signal="ledger")
    there = _tracked("opt-out", gpc=True, decision=ConsentDecision.DENIED, signal="ledger")
    assert settled_tracking(here, there) is here


def test_a_signal_that_binds_in_one_place_only_is_a_gap() -> None:
    here = _tracked("opt-out", gpc=True, decision=ConsentDecision.DENIED, signal="gpc")
    there = _tracked("none", gpc=False, decision=ConsentDecision.DENIED, signal="gpc")
    assert settled_tracking(here, there).consent.reason == "origin-conflict"
    assert settled_tracking(there, here) is there  # a promise of the shop holds everywhere


def test_what_is_allowed_stays_allowed_whatever_the_other_place_says() -> None:
    here = _tracked("opt-out", gpc=True, decision=ConsentDecision.ALLOWED, signal="default")
    there = _tracked("opt-in", gpc=False, decision=ConsentDecision.DENIED, signal="default")
    assert settled_tracking(here, there) is here


def test_only_guesses_and_conflicts_are_doubtful() -> None:
    assert not is_doubtful(flow(Place("DE", "", "declared-address")))
    assert not is_doubtful(flow(Place("DE", "", "gateway-geo")))
    assert is_doubtful(flow(Place("DE", "", "ip-database")))
    assert is_doubtful(flow(Place("DE", "", "declared-address"), Place("US")))
    assert at_rival(flow(Place("DE", "", "ip-database"))) is None


def test_on_the_shipped_law_a_german_abroad_is_a_gap_and_a_german_in_france_is_not() -> None:
    def judged(rival: Place) -> Transfer:
        here = flow(Place("DE", "", "declared-address"), rival)
        there = at_rival(here)
        assert there is not None
        return settled_transfer(transfers.assess(here, None, pack(), NOON), transfers.assess(there, None, pack(), NOON))

    assert judged(Place("FR", "", "gateway-geo")).status is TransferStatus.MISSING
    assert judged(Place("US", "US-CA", "gateway-geo")).reason == "origin-conflict"


def test_on_the_shipped_law_the_state_decides_whether_the_signal_binds() -> None:
    gpc = Signal("gpc", "denied", "headers.sec-gpc")

    def judged(state: str, rival: str) -> Consent:
        here = flow(Place("US", state, "declared-address"), Place("US", rival, "gateway-geo"), gpc)
        there = at_rival(here)
        assert there is not None
        first, second = (
            tracking.assess(each, pack().law_for("US", each.origin.subdivision, NOON), (), Coverage.READY)
            for each in (here, there)
        )
        assert first is not None
        return settled_tracking(first, second).consent

    assert judged("US-CA", "US-CO").decision is ConsentDecision.DENIED
    assert judged("US-CA", "US-AL").reason == "origin-conflict"


def test_without_a_register_a_missing_mechanism_is_a_missing_fact() -> None:
    missing = Transfer(status=TransferStatus.MISSING, regime="eu-gdpr", reason="not-registered")
    lowered = without_register(missing)
    assert (lowered.status, lowered.reason) == (TransferStatus.UNKNOWN, "no-register")
    prohibited = Transfer(status=TransferStatus.PROHIBITED)
    assert without_register(prohibited) == prohibited
