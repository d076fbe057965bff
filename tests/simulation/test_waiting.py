"""How long the runner waits for a ledger that cannot speak yet."""

from collections import Counter

import pytest

from monitor.context import Loaded
from tests.simulation.test_simulation import ADAPTERS, START_MS, loaded, pool
from tests.simulation.world import Piece, World

__all__ = ["loaded", "pool"]
HOUR_MS = 3_600_000


@pytest.fixture
def world(loaded: Loaded, pool: list[Piece]) -> World:
    """A backlog of an hour, and a worker that has just begun."""
    made = World(1, loaded, ADAPTERS, pool, exactly_once=False, start_ms=START_MS, hits=Counter())
    for _ in range(5):
        made._produce()
    made.broker.now_ms += HOUR_MS
    made._start()
    return made


def accounted(world: World) -> int:
    return sum(
        len(log.entries) for place, log in world.broker.partitions.items() if place[0] == "privacy.accounting.v1"
    )


def turns(world: World, seconds: int) -> None:
    for _ in range(seconds):
        world.broker.pass_time(1_000, {"monitor": ("shop.events", "shop.kong")})
        for worker in world.workers:
            if worker.runner is not None:
                world._turn_of(worker)


def test_a_backlog_waits_for_the_ledger_and_is_judged_with_it(world: World) -> None:
    turns(world, 1)
    assert accounted(world) == 0, "an old record is not judged without a ledger that is only loading"
    world.ledger.apply(1_000)
    turns(world, 2)
    assert accounted(world) > 0
    assert not [each for each in world._checked().faults if each.kind.value.startswith("finding")]


def test_it_does_not_wait_for_ever(world: World) -> None:
    turns(world, 10)
    assert accounted(world) > 0
