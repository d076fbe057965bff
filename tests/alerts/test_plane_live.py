"""The alert plane as a process against a real broker."""

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, Producer, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
)

from alerts.episodes import Policy
from alerts.settings import AlertSettings
from tests.alerts.running import Reader, RunningApp, metric
from tests.alerts.traffic import START_MS, Seen, fold
from tests.kafka.broker import Broker, Topics
from tests.kafka.processes import free_ports, wait_until
from topics.triage import Declaration, Declared

PARTITIONS = 2

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


def seen(key: str, offset: int, count: int = 1) -> Seen:
    return Seen(key=key, partition=0, offset=offset, at_ms=START_MS + offset, count=count, subject=f"s{offset}")


@pytest.fixture
def settings(kafka: Broker, topics: Topics, tmp_path: Path) -> AlertSettings:
    findings = topics("findings", partitions=PARTITIONS)
    return AlertSettings(
        app=f"{findings}-app",
        instance="one",
        findings_topic=findings,
        alerts_topic=topics("alerts", partitions=PARTITIONS),
        volumes_topic=topics("volumes", partitions=1),
        partitions=PARTITIONS,
        http_port=free_ports(1)[0],
        tick_seconds=0.2,
        policy=Policy(quiet_seconds=2),
    )


def told(
    kafka: Broker, settings: AlertSettings, enough: Callable[[dict[str, Any]], bool]
) -> tuple[dict[str, Any], Reader]:
    """Read alerts until the newest per key are enough."""
    reader = Reader(kafka.bootstrap, settings.alerts_topic, PARTITIONS)
    newest: dict[str, Any] = {}

    def ready() -> bool:
        reader.read(0.1)
        newest.update((key.decode(), json.loads(value)) for key, value in reader.last().items())
        return enough(newest)

    assert wait_until(ready, 30), newest
    reader.close()
    return newest, reader


@pytest.mark.kafka("transactions")
def test_only_committed_folds_count_and_what_is_no_fold_is_skipped_without_its_text(
    kafka: Broker, settings: AlertSettings, tmp_path: Path
) -> None:
    transactional = Producer({"bootstrap.servers": kafka.bootstrap, "transactional.id": settings.app})
    transactional.init_transactions()
    encoder = msgspec.json.Encoder()
    secret = "ann@example.org"  # must not be repeated anywhere
    junk = [
        b"",
        b"\xff\xfe",
        b"{}",
        b"[" * 100_000,
        json.dumps({"schema": secret, "episode_key": secret}).encode(),
        encoder.encode(fold([seen("a", 3)])).replace(b'"count":1', b'"count":5'),
        encoder.encode(fold([seen("a", 3)])).replace(b'"violation"', f'"{secret}"'.encode()),
        None,
    ]
    with RunningApp(kafka.bootstrap, settings, tmp_path) as app:
        app.ready_after()
        for number in range(10):
            transactional.begin_transaction()
            for key in ("a", "b"):
                transactional.produce(settings.findings_topic, encoder.encode(fold([seen(key, number)])), key)
            if number % 3 == 2:
                transactional.flush()
                transactional.abort_transaction()
            else:
                transactional.produce(settings.findings_topic, junk[number % len(junk)], b"a")
                transactional.commit_transaction()
        newest, reader = told(
            kafka, settings, lambda now: len(now) == 2 and all(alert["state"] == "quiet" for alert in now.values())
        )
        _, page = app.page("/metrics")
        stopped_after = app.stop(signal.SIGINT)
    assert {key: alert["findings"] for key, alert in newest.items()} == {"a": 7, "b": 7}
    assert metric(page, "privacy_alert_findings_total") == 14
    assert metric(page, "privacy_alert_unreadable_folds_total") == 7
    assert metric(page, "privacy_episodes_total") == 2
    assert metric(page, "privacy_alerts_total") == len(reader.records)
    assert metric(page, "privacy_episodes_open") == 0
    assert secret not in app.log.read_text()
    assert secret not in page
    first_key, first_value, attributes = reader.records[0]
    assert attributes["ce_partitionkey"] == first_key
    assert attributes["ce_id"].decode() == json.loads(first_value)["alert_id"]
    assert stopped_after < 5


@pytest.mark.kafka("transactions")
def test_offsets_are_committed_up_to_the_end_across_transaction_markers(
    kafka: Broker, settings: AlertSettings, tmp_path: Path
) -> None:
    transactional = Producer({"bootstrap.servers": kafka.bootstrap, "transactional.id": settings.app})
    transactional.init_transactions()
    for number in range(30):
        transactional.begin_transaction()
        transactional.produce(settings.findings_topic, msgspec.json.encode(fold([seen("a", number)])), b"a")
        transactional.commit_transaction()
    reader = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": "ends"})
    ends = {
        number: reader.get_watermark_offsets(TopicPartition(settings.findings_topic, number))[1]
        for number in range(PARTITIONS)
    }
    reader.close()
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})

    def behind() -> int:
        asked = ConsumerGroupTopicPartitions(settings.app)
        answer = admin.list_consumer_group_offsets([asked])[settings.app].result()
        committed = {
            one.partition: one.offset for one in answer.topic_partitions if one.topic == settings.findings_topic
        }
        # The last marker of a partition is never read as a record, so one may stay.
        return sum(end - max(committed.get(number, 0), 0) for number, end in ends.items())

    with RunningApp(kafka.bootstrap, settings, tmp_path) as app:
        app.ready_after()
        assert wait_until(lambda: behind() <= 1, 15), f"{behind()} offsets stay uncommitted\n{app.tail()}"


@pytest.mark.kafka
def test_health_is_told_and_a_polite_stop_is_quick(kafka: Broker, settings: AlertSettings, tmp_path: Path) -> None:
    with RunningApp(kafka.bootstrap, settings, tmp_path) as app:
        app.ready_after()
        assert app.page("/healthz") == (200, "ok\n")
        assert app.page("/nothing")[0] == 404
        assert app.stop() < 5
        assert app.process.returncode == 0


@pytest.mark.kafka
def test_two_workers_share_the_episodes_and_one_takes_over_when_the_other_dies(
    kafka: Broker, settings: AlertSettings, tmp_path: Path
) -> None:
    producer = Producer({"bootstrap.servers": kafka.bootstrap})
    keys = [f"k{number}" for number in range(20)]

    def send(first: int, last: int) -> None:
        for number in range(first, last):
            for key in keys:
                producer.produce(settings.findings_topic, msgspec.json.encode(fold([seen(key, number)])), key)
            producer.flush(10)
            time.sleep(0.05)

    other = msgspec.structs.replace(settings, http_port=free_ports(1)[0], instance="two")
    folder = tmp_path / "two"
    folder.mkdir()
    with RunningApp(kafka.bootstrap, settings, tmp_path) as one:
        one.ready_after()
        send(0, 20)
        with RunningApp(kafka.bootstrap, other, folder) as two:
            send(20, 40)
            two.ready_after()
            send(40, 80)
            assert wait_until(lambda: metric(two.page("/metrics")[1], "privacy_alert_findings_total") > 0, 30), (
                two.tail()
            )
        send(80, 100)
        newest, _ = told(
            kafka,
            settings,
            lambda now: len(now) == len(keys) and all(alert["findings"] == 100 for alert in now.values()),
        )
    assert {alert["findings"] for alert in newest.values()} == {100}


@pytest.mark.kafka
def test_what_the_broker_does_not_take_is_read_again_and_counted_once(
    kafka: Broker, settings: AlertSettings, tmp_path: Path
) -> None:
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})

    def let_through(most_bytes: int) -> None:
        entry = ConfigEntry("max.message.bytes", str(most_bytes), incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ConfigResource.Type.TOPIC, settings.alerts_topic, incremental_configs=[entry])
        admin.incremental_alter_configs([resource])[resource].result(20)

    producer = Producer({"bootstrap.servers": kafka.bootstrap})
    let_through(100)
    with RunningApp(kafka.bootstrap, settings, tmp_path) as app:
        app.ready_after()
        for number in range(30):
            producer.produce(settings.findings_topic, msgspec.json.encode(fold([seen("a", number)])), b"a")
        assert producer.flush(10) == 0
        refused = "privacy_alert_failed_deliveries_total"
        assert wait_until(lambda: metric(app.page("/metrics")[1], refused) > 1, 30), app.tail()
        let_through(1_000_000)
        newest, _ = told(kafka, settings, lambda now: bool(now) and now["a"]["state"] == "quiet")
        assert newest["a"]["findings"] == 30
        assert app.process.poll() is None, "it went on by itself"


@pytest.mark.kafka
def test_a_process_whose_name_another_took_ends_and_the_other_goes_on(
    kafka: Broker, settings: AlertSettings, tmp_path: Path
) -> None:
    folder = tmp_path / "heir"
    folder.mkdir()
    heir_settings = msgspec.structs.replace(settings, http_port=free_ports(1)[0])
    with RunningApp(kafka.bootstrap, settings, tmp_path) as first:
        first.ready_after()
        with RunningApp(kafka.bootstrap, heir_settings, folder) as heir:
            heir.ready_after()
            assert wait_until(lambda: first.process.poll() == 75, 30), first.tail()
            time.sleep(1)
            assert heir.process.poll() is None


def test_declarations_that_waited_are_taken_once_the_findings_of_their_partition_are_read(
    kafka: Broker, topics: Topics, settings: AlertSettings, tmp_path: Path
) -> None:
    triage = topics("triage", partitions=PARTITIONS)
    settings = msgspec.structs.replace(settings, triage_topic=triage, policy=Policy(quiet_seconds=3_600))
    producer = Producer({"bootstrap.servers": kafka.bootstrap})
    keys = [f"k{number}" for number in range(20)]
    for key in keys:
        breach = Declaration(episode_key=key, what=Declared.BREACH, at_ms=START_MS)
        producer.produce(settings.triage_topic, msgspec.json.encode(breach), key)
        producer.produce(settings.findings_topic, msgspec.json.encode(fold([seen(key, 1)])), key)
    assert producer.flush(20) == 0
    with RunningApp(kafka.bootstrap, settings, tmp_path) as app:
        app.ready_after()
        _, reader = told(
            kafka,
            settings,
            lambda newest: newest.keys() >= set(keys) and all(each["revision"] > 1 for each in newest.values()),
        )
        assert metric(app.page("/metrics")[1], 'privacy_alert_declarations_total{outcome="unknown"}') == 0
    declared = [key for key, value, _ in reader.records if "; declared: a breach" in json.loads(value)["why"]]
    assert sorted(declared) == sorted(key.encode() for key in keys)
