"""Every offset in exactly one class: the records of `privacy.accounting.v1` and `privacy.deadletter.v1`."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec


class OffsetClass(StrEnum):
    """What became of an offset of an input partition."""

    INSPECTED = "inspected"
    """Read, and each of its items judged or counted as unknown."""
    DEAD_LETTERED = "dead-lettered"
    EXPIRED = "expired-before-read"
    SKIPPED = "skipped-by-policy"
    NOT_A_RECORD = "not-a-record"
    """A hole: a transaction marker, an aborted record, or one that compaction took."""


class Accounting(msgspec.Struct, frozen=True, kw_only=True):
    """A contiguous range of offsets of one input partition, read by one worker in one batch."""

    schema: str = "privacy.accounting.v1"
    cluster: str
    topic: str
    partition: int
    start: int
    """First offset of the range."""
    end: int
    """The offset after the last: ranges are half open."""
    runs: tuple[tuple[int, OffsetClass], ...]
    """Ascending: (length, class). The lengths add up to end - start."""
    items: Mapping[str, int]
    """judged, unknown:<reason>, rejected:<reason>, over-budget: items inside the offsets."""
    findings: int
    ledger_mark: str
    bundle: str
    worker: str
    delivery: str
    """`at_least_once` or `exactly_once`."""


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A record, or an item of one, that could not be read. Holds its bytes only sealed, and only where that is configured."""

    schema: str = "privacy.deadletter.v1"
    cluster: str
    topic: str
    partition: int
    offset: int
    item: int | None
    reason: str
    position: int | None
    size_bytes: int
    digest: str
    """Keyed digest of the whole value: equal records have equal digests."""
    timestamp_ms: int
    sealed: str = ""
    """The bytes of the whole record under the key for dead letters (`topics.sealing`), at the first letter of a record."""

    @property
    def place(self) -> str:
        """Give the coordinates of the record that could not be read."""
        return f"{self.cluster}/{self.topic}/{self.partition}/{self.offset}"
