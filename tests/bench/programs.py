"""What the benchmark runs, each in a process of its own: `python -m tests.bench.programs NAME SETTINGS`.

Every program reads the same topics from their beginning under a group of its own until nothing more comes, and prints one
line of JSON: records, seconds of CPU of the whole process (librdkafka's threads too) and of wall from the first record to
the last, and the most memory that was resident.
"""

import gc
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import orjson
from confluent_kafka import Consumer
from prometheus_client import CollectorRegistry

from monitor.context import load_shipped
from monitor.kafka import Reader, Writer
from monitor.ledger import LedgerWriter
from monitor.ledger_reader import LedgerReader
from monitor.metrics import Metrics
from monitor.pipeline import Context
from monitor.runner import Runner
from monitor.worker import freeze
from tests.bench.mix import DOMAIN, START_MS, Mix
from tests.bench.pipeline import REGISTER, adapters
from topics.links import LinkRecord
from topics.record import RawRecord

_IDLE_SECONDS = 2.0


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a program is told."""

    bootstrap: str
    group: str
    topics: list[str]
    """The mix's topics, in the order of `FORMATS`; a prefix stands before each name."""
    prefix: str
    batch: int = 1_000
    gated: bool = True
    exactly_once: bool = False
    visitors: int = 5_000
    settle_seconds: float = 0.0
    warm: str = ""
    """Prefix of topics that are read first and not measured: caches fill, and what is said once for each person is said."""
    seconds: float = 0.0
    """How long to run; 0: until nothing more comes."""


class Stretch:
    """CPU, wall and memory from the first record to the last."""

    def __init__(self) -> None:
        self.records = 0
        self._first: tuple[float, float] | None = None
        self._last = (0.0, 0.0)

    def begin(self) -> None:
        """Stand right before a call that may bring the first record."""
        if not self.records:
            self._first = _now()

    def count(self, records: int) -> None:
        """Note records that are done."""
        self.records += records
        self._last = _now()

    def idle(self) -> float:
        """Give the seconds since the last record; 0 before the first."""
        return time.perf_counter() - self._last[1] if self._last[1] else 0.0

    def report(self) -> dict[str, float]:
        """Give what was measured."""
        first = self._first or (0.0, 0.0)
        return {
            "records": self.records,
            "cpu": self._last[0] - first[0],
            "wall": self._last[1] - first[1],
            "memory_mb": _peak_mb(),
        }


def _peak_mb() -> float:
    """Give the most memory that was resident since this program began; `ru_maxrss` would tell its parent's, too."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def _now() -> tuple[float, float]:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime, time.perf_counter()


def ceiling(settings: Settings) -> Stretch:
    """Consume and parse, and do nothing else: the ceiling C."""
    consumer = Consumer(
        {
            "bootstrap.servers": settings.bootstrap,
            "group.id": settings.group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "session.timeout.ms": 6_000,
        }
    )
    consumer.subscribe(settings.topics)
    stretch = Stretch()
    freeze()
    while stretch.idle() < _IDLE_SECONDS:
        stretch.begin()
        messages = consumer.consume(5_000, 0.05)
        for message in messages:
            orjson.loads(message.value() or b"null")
        if messages:
            stretch.count(len(messages))
    consumer.close()
    return stretch


def monitor(settings: Settings) -> Stretch:
    """Run one worker with everything on: detectors, rules, ledger, findings, links, accounting, metrics."""
    loaded = load_shipped(domains=[DOMAIN], register_file=REGISTER)
    prefixes = [prefix for prefix in (settings.warm, settings.prefix) if prefix]
    by_topic = adapters(gated=settings.gated)
    named = {f"{prefix}{topic}": adapter for prefix in prefixes for topic, adapter in by_topic.items()}
    context = loaded.context(named, "bench")
    if not settings.gated:
        context = msgspec.structs.replace(context, gate=None, verdicts=None)
    kafka: dict[str, Any] = {"bootstrap.servers": settings.bootstrap}
    stretch = Stretch()
    said: dict[LinkRecord, None] = {}
    with tempfile.TemporaryDirectory() as folder:
        ledger = _ledger(Path(folder), settings, loaded.key)
        for prefix in prefixes:
            runner = _runner(context, kafka, settings, prefix, Path(folder))
            runner._links = said
            stretch = _turns(runner, settings.seconds)
            said = runner._links
        ledger.close()
    return stretch


def _runner(context: Context, kafka: dict[str, Any], settings: Settings, prefix: str, folder: Path) -> Runner:
    group = f"{settings.group}-{prefix}"
    topics = [f"{prefix}{topic.removeprefix(settings.prefix)}" for topic in settings.topics]
    return Runner(
        context,
        lambda self: Reader(
            kafka,
            group=group,
            topics=topics,
            from_beginning=True,
            on_assigned=self.assigned,
            on_revoked=self.revoked,
        ),
        Writer(kafka, transactional_id=f"{group}-{os.getpid()}" if settings.exactly_once else None),
        LedgerReader(folder),
        Metrics(CollectorRegistry(), version="bench"),
        settle_seconds=settings.settle_seconds,
        ledger_wait_seconds=0.0,
        batch_records=settings.batch,
    )


def _ledger(folder: Path, settings: Settings, key: Any) -> LedgerWriter:
    ledger = LedgerWriter(folder, key, 512, "bench")
    choices = Mix(1, visitors=settings.visitors).choices()
    told = [RawRecord("bench", 0, at, START_MS - 1_000, None, value) for at, value in enumerate(choices)]
    for at in range(0, len(told), 2_000):
        ledger.apply(told[at : at + 2_000], 1_000)
    ledger.mark_fresh(2**42)
    return ledger


def _turns(runner: Runner, seconds: float) -> Stretch:
    stretch = Stretch()
    freeze()
    until = time.perf_counter() + seconds if seconds else float("inf")
    while time.perf_counter() < until and (seconds or stretch.idle() < _IDLE_SECONDS):
        stretch.begin()
        done = runner.turn()
        if done:
            stretch.count(done)
    runner._reader.close()
    return stretch


def faust_agent(settings: Settings) -> Stretch:
    """Run a plain Faust agent that counts: the least that a stream framework for each event does."""
    import faust  # noqa: PLC0415 - one program alone needs it

    app = faust.App(settings.group, broker=f"kafka://{settings.bootstrap}", store="memory://", web_enabled=False)
    app.conf.consumer_auto_offset_reset = "earliest"
    app.conf.broker_session_timeout = 6
    app.conf.topic_disable_leader = True
    topic = app.topic(*settings.topics, value_type=bytes, value_serializer="raw")
    stretch = Stretch()
    stretch.begin()

    @app.agent(topic)
    async def count(stream: Any) -> None:
        async for value in stream:
            if not stretch.records:
                stretch.begin()
            orjson.loads(value)
            stretch.records += 1
            if not stretch.records % 500:
                stretch.count(0)

    @app.timer(0.5)  # type: ignore[untyped-decorator]
    async def end() -> None:
        if stretch.records and stretch.idle() > _IDLE_SECONDS and stretch._last != (0.0, 0.0):
            print(json.dumps(stretch.report()), flush=True)  # noqa: T201 - the answer
            os._exit(0)

    worker = faust.Worker(app, loglevel="ERROR", quiet=True, override_logging=False, redirect_stdouts=False)
    worker.spinner = None
    worker.execute_from_commandline()
    raise AssertionError("the agent ends by itself")


PROGRAMS: dict[str, Callable[[Settings], Stretch]] = {
    "ceiling": ceiling,
    "monitor": monitor,
    "faust": faust_agent,
}


def main() -> None:
    """Run one program and print what it measured."""
    gc.collect()
    settings = msgspec.json.decode(sys.argv[2], type=Settings)
    print(json.dumps(PROGRAMS[sys.argv[1]](settings).report()), flush=True)  # noqa: T201 - the answer


if __name__ == "__main__":
    main()
