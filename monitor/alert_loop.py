"""The alert plane's loop: poll, handle, let time pass, deliver, commit. It owns every side effect of a batch."""

import time
import traceback
from collections.abc import Callable, Mapping, Sequence

from alerts.lease import Lease
from alerts.metrics import Health
from alerts.plane import TOTALS_PARTITION, Plane
from alerts.settings import AlertSettings
from monitor.kafka import CommitFailed, Companion, DeliveryFailed, KafkaProblem, Reader, TableReader, Writer
from monitor.logs import log
from topics.record import Place, RawRecord

_POLL_SECONDS = 0.05
_BATCH_RECORDS = 500


class AlertLoop:
    """One process of the alert plane. All of its state is here and in the plane."""

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of a process, each used as it is
        self,
        settings: AlertSettings,
        plane: Plane,
        make_reader: Callable[["AlertLoop"], Reader],
        companion: Companion,
        make_tables: Callable[["AlertLoop"], TableReader],
        writer: Writer,
        lease: Lease | None,
        health: Health,
        failed: Callable[[], None],
        *,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`failed` is told of each delivery that the broker did not take.

        `lease`: asked at each turn, and by the writer before everything that is written, where no transaction fences a process
        that was replaced.
        """
        self._settings = settings
        self._plane = plane
        self._companion = companion
        self._tables = make_tables(self)
        self._writer = writer
        self._lease = lease
        self._health = health
        self._failed = failed
        self._now_ms = now_ms
        self._clock = clock
        self._ours: set[int] = set()
        """Partitions of the findings topic."""
        self._behind: set[int] = set()
        """Of these, not everything was read yet since they were taken up. Their declarations wait, for they can be of an
        episode that was told and not remembered: its findings are read again first."""
        self._next: dict[Place, int] = {}
        """Next offsets to read that are not committed yet."""
        self._committed: dict[Place, int] = {}
        """Of the findings topic. A commit that comes again proves that the partition is still ours."""
        self._tick_at = 0.0
        self._turn_began: float | None = None
        self._stopping = False
        self._reader = make_reader(self)

    # What the consumer group tells us.

    def assigned(self, committed: Mapping[Place, int | None]) -> None:
        """Take up partitions of the findings topic."""
        self._committed |= {place: offset for place, offset in committed.items() if offset is not None}
        self._take_up([partition for _, partition in committed])
        self._health.ready = True

    def _take_up(self, partitions: Sequence[int]) -> None:
        """Begin with what is remembered of partitions, and with what goes with them."""
        if not partitions:
            return
        began = self._clock()
        episodes = {partition: (self._settings.episodes_topic, partition) for partition in partitions}
        totals = [(self._settings.totals_topic, 0)] if TOTALS_PARTITION in partitions else []
        tables = self._tables.read([*episodes.values(), *totals])
        for partition, place in episodes.items():
            self._plane.take(partition, tables[place], tables[totals[0]] if partition == TOTALS_PARTITION else None)
        self._behind |= set(partitions)
        self._companion.follow([place for partition in partitions for place in self._companions(partition)])
        self._ours |= set(partitions)
        log.info(
            "partitions taken up",
            partitions=sorted(partitions),
            episodes=sum(len(tables[place]) for place in episodes.values()),
            seconds=round(self._clock() - began, 2),
        )

    def revoked(self, places: Sequence[Place]) -> None:
        """Forget partitions: whoever has them now starts from what was committed."""
        gone = [partition for _, partition in places if partition in self._ours]
        self._leave(gone)
        for known in (self._next, self._committed):
            for place in [each for each in known if each[1] in gone]:
                del known[place]

    def _leave(self, partitions: Sequence[int]) -> None:
        self._companion.leave([place for partition in partitions for place in self._companions(partition)])
        self._ours -= set(partitions)
        self._behind -= set(partitions)
        self._plane.drop(partitions)

    def _companions(self, partition: int) -> list[Place]:
        """Give what is read beside a partition of the findings topic, as things stand."""
        volumes = [(self._settings.volumes_topic, 0)] if partition == TOTALS_PARTITION else []
        return volumes if partition in self._behind else [*volumes, *self._declarations(partition)]

    def _declarations(self, partition: int) -> list[Place]:
        return [(self._settings.triage_topic, partition)] if self._settings.triage_topic else []

    # The loop.

    def stop(self) -> None:
        """End after the turn under way. Safe to call from a signal handler."""
        self._stopping = True

    def turn_seconds(self) -> float:
        """Give how long the turn under way takes already; 0 between turns. Safe from other threads."""
        began = self._turn_began
        return 0.0 if began is None else self._clock() - began

    def beat(self) -> None:
        """Note that the process is at work, and end it if it stood still until its partitions may be another's."""
        self._health.beat()
        if self._lease is not None:
            self._lease.check()

    def run(self) -> None:
        """Work until told to stop, then leave the group. Raises KafkaProblem when another process has to go on."""
        try:
            while not self._stopping:
                self._turn_began = self._clock()
                self.turn()
        finally:
            self._turn_began = None
            self._health.ready = False
            self._reader.close()
            self._companion.close()
            self._tables.close()

    def turn(self) -> None:
        """Do one turn of the loop."""
        self.beat()
        for record in (*self._reader.poll(_BATCH_RECORDS, _POLL_SECONDS), *self._companion.poll(_BATCH_RECORDS)):
            self._handle(record)
        if self._clock() >= self._tick_at:
            self._tick_at = self._clock() + self._settings.tick_seconds
            self._tick()
        self._deliver()

    def _tick(self) -> None:
        read_up = self._reader.read_up()
        for partition in sorted(self._ours):
            all_read = (self._settings.findings_topic, partition) in read_up
            self._plane.tick(partition, self._now_ms() if all_read else None)
            if all_read and partition in self._behind:
                self._companion.follow(self._declarations(partition))
                self._behind.discard(partition)

    def _handle(self, record: RawRecord) -> None:
        if record.partition not in self._ours:
            return
        try:
            self._plane.handle(record)
        except Exception as error:  # noqa: BLE001 - whatever it was: nothing of it may reach a log
            # The text of an error can quote what was read: where it was raised and its kind are enough.
            at = traceback.extract_tb(error.__traceback__)[-1]
            log.critical(
                "stopped at a record",
                topic=record.topic,
                partition=record.partition,
                offset=record.offset,
                kind=type(error).__name__,
                raised_at=f"{at.name}:{at.lineno}",
            )
            raise KafkaProblem(f"{record.topic}/{record.partition}/{record.offset} cannot be handled") from None
        self._next[record.topic, record.partition] = record.offset + 1

    def _deliver(self) -> None:
        outgoing = self._plane.outgoing()
        if not outgoing and not self._next:
            return
        try:
            self._writer.deliver(outgoing, self._next or self._committed, self._reader)
        except CommitFailed as failure:
            # All that follows from them is there: they are committed with what comes next, unless they are another's by then.
            log.info("not committed yet", reason=str(failure))
            return
        except DeliveryFailed as failure:
            self._begin_anew(str(failure))
            return
        self._committed |= {
            place: end for place, end in self._next.items() if place[0] == self._settings.findings_topic
        }
        self._next = {}

    def _begin_anew(self, reason: str) -> None:
        """Go back to what is remembered and committed: what the plane knows may be ahead of it."""
        log.warning("not delivered, going back to what is remembered", reason=reason)
        self._failed()
        ours = sorted(self._ours)
        self._leave(ours)
        self._take_up(ours)
        places = [(self._settings.findings_topic, partition) for partition in ours]
        self._reader.rewind({place: self._committed.get(place) for place in places})
        self._next = {}
