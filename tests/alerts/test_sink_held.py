"""What a sink holds back: told afterwards and never dropped, in order, and told as what it is."""

import json
import random
import sqlite3
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from alerts.sinks.apprise import AppriseText
from alerts.sinks.forms import Form, SignedWebhook
from alerts.sinks.pagerduty import PagerDuty
from alerts.sinks.post import Answer, Outcome
from alerts.sinks.route import Route, Team
from alerts.sinks.schedule import Digest, QuietHours, Schedule
from alerts.sinks.sink import Limits, Sink
from alerts.sinks.spool import _TABLES, Spool, Taken
from alerts.text import Links
from tests.alerts.test_every_sink import OPENED, SECRET, made
from topics.alert import Alert, Audience
from topics.finding import SEVERITIES, Severity, Verdict

HOUR_MS = 3_600_000
NIGHT = Schedule(quiet=(QuietHours(zone="UTC", begins=time(22), ends=time(7)),))
DAILY = Schedule(digest=Digest(zone="UTC", at=time(9), hours=24))
FORMS: dict[str, Form] = {
    "webhook": SignedWebhook(SECRET),
    "apprise": AppriseText(Links()),
    "pagerduty": PagerDuty("k" * 32, Links()),
}


def at(hour: int, day: int = 25) -> int:
    return int(datetime(2026, 11, day, hour, tzinfo=UTC).timestamp() * 1000)


def alert(key: str, revision: int, last: int, severity: Severity = Severity.LOW) -> Alert:
    return msgspec.structs.replace(made(key, revision, last), severity=severity)


class Target:
    def __init__(self, spool: Spool, schedule: Schedule | None, form: str = "webhook", **more: Any) -> None:
        self.bodies: list[Any] = []
        self.outcome = Outcome.DELIVERED
        limits = Limits(requests_per_minute=6_000)
        self.sink = Sink(
            "hook",
            FORMS[form],
            self._deliver,
            spool,
            **{"limits": limits, "route": Route(), "schedule": schedule, **more},
        )

    def _deliver(self, body: bytes, *_: object) -> Answer:
        if self.outcome is Outcome.DELIVERED:
            self.bodies.append(json.loads(body))
        return Answer(self.outcome)

    def flush(self, now_ms: int) -> None:
        for step in range(2_000):
            if self.sink.flush(now_ms + step * 10) is None:
                break

    def told(self) -> list[tuple[str, int]]:
        return [(each["episode_key"], each["revision"]) for body in self.bodies for each in body["alerts"]]


def test_a_night_is_told_in_the_morning_in_one_message_and_counts_as_held_meanwhile(tmp_path: Path) -> None:
    with Spool(tmp_path / "spool") as spool:
        target = Target(spool, NIGHT)
        for revision in range(1, 9):
            target.sink.take(
                [alert(f"k{number}", revision, 8, Severity.HIGH) for number in range(20)], at(23) + revision
            )
            target.flush(at(23) + revision)
        assert target.bodies == []
        assert (target.sink.held(at(23)), target.sink.oldest_seconds(at(6, 26))) == (20, 0.0)
        target.flush(at(7, 26))
        assert target.sink.oldest_seconds(at(8, 26)) == 0.0
    (body,) = target.bodies
    assert body["digest"] is True
    assert body["folded"] == 20 * 7
    assert target.told() == [(f"k{number}", 8) for number in range(20)]


def test_what_is_critical_breaks_through_and_takes_with_it_what_was_held_of_its_episode(tmp_path: Path) -> None:
    with Spool(tmp_path / "spool") as spool:
        target = Target(spool, NIGHT)
        target.sink.take([alert("a", 1, 9, Severity.HIGH), alert("b", 1, 9, Severity.HIGH)], at(23))
        target.sink.take([alert("a", 2, 9, Severity.CRITICAL)], at(23) + 1)
        target.flush(at(23) + 2)
        assert target.told() == [("a", 1), ("a", 2)]
        target.flush(at(7, 26))
        assert target.told() == [("a", 1), ("a", 2), ("b", 1)]


def test_a_digest_is_one_message_for_a_day_with_the_newest_of_each_episode(tmp_path: Path) -> None:
    with Spool(tmp_path / "spool") as spool:
        target = Target(spool, DAILY)
        for hour in range(10, 20):
            target.sink.take([alert(f"k{number:03}", hour - 9, 99) for number in range(300)], at(hour))
            target.sink.take([alert("severe", hour - 9, 99, Severity.MEDIUM)], at(hour))
            target.flush(at(hour))
        assert [body["digest"] for body in target.bodies] == [False] * 10
        target.flush(at(9, 26))
    assert [body["digest"] for body in target.bodies[10:]] == [True]
    assert len(target.bodies[10]["alerts"]) == 300
    assert {each["revision"] for each in target.bodies[10]["alerts"]} == {10}


@pytest.mark.parametrize("form", ["webhook", "pagerduty"])
@pytest.mark.parametrize("seed", range(4))
def test_nothing_held_is_lost_or_told_out_of_order_over_restarts_and_failures(
    tmp_path: Path, form: str, seed: int
) -> None:
    random_ = random.Random(seed)
    schedule = Schedule(quiet=NIGHT.quiet, digest=None if form == "pagerduty" else DAILY.digest)
    waiting = {f"k{number}": list(range(1, 7)) for number in range(12)}
    severities = {key: sorted((random_.choice(SEVERITIES) for _ in range(6)), key=SEVERITIES.index) for key in waiting}
    bodies: list[Any] = []
    now_ms = at(12)
    while any(waiting.values()):
        with Spool(tmp_path / "spool") as spool:
            target = Target(spool, schedule, form)
            target.sink.plan(now_ms)
            for _ in range(5):
                key = random_.choice([key for key, rest in waiting.items() if rest])
                revision = waiting[key].pop(0)
                target.sink.take([alert(key, revision, 6, severities[key][revision - 1])], now_ms)
                target.outcome = random_.choice((Outcome.DELIVERED, Outcome.FAILED))
                target.flush(now_ms)
                now_ms += random_.randrange(HOUR_MS)
                if not any(waiting.values()):
                    break
            bodies += target.bodies
    with Spool(tmp_path / "spool") as spool:
        target = Target(spool, schedule, form)
        for _ in range(100):
            target.flush(now_ms)
            now_ms += HOUR_MS
        assert target.sink.waiting() == 0
        bodies += target.bodies
    if form == "pagerduty":
        actions = {key: [body["event_action"] for body in bodies if body["dedup_key"] == key] for key in waiting}
        assert all(each.count("resolve") == 1 and each[-1] == "resolve" and len(each) == 6 for each in actions.values())
        return
    told = [(each["episode_key"], each["revision"]) for body in bodies for each in body["alerts"]]
    for key in waiting:
        revisions = [revision for name, revision in told if name == key]
        assert revisions == sorted(set(revisions))
        assert revisions[-1] == 6


def test_quiet_hours_that_are_taken_away_set_free_what_they_held(tmp_path: Path) -> None:
    with Spool(tmp_path / "spool") as spool:
        Target(spool, NIGHT).sink.take([alert("a", 1, 9, Severity.HIGH)], at(23))
        target = Target(spool, None)
        target.sink.plan(at(23) + 1)
        target.flush(at(23) + 1)
        assert target.told() == [("a", 1)]


def test_a_spool_of_the_first_release_is_read_and_stays_one_that_it_can_write(tmp_path: Path) -> None:
    path = tmp_path / "spool"
    old = sqlite3.connect(path)
    old.executescript(_TABLES)
    row = ("hook", "old", "episode-old", at(23), 0, msgspec.json.encode(alert("old", 1, 9)))
    insert = "INSERT INTO waiting (sink, key, episode, since_ms, folded, value) VALUES (?, ?, ?, ?, ?, ?)"
    with old:
        old.execute(insert, row)
    with Spool(path) as spool:
        target = Target(spool, NIGHT)
        target.flush(at(23))
        assert target.told() == [("old", 1)]
        with old:
            old.execute(insert, ("hook", "older", *row[2:]))
            old.execute("INSERT INTO known VALUES (?, ?, ?, ?, ?)", ("hook", "older", "episode-old", 1, 1))
        target.flush(at(23) + 60_000)
        assert len(target.bodies) == 2
    old.close()


def test_a_digest_in_words_names_the_most_severe_first_and_counts_what_does_not_fit(tmp_path: Path) -> None:
    with Spool(tmp_path / "spool") as spool:
        target = Target(spool, NIGHT, "apprise")
        target.sink.take([alert(f"k{number:03}", 1, 9, SEVERITIES[number % 3]) for number in range(90)], at(23))
        gap = msgspec.structs.replace(alert("gap", 1, 9), verdict=Verdict.GAP, audience=Audience.ENGINEERS)
        target.sink.take([gap], at(23))
        target.flush(at(7, 26))
    (body,) = target.bodies
    assert body["title"] == "91 episodes: 90 violations, 1 gaps; 0 are over"
    lines = body["body"].splitlines()
    assert lines[0].startswith("[high]")
    shown = sum(line.startswith("[") for line in lines)
    assert f"And {91 - shown} more" in body["body"]
    assert len(body["body"]) <= 3_000


def test_teams_get_what_they_answer_for_and_nobodys_alerts_have_a_place_too() -> None:
    teams = (
        Team(name="checkout", services=("checkout",)),
        Team(name="america", jurisdictions=("US",)),
        Team(name="ads-in-de", recipients=("meta",), jurisdictions=("DE",)),
    )

    def takers(one: Alert) -> set[str]:
        names = ("checkout", "america", "ads-in-de", "none")
        return {name for name in names if Route(teams=(name,), known=teams).wants(one)}

    assert takers(OPENED) == {"checkout", "america"}
    assert takers(msgspec.structs.replace(OPENED, services=("x",), jurisdiction="US")) == {"america"}
    assert takers(msgspec.structs.replace(OPENED, services=("x",), jurisdiction="USX")) == {"none"}
    assert takers(msgspec.structs.replace(OPENED, services=("x",), jurisdiction="DE", recipient="meta")) == {
        "ads-in-de"
    }
    assert takers(msgspec.structs.replace(OPENED, services=("x",), jurisdiction="DE", recipient="x")) == {"none"}


def test_an_episode_that_a_sink_was_told_of_is_told_to_its_end(tmp_path: Path) -> None:
    with Spool(tmp_path / "spool") as spool:
        none = Route(teams=("none",), known=(Team(name="web", services=("web",)),))
        target = Target(spool, None, route=none)
        first = msgspec.structs.replace(alert("a", 1, 2), services=("x",))
        assert target.sink.take([first], at(12)) == [Taken.KEPT]
        last = msgspec.structs.replace(alert("a", 2, 2), services=("web", "x"))
        assert target.sink.take([last], at(12)) == [Taken.KEPT]
        assert target.sink.take([msgspec.structs.replace(last, episode_id="another")], at(12)) == []


@pytest.mark.parametrize("together", [True, False])
def test_the_end_of_an_episode_is_told_to_whom_its_beginning_was_told(tmp_path: Path, *, together: bool) -> None:
    team = Team(name="web", services=("web",))
    route = Route(teams=("none",), known=(team,))
    first = msgspec.structs.replace(alert("k", 1, 3), services=())
    # A service of the team's joins: the episode is not nobody's any more.
    rest = [msgspec.structs.replace(alert("k", revision, 3), services=("web",)) for revision in (2, 3)]
    with Spool(tmp_path / "spool") as spool:
        target = Target(spool, None, route=route)
        for batch in [[first, *rest]] if together else [[first], rest]:
            target.sink.take(batch, at(12))
        target.flush(at(12))
    assert target.told() == [("k", 1), ("k", 2), ("k", 3)]
