"""Two brokers behind one face: Apache Kafka with the monitor's own reader and writer, and the model with its own."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from monitor.kafka import Companion, KafkaProblem, Reader, TableReader, Writer
from tests.kafka.broker import create_topic, unique_name
from tests.simulation.alert_clients import ModelCompanion, ModelTableReader
from tests.simulation.broker import Broker
from tests.simulation.clients import ModelReader, ModelWriter
from topics.record import Outgoing, RawRecord

Place = tuple[str, int]
_SESSION_MS = 6_000
_DEADLINE_SECONDS = 30.0


@dataclass
class Seat:
    """A member of a group: its reader, what it owns, and what it was given."""

    reader: Any
    owned: dict[Place, int | None] = field(default_factory=dict)
    """Place to what was committed when it was assigned."""
    records: list[RawRecord] = field(default_factory=list)
    void: dict[Place, int] = field(default_factory=dict)
    read_up_unread: set[Place] | None = None
    """If it is a set: what was said to be read up when it was assigned and nothing of it could have been read."""

    def assigned(self, committed: Mapping[Place, int | None]) -> None:
        self.owned.update(committed)
        if self.read_up_unread is not None:
            self.read_up_unread |= committed.keys() & self.reader.read_up()

    def revoked(self, places: Sequence[Place]) -> None:
        for place in places:
            self.owned.pop(place, None)

    def begun_anew(self, place: Place, void: int) -> None:
        self.void[place] = void

    def poll(self, limit: int = 1_000) -> list[RawRecord]:
        records: list[RawRecord] = self.reader.poll(limit, 0.1)
        self.records += records
        return records

    def values(self) -> list[bytes | None]:
        return [each.value for each in self.records]


class Wire(Protocol):
    """What the promises are tried on."""

    def topic(self, partitions: int = 1) -> str: ...
    def sit(self, topic: str, group: str) -> Seat: ...
    def writer(
        self, transactional_id: str | None = None, *, last: str = "", before_send: Callable[[], None] = lambda: None
    ) -> Any: ...
    def companion(self, group: str) -> Any: ...
    def table(self, topic: str) -> dict[bytes, bytes]: ...
    def table_while_open(self, topic: str, key: bytes, value: bytes) -> dict[bytes, bytes]: ...
    def produce(
        self, topic: str, values: Sequence[bytes | None], partition: int = 0, key: bytes | None = None
    ) -> None: ...
    def foreign_transaction(self, topic: str, values: Sequence[bytes], *, commit: bool) -> None: ...
    def remove_before(self, topic: str, offset: int) -> None: ...
    def wait_until_forgotten(self, forgotten: Seat, others: Sequence[Seat]) -> None: ...
    def until(self, condition: Callable[[], bool], seats: Sequence[Seat]) -> None: ...


class ModelWire:
    """The model broker. Its clock moves with every round of polls."""

    def __init__(self) -> None:
        self._broker = Broker({}, 1_000_000)
        self._groups: dict[str, list[str]] = {}
        self._seats = 0

    def topic(self, partitions: int = 1) -> str:
        name = unique_name("topic")
        self._broker.add_topic(name, partitions)
        return name

    def sit(self, topic: str, group: str) -> Seat:
        self._seats += 1
        self._groups[group] = [topic]
        seat = Seat(None)
        seat.reader = ModelReader(
            self._broker,
            name=f"member-{self._seats}",
            group=group,
            topics=[topic],
            from_beginning=True,
            on_assigned=seat.assigned,
            on_revoked=seat.revoked,
        )
        return seat

    def writer(
        self, transactional_id: str | None = None, *, last: str = "", before_send: Callable[[], None] = lambda: None
    ) -> ModelWriter:
        return ModelWriter(
            self._broker, transactional_id=transactional_id, last=[last], before_send=before_send, in_order=True
        )

    def companion(self, group: str) -> ModelCompanion:
        return ModelCompanion(self._broker, group)

    def table(self, topic: str) -> dict[bytes, bytes]:
        return ModelTableReader(self._broker, lambda: None).read([(topic, 0)])[topic, 0]

    def table_while_open(self, topic: str, key: bytes, value: bytes) -> dict[bytes, bytes]:
        """Read a table with a transaction open in it. The model refuses instead of waiting: then it is ended."""
        epoch = self._broker.init("open")
        self._broker.begin("open", epoch)
        self._broker.produce("open", epoch, (topic, 0), key, value)
        try:
            return self.table(topic)
        except KafkaProblem:
            self._broker.end("open", epoch, commit=True)
            return self.table(topic)

    def produce(self, topic: str, values: Sequence[bytes | None], partition: int = 0, key: bytes | None = None) -> None:
        for value in values:
            self._broker.append((topic, partition), key, value)

    def foreign_transaction(self, topic: str, values: Sequence[bytes], *, commit: bool) -> None:
        epoch = self._broker.init("foreign")
        self._broker.begin("foreign", epoch)
        for value in values:
            self._broker.produce("foreign", epoch, (topic, 0), None, value)
        self._broker.end("foreign", epoch, commit=commit)

    def remove_before(self, topic: str, offset: int) -> None:
        self._broker.retain((topic, 0), offset)

    def wait_until_forgotten(self, forgotten: Seat, others: Sequence[Seat]) -> None:
        del forgotten  # it does nothing, which is all it takes
        for _ in range(10):
            self._broker.pass_time(_SESSION_MS // 5, self._groups)
            for seat in others:
                seat.poll()

    def until(self, condition: Callable[[], bool], seats: Sequence[Seat]) -> None:
        for _ in range(200):
            for seat in seats:
                seat.poll()
            if condition():
                return
            self._broker.pass_time(50, self._groups)
        raise AssertionError("not so after 200 rounds")


class KafkaWire:
    """Apache Kafka."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._settings: dict[str, object] = {
            "bootstrap.servers": bootstrap,
            # A member that does not poll for a session is thrown out, as a stopped process is.
            "max.poll.interval.ms": _SESSION_MS,
            "session.timeout.ms": _SESSION_MS,
            "enable.partition.eof": True,
        }
        self._seats: list[Seat] = []
        self._closing: list[Callable[[], None]] = []

    def topic(self, partitions: int = 1) -> str:
        return create_topic(self._bootstrap, unique_name("topic"), partitions)

    def sit(self, topic: str, group: str) -> Seat:
        seat = Seat(None)
        seat.reader = Reader(
            self._settings,
            group=group,
            topics=[topic],
            from_beginning=True,
            on_assigned=seat.assigned,
            on_revoked=seat.revoked,
            on_begun_anew=seat.begun_anew,
            ids={},
        )
        self._seats.append(seat)
        return seat

    def writer(
        self, transactional_id: str | None = None, *, last: str = "", before_send: Callable[[], None] = lambda: None
    ) -> Writer:
        return Writer(
            {"bootstrap.servers": self._bootstrap},
            transactional_id=transactional_id,
            last=[last],
            before_send=before_send,
        )

    def companion(self, group: str) -> Companion:
        made = Companion({"bootstrap.servers": self._bootstrap}, group)
        self._closing.append(made.close)
        return made

    def table(self, topic: str) -> dict[bytes, bytes]:
        reader = TableReader({"bootstrap.servers": self._bootstrap}, lambda: None)
        try:
            return reader.read([(topic, 0)])[topic, 0]
        finally:
            reader.close()

    def table_while_open(self, topic: str, key: bytes, value: bytes) -> dict[bytes, bytes]:
        """Read a table with a transaction open in it, which is committed a moment later."""
        producer = Producer({"bootstrap.servers": self._bootstrap, "transactional.id": unique_name("open")})
        producer.init_transactions(20)
        producer.begin_transaction()
        producer.produce(topic, value, key, partition=0)
        assert producer.flush(20) == 0
        later = threading.Timer(1.0, producer.commit_transaction, [20])
        later.start()
        try:
            return self.table(topic)
        finally:
            later.join()

    def produce(self, topic: str, values: Sequence[bytes | None], partition: int = 0, key: bytes | None = None) -> None:
        producer = Producer({"bootstrap.servers": self._bootstrap})
        for value in values:
            producer.produce(topic, value, key, partition=partition)
        assert producer.flush(20) == 0

    def foreign_transaction(self, topic: str, values: Sequence[bytes], *, commit: bool) -> None:
        producer = Producer({"bootstrap.servers": self._bootstrap, "transactional.id": unique_name("foreign")})
        producer.init_transactions(20)
        producer.begin_transaction()
        for value in values:
            producer.produce(topic, value, partition=0)
        producer.flush(20)
        if commit:
            producer.commit_transaction(20)
        else:
            producer.abort_transaction(20)
        self._wait_until_ended(topic)

    def _wait_until_ended(self, topic: str) -> None:
        """A coordinator answers when it has decided; the marker comes after that, and what others write may come before it."""
        readers = [
            Consumer({"bootstrap.servers": self._bootstrap, "group.id": unique_name("end"), "isolation.level": level})
            for level in ("read_committed", "read_uncommitted")
        ]
        deadline = time.monotonic() + _DEADLINE_SECONDS
        while len({each.get_watermark_offsets(TopicPartition(topic, 0), timeout=20) for each in readers}) > 1:
            assert time.monotonic() < deadline, f"a transaction is open after {_DEADLINE_SECONDS:.0f} seconds"
            time.sleep(0.02)
        for each in readers:
            each.close()

    def remove_before(self, topic: str, offset: int) -> None:
        place = TopicPartition(topic, 0, offset)
        admin = AdminClient({"bootstrap.servers": self._bootstrap})
        admin.delete_records([place])[place].result(20)

    def wait_until_forgotten(self, forgotten: Seat, others: Sequence[Seat]) -> None:
        del forgotten
        deadline = time.monotonic() + _SESSION_MS / 1000 + 4
        while time.monotonic() < deadline:
            for seat in others:
                seat.poll()
            if not others:
                time.sleep(0.2)

    def until(self, condition: Callable[[], bool], seats: Sequence[Seat]) -> None:
        deadline = time.monotonic() + _DEADLINE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"not so after {_DEADLINE_SECONDS:.0f} seconds"
            for seat in seats:
                seat.poll()

    def close(self) -> None:
        for close in [*(seat.reader.close for seat in self._seats), *self._closing]:
            close()


def outgoing(topic: str, *values: bytes) -> list[Outgoing]:
    return [Outgoing(topic, b"key", value) for value in values]
