"""The watch on progress against a real broker: a stalled process ends, an idle one does not."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from confluent_kafka import Producer

from alerts.settings import AlertSettings
from tests.alerts.running import RunningApp, metric
from tests.alerts.traffic import START_MS, Seen, fold
from tests.kafka.broker import Broker, Topics
from tests.kafka.processes import free_ports, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

# Faust's own faults cannot be called up at will: here the source partitions are never resumed after recovery.
STALLED = """
import sys
from alerts import app
from alerts.__main__ import main
hold = app._Consumer.resume_flow
def resume_flow(self):
    self._held = set()
    hold(self)
app._Consumer.resume_flow = resume_flow
sys.argv = ["alerts", sys.argv[1]]
main()
"""


@pytest.fixture
def settings(kafka: Broker, topics: Topics, tmp_path: Path) -> AlertSettings:
    findings = topics("findings", partitions=1)
    return AlertSettings(
        brokers=tuple(kafka.bootstrap.split(",")),
        app_id=f"{findings}-app",
        instance_id="one",
        findings_topic=findings,
        alerts_topic=topics("alerts", partitions=1),
        volumes_topic=topics("volumes", partitions=1),
        partitions=1,
        http_port=free_ports(1)[0],
        commit_seconds=0.2,
        tick_seconds=0.2,
        stall_seconds=9.0,  # a look waits for the fetch of a second in the consumer thread, twice
    )


def record(offset: int) -> bytes:
    return msgspec.json.encode(fold([Seen("a", 0, offset, START_MS + offset, 1, f"s{offset}")]))


def counted(app: RunningApp, findings: int) -> Callable[[], bool]:
    return lambda: metric(app.page("/metrics")[1], "privacy_alert_findings_total") == findings


def test_a_stalled_process_ends_and_the_next_one_counts_what_waited(settings: AlertSettings, tmp_path: Path) -> None:
    producer = Producer({"bootstrap.servers": ",".join(settings.brokers)})
    for number in range(20):
        producer.produce(settings.findings_topic, record(number), b"a")
    producer.flush()
    path = tmp_path / "stalled.json"
    path.write_bytes(msgspec.json.encode(settings))
    ended = subprocess.run(
        [sys.executable, "-c", STALLED, str(path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 75, ended.stderr
    assert "at offset 0 of 20: ending" in ended.stderr
    with RunningApp(settings, tmp_path) as app:
        app.ready_after()
        assert wait_until(counted(app, 20), 20)


@pytest.mark.kafka("transactions")
def test_markers_and_an_open_transaction_are_no_backlog(settings: AlertSettings, tmp_path: Path) -> None:
    producer = Producer({"bootstrap.servers": ",".join(settings.brokers), "transactional.id": settings.app_id})
    producer.init_transactions()
    with RunningApp(settings, tmp_path) as app:
        app.ready_after()
        producer.begin_transaction()
        producer.produce(settings.findings_topic, record(0), b"a")
        producer.commit_transaction()
        producer.begin_transaction()
        producer.produce(settings.findings_topic, record(1), b"a")
        producer.flush()
        producer.abort_transaction()
        producer.begin_transaction()
        producer.produce(settings.findings_topic, record(2), b"a")
        producer.flush()
        assert wait_until(counted(app, 1), 20)
        time.sleep(2 * settings.stall_seconds)
        assert app.process.poll() is None, app.tail()
        producer.commit_transaction()
        assert wait_until(counted(app, 2), 20)
