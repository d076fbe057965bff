"""Reading whole topics, without a group."""

from collections.abc import Mapping, Sequence
from operator import ne, or_

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Consumer, KafkaError, KafkaException, Message, TopicPartition

from monitor.kafka.admin import require_topics
from monitor.kafka.connection import Settings, as_record, make
from topics.record import Place, RawRecord, Stretch

FETCH_AGE_MS = 250
"""Age of what the last fetch told while the broker answers: the wait of a fetch (50 ms), with room for a busy machine."""


def _ends(topics: Sequence[str | None], partitions: Sequence[int | None], errors: Sequence[object]) -> list[int]:
    """Give where stretches of one partition end. A message that is no record is one of its own."""
    if not topics:
        return []
    changes = map(or_, map(ne, topics[1:], topics), map(ne, partitions[1:], partitions))
    ends = {index for index, changed in enumerate(changes, 1) if changed}
    if any(errors):
        for index, error in enumerate(errors):
            if error is not None:
                ends |= {index, index + 1}
        ends.discard(0)
    return sorted(ends | {len(topics)})


def _stretch(messages: Sequence[Message]) -> Stretch:
    offsets, values = [each.offset() or 0 for each in messages], [each.value() for each in messages]
    times_ms = [
        -1 if kind == TIMESTAMP_NOT_AVAILABLE else at_ms for kind, at_ms in [each.timestamp() for each in messages]
    ]
    place = messages[0].topic() or "", messages[0].partition() or 0
    return Stretch(place, offsets, times_ms, values, lambda index: as_record(messages[index]))


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
        return [
            each.record(index)
            for each in self.poll_stretches(limit, timeout_seconds)
            for index in range(len(each.offsets))
        ]

    def poll_stretches(self, limit: int, timeout_seconds: float) -> list[Stretch]:
        """Read up to `limit` records, by partition and column: half the price of making a record of each."""
        messages = self._consumer.consume(limit, timeout_seconds)
        found: list[Stretch] = []
        start = 0
        topics, partitions = [each.topic() for each in messages], [each.partition() for each in messages]
        for end in _ends(topics, partitions, [each.error() for each in messages]):
            error = messages[start].error()
            if error is None:
                found.append(_stretch(messages[start:end]))
                self.reached[found[-1].place] = found[-1].offsets[-1] + 1
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's own name
                self.reached[topics[start] or "", partitions[start] or 0] = messages[start].offset() or 0
            start = end
        return found

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
