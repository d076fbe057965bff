"""Reading what a compacted partition remembers."""

import time
from collections.abc import Callable

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from monitor.kafka.connection import KafkaProblem, Settings, explain, make
from topics.record import Place

_BATCH = 1_000
_SILENCE_SECONDS = 90.0
"""Longer than a broker leaves a transaction open whose writer is gone."""


class TableReader:
    """Reads whole partitions to their ends, one after the other, without a group."""

    def __init__(self, settings: Settings, beat: Callable[[], None]) -> None:
        """`beat` is called again and again while it reads."""
        self._settings = settings
        self._beat = beat
        self._consumer = make(
            Consumer,
            {
                "fetch.wait.max.ms": 50,
                **settings,
                # librdkafka wants a name; as nothing is committed and partitions are assigned, no such group comes to be.
                "group.id": "privacy-monitor-table-reader",
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",
                "log_level": 0,
            },
        )

    def read(self, place: Place) -> dict[bytes, bytes]:
        """Give the last value of each key, without what was dropped. Raises KafkaProblem.

        A transaction that is open in the partition is waited for: what it holds counts once it is committed.
        """
        table: dict[bytes, bytes] = {}
        partition = TopicPartition(*place, OFFSET_BEGINNING)
        self._consumer.assign([partition])
        heard, is_read = time.monotonic(), False
        try:
            while not is_read:
                self._beat()
                messages = self._consumer.consume(_BATCH, 0.1)
                for message in messages:
                    error, key, value = message.error(), message.key(), message.value()
                    if error is None and key is not None:
                        heard = time.monotonic()
                        if value is None:
                            table.pop(key, None)
                        else:
                            table[key] = value
                    elif error is not None and error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's own name
                        # With a transaction open the readable end lies before the end that the fetch told.
                        end = self._consumer.get_watermark_offsets(partition, cached=True)[1]
                        is_read = (message.offset() or 0) >= end
                if not is_read and time.monotonic() - heard > _SILENCE_SECONDS:
                    raise KafkaProblem(f"{place[0]}/{place[1]} came to no end in {_SILENCE_SECONDS:.0f} seconds")
        except KafkaException as error:
            raise KafkaProblem(explain(error.args[0], self._settings)) from None
        finally:
            self._consumer.unassign()
        return table

    def close(self) -> None:
        """Let go of the broker."""
        self._consumer.close()
