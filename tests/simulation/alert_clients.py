"""What the alert plane has beside reader and writer, on the model broker: partitions that go with a group's, and tables."""

from collections.abc import Callable, Collection

from monitor.kafka import KafkaProblem
from tests.simulation.broker import Broker, Place, State
from tests.simulation.clients import Crash, Fault, ModelReader, no_fault
from topics.record import RawRecord


class SlowReader(ModelReader):
    """A reader whose fetches bring little: `most` says how many records the next one brings, and that can be none."""

    most: Callable[[], int]

    def poll(self, limit: int, timeout_seconds: float) -> list[RawRecord]:
        return super().poll(min(limit, self.most()), timeout_seconds)


class ModelCompanion:
    """Reads what it is told to, from what the group committed."""

    def __init__(
        self, broker: Broker, group: str, most: Callable[[], int] = lambda: 1_000, fault: Fault = no_fault
    ) -> None:
        self._broker = broker
        self._group = group
        self._most = most
        self._fault = fault
        self._positions: dict[Place, int] = {}

    def follow(self, places: Collection[Place]) -> None:
        if places and self._fault("committed untold"):
            raise KafkaProblem("the broker does not say what was committed")
        group = self._broker.groups[self._group]
        for place in places:
            if any(place in offsets for offsets in group.pending.values()):
                # The real one waits; in this world another process tries it again.
                raise KafkaProblem("an offset is in an open transaction")
            self._positions[place] = group.committed.get(place, self._broker.partitions[place].low)

    def leave(self, places: Collection[Place]) -> None:
        for place in places:
            self._positions.pop(place, None)

    def poll(self, limit: int) -> list[RawRecord]:
        records: list[RawRecord] = []
        most = min(limit, self._most())
        for place in sorted(self._positions):
            entries, self._positions[place] = self._broker.fetch(place, self._positions[place], most - len(records))
            records += [RawRecord(*place, each.offset, each.timestamp_ms, each.key, each.value) for each in entries]
        return records

    def close(self) -> None:
        self._positions.clear()


class ModelTableReader:
    """Reads whole partitions to their ends."""

    def __init__(self, broker: Broker, beat: Callable[[], None], fault: Fault = no_fault) -> None:
        self._broker = broker
        self._beat = beat
        self._fault = fault

    def read(self, places: Collection[Place]) -> dict[Place, dict[bytes, bytes]]:
        tables: dict[Place, dict[bytes, bytes]] = {}
        for place in places:
            self._beat()
            if self._fault("table unread"):
                raise KafkaProblem("no end was found of a table")
            tables[place] = self._table(place)
            if self._fault("crash after a table"):
                raise Crash
        return tables

    def _table(self, place: Place) -> dict[bytes, bytes]:
        table: dict[bytes, bytes] = {}
        for each in self._broker.partitions[place].entries:
            if each.state is State.OPEN:
                # The real one waits; in this world another process tries it again.
                raise KafkaProblem("a transaction is open in a table")
            if each.state is not State.COMMITTED or each.key is None:
                continue
            if each.value is None:
                table.pop(each.key, None)
            else:
                table[each.key] = each.value
        return table

    def close(self) -> None:
        pass
