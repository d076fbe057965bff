"""What a desk tells, what it keeps, and when time passes."""

import time

import msgspec
import pytest

from alerts.desk import Desk, Position
from alerts.episodes import Policy
from alerts.metrics import AlertMetrics, Vocabulary
from alerts.plane import Plane
from alerts.register import Register
from alerts.settings import AlertSettings
from tests.alerts.traffic import START_MS, Seen, fold
from topics.record import RawRecord
from topics.triage import Declaration, Declared


def folded(offset: int, count: int = 1) -> bytes:
    return msgspec.json.encode(fold([Seen("k", 0, offset, START_MS, count, f"s{offset}")]))


class World:
    """A desk with a register; the log says what was told, and what is to be remembered after it."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.register = Register()
        policy = Policy(quiet_seconds=60, resolve_seconds=600, forget_seconds=3600)
        self.desk = Desk(policy, self.register, AlertMetrics(), self._tell)

    def _tell(self, key: bytes, value: bytes, headers: list[tuple[str, bytes]]) -> None:
        change = msgspec.json.decode(value)["change"]
        assert (key, dict(headers)["ce_type"]) == (b"k", f"privacy.alert.{change}".encode())
        self.log.append(change)

    def _remember(self) -> None:
        self.log += ["forgotten" if value is None else "remembered" for _, _, value in self.register.changes()]

    def fold(self, offset: int, at_ms: int = START_MS, count: int = 1) -> None:
        self.desk.fold(Position("findings", 2, offset, at_ms), folded(offset, count))
        self._remember()

    def declare(self, partition: int) -> None:
        breach = Declaration(episode_key="k", what=Declared.BREACH, at_ms=START_MS)
        self.desk.declare(Position("triage", partition, 0, START_MS), msgspec.json.encode(breach))
        self._remember()

    def tick(self, *, all_read: bool) -> None:
        self.desk.tick(2, time.time_ns() // 1_000_000 if all_read else None)
        self._remember()


def test_what_changed_is_to_be_remembered_once_and_what_comes_again_changes_nothing() -> None:
    world = World()
    for offset in range(4):
        world.fold(offset)
    world.fold(3)
    assert world.log == ["opened", "remembered", "grown", "remembered", "remembered", "grown", "remembered"]


def test_a_backlog_makes_no_episode_quiet_and_reading_it_all_does() -> None:
    world = World()
    world.fold(0, at_ms=START_MS)
    world.fold(1, at_ms=START_MS + 59_000)
    world.log.clear()
    world.tick(all_read=False)
    assert world.log == []
    world.tick(all_read=True)
    assert world.log[0] == "quiet"


def test_an_old_resolved_episode_is_forgotten() -> None:
    world = World()
    world.fold(0)
    for _ in range(3):
        world.tick(all_read=True)
    assert world.log == ["opened", "remembered", "quiet", "remembered", "resolved", "remembered", "forgotten"]
    assert list(world.register.of(2)) == []


def test_a_declaration_begins_no_second_state_of_an_episode_in_another_partition() -> None:
    world = World()
    world.fold(0)
    world.log.clear()
    world.declare(3)
    assert world.log == []
    assert list(world.register.of(3)) == []
    world.declare(2)
    assert world.log == ["grown", "remembered"]


@pytest.mark.parametrize("kind", ["", ":gap", ":exempt"])
def test_a_declaration_comes_to_where_the_findings_of_its_episode_come(kind: str) -> None:
    one = fold([Seen("k", 0, 0, START_MS, 1, "s")])
    assert (
        Declaration(episode_key=one.episode_key + kind, what=Declared.BREACH, at_ms=1).key == one.episode_key.encode()
    )


SETTINGS = AlertSettings(triage_topic="privacy.triage.v1")


def findings(partition: int, offset: int) -> RawRecord:
    return RawRecord(SETTINGS.findings_topic, partition, offset, START_MS, b"k", folded(offset))


def remembered(plane: Plane) -> dict[bytes, bytes]:
    return {
        each.key: each.value
        for each in plane.outgoing()
        if each.topic == SETTINGS.episodes_topic and each.value is not None
    }


def test_what_is_told_stands_before_what_is_remembered_and_once_for_each_episode() -> None:
    plane = Plane(SETTINGS, AlertMetrics())
    plane.take(2, {}, None)
    for offset in range(50):
        plane.handle(findings(2, offset))
    sent = plane.outgoing()
    kept = [each for each in sent if each.topic == SETTINGS.episodes_topic]
    assert [each.topic for each in sent] == [SETTINGS.alerts_topic] * (len(sent) - 1) + [SETTINGS.episodes_topic]
    assert [each.partition for each in kept] == [2]
    assert plane.outgoing() == []


def test_who_takes_over_counts_on_from_what_is_remembered_and_nothing_twice() -> None:
    one, two = Plane(SETTINGS, AlertMetrics()), Plane(SETTINGS, AlertMetrics())
    one.take(2, {}, None)
    for offset in range(5):
        one.handle(findings(2, offset))
    two.take(2, remembered(one), None)
    for offset in range(10):
        two.handle(findings(2, offset))
    (value,) = remembered(two).values()
    assert msgspec.json.decode(value)["findings"] == 10


def test_a_partition_that_is_another_s_is_neither_counted_nor_told_nor_remembered() -> None:
    plane = Plane(SETTINGS, AlertMetrics())
    plane.take(2, {}, None)
    plane.handle(findings(2, 0))
    plane.outgoing()
    plane.drop([2])
    plane.handle(findings(2, 1))
    plane.tick(2, START_MS + 10**9)
    assert plane.outgoing() == []


def test_label_values_stay_few_and_plain() -> None:
    vocabulary = Vocabulary(limit=3)
    assert [vocabulary(value) for value in ("a", "b\n", "", "x" * 65, "b", "c", "d", "a")] == [
        "a",
        "other",
        "none",
        "other",
        "b",
        "c",
        "other",
        "a",
    ]
    assert [Vocabulary(["known"])(value) for value in ("known", "new")] == ["known", "other"]
