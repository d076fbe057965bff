"""Every named crash point, hit by a real process on Apache Kafka; the independent checker is content after all of them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from monitor.shop import Shop
from tests.integration.crash_points import MARK
from tests.integration.system import System, topic_ends
from tests.kafka.jvm import Cluster
from tests.kafka.processes import wait_until

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(600)]

TOPICS = {"consent": "privacy.consent.v1", "events": "shop.events", "kong": "shop.kong"}
SOURCES = (
    {"topic": "shop.events", "adapter": "segment", "service": "web-shop"},
    {"topic": "shop.kong", "adapter": "kong", "service": "api-gateway", "body": "request.body"},
)
COMMON = (
    "at start",
    "before poll",
    "after poll",
    "before assignment",
    "after assignment",
    "before judging",
    "after judging",
    "before ledger view",
    "after ledger view",
    "mid-produce",
)
AT_LEAST_ONCE = ("before produce", "after produce", "before commit", "after commit")
EXACTLY_ONCE = (
    "after begin of transaction",
    "before offsets of transaction",
    "after offsets of transaction",
    "before commit of transaction",
    "after commit of transaction",
)
LEDGER = ("before ledger write", "after ledger write", "before ledger is fresh", "after ledger is fresh")
PIECES = 2_400
BROKERS = int(os.environ.get("CRASH_BROKERS", "1"))


class Traffic:
    """The shop's traffic, given out in parts, so that every crash happens with something to do."""

    def __init__(self, system: System, parts: int) -> None:
        start_ms = time.time_ns() // 1_000_000 - PIECES * 5
        pieces = list(islice(Shop(31, start_ms).stream(), PIECES))
        traffic = [(TOPICS[each.role], each.key, each.value) for each in pieces if each.role in TOPICS]
        self._system = system
        self._ends: dict[tuple[str, int], int] = {}
        self._parts = iter([traffic[index::parts] for index in range(parts)])

    def go_on(self) -> None:
        for topic, partition, offset in self._system.produce(next(self._parts)):
            if topic != TOPICS["consent"]:
                self._ends[topic, partition] = max(offset + 1, self._ends.get((topic, partition), 0))

    def ends(self) -> dict[tuple[str, int], int]:
        """Give the end of each source partition that holds something, by the word of the producer."""
        return dict(self._ends)


def launch(system: System, command: Sequence[str], name: str) -> subprocess.Popen[bytes]:
    with (system.folder / f"{name}.log").open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, *command, "--config", str(system.config)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    system.processes.append(process)
    return process


def crashed(system: System, point: str, nth: int, command: Sequence[str]) -> None:
    """Start a process that dies at a point, and see that it died there and nowhere else."""
    name = point.replace(" ", "-")
    process = launch(system, ["-m", "tests.integration.crash_points", point, str(nth), *command], name)
    assert process.wait(60) == -signal.SIGKILL, system.logs()
    assert f"{MARK}{point}\n" in (system.folder / f"{name}.log").read_text(), f"{point} was never hit"


def audited(system: System) -> dict[str, Any]:
    command = [sys.executable, "-m", "monitor", "audit", "--json", "--settle-seconds", "0"]
    done = subprocess.run([*command, "--config", str(system.config)], capture_output=True, check=False, timeout=180)
    assert done.stdout, done.stderr.decode()
    report: dict[str, Any] = json.loads(done.stdout)
    return report


@pytest.fixture(params=["at_least_once", "exactly_once"])
def system(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[System]:
    settings = {"delivery": request.param, "batch_records": 20, "settle_seconds": 0.2}
    with (
        Cluster(BROKERS) as cluster,
        System(cluster.bootstrap, tmp_path / "system", SOURCES, settings, replication=BROKERS) as running,
    ):
        yield running


def test_a_crash_at_any_point_loses_nothing_and_invents_nothing(system: System) -> None:
    exactly_once = system.settings["delivery"] == "exactly_once"
    points = (*COMMON, *(EXACTLY_ONCE if exactly_once else (*AT_LEAST_ONCE, *LEDGER)))
    traffic = Traffic(system, len(points) + 1)
    ledger = launch(system, ["-m", "monitor", "ledger"], "ledger")
    for point in points:
        traffic.go_on()
        if point in LEDGER:
            ledger.kill()
            ledger.wait()
            crashed(system, point, 1, ["ledger"])
            ledger = launch(system, ["-m", "monitor", "ledger"], "ledger")
        else:
            # Deep in the work where a point is passed often, so that something was delivered before the end.
            often = point not in {"at start", "before assignment", "after assignment"}
            crashed(system, point, 2 if often else 1, ["worker", "--index", "0"])
    traffic.go_on()
    workers = [launch(system, ["-m", "monitor", "worker", "--index", str(index)], "worker") for index in (0, 1)]
    system.await_judged(120)
    for process in (*workers, ledger):
        process.terminate()
    assert [process.wait(30) for process in (*workers, ledger)] == [0, 0, 0], system.logs()

    report = audited(system)
    assert report["verdict"] == "accounted-for", report["faults"][:10]
    assert sum(report["offsets"].values()) == sum(
        topic_ends(system.bootstrap, [str(each["topic"]) for each in SOURCES]).values()
    )
    assert report["findings"] > 0
    if exactly_once:
        assert report["findings_delivered_again"] == 0


def test_zombies_storms_of_rebalances_and_a_broker_that_restarts_lose_nothing(tmp_path: Path) -> None:
    settings = {"batch_records": 20, "settle_seconds": 0.2, "delivery": "exactly_once"}
    with Cluster(1) as cluster, System(cluster.bootstrap, tmp_path / "system", SOURCES, settings) as system:
        traffic = Traffic(system, 8)
        ledger = launch(system, ["-m", "monitor", "ledger"], "ledger")
        workers = {
            index: launch(system, ["-m", "monitor", "worker", "--index", str(index)], f"w{index}") for index in (0, 1)
        }
        traffic.go_on()
        assert wait_until(lambda: bool(system.read("privacy.accounting.v1")), 60), system.logs()
        # A zombie: stopped for longer than a session, replaced by nobody but its neighbour, and back again.
        traffic.go_on()
        workers[0].send_signal(signal.SIGSTOP)
        traffic.go_on()
        time.sleep(9)
        workers[0].send_signal(signal.SIGCONT)
        # A storm: members come and go while there is work.
        for index in (2, 3, 4):
            traffic.go_on()
            workers[index] = launch(system, ["-m", "monitor", "worker", "--index", str(index)], f"w{index}")
            time.sleep(1.5)
            gone = workers.pop(min(workers))
            gone.kill() if index % 2 else gone.terminate()
            gone.wait(30)
        # The broker dies under them and comes back.
        traffic.go_on()
        cluster.nodes[0].kill()
        time.sleep(2)
        cluster.restart(cluster.nodes[0])
        traffic.go_on()
        workers |= {
            index: launch(system, ["-m", "monitor", "worker", "--index", str(index)], f"w{index}")
            for index, process in workers.items()
            if process.poll() is not None
        }
        if ledger.poll() is not None:
            ledger = launch(system, ["-m", "monitor", "ledger"], "ledger")
        system.await_judged(120)
        for process in (*workers.values(), ledger):
            process.terminate()
        for process in (*workers.values(), ledger):
            process.wait(30)
        report = audited(system)
        assert report["verdict"] == "accounted-for", report["faults"][:10]
        assert report["findings_delivered_again"] == 0
        assert sum(report["offsets"].values()) == sum(
            topic_ends(system.bootstrap, [str(each["topic"]) for each in SOURCES]).values()
        )

        fold = {**system.read("privacy.findings.v1")[0], "episode_key": "forged", "exemplars": []}
        claim = system.read("privacy.accounting.v1")[0]
        system.produce(
            [
                ("privacy.findings.v1", b"forged", json.dumps(fold).encode()),
                ("privacy.accounting.v1", b"forged", json.dumps({**claim, "findings": claim["findings"] + 1}).encode()),
                ("privacy.findings.v1", b"forged", b"no fold"),
            ]
        )
        report = audited(system)
        assert report["verdict"] == "wrong"
        assert {"finding-invented", "finding-count"} <= {each["kind"] for each in report["faults"]}
        assert len(report["unreadable"]) == 1
