"""The ledger process on Apache Kafka: it catches up under a steady flow, knows a compacted topic, and mends its file."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from detectors.consent.ledger import Choice, Coverage, Forgets
from monitor.ledger_files import report
from monitor.ledger_reader import LedgerReader
from tests.integration.system import System, page
from tests.kafka.broker import create_topic
from tests.kafka.jvm import Cluster

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

PERSON = f"k1.{7:032x}"
SOURCES = ({"topic": "shop.events", "adapter": "segment"},)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster(1) as started:
        yield started


class Ledger:
    """A ledger process, and a reader of its file."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.process = system.start("ledger")
        self._reader = LedgerReader(system.folder / "ledger.lmdb")

    def choices(self) -> list[Choice] | None:
        """Give what is known of the person; None while the ledger does not speak."""
        view = self._reader.view()
        try:
            return list(view.choices([PERSON])) if view.coverage(0) is Coverage.READY else None
        finally:
            view.close()

    def await_choices(self, fit: Callable[[list[Choice]], bool] = bool) -> list[Choice]:
        deadline = time.monotonic() + 60
        while (known := self.choices()) is None or not fit(known):
            assert time.monotonic() < deadline, f"{known}\n{self.system.logs()}"
            time.sleep(0.1)
        return known

    def metrics(self) -> str:
        urls = re.findall(r'"pages": "([^"]+)"', self.system.logs())
        return page(urls[-1] + "/metrics")


def refusal(number: int, person: str = PERSON) -> bytes:
    return json.dumps({"at_ms": 1000 + number, "subject": person, "refused": ["advertising"]}).encode()


@pytest.fixture
def system(cluster: Cluster, tmp_path: Path) -> Iterator[System]:
    # A topic of its own for each test.
    name = f"consent.{tmp_path.name}"
    settings = {"consent": {"topic": name, "path": "ledger.lmdb", "map_size_mb": 128}}
    create_topic(cluster.bootstrap, name, 2, {"cleanup.policy": "compact" if "compacted" in name else "delete"})
    with System(cluster.bootstrap, tmp_path, SOURCES, settings) as made:
        yield made


def topic_of(system: System) -> str:
    return f"consent.{system.folder.name}"


def test_a_steady_flow_of_consent_does_not_keep_the_ledger_from_speaking(system: System) -> None:
    stop = threading.Event()
    sent = 0

    def flow() -> None:
        nonlocal sent
        producer = Producer({"bootstrap.servers": system.bootstrap, "linger.ms": 5, "log_level": 0})
        while not stop.is_set():
            for _ in range(100):
                producer.produce(topic_of(system), refusal(0, f"k1.{sent:032x}"))
                sent += 1
            producer.poll(0)
            time.sleep(0.02)
        producer.flush(10)

    thread = threading.Thread(target=flow)
    thread.start()
    try:
        ledger = Ledger(system)
        ledger.await_choices()
        assert sent > 0
        assert thread.is_alive()
    finally:
        stop.set()
        thread.join(30)


def test_of_a_compacted_topic_the_process_learns_from_the_broker(system: System) -> None:
    system.produce([(topic_of(system), PERSON.encode(), refusal(0))])
    (choice,) = Ledger(system).await_choices()
    assert choice.forgets is Forgets.EARLIER
    assert "the consent topic is compacted" in system.logs()


def test_a_file_that_a_worker_could_not_read_is_made_anew_and_told(system: System) -> None:
    system.produce([(topic_of(system), PERSON.encode(), refusal(number)) for number in range(3)])
    ledger = Ledger(system)
    assert len(ledger.await_choices(lambda known: len(known) == 3)) == 3
    assert 'rebuilds_total{reason="unreadable"}' not in ledger.metrics()
    report(system.folder / "ledger.lmdb")
    deadline = time.monotonic() + 60
    while 'privacy_monitor_ledger_rebuilds_total{reason="unreadable"} 1.0' not in ledger.metrics():
        assert time.monotonic() < deadline, system.logs()
        time.sleep(0.1)
    assert len(ledger.await_choices(lambda known: len(known) == 3)) == 3
    assert "the ledger is damaged, reading its topics anew" in system.logs()
    assert (system.folder / "ledger.lmdb" / "data.mdb.damaged").exists()
    assert ledger.process.poll() is None


def test_a_tombstone_takes_a_person_out_of_a_running_ledger(system: System) -> None:
    system.produce([(topic_of(system), PERSON.encode(), refusal(0))])
    ledger = Ledger(system)
    ledger.await_choices()
    system.produce([(topic_of(system), PERSON.encode(), None)])
    known = ledger.await_choices(lambda known: known[0].forgets is Forgets.ERASED)
    assert [each.refused for each in known] == [()]
