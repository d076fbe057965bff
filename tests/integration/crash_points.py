"""The program, killed at a named point: `python -m tests.integration.crash_points POINT NTH worker --config FILE`.

Nothing in the program knows of these points: the calls of its edges are wrapped here, and at the nth pass of the named one
the process kills itself with SIGKILL, as if from outside, after it has told of it on standard error. With `NTH:SIGSTOP` it
stops there instead, so that something can be done to others while it is in the midst of its work.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from monitor import cli, runner, worker
from monitor.kafka import reader, writer
from monitor.ledger import LedgerWriter
from monitor.ledger_reader import LedgerReader

MARK = "crashed at "
_Call = Callable[..., Any]


class Point:
    """One point: how often it is passed, and when that is the end."""

    def __init__(self, name: str, nth: int, number: signal.Signals = signal.SIGKILL) -> None:
        self.name = name
        self._left = nth
        self._number = number

    def passed(self, name: str) -> None:
        if name != self.name:
            return
        self._left -= 1
        if self._left == 0:
            sys.stderr.write(f"{MARK}{name}\n")
            sys.stderr.flush()
            os.kill(os.getpid(), self._number)


def _around(owner: Any, name: str, point: Point, before: str = "", after: str = "") -> None:
    original: _Call = getattr(owner, name)

    def call(*args: Any, **kwargs: Any) -> Any:
        point.passed(before)
        result = original(*args, **kwargs)
        point.passed(after)
        return result

    setattr(owner, name, call)


class _Producer:
    """The producer, with points inside of what the writer does with it."""

    def __init__(self, real: Any, point: Point) -> None:
        self._real = real
        self._point = point
        self._since_begin = 0

    def produce(self, *args: Any, **kwargs: Any) -> None:
        self._real.produce(*args, **kwargs)
        self._since_begin += 1
        if self._since_begin == 2:
            self._real.flush(5)
            self._point.passed("mid-produce")

    def flush(self, *args: Any) -> Any:
        self._since_begin = 0
        return self._real.flush(*args)

    def begin_transaction(self) -> None:
        self._since_begin = 0
        self._real.begin_transaction()
        self._point.passed("after begin of transaction")

    def send_offsets_to_transaction(self, *args: Any) -> None:
        self._point.passed("before offsets of transaction")
        self._real.send_offsets_to_transaction(*args)
        self._point.passed("after offsets of transaction")

    def commit_transaction(self, *args: Any) -> None:
        self._point.passed("before commit of transaction")
        self._real.commit_transaction(*args)
        self._point.passed("after commit of transaction")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def _in_producer(point: Point) -> None:
    original: _Call = writer.Writer.__init__

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        self._producer = _Producer(self._producer, point)

    writer.Writer.__init__ = init  # type: ignore[method-assign]


def arm(point: Point) -> None:
    """Wrap the edges of the program."""
    _around(reader.Reader, "poll", point, "before poll", "after poll")
    _around(reader.Reader, "commit", point, "before commit", "after commit")
    _around(reader.Reader, "_assigned", point, "before assignment", "after assignment")
    _around(reader.Reader, "_revoked", point, "before revocation", "after revocation")
    _around(runner, "process", point, "before judging", "after judging")
    _around(writer.Writer, "send", point, "before produce", "after produce")
    _around(runner.Runner, "swap", point, "before rule swap", "after rule swap")
    _around(LedgerReader, "view", point, "before ledger view", "after ledger view")
    _around(LedgerWriter, "take", point, "before ledger write", "after ledger write")
    _around(LedgerWriter, "mark_fresh", point, "before ledger is fresh", "after ledger is fresh")
    _around(worker, "require_topics", point, "at start", "")
    _in_producer(point)


if __name__ == "__main__":
    name, times, *command = sys.argv[1:]
    nth, _, number = times.partition(":")
    arm(Point(name, int(nth), signal.Signals[number or "SIGKILL"]))
    sys.argv = ["privacy-monitor", *command]
    cli.main()
