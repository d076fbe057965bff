"""The consent ledger at size: bytes a subject, load, look-up, warm start. Optionally loaded from a real Kafka.

python -m tests.bench.ledger 1000000            # records made in memory
python -m tests.bench.ledger 1000000 --kafka    # through Apache Kafka, as the ledger process reads them
"""

import gc
import operator
import os
import platform
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from confluent_kafka import Producer

from detectors.consent.ledger import LedgerView
from monitor.kafka import LogReader
from monitor.ledger import LedgerWriter
from monitor.ledger_process import GC_THRESHOLDS, LEDGER_BATCH
from monitor.ledger_reader import LedgerReader
from monitor.ledger_snapshot import LedgerSnapshot
from tests.kafka.broker import create_topic, open_broker, unique_name
from topics.catalog import CONSENT
from topics.record import RawRecord
from topics.subject import SubjectKey

_KEY = SubjectKey("k1", b"a key of the benchmark, sixteen bytes and more")
_NOW_MS = 1_793_606_400_000
_LOOKUPS = 100_000
_LMDB_ALONE = "(for comparison: LMDB alone, found)"
_PARTITIONS = 4
_CHOICES = (
    b'"granted":["analytics"],"refused":["advertising","social"]',
    b'"granted":["advertising","analytics","social"]',
    b'"refused":["advertising"]',
    b'"refused":["advertising","analytics","marketing","social"]',
)
_SOURCES = (b"banner", b"preference-center", b"gpc", b"support")


def main() -> None:
    """Print what a ledger of so many subjects costs, with one version each."""
    subjects = next((int(argument) for argument in sys.argv[1:] if argument.isdigit()), 1_000_000)
    load = _load_from_kafka if "--kafka" in sys.argv else _load
    # As the ledger process does: what it makes has no cycles.
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    _say(f"{subjects:,} subjects, one version each; {_conditions()}")
    with tempfile.TemporaryDirectory(dir=os.environ.get("PRIVACY_MONITOR_BENCH_FOLDER")) as folder:
        path = Path(folder) / "ledger"
        made = Made(subjects)
        topic = load(path, made)
        _measure(path, made, topic)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _conditions() -> str:
    versions = ", ".join(f"{name} {version(name)}" for name in ("lmdb", "confluent-kafka", "msgspec", "numpy"))
    load = os.getloadavg()[0]
    return f"Python {platform.python_version()}, {versions}; {os.cpu_count()} CPUs, load {load:.1f}; times are CPU time"


class Made:
    """Records as a platform writes them: random 16-byte subjects, times in any order, several sources and choices."""

    def __init__(self, subjects: int) -> None:
        self.subjects = subjects
        self.some: list[str] = []
        """A random part of the subjects that were made, to ask for."""

    def batches(self, topic: str) -> Iterator[list[RawRecord]]:
        """Make them."""
        chance = random.Random(7)
        tails = [b'",%s,"source":"%s","jurisdiction":"US-CA","banner_version":"2026-10-01","ip_country":"US"}' % (said, source)
                 for said in _CHOICES for source in _SOURCES]  # fmt: skip
        for start in range(0, self.subjects, LEDGER_BATCH):
            count = min(LEDGER_BATCH, self.subjects - start)
            names = [chance.randbytes(16).hex().encode() for _ in range(count)]
            self.some += [
                f"k1.{name.decode()}" for name in chance.choices(names, k=max(1, count * _LOOKUPS // self.subjects))
            ]
            yield [
                RawRecord(topic, 0, start + index, _NOW_MS + start + index, None,
                          b'{"at_ms":%d,"subject":"k1.%s' % (_NOW_MS + start + index - draw % 10_000, name) + tails[draw % len(tails)])
                for index, (name, draw) in enumerate(zip(names, [chance.getrandbits(30) for _ in names], strict=True))
            ]  # fmt: skip


def _load(path: Path, made: Made) -> str:
    """Load from memory and give the topic's name."""
    writer = _writer(path)
    taken = 0.0
    for batch in made.batches(CONSENT.name):
        began = time.process_time()
        writer.apply(batch, 1000)
        taken += time.process_time() - began
    began = time.process_time()
    writer.mark_fresh(_NOW_MS)
    written = time.process_time() - began
    subjects = made.subjects
    _say(
        f"cold load from memory: {subjects / (taken + written):,.0f} records per CPU-second; "
        f"{taken / subjects * 1e6:.2f} us a record to read, {written / subjects * 1e6:.2f} us to sort and write"
    )
    writer.close()
    return CONSENT.name


def _load_from_kafka(path: Path, made: Made) -> str:
    """Load as the ledger process does, from Apache Kafka, and give the topic's name."""
    broker = open_broker()
    try:
        settings = {"bootstrap.servers": broker.bootstrap}
        topic = create_topic(broker.bootstrap, unique_name("consent"), _PARTITIONS)
        _produce(broker.bootstrap, topic, made)
        _consume_alone(settings, topic, min(made.subjects, 1_000_000))
        subjects = made.subjects
        reader = LogReader(settings, [topic])
        writer = _writer(path, topic)
        done = 0
        polled = taken = 0.0
        cpu, wall = time.process_time(), time.perf_counter()
        while done < subjects:
            before = time.thread_time()
            batch = reader.poll_stretches(LEDGER_BATCH, 0.05)
            after = time.thread_time()
            polled += after - before
            if batch:
                writer.take(batch, 1000)
                done += sum(len(each.offsets) for each in batch)
                taken += time.thread_time() - after
        before = time.thread_time()
        writer.mark_fresh(_NOW_MS)
        written = time.thread_time() - before
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        parts = {"poll": polled, "read": taken, "sort and write": written, "librdkafka": cpu - polled - taken - written}
        _say(
            f"cold load from {broker.title()}: {done / cpu:,.0f} records per CPU-second of all threads, "
            f"{done / wall:,.0f} a second; us a record: "
            + ", ".join(f"{name} {seconds / done * 1e6:.2f}" for name, seconds in parts.items())
        )
        reader.close()
        writer.close()
    finally:
        broker.stop()
    return topic


def _produce(bootstrap: str, topic: str, made: Made) -> None:
    """Put the records into the topic, each batch into the next partition."""
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 20, "queue.buffering.max.messages": 200_000})
    for number, batch in enumerate(made.batches(topic)):
        while len(producer) > 150_000:
            producer.poll(0.05)
        messages = [{"value": record.value} for record in batch]
        assert producer.produce_batch(topic, messages, number % _PARTITIONS) == len(batch)
    assert producer.flush(300) == 0


def _consume_alone(settings: dict[str, Any], topic: str, subjects: int) -> None:
    """Say what the same records cost where nothing is done with them: the bound of any load in this run."""
    reader = LogReader(settings, [topic])
    done = 0
    began = time.process_time()
    while done < subjects:
        done += sum(len(each.offsets) for each in reader.poll_stretches(LEDGER_BATCH, 0.05))
    _say(
        f"reading the same topic and doing nothing: {subjects / (time.process_time() - began):,.0f} records per CPU-second"
    )
    reader.close()


def _writer(path: Path, topic: str = CONSENT.name) -> LedgerWriter:
    return LedgerWriter(path, _KEY, 8192, topic)


def _measure(path: Path, made: Made, topic: str) -> None:
    reader = LedgerReader(path)
    began = time.perf_counter()
    view = reader.view()
    opened = time.perf_counter() - began
    random.Random(11).shuffle(made.some)
    # Written anew in the order they are asked for, as all others here are: a worker has just made the names that it asks
    # for, and does not gather them from all over a memory in which ten million records were made.
    wanted = " ".join(made.some).split(" ")
    absent = [f"k1.{random.randbytes(16).hex()}" for _ in wanted]
    names = dict.fromkeys(wanted, ())
    ways: dict[str, Callable[[], object]] = {
        _LMDB_ALONE: _lmdb_alone(view, wanted),
        "one by one, found, first asked": lambda: _one_by_one(reader, wanted),
        "one by one, not found": lambda: _one_by_one(reader, absent),
        "one by one, found, as batches of 1,000 records of 500 persons ask": lambda: _as_asked(reader, wanted),
        "by batches of 500, found, first asked": lambda: _by_batches(view, wanted),
        "by batches of 500, not found": lambda: _by_batches(view, absent),
        "(for comparison: a Python dict of as many keys as are asked)": lambda: [names[name] for name in wanted],
    }
    # Once before: what is measured is a ledger in use, whose pages are in this process's memory.
    assert all(view.choices_of([(name,) for name in wanted]))
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(9):
        for name, ask in ways.items():
            began = time.process_time()
            ask()
            taken[name].append(time.process_time() - began)
    for name, rounds in taken.items():
        ratio = statistics.median(map(operator.truediv, rounds, taken[_LMDB_ALONE]))
        _say(
            f"look-up of a random subject, {name}: {min(rounds) / len(wanted) * 1e6:.2f} us, "
            f"{ratio:.2f} times LMDB alone in the same round"
        )
    view.close()
    reader.close()
    cpu, wall = time.process_time(), time.perf_counter()
    writer = _writer(path, topic)
    assert writer.starts()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    _say(
        f"warm start of the writer, check sum of the file included: {cpu * 1000:.0f} ms of CPU, {wall * 1000:.0f} ms in all"
    )
    _say(f"warm start of a reader: {opened * 1000:.1f} ms")
    _say(f"size: {writer.size_bytes() / writer.subjects():.1f} bytes a subject ({writer.subjects():,} subjects)")
    writer.close()


def _one_by_one(reader: LedgerReader, subjects: Sequence[str]) -> None:
    # A snapshot remembers who was asked for: a new one for each batch, as the worker takes it.
    for start in range(0, len(subjects), 500):
        view = reader.view()
        for subject in subjects[start : start + 500]:
            view.choices((subject,))
        view.close()


def _as_asked(reader: LedgerReader, subjects: Sequence[str]) -> None:
    for start in range(0, len(subjects), 1_000):
        view = reader.view()
        for subject in (*subjects[start : start + 500], *subjects[start : start + 500]):
            view.choices((subject,))
        view.close()


def _by_batches(view: LedgerView, subjects: Sequence[str]) -> None:
    for start in range(0, len(subjects), 500):
        view.choices_of([(subject,) for subject in subjects[start : start + 500]])


def _lmdb_alone(view: LedgerSnapshot, subjects: Sequence[str]) -> Callable[[], object]:
    """Give the search alone, with keys at hand and nothing made of what is found."""
    keys = [bytes.fromhex(subject[3:]) for subject in subjects]
    get = view._get
    return lambda: [get(key) for key in keys]


if __name__ == "__main__":
    main()
