"""Agents on the findings topic as processes against a real broker."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from tests.alerts.running import ROOT, Reader
from tests.alerts.traffic import START_MS, Seen, fold
from tests.kafka.broker import Broker, Topics, create_topic, unique_name
from tests.kafka.processes import wait_until
from topics.catalog import FINDINGS
from topics.finding import Fold, Severity

PARTITIONS = 2
FOLDS = 20
SECRET = "ann@example.org"  # must not be repeated anywhere

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


def found(offset: int, count: int = 1) -> Fold:
    return fold([Seen(key="k", partition=0, offset=offset, at_ms=START_MS, count=count, subject=SECRET)])


JUNK = [
    b"",
    b"\xff\xfe",
    b"{}",
    b"[" * 100_000,
    json.dumps({"schema": SECRET}).encode(),
    msgspec.json.encode(found(1)).replace(b'"violation"', f'"{SECRET}"'.encode()),
    # A fold that contradicts itself.
    msgspec.json.encode(msgspec.structs.replace(found(1), count=1_000)),
    None,
]


@contextmanager
def running(command: list[str], log: Path, cwd: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command], stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=cwd
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_for(reader: Reader, enough: Callable[[list[dict[str, Any]]], bool], log: Path) -> list[dict[str, Any]]:
    """Read rows until the newest of each key are enough."""

    def newest() -> list[dict[str, Any]]:
        return [json.loads(value) for value in reader.last().values()]

    def ready() -> bool:
        reader.read(0.1)
        return enough(newest())

    assert wait_until(ready, 40), f"{newest()}\n{log.read_text()[-4000:]}"
    return newest()


def total(rows: list[dict[str, Any]]) -> int:
    return sum(row["findings"] for row in rows)


class Writer:
    """Writes folds in transactions, with what is no fold among them, and knows how many findings are to be counted."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._topic = topic
        self._producer = Producer({"bootstrap.servers": bootstrap, "transactional.id": topic})
        self._producer.init_transactions()
        self._offset = 0
        self.findings = 0

    def send(self, count: int, *, taken_back: bool = False) -> None:
        """Write `FOLDS` folds of so many findings each."""
        self._producer.begin_transaction()
        for number in range(FOLDS):
            value = msgspec.json.encode(found(self._offset + number, count))
            self._producer.produce(self._topic, value, partition=number % PARTITIONS)
        for junk in () if taken_back else JUNK:
            self._producer.produce(self._topic, junk, b"k", partition=0)
        self._offset += FOLDS
        if taken_back:
            self._producer.flush()
            self._producer.abort_transaction()
            return
        self._producer.commit_transaction()
        self.findings += FOLDS * count


@pytest.mark.kafka("transactions")
def test_the_hourly_agent_counts_what_was_committed_and_goes_on_after_a_stop_and_a_kill(
    kafka: Broker, topics: Topics, tmp_path: Path
) -> None:
    findings = topics("findings", partitions=PARTITIONS)
    rows_topic, log = f"{findings}-rows", tmp_path / "agent.log"
    command = ["tests.alerts.agent_process", kafka.bootstrap, findings, rows_topic]
    writer = Writer(kafka.bootstrap, findings)
    writer.send(1)
    writer.send(1_000, taken_back=True)
    writer.send(3)
    with running(command, log, ROOT) as process:
        # It makes its topic itself.
        assert wait_until(lambda: rows_topic in kafka_topics(kafka), 40), log.read_text()
        reader = Reader(kafka.bootstrap, rows_topic, PARTITIONS)
        rows = wait_for(reader, lambda now: total(now) >= writer.findings, log)
        assert total(rows) == writer.findings
        row = rows[0]
        assert (row["schema"], row["hour"]) == ("privacy.hourly.v1", "2023-11-14T22:00:00Z")
        assert (row["rule"], row["recipient"], row["service"]) == ("tracking.gpc-ignored", "ads.example", "checkout")
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    # Markers of transactions are no records: the last of a partition may stay uncommitted, and nothing else.
    assert behind(kafka, findings) <= PARTITIONS
    assert f"unreadable: {2 * len(JUNK)}\n" in log.read_text()
    writer.send(5)
    with running(command, log, ROOT) as process:
        assert total(wait_for(reader, lambda now: total(now) >= writer.findings, log)) == writer.findings
        writer.send(7)
        wait_for(reader, lambda now: total(now) > writer.findings - FOLDS * 7, log)
        process.send_signal(signal.SIGKILL)
        process.wait()
    writer.send(11)
    with running(command, log, ROOT):
        rows = wait_for(reader, lambda now: total(now) >= writer.findings, log)
    # What was read again after the kill may count twice, and no more than that.
    assert total(rows) <= writer.findings + FOLDS * (5 + 7)
    reader.close()
    text = log.read_text()
    assert f"not readable, skipped: {findings}/0/" in text
    assert SECRET not in text
    assert SECRET.encode() not in b"".join(value for _, value, _ in reader.records)
    assert "Traceback" not in text


@pytest.mark.kafka
def test_the_example_of_the_documentation_runs_by_the_command_line(kafka: Broker, tmp_path: Path) -> None:
    example = re.search(r"```python\n(.*?)```", (ROOT / "docs" / "agents.md").read_text(), re.DOTALL)
    assert example is not None
    tickets, log, group = unique_name("tickets"), tmp_path / "agent.log", unique_name("group")
    (tmp_path / "our_agents.py").write_text(example[1].replace("shop.tickets", tickets))
    (tmp_path / "subject.key").write_text("a key of the tests, longer than sixteen bytes")
    config = {
        "kafka": {"bootstrap_servers": kafka.bootstrap, "group": group},
        "shop": {"domains": ["shop.example"]},
        "sources": [{"topic": "shop.events", "adapter": "segment"}],
        "subjects": {"secret": {"file": "subject.key"}},
    }
    (tmp_path / "monitor.yaml").write_text(json.dumps(config))
    if FINDINGS.name not in kafka_topics(kafka):
        create_topic(kafka.bootstrap, FINDINGS.name, PARTITIONS)
    producer = Producer({"bootstrap.servers": kafka.bootstrap})
    ours = msgspec.structs.replace(found(1), recipient=tickets)
    for each in (ours, msgspec.structs.replace(ours, severity=Severity.CRITICAL, count=1)):
        producer.produce(FINDINGS.name, msgspec.json.encode(each), b"k")
    producer.flush(10)
    before = set(tmp_path.iterdir())
    with running(["monitor", "agent", "our_agents:critical"], log, tmp_path) as process:
        assert wait_until(lambda: tickets in kafka_topics(kafka), 40), log.read_text()
        reader = Reader(kafka.bootstrap, tickets, kafka_topics(kafka)[tickets])
        wait_for(reader, lambda now: any(ticket["recipient"] == tickets for ticket in now), log)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0, log.read_text()
    reader.close()
    told = [json.loads(value) for _, value, _ in reader.records]
    assert [each for each in told if each["recipient"] == tickets] == [
        {"rule": "tracking.gpc-ignored", "recipient": tickets, "findings": 1}
    ]
    # No folders are made, and no page is served.
    assert {path.name for path in set(tmp_path.iterdir()) - before} <= {"agent.log", "__pycache__"}
    assert f"{group}-agent-our_agents.critical" in log.read_text()


def behind(kafka: Broker, topic: str) -> int:
    """Give how many offsets the agent has not committed."""
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": f"{topic}-agent"})
    places = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    ends = [consumer.get_watermark_offsets(place)[1] for place in places]
    committed = [max(place.offset, 0) for place in consumer.committed(places)]
    consumer.close()
    return sum(ends) - sum(committed)


def kafka_topics(kafka: Broker) -> dict[str, int]:
    """Give the topics of the broker with their numbers of partitions."""
    metadata = Producer({"bootstrap.servers": kafka.bootstrap}).list_topics(timeout=10)
    return {name: len(topic.partitions) for name, topic in metadata.topics.items()}
