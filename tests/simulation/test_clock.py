"""A wall clock of a worker that jumps by a day, in the midst of its work."""

from collections import Counter

import pytest

from monitor.context import Loaded
from tests.simulation.test_simulation import ADAPTERS, START_MS, loaded, pool
from tests.simulation.world import GROUP, SOURCES, Piece, World

__all__ = ["loaded", "pool"]
DAY_MS = 86_400_000


def played(world: World, seconds: int) -> None:
    for _ in range(seconds):
        world._produce()
        world.ledger.apply(1_000)
        for worker in world.workers:
            if worker.runner is not None:
                world._turn_of(worker)
        world.broker.pass_time(1_000, {GROUP: SOURCES})


@pytest.mark.parametrize("days", [-1, 1])
def test_a_clock_that_jumps_holds_nothing_up_and_changes_no_verdict(
    loaded: Loaded, pool: list[Piece], days: int
) -> None:
    world = World(3, loaded, ADAPTERS, pool, exactly_once=False, start_ms=START_MS, hits=Counter())
    world._warm_up()
    played(world, 3)
    (runner,) = [each.runner for each in world.workers if each.runner is not None]
    # What was read and is not settled waits; then the clock jumps.
    assert any(runner._pending.values())
    runner._now_ms = lambda: world.broker.now_ms + days * DAY_MS
    told = runner._last_lag_ms
    played(world, 5)
    world.ledger.apply(1_000)
    world.broker.pass_time(1_000, {GROUP: SOURCES})
    for _ in range(3):
        world._turn_of(next(each for each in world.workers if each.runner is runner))
        world.broker.pass_time(1_000, {GROUP: SOURCES})
    assert world._is_done()
    assert runner._last_lag_ms != told, "the lag is told on"
    assert not world._checked().faults
