"""The alert plane under faults: what the topics say in the end equals what plain counting says.

Two workers share the episodes. They are killed, stopped and resumed, asked to leave, joined by a third, and their broker
is killed and restarted, while findings flow without pause.
"""

import itertools
import json
import os
import random
import signal
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
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
from tests.kafka.broker import create_topic, unique_name
from tests.kafka.jvm import Cluster
from tests.kafka.processes import free_ports, wait_until

KILLS = int(os.environ.get("PRIVACY_MONITOR_KILLS", "10"))
FINDINGS = 1_000 * KILLS
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
    """Writes folds without pause until it is told that there were faults enough, and remembers what it wrote."""

    def __init__(self, bootstrap: str, topic: str, random_: random.Random) -> None:
        super().__init__(daemon=True)
        self.enough = threading.Event()
        self.seen: list[Seen] = []
        self.folds = 0
        self.failed: list[str] = []
        self._random = random_
        self._topic = topic
        self._producer = Producer(
            {"bootstrap.servers": bootstrap, "linger.ms": 5, "enable.idempotence": True, "log_level": 0}
        )

    def run(self) -> None:
        for round_ in itertools.count():
            if self.enough.is_set() and self.findings() >= FINDINGS:
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

    def findings(self) -> int:
        return sum(one.count for one in self.seen)

    def _delivered(self, error: object, _: object) -> None:
        if error is not None:
            self.failed.append(str(error))


class Workers:
    """Two replicas of the alert plane that are started again whenever they have ended, as a supervisor would."""

    def __init__(
        self, bootstrap: str, settings: AlertSettings, folder: Path, random_: random.Random, *, exactly_once: bool
    ) -> None:
        self._exactly_once = exactly_once
        self._bootstrap = bootstrap
        self._settings = settings
        self._folder = folder
        self._random = random_
        self.running: dict[str, RunningApp] = {}
        self.ready_after: list[float] = []
        self._starting: set[str] = set()
        self.faults: Counter[str] = Counter()
        for name in ("one", "two"):
            self.start(name)

    def start(self, name: str, instance: str | None = None) -> RunningApp:
        folder = self._folder / name
        folder.mkdir(exist_ok=True)
        settings = msgspec.structs.replace(
            self._settings,
            instance=name if instance is None else instance,
            transactional_id=f"{self._settings.app}-{name}" if self._exactly_once else "",
            http_port=free_ports(1)[0],
        )
        self.running[name] = RunningApp(self._bootstrap, settings, folder)
        self._starting.add(name)
        return self.running[name]

    def ready(self) -> None:
        """Wait until all are ready; one that ended by itself is started again and counted."""
        for name in list(self.running):
            until = time.monotonic() + 180.0
            while True:
                app = self.running[name]
                if app.process.poll() is not None:
                    self.faults[f"ended by itself ({app.process.returncode})"] += 1
                    app = self.start(name)
                if app.page("/readyz")[0] == 200:
                    if name in self._starting:
                        self.ready_after.append(time.monotonic() - app.started_at)
                        self._starting.discard(name)
                    break
                assert time.monotonic() < until, f"{name} is not ready\n{app.tail()}"
                time.sleep(0.05)

    def revived(self) -> bool:
        """Start those again that ended by themselves with code 75; give True."""
        for name, app in list(self.running.items()):
            if app.process.poll() == 75:
                self.faults["ended by itself (75)"] += 1
                self.start(name)
        return True

    def kill(self) -> None:
        """Kill one at work, one that is just starting, or one so long that the other takes its partitions over."""
        name = self._random.choice(("one", "two"))
        ways = ("killed", "killed", "killed", "killed in its start", "killed and replaced late")
        way = self._random.choice(ways)
        if way == "killed in its start":
            self.running[name].kill()
            self.start(name)
            time.sleep(self._random.uniform(1.0, 4.0))
        self.faults[way] += 1
        self.running[name].kill()
        if way == "killed and replaced late":
            time.sleep(self._settings.session_seconds + self._random.uniform(0.5, 2.0))
        self.start(name)
        self.ready()
        time.sleep(self._random.uniform(0.05, 1.5))

    def stop_and_go_on(self) -> None:
        """Let one stand still until the other has its partitions and works on them; then it may write nothing more."""
        name, other = self._random.sample(("one", "two"), 2)
        self.ready()
        stopped = self.running[name]
        stopped.process.send_signal(signal.SIGSTOP)
        time.sleep(self._settings.session_seconds + 2.0)
        stopped.process.send_signal(signal.SIGCONT)
        if self._exactly_once:
            # The broker refuses what it writes; it goes back to what is remembered and takes its part again.
            time.sleep(1.0)
            assert stopped.process.poll() is None, stopped.tail()
        else:
            assert stopped.process.wait(10) == 75, "a worker that stood still went on"
        self.faults["stopped until it was replaced, and awake again"] += 1
        self.running[other].kill()  # what it knew must not have been written over
        self.faults["killed"] += 1
        if stopped.process.poll() is not None:
            self.start(name)
        self.start(other)
        self.ready()

    def leave_and_join(self) -> None:
        """Let a third join and leave again, and one of the two leave in order and come back."""
        self.start("three", instance="")
        self.ready()
        time.sleep(1.0)
        self.running.pop("three").stop()
        name = self._random.choice(("one", "two"))
        self.running[name].stop()
        self.start(name)
        self.ready()
        self.faults["joined and left"] += 2

    def end(self) -> None:
        for app in self.running.values():
            app.kill()


def restart(cluster: Cluster, random_: random.Random) -> None:
    cluster.nodes[0].kill()
    time.sleep(random_.uniform(0.0, 2.0))
    cluster.restart(cluster.nodes[0])


def put_under_fire(workers: Workers, cluster: Cluster, random_: random.Random, kills: int) -> float:
    """Do all the faults; give how many seconds that took."""
    began = time.monotonic()
    for number in range(kills):
        workers.kill()
        if number % 10 == 3:
            restart(cluster, random_)
            workers.faults["broker killed and restarted"] += 1
            workers.ready()
        if number % 10 == 6:
            workers.stop_and_go_on()
        if number % 10 == 8:
            workers.leave_and_join()
    return time.monotonic() - began


@pytest.mark.slow
@pytest.mark.timeout(300 + 30 * KILLS)
@pytest.mark.parametrize(("exactly_once", "kills"), [(False, KILLS), (True, max(7, KILLS // 2))])
def test_counts_are_exact_after_faults_under_load(
    own_cluster: Callable[[int], Cluster], tmp_path: Path, *, exactly_once: bool, kills: int
) -> None:
    cluster = own_cluster(1)  # of its own, for it is killed
    seed = int(os.environ.get("PRIVACY_MONITOR_SEED", "20261123"))
    random_ = random.Random(seed)

    def topic(name: str, partitions: int = PARTITIONS) -> str:
        return create_topic(cluster.bootstrap, unique_name(name), partitions)

    findings = topic("findings")
    alerts = topic("alerts")  # not compacted here: every alert is looked at
    settings = AlertSettings(
        app=f"{findings}-app",
        findings_topic=findings,
        alerts_topic=alerts,
        volumes_topic=topic("volumes", 1),
        partitions=PARTITIONS,
        tick_seconds=0.5,
        policy=Policy(quiet_seconds=6, remind_seconds=2),
    )
    load = Load(cluster.bootstrap, findings, random.Random(seed + 1))
    load.start()
    workers = Workers(cluster.bootstrap, settings, tmp_path, random_, exactly_once=exactly_once)
    try:
        workers.ready()
        under_fire = put_under_fire(workers, cluster, random_, kills)
        load.enough.set()
        load.join(600)
        assert not load.is_alive()
        assert not load.failed
        truth = plain_count(load.seen)
        reader = Reader(cluster.bootstrap, alerts, PARTITIONS)
        checked = ("findings", "first_at_ms", "last_at_ms", "subjects")
        expected = {key: {**counted, "state": "quiet"} for key, counted in truth.items()}
        told: dict[str, dict[str, Any]] = {}

        def current() -> dict[str, dict[str, Any]]:
            reader.read()
            told.update((key.decode(), json.loads(value)) for key, value in reader.last().items())
            return {key: {name: alert[name] for name in (*checked, "state")} for key, alert in told.items()}

        workers.ready()
        wait_until(lambda: workers.revived() and current() == expected, 90)
        time.sleep(1.5)  # whatever would still be counted too much
        pages = "\n".join(app.page("/metrics")[1] for app in workers.running.values())
    finally:
        workers.end()
    assert current() == expected
    reader.close()
    kept = Reader(cluster.bootstrap, settings.episodes_topic, PARTITIONS)
    kept.read(1.0)
    kept.close()
    assert same_episodes(kept.last()) == same_episodes(reader.last()), "the table and the alerts disagree"
    check_history([json.loads(value) for _, value, _ in reader.records], episodes=len(truth))
    assert workers.faults["stopped until it was replaced, and awake again"] >= kills // 10
    assert workers.faults["broker killed and restarted"] >= kills // 10
    per_fold = metric(pages, "privacy_alert_fold_seconds_total") / metric(pages, "privacy_alert_folds_total")
    figures = (
        f"{'exactly' if exactly_once else 'at least'} once, seed {seed}, {under_fire:.0f} s under fire, {load.folds} folds, {load.findings()} findings, "
        f"ready after {min(workers.ready_after):.1f} to {max(workers.ready_after):.1f} s, {1000 * per_fold:.2f} ms a fold; "
        + ", ".join(f"{name}: {count}" for name, count in sorted(workers.faults.items()))
    )
    print("\n" + figures)  # noqa: T201 - the figures are the evidence
