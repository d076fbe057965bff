"""The canary on a real broker: it arrives when the monitor runs, and says where it was lost when it does not."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry

from monitor.minute_canary import MinuteCanary
from tests.conftest import skip_or_fail
from tests.integration.system import System
from tests.kafka.jvm import Cluster
from tests.kafka.processes import Unavailable, wait_until

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    try:
        cluster = Cluster(1)
    except Unavailable as reason:
        skip_or_fail(str(reason))
    sources = [{"topic": "shop.events", "adapter": "segment", "service": "web-shop"}]
    with cluster, System(cluster.bootstrap, tmp_path_factory.mktemp("canary"), sources) as running:
        yield running


def canary(system: System, *arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "monitor", "canary", "--config", str(system.config), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    return done.returncode, done.stdout + done.stderr


def test_a_canary_says_where_it_was_lost_and_arrives_when_all_runs(system: System) -> None:
    code, said = canary(system, "--timeout", "2")
    assert (code, "no finding came of it" in said) == (1, True), said
    workers = system.start("run")
    assert wait_until(lambda: canary(system, "--timeout", "20", "--no-alerts")[0] == 0, seconds=60), system.logs()
    code, said = canary(system, "--timeout", "4")
    assert (code, "nobody was told" in said) == (1, True), said
    system.start("alerts")
    code, said = canary(system, "--timeout", "60")
    assert (code, "told after" in said) == (0, True), said + system.logs()
    alerts = [each for each in system.read("privacy.alerts.v1") if each["rule"] == "canary.seen"]
    assert {each["audience"] for each in alerts} == {"none"}
    assert {each["rule"] for each in system.read("privacy.findings.v1")} == {"canary.seen"}
    assert workers.poll() is None


def test_of_several_processes_one_sends_and_another_takes_over_when_it_ends(system: System) -> None:
    settings = {"bootstrap.servers": system.bootstrap}
    pages = [CollectorRegistry() for _ in range(3)]
    canaries = [MinuteCanary(settings, each, group="several-canary", every_seconds=1) for each in pages]

    def of_each(name: str) -> list[float]:
        return [each.get_sample_value(f"privacy_monitor_canary_{name}") or 0.0 for each in pages]

    for each in canaries:
        each.start()
    try:
        assert wait_until(lambda: sum(of_each("sender")) == 1 and sum(of_each("sent_total")) > 1, seconds=60)
        first = of_each("sender").index(1.0)
        canaries[first].stop()
        before = of_each("sent_total")
        others = [number for number in range(3) if number != first]
        assert wait_until(lambda: any(of_each("sent_total")[each] > before[each] for each in others), seconds=60)
        assert sum(of_each("sender")[each] for each in others) == 1
        assert of_each("sent_total")[first] == before[first]
    finally:
        for each in canaries:
            each.stop()


def test_a_broker_that_is_not_there_stops_nothing_and_nothing_is_said_to_have_arrived() -> None:
    page = CollectorRegistry()
    canary = MinuteCanary({"bootstrap.servers": "127.0.0.1:1"}, page, group="nobody-canary", every_seconds=1)
    canary.start()
    assert wait_until(lambda: page.get_sample_value("privacy_monitor_canary_interval_seconds") == 1, seconds=5)
    canary.stop()
    assert page.get_sample_value("privacy_monitor_canary_last_arrived_timestamp_seconds") == 0
    assert page.get_sample_value("privacy_monitor_canary_sender") == 0
