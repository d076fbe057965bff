"""Reading a known range of offsets of one partition, without a group and without leaving a trace on the broker."""

import time
from collections import deque
from collections.abc import Iterator

from confluent_kafka import Consumer, KafkaError, TopicPartition

from monitor.kafka.connection import KafkaProblem, Settings, as_record, make
from topics.record import Place, RawRecord

_SILENCE_SECONDS = 30.0
_NEAR = 2_000
"""Offsets ahead up to which it is quicker to read on than to ask the broker for another place."""
_MOST_BYTES = 4 * 1024 * 1024
"""What is kept of the records behind: ranges that are asked about one after the other often overlap."""


class RangeReader:
    """Reads the committed records of half-open ranges of offsets, one range after the other."""

    def __init__(self, settings: Settings) -> None:
        self._consumer = make(
            Consumer,
            {
                **settings,
                # librdkafka wants a name; as nothing is committed and partitions are assigned, no such group comes to be.
                "group.id": "privacy-monitor-range-reader",
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",
                "log_level": 0,
            },
        )
        self._place: Place = "", -1
        self._begin = self._at = 0
        """What is kept covers the offsets from `_begin` to `_at`, where reading goes on."""
        self._kept: deque[RawRecord] = deque()
        self._bytes = 0

    def read(self, place: Place, start: int, end: int, limit: int) -> Iterator[list[RawRecord]]:
        """Give the records of a range in batches of at most `limit`. Raises KafkaProblem."""
        if place != self._place or not self._begin <= start <= self._at + _NEAR:
            self._consumer.assign([TopicPartition(*place, start)])
            self._place, self._begin, self._at, self._bytes = place, start, start, 0
            self._kept.clear()
        behind = [each for each in self._kept if start <= each.offset < end]
        for first in range(0, len(behind), limit):
            yield behind[first : first + limit]
        heard = time.monotonic()
        while self._at < end:
            records = self._read_on(end, limit)
            if records is not None:
                heard = time.monotonic()
            elif time.monotonic() - heard > _SILENCE_SECONDS:
                raise KafkaProblem(f"nothing came of {place[0]}/{place[1]} for {_SILENCE_SECONDS:.0f} seconds")
            batch = [each for each in records or () if start <= each.offset < end]
            if batch:
                yield batch

    def _read_on(self, end: int, limit: int) -> list[RawRecord] | None:
        """Read and keep what comes next; None when nothing was heard of the broker."""
        messages = self._consumer.consume(min(limit, end - self._at), 0.5)
        records: list[RawRecord] = []
        for message in messages:
            error = message.error()
            if error is None:
                records.append(as_record(message))
                self._at = records[-1].offset + 1
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's own name
                self._at = max(self._at, end)
            else:
                raise KafkaProblem(f"{self._place[0]}/{self._place[1]} cannot be read ({error.name()})")
        self._keep(records)
        return records if messages else None

    def _keep(self, records: list[RawRecord]) -> None:
        self._kept += records
        self._bytes += sum(len(each.value or b"") for each in records)
        while self._bytes > _MOST_BYTES:
            gone = self._kept.popleft()
            self._bytes -= len(gone.value or b"")
            self._begin = gone.offset + 1

    def close(self) -> None:
        """Let go of the broker."""
        self._consumer.close()
