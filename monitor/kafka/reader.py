"""Reading source topics as a member of a consumer group."""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from monitor.kafka.connection import (
    Complaints,
    DeliveryFailed,
    KafkaProblem,
    Settings,
    as_record,
    explain,
    make,
    positions,
)
from topics.record import Place, RawRecord

_SESSION_MS = 6_000


class Reader:
    """A member of a consumer group that reads source topics in batches and commits only when told."""

    def __init__(  # noqa: PLR0913 - each is a plain setting of one client
        self,
        settings: Settings,
        *,
        group: str,
        topics: Sequence[str],
        from_beginning: bool,
        on_assigned: Callable[[Mapping[Place, int | None]], None],
        on_revoked: Callable[[Sequence[Place]], None],
        instance_id: str | None = None,
    ) -> None:
        self.complaints = Complaints()
        self._settings = settings
        self._on_assigned = on_assigned
        self._on_revoked = on_revoked
        self._consumer = make(
            Consumer,
            {
                "partition.assignment.strategy": "cooperative-sticky",
                "session.timeout.ms": _SESSION_MS,
                "heartbeat.interval.ms": _SESSION_MS // 4,
                "fetch.wait.max.ms": 50,
                "queued.max.messages.kbytes": 65_536,
                **({"group.instance.id": instance_id} if instance_id else {}),
                **settings,
                "group.id": group,
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest" if from_beginning else "latest",
                "error_cb": self.complaints,
                "log_level": 0,
            },
        )
        self._consumer.subscribe(list(topics), on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked)

    def poll(self, limit: int, timeout_seconds: float) -> list[RawRecord]:
        """Read up to `limit` records, in offset order within each partition."""
        try:
            messages = self._consumer.consume(limit, timeout_seconds)
        except KafkaException as error:
            raise KafkaProblem(explain(error.args[0], self._settings)) from None
        records = []
        for message in messages:
            failure = message.error()
            if failure is None:
                records.append(as_record(message))
            elif failure.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise KafkaProblem(f"topic {message.topic()} is gone; create it again or correct `sources`")
            elif failure.code() in {KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED}:
                raise KafkaProblem(f"reading is denied ({failure.name()}); grant this user the right")
        return records

    def commit(self, offsets: Mapping[Place, int]) -> None:
        """Commit the next offsets to read, and wait for the broker's word. Raises DeliveryFailed."""
        try:
            self._consumer.commit(offsets=positions(offsets), asynchronous=False)
        except KafkaException as error:
            raise DeliveryFailed(error.args[0].name()) from None

    def rewind(self, offsets: Mapping[Place, int]) -> None:
        """Read again from these offsets."""
        for (topic, partition), offset in offsets.items():
            # A partition that was just revoked is somebody else's to read.
            with contextlib.suppress(KafkaException):
                self._consumer.seek(TopicPartition(topic, partition, offset))

    def low_watermark(self, place: Place) -> int | None:
        """Give the first offset that the broker still has; None when it does not say."""
        try:
            return int(self._consumer.get_watermark_offsets(TopicPartition(*place), timeout=5.0)[0])
        except KafkaException:
            return None

    def high_watermarks(self) -> dict[Place, int]:
        """Give the end of each assigned partition as the last fetch told it."""
        found = {}
        for each in self._consumer.assignment():
            try:
                high = self._consumer.get_watermark_offsets(each, cached=True)[1]
            except KafkaException:
                continue
            if high >= 0:
                found[each.topic, each.partition] = int(high)
        return found

    def pause(self) -> None:
        """Stop fetching: enough is waiting."""
        self._consumer.pause(self._consumer.assignment())

    def resume(self) -> None:
        """Go on fetching."""
        self._consumer.resume(self._consumer.assignment())

    @property
    def group_metadata(self) -> Any:
        """Give what a transaction needs to fence an older member of the group."""
        return self._consumer.consumer_group_metadata()

    def close(self) -> None:
        """Leave the group."""
        self._consumer.close()

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        try:
            committed = consumer.committed(partitions, timeout=10.0)
        except KafkaException:
            committed = []
        known = {(each.topic, each.partition): each.offset for each in committed if each.offset >= 0}
        self._on_assigned(
            {(each.topic, each.partition): known.get((each.topic, each.partition)) for each in partitions}
        )

    def _revoked(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._on_revoked([(each.topic, each.partition) for each in partitions])
