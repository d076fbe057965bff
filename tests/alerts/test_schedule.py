"""Quiet hours and digests: by the clock of a place, through daylight saving, and never for ever."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.sinks.schedule import Digest, QuietHours, Schedule
from topics.finding import SEVERITIES, Severity

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = QuietHours(zone="Europe/Berlin", begins=time(22), ends=time(7), through=Severity.CRITICAL)
MORNING = Digest(zone="Europe/Berlin", at=time(9), hours=24, upto=Severity.LOW)
ZONES = ("Europe/Berlin", "America/Los_Angeles", "Asia/Kolkata", "Australia/Lord_Howe", "UTC")
spans = st.builds(
    QuietHours,
    zone=st.sampled_from(ZONES),
    begins=st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    ends=st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    days=st.lists(st.integers(0, 6), min_size=1, unique=True).map(tuple),
    through=st.sampled_from(SEVERITIES),
)
digests = st.builds(
    Digest,
    zone=st.sampled_from(ZONES),
    at=st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    hours=st.sampled_from([1, 2, 3, 4, 6, 8, 12, 24]),
    upto=st.sampled_from(SEVERITIES),
)
moments = st.integers(1_700_000_000_000, 1_900_000_000_000)


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp() * 1000)


def told(schedule: Schedule, severity: Severity, moment: str) -> tuple[str, bool]:
    found = schedule.when(severity, at(moment))
    return datetime.fromtimestamp(found.at_ms / 1000, BERLIN).strftime("%Y-%m-%dT%H:%M"), found.is_digest


@pytest.mark.parametrize(
    ("moment", "until"),
    [
        ("2026-11-25T21:59", None),
        ("2026-11-25T22:00", "2026-11-26T07:00"),
        ("2026-11-26T03:00", "2026-11-26T07:00"),
        ("2026-11-26T07:00", None),
        # The clocks go forward, and back: the night is an hour shorter, and longer.
        ("2026-03-29T01:00", "2026-03-29T07:00"),
        ("2026-10-25T01:00", "2026-10-25T07:00"),
    ],
)
def test_what_comes_at_night_is_told_in_the_morning_and_the_critical_at_once(moment: str, until: str | None) -> None:
    schedule = Schedule(quiet=(NIGHT,))
    assert told(schedule, Severity.HIGH, moment) == (until or moment, until is not None)
    assert told(schedule, Severity.CRITICAL, moment) == (moment, False)


def test_a_night_and_a_weekend_that_follow_each_other_are_one_rest() -> None:
    weekend = QuietHours(zone="Europe/Berlin", begins=time(0), ends=time(0), days=(5, 6))
    schedule = Schedule(quiet=(NIGHT, weekend))
    assert told(schedule, Severity.HIGH, "2026-11-27T23:00") == ("2026-11-30T07:00", True)
    assert told(schedule, Severity.HIGH, "2026-11-27T21:00") == ("2026-11-27T21:00", False)


def test_what_is_low_waits_for_the_digest_and_what_is_more_severe_does_not() -> None:
    schedule = Schedule(digest=MORNING)
    assert told(schedule, Severity.LOW, "2026-11-25T09:00") == ("2026-11-26T09:00", True)
    assert told(schedule, Severity.LOW, "2026-11-25T08:59") == ("2026-11-25T09:00", True)
    assert told(schedule, Severity.MEDIUM, "2026-11-25T08:59") == ("2026-11-25T08:59", False)


def test_a_digest_does_not_come_in_quiet_hours() -> None:
    early = Digest(zone="Europe/Berlin", at=time(3), hours=24)
    assert told(Schedule(quiet=(NIGHT,), digest=early), Severity.LOW, "2026-11-25T12:00") == ("2026-11-26T07:00", True)


@settings(max_examples=150, deadline=None)
@given(spans, moments)
def test_quiet_hours_end_within_a_day_and_an_hour_and_are_over_then(span: QuietHours, moment: int) -> None:
    end = span.end_of(moment)
    if end is None:
        return
    assert moment < end <= moment + 25.5 * 3_600_000
    local = datetime.fromtimestamp(end / 1000, UTC).astimezone(ZoneInfo(span.zone))
    assert (
        local.time() == span.ends
        or local.fold
        or local.utcoffset() != local.replace(fold=1).utcoffset()
        or _is_gap(span, local)
    )


def _is_gap(span: QuietHours, local: datetime) -> bool:
    """The wall clock never showed the end: it was put forward over it."""
    wall = datetime.combine(local.date(), span.ends, ZoneInfo(span.zone))
    return wall.astimezone(UTC).astimezone(ZoneInfo(span.zone)).time() != span.ends


@settings(max_examples=150, deadline=None)
@given(digests, moments)
def test_the_next_digest_lies_ahead_and_no_further_than_its_period(digest: Digest, moment: int) -> None:
    ahead = digest.next_after(moment)
    assert moment < ahead <= moment + (digest.hours + 1.5) * 3_600_000


@settings(max_examples=150, deadline=None)
@given(st.lists(spans, max_size=3), st.none() | digests, st.sampled_from(SEVERITIES), moments)
def test_an_alert_is_never_held_for_ever_and_a_severe_one_never_at_all(
    quiet: list[QuietHours], digest: Digest | None, severity: Severity, moment: int
) -> None:
    schedule = Schedule(quiet=tuple(quiet), digest=digest)
    found = schedule.when(severity, moment)
    assert moment <= found.at_ms <= moment + 30 * 86_400_000
    breaks = all(SEVERITIES.index(severity) >= SEVERITIES.index(each.through) for each in quiet)
    if breaks and (digest is None or SEVERITIES.index(severity) > SEVERITIES.index(digest.upto)):
        assert found == (moment, False)
