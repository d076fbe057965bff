"""The traffic worker's loop: poll, wait until settled, judge, deliver, commit. It owns every side effect of a batch."""

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence

import msgspec

from detectors.consent.ledger import Coverage
from detectors.volumes import Volumes
from monitor.kafka import DeliveryFailed, KafkaProblem, Reader, Writer
from monitor.ledger_reader import LedgerReader
from monitor.ledger_snapshot import LedgerSnapshot
from monitor.logs import log
from monitor.metrics import Metrics
from monitor.pipeline import Context, Outcome, process
from monitor.rule_health import RuleHealth
from monitor.tallies import Start
from monitor.turns import Turns
from topics.catalog import ACCOUNTING, DEAD_LETTERS, FINDINGS, LINKS, SHADOW, VOLUMES
from topics.finding import Mode
from topics.links import LinkRecord
from topics.record import Outgoing, Place, RawRecord

_POLL_SECONDS = 0.05
_MOST_PENDING_BATCHES = 4
_BATCH_IN_RELOAD = 10
"""Some 5 ms of work where every record is opened: many times that, beside a thread that reads and a machine that is full, is no pause."""
_MOST_LINKS = 100_000
"""Links that a worker remembers to have delivered; what it forgets it delivers again, which changes nothing."""
_ENCODE = msgspec.json.Encoder().encode


class Runner:
    """One worker. All of its state is here; what it judges by is in the context, and time comes from `now_ms`."""

    def __init__(  # noqa: PLR0913 - the parts of a worker, each used as it is
        self,
        context: Context,
        make_reader: Callable[["Runner"], Reader],
        writer: Writer,
        ledger: LedgerReader | None,
        metrics: Metrics,
        *,
        settle_seconds: float,
        ledger_wait_seconds: float,
        batch_records: int,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._context = context
        self._coming: Context | None = None
        """Knowledge that judges from the next batch on."""
        self._jurisdictions = frozenset(context.law.timelines)
        self._writer = writer
        self._ledger = ledger
        self._metrics = metrics
        self._settle_ms = int(settle_seconds * 1000)
        self._ledger_wait_ms = int(ledger_wait_seconds * 1000)
        self._waits_until_ms = now_ms() + self._ledger_wait_ms
        """Until then a record waits however old it is: a backlog that a start finds is as new to the ledger as to us."""
        self._away_until_ms = self._waits_until_ms
        """Until then a record waits for a ledger that is away, however old it is: it was there a moment ago."""
        self._batch_records = batch_records
        self._now_ms = now_ms
        self._pending: dict[Place, deque[RawRecord]] = {}
        self._first = 0
        """Of the assigned partitions, the one from which the last turn took first."""
        self._next: dict[Place, int] = {}
        """Next offset to account for, of each assigned partition that has one."""
        self._taken: dict[Place, int] = {}
        """The offset after the last that was read."""
        self._expired: dict[Place, list[tuple[int, int]]] = {}
        """Spans that retention removed before they were read, and that are not accounted for yet."""
        self._links: dict[LinkRecord, None] = {}
        """Links that were delivered, oldest first."""
        # A name of this start: what an earlier one counted stands under another key, and is never overwritten.
        self._volumes = Volumes(f"{context.worker}-{now_ms()}")
        self._health = RuleHealth()
        self.turns = Turns(metrics.reload_turn.observe)
        self._paused = False
        self._newly_assigned = False
        self._worked = False
        """Whether the last turn judged and delivered something."""
        self._stopping = False
        self._why = ""
        """Why this worker must start anew; empty: it need not."""
        self._last_poll_ms = 0
        self._last_lag_ms = 0
        self._reader = make_reader(self)

    # What the consumer group tells us.

    def assigned(self, committed: Mapping[Place, int | None]) -> None:
        """Take up partitions where the group left off."""
        for place, offset in committed.items():
            self._pending[place] = deque()
            if offset is not None:
                self._next[place] = self._taken[place] = offset
        # New partitions are fetched at once, even when the others rest; those are resumed in their turn.
        self._newly_assigned = True

    def revoked(self, places: Sequence[Place]) -> None:
        """Forget partitions: whoever has them now starts from what was committed."""
        for place in places:
            for known in (self._pending, self._next, self._taken, self._expired):
                known.pop(place, None)

    def begun_anew(self, place: Place, void: int) -> None:
        """Tell that what the group had committed of a partition is no offset of the log that is there now."""
        self._metrics.void_offsets.labels(place[0]).inc()
        log.error(
            "the committed offset is void: the topic was created anew, or its broker lost records; reading from the beginning",
            topic=place[0],
            partition=place[1],
            offset=void,
        )

    def group_is_denied(self) -> bool:
        """Say whether the broker denies us our group."""
        return self._reader.is_denied

    # The loop.

    def start_anew(self, why: str) -> None:
        """End after the batch under way, to be started again. Safe to call from another thread."""
        self._why = why
        self._stopping = True

    def stop(self) -> None:
        """End after the batch under way. Safe to call from a signal handler."""
        self._stopping = True

    def swap(self, context: Context) -> None:
        """Judge by this from the next batch on; the one under way is judged to its end by what it began with.

        Safe to call from another thread. Of several calls between two batches the last counts.
        """
        self._coming = context

    def not_ready(self) -> str:
        """Say why this worker does not work, or nothing when it does."""
        if not self._pending:
            return "no partition is assigned"
        if self._now_ms() - self._last_poll_ms > 30_000:
            return "the last poll is over 30 seconds ago"
        return ""

    def run(self) -> None:
        """Work until told to stop, then leave the group."""
        try:
            while not self._stopping:
                self.turn()
        finally:
            self._reader.close()
        if self._why:
            raise KafkaProblem(self._why)

    def turn(self) -> int:
        """Do one turn of the loop. Gives how many records were judged and delivered."""
        with self.turns.turn():
            return self._turn()

    def _turn(self) -> int:
        waiting = sum(map(len, self._pending.values()))
        most = self._batch_records * _MOST_PENDING_BATCHES
        if waiting >= most and (self._newly_assigned or not self._paused):
            self._reader.pause()
            self._paused = True
            self._newly_assigned = False
        elif self._paused and waiting < most // 2:
            self._reader.resume()
            self._paused = False
        # A turn that could do nothing with what is due (a ledger that is behind, a failed delivery) does not spin.
        at_once = self._worked and self._is_due_waiting()
        longest = 0 if at_once else _POLL_SECONDS
        with self.turns.waiting(longest):
            polled = self._reader.poll(self._batch_records, longest)
        self._take(polled)
        self._tell_lag()
        coming = self._coming
        if coming is not None and coming is not self._context:
            self._context = coming
            self._jurisdictions = frozenset(coming.law.timelines)
            self._metrics.judges_by(coming.bundle)
            self.turns.swapped()
        snapshot = self._ledger.view() if self._ledger is not None else None
        try:
            batch = self._due(snapshot)
            done = self._judge_and_deliver(batch, snapshot) if batch else 0
            self._worked = done > 0
            return done
        finally:
            if snapshot is not None:
                snapshot.close()

    def _take(self, records: Sequence[RawRecord]) -> None:
        """Put what was read behind what waits."""
        now = self._now_ms()
        if now < self._last_poll_ms:
            self._clock_went_back(now)
        self._last_poll_ms = now
        latest = now + self._settle_ms
        topic, partition = "", -1
        queue: deque[RawRecord] | None = None
        place: Place = "", -1
        for record in records:
            if record.partition != partition or record.topic != topic:
                place = topic, partition = record.topic, record.partition
                queue = self._pending.get(place)
            if queue is None:
                continue
            if record.offset != self._taken.get(place, record.offset):
                self._see_jump(place, self._taken[place], record.offset)
            self._taken[place] = record.offset + 1
            # A producer's clock may run ahead by any time, and its partition must not wait for that: the broker
            # had the record when we received it.
            queue.append(record._replace(timestamp_ms=now) if record.timestamp_ms > latest else record)

    def _clock_went_back(self, now: int) -> None:
        """Let nothing wait until the wall clock shows again what it showed."""
        for queue in self._pending.values():
            for index, record in enumerate(queue):
                if record.timestamp_ms > now:
                    queue[index] = record._replace(timestamp_ms=now)
        self._waits_until_ms = min(self._waits_until_ms, now + self._ledger_wait_ms)
        self._away_until_ms = min(self._away_until_ms, now + self._ledger_wait_ms)
        self._last_lag_ms = min(self._last_lag_ms, now)

    def _see_jump(self, place: Place, expected: int, offset: int) -> None:
        """Tell what retention removed before we read it from holes, now: later it will have removed what we did read, too."""
        low = self._reader.low_watermark(place)
        if low is None or low <= expected:
            return
        end = min(low, offset)
        self._expired.setdefault(place, []).append((expected, end))
        self._metrics.expired.labels(place[0]).inc(end - expected)
        log.error(
            "retention removed records before they were read",
            topic=place[0],
            partition=place[1],
            first=expected,
            records=end - expected,
        )

    def _is_due_waiting(self) -> bool:
        now = self._now_ms()
        return any(queue and queue[0].timestamp_ms <= now - self._settle_ms for queue in self._pending.values())

    def _due(self, snapshot: LedgerSnapshot | None) -> list[RawRecord]:
        """Take the records that are settled, from the front of each partition.

        A record waits a while for a ledger that has not read up to it; then it is judged, and what needs the ledger is unknown.
        """
        now, settle_ms = self._now_ms(), self._settle_ms
        # Reading other rules takes half of the interpreter's time: smaller batches keep each turn as short as ever.
        most = min(self._batch_records, _BATCH_IN_RELOAD) if self.turns.meets_reload else self._batch_records
        settled, given_up = now - settle_ms, now - settle_ms - self._ledger_wait_ms
        batch: list[RawRecord] = []
        covered_ms = -1
        # Each turn begins with another partition: one that always has more must not keep the others waiting.
        places = list(self._pending)
        self._first = (self._first + 1) % max(len(places), 1)
        for place in (*places[self._first :], *places[: self._first]):
            queue = self._pending[place]
            while queue and len(batch) < most:
                at_ms = queue[0].timestamp_ms
                if at_ms > settled:
                    break
                # What a snapshot covers it covers to the front of it: only a later moment has to be asked for.
                if snapshot is not None and not 0 <= at_ms <= covered_ms:
                    # What people chose may come after the record, as late as it takes to settle.
                    coverage = snapshot.coverage(at_ms + settle_ms)
                    if coverage is Coverage.READY:
                        covered_ms = at_ms
                        self._away_until_ms = now + self._ledger_wait_ms
                    elif at_ms > given_up or now < (
                        self._away_until_ms if coverage is Coverage.LOADING else self._waits_until_ms
                    ):
                        break
                batch.append(queue.popleft())
        return batch

    def _judge_and_deliver(self, batch: list[RawRecord], snapshot: LedgerSnapshot | None) -> int:
        context = self._context if snapshot is None else msgspec.structs.replace(self._context, ledger=snapshot)
        began = time.perf_counter()
        outcome = process(batch, context, self._starts(batch))
        outcome.links = tuple(link for link in outcome.links if link not in self._links)
        outcome.volumes = self._volumes.grown(outcome.volumes)
        self._metrics.batch_seconds.observe(time.perf_counter() - began)
        offsets = {(each.topic, each.partition): each.end for each in outcome.accounting}
        try:
            with self.turns.waiting():
                self._writer.deliver(outgoing(outcome), offsets, self._reader)
        except DeliveryFailed as failure:
            self._metrics.failed_deliveries.inc()
            log.warning("batch not delivered, reading it again", reason=str(failure), records=len(batch))
            self._read_again(batch)
            return 0
        self._remember(outcome.links)
        self._volumes.remember(outcome.volumes)
        self._next.update({place: end for place, end in offsets.items() if place in self._pending})
        for place in self._expired.keys() & offsets.keys():
            self._expired[place] = [span for span in self._expired[place] if span[1] > offsets[place]]
        self._tell(outcome, batch, snapshot)
        return len(batch)

    def _remember(self, links: Sequence[LinkRecord]) -> None:
        """Note links only once they are delivered: a batch that is read again must give them again."""
        self._links.update(dict.fromkeys(links))
        while len(self._links) > _MOST_LINKS:
            del self._links[next(iter(self._links))]

    def _starts(self, batch: Sequence[RawRecord]) -> dict[Place, Start]:
        """Give where accounting goes on, and what retention removed before we read it."""
        starts: dict[Place, Start] = {}
        topic, partition = "", -1
        for record in batch:
            if record.partition == partition and record.topic == topic:
                continue
            place = topic, partition = record.topic, record.partition
            if place not in starts:
                starts[place] = Start(self._next.get(place, record.offset), tuple(self._expired.get(place, ())))
        return starts

    def _read_again(self, batch: Sequence[RawRecord]) -> None:
        for record in reversed(batch):
            queue = self._pending.get((record.topic, record.partition))
            if queue is not None:
                queue.appendleft(record)

    def _tell(self, outcome: Outcome, batch: Sequence[RawRecord], snapshot: LedgerSnapshot | None) -> None:
        self._metrics.count(outcome, jurisdictions=self._jurisdictions, recipients=self._context.know.recipients.by_id)
        oldest = min([record.timestamp_ms for record in batch])
        self._metrics.event_age.observe(max(0.0, (self._now_ms() - oldest) / 1000))
        if snapshot is not None:
            ready = snapshot.coverage(max([record.timestamp_ms for record in batch])) is Coverage.READY
            self._metrics.ledger_ready.set(int(ready))
        self._metrics.rule_costs(self._health.sample(self._context, batch))
        for fault in outcome.faults:
            log.error(
                "could not judge an item",
                topic=fault.topic,
                partition=fault.partition,
                offset=fault.offset,
                item=fault.item,
                kind=fault.kind,
                rule=fault.rule,
            )

    def _tell_lag(self) -> None:
        if self._last_poll_ms - self._last_lag_ms < 1000:
            return
        self._last_lag_ms = self._last_poll_ms
        self._metrics.lag(self._reader.high_watermarks(), self._next, self._context.adapters)
        self._metrics.oldest(self._ages())

    def _ages(self) -> dict[str, float]:
        """Give the age of the oldest record that waits, by topic, in seconds."""
        ages = dict.fromkeys(self._context.adapters, 0.0)
        for (topic, _), queue in self._pending.items():
            if queue:
                ages[topic] = max(ages.get(topic, 0.0), (self._last_poll_ms - queue[0].timestamp_ms) / 1000)
        return ages


def outgoing(outcome: Outcome) -> list[Outgoing]:
    """Give the records of ours that a batch makes, in a fixed order."""
    records = [
        Outgoing(FINDINGS.name if each.mode is Mode.LIVE else SHADOW.name, each.episode_key.encode(), _ENCODE(each))
        for each in outcome.folds
    ]
    records += [Outgoing(LINKS.name, each.key.encode(), _ENCODE(each)) for each in outcome.links]
    records += [Outgoing(VOLUMES.name, each.key.encode(), _ENCODE(each)) for each in outcome.volumes]
    records += [Outgoing(DEAD_LETTERS.name, each.topic.encode(), _ENCODE(each)) for each in outcome.dead_letters]
    records += [
        Outgoing(ACCOUNTING.name, f"{each.topic}/{each.partition}".encode(), _ENCODE(each))
        for each in outcome.accounting
    ]
    return records
