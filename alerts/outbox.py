"""What the alert plane has sent and begun: an offset may be committed only behind it."""

import asyncio
from collections.abc import Hashable, Mapping
from typing import Any, TypeVar

_Place = TypeVar("_Place", bound=Hashable)


class Outbox:
    """Records on their way to the broker, and the records read whose handling is not finished."""

    def __init__(self, patience_seconds: float = 30.0) -> None:
        self._patience_seconds = patience_seconds
        self._unfinished: dict[Hashable, int] = {}
        self._waiting: set[asyncio.Future[Any]] = set()
        self._failure: BaseException | None = None

    def add(self, sent: asyncio.Future[Any]) -> None:
        """Remember a record that was handed to the producer; its future ends with the broker's answer."""
        self._waiting.add(sent)
        sent.add_done_callback(self._done)

    def _done(self, sent: asyncio.Future[Any]) -> None:
        self._waiting.discard(sent)
        if sent.cancelled():
            self._failure = self._failure or RuntimeError("a record was dropped before it was sent")
        else:
            self._failure = self._failure or sent.exception()

    async def delivered(self) -> None:
        """Wait until the broker has all that was added before this call.

        Raises what the first failed send raised, now and ever after, and TimeoutError when the broker does not answer.
        """
        if self._waiting:
            _, late = await asyncio.wait(set(self._waiting), timeout=self._patience_seconds)
            if late:
                raise TimeoutError(f"{len(late)} records are not acknowledged after {self._patience_seconds:g} s")
        if self._failure is not None:
            raise self._failure

    def begin(self, place: Hashable, offset: int) -> None:
        """Note that the record at this offset is being handled. Offsets of one place come in order."""
        self._unfinished.setdefault(place, offset)

    def finish(self, place: Hashable, offset: int) -> None:
        """Note that it was handled; one that ended early stays begun until it is read and finished again."""
        if self._unfinished.get(place) == offset:
            del self._unfinished[place]

    def committable(self, offsets: Mapping[_Place, int]) -> dict[_Place, int]:
        """Give those next offsets that do not pass an unfinished record."""
        return {place: offset for place, offset in offsets.items() if offset <= self._unfinished.get(place, offset)}
