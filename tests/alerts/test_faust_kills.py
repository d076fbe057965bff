"""The alert plane under SIGKILL: what the topics say in the end equals what plain counting says."""

import itertools
import json
import os
import random
import threading
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from confluent_kafka import Producer

from alerts.episodes import Policy
from alerts.settings import AlertSettings
from tests.alerts.running import Reader, RunningApp, metric
from tests.alerts.traffic import Seen, batches, traffic
from tests.kafka.broker import Broker, Topics
from tests.kafka.processes import free_ports, wait_until

KILLS = int(os.environ.get("PRIVACY_MONITOR_KILLS", "10"))
PARTITIONS = 4
INPUT_PARTITIONS = 6
KEYS = [f"episode-{number:02d}" for number in range(50)]


def plain_count(seen: list[Seen]) -> dict[str, dict[str, Any]]:
    """Count without folds, marks or episodes."""
    grouped: defaultdict[str, list[Seen]] = defaultdict(list)
    for one in seen:
        grouped[one.key].append(one)
    return {
        key: {
            "findings": sum(one.count for one in group),
            "first_at_ms": min(one.at_ms for one in group),
            "last_at_ms": max(one.at_ms for one in group),
            "subjects": len({one.subject for one in group}),
        }
        for key, group in grouped.items()
    }


def same_episodes(newest: dict[bytes, bytes]) -> dict[bytes, list[Any]]:
    """Give what the table and the alerts both say of each episode."""
    names = ("findings", "first_at_ms", "last_at_ms", "episode_id", "revision", "state")
    return {key: [json.loads(value)[name] for name in names] for key, value in newest.items()}


def check_history(every: list[dict[str, Any]], episodes: int) -> None:
    """Check all alerts that were ever published: repeated ones are equal, and none is missing."""
    opened = {alert["alert_id"] for alert in every if alert["change"] == "opened"}
    assert len(opened) == episodes, "an episode was opened twice with different ids"
    revisions: defaultdict[str, set[int]] = defaultdict(set)
    for alert in every:
        revisions[alert["episode_id"]].add(alert["revision"])
    assert all(known == set(range(1, max(known) + 1)) for known in revisions.values()), "a change was never told"
    told = {(alert["alert_id"], alert["findings"], alert["state"]) for alert in every}
    assert len(told) == len({alert["alert_id"] for alert in every}), "one id names two different alerts"


class Load(threading.Thread):
    """Writes folds without pause until it is told that enough kills were done, and remembers what it wrote."""

    def __init__(self, bootstrap: str, topic: str, random_: random.Random) -> None:
        super().__init__(daemon=True)
        self.enough = threading.Event()
        self.seen: list[Seen] = []
        self.folds = 0
        self.failed: list[str] = []
        self._random = random_
        self._topic = topic
        self._producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 5, "enable.idempotence": True})

    def run(self) -> None:
        for round_ in itertools.count():
            if self.enough.is_set() and sum(one.count for one in self.seen) >= 5_000:
                break
            parts = []
            for partition in range(INPUT_PARTITIONS):
                items = traffic(self._random, partition, 100, KEYS)
                # Every round goes on where the one before ended.
                items = [replace(one, offset=one.offset + round_ * 10_000) for one in items]
                self.seen += items
                parts.append(batches(self._random, items))
            for made in itertools.chain.from_iterable(itertools.zip_longest(*parts)):
                for one in made or ():
                    self._producer.produce(
                        self._topic, msgspec.json.encode(one), one.episode_key, on_delivery=self._delivered
                    )
                    self.folds += 1
                self._producer.poll(0)
                time.sleep(0.02)
        self._producer.flush(30)

    def _delivered(self, error: object, _: object) -> None:
        if error is not None:
            self.failed.append(str(error))


@pytest.mark.kafka("transactions")
@pytest.mark.slow
@pytest.mark.timeout(120 + 15 * KILLS)
def test_counts_are_exact_after_kills_under_load(kafka: Broker, topics: Topics, tmp_path: Path) -> None:
    seed = int(os.environ.get("PRIVACY_MONITOR_SEED", "20261123"))
    random_ = random.Random(seed)
    findings = topics("findings", partitions=PARTITIONS)
    alerts = topics("alerts", partitions=PARTITIONS)  # not compacted here: every alert is looked at
    settings = AlertSettings(
        brokers=tuple(kafka.bootstrap.split(",")),
        app_id=f"{findings}-app",
        instance_id=os.environ.get("PRIVACY_MONITOR_INSTANCE", "one"),
        findings_topic=findings,
        alerts_topic=alerts,
        volumes_topic=topics("volumes", partitions=1),
        partitions=PARTITIONS,
        http_port=free_ports(1)[0],
        table_folder=str(tmp_path),
        commit_seconds=0.5,
        tick_seconds=0.5,
        policy=Policy(quiet_seconds=6, remind_seconds=2),
    )
    load = Load(kafka.bootstrap, findings, random.Random(seed + 1))
    load.start()
    ready_after = []
    began = time.monotonic()
    for kill in range(KILLS):
        with RunningApp(settings, tmp_path) as app:
            if kill % 4 == 3:
                time.sleep(random_.uniform(1.0, 4.0))  # at any moment of start-up and recovery
            else:
                ready_after.append(app.ready_after())
                time.sleep(random_.uniform(0.05, 2.0))
    under_fire = time.monotonic() - began
    load.enough.set()
    load.join(60)
    assert not load.is_alive()
    assert not load.failed
    truth = plain_count(load.seen)
    reader = Reader(kafka.bootstrap, alerts, PARTITIONS)
    checked = ("findings", "first_at_ms", "last_at_ms", "subjects")
    expected = {key: {**counted, "state": "quiet"} for key, counted in truth.items()}
    told: dict[str, dict[str, Any]] = {}

    def current() -> dict[str, dict[str, Any]]:
        reader.read()
        told.update((key.decode(), json.loads(value)) for key, value in reader.last().items())
        return {key: {name: alert[name] for name in (*checked, "state")} for key, alert in told.items()}

    with RunningApp(settings, tmp_path) as app:
        ready_after.append(app.ready_after())
        wait_until(lambda: current() == expected, 45)
        time.sleep(1.5)  # whatever would still be counted too much
        page = app.page("/metrics")[1]
        stopped_after = app.stop()
    assert current() == expected
    reader.close()
    print(  # noqa: T201 - the figures are the evidence
        f"\n{KILLS} kills in {under_fire:.0f} s, {load.folds} folds, {sum(one.count for one in load.seen)} findings; "
        f"ready after {min(ready_after):.1f} to {max(ready_after):.1f} s, stopped in {stopped_after:.1f} s, "
        f"{1000 * metric(page, 'privacy_alert_fold_seconds_total') / metric(page, 'privacy_alert_folds_total'):.2f} ms a fold"
    )
    kept = Reader(kafka.bootstrap, f"{settings.app_id}-episodes-changelog", PARTITIONS)
    kept.read(1.0)
    kept.close()
    assert same_episodes(kept.last()) == same_episodes(reader.last()), "the table and the alerts disagree"
    check_history([json.loads(value) for _, value, _ in reader.records], episodes=len(truth))
    assert stopped_after < 5
