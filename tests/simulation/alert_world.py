"""A seed becomes a schedule for the alert plane: findings, declarations, processes, faults and time on the model broker.

A process can stand still at each named point in the middle of a call, while the others take its partitions over, and go on.
"""

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

import msgspec

from alerts.lease import Lease
from alerts.metrics import AlertMetrics, Health
from alerts.plane import Plane
from alerts.policy import Policy
from alerts.settings import AlertSettings
from monitor.alert_loop import AlertLoop
from monitor.kafka import KafkaProblem
from tests.simulation.alert_clients import ModelCompanion, ModelTableReader, SlowReader
from tests.simulation.alert_facts import Facts
from tests.simulation.broker import Broker, Entry, State
from tests.simulation.clients import Crash, ModelWriter
from topics.catalog import TRIAGE
from topics.finding import Fold

PARTITIONS = 3
QUIET_SECONDS = 6
_PROCESSES = 3
_STEPS = 180
_MOST_HEALING_TURNS = 300
_LEASE_SECONDS = Broker.SESSION_MS * 2 / 3 / 1000
_UPSTREAM = "a worker's transaction"
_WEEK_MS = 7 * 86_400_000
_encode = msgspec.json.Encoder().encode

FAULTS: Mapping[str, float] = {
    "crash after poll": 0.01,
    "crash before produce": 0.02,
    "crash mid-produce": 0.01,
    "crash after produce": 0.03,
    "crash before commit": 0.02,
    "crash after commit": 0.02,
    "crash mid-transaction": 0.01,
    "crash before commit of transaction": 0.02,
    "crash after commit of transaction": 0.02,
    "crash in a rebalance": 0.02,
    "crash after a table": 0.01,
    "produce refused": 0.02,
    "produce torn": 0.02,
    "produce's answer lost": 0.03,
    "commit refused": 0.03,
    "commit's answer lost": 0.03,
    "transaction refused": 0.01,
    "transaction's answer lost": 0.02,
    "committed untold": 0.02,
    "table unread": 0.01,
}
"""Named points and how likely each fault is there."""
_STANDS_STILL = 0.025
"""How likely a process stands still where it could crash."""
OTHERS = (
    *(name.replace("crash", "stood still") for name in FAULTS if name.startswith("crash")),
    "stood still between turns",
    "killed",
    "polite stop",
    "lease ended",
    "replaced",
    "delivery failed",
    "aborted findings",
    "open findings",
    "torn findings",
    "declaration",
    "no record of ours",
)
"""What else has to happen in a run that proves anything."""


@dataclass(slots=True)
class Process:
    """A slot for a process of the alert plane: alive, dead, or standing still."""

    number: int
    starts: int = 0
    loop: AlertLoop | None = None
    reader: SlowReader | None = None
    lease: Lease | None = None
    still_until_ms: int = 0
    is_inside: bool = False
    """A call of it is under way."""


@dataclass(slots=True)
class AlertWorld:
    """Everything of one seed."""

    seed: int
    exactly_once: bool
    resolves: bool
    """Whether episodes end and others of their keys begin while it runs; people declare nothing then."""
    metrics: AlertMetrics
    hits: Counter[str] = field(default_factory=Counter)
    rng: random.Random = field(init=False)
    broker: Broker = field(init=False)
    facts: Facts = field(init=False)
    settings: AlertSettings = field(init=False)
    processes: list[Process] = field(init=False)
    keeps_names: bool = field(init=False)
    is_healthy: bool = True
    _open: tuple[int, list[Fold]] | None = None
    """Epoch and findings of a worker's transaction that has not ended."""

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.facts = Facts(self.rng)
        self.keeps_names = self.rng.random() < 0.5
        self.settings = AlertSettings(
            triage_topic=TRIAGE.name,
            partitions=PARTITIONS,
            transactional_id="yes" if self.exactly_once else "",
            policy=Policy(
                quiet_seconds=QUIET_SECONDS, remind_seconds=2, resolve_seconds=12 if self.resolves else 86_400
            ),
        )
        its = self.settings
        topics = {its.findings_topic: PARTITIONS, its.triage_topic: PARTITIONS, its.episodes_topic: PARTITIONS}
        others = {its.alerts_topic: 2, its.volumes_topic: 1, its.totals_topic: 1}
        self.broker = Broker(topics | others, 1_800_000_000_000)
        self.processes = [Process(number) for number in range(_PROCESSES)]

    # The schedule.

    def run(self) -> None:
        """Play the schedule, end all faults, and let everything be read."""
        self.is_healthy = False
        actions: Sequence[tuple[Callable[[], object], float]] = (
            (self._produce, 5),
            (self._turn, 18),
            (lambda: self._pass_time(self.rng.choice((50, 200, 500, 2_000))), 6),
            (self._start, 3),
            (self._declare, 2),
            (self._add_volume, 2),
            (self._write_nonsense, 0.3),
            (self._stop, 0.4),
            (self._stand_still, 0.4),
            (self._kill, 0.4),
        )
        for action in self.rng.choices([each for each, _ in actions], [weight for _, weight in actions], k=_STEPS):
            action()
        self._end_transaction()
        while self.facts.inputs:
            self._produce()
            self._end_transaction()
        self.is_healthy = True
        self._heal()

    def let_all_be_forgotten(self) -> None:
        """Go on after more than a week in which nothing came."""
        for process in self.processes:
            self._stop_one(process)
        self.broker.now_ms += _WEEK_MS + 86_400_000
        self._start_one(self.processes[0])
        for _ in range(12):
            self._pass_time(1_500)
            self._turn_of(self.processes[0])

    def _produce(self) -> None:
        """Let a worker fold another batch: plainly, torn and again, in a transaction, or in one that is aborted and again."""
        self._end_transaction()
        if not self.facts.inputs:
            return
        its = self.rng.choice(self.facts.inputs)
        folds = next(its, None)
        if folds is None:
            self.facts.inputs.remove(its)
            return
        way = self.rng.random()
        if way < 0.1:
            self.hits["torn findings"] += 1
            self._append(folds[: self.rng.randint(0, len(folds))])
        elif way < 0.2:
            self.hits["aborted findings"] += 1
            epoch = self._begin(self.rng.choice((folds, self.facts.bogus())))
            self.broker.end(_UPSTREAM, epoch, commit=False)
        elif way < 0.35:
            self.hits["open findings"] += 1
            self._open = self._begin(folds), folds
            return
        self._append(folds)

    def _append(self, folds: Sequence[Fold]) -> None:
        for fold in folds:
            key = fold.episode_key.encode()
            self.broker.append(self.broker.place_for(self.settings.findings_topic, key), key, _encode(fold))

    def _begin(self, folds: Sequence[Fold]) -> int:
        epoch = self.broker.init(_UPSTREAM)
        self.broker.begin(_UPSTREAM, epoch)
        for fold in folds:
            key = fold.episode_key.encode()
            place = self.broker.place_for(self.settings.findings_topic, key)
            self.broker.produce(_UPSTREAM, epoch, place, key, _encode(fold))
        return epoch

    def _end_transaction(self) -> None:
        """End a worker's open transaction; if the broker was faster, the batch comes again."""
        if self._open is None:
            return
        (epoch, folds), self._open = self._open, None
        if self.broker.transactions[_UPSTREAM].opened_ms is None:
            self._append(folds)
        else:
            self.broker.end(_UPSTREAM, epoch, commit=True)

    def _declare(self) -> None:
        """Let somebody declare something of an episode that was told."""
        told = sorted({each for each, _ in self.committed(self.settings.alerts_topic) if each.startswith(b"episode-")})
        if told and not self.resolves:
            key = self.rng.choice(told).decode()
            for _ in range(self.rng.choice((1, 1, 3))):
                self.hits["declaration"] += 1
                said = self.facts.declare(key)
                self.broker.append(self.broker.place_for(self.settings.triage_topic, said.key), said.key, _encode(said))

    def _add_volume(self) -> None:
        said = self.facts.volume()
        self.broker.append((self.settings.volumes_topic, 0), said.key.encode(), _encode(said))

    def _write_nonsense(self) -> None:
        self.hits["no record of ours"] += 1
        topics = (self.settings.findings_topic, self.settings.triage_topic, self.settings.volumes_topic)
        self.broker.append((self.rng.choice(topics), 0), b"k", self.rng.choice((None, b"", b"{}", b"\xff")))

    # Processes.

    def _able(self) -> list[Process]:
        return [
            each
            for each in self.processes
            if each.loop is not None and not each.is_inside and each.still_until_ms <= self.broker.now_ms
        ]

    def _turn(self) -> None:
        if able := self._able():
            self._turn_of(self.rng.choice(able))

    def _turn_of(self, process: Process) -> None:
        if process.loop is None:
            return
        process.is_inside = True
        try:
            process.loop.turn()
        except Crash:
            process.loop = process.reader = None
        except KafkaProblem:
            self.hits["replaced"] += 1
            process.loop = process.reader = None
        finally:
            process.is_inside = False

    def _start(self) -> None:
        if dead := [each for each in self.processes if each.loop is None]:
            self._start_one(self.rng.choice(dead))

    def _start_one(self, process: Process) -> None:
        process.starts += 1
        process.still_until_ms = 0
        name = f"alerts-{process.number}" if self.keeps_names else f"alerts-{process.number}-{process.starts}"
        fault = partial(self._fault, process)
        process.lease = (
            None if self.exactly_once else Lease(_LEASE_SECONDS, lambda: self.broker.now_ms / 1000, self._end)
        )
        its = self.settings

        def make_reader(loop: AlertLoop) -> Any:
            process.reader = SlowReader(
                self.broker,
                name=name,
                group=its.app,
                topics=[its.findings_topic],
                from_beginning=True,
                on_assigned=loop.assigned,
                on_revoked=loop.revoked,
                fault=fault,
            )
            process.reader.most = self._most
            return process.reader

        writer = ModelWriter(
            self.broker,
            transactional_id=name if self.exactly_once else None,
            last=(its.episodes_topic, its.totals_topic),
            before_send=(lambda: None) if process.lease is None else process.lease.check,
            in_order=True,
            timeout_ms=None if self.exactly_once else Broker.SESSION_MS * 2 // 3,
            fault=fault,
        )
        process.loop = AlertLoop(
            its,
            Plane(its, self.metrics),
            make_reader,
            cast("Any", ModelCompanion(self.broker, its.app, self._most, fault)),
            lambda loop: cast("Any", ModelTableReader(self.broker, loop.beat, fault)),
            cast("Any", writer),
            process.lease,
            Health(),
            lambda: self.hits.update(["delivery failed"]),
            now_ms=lambda: self.broker.now_ms,
            clock=lambda: self.broker.now_ms / 1000,
        )

    def _most(self) -> int:
        return 1_000 if self.is_healthy else self.rng.choice((0, 1, 3, 10, 1_000))

    def _end(self) -> None:
        self.hits["lease ended"] += 1
        raise Crash

    def _stop(self) -> None:
        if able := self._able():
            self.hits["polite stop"] += 1
            self._stop_one(self.rng.choice(able))

    @staticmethod
    def _stop_one(process: Process) -> None:
        if process.loop is not None:
            process.loop.stop()
            process.loop.run()
            process.loop = process.reader = None

    def _kill(self) -> None:
        if running := [each for each in self.processes if each.loop is not None and not each.is_inside]:
            self.hits["killed"] += 1
            process = self.rng.choice(running)
            process.loop = process.reader = None

    def _stand_still(self) -> None:
        if able := self._able():
            self.hits["stood still between turns"] += 1
            self.rng.choice(able).still_until_ms = self.broker.now_ms + self.rng.choice((1_000, 8_000, 15_000))

    # Faults and time.

    def _fault(self, process: Process, name: str) -> bool:
        if self.is_healthy:
            return False
        is_alone = sum(each.is_inside for each in self.processes) == 1
        if name.startswith("crash") and is_alone and self.rng.random() < _STANDS_STILL:
            self.hits[name.replace("crash", "stood still")] += 1
            self._go_on_without(process)
        if self.rng.random() >= FAULTS[name]:
            return False
        self.hits[name] += 1
        return True

    def _go_on_without(self, process: Process) -> None:
        """Let the others work while a call of a process is under way, until its session is over or nearly so."""
        for _ in range(self.rng.choice((1, 3, 6, 12))):
            self._pass_time(self.rng.choice((500, 1_500)))
            if self.rng.random() < 0.5:
                self._produce()
            self._start()
            for _ in range(2):
                self._turn()
        # The thread that keeps the lease may come a moment too late: whoever writes has to ask by himself.
        self._heartbeat(process)

    def _pass_time(self, ms: int) -> None:
        """Let time pass. Threads of their own say to the group meanwhile who is alive, and keep the leases."""
        for process in self._able():
            self._heartbeat(process)
            try:
                if process.lease is not None:
                    process.lease.check()
            except Crash:
                process.loop = process.reader = None
        self.broker.pass_time(ms, {self.settings.app: [self.settings.findings_topic]})

    def _heartbeat(self, process: Process) -> None:
        if process.reader is not None:
            self.broker.heartbeat(self.settings.app, process.reader.name)

    def _heal(self) -> None:
        """Without faults, everything is read in the end, and the newest is told: liveness."""
        quiet_turns = 0
        for _ in range(_MOST_HEALING_TURNS):
            for process in self.processes:
                if process.loop is None:
                    self._start_one(process)
            self._pass_time(1_500)
            for process in self._able():
                self._turn_of(process)
            quiet_turns = quiet_turns + 1 if self._is_read() else 0
            if quiet_turns > (20 if self.resolves else 12):
                return
        raise AssertionError(f"seed {self.seed}: not everything was read after the faults had ended")

    def _is_read(self) -> bool:
        """Whether the group has committed past every record, and no transaction is open that hides what stands behind it."""
        its = self.settings
        if any(each.opened_ms is not None for each in self.broker.transactions.values()):
            return False
        committed = self.broker.groups[its.app].committed
        for place, log in self.broker.partitions.items():
            if place[0] in {its.findings_topic, its.triage_topic, its.volumes_topic}:
                records = [each.offset for each in log.entries if each.state is State.COMMITTED]
                if records and committed.get(place, 0) <= records[-1]:
                    return False
        return True

    def entries(self, topic: str) -> list[Entry]:
        """Give all records of a topic that a reader is given, partition by partition in their order."""
        logs = [log for place, log in self.broker.partitions.items() if place[0] == topic]
        return [each for log in logs for each in log.entries[: log.stable] if each.state is State.COMMITTED]

    def committed(self, topic: str) -> list[tuple[bytes, bytes | None]]:
        """Give their keys and values."""
        return [(each.key or b"", each.value) for each in self.entries(topic)]
