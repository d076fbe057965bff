"""Reading topics for the check: a plain consumer of committed records that joins no group and commits nothing."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType  # type: ignore[attr-defined]

from monitor.audit.evidence import Place

_ASK_SECONDS = 15.0
_SILENCE_SECONDS = 30.0
_TRANSACTION_SECONDS = 90.0
_BATCH = 2_000
_LINEAGES = "privacy.lineages.v1"


class AuditProblem(Exception):
    """Why the check cannot be made, in one line that says what to do."""


class Bounds(NamedTuple):
    """What the broker has of a partition: the first offset, and the one after the last."""

    low: int
    high: int


class Seen(NamedTuple):
    """One record of one partition."""

    offset: int
    value: bytes | None


class Topics:
    """A connection to the cluster."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        """Connect. Raises AuditProblem."""
        self._settings = dict(settings)
        self._consumer = Consumer(
            {
                **self._settings,
                "group.id": "privacy-monitor-audit",
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
                "auto.offset.reset": "error",
                "log_level": 0,
            }
        )
        # Asked for ends only: a reader of committed records is told of none behind a transaction that is open.
        self._witness = Consumer(
            {
                **self._settings,
                "group.id": "privacy-monitor-audit",
                "isolation.level": "read_uncommitted",
                "log_level": 0,
            }
        )
        try:
            found = self._consumer.list_topics(timeout=_ASK_SECONDS)
        except KafkaException as error:
            raise AuditProblem(
                f"the broker does not answer ({error.args[0].name()}); check kafka.bootstrap_servers"
            ) from None
        self.cluster = str(found.cluster_id)
        self.partitions: dict[str, int] = {name: len(topic.partitions) for name, topic in found.topics.items()}
        """By topic."""

    def places(self, topics: Sequence[str]) -> list[Place]:
        """Give the partitions of topics. Raises AuditProblem for one that is not there."""
        absent = [topic for topic in topics if topic not in self.partitions]
        if absent:
            raise AuditProblem(f"no topic {', '.join(absent)} on this cluster")
        return [(topic, partition) for topic in topics for partition in range(self.partitions[topic])]

    def bounds(self, place: Place) -> Bounds:
        """Give what the broker has of a partition."""
        try:
            low, high = self._consumer.get_watermark_offsets(TopicPartition(*place), timeout=_ASK_SECONDS)
        except KafkaException as error:
            raise AuditProblem(f"{place[0]}/{place[1]} cannot be asked ({error.args[0].name()})") from None
        return Bounds(int(low), int(high))

    def await_transactions(self, places: Sequence[Place]) -> None:
        """Wait until every transaction that is open now has ended: until then, what was delivered behind it is not given to us.

        One that a killed worker left is ended by the broker within a minute. Raises AuditProblem.
        """
        ends = {place: self._end(place) for place in places}
        deadline = time.monotonic() + _TRANSACTION_SECONDS
        while waiting := [place for place, end in ends.items() if self.bounds(place).high < end]:
            if time.monotonic() > deadline:
                topic, partition = waiting[0]
                raise AuditProblem(f"a transaction on {topic}/{partition} does not end; ask again when it has")
            time.sleep(0.2)

    def _end(self, place: Place) -> int:
        try:
            return int(self._witness.get_watermark_offsets(TopicPartition(*place), timeout=_ASK_SECONDS)[1])
        except KafkaException as error:
            raise AuditProblem(f"{place[0]}/{place[1]} cannot be asked ({error.args[0].name()})") from None

    def at(self, places: Sequence[Place], at_ms: int) -> dict[Place, int]:
        """Give the first offset whose record is of that moment or later; the end where there is none."""
        asked = [TopicPartition(*place, max(0, at_ms)) for place in places]
        try:
            found = self._consumer.offsets_for_times(asked, timeout=_ASK_SECONDS)
        except KafkaException as error:
            raise AuditProblem(f"offsets by time cannot be asked ({error.args[0].name()})") from None
        return {
            (each.topic, each.partition): each.offset
            if each.offset >= 0
            else self.bounds((each.topic, each.partition)).high
            for each in found
        }

    def created_anew(self, names: Sequence[str]) -> dict[str, str]:
        """Give what stands for the cluster in records about topics that are not the first of their name.

        The first that the monitor met of a name is named as ever; `privacy.lineages.v1` tells in order which it met.
        """
        if _LINEAGES not in self.partitions:
            return {}
        first: dict[str, str] = {}

        def take(_place: Place, seen: Seen) -> None:
            try:
                record = json.loads(seen.value or b"")
                if record["cluster"] == self.cluster:
                    first.setdefault(str(record["topic"]), str(record["topic_id"]))
            except (ValueError, KeyError, TypeError):
                return

        self.read({(_LINEAGES, 0): self.bounds((_LINEAGES, 0))}, take)
        admin = AdminClient({**self._settings, "log_level": 0})
        asked = admin.describe_topics(TopicCollection(list(names)), request_timeout=_ASK_SECONDS)
        try:
            now = {name: str(answer.result().topic_id) for name, answer in asked.items()}
        except KafkaException as error:
            raise AuditProblem(f"topics cannot be described ({error.args[0].name()})") from None
        return {name: f"{self.cluster}:{now[name]}" for name in now if first.get(name, now[name]) != now[name]}

    def is_compacted(self, topic: str) -> bool:
        """Tell whether compaction may take records of a topic. When the broker does not say, it may."""
        resource = ConfigResource(ResourceType.TOPIC, topic)
        try:
            # Held by a name: the answer to a client that is collected never comes.
            admin = AdminClient({**self._settings, "log_level": 0})
            (answer,) = admin.describe_configs([resource]).values()
            return "compact" in str(answer.result(timeout=_ASK_SECONDS)["cleanup.policy"].value)
        except (KafkaException, KeyError, TimeoutError):
            return True

    def read(self, spans: Mapping[Place, tuple[int, int]], take: Callable[[Place, Seen], None]) -> None:
        """Hand over every committed record of half-open spans of offsets, in offset order within each partition.

        What retention takes while reading is not an error: it is not handed over. Raises AuditProblem.
        """
        left = {place: end for place, (start, end) in spans.items() if start < end}
        if not left:
            return
        self._consumer.assign([TopicPartition(*place, spans[place][0]) for place in left])
        heard = time.monotonic()
        while left:
            messages = self._consumed()
            if messages:
                heard = time.monotonic()
            elif time.monotonic() - heard > _SILENCE_SECONDS:
                raise AuditProblem(f"nothing came for {_SILENCE_SECONDS:.0f} seconds")
            for message in messages:
                place = message.topic() or "", message.partition() or 0
                error = message.error()
                if error is not None:
                    self._trouble(place, error, spans, left)
                    continue
                end = left.get(place)
                if end is None:
                    continue
                offset = message.offset() or 0
                if offset < end:
                    take(place, Seen(offset, message.value()))
                if offset + 1 >= end:
                    del left[place]
                    self._consumer.pause([TopicPartition(*place)])
        self._consumer.unassign()

    def _consumed(self) -> list[Message]:
        try:
            return self._consumer.consume(_BATCH, 0.5)
        except KafkaException as error:
            raise AuditProblem(f"the broker cannot be read from ({error.args[0].name()})") from None

    def _trouble(
        self, place: Place, error: KafkaError, spans: Mapping[Place, tuple[int, int]], left: dict[Place, int]
    ) -> None:
        if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's own name
            left.pop(place, None)
        elif error.code() in {KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE}:  # noqa: SLF001
            low = self.bounds(place).low
            if place in left and max(low, spans[place][0]) < left[place]:
                self._consumer.seek(TopicPartition(*place, low))
            else:
                left.pop(place, None)
        else:
            raise AuditProblem(f"{place[0]}/{place[1]} cannot be read ({error.name()})")

    def close(self) -> None:
        """Let go of the broker."""
        self._consumer.close()
        self._witness.close()
