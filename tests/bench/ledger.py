"""The consent ledger at size: bytes a subject, load, look-up, warm start. Optionally loaded from a real Kafka.

python -m tests.bench.ledger 1000000            # records made in memory
python -m tests.bench.ledger 1000000 --kafka    # through Apache Kafka, as the ledger process reads them
"""

import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from monitor.kafka import LogReader, Outgoing, Writer
from monitor.ledger import LedgerReader, LedgerWriter
from monitor.worker import LEDGER_BATCH
from tests.kafka.broker import create_topic, open_broker, unique_name
from topics.catalog import CONSENT
from topics.record import RawRecord
from topics.subject import SubjectKey

_KEY = SubjectKey("k1", b"a key of the benchmark, sixteen bytes and more")
_NOW_MS = 1_793_606_400_000
_LOOKUPS = 100_000
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
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger"
        load = _load_from_kafka if "--kafka" in sys.argv else _load
        topic = load(path, subjects)
        _measure(path, subjects, topic)


def _records(subjects: int, topic: str) -> Iterator[list[RawRecord]]:
    """Make records as a platform writes them: random 16-byte subjects, times in any order, several sources."""
    chance = random.Random(7)
    for start in range(0, subjects, LEDGER_BATCH):
        yield [
            RawRecord(topic, 0, offset, _NOW_MS + offset, None, _value(chance, _NOW_MS + offset))
            for offset in range(start, min(subjects, start + LEDGER_BATCH))
        ]


def _value(chance: random.Random, now_ms: int) -> bytes:
    subject = chance.randbytes(16).hex().encode()
    at_ms = str(now_ms - chance.randrange(10_000)).encode()
    source, said = chance.choice(_SOURCES), chance.choice(_CHOICES)
    return (
        b'{"at_ms":' + at_ms + b',"subject":"k1.' + subject + b'",' + said + b',"source":"' + source
        + b'","jurisdiction":"US-CA","banner_version":"2026-10-01","ip_country":"US"}'
    )  # fmt: skip


def _load(path: Path, subjects: int) -> str:
    """Load from memory and give the topic's name."""
    writer = _writer(path)
    spent = 0.0
    for batch in _records(subjects, CONSENT.name):
        began = time.process_time()
        writer.apply(batch, 1000)
        spent += time.process_time() - began
    sys.stdout.write(f"load from memory: {subjects / spent:,.0f} records per CPU-second\n")
    writer.close()
    return CONSENT.name


def _load_from_kafka(path: Path, subjects: int) -> str:
    """Load as the ledger process does, from Apache Kafka, and give the topic's name."""
    broker = open_broker()
    try:
        settings = {"bootstrap.servers": broker.bootstrap}
        topic = create_topic(broker.bootstrap, unique_name("consent"), 4)
        producer = Writer(settings)
        for batch in _records(subjects, topic):
            producer.send([Outgoing(topic, str(record.offset).encode(), record.value or b"") for record in batch])
        reader = LogReader(settings, [topic])
        writer = _writer(path, topic)
        done = 0
        polled = 0.0
        cpu, wall = time.process_time(), time.perf_counter()
        while done < subjects:
            before = time.thread_time()
            records = reader.poll(LEDGER_BATCH, 0.05)
            polled += time.thread_time() - before
            if records:
                writer.apply(records, 1000)
                done += len(records)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        sys.stdout.write(
            f"cold load from {broker.title()}: {done / cpu:,.0f} records per CPU-second of all threads, "
            f"{done / wall:,.0f} a second; reading is {polled / cpu:.0%} of it\n"
        )
        reader.close()
        writer.close()
    finally:
        broker.stop()
    return topic


def _some(subjects: int) -> list[str]:
    """Give random subjects of those that were written, by writing them again."""
    share = min(1.0, _LOOKUPS / subjects)
    chance = random.Random(11)
    named = [
        (record.value or b"").partition(b'"subject":"')[2].partition(b'"')[0].decode()
        for batch in _records(subjects, CONSENT.name)
        for record in batch
        if chance.random() < share
    ]
    chance.shuffle(named)
    return named


def _writer(path: Path, topic: str = CONSENT.name) -> LedgerWriter:
    return LedgerWriter(path, _KEY, 8192, topic)


def _measure(path: Path, subjects: int, topic: str) -> None:
    reader = LedgerReader(path)
    began = time.perf_counter()
    view = reader.view()
    opened = time.perf_counter() - began
    wanted = _some(subjects)
    # Once before: what is measured is a ledger in use, whose pages are in this process's memory.
    view.choices(wanted)
    began = time.process_time()
    found = sum(len(view.choices((subject,))) for subject in wanted)
    seconds = time.process_time() - began
    assert found == len(wanted), f"{found} choices of {len(wanted)} subjects"
    view.close()
    reader.close()
    began = time.perf_counter()
    writer = LedgerWriter(path, _KEY, 8192, topic)
    warm = time.perf_counter() - began
    sys.stdout.write(f"look-up of a random subject: {seconds / len(wanted) * 1e6:.2f} us of CPU\n")
    sys.stdout.write(f"warm start: writer {warm * 1000:.1f} ms, reader {opened * 1000:.1f} ms\n")
    sys.stdout.write(
        f"size: {writer.size_bytes() / writer.subjects():.1f} bytes a subject ({writer.subjects():,} subjects)\n"
    )
    writer.close()


if __name__ == "__main__":
    main()
