"""Kafka at the edge: the only module that imports confluent_kafka."""

import contextlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from confluent_kafka import (
    TIMESTAMP_NOT_AVAILABLE,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from topics.catalog import Topic
from topics.record import Place, RawRecord

Settings = Mapping[str, Any]
"""librdkafka's settings, secrets resolved. Never logged."""

_CONNECT_SECONDS = 8.0
_FLUSH_SECONDS = 30.0
_SESSION_MS = 6_000


class KafkaProblem(Exception):
    """Something about the broker that a person must know, in one line that says what to do."""


class DeliveryFailed(Exception):
    """A batch was not delivered and nothing of it was committed: read it again."""


class Outgoing(NamedTuple):
    """A record of ours on its way out."""

    topic: str
    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes]] = ()


class Delivered(NamedTuple):
    """Where a record of ours came to lie."""

    topic: str
    partition: int
    offset: int


class _Complaints:
    """Collects what librdkafka complains of while we wait, to tell a wrong password from a wrong address."""

    def __init__(self) -> None:
        self.last: KafkaError | None = None

    def __call__(self, error: KafkaError) -> None:
        # The authentication failure is the cause, "all brokers down" only its consequence.
        if self.last is None or self.last.code() not in _ACCESS:
            self.last = error


_ACCESS = {KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED, KafkaError._SSL}  # noqa: SLF001 - librdkafka's own names


def explain(error: KafkaError | None, settings: Settings) -> str:
    """Say in one line what is wrong with the connection and what to do about it."""
    where = settings.get("bootstrap.servers", "")
    if error is not None and error.code() in {KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED}:  # noqa: SLF001
        return f"Kafka at {where} refused the credentials; check sasl.username and the secret sasl.password"
    if error is not None and error.code() == KafkaError._SSL:  # noqa: SLF001
        return f"TLS with Kafka at {where} failed; check security.protocol and ssl.ca.location"
    if error is not None and error.code() in {
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    }:
        return f"Kafka at {where} denies access ({error.name()}); grant this user the right"
    return f"Kafka at {where} does not answer; check kafka.bootstrap_servers and that the broker runs"


class Cluster(NamedTuple):
    """What the broker says of itself."""

    cluster_id: str
    topics: Mapping[str, int]
    """Partitions by topic."""


def describe(settings: Settings, timeout_seconds: float = _CONNECT_SECONDS) -> Cluster:
    """Ask the broker for its id and topics. Raises KafkaProblem within the timeout."""
    complaints = _Complaints()
    admin = AdminClient({**settings, "error_cb": complaints, "log_level": 0})  # type: ignore[dict-item]
    deadline = time.monotonic() + timeout_seconds
    while True:
        try:
            found = admin.list_topics(timeout=1.0)
        except KafkaException as error:
            admin.poll(0)
            refused = complaints.last is not None and complaints.last.code() in _ACCESS
            if refused or time.monotonic() > deadline:
                raise KafkaProblem(explain(complaints.last or error.args[0], settings)) from None
        else:
            return Cluster(
                found.cluster_id or "unknown", {name: len(each.partitions) for name, each in found.topics.items()}
            )


def require_topics(settings: Settings, names: Iterable[str]) -> Cluster:
    """Check that topics exist. Raises KafkaProblem that names every absent one."""
    cluster = describe(settings)
    absent = sorted(set(names) - cluster.topics.keys())
    if absent:
        raise KafkaProblem(
            f"Kafka at {settings.get('bootstrap.servers')} has no topic {', '.join(absent)}; "
            "correct `sources`, or make the monitor's own with `privacy-monitor topics create`"
        )
    return cluster


def create_topics(settings: Settings, topics: Iterable[Topic], partitions: int, replication: int) -> dict[str, str]:
    """Create the topics that are missing. Gives what became of each: `created`, `exists`, or what went wrong."""
    existing = describe(settings).topics
    wanted = list(topics)
    admin = AdminClient({**settings, "log_level": 0})
    futures = admin.create_topics(
        [
            NewTopic(each.name, num_partitions=partitions, replication_factor=replication, config=each.configs())
            for each in wanted
            if each.name not in existing
        ],
        request_timeout=15.0,
    )
    result = {each.name: "exists" for each in wanted if each.name in existing}
    for name, future in futures.items():
        try:
            future.result()
            result[name] = "created"
        except KafkaException as error:
            known = error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS
            result[name] = "exists" if known else f"failed: {error.args[0].str()}"
    return result


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
        self.complaints = _Complaints()
        self._on_assigned = on_assigned
        self._on_revoked = on_revoked
        self._consumer = Consumer(
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
            }
        )
        self._consumer.subscribe(list(topics), on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked)

    def poll(self, limit: int, timeout_seconds: float) -> list[RawRecord]:
        """Read up to `limit` records, in offset order within each partition."""
        try:
            messages = self._consumer.consume(limit, timeout_seconds)
        except KafkaException as error:
            raise KafkaProblem(explain(error.args[0], {})) from None
        records = []
        for message in messages:
            failure = message.error()
            if failure is None:
                records.append(_record(message))
            elif failure.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise KafkaProblem(f"topic {message.topic()} is gone; create it again or correct `sources`")
            elif failure.code() in {KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED}:
                raise KafkaProblem(f"reading is denied ({failure.name()}); grant this user the right")
        return records

    def commit(self, offsets: Mapping[Place, int]) -> None:
        """Commit the next offsets to read, and wait for the broker's word. Raises DeliveryFailed."""
        try:
            self._consumer.commit(offsets=_positions(offsets), asynchronous=False)
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


class Writer:
    """Delivers records of ours, then commits what they came from; in one transaction when it has an id."""

    def __init__(self, settings: Settings, *, transactional_id: str | None = None) -> None:
        self._settings = settings
        self._transactional = transactional_id is not None
        self._failed: KafkaError | None = None
        self._producer = Producer(
            {
                "linger.ms": 5,
                "compression.type": "lz4",
                "message.timeout.ms": int(_FLUSH_SECONDS * 1000),
                **settings,
                "enable.idempotence": True,
                "acks": "all",
                "log_level": 0,
                **(
                    {"transactional.id": transactional_id, "transaction.timeout.ms": 60_000} if transactional_id else {}
                ),
            }
        )
        if self._transactional:
            try:
                self._producer.init_transactions(_FLUSH_SECONDS)
            except KafkaException as error:
                raise KafkaProblem(explain(error.args[0], settings)) from None

    def deliver(self, outgoing: Sequence[Outgoing], offsets: Mapping[Place, int], reader: Reader) -> None:
        """Deliver and then commit. Raises DeliveryFailed (nothing was committed) or KafkaProblem (this worker is fenced)."""
        if self._transactional:
            self._in_transaction(outgoing, offsets, reader)
            return
        self.send(outgoing)
        reader.commit(offsets)

    def send(self, outgoing: Sequence[Outgoing], on_delivered: Callable[[int, Delivered], None] | None = None) -> None:
        """Deliver and wait for the broker's word on each. Raises DeliveryFailed."""
        self._failed = None
        self._produce(outgoing, on_delivered)
        left = self._producer.flush(_FLUSH_SECONDS)
        if left or self._failed is not None:
            reason = self._failed.name() if self._failed is not None else f"{left} records are still on their way"
            self._producer.purge()
            raise DeliveryFailed(reason)

    def _in_transaction(self, outgoing: Sequence[Outgoing], offsets: Mapping[Place, int], reader: Reader) -> None:
        self._failed = None
        try:
            self._producer.begin_transaction()
            self._produce(outgoing, None)
            self._producer.send_offsets_to_transaction(_positions(offsets), reader.group_metadata, _FLUSH_SECONDS)
            self._producer.commit_transaction(_FLUSH_SECONDS)
        except KafkaException as raised:
            error = raised.args[0]
            if error.fatal():
                raise KafkaProblem(f"another worker has taken over this one's work ({error.name()})") from None
            with contextlib.suppress(KafkaException):
                self._producer.abort_transaction(_FLUSH_SECONDS)
            raise DeliveryFailed(error.name()) from None

    def _produce(self, outgoing: Sequence[Outgoing], on_delivered: Callable[[int, Delivered], None] | None) -> None:
        for index, each in enumerate(outgoing):
            report = self._report if on_delivered is None else self._reporter(index, on_delivered)
            while True:
                try:
                    self._producer.produce(
                        each.topic, each.value, each.key, headers=list(each.headers), on_delivery=report
                    )
                    break
                except BufferError:
                    self._producer.poll(0.1)
        self._producer.poll(0)

    def _report(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self._failed = error

    def _reporter(
        self, index: int, on_delivered: Callable[[int, Delivered], None]
    ) -> Callable[[KafkaError | None, Message], None]:
        def report(error: KafkaError | None, message: Message) -> None:
            if error is not None:
                self._failed = error
            else:
                on_delivered(index, Delivered(message.topic() or "", message.partition() or 0, message.offset() or 0))

        return report


class LogReader:
    """Reads whole topics from given offsets, without a group: for the ledger, and for pages that follow a topic."""

    def __init__(self, settings: Settings, topics: Sequence[str], starts: Mapping[Place, int] | None = None) -> None:
        cluster = require_topics(settings, topics)
        self._consumer = Consumer(
            {
                "fetch.wait.max.ms": 50,
                **settings,
                "group.id": "privacy-monitor-log-reader",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",
                "log_level": 0,
            }
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
        records = []
        for message in self._consumer.consume(limit, timeout_seconds):
            error = message.error()
            if error is None:
                record = _record(message)
                records.append(record)
                self.reached[record.topic, record.partition] = record.offset + 1
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's own name
                self.reached[message.topic() or "", message.partition() or 0] = message.offset() or 0
        return records

    def ends(self, *, queried: bool) -> dict[Place, int] | None:
        """Give the end of each partition: asked of the broker, or as the last fetch told it. None when it is not known."""
        found: dict[Place, int] = {}
        for place in self.places:
            try:
                high = self._consumer.get_watermark_offsets(TopicPartition(*place), timeout=2.0, cached=not queried)[1]
            except KafkaException:
                return None
            if high < 0:
                return None
            found[place] = int(high)
        return found

    def close(self) -> None:
        """Let go of the broker."""
        self._consumer.close()


def _positions(offsets: Mapping[Place, int]) -> list[TopicPartition]:
    return [TopicPartition(topic, partition, offset) for (topic, partition), offset in offsets.items()]


def _record(message: Message) -> RawRecord:
    kind, timestamp = message.timestamp()
    return RawRecord(
        message.topic() or "",
        message.partition() or 0,
        message.offset() or 0,
        -1 if kind == TIMESTAMP_NOT_AVAILABLE else timestamp,
        _bytes(message.key()),
        _bytes(message.value()),
    )


def _bytes(data: Any) -> bytes | None:
    return data.encode() if isinstance(data, str) else data
