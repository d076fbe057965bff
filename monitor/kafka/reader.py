"""Reading source topics as a member of a consumer group."""

import contextlib
import threading
import time
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, Consumer, KafkaError, KafkaException, Message, TopicPartition

from monitor.kafka.connection import (
    CommitFailed,
    Complaints,
    KafkaProblem,
    Settings,
    as_record,
    explain,
    make,
)
from topics.record import Place, RawRecord

_SESSION_MS = 6_000
_COMMIT_SECONDS = 3.0
_COMMITTED_SECONDS = 30.0
_DENIED_SECONDS = 60.0
"""A denial is told again at each try; what was not told again for so long is over."""


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
        on_begun_anew: Callable[[Place, int], None] | None = None,
        ids: Mapping[str, str] | None = None,
        anew: Container[str] = (),
        instance_id: str | None = None,
    ) -> None:
        """Join a group.

        `ids`: by topic, of its creation; they are committed with each offset, so that one of an earlier creation is known as such.
        Partitions of a topic in `anew` are read from their beginning: what was there when it was created is as new as the topic.
        `on_begun_anew` is told a place whose offsets are no longer those that the group had read, and the offset that is void.
        """
        self.complaints = Complaints()
        self._settings = settings
        self._on_assigned = on_assigned
        self._on_revoked = on_revoked
        self._on_begun_anew = on_begun_anew or (lambda _place, _void: None)
        self._ids = ids or {}
        self._denied_at: float | None = None
        self._committing: threading.Thread | None = None
        self._is_closing = False
        self._known: dict[Place, int] = {}
        """What was committed when a partition was assigned."""
        self._ends: dict[Place, int] = {}
        """Where a partition had nothing more, if `enable.partition.eof` is set."""
        self._first = OFFSET_BEGINNING if from_beginning else OFFSET_END
        self._anew = anew
        self._consumer = make(
            Consumer,
            {
                "partition.assignment.strategy": "cooperative-sticky",
                "session.timeout.ms": _SESSION_MS,
                "heartbeat.interval.ms": _SESSION_MS // 4,
                "fetch.wait.max.ms": 50,
                "queued.max.messages.kbytes": 65_536,
                # A topic that we may read again, or that is there again, is noticed within this time.
                "topic.metadata.refresh.interval.ms": 10_000,
                **({"group.instance.id": instance_id} if instance_id else {}),
                **settings,
                "group.id": group,
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "isolation.level": "read_committed",
                # Never silently: see `_out_of_range`.
                "auto.offset.reset": "error",
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
            elif failure.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's own name
                self._ends[message.topic() or "", message.partition() or 0] = message.offset() or 0
            elif failure.code() in {KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE}:  # noqa: SLF001 - librdkafka's own name
                self._out_of_range(message)
            elif failure.fatal() or failure.code() in {KafkaError._FATAL, KafkaError.FENCED_INSTANCE_ID}:  # noqa: SLF001 - librdkafka's own name
                # A static member whose name another took is told so once, and nothing else ever again.
                raise KafkaProblem(f"another has this worker's place in the group ({failure.name()})")
            elif failure.code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
                self._denied_at = time.monotonic()
            # A topic that is gone or denied is no reason to end: the others go on, librdkafka asks for it again, and
            # `monitor.standing` tells of it.
        if records:
            self._denied_at = None
        return records

    @property
    def is_denied(self) -> bool:
        """Whether the group was denied to us a short while ago, and nothing was read since."""
        return self._denied_at is not None and time.monotonic() - self._denied_at < _DENIED_SECONDS

    def _out_of_range(self, message: Message) -> None:
        """Go on where the broker has something: behind what retention took, or from the beginning of what is another log."""
        place = message.topic() or "", message.partition() or 0
        try:
            low, high = self._consumer.get_watermark_offsets(TopicPartition(*place), timeout=5.0)
        except KafkaException as error:
            raise KafkaProblem(explain(error.args[0], self._settings)) from None
        wanted = message.offset()
        if wanted is not None and wanted > high:
            if wanted != self._known.get(place):
                # What was read of it waits to be judged, perhaps under another name: only a new start can tell.
                raise KafkaProblem(f"{place[0]}/{place[1]} ends before what was read of it; this worker starts anew")
            self._on_revoked([place])
            self._on_assigned({place: None})
            self._on_begun_anew(place, wanted)
        # Behind what retention took the next record's offset tells how much that was.
        # A partition without a place to fetch from cannot be sought in; it is taken up anew, and the group sees nothing of it.
        self._consumer.incremental_unassign([TopicPartition(*place)])
        self._consumer.incremental_assign([TopicPartition(*place, low)])

    def commit(self, offsets: Mapping[Place, int]) -> None:
        """Commit the next offsets to read, and wait for the broker's word. Raises CommitFailed.

        librdkafka knows no time-out here, and while a group is on the move it may wait for the very poll that comes after us:
        so another thread waits, and is left behind when that takes long. What it commits after all was delivered.
        """
        if not self._has_committed():
            # One after the other: the earlier one would set the group back when it comes through after this one.
            raise CommitFailed("no answer to an earlier commit; the group is on the move")
        positions, refused = self.positions(offsets), list[str]()

        def commit() -> None:
            try:
                self._consumer.commit(offsets=positions, asynchronous=False)
            except (KafkaException, RuntimeError) as error:
                known = isinstance(error, KafkaException)
                refused.append(error.args[0].name() if known else "the consumer was closed")

        self._committing = threading.Thread(target=commit, name="commit", daemon=True)
        self._committing.start()
        if not self._has_committed():
            raise CommitFailed("no answer to a commit; the group is on the move")
        if refused:
            raise CommitFailed(refused[0])

    def _has_committed(self) -> bool:
        """Wait a while for the commit under way; tell whether none is any more."""
        if self._committing is None:
            return True
        self._committing.join(_COMMIT_SECONDS)
        return not self._committing.is_alive()

    def positions(self, offsets: Mapping[Place, int]) -> list[TopicPartition]:
        """Give offsets in confluent_kafka's words, each with the id of its topic's creation."""
        return [
            TopicPartition(topic, partition, offset, self._ids.get(topic, ""))
            for (topic, partition), offset in offsets.items()
        ]

    def rewind(self, offsets: Mapping[Place, int | None]) -> None:
        """Read again from these offsets; None is the beginning."""
        for (topic, partition), offset in offsets.items():
            # A partition that was just revoked is somebody else's to read.
            with contextlib.suppress(KafkaException):
                self._consumer.seek(TopicPartition(topic, partition, OFFSET_BEGINNING if offset is None else offset))
            self._ends.pop((topic, partition), None)

    def low_watermark(self, place: Place) -> int | None:
        """Give the first offset that the broker still has; None when it does not say."""
        try:
            return int(self._consumer.get_watermark_offsets(TopicPartition(*place), timeout=5.0)[0])
        except KafkaException:
            return None

    def read_up(self) -> set[Place]:
        """Give the assigned partitions of which all was polled that the broker has; needs `enable.partition.eof`.

        One in which a transaction is open is not among them, and none is of which the broker does not say.
        """
        found = set()
        for each in self._consumer.assignment():
            try:
                # That it answers proves that what the last fetch told is not old.
                self._consumer.get_watermark_offsets(each, timeout=1.0)
                end = int(self._consumer.get_watermark_offsets(each, cached=True)[1])
            except KafkaException:
                break
            if 0 <= end <= self._ends.get((each.topic, each.partition), -1):
                found.add((each.topic, each.partition))
        return found

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
        """Leave the group. What it still tells us to take up is not taken up."""
        self._is_closing = True
        # Closing under the feet of a commit is not safe; the broker notices soon enough that nobody is there.
        if self._has_committed():
            self._consumer.close()

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        if self._is_closing:
            return  # a consumer that is being closed gets no answer to the questions below
        committed = self._committed(consumer, partitions)
        known: dict[Place, int] = {}
        void: dict[Place, int] = {}
        for each in committed:
            if each.offset >= 0:
                is_void = each.metadata and each.metadata != self._ids.get(each.topic, each.metadata)
                (void if is_void else known)[each.topic, each.partition] = each.offset
        places = [(each.topic, each.partition) for each in partitions]
        for place in places:
            # Where it ended when it was ours before does not say that we are there again.
            self._ends.pop(place, None)
        starts = [
            TopicPartition(
                *place, known.get(place, OFFSET_BEGINNING if place in void or place[0] in self._anew else self._first)
            )
            for place in places
        ]
        consumer.incremental_assign(starts)
        self._denied_at = None
        self._known |= known
        self._on_assigned({place: known.get(place) for place in places})
        for place, offset in void.items():
            self._on_begun_anew(place, offset)

    def _committed(self, consumer: Consumer, partitions: list[TopicPartition]) -> list[TopicPartition]:
        """Ask what the group has committed. Raises KafkaProblem: to begin anywhere else would lose or repeat records."""
        if not partitions:
            return []
        try:
            return consumer.committed(partitions, timeout=_COMMITTED_SECONDS)
        except KafkaException as error:
            raise KafkaProblem(explain(error.args[0], self._settings)) from None

    def _revoked(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._on_revoked([(each.topic, each.partition) for each in partitions])
