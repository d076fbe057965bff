"""Twelve months of persons against the threshold of a law."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.episodes import Policy, step
from alerts.volumes import RULE, Total, add
from detectors.rules.judge import RecordPlace
from topics.distinct import Distinct
from topics.finding import Severity, Verdict
from topics.flow import Role
from topics.volume import Volume

PLACE = RecordPlace("c1", "privacy.volumes.v1", 0, 7)


def volume(
    persons: range,
    *,
    month: str = "2026-11",
    writer: str = "w1",
    threshold: int = 49,
    role: Role = Role.THIRD_PARTY,
    recalled: bool = False,
) -> Volume:
    return Volume(
        cluster="c1",
        writer=writer,
        regime="us-doj",
        group="precise-geolocation",
        recipient="maps",
        month=month,
        subjects=Distinct(f"p{each:05d}" for each in persons).encode(),
        role=role,
        destinations=("CN",),
        categories=("user.location.precise",),
        services=("web",),
        threshold=threshold,
        recalled=recalled,
        jurisdiction="US",
        law=("us-bulk-data-rule",),
        first_at_ms=1_700_000_000_000,
        last_at_ms=1_700_000_060_000,
        bundle="b1",
    )


def told(*volumes: Volume) -> list[tuple[Verdict, Severity, int] | None]:
    """Add records one after the other, and give what each leads to."""
    total: Total | None = None
    said: list[tuple[Verdict, Severity, int] | None] = []
    for offset, each in enumerate(volumes):
        added = add(total, each, PLACE._replace(offset=offset))
        total, fold = added.total, added.fold
        said.append((fold.verdict, fold.severity, len(Distinct.decode(fold.subjects))) if fold else None)
    return said


def test_below_the_threshold_nothing_is_told_near_it_engineers_are_and_above_it_everybody() -> None:
    assert told(volume(range(39)), volume(range(40)), volume(range(49)), volume(range(50))) == [
        None,
        (Verdict.GAP, Severity.LOW, 40),
        (Verdict.GAP, Severity.LOW, 49),
        (Verdict.VIOLATION, Severity.CRITICAL, 50),
    ]


def test_writers_of_one_month_and_persons_of_two_months_are_united() -> None:
    assert told(
        volume(range(30)),
        volume(range(20, 45), writer="w2"),
        volume(range(40, 50), month="2026-12", writer="w2"),
    ) == [None, (Verdict.GAP, Severity.LOW, 45), (Verdict.VIOLATION, Severity.CRITICAL, 50)]


@pytest.mark.parametrize(("month", "persons"), [("2026-10", 60), ("2026-11", 60), ("2026-12", None), ("2027-05", None)])
def test_a_window_is_a_month_and_the_eleven_before_it(month: str, persons: int | None) -> None:
    assert told(volume(range(30), month="2025-12"), volume(range(30, 60), month=month))[-1] == (
        (Verdict.VIOLATION, Severity.CRITICAL, persons) if persons else None
    )


def test_a_backfill_of_an_old_month_is_held_against_its_own_year() -> None:
    new, old = volume(range(45), month="2026-11"), volume(range(45, 90), month="2025-01")
    assert told(new, old) == [(Verdict.GAP, Severity.LOW, 45), (Verdict.GAP, Severity.LOW, 45)]
    between = volume(range(100, 110), month="2025-12")
    assert told(new, old, between)[-1] == (Verdict.VIOLATION, Severity.CRITICAL, 55)


def test_a_figure_that_nobody_checked_warns_and_accuses_nobody() -> None:
    assert told(volume(range(50), recalled=True)) == [(Verdict.GAP, Severity.LOW, 50)]


@pytest.mark.parametrize("role", [Role.PROCESSOR, Role.UNKNOWN, Role.OWN])
def test_only_brokerage_is_prohibited_the_rest_is_restricted(role: Role) -> None:
    fold = add(None, volume(range(50), role=role), PLACE).fold
    assert fold is not None
    assert (fold.severity, dict(fold.exemplars[0].proof)["status"]) == (Severity.HIGH, "restricted")


def test_a_fold_says_what_a_responder_asks() -> None:
    fold = add(None, volume(range(50)), PLACE).fold
    assert fold is not None
    (finding,) = fold.exemplars
    assert (fold.rule, fold.recipient, fold.jurisdiction, fold.law) == (RULE, "maps", "US", ("us-bulk-data-rule",))
    assert dict(finding.proof) == {
        "status": "prohibited",
        "regime": "us-doj",
        "bulk": "precise-geolocation",
        "persons": "50",
        "counted": "exactly",
        "threshold": "49",
        "threshold-known": "verified",
        "destination": "CN",
        "month-2026-11": "50",
    }
    (alert,) = step(None, fold, 1_700_000_100_000, Policy())[1]
    assert (alert.findings, alert.subjects, alert.audience.value) == (1, 50, "on-call")
    assert alert.why == (
        "maps in CN receives precise-geolocation data of persons in US, and us-doj closes that way above 49 persons in "
        "twelve months: 1 finding about 50 persons."
    )


def test_a_record_that_is_read_again_adds_nothing_and_its_finding_is_dropped_by_the_mark() -> None:
    first = add(None, volume(range(50)), PLACE)
    again = add(first.total, volume(range(50)), PLACE)
    assert again.total is first.total
    assert first.fold is not None
    assert again.fold == first.fold
    episode, alerts = step(None, first.fold, 1_700_000_100_000, Policy())
    assert step(episode, again.fold, 1_700_000_100_000, Policy()) == (episode, [])
    assert len(alerts) == 1


@given(
    st.permutations(
        [volume(range(lo, lo + 25), month=f"2026-{1 + lo % 12:02d}", writer=f"w{lo % 3}") for lo in range(0, 40, 4)]
    )
)
def test_the_order_of_records_changes_no_total(volumes: list[Volume]) -> None:
    total: Total | None = None
    for each in volumes:
        total = add(total, each, PLACE).total
    assert total is not None
    everybody = Distinct()
    for sketch in total.months.values():
        everybody.merge(Distinct.decode(sketch))
    assert len(everybody) == 61


def test_what_a_total_keeps_is_bounded() -> None:
    total: Total | None = None
    for number in range(60):
        total = add(total, volume(range(1), month=f"{2020 + number // 12}-{1 + number % 12:02d}"), PLACE).total
    assert total is not None
    assert (len(total.months), min(total.months)) == (36, "2022-01")


@pytest.mark.parametrize(
    "change",
    [
        {"month": "2026-13"},
        {"month": "x" * 99},
        {"threshold": -1},
        {"first_at_ms": 9, "last_at_ms": 8},
        {"subjects": "h:AAAA"},
    ],
)
def test_a_record_that_contradicts_itself_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        add(None, msgspec.structs.replace(volume(range(50)), **change), PLACE)
