"""From the broker's receipt of a record to its finding, at a given load."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
from confluent_kafka import Consumer, Producer, TopicPartition

from tests.bench.mix import FORMATS, Mix
from tests.bench.report import Late
from tests.integration.system import create_topics, expand, topic_ends
from tests.kafka.broker import unique_name
from topics.catalog import FINDINGS

_ROOT = Path(__file__).parents[2]
_SECONDS = 12.0
_SETTLE_SECONDS = 0.5
_WARM_SECONDS = 4.0


def latency(bootstrap: str, per_second: float) -> Late:
    """Send traffic of now at this rate through one worker, and look at when its findings came."""
    prefix = f"{unique_name('late')}."
    create_topics(bootstrap, {f"{prefix}{topic}": 2 for topic in FORMATS})
    before = len(_findings(bootstrap))
    settings = {
        "bootstrap": bootstrap,
        "group": unique_name("bench"),
        "topics": [f"{prefix}{topic}" for topic in FORMATS],
        "prefix": prefix,
        "settle_seconds": _SETTLE_SECONDS,
        "seconds": _SECONDS + 20,
    }
    command = [sys.executable, "-m", "tests.bench.programs", "monitor", json.dumps(settings)]
    worker = subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.DEVNULL)
    try:
        time.sleep(12)  # until it has loaded what it knows and has its partitions
        sent = _send(bootstrap, prefix, per_second)
        time.sleep(_SETTLE_SECONDS + 3)
    finally:
        worker.terminate()
        worker.wait()
    waits = sorted(_waits(bootstrap, before, sent))
    if not waits:
        raise SystemExit("no finding came: nothing to measure")
    return Late(per_second, _SETTLE_SECONDS * 1000, len(waits), _at(waits, 0.5), _at(waits, 0.99), waits[-1])


def _send(bootstrap: str, prefix: str, per_second: float) -> dict[tuple[str, int, int], int]:
    """Write records of the mix at an even rate; give the broker's time of those that came after the warm-up."""
    sent: dict[tuple[str, int, int], int] = {}
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 2})
    # The visitors whose choices the ledger holds: of strangers every tracker would be a finding.
    made = list(Mix(1, visitors=5_000).records(int(per_second * _SECONDS), start_ms=int(time.time() * 1000)))
    began = time.perf_counter()

    def note(error: Any, message: Any) -> None:
        if error is None and time.perf_counter() - began > _WARM_SECONDS:
            sent[message.topic(), message.partition(), message.offset()] = message.timestamp()[1]

    for at, each in enumerate(made):
        producer.produce(f"{prefix}{each.topic}", each.value, partition=at % 2, on_delivery=note)
        producer.poll(0)
        ahead = at / per_second - (time.perf_counter() - began)
        if ahead > 0.005:
            time.sleep(ahead)
    producer.flush()
    return sent


def _waits(bootstrap: str, before: int, sent: dict[tuple[str, int, int], int]) -> list[float]:
    found: list[float] = []
    for value, told_ms in _findings(bootstrap)[before:]:
        fold = msgspec.json.decode(value)
        found += [told_ms - sent[place] for place in expand(fold) if place in sent]
    return found


def _findings(bootstrap: str) -> list[tuple[bytes, int]]:
    """Read the folds of the topic of findings, each with its time."""
    ends = topic_ends(bootstrap, [FINDINGS.name])
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "late", "enable.partition.eof": True})
    consumer.assign([TopicPartition(topic, partition, 0) for topic, partition in ends])
    found: list[tuple[bytes, int]] = []
    ended = 0
    while ended < len(ends):
        for message in consumer.consume(500, 5.0):
            if message.error() is not None:
                ended += 1
            else:
                found.append((message.value() or b"", message.timestamp()[1]))
    consumer.close()
    return found


def _at(waits: list[float], share: float) -> float:
    return waits[min(len(waits) - 1, int(len(waits) * share))]
