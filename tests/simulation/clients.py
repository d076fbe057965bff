"""The monitor's reader and writer on the model broker: the same methods and promises as `monitor.kafka`'s, and faults on demand."""

from collections.abc import Callable, Collection, Mapping, Sequence

from monitor.kafka import CommitFailed, DeliveryFailed, KafkaProblem
from tests.simulation.broker import Broker, Member, Place, Refused
from topics.catalog import ACCOUNTING
from topics.record import Outgoing, RawRecord

Fault = Callable[[str], bool]
"""Asked at each named point whether the fault of that name happens now."""


class Crash(BaseException):
    """The process ends here, as by kill -9. No exception handler of the program may see it."""


def no_fault(_name: str) -> bool:
    return False


class ModelReader:
    """A member of a group."""

    def __init__(
        self,
        broker: Broker,
        *,
        name: str,
        group: str,
        topics: Sequence[str],
        from_beginning: bool,
        on_assigned: Callable[[Mapping[Place, int | None]], None],
        on_revoked: Callable[[Sequence[Place]], None],
        fault: Fault = no_fault,
    ) -> None:
        self._broker = broker
        self.name = name
        self.group = group
        self._topics = topics
        self._from_beginning = from_beginning
        self._on_assigned = on_assigned
        self._on_revoked = on_revoked
        self._fault = fault
        self._positions: dict[Place, int] = {}
        self._resting: set[Place] = set()
        self._join()

    def _join(self) -> None:
        self._broker.join(self.group, self.name)
        self._broker.rebalance(self.group, self._topics)

    def poll(self, limit: int, timeout_seconds: float) -> list[RawRecord]:
        del timeout_seconds  # the schedule is the clock
        self._follow_group()
        records: list[RawRecord] = []
        for place in sorted(self._positions):
            if place in self._resting or len(records) >= limit:
                continue
            log = self._broker.partitions[place]
            self._positions[place] = max(self._positions[place], log.low)
            entries, self._positions[place] = self._broker.fetch(place, self._positions[place], limit - len(records))
            records += [RawRecord(*place, each.offset, each.timestamp_ms, each.key, each.value) for each in entries]
        if self._fault("crash after poll"):
            raise Crash
        return records

    def _follow_group(self) -> None:
        """Do what a poll does beside reading: heartbeat, and the steps of a rebalance that are this member's."""
        broker = self._broker
        member = broker.heartbeat(self.group, self.name)
        if member is None:
            self._let_go(set(self._positions))
            self._join()
            member = broker.heartbeat(self.group, self.name)
            assert member is not None
        known = broker.groups[self.group]
        if member.generation != known.generation:
            self._let_go(member.owned - member.target)
            member.owned &= member.target
            member.generation = known.generation
        fresh = self._fresh(member)
        if fresh:
            if self._fault("crash in a rebalance"):
                raise Crash
            if known.members.get(self.name) is member:
                # Whoever stood still there without being forgotten is asked by the group before others are given it.
                fresh = self._fresh(member)
            member.owned |= fresh
            committed = {place: known.committed.get(place) for place in sorted(fresh)}
            for place, offset in committed.items():
                log = broker.partitions[place]
                start = log.low if self._from_beginning else log.high
                self._positions[place] = start if offset is None else offset
            self._on_assigned(committed)

    def _fresh(self, member: Member) -> set[Place]:
        return {place for place in member.target - member.owned if self._broker.is_free(self.group, place)}

    def _let_go(self, places: set[Place]) -> None:
        for place in places:
            self._positions.pop(place, None)
            self._resting.discard(place)
        if places:
            self._on_revoked(sorted(places))

    def commit(self, offsets: Mapping[Place, int]) -> None:
        if self._fault("crash before commit"):
            raise Crash
        if self._fault("commit refused"):
            raise CommitFailed("REQUEST_TIMED_OUT")
        try:
            self._broker.commit(self.group, self.name, offsets)
        except Refused as refused:
            raise CommitFailed(refused.code) from None
        if self._fault("commit's answer lost"):
            raise CommitFailed("REQUEST_TIMED_OUT")
        if self._fault("crash after commit"):
            raise Crash

    def rewind(self, offsets: Mapping[Place, int | None]) -> None:
        for place, offset in offsets.items():
            if place in self._positions:
                self._positions[place] = self._broker.partitions[place].low if offset is None else offset

    def read_up(self) -> set[Place]:
        return {place for place, at in self._positions.items() if at >= self._broker.partitions[place].high}

    def low_watermark(self, place: Place) -> int | None:
        return self._broker.partitions[place].low

    def high_watermarks(self) -> dict[Place, int]:
        return {place: self._broker.partitions[place].high for place in self._positions}

    def pause(self) -> None:
        self._resting = set(self._positions)

    def resume(self) -> None:
        self._resting.clear()

    def close(self) -> None:
        self._let_go(set(self._positions))
        self._broker.leave(self.group, self.name, self._topics)


class ModelWriter:
    """A producer, transactional when it has an id."""

    def __init__(
        self,
        broker: Broker,
        *,
        transactional_id: str | None = None,
        last: Collection[str] = (ACCOUNTING.name,),
        before_send: Callable[[], None] = lambda: None,
        in_order: bool = False,
        timeout_ms: int | None = None,
        fault: Fault = no_fault,
    ) -> None:
        """`in_order`: what goes to one partition comes there in its order, as it does unless a record times out alone.

        `timeout_ms`: what waits for longer is given up; None: nothing is.
        """
        self._broker = broker
        self._transaction = transactional_id
        self._last = frozenset(last)
        self._before_send = before_send
        self._in_order = in_order
        self._timeout_ms = timeout_ms
        self._fault = fault
        self._epoch = broker.init(transactional_id) if transactional_id is not None else 0

    def deliver(self, outgoing: Sequence[Outgoing], offsets: Mapping[Place, int], reader: ModelReader) -> None:
        if self._transaction is None:
            self.send([each for each in outgoing if each.topic not in self._last])
            self.send([each for each in outgoing if each.topic in self._last])
            if offsets:
                reader.commit(offsets)
            return
        self._in_transaction(self._transaction, outgoing, offsets, reader)

    def send(self, outgoing: Sequence[Outgoing]) -> None:
        if not outgoing:
            return
        if self._fault("crash before produce"):
            raise Crash
        self._before_send()
        if self._fault("produce refused"):
            raise DeliveryFailed("_MSG_TIMED_OUT")
        began_ms = self._broker.now_ms
        # Partitions answer on their own: of a batch any part can be there when something goes wrong.
        for index, each in enumerate(sorted(outgoing, key=self._when)):
            if index and self._fault("crash mid-produce"):
                raise Crash
            if index and self._fault("produce torn"):
                raise DeliveryFailed("_MSG_TIMED_OUT")
            if self._timeout_ms is not None and self._broker.now_ms - began_ms > self._timeout_ms:
                raise DeliveryFailed("_MSG_TIMED_OUT")
            self._broker.append(self._place(each), each.key, each.value)
        if self._fault("produce's answer lost"):
            raise DeliveryFailed("_MSG_TIMED_OUT")
        if self._fault("crash after produce"):
            raise Crash

    def _when(self, each: Outgoing) -> int:
        """Give the turn of a record among those that are sent together."""
        if self._in_order:
            topic, partition = self._place(each)
            return (sum(topic.encode()) * (partition + 1) + self._broker.now_ms) % 7
        return (sum(each.value or b"") + len(each.value or b"")) % 7

    def _place(self, each: Outgoing) -> Place:
        return self._broker.place_for(each.topic, each.key) if each.partition < 0 else (each.topic, each.partition)

    def _send_offsets(self, transaction: str, offsets: Mapping[Place, int], reader: ModelReader) -> None:
        # Without any the real client does not ask the broker, and nothing tells that a member is forgotten.
        if offsets:
            self._broker.send_offsets(transaction, self._epoch, reader.group, reader.name, offsets)

    def _in_transaction(
        self, transaction: str, outgoing: Sequence[Outgoing], offsets: Mapping[Place, int], reader: ModelReader
    ) -> None:
        broker, epoch = self._broker, self._epoch
        try:
            broker.begin(transaction, epoch)
            for each in outgoing:
                broker.produce(transaction, epoch, self._place(each), each.key, each.value)
                if self._fault("crash mid-transaction"):
                    raise Crash
                if self._fault("transaction refused"):
                    broker.refuse("REQUEST_TIMED_OUT")
            self._send_offsets(transaction, offsets, reader)
            if self._fault("crash before commit of transaction"):
                raise Crash
            broker.end(transaction, epoch, commit=True)
        except Refused as refused:
            if refused.fatal:
                raise KafkaProblem(f"fenced ({refused.code})") from None
            try:
                broker.end(transaction, epoch, commit=False)
            except Refused as again:
                raise KafkaProblem(f"a transaction came to no end ({again.code})") from None
            raise DeliveryFailed(refused.code) from None
        if self._fault("transaction's answer lost"):
            # Neither committed nor aborted, as far as anybody knows: a new producer with the same id can tell.
            raise KafkaProblem("a transaction came to no end (_TIMED_OUT)")
        if self._fault("crash after commit of transaction"):
            raise Crash
