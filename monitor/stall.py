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

CALL_SECONDS = 60.0
"""Twice what a call to the broker may take by its own time-out."""
TURN_SECONDS = 180.0
"""More than a turn can take by its own time-outs: a delivery asks the broker five times, for half a minute each."""


def _end() -> None:
    # Nothing is closed: what hangs would hang again.
    os._exit(EXIT_TRY_AGAIN)


_LOOK_SECONDS = 1.0


class Stall:
    """Looks every second, in a thread of its own, how long what is under way takes."""

    def __init__(self, *under_way: tuple[Callable[[], float], float], end: Callable[[], None] = _end) -> None:
        """`under_way`: what tells how long something takes already, and the seconds that it may take."""
        self._under_way = under_way
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
        for seconds, most in self._under_way:
            took = seconds()
            if took > most:
                log.critical("this process hangs and ends, to be started anew", seconds=round(took, 1), most=most)
                self._end()

    def _watch(self) -> None:
        while not self._stopping.wait(_LOOK_SECONDS):
            self.look()
