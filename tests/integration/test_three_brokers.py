"""Three brokers that lose their leaders, coordinators and lines while a worker is in the midst of its work; the checker is content.

A worker stops itself at a named point (`tests.integration.crash_points`), the broker that matters there is killed, and the worker goes on.
A case in which the broker did not play its part, or nothing moved to another broker, fails: it would show nothing.
`THREE_BROKERS=1` plays them: minutes each, and the exactly-once case is open (docs/reliability.md).
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

import pytest
from confluent_kafka.admin import AdminClient

from monitor.processes import EXIT_TRY_AGAIN
from tests.integration.crash_points import MARK
from tests.integration.system import System, committed, topic_ends
from tests.integration.test_crash_points import SOURCES, Traffic, audited, launch
from tests.kafka.jvm import Cluster, Node
from tests.kafka.processes import wait_until

ALL = bool(os.environ.get("THREE_BROKERS"))
pytestmark = [
    pytest.mark.kafka,
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not ALL, reason="THREE_BROKERS=1 plays it"),
]
GROUP = "test-monitor"
_COORDINATING_PARTITIONS = 4
"""Of `__consumer_offsets` and of `__transaction_state`: see `tests.kafka.jvm.fast_settings`."""


class Roles:
    """Who leads what, as the cluster tells it."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.admin = AdminClient({"bootstrap.servers": cluster.bootstrap, "log_level": 0})

    def leader(self, topic: str, partition: int) -> int:
        return int(self.admin.list_topics(topic, timeout=10).topics[topic].partitions[partition].leader)

    def coordinator(self, topic: str, name: str) -> int:
        """The broker that coordinates a group (`__consumer_offsets`) or a transaction (`__transaction_state`)."""
        return self.leader(topic, _java_hash(name) % _COORDINATING_PARTITIONS)

    def is_whole(self) -> bool:
        """Whether every partition has all of its copies in step."""
        found = self.admin.list_topics(timeout=10)
        return len(found.brokers) == len(self._cluster.nodes) and all(
            len(each.isrs) == len(each.replicas)
            for topic in found.topics.values()
            for each in topic.partitions.values()
        )

    def node(self, number: int) -> Node:
        return next(each for each in self._cluster.nodes if each.id == number)


def _java_hash(text: str) -> int:
    """`String.hashCode` of Java, without its sign, as Kafka chooses a coordinator's partition by it."""
    value = 0
    for letter in text:
        value = (31 * value + ord(letter)) & 0xFFFFFFFF
    return value & 0x7FFFFFFF


@dataclass(slots=True)
class Case:
    """A running monitor on three brokers."""

    cluster: Cluster
    system: System
    roles: Roles
    ledger: Popen[bytes]
    traffic: Traffic

    def stopped_at(self, point: str, nth: int) -> Popen[bytes]:
        """Start a worker and wait until it has stopped itself at a point."""
        name = f"stops-{point.replace(' ', '-')}"
        (self.system.folder / f"{name}.log").unlink(missing_ok=True)
        command = ["-m", "tests.integration.crash_points", point, f"{nth}:SIGSTOP", "worker", "--index", "0"]
        worker = launch(self.system, command, name)
        hit = wait_until(lambda: f"{MARK}{point}\n" in self.log(point) and _is_stopped(worker.pid), 180)
        assert hit, f"{point} was never met\n{self.system.logs()}"
        return worker

    def log(self, point: str) -> str:
        """What the worker that stopped at a point has said."""
        return (self.system.folder / f"stops-{point.replace(' ', '-')}.log").read_text(errors="replace")

    def leader_lost(self, point: str, nth: int, leading: Callable[[], int]) -> None:
        """Kill the broker that leads while the worker is at a point; see that another leads, and the worker's work go on."""
        self.traffic.go_on()
        worker = self.stopped_at(point, nth)
        before = leading()
        self.roles.node(before).kill()
        worker.send_signal(signal.SIGCONT)
        assert wait_until(lambda: leading() not in (before, -1), 90), f"nobody but {before} leads"
        self.traffic.go_on()
        self.settled(worker)
        self.cluster.restart(self.roles.node(before), 180)
        assert wait_until(self.roles.is_whole, 180)

    def settled(self, worker: Popen[bytes]) -> None:
        """Wait until all is judged and committed. Where the worker ended itself, to be started again, the next does it."""
        assert wait_until(lambda: self.reached() or worker.poll() is not None, 240), self.system.logs()
        if worker.poll() is not None:
            assert worker.returncode == EXIT_TRY_AGAIN, self.system.logs()
            worker = launch(self.system, ["-m", "monitor", "worker", "--index", "0"], "next")
            assert wait_until(self.reached, 240), self.system.logs()
        self.end(worker)

    def reached(self) -> bool:
        """Whether the group has committed all that there is."""
        done = committed(self.cluster.bootstrap, GROUP)
        return all(done.get(place, -1) >= end for place, end in self.traffic.ends().items())

    def end(self, worker: Popen[bytes]) -> None:
        worker.terminate()
        worker.wait(40)

    def checked(self) -> None:
        """End it, and ask the checker."""
        self.ledger.terminate()
        self.ledger.wait(30)
        report = audited(self.system)
        assert report["verdict"] == "accounted-for", report["faults"][:10]
        ends = topic_ends(self.system.bootstrap, [str(each["topic"]) for each in SOURCES])
        assert sum(report["offsets"].values()) == sum(ends.values())
        assert report["findings"] > 0
        if self.system.settings["delivery"] == "exactly_once":
            assert report["findings_delivered_again"] == 0


def _is_stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def started(tmp_path: Path, delivery: str, cluster: Cluster, bootstrap: str = "") -> System:
    settings = {
        "kafka": {"bootstrap_servers": bootstrap or cluster.bootstrap, "group": GROUP},
        "delivery": delivery,
        "batch_records": 20,
        "settle_seconds": 0.2,
    }
    return System(cluster.bootstrap, tmp_path / "system", SOURCES, settings, replication=3)


@pytest.fixture(params=["exactly_once", "at_least_once"])
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Case]:
    with Cluster(3) as cluster, started(tmp_path, request.param, cluster) as system:
        ledger = launch(system, ["-m", "monitor", "ledger"], "ledger")
        yield Case(cluster, system, Roles(cluster), ledger, Traffic(system, 30))


def test_leaders_and_coordinators_that_die_in_the_midst_of_a_batch_lose_nothing(case: Case) -> None:
    roles = case.roles
    exactly_once = case.system.settings["delivery"] == "exactly_once"

    def accounting() -> int:
        return roles.leader("privacy.accounting.v1", 0)

    def source() -> int:
        return roles.leader("shop.kong", 0)

    def group() -> int:
        return roles.coordinator("__consumer_offsets", GROUP)

    def transaction() -> int:
        return roles.coordinator("__transaction_state", f"{GROUP}-{os.uname().nodename}-0")

    cases = [
        ("mid-produce", accounting),
        ("after poll", source),
        ("before commit", group),
        ("after produce", accounting),
        ("before poll", group),
    ]
    if exactly_once:
        cases = [
            ("after offsets of transaction", transaction),
            ("mid-produce", accounting),
            ("after begin of transaction", transaction),
            ("before commit of transaction", transaction),
            ("before offsets of transaction", group),
            ("before commit of transaction", accounting),
            ("after poll", source),
        ]
    for point, leading in cases:
        case.leader_lost(point, 2, leading)
    case.checked()


@pytest.mark.parametrize("delivery", ["at_least_once", "exactly_once"])
@pytest.mark.parametrize("way", ["both ways", "requests", "answers"])
def test_a_worker_that_is_cut_off_from_a_leader_for_longer_than_its_session_loses_nothing(
    tmp_path: Path, delivery: str, way: str
) -> None:
    with (
        Cluster(3, proxied=True) as cluster,
        started(tmp_path, delivery, cluster, bootstrap=cluster.proxied) as system,
    ):
        ledger = launch(system, ["-m", "monitor", "ledger"], "ledger")
        case = Case(cluster, system, Roles(cluster), ledger, Traffic(system, 30))
        workers = [launch(system, ["-m", "monitor", "worker", "--index", str(index)], f"w{index}") for index in (0, 1)]
        leaders: list[Callable[[], int]] = [
            lambda: case.roles.coordinator("__consumer_offsets", GROUP),
            lambda: case.roles.leader("privacy.accounting.v1", 0),
        ]
        for leading in leaders:
            case.traffic.go_on()
            assert wait_until(case.reached, 60), system.logs()
            leader = leading()
            proxy = cluster.proxies[leader - 1]
            proxy.cut(requests=way != "answers", answers=way != "requests")
            case.traffic.go_on()
            time.sleep(12)
            assert proxy.held, "the cut held nothing back"
            assert not case.reached(), "the work went on as if nothing were cut"
            assert leading() == leader, "the brokers noticed, and the case was another"
            proxy.heal()
            workers = [
                launch(system, ["-m", "monitor", "worker", "--index", str(index)], f"w{index}")
                if worker.poll() is not None
                else worker
                for index, worker in enumerate(workers)
            ]
            assert wait_until(case.reached, 120), system.logs()
        for worker in workers:
            case.end(worker)
        case.checked()


@pytest.mark.parametrize(
    "point", ["after poll", "mid-produce", "after offsets of transaction", "before commit of transaction"]
)
def test_a_zombie_that_wakes_in_the_midst_of_its_work_changes_nothing(tmp_path: Path, point: str) -> None:
    with Cluster(3) as cluster, started(tmp_path, "exactly_once", cluster) as system:
        ledger = launch(system, ["-m", "monitor", "ledger"], "ledger")
        case = Case(cluster, system, Roles(cluster), ledger, Traffic(system, 30))
        case.traffic.go_on()
        zombie = case.stopped_at(point, 2)
        heir = launch(system, ["-m", "monitor", "worker", "--index", "1"], "heir")
        case.traffic.go_on()
        # The transaction that it holds open hides what stands behind it, and the group's offsets in it, until it is fenced or aborted.
        assert wait_until(lambda: _owns_all(case.roles.admin, 6), 60), system.logs()
        zombie.send_signal(signal.SIGCONT)
        case.traffic.go_on()
        assert wait_until(case.reached, 150), system.logs()
        assert "batch not delivered" in case.log(point) or zombie.poll() is not None, case.log(point)
        for worker in (zombie, heir):
            case.end(worker)
        case.checked()


def _owns_all(admin: AdminClient, partitions: int) -> bool:
    """Whether one member has all partitions of the group."""
    group = admin.describe_consumer_groups([GROUP])[GROUP].result(20)
    return (
        any(len(each.assignment.topic_partitions) == partitions for each in group.members) and len(group.members) == 1
    )
