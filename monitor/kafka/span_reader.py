"""Reading topics between two moments, without a group and without leaving a trace on the broker."""

from collections.abc import Mapping, Sequence

from confluent_kafka import OFFSET_END, Consumer, KafkaError, KafkaException, TopicPartition

from monitor.kafka.admin import require_topics
from monitor.kafka.connection import KafkaProblem, Settings, as_record, explain, make
from topics.record import Place, RawRecord

_ASK_SECONDS = 15.0
_POLL_SECONDS = 0.5


class SpanReader:
    """Reads every record whose broker time lies in [from_ms, to_ms), as far as offsets by time can tell it.

    It joins no group and commits nothing: the offsets of the workers stay where they are.
    """

    def __init__(
        self,
        settings: Settings,
        topics: Sequence[str],
        from_ms: int,
        to_ms: int,
        spans: Mapping[Place, tuple[int, int]] | None = None,
    ) -> None:
        """Find the first and the last offset by time, or take `spans`, the half-open ones that were found before."""
        cluster = require_topics(settings, topics)
        self.cluster = cluster.cluster_id
        self._consumer = make(
            Consumer,
            {
                **settings,
                # librdkafka wants a name; as nothing is committed and partitions are assigned, no such group comes to be.
                "group.id": "privacy-monitor-span-reader",
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",
                "log_level": 0,
            },
        )
        if spans is None:
            places = [(topic, partition) for topic in topics for partition in range(cluster.topics[topic])]
            try:
                starts, ends = self._at(places, from_ms), self._at(places, to_ms)
            except KafkaException as error:
                self._consumer.close()
                raise KafkaProblem(explain(error.args[0], settings)) from None
            spans = {place: (starts[place], ends[place]) for place in places}
        self.spans = {place: span for place, span in spans.items() if span[0] < span[1]}
        """First offset and end of each partition that holds something."""
        self._ends = {place: end for place, (_, end) in self.spans.items()}
        self.size = sum(end - start for start, end in self.spans.values())
        """Offsets in the span: records, and at most a few that are none."""
        self._consumer.assign([TopicPartition(*place, start) for place, (start, _) in self.spans.items()])

    @property
    def is_done(self) -> bool:
        """Whether every partition was read to the end of the span."""
        return not self._ends

    def poll(self, limit: int) -> list[RawRecord]:
        """Read up to `limit` records. Raises KafkaProblem when the broker refuses."""
        records: list[RawRecord] = []
        for message in self._consumer.consume(limit, _POLL_SECONDS):
            place = message.topic() or "", message.partition() or 0
            error = message.error()
            if error is not None:
                if error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's own name
                    raise KafkaProblem(f"{place[0]}/{place[1]} cannot be read ({error.name()})")
                self._ends.pop(place, None)
                continue
            end = self._ends.get(place)
            if end is None:
                continue
            offset = message.offset() or 0
            if offset < end:
                records.append(as_record(message))
            if offset + 1 >= end:
                del self._ends[place]
                self._consumer.pause([TopicPartition(*place)])
        return records

    def close(self) -> None:
        """Let go of the broker."""
        self._consumer.close()

    def _at(self, places: Sequence[Place], at_ms: int) -> dict[Place, int]:
        """Give the first offset at or after a moment; the end of the partition where there is none."""
        asked = [TopicPartition(*place, max(0, at_ms)) for place in places]
        found: dict[Place, int] = {}
        for each in self._consumer.offsets_for_times(asked, timeout=_ASK_SECONDS):
            place = each.topic, each.partition
            offset = each.offset
            if offset in {OFFSET_END, -1} or offset < 0:
                offset = self._consumer.get_watermark_offsets(TopicPartition(*place), timeout=_ASK_SECONDS)[1]
            found[place] = offset
        return found
