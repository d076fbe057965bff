"""The canary on a real broker: it arrives when the monitor runs, and says where it was lost when it does not."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

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
