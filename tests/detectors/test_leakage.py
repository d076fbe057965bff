"""Data that flows after a recorded refusal: how long after, by which way, and how loudly it is told."""

import pytest

from detectors import tracking
from detectors.assessment import Assessment
from detectors.consent.ledger import Choice, Coverage, Word
from detectors.rules.judge import RecordPlace, judge
from monitor.context import Loaded, load_shipped
from topics.finding import Finding, Severity
from topics.flow import DataFlow, Place, Role, Route

AT_MS = 1_793_606_400_000  # 2026-11-02
DAY_MS = 86_400_000


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    return load_shipped(domains=["shop.example"])


def found(loaded: Loaded, *, days: float, state: str = "CA", source: str = "preference-center") -> Finding:
    """Judge a disclosure so many days after a recorded refusal."""
    flow = DataFlow(
        item=0,
        location="request",
        at_ms=AT_MS,
        subjects=("k1.00",),
        recipient="criteo",
        role=Role.THIRD_PARTY,
        proof="request",
        route=Route.SERVER_SIDE,
        purpose="advertising.targeted",
        origin=Place("US", f"US-{state}"),
    )
    refusal = Choice(AT_MS - int(days * DAY_MS), 1, 0, Word((), ("advertising",), source, "privacy.consent.v1", 0))
    law = loaded.law.law_for("US", f"US-{state}", AT_MS)
    facts = tracking.assess(flow, law, [refusal], Coverage.READY)
    assert isinstance(facts, Assessment)
    findings, errors = judge([facts], loaded.rules, RecordPlace("c", "t", 0, 0), "bundle")
    assert not errors
    [finding] = findings
    return finding


def test_the_proof_names_the_seconds_since_the_refusal_and_the_route(loaded: Loaded) -> None:
    proof = dict(found(loaded, days=2).proof)
    assert proof["seconds-since-refusal"] == str(2 * 86_400)
    assert proof["route"] == "server-side"


def test_within_fifteen_business_days_california_is_told_lower_and_afterwards_high(loaded: Loaded) -> None:
    assert found(loaded, days=20.9).severity is Severity.MEDIUM
    assert found(loaded, days=21).severity is Severity.HIGH


def test_a_refusal_recorded_from_a_browsers_signal_has_no_tolerance(loaded: Loaded) -> None:
    assert found(loaded, days=1, source="gpc").severity is Severity.HIGH


def test_a_state_without_a_verified_deadline_has_no_tolerance(loaded: Loaded) -> None:
    assert loaded.law.law_for("US", "US-UT", AT_MS).opt_out_days == 0
    assert found(loaded, days=1, state="UT").severity is Severity.HIGH


def test_the_tolerance_never_silences(loaded: Loaded) -> None:
    assert found(loaded, days=0).rule == "tracking.opt-out-ignored"
