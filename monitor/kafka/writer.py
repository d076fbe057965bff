"""Delivering records of ours."""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from monitor.kafka.connection import DENIALS, DeliveryFailed, Denied, KafkaProblem, Settings, explain, make
from monitor.kafka.reader import Reader
from topics.catalog import ACCOUNTING
from topics.record import Outgoing, Place

_FLUSH_SECONDS = 30.0
_COMMIT_TRIES = 3


class Delivered(NamedTuple):
    """Where a record of ours came to lie."""

    topic: str
    partition: int
    offset: int


class Writer:
    """Delivers records of ours, then commits what they came from; in one transaction when it has an id."""

    def __init__(
        self,
        settings: Settings,
        *,
        transactional_id: str | None = None,
        last: Collection[str] = (ACCOUNTING.name,),
        before_send: Callable[[], None] = lambda: None,
    ) -> None:
        """Connect. Raises KafkaProblem.

        `last`: topics whose records say that the rest is there. Without a transaction they follow when the broker has the rest:
        were both on their way at once, they could arrive alone.
        `before_send`: called directly before each part is sent without a transaction, for who may lose the right to write at
        any time, and also while it waits for the broker's word on the part before.
        """
        self._settings = settings
        self._last = frozenset(last)
        self._before_send = before_send
        self._transactional = transactional_id is not None
        self._failures: list[KafkaError] = []
        self._called: float | None = None
        """When the call to the broker began that is under way."""
        self._producer = make(
            Producer,
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
            },
        )
        if self._transactional:
            try:
                self._producer.init_transactions(_FLUSH_SECONDS)
            except KafkaException as error:
                problem = Denied if error.args[0].code() in DENIALS else KafkaProblem
                raise problem(explain(error.args[0], settings)) from None

    def call_seconds(self) -> float:
        """Give how long the call to the broker takes that is under way; 0: none is. Safe from other threads.

        Each has a time-out of half a minute, and librdkafka was seen not to keep it when a broker died.
        """
        called = self._called
        return 0.0 if called is None else time.monotonic() - called

    @contextmanager
    def _calling(self) -> Iterator[None]:
        self._called = time.monotonic()
        try:
            yield
        finally:
            self._called = None

    def deliver(self, outgoing: Sequence[Outgoing], offsets: Mapping[Place, int], reader: Reader) -> None:
        """Deliver and then commit. Raises DeliveryFailed (nothing was committed) or KafkaProblem (this worker is fenced)."""
        if self._transactional:
            self._in_transaction(outgoing, offsets, reader)
            return
        self.send([each for each in outgoing if each.topic not in self._last])
        self.send([each for each in outgoing if each.topic in self._last])
        if offsets:
            reader.commit(offsets)

    def send(self, outgoing: Sequence[Outgoing], on_delivered: Callable[[int, Delivered], None] | None = None) -> None:
        """Deliver and wait for the broker's word on each. Raises DeliveryFailed."""
        if not outgoing:
            return
        self._before_send()
        self._failures.clear()
        left, reason = 0, ""
        try:
            self._produce(outgoing, on_delivered)
            with self._calling():
                left = self._producer.flush(_FLUSH_SECONDS)
        except KafkaException as raised:
            self._raise_if_fatal(raised.args[0])
            reason = raised.args[0].name()
        if self._failures:
            self._raise_if_fatal(self._failures[-1])
            reason = self._failures[-1].name()
        if left and not reason:
            reason = f"{left} records are still on their way"
        if reason:
            # What is on its way is given up, and its reports are taken now: they must not be held against the next batch.
            self._producer.purge()
            self._producer.flush(1.0)
            raise DeliveryFailed(reason)

    def _in_transaction(self, outgoing: Sequence[Outgoing], offsets: Mapping[Place, int], reader: Reader) -> None:
        self._failures.clear()
        try:
            self._producer.begin_transaction()
            self._produce(outgoing, None)
            with self._calling():
                self._producer.send_offsets_to_transaction(
                    reader.positions(offsets), reader.group_metadata, _FLUSH_SECONDS
                )
            self._commit()
        except KafkaException as raised:
            error = raised.args[0]
            self._raise_if_fatal(error)
            try:
                with self._calling():
                    self._producer.abort_transaction(_FLUSH_SECONDS)
            except KafkaException:
                # Neither committed nor aborted: only a new producer with the same id can tell which.
                raise KafkaProblem(f"a transaction came to no end ({error.name()}); this worker starts anew") from None
            raise DeliveryFailed(error.name()) from None

    def _commit(self) -> None:
        """Commit the transaction. A time-out leaves it open to be committed again, and to nothing else."""
        for left in reversed(range(_COMMIT_TRIES)):
            try:
                with self._calling():
                    self._producer.commit_transaction(_FLUSH_SECONDS)
            except KafkaException as raised:
                if not left or not raised.args[0].retriable():
                    raise
            else:
                return

    @staticmethod
    def _raise_if_fatal(error: KafkaError) -> None:
        if error.fatal():
            raise KafkaProblem(f"this producer was replaced by another or lost its place ({error.name()})") from None

    def _produce(self, outgoing: Sequence[Outgoing], on_delivered: Callable[[int, Delivered], None] | None) -> None:
        for index, each in enumerate(outgoing):
            report = self._report if on_delivered is None else self._reporter(index, on_delivered)
            while True:
                try:
                    self._producer.produce(
                        each.topic, each.value, each.key, each.partition, headers=list(each.headers), on_delivery=report
                    )
                    break
                except BufferError:
                    self._producer.poll(0.1)
        self._producer.poll(0)

    def _report(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self._failures.append(error)

    def _reporter(
        self, index: int, on_delivered: Callable[[int, Delivered], None]
    ) -> Callable[[KafkaError | None, Message], None]:
        def report(error: KafkaError | None, message: Message) -> None:
            if error is not None:
                self._failures.append(error)
            else:
                on_delivered(index, Delivered(message.topic() or "", message.partition() or 0, message.offset() or 0))

        return report
