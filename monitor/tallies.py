"""Offsets and items of one input partition, counted while a batch is judged. Pure."""

from collections import Counter

import msgspec

from topics.accounting import OffsetClass

NO_EVENT = -1 << 63
"""Where no event was seen."""


class Start(msgspec.Struct, frozen=True):
    """Where the accounting of a partition goes on."""

    offset: int
    """Next offset that belongs to no range yet."""
    expired: tuple[tuple[int, int], ...] = ()
    """Half-open spans of offsets, ascending, that retention removed before they were read."""


class Tally:
    """Classes and counts of one input partition in a batch."""

    __slots__ = ("expired", "findings", "judged", "last_ms", "next", "others", "runs", "since", "start")

    def __init__(self, start: Start) -> None:
        self.start = start.offset
        self.expired = start.expired
        self.next = self.since = start.offset
        """Next offset; those from `since` to it were inspected."""
        self.runs: list[tuple[int, OffsetClass]] = []
        """What lies before `since`."""
        self.judged = 0
        self.others: Counter[str] = Counter()
        """Items that were not judged, by how they are counted."""
        self.findings = 0
        self.last_ms = NO_EVENT
        """Time of the newest event."""

    def inspected(self, offset: int) -> None:
        if offset != self.next:
            self._gap(offset)
        self.next = offset + 1

    def dead_lettered(self, offset: int) -> None:
        if offset != self.next:
            self._gap(offset)
        self._close_run()
        self._run(1, OffsetClass.DEAD_LETTERED)
        self.next = self.since = offset + 1

    def see(self, event_ms: int | None, broker_ms: int) -> None:
        """Note an event's time. What it claims of the future is not how far we have seen."""
        at_ms = event_ms or broker_ms
        if at_ms > broker_ms >= 0:
            at_ms = broker_ms
        self.last_ms = max(self.last_ms, at_ms)

    def _gap(self, offset: int) -> None:
        self._close_run()
        at = self.next
        for first, end in self.expired:
            if first < offset and end > at:
                self._hole(at, first)
                at = max(at, first)
                self._run(min(end, offset) - at, OffsetClass.EXPIRED)
                at = min(end, offset)
        self._hole(at, offset)
        self.since = offset

    def _hole(self, first: int, end: int) -> None:
        if end > first:
            self._run(end - first, OffsetClass.NOT_A_RECORD)

    def _close_run(self) -> None:
        if self.next > self.since:
            self._run(self.next - self.since, OffsetClass.INSPECTED)

    def _run(self, length: int, kind: OffsetClass) -> None:
        if self.runs and self.runs[-1][1] is kind:
            self.runs[-1] = self.runs[-1][0] + length, kind
        else:
            self.runs.append((length, kind))

    def close(self) -> tuple[tuple[int, OffsetClass], ...]:
        """Give how many offsets of each class follow one another, from `start` to `next`."""
        self._close_run()
        self.since = self.next
        return tuple(self.runs)

    def items(self) -> dict[str, int]:
        """Give the items by what became of them, sorted by it."""
        judged = {"judged": self.judged} if self.judged else {}
        return dict(sorted({**judged, **self.others}.items()))
