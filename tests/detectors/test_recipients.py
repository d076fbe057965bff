"""What the register says of a recipient, on the day of the event."""

from datetime import date

import pytest

from detectors.assessment import Agreement, AgreementStatus
from detectors.law.timeline import DAY_MS, day_of
from detectors.recipients import assess
from detectors.register import RegisterEntry, read_register
from topics.flow import DataFlow, Role


def entry(text: str) -> RegisterEntry:
    register, problems = read_register(
        f"recipients:\n  - {{id: desk, hosts: [desk.example], entity: Desk, countries: [DE], {text}}}\n", "r.yaml"
    )
    assert register is not None, problems
    return register.entries[0]


def flow(**more: object) -> DataFlow:
    values: dict[str, object] = {
        "role": Role.PROCESSOR,
        "proof": "request",
        "purpose": "support",
        "categories": ("user.contact.email", "user.name"),
    } | more
    return DataFlow(item=0, location="request", at_ms=0, **values)  # type: ignore[arg-type]


def on(day: str) -> int:
    return day_of(date.fromisoformat(day)) * DAY_MS


def told(flow_: DataFlow, entry_: RegisterEntry | None, day: str = "2026-11-23") -> Agreement:
    agreement = assess(flow_, entry_, on(day))
    assert agreement is not None
    return agreement


PROCESSOR = "role: processor, purposes: [support], agreement: {id: A-1, signed: 2024-01-01, expires: 2026-03-01}"


def test_a_recipient_without_an_entry_is_missing() -> None:
    assert told(flow(role=Role.UNKNOWN), None) == Agreement(status=AgreementStatus.MISSING, reason="not-registered")


@pytest.mark.parametrize(
    ("day", "status", "reason"),
    [
        ("2023-12-31", AgreementStatus.MISSING, "not-yet"),
        ("2024-01-01", AgreementStatus.DOCUMENTED, ""),
        ("2026-02-28", AgreementStatus.DOCUMENTED, ""),
        ("2026-03-01", AgreementStatus.EXPIRED, ""),
    ],
)
def test_the_day_of_the_event_decides_at_both_edges_of_an_agreement(
    day: str, status: AgreementStatus, reason: str
) -> None:
    found = told(flow(), entry(PROCESSOR), day)
    assert (found.status, found.reason, found.entry) == (status, reason, "desk")
    assert found.expired_on == ("2026-03-01" if status is AgreementStatus.EXPIRED else "")


def test_a_processor_needs_an_agreement_and_a_third_party_an_entry() -> None:
    assert told(flow(), entry("role: processor, purposes: [support]")).reason == "no-agreement"
    assert told(flow(), entry("role: third-party, purposes: [support]")).status is AgreementStatus.DOCUMENTED


def test_a_purpose_or_category_beyond_the_entry_is_named() -> None:
    narrow = entry("role: third-party, purposes: [support], categories: [user.contact]")
    other = told(flow(purpose="advertising.targeted"), narrow)
    assert (other.status, other.uncovered) == (AgreementStatus.PURPOSE_NOT_COVERED, ("advertising.targeted",))
    more = told(flow(), narrow)
    assert (more.status, more.uncovered) == (AgreementStatus.CATEGORY_NOT_COVERED, ("user.name",))
    assert told(flow(categories=("user.contact.email",)), narrow).status is AgreementStatus.DOCUMENTED
    assert (
        told(flow(purpose="unknown", categories=("user.contact.email",)), narrow).status is AgreementStatus.DOCUMENTED
    )


def test_what_discloses_nothing_personal_to_nobody_else_needs_no_agreement() -> None:
    for nothing in (flow(role=Role.OWN), flow(proof=""), flow(categories=())):
        for each in (None, entry(PROCESSOR)):
            assert assess(nothing, each, on("2026-11-23")) is None
    assert assess(flow(), entry("role: own, purposes: [support]"), on("2026-11-23")) is None
