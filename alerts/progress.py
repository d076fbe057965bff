"""A partition that has records and of which none is handled: whoever owns it is to be started anew.

Faust can stop handing records on after a rebalance, with heartbeats, commits and readiness going on as if all were well.
A new process reads from the committed offset, so nothing that waited is lost by ending.
"""

import logging
from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar

from alerts.lease import end_process, now_seconds

log = logging.getLogger("privacy_monitor.alerts")

_Place = TypeVar("_Place", bound=Hashable)


class Progress:
    """Watches when a record of each partition was last handled, while there are records to handle."""

    def __init__(
        self,
        seconds: float,
        clock: Callable[[], float] = now_seconds,
        end: Callable[[], None] = end_process,
    ) -> None:
        """`seconds`: how long a partition may have records without one being handled."""
        self._seconds = seconds
        self._clock = clock
        self._end = end
        self._since: dict[Hashable, float] = {}
        self._looked = clock()

    def handled(self, place: Hashable) -> None:
        """Note that a record was handled: the partition is at work."""
        self._since.pop(place, None)

    def forget(self) -> None:
        """Begin anew: partitions move, their state is recovered, or the broker does not answer."""
        self._since.clear()

    def look(self, waiting: Mapping[_Place, tuple[int, int]], stalled: Callable[[], None]) -> None:
        """Compare the next offset to handle with the end, for each partition that is owned; end the process at a stall.

        `stalled` is told before, once for each partition that stands. What is not in `waiting` is forgotten, and all of it
        when half the time went by without a look: the broker was slow to answer, or the process itself stood still.
        """
        now = self._clock()
        if now - self._looked > self._seconds / 2:
            self.forget()
        self._looked = now
        self._since = {
            place: self._since.get(place, now) for place, (next_offset, end) in waiting.items() if next_offset < end
        }
        standing = [place for place in waiting if now - self._since.get(place, now) >= self._seconds]
        for place in standing:
            next_offset, end = waiting[place]
            stalled()
            log.critical(
                "nothing of %s was handled for %.0f s, at offset %d of %d: ending",
                place,
                now - self._since[place],
                next_offset,
                end,
            )
        if standing:
            self._end()
