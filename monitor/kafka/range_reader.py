"""Reading a known range of offsets of one partition, without a group and without leaving a trace on the broker."""

import time
from collections.abc import Iterator

from confluent_kafka import Consumer, KafkaError, TopicPartition

from monitor.kafka.connection import KafkaProblem, Settings, as_record, make
from topics.record import Place, RawRecord

_SILENCE_SECONDS = 30.0


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
        self._at: tuple[Place, int] | None = None

    def read(self, place: Place, start: int, end: int, limit: int) -> Iterator[list[RawRecord]]:
        """Give the records of a range in batches of at most `limit`. Raises KafkaProblem."""
        if self._at != (place, start):
            self._consumer.assign([TopicPartition(*place, start)])
        self._at = None
        heard = time.monotonic()
        at = start
        while at < end:
            batch: list[RawRecord] = []
            for message in self._consumer.consume(min(limit, end - at), 0.5):
                heard = time.monotonic()
                error = message.error()
                if error is None:
                    record = as_record(message)
                    at = record.offset + 1
                    if record.offset < end:
                        batch.append(record)
                elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's own name
                    at = end
                else:
                    raise KafkaProblem(f"{place[0]}/{place[1]} cannot be read ({error.name()})")
            if batch:
                yield batch
            elif time.monotonic() - heard > _SILENCE_SECONDS:
                raise KafkaProblem(f"nothing came of {place[0]}/{place[1]} for {_SILENCE_SECONDS:.0f} seconds")
        if at == end:
            self._at = place, end

    def close(self) -> None:
        """Let go of the broker."""
        self._consumer.close()
