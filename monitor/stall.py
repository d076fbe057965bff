"""A worker whose loop hangs is ended, so that another goes on from what was committed.

librdkafka may not come back from a call at all, whatever time-out it was given: `send_offsets_to_transaction` did so when a
broker died at that moment. The thread that called cannot be woken, so the process ends; whoever starts it anew is given the
transaction's name and fences what hung.
"""

import os
import threading
from collections.abc import Callable

from monitor.logs import log
from monitor.processes import EXIT_TRY_AGAIN

STALL_SECONDS = 180.0
"""More than a turn can take by its own time-outs: a delivery asks the broker five times, for half a minute each."""


def _end() -> None:
    # Nothing is closed: what hangs would hang again.
    os._exit(EXIT_TRY_AGAIN)


class Stall:
    """Looks every few seconds, in a thread of its own, how long the turn under way takes."""

    def __init__(
        self, turn_seconds: Callable[[], float], seconds: float = STALL_SECONDS, end: Callable[[], None] = _end
    ) -> None:
        """`turn_seconds`: how long the turn under way takes already."""
        self._turn_seconds = turn_seconds
        self._seconds = seconds
        self._end = end
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="stall", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopping.set()

    def look(self) -> None:
        """Look once."""
        took = self._turn_seconds()
        if took > self._seconds:
            log.critical("the worker hangs and ends, to be started anew", turn_seconds=round(took, 1))
            self._end()

    def _watch(self) -> None:
        while not self._stopping.wait(self._seconds / 36):
            self.look()
