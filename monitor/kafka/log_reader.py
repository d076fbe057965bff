"""Reading whole topics, without a group."""

from collections.abc import Mapping, Sequence

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from monitor.kafka.admin import require_topics
from monitor.kafka.connection import Settings, as_record, make
from topics.record import Place, RawRecord

FETCH_AGE_MS = 250
"""Age of what the last fetch told while the broker answers: the wait of a fetch (50 ms), with room for a busy machine."""


class LogReader:
    """Reads whole topics from given offsets, without a group: for the ledger, and for pages that follow a topic."""

    def __init__(self, settings: Settings, topics: Sequence[str], starts: Mapping[Place, int] | None = None) -> None:
        cluster = require_topics(settings, topics)
        self._consumer = make(
            Consumer,
            {
                "fetch.wait.max.ms": 50,
                **settings,
                "group.id": "privacy-monitor-log-reader",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",
                "log_level": 0,
            },
        )
        self.cluster = cluster.cluster_id
        self.places: list[Place] = [
            (topic, partition) for topic in topics for partition in range(cluster.topics[topic])
        ]
        begin = starts or {}
        self.reached: dict[Place, int] = {}
        """How far each partition was read: the next offset, holes at its end (transaction markers) included."""
        self._consumer.assign([TopicPartition(*place, begin.get(place, 0)) for place in self.places])

    def poll(self, limit: int, timeout_seconds: float) -> list[RawRecord]:
        """Read up to `limit` records."""
        records: list[RawRecord] = []
        last: RawRecord | None = None
        for message in self._consumer.consume(limit, timeout_seconds):
            error = message.error()
            if error is None:
                record = as_record(message)
                records.append(record)
                # Noted where a stretch of one partition ends: once for each record would cost as much as decoding it.
                if last is not None and (record[1] != last[1] or record[0] != last[0]):
                    self.reached[last.topic, last.partition] = last.offset + 1
                last = record
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's own name
                if last is not None:
                    self.reached[last.topic, last.partition] = last.offset + 1
                    last = None
                self.reached[message.topic() or "", message.partition() or 0] = message.offset() or 0
        if last is not None:
            self.reached[last.topic, last.partition] = last.offset + 1
        return records

    def ends(self, *, queried: bool) -> dict[Place, int] | None:
        """Give the end of each partition: asked of the broker, or as the last fetch told it. None when it is not known.

        The broker is asked in both cases. Where its answer is wrong it still proves that the broker answers: what the
        last fetch told is then `FETCH_AGE_MS` old at most, for fetches and this question take turns on one connection.
        """
        found: dict[Place, int] = {}
        for place in self.places:
            partition = TopicPartition(*place)
            try:
                asked = self._consumer.get_watermark_offsets(partition, timeout=2.0)
                known = asked if queried else self._consumer.get_watermark_offsets(partition, cached=True)
            except KafkaException:
                return None
            if known is None or known[1] < 0:
                return None
            found[place] = int(known[1])
        return found

    def close(self) -> None:
        """Let go of the broker."""
        self._consumer.close()
