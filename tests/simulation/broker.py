"""A strict model of what Apache Kafka keeps and refuses: partitions with sparse offsets, groups, transactions, retention.

It is written from Kafka's documented behaviour and held to it by `tests/kafka/test_every_broker.py`, which runs the same
promises on Apache Kafka. It is never kinder: where Kafka may accept or refuse, it refuses.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

Place = tuple[str, int]


class State(Enum):
    """Whether a reader of committed records is given a record."""

    COMMITTED = "committed"
    OPEN = "open"
    ABORTED = "aborted"
    MARKER = "marker"


@dataclass(slots=True)
class Entry:
    """One offset of a partition."""

    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    state: State
    transaction: str = ""


@dataclass(slots=True)
class Partition:
    """A log. Offsets of markers and of aborted records are holes for readers."""

    entries: list[Entry] = field(default_factory=list)
    low: int = 0

    @property
    def high(self) -> int:
        return len(self.entries)

    @property
    def stable(self) -> int:
        """Return the offset up to which a reader of committed records is given anything."""
        return next((each.offset for each in self.entries if each.state is State.OPEN), self.high)


@dataclass(slots=True)
class Member:
    """A member of a group, as its coordinator knows it."""

    name: str
    generation: int
    heard_ms: int
    owned: set[Place] = field(default_factory=set)
    target: set[Place] = field(default_factory=set)


@dataclass(slots=True)
class Group:
    """A consumer group with cooperative rebalances."""

    generation: int = 0
    members: dict[str, Member] = field(default_factory=dict)
    committed: dict[Place, int] = field(default_factory=dict)
    pending: dict[str, dict[Place, int]] = field(default_factory=dict)
    """Offsets inside of open transactions, by transactional id."""


@dataclass(slots=True)
class Transaction:
    """A transactional id."""

    epoch: int = 0
    opened_ms: int | None = None
    """None: none is open."""


class Refused(Exception):
    """What a broker answers when it does not do what it was asked."""

    def __init__(self, code: str, *, fatal: bool = False) -> None:
        super().__init__(code)
        self.code = code
        self.fatal = fatal


class Broker:
    """One cluster and its clock."""

    SESSION_MS = 6_000
    TRANSACTION_MS = 60_000

    def __init__(self, topics: Mapping[str, int], now_ms: int) -> None:
        self.now_ms = now_ms
        self.partitions: dict[Place, Partition] = {
            (topic, number): Partition() for topic, count in topics.items() for number in range(count)
        }
        self.groups: dict[str, Group] = {}
        self.transactions: dict[str, Transaction] = {}

    # Logs.

    def add_topic(self, name: str, partitions: int) -> None:
        self.partitions |= {(name, number): Partition() for number in range(partitions)}

    def append(self, place: Place, key: bytes | None, value: bytes | None, transaction: str = "") -> int:
        log = self.partitions[place]
        state = State.OPEN if transaction else State.COMMITTED
        log.entries.append(Entry(log.high, self.now_ms, key, value, state, transaction))
        return log.high - 1

    def place_for(self, topic: str, key: bytes) -> Place:
        count = sum(name == topic for name, _ in self.partitions)
        return topic, sum(key) % count

    def fetch(self, place: Place, offset: int, limit: int) -> tuple[list[Entry], int]:
        """Return up to `limit` committed records from an offset on, and the offset to go on from."""
        log = self.partitions[place]
        found: list[Entry] = []
        at, stable = offset, log.stable
        while at < stable and len(found) < limit:
            entry = log.entries[at]
            at += 1
            if entry.state is State.COMMITTED:
                found.append(entry)
        return found, at

    def retain(self, place: Place, low: int) -> None:
        """Let retention take what is before an offset."""
        log = self.partitions[place]
        log.low = max(log.low, min(low, log.high))

    # Groups.

    def join(self, group: str, name: str) -> None:
        self.groups.setdefault(group, Group()).members[name] = Member(name, -1, self.now_ms)

    def leave(self, group: str, name: str, topics: Iterable[str]) -> None:
        self.groups[group].members.pop(name, None)
        self.rebalance(group, topics)

    def rebalance(self, group: str, topics: Iterable[str]) -> None:
        """Begin another generation: partitions are spread anew, and move only when their owner has let go."""
        known = self.groups[group]
        known.generation += 1
        names = sorted(known.members)
        for member in known.members.values():
            member.target = set()
        if not names:
            return
        places = sorted(place for place in self.partitions if place[0] in set(topics))
        fair = -(-len(places) // len(names))
        homeless = []
        for place in places:
            owner = next((each for each in known.members.values() if place in each.owned), None)
            if owner is not None and len(owner.target) < fair:
                owner.target.add(place)
            else:
                homeless.append(place)
        for place in homeless:
            min(known.members.values(), key=lambda each: (len(each.target), each.name)).target.add(place)

    def heartbeat(self, group: str, name: str) -> Member | None:
        """Note that a member lives; None when it was thrown out."""
        member = self.groups[group].members.get(name)
        if member is not None:
            member.heard_ms = self.now_ms
        return member

    def is_free(self, group: str, place: Place) -> bool:
        """Say whether nobody owns a partition, and no open transaction holds an offset of it."""
        known = self.groups[group]
        return not any(place in member.owned for member in known.members.values()) and not any(
            place in offsets for offsets in known.pending.values()
        )

    def commit(self, group: str, name: str, offsets: Mapping[Place, int]) -> None:
        self._check_generation(group, name)
        self.groups[group].committed.update(offsets)

    def _check_generation(self, group: str, name: str) -> None:
        known = self.groups[group]
        member = known.members.get(name)
        if member is None:
            raise Refused("UNKNOWN_MEMBER_ID")
        if member.generation != known.generation:
            raise Refused("ILLEGAL_GENERATION")

    # Transactions.

    def init(self, transaction: str) -> int:
        """Give a producer an epoch: what an older one left open is aborted, and it is fenced."""
        known = self.transactions.setdefault(transaction, Transaction())
        self.end(transaction, known.epoch, commit=False)
        known.epoch += 1
        return known.epoch

    def begin(self, transaction: str, epoch: int) -> None:
        self._check_epoch(transaction, epoch).opened_ms = self.now_ms

    def produce(self, transaction: str, epoch: int, place: Place, key: bytes | None, value: bytes | None) -> int:
        if self._check_epoch(transaction, epoch).opened_ms is None:
            raise Refused("INVALID_TXN_STATE", fatal=True)
        return self.append(place, key, value, transaction)

    def send_offsets(self, transaction: str, epoch: int, group: str, name: str, offsets: Mapping[Place, int]) -> None:
        self._check_epoch(transaction, epoch)
        self._check_generation(group, name)
        self.groups[group].pending[transaction] = dict(offsets)

    def end(self, transaction: str, epoch: int, *, commit: bool) -> None:
        known = self._check_epoch(transaction, epoch)
        if known.opened_ms is None:
            return
        known.opened_ms = None
        for log in self.partitions.values():
            touched = False
            for entry in log.entries:
                if entry.state is State.OPEN and entry.transaction == transaction:
                    entry.state = State.COMMITTED if commit else State.ABORTED
                    touched = True
            if touched:
                log.entries.append(Entry(log.high, self.now_ms, None, None, State.MARKER))
        for group in self.groups.values():
            offsets = group.pending.pop(transaction, {})
            if commit:
                group.committed.update(offsets)

    def _check_epoch(self, transaction: str, epoch: int) -> Transaction:
        known = self.transactions[transaction]
        if known.epoch != epoch:
            raise Refused("_FENCED", fatal=True)
        return known

    def refuse(self, code: str) -> None:
        """Answer with an error that a client may try again after."""
        raise Refused(code)

    # Time.

    def pass_time(self, ms: int, topics: Mapping[str, Iterable[str]]) -> None:
        """Let time pass: silent members are thrown out, forgotten transactions aborted. `topics`: what each group reads."""
        self.now_ms += ms
        for name, group in self.groups.items():
            gone = [each for each in group.members.values() if self.now_ms - each.heard_ms > self.SESSION_MS]
            for member in gone:
                del group.members[member.name]
            if gone:
                self.rebalance(name, topics.get(name, ()))
        for transaction, known in self.transactions.items():
            if known.opened_ms is not None and self.now_ms - known.opened_ms > self.TRANSACTION_MS:
                self.end(transaction, known.epoch, commit=False)
                known.epoch += 1
