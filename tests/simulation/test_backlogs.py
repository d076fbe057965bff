"""A backlog keeps no other partition waiting, and is not judged without a ledger that is away for a moment."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast

from prometheus_client import CollectorRegistry

from detectors.consent.ledger import Choice, Coverage
from monitor.context import load_shipped
from monitor.kafka import DeliveryFailed
from monitor.metrics import Metrics
from monitor.runner import Runner
from topics.adapters import make
from topics.observation import AdapterOptions
from topics.record import Outgoing, Place, RawRecord

NOW_MS = 1_795_000_000_000
BATCH = 10
LONG, SHORT = ("shop.kong", 0), ("shop.kong", 1)


class Endless:
    """A reader whose first partition always has more, and whose second has one record."""

    def __init__(self, runner: Runner) -> None:
        self._next = 0
        self._is_told = False
        self._rests = False
        runner.assigned({LONG: 0, SHORT: 0})

    def poll(self, limit: int, timeout_seconds: float) -> list[RawRecord]:
        del timeout_seconds
        if self._rests:
            return []
        is_last = not self._is_told and self._next >= 3 * BATCH
        short = [RawRecord(*SHORT, 0, NOW_MS - 60_000, None, b"{}")] if is_last else []
        self._is_told |= is_last
        start, self._next = self._next, self._next + limit - len(short)
        return [RawRecord(*LONG, each, NOW_MS - 60_000, None, b"{}") for each in range(start, self._next)] + short

    def pause(self) -> None:
        self._rests = True

    def resume(self) -> None:
        self._rests = False

    def high_watermarks(self) -> Mapping[Place, int]:
        return {}


class Notes:
    """A writer that is refused a few times, so that records pile up, and then notes what was accounted for."""

    def __init__(self, refusals: int = 6) -> None:
        self.done: list[Place] = []
        self._refusals = refusals

    def deliver(self, outgoing: Sequence[Outgoing], offsets: Mapping[Place, int], reader: object) -> None:
        del outgoing, reader
        if self._refusals:
            self._refusals -= 1
            raise DeliveryFailed("_MSG_TIMED_OUT")
        self.done += offsets


def test_a_partition_with_an_endless_backlog_does_not_keep_another_waiting() -> None:
    context = load_shipped(domains=["shop.example"]).context({"shop.kong": make("kong", AdapterOptions())}, "test")
    writer = Notes()
    runner = Runner(
        context,
        cast("Callable[[Runner], Any]", Endless),
        cast("Any", writer),
        None,
        Metrics(CollectorRegistry(), version="1"),
        settle_seconds=0,
        ledger_wait_seconds=0,
        batch_records=BATCH,
        now_ms=lambda: NOW_MS,
    )
    for _ in range(100):
        runner.turn()
    assert SHORT in writer.done


class Ledger:
    """A ledger that is as it is told to be."""

    coverage = Coverage.READY

    def view(self) -> "View":
        return View(self.coverage)


class View:
    mark = ""

    def __init__(self, coverage: Coverage) -> None:
        self._coverage = coverage

    def coverage(self, _broker_ms: int) -> Coverage:
        return self._coverage

    def choices(self, _subjects: Iterable[str]) -> Sequence[Choice]:
        return ()

    def choices_of(self, people: Sequence[Sequence[str]]) -> list[Sequence[Choice]]:
        return [()] * len(people)

    def close(self) -> None:
        pass


def test_a_backlog_waits_for_a_ledger_that_was_there_a_moment_ago_and_no_longer() -> None:
    ledger, now_ms = Ledger(), NOW_MS
    runner = Runner(
        load_shipped(domains=["shop.example"]).context({"shop.kong": make("kong", AdapterOptions())}, "test"),
        cast("Callable[[Runner], Any]", Endless),
        cast("Any", Notes(refusals=0)),
        cast("Any", ledger),
        Metrics(CollectorRegistry(), version="1"),
        settle_seconds=0,
        ledger_wait_seconds=30,
        batch_records=BATCH,
        now_ms=lambda: now_ms,
    )
    now_ms += 31_000  # the start's own wait is over
    assert runner.turn() == BATCH
    ledger.coverage = Coverage.LOADING
    now_ms += 29_000
    assert runner.turn() == 0, "it was there 29 seconds ago"
    now_ms += 2_000
    assert runner.turn() == BATCH, "nobody waits for it for ever"
    ledger.coverage = Coverage.BEHIND
    assert runner.turn() == BATCH, "what is far behind is not waited for by what is old"
