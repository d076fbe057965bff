"""A process that was away for too long may not write any more: somebody else may own its partitions by now.

Without transactions a writer is not fenced by the broker. A process that was stopped (SIGSTOP, a suspended machine) and goes
on would write what it knew before over what its successor wrote since.
"""

import logging
import os
import threading
import time
from collections.abc import Callable

log = logging.getLogger("privacy_monitor.alerts")

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""The first one goes on while the machine sleeps; not every system has it."""


def now_seconds() -> float:
    """Give seconds that also pass while the process or the machine stands still."""
    return time.clock_gettime(_CLOCK)


def _end() -> None:
    # Nothing is flushed and nothing is closed: what was not acknowledged is computed again by whoever owns it.
    os._exit(75)


class Lease:
    """Watches how long nobody asked. A thread does all the time, and whoever writes directly before."""

    def __init__(
        self, seconds: float, clock: Callable[[], float] = now_seconds, end: Callable[[], None] = _end
    ) -> None:
        """`seconds`: how long nobody can have been given the partitions, counted from the last time it was asked.

        The first question starts it.
        """
        self._seconds = seconds
        self._clock = clock
        self._end = end
        self._asked: float | None = None

    def keep(self) -> None:
        """Ask again and again in a thread of its own: only who stands still with all threads loses the lease."""
        threading.Thread(target=self._keep, name="lease", daemon=True).start()

    def _keep(self) -> None:
        while True:
            self.check()
            time.sleep(self._seconds / 8)

    def check(self) -> None:
        """End the process if it was away for longer than the lease."""
        now = self._clock()
        away = 0.0 if self._asked is None else now - self._asked
        if away > self._seconds:
            log.critical("stood still for %.1f s, so its partitions may be somebody else's: ending", away)
            self._end()
        # Only now: another thread that asks meanwhile must end here too.
        self._asked = now
