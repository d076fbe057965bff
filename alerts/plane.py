"""The alert plane without a broker: records of the topics in, what is to be told and remembered out. Pure but for its metrics.

How a count stays exact over crashes, whatever carries the records:

1. Marks and counts of an episode are one value, so what is remembered holds both or neither.
2. What people are told is delivered before the value that follows from it. A crash in between tells it again, under the same
   id; the other order would lose it, for the marks would drop the fold on its second reading.
3. An offset is committed only when all that follows from the records before it is delivered. A crash before that reads them
   again, and the marks drop what was counted.
4. The time of a fold is the time of its record, so reading it again gives the same state and the same alert.
"""

from collections.abc import Collection, Mapping

from alerts.desk import Desk, Position
from alerts.metrics import AlertMetrics
from alerts.register import Register
from alerts.settings import AlertSettings
from alerts.totals import Totals
from topics.record import Outgoing, RawRecord

TOTALS_PARTITION = 0
"""The volumes topic and what is remembered of it have one partition, and its owner is who owns this one of the findings topic."""


class Plane:
    """The episodes and totals of one process. It holds what is to be sent until it is taken."""

    def __init__(self, settings: AlertSettings, metrics: AlertMetrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._told: list[Outgoing] = []
        self._register = Register()
        self._desk = Desk(settings.policy, self._register, metrics, self._alert)
        self._totals = Totals(metrics, self._finding)
        self._ours: set[int] = set()
        self._handlers = {
            settings.findings_topic: self._desk.fold,
            settings.volumes_topic: self._totals.volume,
            settings.triage_topic: self._desk.declare,
        }

    def take(self, partition: int, episodes: Mapping[bytes, bytes], totals: Mapping[bytes, bytes] | None) -> None:
        """Take up a partition with what is remembered of it; `totals` with `TOTALS_PARTITION` alone."""
        self._ours.add(partition)
        self._register.take(partition, episodes)
        if totals is not None:
            self._totals.take(totals)

    def drop(self, partitions: Collection[int]) -> None:
        """Forget partitions: whoever has them now starts from what is remembered."""
        self._ours -= set(partitions)
        self._register.drop(partitions)
        self._desk.drop(partitions)
        if TOTALS_PARTITION in partitions:
            self._totals.drop()
        self._metrics.keep_partitions(self._ours)

    def handle(self, record: RawRecord) -> None:
        """Take in one record of one of our topics. One of another's partition is left to its owner."""
        if record.partition in self._ours:
            at = Position(record.topic, record.partition, record.offset, record.timestamp_ms)
            self._handlers[record.topic](at, record.value)

    def tick(self, partition: int, now_ms: int | None) -> None:
        """Let time pass in a partition; `now_ms` is None while records of it may wait to be read."""
        if partition in self._ours:
            self._desk.tick(partition, now_ms)

    def outgoing(self) -> list[Outgoing]:
        """Give what is to be told and then remembered since the last call."""
        told, self._told = self._told, []
        told += [
            Outgoing(self._settings.episodes_topic, key, value, partition=partition)
            for partition, key, value in self._register.changes()
        ]
        told += [
            Outgoing(self._settings.totals_topic, key, value, partition=TOTALS_PARTITION)
            for key, value in self._totals.changes()
        ]
        return told

    def _alert(self, key: bytes, value: bytes, headers: list[tuple[str, bytes]]) -> None:
        self._told.append(Outgoing(self._settings.alerts_topic, key, value, headers))

    def _finding(self, key: bytes, value: bytes) -> None:
        self._told.append(Outgoing(self._settings.findings_topic, key, value))
