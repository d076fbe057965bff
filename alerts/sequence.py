"""A watch over the framework: what was delivered must be handled, one after the other."""

from collections import defaultdict, deque
from collections.abc import Hashable, Iterable


class LostRecordError(Exception):
    """A record was delivered and then dropped before it was handled."""


class Sequence:
    """The offsets that were delivered per partition and not handled yet."""

    def __init__(self) -> None:
        self._delivered: defaultdict[Hashable, deque[int]] = defaultdict(deque)

    def deliver(self, place: Hashable, offset: int) -> None:
        """Note a record that goes to the queue."""
        self._delivered[place].append(offset)

    def handle(self, place: Hashable, offset: int) -> None:
        """Take a record out of the queue. Raises LostRecordError when an earlier one did not come out.

        A record that comes again is no loss. Nothing may be counted after a loss: the marks would hide it for ever.
        """
        waiting = self._delivered[place]
        if waiting and waiting[0] < offset:
            raise LostRecordError(f"the record at offset {waiting[0]} was delivered but never handled")
        if waiting and waiting[0] == offset:
            waiting.popleft()

    def first(self, place: Hashable) -> int | None:
        """Give the offset of the first record that was delivered and not handled; None when there is none."""
        waiting = self._delivered.get(place)
        return waiting[0] if waiting else None

    def reset(self, places: Iterable[Hashable]) -> None:
        """Forget what was delivered: the partitions are assigned anew and read again from the commit."""
        for place in places:
            self._delivered.pop(place, None)
