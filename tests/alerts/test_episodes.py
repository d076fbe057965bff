"""Counting into episodes: exact however batches were cut and however often they were read."""

import random
from collections import defaultdict

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.episodes import MAX_NAMES, Episode, Policy, is_forgettable, key_of, step, tick
from tests.alerts.traffic import START_MS, Seen, batches, fold, traffic
from topics.alert import Alert, Audience, Change, EpisodeState
from topics.finding import MAX_EXEMPLARS, Fold, Severity, Verdict, Windows

POLICY = Policy(quiet_seconds=60, resolve_seconds=600, remind_seconds=30, forget_seconds=3600)
NOW = START_MS + 1_000


def seen(
    offset: int,
    count: int = 1,
    *,
    partition: int = 0,
    severity: Severity = Severity.MEDIUM,
    verdict: Verdict = Verdict.VIOLATION,
) -> Seen:
    at_ms = START_MS + offset
    return Seen("k", partition, offset, at_ms, count, f"s{offset}", severity=severity, verdict=verdict)


def opened(*records: Seen) -> tuple[Episode, Alert]:
    state, alerts = step(None, fold(list(records) or [seen(0)]), NOW, POLICY)
    return state, alerts[0]


def changes(alerts: list[Alert]) -> list[Change]:
    return [alert.change for alert in alerts]


def run(folds: list[Fold]) -> tuple[dict[str, Episode], list[Alert]]:
    states: dict[str, Episode] = {}
    told: list[Alert] = []
    for number, one in enumerate(folds):
        key = key_of(one)
        states[key], alerts = step(states.get(key), one, NOW + number, POLICY)
        told += alerts
    return states, told


def cut(seed: int, parts: int = 3, *, largest: int = 8, again: float = 0.4) -> tuple[list[Seen], list[Fold]]:
    random_ = random.Random(seed)
    truth: list[Seen] = []
    waiting = []
    for partition in range(parts):
        items = traffic(random_, partition, 40, ["a", "b", "c"])
        truth += items
        waiting.append(list(batches(random_, items, largest=largest, again=again)))
    folds: list[Fold] = []
    while any(waiting):
        queue = random_.choice([queue for queue in waiting if queue])
        folds += queue.pop(0)
    return truth, folds


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_counts_equal_the_findings_however_batches_are_cut_and_repeated(seed: int) -> None:
    truth, folds = cut(seed)
    states, _ = run(folds)
    by_key: defaultdict[str, list[Seen]] = defaultdict(list)
    for one in truth:
        by_key[one.key].append(one)
    assert {
        key: (state.findings, state.first_at_ms, state.last_at_ms, state.subjects) for key, state in states.items()
    } == {
        key: (
            sum(one.count for one in group),
            min(one.at_ms for one in group),
            max(one.at_ms for one in group),
            "e:" + ",".join(sorted({one.subject for one in group})),
        )
        for key, group in by_key.items()
    }


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32))
def test_the_same_folds_give_the_same_episodes_and_alerts_byte_for_byte(seed: int) -> None:
    _, folds = cut(seed)
    assert msgspec.json.encode(run(folds)) == msgspec.json.encode(run(folds))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.data())
def test_state_that_went_through_its_wire_form_goes_on_alike(seed: int, data: st.DataObject) -> None:
    _, folds = cut(seed)
    half = data.draw(st.integers(0, len(folds)))
    states, _ = run(folds[:half])
    for one in folds[half:]:
        key = key_of(one)
        known = states.get(key)
        again = None if known is None else msgspec.json.decode(msgspec.json.encode(known), type=Episode)
        direct = step(known, one, NOW, POLICY)
        assert step(again, one, NOW, POLICY) == direct
        states[key] = direct[0]


def test_a_fold_read_twice_changes_nothing() -> None:
    state, _ = opened(seen(5), seen(9))
    again, alerts = step(state, fold([seen(5), seen(9)]), NOW + 1, POLICY)
    assert again is state
    assert alerts == []


def test_the_part_of_a_fold_above_the_mark_is_counted() -> None:
    state, _ = opened(seen(5, 2), seen(9, 3))
    again, _ = step(state, fold([seen(9, 3), seen(12, 4)]), NOW, POLICY)
    assert again.findings == 2 + 3 + 4
    assert again.marks == {"c1/events/0": 12}


def test_each_input_partition_has_its_own_mark() -> None:
    state, _ = opened(seen(50))
    again, _ = step(state, fold([seen(3, partition=1)]), NOW, POLICY)
    assert again.findings == 2
    assert again.marks == {"c1/events/0": 50, "c1/events/1": 3}


def test_growth_is_told_at_powers_of_two() -> None:
    state, first = opened(seen(0))
    told = [first.findings]
    for offset in range(1, 40):
        state, alerts = step(state, fold([seen(offset)]), NOW, POLICY)
        told += [alert.findings for alert in alerts]
    assert told == [1, 2, 4, 8, 16, 32]


def test_growth_between_powers_of_two_is_told_after_the_reminding_time() -> None:
    state, _ = opened(seen(0, 8))
    state, alerts = step(state, fold([seen(1)]), NOW + 1_000, POLICY)
    assert alerts == []
    state, early = tick(state, NOW + 29_999, POLICY)
    state, due = tick(state, NOW + 30_000, POLICY)
    state, after = tick(state, NOW + 59_000, POLICY)
    assert (changes(early), changes(due), changes(after)) == ([], [Change.GROWN], [])
    assert due[0].findings == 9


def test_a_higher_severity_is_told_at_once_and_stays() -> None:
    state, _ = opened(seen(0, 100))
    state, alerts = step(state, fold([seen(1, severity=Severity.CRITICAL)]), NOW, POLICY)
    assert changes(alerts) == [Change.ESCALATED]
    state, alerts = step(state, fold([seen(2, severity=Severity.LOW)]), NOW, POLICY)
    assert alerts == []
    assert state.severity is Severity.CRITICAL


def test_silence_makes_an_episode_quiet_and_then_resolved_once_each() -> None:
    state, _ = opened()
    told: list[Change] = []
    for second in range(0, 1_300, 10):
        state, alerts = tick(state, NOW + second * 1_000, POLICY)
        told += changes(alerts)
    assert told == [Change.QUIET, Change.RESOLVED]


def test_a_quiet_episode_that_goes_on_is_reopened_with_its_identity() -> None:
    state, _ = opened()
    quiet, _ = tick(state, NOW + 60_000, POLICY)
    again, alerts = step(quiet, fold([seen(1)]), NOW + 61_000, POLICY)
    assert changes(alerts) == [Change.REOPENED]
    assert (again.episode_id, again.findings, again.state) == (state.episode_id, 2, EpisodeState.OPEN)


def test_after_resolution_another_episode_begins_and_the_marks_stay() -> None:
    state, _ = opened(seen(7, 5))
    state, _ = tick(state, NOW + 60_000, POLICY)
    state, _ = tick(state, NOW + 600_000, POLICY)
    repeated, alerts = step(state, fold([seen(7, 5)]), NOW + 601_000, POLICY)
    assert repeated is state
    assert alerts == []
    after, alerts = step(state, fold([seen(7, 5), seen(70_000, 2)]), NOW + 601_000, POLICY)
    assert changes(alerts) == [Change.OPENED]
    assert after.episode_id != state.episode_id
    assert after.findings == 2
    minute = (START_MS + 70_000) // 60_000 * 60_000
    assert after.first_at_ms == minute, "what the episode before counted is not the beginning of this one"


def test_an_episode_is_forgotten_only_when_resolved_and_old() -> None:
    state, _ = opened()
    assert not is_forgettable(state, NOW + 10**9, POLICY)
    state, _ = tick(state, NOW + 60_000, POLICY)
    state, _ = tick(state, NOW + 600_000, POLICY)
    assert not is_forgettable(state, NOW + 3_599_999, POLICY)
    assert is_forgettable(state, NOW + 3_600_000, POLICY)


def test_a_gap_is_an_episode_of_its_own_for_engineers_and_low() -> None:
    gap = fold([seen(0, verdict=Verdict.GAP, severity=Severity.CRITICAL)])
    assert key_of(gap) != key_of(fold([seen(0)]))
    state, alerts = step(None, gap, NOW, POLICY)
    assert (alerts[0].audience, alerts[0].severity) == (Audience.ENGINEERS, Severity.LOW)
    state, alerts = step(state, fold([seen(1, 9, verdict=Verdict.GAP, severity=Severity.HIGH)]), NOW, POLICY)
    assert changes(alerts) == [Change.GROWN]
    assert alerts[0].severity is Severity.LOW


def test_a_violation_is_for_on_call() -> None:
    _, alert = opened()
    assert alert.audience is Audience.ON_CALL


def test_the_reason_is_one_sentence_with_the_counts() -> None:
    _, alert = opened(seen(0, 3), seen(1))
    assert alert.why == "An order was sent to an advertising network after an opt-out: 4 findings about 2 persons."


def test_revisions_count_up_and_ids_differ() -> None:
    _, told = run([fold([seen(offset)]) for offset in range(20)])
    assert [alert.revision for alert in told] == list(range(1, len(told) + 1))
    assert len({alert.alert_id for alert in told}) == len(told)


def test_sizes_stay_bounded_and_overflow_is_marked() -> None:
    state: Episode | None = None
    for offset in range(300):
        one = fold([seen(offset)])
        wide = msgspec.structs.replace(one, services=(f"service-{offset}",), categories=(f"category-{offset}",))
        state, _ = step(state, wide, NOW, POLICY)
    assert state is not None
    assert len(state.services) == len(state.categories) == MAX_NAMES
    assert state.overflowed == ("categories", "services")
    assert len(state.exemplars) == MAX_EXEMPLARS
    assert len(msgspec.json.encode(state)) < 20_000
    assert state.findings == 300


@pytest.mark.parametrize(
    "wrong",
    [
        {"offsets": ()},
        {"offsets": ((5, 0, 1), (0, 0, 1)), "count": 2},
        {"offsets": ((-5, 0, 1),)},
        {"offsets": ((2**63, 0, 1),)},
        {"offsets": ((5, 0, 0),), "count": 0},
        {"offsets": ((5, 0, -3),), "count": -3},
        {"count": 7},
        {"offsets": ((5, 0, 2**60),), "count": 2**60},
        {"first_at_ms": START_MS + 10**9},
        {"first_at_ms": -1},
        {"last_at_ms": 10**18},
        {"subjects": "nonsense"},
        {"subjects": "h:////"},
    ],
)
def test_a_fold_that_contradicts_itself_is_refused(wrong: dict[str, object]) -> None:
    bad = msgspec.structs.replace(fold([seen(5)]), **wrong)
    with pytest.raises(ValueError, match=r"offset|count|time|subjects"):
        step(None, bad, NOW, POLICY)


def windowed(one: Fold, **windows: int) -> Fold:
    return msgspec.structs.replace(one, windows=Windows(**windows))


def test_a_rule_says_itself_when_its_episodes_end_and_how_often_they_are_told() -> None:
    state, _ = step(None, windowed(fold([seen(0, 8)]), quiet=5, resolve=20, update=1), NOW, POLICY)
    state, _ = step(state, windowed(fold([seen(1)]), quiet=5, resolve=20, update=1), NOW + 100, POLICY)
    told: list[tuple[int, Change]] = []
    for second in range(40):
        state, alerts = tick(state, NOW + 100 + second * 1_000, POLICY)
        told += [(second, change) for change in changes(alerts)]
    assert told == [(1, Change.GROWN), (5, Change.QUIET), (20, Change.RESOLVED)]


def resolved(one: Fold) -> tuple[Episode, int]:
    """An episode that was resolved, and when."""
    state, _ = step(None, one, NOW, POLICY)
    state, _ = tick(state, NOW + 60_000, POLICY)
    state, _ = tick(state, NOW + 600_000, POLICY)
    assert state.state is EpisodeState.RESOLVED
    return state, NOW + 600_000


def test_within_the_window_a_resolved_episode_is_opened_again_and_later_another_begins() -> None:
    state, at_ms = resolved(windowed(fold([seen(0)]), reopen=100))
    again, alerts = step(state, fold([seen(1)]), at_ms + 99_999, POLICY)
    assert changes(alerts) == [Change.REOPENED]
    assert (again.episode_id, again.findings, again.state) == (state.episode_id, 2, EpisodeState.OPEN)
    other, alerts = step(state, fold([seen(1)]), at_ms + 100_000, POLICY)
    assert changes(alerts) == [Change.OPENED]
    assert (other.episode_id != state.episode_id, other.findings) == (True, 1)
    assert not is_forgettable(state, at_ms + 99_999, msgspec.structs.replace(POLICY, forget_seconds=1))


def test_the_configuration_says_the_window_where_the_rule_does_not() -> None:
    lenient = msgspec.structs.replace(POLICY, reopen_seconds=100)
    state, at_ms = resolved(fold([seen(0)]))
    assert changes(step(state, fold([seen(1)]), at_ms + 99_999, lenient)[1]) == [Change.REOPENED]
    strict, at_ms = resolved(windowed(fold([seen(0)]), reopen=0))
    assert changes(step(strict, fold([seen(1)]), at_ms + 1, lenient)[1]) == [Change.OPENED]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([0, 5, 10_000]))
def test_counts_are_exact_over_all_episodes_of_a_key_whatever_its_windows(seed: int, reopen: int) -> None:
    """Time passes between folds, so that episodes end, open again and begin anew in the middle."""
    truth, folds = cut(seed, parts=1)
    policy = msgspec.structs.replace(POLICY, quiet_seconds=2, resolve_seconds=4, reopen_seconds=reopen)
    states: dict[str, Episode] = {}
    ended: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for number, one in enumerate(folds):
        now_ms = NOW + number * 3_000
        for key, state in states.items():
            states[key], _ = tick(state, now_ms, policy)
        states[key_of(one)], _ = step(states.get(key_of(one)), one, now_ms, policy)
        for key, state in states.items():
            ended[key][state.episode_id] = state.findings
    counted = {key: sum(each.values()) for key, each in ended.items()}
    wanted: defaultdict[str, int] = defaultdict(int)
    for each in truth:
        wanted[each.key] += each.count
    assert counted == wanted
    if reopen > 1_000:
        assert all(len(each) == 1 for each in ended.values())
