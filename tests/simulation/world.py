"""A seed becomes a schedule: traffic, workers, faults and time on the model broker, and in the end the accounting is checked."""

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import msgspec
from prometheus_client import CollectorRegistry

from detectors.consent.ledger import Choice, Coverage, Word
from monitor import judge_command
from monitor.audit.check import check
from monitor.audit.evidence import Collector, Source
from monitor.audit.run import questions
from monitor.audit.verdict import Fault, Kind, Result, Said
from monitor.context import Loaded
from monitor.kafka import KafkaProblem
from monitor.ledger_as_of import AsOfMark
from monitor.metrics import Metrics
from monitor.pipeline import Context
from monitor.runner import Runner
from tests.simulation.broker import Broker, Place, State
from tests.simulation.clients import Crash, ModelReader, ModelWriter
from topics.catalog import CATALOG, CONSENT
from topics.consent import read as read_consent
from topics.observation import Adapter
from topics.record import RawRecord, Rejected

SOURCES = ("shop.events", "shop.kong")
GROUP = "monitor"
CLUSTER = "simulated"
_SETTLE_SECONDS = 0.2
_WORKERS = 3
_MOST_HEALING_TURNS = 600

FAULTS: Mapping[str, float] = {
    "crash after poll": 0.01,
    "crash before produce": 0.01,
    "crash mid-produce": 0.01,
    "crash after produce": 0.02,
    "crash before commit": 0.02,
    "crash after commit": 0.02,
    "crash mid-transaction": 0.01,
    "crash before commit of transaction": 0.02,
    "crash after commit of transaction": 0.02,
    "crash in a rebalance": 0.02,
    "produce refused": 0.03,
    "produce torn": 0.02,
    "produce's answer lost": 0.02,
    "commit refused": 0.03,
    "commit's answer lost": 0.03,
    "transaction refused": 0.01,
    "transaction's answer lost": 0.02,
}
"""Named points and how likely each fault is there."""


@dataclass(slots=True)
class Piece:
    """One record of traffic, to be produced at any time."""

    topic: str
    key: bytes | None
    value: bytes | None


class ModelLedger:
    """The ledger process and its readers' view, with a lag that the schedule decides."""

    def __init__(self, broker: Broker, loaded: Loaded) -> None:
        self._broker = broker
        self._loaded = loaded
        self._read: dict[Place, int] = {place: 0 for place in broker.partitions if place[0] == CONSENT.name}
        self._choices: dict[str, list[Choice]] = {}
        self._fresh_ms = -1
        self.mark = ""

    def apply(self, most: int) -> None:
        """Read on, at most so many records of each partition; when that is all, the ledger speaks for the present."""
        for place, offset in self._read.items():
            entries, self._read[place] = self._broker.fetch(place, offset, most)
            for each in entries:
                parsed = read_consent(
                    RawRecord(*place, each.offset, each.timestamp_ms, each.key, each.value), self._loaded.key
                )
                if isinstance(parsed, Rejected):
                    continue
                subjects, said = parsed
                word = Word(said.granted, said.refused, said.source, *place, said.after_gpc_notice)
                choice = Choice(said.at_ms, each.offset, each.timestamp_ms, word)
                for subject in subjects:
                    self._choices.setdefault(subject, []).append(choice)
        if all(offset >= self._broker.partitions[place].high for place, offset in self._read.items()):
            self._fresh_ms = self._broker.now_ms
        self.mark = ",".join(f"{number}:{offset}" for (_, number), offset in sorted(self._read.items()))

    def view(self) -> "ModelLedger":
        return self

    def close(self) -> None:
        pass

    def coverage(self, broker_ms: int) -> Coverage:
        if self._fresh_ms < 0:
            return Coverage.LOADING
        return Coverage.READY if broker_ms <= self._fresh_ms else Coverage.BEHIND

    def choices(self, subjects: Sequence[str]) -> Sequence[Choice]:
        return [choice for subject in subjects for choice in self._choices.get(subject, ())]

    def choices_of(self, people: Sequence[Sequence[str]]) -> Sequence[Sequence[Choice]]:
        return [self.choices(subjects) for subjects in people]


@dataclass(slots=True)
class Worker:
    """A slot for a worker process: alive, dead, or stopped for a while."""

    number: int
    starts: int = 0
    runner: Runner | None = None
    reader: ModelReader | None = None
    frozen_until_ms: int = 0


@dataclass(slots=True)
class World:
    """Everything of one seed."""

    seed: int
    loaded: Loaded
    adapters: Mapping[str, Adapter]
    pool: Sequence[Piece]
    exactly_once: bool
    start_ms: int
    hits: Counter[str] = field(default_factory=Counter)
    rng: random.Random = field(init=False)
    broker: Broker = field(init=False)
    ledger: ModelLedger = field(init=False)
    workers: list[Worker] = field(init=False)
    metrics: Metrics = field(init=False)
    is_healthy: bool = True

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.broker = Broker({"shop.events": 2, "shop.kong": 1, **{topic.name: 2 for topic in CATALOG}}, self.start_ms)
        self.ledger = ModelLedger(self.broker, self.loaded)
        self.metrics = Metrics(CollectorRegistry(), version="simulated")
        self.workers = [Worker(number) for number in range(_WORKERS)]

    # The schedule.

    def run(self, steps: int) -> Result:
        """Play the schedule to its end, heal, and check."""
        self._warm_up()
        self.is_healthy = False
        actions = (
            (self._produce, 6),
            (self._turn, 16),
            (self._pass_time, 6),
            (self._read_consent, 4),
            (self._start, 3),
            (self._stop, 0.4),
            (self._freeze, 0.4),
            (self._kill, 0.4),
            (self._retain, 0.3),
            (self._stranger, 0.5),
        )
        for action in self.rng.choices([each for each, _ in actions], [weight for _, weight in actions], k=steps):
            action()
        self.is_healthy = True
        self._heal()
        return self._checked()

    def _warm_up(self) -> None:
        """Begin with every partition read once, so that accounting begins at its beginning."""
        for place in self.broker.partitions:
            if place[0] in SOURCES:
                piece = self.rng.choice([each for each in self.pool if each.topic == place[0]])
                self.broker.append(place, piece.key, piece.value)
        self._start()
        self._heal()

    def _produce(self) -> None:
        for piece in self.rng.choices(self.pool, k=self.rng.randint(1, 8)):
            self.broker.append(self.broker.place_for(piece.topic, piece.key or b""), piece.key, piece.value)

    def _turn(self) -> None:
        running = [
            each for each in self.workers if each.runner is not None and each.frozen_until_ms <= self.broker.now_ms
        ]
        if running:
            self._turn_of(self.rng.choice(running))

    def _turn_of(self, worker: Worker) -> None:
        assert worker.runner is not None
        try:
            worker.runner.turn()
        except Crash:
            worker.runner = worker.reader = None
        except KafkaProblem:
            self.hits["worker replaced"] += 1
            worker.runner = worker.reader = None

    def _pass_time(self) -> None:
        self.broker.pass_time(self.rng.choice((50, 200, 500, 2_000)), {GROUP: SOURCES})

    def _read_consent(self) -> None:
        self.ledger.apply(self.rng.choice((1, 5, 1_000)))

    def _start(self) -> None:
        dead = [each for each in self.workers if each.runner is None]
        if dead:
            self._start_one(self.rng.choice(dead))

    def _start_one(self, worker: Worker) -> None:
        worker.starts += 1
        worker.frozen_until_ms = 0
        name = f"worker-{worker.number}"
        context = self.loaded.context(
            self.adapters, CLUSTER, worker=name, delivery="exactly_once" if self.exactly_once else "at_least_once"
        )

        def make_reader(runner: Runner) -> Any:
            worker.reader = ModelReader(
                self.broker,
                name=f"{name}-{worker.starts}",
                group=GROUP,
                topics=SOURCES,
                from_beginning=True,
                on_assigned=runner.assigned,
                on_revoked=runner.revoked,
                fault=self._fault,
            )
            return worker.reader

        writer = ModelWriter(
            self.broker, transactional_id=f"{GROUP}-{name}" if self.exactly_once else None, fault=self._fault
        )
        worker.runner = Runner(
            context,
            make_reader,
            cast("Any", writer),
            cast("Any", self.ledger),
            self.metrics,
            settle_seconds=_SETTLE_SECONDS,
            ledger_wait_seconds=2.0,
            batch_records=self.rng.choice((3, 10, 50)),
            now_ms=lambda: self.broker.now_ms,
        )

    def _stop(self) -> None:
        running = [
            each for each in self.workers if each.runner is not None and each.frozen_until_ms <= self.broker.now_ms
        ]
        if running:
            worker = self.rng.choice(running)
            assert worker.reader is not None
            self.hits["polite stop"] += 1
            worker.reader.close()
            worker.runner = worker.reader = None

    def _freeze(self) -> None:
        """Stop a worker as by SIGSTOP: sometimes so long that its group forgets it, and it comes back."""
        running = [each for each in self.workers if each.runner is not None]
        if running:
            self.hits["frozen"] += 1
            self.rng.choice(running).frozen_until_ms = self.broker.now_ms + self.rng.choice((1_000, 8_000, 15_000))

    def _kill(self) -> None:
        running = [each for each in self.workers if each.runner is not None]
        if running:
            self.hits["killed"] += 1
            worker = self.rng.choice(running)
            worker.runner = worker.reader = None

    def _retain(self) -> None:
        place = self.rng.choice([each for each in self.broker.partitions if each[0] in SOURCES])
        log = self.broker.partitions[place]
        committed = self.broker.groups[GROUP].committed.get(place, 0)
        low = self.rng.randint(log.low, log.high)
        self.hits["retention overtook"] += low > committed
        self.broker.retain(place, low)

    def _stranger(self) -> None:
        """Let somebody write to a source in a transaction that ends either way: its offsets are holes, or records and a marker."""
        place = self.rng.choice([each for each in self.broker.partitions if each[0] in SOURCES])
        piece = self.rng.choice(self.pool)
        epoch = self.broker.init("stranger")
        self.broker.begin("stranger", epoch)
        for _ in range(self.rng.randint(1, 3)):
            self.broker.produce("stranger", epoch, place, piece.key, piece.value)
        is_committed = self.rng.random() < 0.5
        self.hits["aborted traffic"] += not is_committed
        self.broker.end("stranger", epoch, commit=is_committed)

    def _fault(self, name: str) -> bool:
        if self.is_healthy or self.rng.random() >= FAULTS[name]:
            return False
        self.hits[name] += 1
        return True

    def _heal(self) -> None:
        """Without faults, everything is judged in the end: liveness."""
        for _ in range(_MOST_HEALING_TURNS):
            if all(worker.runner is None for worker in self.workers):
                self._start_one(self.workers[0])
            self.broker.pass_time(500, {GROUP: SOURCES})
            self.ledger.apply(1_000)
            for worker in self.workers:
                if worker.runner is not None and worker.frozen_until_ms <= self.broker.now_ms:
                    self._turn_of(worker)
            if self._is_done():
                # What a killed worker left open hides all that stands behind it, until the broker aborts it.
                self.broker.pass_time(self.broker.TRANSACTION_MS + 1, {GROUP: SOURCES})
                return
        raise AssertionError(f"seed {self.seed}: not everything was judged after the faults had ended")

    def _is_done(self) -> bool:
        """Whether the group has committed past every record of every source."""
        committed = self.broker.groups[GROUP].committed
        for place, log in self.broker.partitions.items():
            if place[0] in SOURCES:
                records = [
                    each.offset for each in log.entries if each.state is State.COMMITTED and each.offset >= log.low
                ]
                if records and committed.get(place, 0) <= records[-1]:
                    return False
        return True

    # The check.

    def _checked(self) -> Result:
        collector = Collector(CLUSTER, [place for place in self.broker.partitions if place[0] in SOURCES])
        for topic, take in (
            ("privacy.accounting.v1", collector.accounting),
            ("privacy.findings.v1", collector.fold),
            ("privacy.shadow.v1", collector.fold),
            ("privacy.deadletter.v1", collector.letter),
        ):
            for place in self.broker.partitions:
                if place[0] == topic:
                    for entry in self.broker.fetch(place, 0, 10**9)[0]:
                        take(f"{topic}/{place[1]}/{entry.offset}", entry.value or b"")
        assert not collector.unreadable, collector.unreadable
        total = Result()
        for place, evidence in collector.evidence.items():
            log = self.broker.partitions[place]
            records = {each.offset: each for each in log.entries if each.state is State.COMMITTED}
            # The model forgets nothing: what retention took is checked too, and only "expired" is allowed to have been there.
            evidence.source = Source(
                0, log.high, {offset: len(each.value or b"") for offset, each in records.items()}, begin=0
            )
            words: dict[tuple[str, int], Said] = {}
            for question in questions(evidence, self.loaded.bundle):
                silent = judge_command.SILENT if question.silent else ()
                contexts = [self._as(question.mark, coverage) for coverage in (Coverage.READY, *silent)]
                for offset in range(question.start, question.end):
                    if offset in records:
                        its = records[offset]
                        record = RawRecord(*place, offset, its.timestamp_ms, its.key, its.value)
                        words[question.mark, offset] = _said(record, contexts)
            result = check(place, evidence, words, self.loaded.bundle)
            result.faults = [each for each in result.faults if not self._has_expired(each, log.low)]
            total.add(result)
        return total

    def _has_expired(self, fault: Fault, low: int) -> bool:
        return fault.kind is Kind.IS_A_RECORD and "to have expired" in fault.detail and fault.end <= low

    def _as(self, mark: str, coverage: Coverage) -> Context:
        context = self.loaded.context(self.adapters, CLUSTER)
        return msgspec.structs.replace(context, ledger=AsOfMark(self.ledger, mark, CONSENT.name, coverage))


def _said(record: RawRecord, contexts: Iterable[Context]) -> Said:
    ready, *silent = contexts
    answer = judge_command.answer(record, ready, silent)
    return Said(
        tuple(tuple(row) for row in answer["findings"]),
        tuple(tuple(tuple(row) for row in rows) for rows in answer["silent"]),
        tuple((item, reason) for item, reason in answer["rejected"]),
        answer["items"],
    )
