"""Reading what compacted partitions remember."""

import time
from collections.abc import Callable, Collection

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from monitor.kafka.connection import KafkaProblem, Settings, explain, make
from topics.record import Place

_BATCH = 1_000
_SILENCE_SECONDS = 90.0
"""Longer than a broker leaves a transaction open whose writer is gone."""


class TableReader:
    """Reads whole partitions to their ends, without a group."""

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

    def read(self, places: Collection[Place]) -> dict[Place, dict[bytes, bytes]]:
        """Give the last value of each key in each partition, without what was dropped. Raises KafkaProblem.

        A transaction that is open in a partition is waited for: what it holds counts once it is committed.
        """
        tables: dict[Place, dict[bytes, bytes]] = {place: {} for place in places}
        unread = set(places)
        self._consumer.assign([TopicPartition(*place, OFFSET_BEGINNING) for place in places])
        heard = time.monotonic()
        try:
            while unread:
                self._beat()
                for message in self._consumer.consume(_BATCH, 0.1):
                    place = message.topic() or "", message.partition() or 0
                    error, key, value = message.error(), message.key(), message.value()
                    if error is None and key is not None:
                        heard = time.monotonic()
                        if value is None:
                            tables[place].pop(key, None)
                        else:
                            tables[place][key] = value
                    elif error is not None and error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's own name
                        # With a transaction open the readable end lies before the end that the fetch told.
                        end = self._consumer.get_watermark_offsets(TopicPartition(*place), cached=True)[1]
                        if (message.offset() or 0) >= end:
                            unread.discard(place)
                if unread and time.monotonic() - heard > _SILENCE_SECONDS:
                    names = ", ".join(f"{topic}/{partition}" for topic, partition in sorted(unread))
                    raise KafkaProblem(f"no end was found of {names} in {_SILENCE_SECONDS:.0f} seconds")
        except KafkaException as error:
            raise KafkaProblem(explain(error.args[0], self._settings)) from None
        finally:
            self._consumer.unassign()
        return tables

    def close(self) -> None:
        """Let go of the broker."""
        self._consumer.close()
