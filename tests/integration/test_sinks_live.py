"""`privacy-monitor notify` as a process, killed now and then, before targets that fail half of the time."""

import json
import os
import random
import re
import signal
import sqlite3
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.alerts.test_export import history
from tests.integration.system import System
from tests.integration.unsteady import MOODS, RETRY_AFTER, SLOW_SECONDS, Unsteady
from tests.kafka.jvm import Cluster
from tests.kafka.processes import wait_until
from topics.alert import Alert, Change, EpisodeState

pytestmark = [pytest.mark.slow]

ALERTS = int(os.environ.get("PRIVACY_MONITOR_SINK_ALERTS", "4000"))
KEYS = 40
EPISODES = 2
"""Of each key, one after the other's end."""
MOOD_SECONDS = 2.0
FOLD_ABOVE = 200
SOURCES = ({"topic": "shop.events", "adapter": "segment", "service": "web-shop"},)
OPENED = history()[0]
NOW_MS = time.time_ns() // 1_000_000


def alerts_of(key: str, number: int, last: int) -> Iterator[Alert]:
    """Give all alerts of one episode: opened, grown, resolved."""
    for revision in range(1, last + 1):
        over = revision == last
        yield msgspec.structs.replace(
            OPENED,
            alert_id=f"{key}-{number}-{revision}",
            episode_key=key,
            episode_id=f"{key}-{number}",
            revision=revision,
            findings=revision,
            at_ms=NOW_MS + (number * last + revision) * 1000,
            change=Change.RESOLVED if over else Change.OPENED if revision == 1 else Change.GROWN,
            state=EpisodeState.RESOLVED if over else EpisodeState.OPEN,
        )


def everything(random_: random.Random) -> list[Alert]:
    """Give the alerts of all keys, each key's in order, the keys mixed."""
    last = ALERTS // KEYS // EPISODES
    queues = [
        [alert for number in range(EPISODES) for alert in alerts_of(f"key-{key}", number, last)] for key in range(KEYS)
    ]
    turns = [key for key, queue in enumerate(queues) for _ in queue]
    random_.shuffle(turns)
    heads = [iter(queue) for queue in queues]
    return [next(heads[key]) for key in turns]


def sink(name: str, target: Unsteady, **changes: Any) -> dict[str, Any]:
    return {
        "name": name,
        "kind": "webhook",
        "url": f"http://127.0.0.1:{target.port}/in",
        "secret": {"file": "subject.key"},
        "allow_http": True,
        "allow_private": True,
        "requests_per_minute": 6000,
        "timeout_seconds": SLOW_SECONDS * 2 / 3,
        **changes,
    }


def by_key(target: Unsteady) -> dict[str, list[tuple[str, int, bool]]]:
    """Give what a webhook was told of each key, in order: episode, revision, and whether it was its end.

    One that came again under the same id says nothing new: the target had taken it and answered too late.
    """
    told: defaultdict[str, list[tuple[str, int, bool]]] = defaultdict(list)
    seen = set()
    for taken in target.taken:
        for alert in taken.body["alerts"]:
            if alert["alert_id"] in seen:
                continue
            seen.add(alert["alert_id"])
            told[alert["episode_key"]].append((alert["episode_id"], alert["revision"], alert["state"] == "resolved"))
    return told


def check_order(told: dict[str, list[tuple[str, int, bool]]]) -> None:
    """Check that each key's alerts ascend and that an end is the last that is told of its episode."""
    for key, alerts in told.items():
        places = [(episode, revision) for episode, revision, _ in alerts]
        assert places == sorted(set(places)), key
        ended: set[str] = set()
        for episode, _, over in alerts:
            assert episode not in ended, key
            if over:
                ended.add(episode)
        assert len(ended) == EPISODES, key


def check_pauses(target: Unsteady, started: Sequence[float]) -> None:
    """Check that the target was left alone for as long as it asked, but for a sender that was killed meanwhile."""
    for (before, mood), (after, _) in zip(target.at, target.at[1:], strict=False):
        if mood == "429" and not any(before <= moment <= after for moment in started):
            assert after - before >= RETRY_AFTER - 0.01


def peak_memory_mb(pid: int) -> float:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found.group(1)) / 1024


@pytest.mark.timeout(240 + ALERTS // 50)
def test_no_alert_is_lost_or_late_over_targets_that_fail_half_of_the_time(cluster: Cluster, tmp_path: Path) -> None:
    random_ = random.Random(8)
    alerts = everything(random_)
    with ExitStack() as stack:
        each, folding, manager = (stack.enter_context(Unsteady()) for _ in range(3))
        targets = {"each": each, "folding": folding, "manager": manager}
        sinks = [
            sink("each", each, fold_above=ALERTS),
            sink("folding", folding, fold_above=FOLD_ABOVE),
            sink("manager", manager, kind="alertmanager", secret=None, fold_above=FOLD_ABOVE),
        ]
        settings = {"notify": {"allowed_hosts": ["127.0.0.1"], "port": 0, "sinks": sinks}}
        system = stack.enter_context(System(cluster.bootstrap, tmp_path / "monitor", SOURCES, settings))
        spool = tmp_path / "monitor" / "notify.sqlite"
        notify = system.start("notify")
        started = [time.monotonic()]
        most_waiting = 0
        began = time.monotonic()
        assert wait_until(spool.exists, 60), system.logs()
        for number in range(len(MOODS)):
            share = alerts[number * len(alerts) // len(MOODS) : (number + 1) * len(alerts) // len(MOODS)]
            for shift, target in enumerate(targets.values()):
                target.set_mood(MOODS[(number + shift) % len(MOODS)])
            system.produce(
                [("privacy.alerts.v1", each.episode_key.encode(), msgspec.json.encode(each)) for each in share]
            )
            until = time.monotonic() + MOOD_SECONDS * max(1.0, ALERTS / 20_000)
            # A mood lasts until each target that listens has met a request in it, which may take a start.
            while time.monotonic() < until or (time.monotonic() < until + 60 and not all(map(met, targets.values()))):
                most_waiting = max(most_waiting, waiting(spool, "folding"), waiting(spool, "manager"))
                time.sleep(0.2)
            for target in targets.values():
                target.set_mood("ok")
            if number % 3 == 1:
                await_more(each)
                time.sleep(random_.uniform(0.0, 0.2))
                system.kill(notify)
                notify = system.start("notify")
                started.append(time.monotonic())
            wait_until(lambda: all(waiting(spool, name) == 0 for name in targets), 5)
        assert wait_until(
            lambda: all(of_all(each) for each in (each, folding)) and not any(waiting(spool, name) for name in targets),
            90 + ALERTS / 100,
        ), system.logs()
        seconds = time.monotonic() - began
        memory = peak_memory_mb(notify.pid)
        notify.send_signal(signal.SIGTERM)
        assert notify.wait(20) == 0
    kept_mb = sum(file.stat().st_size for file in spool.parent.glob("notify.sqlite*")) / 1e6
    requests = {name: dict(target.met) for name, target in targets.items()}
    print(  # noqa: T201 - the figures are the evidence
        f"\n{len(alerts)} alerts to three targets in {seconds:.0f} s, {len(started) - 1} kills; {memory:.0f} MB, spool "
        f"{kept_mb:.1f} MB, at most {most_waiting} waiting where it folds above {FOLD_ABOVE}; requests {requests}"
    )
    told = by_key(each)
    last = ALERTS // KEYS // EPISODES
    assert {key: len(of_key) for key, of_key in told.items()} == {f"key-{key}": last * EPISODES for key in range(KEYS)}
    check_order(told)
    check_order(by_key(folding))
    check_pauses(each, started)
    assert most_waiting <= FOLD_ABOVE + 500 + KEYS * EPISODES
    assert memory < 250
    for target in targets.values():
        assert set(target.met) == {"ok", *MOODS} - {"down"}
    check_manager(manager)


def await_more(target: Unsteady) -> None:
    """Wait until a request more was taken."""
    before = len(target.taken)
    wait_until(lambda: len(target.taken) > before, 10)


def met(target: Unsteady) -> bool:
    return target.mood == "down" or target.met[target.mood] > 0


def waiting(spool: Path, name: str) -> int:
    with closing(sqlite3.connect(f"file:{spool}?mode=ro", uri=True)) as db:
        try:
            return int(db.execute("SELECT count(*) FROM waiting WHERE sink = ?", (name,)).fetchone()[0])
        except sqlite3.OperationalError:
            return 0


def of_all(target: Unsteady) -> bool:
    """Say whether every episode's end was told."""
    ends = {
        alert["episode_id"]
        for taken in list(target.taken)
        for alert in taken.body["alerts"]
        if alert["state"] == "resolved"
    }
    return len(ends) == KEYS * EPISODES


def check_manager(target: Unsteady) -> None:
    """Check that Alertmanager's last word of each episode is its end, with the whole count."""
    newest: dict[str, Any] = {}
    for taken in target.taken:
        newest.update((alert["labels"]["episode"], alert) for alert in taken.body)
    assert len(newest) == KEYS * EPISODES
    last = ALERTS // KEYS // EPISODES
    for alert in newest.values():
        assert alert["annotations"]["description"].startswith(f"{last} findings"), json.dumps(alert)
        assert alert["endsAt"] < "2040"
