"""A Kafka record as the broker gave it, and the reasons why one could not be read."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import NamedTuple

import msgspec

Place = tuple[str, int]
"""A partition: topic and number."""


class RawRecord(NamedTuple):
    """One record of a source topic, untouched.

    A named tuple and not a struct: one is made for every record, and this is the cheapest type to make.
    """

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    """The broker's time, milliseconds since the epoch; -1 when the broker has none."""
    key: bytes | None
    value: bytes | None
    """None is a tombstone."""
    headers: tuple[tuple[str, bytes | None], ...] = ()


class Outgoing(NamedTuple):
    """A record of ours on its way out."""

    topic: str
    key: bytes
    value: bytes | None
    """None is a tombstone."""
    headers: Sequence[tuple[str, bytes]] = ()
    partition: int = -1
    """-1: the key decides."""


class Stretch(msgspec.Struct, frozen=True):
    """Records of one partition, one after the other, by column: for who reads thousands that are all alike."""

    place: Place
    offsets: Sequence[int]
    times_ms: Sequence[int]
    values: Sequence[bytes | None]
    record: Callable[[int], RawRecord]
    """Give one of them whole, by its index."""


def stretches(records: Sequence[RawRecord]) -> list[Stretch]:
    """Cut records into stretches of one partition."""
    found: list[Stretch] = []
    start = 0
    for end in range(1, len(records) + 1):
        if end < len(records) and records[end][1] == records[start][1] and records[end][0] == records[start][0]:
            continue
        part = records[start:end]
        place = part[0].topic, part[0].partition
        columns = [each.offset for each in part], [each.timestamp_ms for each in part], [each.value for each in part]
        found.append(Stretch(place, *columns, part.__getitem__))
        start = end
    return found


class Reason(StrEnum):
    """Why bytes did not become an observation. A closed set: it is a metric label."""

    EMPTY = "empty"
    """No value (a tombstone), or no bytes in it."""
    ENCODING = "encoding"
    """Not UTF-8 where the format demands it."""
    SYNTAX = "syntax"
    """Not JSON, or JSON cut short."""
    SHAPE = "shape"
    """JSON, but not this format's: a list where an object belongs, a required field missing or of another type."""
    TOO_LARGE = "too-large"
    """More bytes than the budget of one record."""
    TOO_DEEP = "too-deep"
    """Nested deeper than the budget of one record."""
    TOO_MANY_ITEMS = "too-many-items"
    """More items in one message than the budget of one record."""
    INTERNAL = "internal"
    """A fault of ours. Counted apart because it is a bug, never the sender's."""


class Rejected(msgspec.Struct, frozen=True, gc=False):
    """An item that could not be read. A value, not an exception: bad input is expected."""

    reason: Reason
    item: int | None = None
    """Index in the message; None when the whole message could not be read."""
    position: int | None = None
    """Byte position of the mistake where the decoder tells it. Never text of the record."""


MAX_RECORD_BYTES = 8 * 1024 * 1024
"""A record above this is rejected unread: a legitimate gateway or event record is a thousand times smaller."""
MAX_ITEMS = 10_000
"""Items in one message (a batch). Segment's own limit is 500 kB a batch, far below."""
