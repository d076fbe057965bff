"""The order of the writes: first told, then remembered."""

import asyncio

import msgspec
import pytest

from alerts.desk import Desk, Position
from alerts.episodes import Policy
from alerts.metrics import AlertMetrics, Vocabulary
from alerts.register import Register
from tests.alerts.traffic import START_MS, Seen, fold
from topics.triage import Declaration, Declared


class World:
    """A desk over a plain dictionary; the log says in which order things happened."""

    def __init__(self, *, broker_fails: bool = False) -> None:
        self.log: list[str] = []
        self.broker_fails = broker_fails
        world = self

        class Table(dict[bytes, bytes]):
            def __setitem__(self, key: bytes, value: bytes) -> None:
                world.log.append("remembered")
                super().__setitem__(key, value)

        self.table = Table()
        self.register = Register(self.table)
        self.metrics = AlertMetrics()
        policy = Policy(quiet_seconds=60, resolve_seconds=600, forget_seconds=3600)
        self.desk = Desk(policy, self.register, self.metrics, self._publish)

    async def _publish(self, key: bytes, value: bytes, headers: list[tuple[str, bytes]]) -> None:
        if self.broker_fails:
            raise ConnectionError
        change = msgspec.json.decode(value)["change"]
        assert (key, dict(headers)["ce_type"]) == (b"k", f"privacy.alert.{change}".encode())
        self.log.append(change)

    def fold(self, offset: int, at_ms: int = START_MS, count: int = 1) -> None:
        one = fold([Seen("k", 0, offset, START_MS, count, f"s{offset}")])
        asyncio.run(self.desk.fold(Position("findings", 2, offset, at_ms), msgspec.json.encode(one)))

    def declare(self, partition: int) -> None:
        breach = Declaration(episode_key="k", what=Declared.BREACH, at_ms=START_MS)
        asyncio.run(self.desk.declare(Position("triage", partition, 0, START_MS), msgspec.json.encode(breach)))

    def tick(self, *, all_read: bool) -> None:
        asyncio.run(self.desk.tick(2, all_read=all_read))


def test_an_alert_is_acknowledged_before_the_table_is_written() -> None:
    world = World()
    for offset in range(4):
        world.fold(offset)
    world.fold(3)
    assert world.log == ["opened", "remembered", "grown", "remembered", "remembered", "grown", "remembered"]


def test_an_alert_that_the_broker_did_not_take_leaves_the_table_as_it_was() -> None:
    world = World(broker_fails=True)
    with pytest.raises(ConnectionError):
        world.fold(0)
    assert world.table == {}
    world.broker_fails = False
    world.fold(0)
    assert world.log == ["opened", "remembered"]


def test_a_backlog_makes_no_episode_quiet_and_reading_it_all_does() -> None:
    world = World()
    world.fold(0, at_ms=START_MS)
    world.fold(1, at_ms=START_MS + 59_000)
    world.log.clear()
    world.tick(all_read=False)
    assert world.log == []
    world.tick(all_read=True)
    assert world.log[0] == "quiet"


def test_an_old_resolved_episode_is_dropped_from_the_table() -> None:
    world = World()
    world.fold(0)
    for _ in range(3):
        world.tick(all_read=True)
    assert world.log == ["opened", "remembered", "quiet", "remembered", "resolved", "remembered"]
    assert world.table == {}


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


def test_recovered_values_replace_what_was_decoded_before() -> None:
    world, other = World(), World()
    world.fold(0)
    other.fold(0)
    other.fold(1, count=9)
    world.table[b"k"] = other.table[b"k"]
    known = world.register.get(b"k")
    assert known is not None
    assert known.findings == 10


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
