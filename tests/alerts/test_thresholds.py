"""Thresholds: people are told once enough comes together, exactly then, however batches are cut and repeated."""

from itertools import pairwise
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.episodes import Episode, Policy, is_forgettable, step, tick
from monitor.folds import fold as fold_of
from tests.alerts.traffic import START_MS, Seen, finding
from topics.alert import Alert, Change, EpisodeState
from topics.finding import Finding, Fold, Threshold

POLICY = Policy(quiet_seconds=1e9, resolve_seconds=1e9, remind_seconds=1e9, forget_seconds=1e9)
MINUTE_MS = 60_000
BASE_MS = START_MS - START_MS % MINUTE_MS


def found(offset: int, minute: int, subject: str, threshold: Threshold, partition: int = 0) -> Finding:
    seen = Seen("k", partition, offset, BASE_MS + minute * MINUTE_MS + offset % 60_000, 1, subject)
    return msgspec.structs.replace(finding(seen), threshold=threshold)


def folded(findings: list[Finding]) -> Fold:
    (one,) = fold_of(findings, "cluster")
    return one


def played(folds: list[Fold], state: Episode | None = None) -> tuple[Episode, list[Alert]]:
    told: list[Alert] = []
    for number, each in enumerate(folds):
        state, alerts = step(state, each, START_MS + number, POLICY)
        told += alerts
    assert state is not None
    return state, told


def expected(findings: list[Finding], threshold: Threshold) -> int | None:
    """Give, by trying every window, how many findings an episode holds in the end; None when nobody is told."""
    minutes = [each.at_ms // MINUTE_MS for each in findings]
    for end in sorted(set(minutes)):
        inside = [each for each, at in zip(findings, minutes, strict=True) if end - threshold.minutes < at <= end]
        if len(inside) >= threshold.findings and len({each.subject for each in inside}) >= threshold.subjects:
            start = min(each.at_ms // MINUTE_MS for each in inside)
            return sum(at >= start for at in minutes)
    return None


def cut(findings: list[Finding], random: Random) -> list[Fold]:
    """Cut findings into folds, some of which are read again from earlier."""
    places = sorted({0, len(findings), *(random.randrange(len(findings) + 1) for _ in range(random.randrange(6)))})
    folds: list[Fold] = []
    for first, end in pairwise(places):
        again = max(0, first - random.randrange(4)) if random.random() < 0.5 else first
        folds.append(folded(findings[again:end]))
    return folds


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_people_are_told_exactly_when_some_window_holds_enough_however_batches_are_cut(seed: int) -> None:
    random = Random(seed)
    threshold = Threshold(
        findings=random.randrange(1, 8), subjects=random.randrange(1, 4), minutes=random.randrange(1, 12)
    )
    minute, findings = 0, []
    for offset in range(random.randrange(1, 25)):
        minute += random.choice([0, 0, 1, 2, 5])
        findings.append(found(offset, minute, random.choice("abcd"), threshold))
    wanted = expected(findings, threshold)
    state, told = played(cut(findings, random))
    if wanted is None:
        assert told == []
        assert (state.findings, state.revision, state.state) == (0, 0, EpisodeState.RESOLVED)
    else:
        assert [each.change for each in told].count(Change.OPENED) == 1
        assert told[0].change is Change.OPENED
        assert state.findings == wanted
        assert state.waiting is None


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_reading_everything_again_changes_nothing_and_tells_nobody(seed: int) -> None:
    random = Random(seed)
    threshold = Threshold(findings=3, subjects=2, minutes=5)
    findings = [found(offset, offset // 2, random.choice("abc"), threshold) for offset in range(8)]
    folds = cut(findings, random)
    state, _ = played(folds)
    assert played(folds, state) == (state, [])


def test_persons_of_one_minute_do_not_count_for_another() -> None:
    threshold = Threshold(findings=2, subjects=3, minutes=2)
    spread = [found(0, 0, "a", threshold), found(1, 10, "b", threshold), found(2, 20, "c", threshold)]
    _, told = played([folded(spread)])
    assert told == []
    together = [*spread, found(3, 20, "a", threshold), found(4, 21, "b", threshold)]
    state, told = played([folded(together)])
    assert [each.change for each in told] == [Change.OPENED]
    assert (state.findings, told[0].subjects, told[0].first_at_ms) == (3, 3, BASE_MS + 20 * MINUTE_MS)
    assert [each.offset for each in told[0].exemplars] == [2, 3, 4]


def test_partitions_count_together_and_each_has_its_own_mark() -> None:
    threshold = Threshold(findings=2, subjects=1, minutes=5)
    first, second = (folded([found(0, 0, "a", threshold, partition=number)]) for number in range(2))
    state, told = played([first, first, second, second])
    assert [each.change for each in told] == [Change.OPENED]
    assert state.findings == 2


def test_an_episode_opens_again_only_when_enough_comes_together_anew() -> None:
    policy = Policy(quiet_seconds=60, resolve_seconds=600, remind_seconds=1e9, forget_seconds=3600)
    threshold = Threshold(findings=2, subjects=1, minutes=5)
    state, _ = played([folded([found(0, 0, "a", threshold), found(1, 0, "b", threshold)])])
    quiet, alerts = tick(state, state.seen_at_ms + 61_000, policy)
    assert [each.change for each in alerts] == [Change.QUIET]
    still, alerts = step(quiet, folded([found(2, 3, "c", threshold)]), START_MS + 70_000, policy)
    assert alerts == []
    assert (still.state, still.findings) == (EpisodeState.QUIET, 2)
    again, alerts = step(still, folded([found(3, 4, "d", threshold)]), START_MS + 71_000, policy)
    assert [each.change for each in alerts] == [Change.REOPENED]
    assert (again.episode_id, again.findings) == (state.episode_id, 4)


def test_what_never_reached_its_threshold_is_forgotten() -> None:
    policy = Policy(forget_seconds=3600)
    threshold = Threshold(findings=9, subjects=1, minutes=5)
    state, _ = played([folded([found(0, 0, "a", threshold)])])
    assert tick(state, state.seen_at_ms + 3_500_000, policy) == (state, [])
    assert not is_forgettable(state, state.seen_at_ms + 3_500_000, policy)
    assert is_forgettable(state, state.seen_at_ms + 3_600_000, policy)


def test_many_persons_are_sketched_and_the_state_stays_small() -> None:
    threshold = Threshold(findings=100_000, subjects=50_000, minutes=24 * 60)
    state, _ = played(
        [
            folded([found(batch * 500 + n, batch * 7, f"person-{batch}-{n}", threshold) for n in range(500)])
            for batch in range(120)
        ]
    )
    assert state.waiting is not None
    assert len(state.waiting.buckets) <= 121
    assert len(msgspec.json.encode(state)) < 500_000
    state, told = played([folded([found(n, 900, f"more-{n}", threshold, partition=1) for n in range(45_000)])], state)
    assert [each.change for each in told] == [Change.OPENED]
    assert told[0].subjects == pytest.approx(105_000, rel=0.05)


def test_an_episode_state_from_before_thresholds_is_still_read() -> None:
    threshold = Threshold(findings=1, subjects=1, minutes=5)
    state, _ = played([folded([msgspec.structs.replace(found(0, 0, "a", threshold), threshold=None)])])
    old = msgspec.json.decode(msgspec.json.encode(state))
    del old["waiting"]
    assert msgspec.convert(old, Episode) == state
