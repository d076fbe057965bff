"""The running monitor on Apache Kafka: killed in the middle, started again, ended politely, and nothing is lost."""

import json
import os
import signal
import time
from collections import Counter
from itertools import islice
from pathlib import Path

import msgspec
import pytest
from confluent_kafka import Consumer, TopicPartition

from monitor.context import adapters, load_all
from monitor.ledger import LedgerWriter
from monitor.pipeline import process
from monitor.shop import Shop
from tests.conftest import skip_or_fail
from tests.integration.system import System, distinct_findings, topic_ends
from tests.kafka.jvm import Cluster
from tests.kafka.processes import Unavailable, wait_until
from topics.record import RawRecord

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

PIECES = 1_600
TOPICS = {"events": "shop.events", "kong": "shop.kong"}
SOURCES = (
    {"topic": "shop.events", "adapter": "segment", "service": "web-shop"},
    {"topic": "shop.kong", "adapter": "kong", "service": "api-gateway", "body": "request.body"},
)
CONSENT = "privacy.consent.v1"


@pytest.mark.parametrize("delivery", ["at_least_once", "exactly_once"])
def test_kills_in_the_middle_lose_nothing_and_invent_nothing(delivery: str, tmp_path: Path) -> None:
    start_ms = time.time_ns() // 1_000_000 - PIECES * 5
    pieces = list(islice(Shop(23, start_ms).stream(), PIECES))
    traffic = [(TOPICS[each.role], each.key, each.value) for each in pieces if each.role in TOPICS]
    parts = [traffic[index::4] for index in range(4)]
    settings = {"delivery": delivery, "batch_records": 20, "settle_seconds": 0.2}
    try:
        cluster = Cluster()
    except Unavailable as reason:
        skip_or_fail(f"no Apache Kafka on the JVM: {reason}")
    with cluster, System(cluster.bootstrap, tmp_path / "system", SOURCES, settings) as system:
        system.produce([(CONSENT, each.key, each.value) for each in pieces if each.role == "consent"])
        produced = system.produce(parts[0])
        running = system.start("run")
        await_some_accounting(system, 1)
        for number, part in enumerate(parts[1:3]):
            produced += system.produce(part)
            await_some_accounting(system, 2 + number)
            system.kill(running)
            assert wait_until(lambda: not processes_of(system.config), 5), "children die with their supervisor"
            running = system.start("run")
        # The third time the worker alone: its supervisor starts it again.
        produced += system.produce(parts[3])
        assert wait_until(lambda: bool(processes_of(system.config, "worker")), 20)
        (worker,) = processes_of(system.config, "worker")
        os.kill(worker, signal.SIGKILL)
        accounting = system.await_judged(60)
        running.terminate()
        assert running.wait(20) == 0, system.logs()
        assert processes_of(system.config) == []
        assert '"process ended and is started again"' in system.logs()

        offsets: dict[tuple[str, int], Counter[int]] = {}
        for each in accounting:
            assert sum(length for length, _ in each["runs"]) == each["end"] - each["start"]
            offsets.setdefault((each["topic"], each["partition"]), Counter()).update(range(each["start"], each["end"]))
        ends = Counter((topic, partition) for topic, partition, _ in produced)
        assert {place: sorted(counted) for place, counted in offsets.items()} == {
            place: list(range(end)) for place, end in ends.items()
        }
        if delivery == "exactly_once":
            assert {count for counted in offsets.values() for count in counted.values()} == {1}
        found = distinct_findings(system.read("privacy.findings.v1"))
        expected = judged_in_this_process(system, tmp_path)
        assert len(expected) >= 5
        assert found == expected


def test_a_polite_end_keeps_what_was_judged_and_leaves_nobody(own_cluster: object, tmp_path: Path) -> None:
    assert callable(own_cluster)
    with System(own_cluster().bootstrap, tmp_path / "system", SOURCES, {"batch_records": 20}) as system:
        pieces = islice(Shop(5, time.time_ns() // 1_000_000).stream(), 400)
        places = system.produce([(TOPICS[each.role], each.key, each.value) for each in pieces if each.role in TOPICS])
        for _ in range(2):
            # Ended as soon as it has begun, in the middle of the topic or not: what it said, it committed.
            running = system.start("run", "--workers", "2")
            assert wait_until(lambda: len(processes_of(system.config, "worker")) == 2, 30), system.logs()
            await_some_accounting(system, 1)
            running.terminate()
            assert running.wait(20) == 0, system.logs()
            assert processes_of(system.config) == []
        running = system.start("run")
        accounting = system.await_judged(40)
        running.terminate()
        assert running.wait(20) == 0, system.logs()
        assert processes_of(system.config) == []
        said: Counter[tuple[str, int, int]] = Counter()
        for each in accounting:
            said.update((each["topic"], each["partition"], offset) for offset in range(each["start"], each["end"]))
        assert said == Counter(places), "an end that is not a crash delivers nothing twice"


def await_some_accounting(system: System, records: int) -> None:
    assert wait_until(lambda: len(system.read("privacy.accounting.v1")) >= records, 40), system.logs()


def processes_of(config: Path, command: str = "") -> list[int]:
    """Find processes, zombies not counted, of a monitor with this configuration."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().decode().split("\0")
        except OSError:
            continue
        if str(config) in words and (not command or command in words):
            found.append(int(entry.name))
    return found


def judged_in_this_process(system: System, folder: Path) -> dict[str, Counter[tuple[str, int, int]]]:
    """Judge what the topics hold in one batch, with a ledger that has read all consent."""
    settings, loaded, _ = load_all(system.config)
    ledger = LedgerWriter(folder / "ledger", loaded.key, 64, CONSENT)
    ledger.apply(read_records(system.bootstrap, CONSENT), 1000)
    ledger.mark_fresh(time.time_ns() // 1_000_000 + 60_000)
    view = ledger.view()
    try:
        context = msgspec.structs.replace(loaded.context(adapters(settings), "any"), ledger=view)
        batch = [record for topic in TOPICS.values() for record in read_records(system.bootstrap, topic)]
        folds = process(batch, context, {}).folds
        live = [json.loads(msgspec.json.encode(each)) for each in folds if each.mode == "live"]
        return distinct_findings(live)
    finally:
        view.close()
        ledger.close()


def read_records(bootstrap: str, topic: str) -> list[RawRecord]:
    ends = topic_ends(bootstrap, [topic])
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "comparison", "enable.auto.commit": False})
    records: list[RawRecord] = []
    try:
        consumer.assign([TopicPartition(topic, partition, 0) for topic, partition in ends])
        while len(records) < sum(ends.values()):
            message = consumer.poll(10)
            assert message is not None
            assert message.error() is None
            time_ms = message.timestamp()[1]
            place = message.topic() or "", message.partition() or 0, message.offset() or 0
            records.append(RawRecord(*place, time_ms, message.key(), message.value()))
    finally:
        consumer.close()
    return sorted(records, key=lambda record: (record.partition, record.offset))
