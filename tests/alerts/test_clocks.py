"""Clocks of the law: each runs since its fact, no earlier; due times; declarations; and nothing runs that nobody declared."""

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.clocks import dues, running
from alerts.declarations import declare
from alerts.episodes import Episode, Policy, is_forgettable, step, tick
from alerts.metrics import AlertMetrics
from alerts.telling import tell
from tests.alerts.traffic import START_MS, Seen, fold
from topics.alert import Alert, Change, EpisodeState
from topics.exposure import Clock
from topics.finding import Detector, Fold
from topics.triage import Declaration, Declared

DAY_MS = 86_400_000
POLICY = Policy(quiet_seconds=60, resolve_seconds=600, forget_seconds=3600, warn_seconds=2 * 86_400)


def clock(kind: str, detail: str = "", *, hours: int = 0, days: int = 0, business: bool = False) -> Clock:
    return Clock(
        kind, detail, hours, days, business, "" if hours or days else "without delay", f"xx-{kind}", (), "§ 1", ()
    )


OPT_OUT = clock("opt-out", days=15, business=True)
CURE = clock("cure", days=30)
BREACH = clock("breach", "regulator", hours=72)
REQUEST = clock("request", "response", days=45)


def refused(*, seconds: int = 3_600, proof: tuple[tuple[str, str], ...] = (), offset: int = 0) -> Fold:
    """A fold whose disclosure went against a refusal of so many seconds before."""
    made = fold([Seen("k", 0, offset, START_MS + offset, 1, "s")])
    told = (("signal", "ledger"), ("seconds-since-refusal", str(seconds)), *proof)
    return msgspec.structs.replace(
        made,
        clocks=(OPT_OUT, CURE, BREACH, REQUEST),
        exemplars=tuple(msgspec.structs.replace(each, proof=told) for each in made.exemplars),
    )


def opened(one: Fold | None = None) -> tuple[Episode, Alert]:
    state, alerts = step(None, one or refused(), START_MS + 10, POLICY)
    return state, alerts[0]


def declaration(what: Declared, at_ms: int, duty: str = "") -> Declaration:
    return Declaration(episode_key="k", what=what, at_ms=at_ms, duty=duty)


def test_an_opt_out_runs_since_the_recorded_refusal_and_the_others_wait_for_what_starts_them() -> None:
    _, alert = opened()
    assert [(each.kind, each.waits_for) for each in alert.due] == [
        ("opt-out", ""),
        ("breach", "breach"),
        ("cure", "notice"),
    ]
    assert alert.due[0].started_at_ms == START_MS - 3_600_000
    assert all(each.due_at_ms == 0 for each in alert.due[1:])


@pytest.mark.parametrize("proof", [(("refused-by", "signal"),), ()])
def test_a_signal_of_the_browser_gives_nobody_time(proof: tuple[tuple[str, str], ...]) -> None:
    one = refused(proof=proof)
    if not proof:
        one = msgspec.structs.replace(
            one, exemplars=tuple(msgspec.structs.replace(each, proof=(("signal", "gpc"),)) for each in one.exemplars)
        )
    assert "opt-out" not in {each.kind for each in opened(one)[1].due}


def test_a_finding_of_another_detector_starts_no_opt_out() -> None:
    one = refused()
    other = Detector.CHECKOUT_OVER_COLLECTION
    one = msgspec.structs.replace(
        one, exemplars=tuple(msgspec.structs.replace(each, detector=other) for each in one.exemplars)
    )
    assert "opt-out" not in {each.kind for each in opened(one)[1].due}


def test_the_earliest_refusal_counts_whatever_comes_later_or_again() -> None:
    state, _ = opened(refused(seconds=100))
    state, _ = step(state, refused(seconds=50_000, offset=1), START_MS + 20, POLICY)
    state, _ = step(state, refused(seconds=10, offset=2), START_MS + 30, POLICY)
    assert state.refused_at_ms == START_MS + 1 - 50_000_000


@given(st.integers(0, 4_000_000_000), st.integers(1, 60))
def test_business_days_end_on_no_weekend_and_pass_as_many_weekdays_as_the_law_gives(start_s: int, days: int) -> None:
    state, _ = opened()
    law = clock("opt-out", days=days, business=True)
    state = msgspec.structs.replace(state, clocks=(law,), refused_at_ms=max(1, start_s * 1000))
    (due,) = dues(state)
    start, end = (datetime.fromtimestamp(at / 1000, UTC) for at in (due.started_at_ms, due.due_at_ms))
    assert end.weekday() < 5
    weekdays = sum(
        datetime.fromtimestamp(day * 86_400, UTC).weekday() < 5
        for day in range(int(start.timestamp()) // 86_400 + 1, int(end.timestamp()) // 86_400 + 1)
    )
    assert weekdays == days


def test_a_declared_breach_starts_its_clock_at_the_hour_and_is_told_once() -> None:
    state, _ = opened()
    breach = declaration(Declared.BREACH, START_MS + 5_000)
    state, alerts = declare(state, breach, START_MS + 9_000, 0)
    assert [alert.change for alert in alerts] == [Change.GROWN]
    assert "declared: a breach of personal data" in alerts[0].why
    due = {each.kind: each for each in alerts[0].due}
    assert due["breach"].due_at_ms == START_MS + 5_000 + 72 * 3_600_000
    assert due["cure"].waits_for == "notice"
    assert declare(state, breach, START_MS + 10_000, 1)[1] == []


def test_a_declaration_is_taken_back_and_a_duty_that_is_met_stands() -> None:
    state, _ = opened()
    before = state
    state, _ = declare(state, declaration(Declared.NOTICE, START_MS), START_MS, 0)
    assert {each.kind for each in running(dues(state))} == {"opt-out", "cure"}
    state, alerts = declare(state, declaration(Declared.NOTICE, 0), START_MS, 1)
    assert "taken back" in alerts[0].why
    assert dues(state) == dues(before)
    state, _ = declare(state, declaration(Declared.MET, START_MS, "xx-breach"), START_MS, 2)
    assert "breach" not in {each.kind for each in dues(state)}


@pytest.mark.parametrize(
    "wrong",
    [
        declaration(Declared.MET, START_MS),
        declaration(Declared.BREACH, START_MS, "xx-breach"),
        declaration(Declared.BREACH, -1),
        declaration(Declared.BREACH, 10**18),
    ],
)
def test_a_declaration_that_contradicts_itself_is_refused(wrong: Declaration) -> None:
    state, _ = opened()
    with pytest.raises(ValueError, match="contradicts"):
        declare(state, wrong, START_MS, 0)


@given(
    st.lists(st.tuples(st.sampled_from(Declared), st.integers(0, 3), st.sampled_from(["xx-breach", "xx-cure"]))),
    st.data(),
)
def test_declarations_that_are_read_again_change_nothing(
    said: list[tuple[Declared, int, str]], data: st.DataObject
) -> None:
    """As after a crash, from anywhere: nothing that was taken back stands again, and nobody is told again."""
    state, _ = opened()
    every = [declaration(what, at_ms, duty if what is Declared.MET else "") for what, at_ms, duty in said]
    for offset, one in enumerate(every):
        # Clocks of those who write need not agree: times go up and down.
        state, _ = declare(state, one, START_MS - offset % 3, offset)
    for offset in range(data.draw(st.integers(0, len(every))), len(every)):
        assert declare(state, every[offset], START_MS - offset % 3, offset) == (state, [])


def test_a_declaration_in_a_topic_that_was_created_anew_counts() -> None:
    state, _ = opened()
    state, _ = declare(state, declaration(Declared.BREACH, START_MS), START_MS, 7)
    state, alerts = declare(state, declaration(Declared.BREACH, 0), START_MS + 1, 0)
    assert len(alerts) == 1
    assert not state.declared


def test_what_was_taken_stays_taken_in_the_next_episode_of_the_key() -> None:
    state, _ = opened()
    state, _ = declare(state, declaration(Declared.MET, START_MS, "xx-breach"), START_MS, 0)
    state, _ = declare(state, declaration(Declared.MET, 0, "xx-breach"), START_MS, 1)
    over = msgspec.structs.replace(state, state=EpisodeState.RESOLVED)
    following, _ = step(over, fold([Seen("k", 0, 99, START_MS, 1, "s")]), START_MS + DAY_MS, POLICY)
    assert following.episode_id != over.episode_id
    assert declare(following, declaration(Declared.MET, START_MS, "xx-breach"), START_MS, 0) == (following, [])


def test_an_alert_with_what_was_declared_has_an_id_of_its_own() -> None:
    """After a crash one revision can be told with it and without."""
    state, _ = opened()
    _, without = tell(state, Change.GROWN, START_MS)
    declared, _ = declare(state, declaration(Declared.BREACH, START_MS), START_MS, 0)
    _, told = tell(msgspec.structs.replace(declared, revision=state.revision), Change.GROWN, START_MS)
    assert told[0].revision == without[0].revision
    assert told[0].alert_id != without[0].alert_id


def test_people_are_told_once_that_a_duty_is_due_soon() -> None:
    state, alert = opened(refused(seconds=0))
    due_ms = alert.due[0].due_at_ms
    # It goes on all the time.
    state = msgspec.structs.replace(state, seen_at_ms=due_ms + 30 * DAY_MS)
    told = []
    for hour in range(0, 30 * 24, 6):
        state, alerts = tick(state, START_MS + hour * 3_600_000, POLICY)
        told += alerts
    assert [each.change for each in told] == [Change.GROWN]
    assert 0 <= told[0].at_ms - (due_ms - 2 * DAY_MS) < DAY_MS
    assert (
        f"the opt-out must have effect by {datetime.fromtimestamp(due_ms / 1000, UTC):%Y-%m-%d %H:%M} UTC"
        in told[0].why
    )


def test_a_resolved_episode_has_acted_on_the_opt_out_and_keeps_its_declared_clocks() -> None:
    state, _ = opened()
    state, _ = declare(state, declaration(Declared.BREACH, START_MS), START_MS, 0)
    for second in (100, 1_000):
        state, _ = tick(state, START_MS + second * 1_000, POLICY)
    assert state.state is EpisodeState.RESOLVED
    assert [each.kind for each in running(dues(state))] == ["breach"]
    assert not is_forgettable(state, START_MS + 20 * DAY_MS, POLICY)
    assert is_forgettable(state, START_MS + 40 * DAY_MS, POLICY)
    another, alerts = step(state, refused(offset=9), START_MS + 2_000_000, POLICY)
    assert alerts[0].change is Change.OPENED
    assert another.episode_id != state.episode_id
    assert [each.kind for each in running(alerts[0].due)] == ["breach", "opt-out"]


def test_the_burn_down_shows_the_next_due_time_of_each_duty_and_place_and_no_more() -> None:
    metrics = AlertMetrics()
    state, alert = opened()

    def shown() -> dict[tuple[str, str], float]:
        family = next(each for each in metrics.registry.collect() if each.name.startswith("privacy_duty"))
        return {(each.labels["duty"], each.labels["jurisdiction"]): each.value for each in family.samples}

    later = msgspec.structs.replace(state, refused_at_ms=state.refused_at_ms + 5 * DAY_MS)
    metrics.next_due(0, [later])
    metrics.next_due(1, [state, later])
    assert shown() == {("opt-out", "US-CA"): alert.due[0].due_at_ms / 1000}
    metrics.next_due(1, [])
    assert shown() == {("opt-out", "US-CA"): dues(later)[0].due_at_ms / 1000}
    metrics.keep_partitions([])
    assert shown() == {}
    hostile = [msgspec.structs.replace(state, jurisdiction=f"X{number}") for number in range(5_000)]
    metrics.next_due(0, hostile)
    assert len(shown()) <= 201


def test_a_duty_that_comes_near_in_the_moment_of_silence_is_told_before_the_silence() -> None:
    state, alert = opened()
    near_ms = running(alert.due)[0].due_at_ms - 2 * DAY_MS
    state, _ = step(state, refused(offset=1), near_ms - 50_000, POLICY)
    state, before = tick(state, near_ms - 1_000, POLICY)
    assert before == []
    state, warned = tick(state, near_ms + 20_000, POLICY)
    state, quiet = tick(state, near_ms + 30_000, POLICY)
    assert [each.change for each in (*warned, *quiet)] == [Change.GROWN, Change.QUIET]
    assert "the opt-out must have effect" in warned[0].why
