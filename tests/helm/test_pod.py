"""What the chart renders, run: the configuration passes `check`, a worker becomes ready with it and finds the canary."""

import contextlib
import json
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.canary import send_canary
from monitor.kafka import create_topics as create_our_topics
from tests.conftest import skip_or_fail
from tests.helm.chart import VALUE_SETS, rendered
from tests.helm.pod import Pod
from tests.integration.system import create_topics
from tests.kafka.jvm import Cluster
from tests.kafka.processes import Unavailable, wait_until
from topics.catalog import CATALOG

# Each set waits for processes that load all that they judge by; on a busy machine that takes long.
pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(600)]

PASSWORD = "a password of the chart's test"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Kafka with one open listener, and one that asks for TLS and SCRAM."""
    try:
        made = Cluster(users={"privacy-monitor": PASSWORD}, encrypted=True)
    except Unavailable as reason:
        skip_or_fail(str(reason))
    with made:
        create_topics(made.bootstrap, dict.fromkeys(("shop.events", "shop.kong", "shop.nginx"), 2))
        create_our_topics({"bootstrap.servers": made.bootstrap}, CATALOG, partitions=2, replication=1)
        yield made


def pod_of(name: str, folder: Path, cluster: Cluster) -> Pod:
    pem = cluster.authority
    assert pem is not None
    secrets = {
        "kafka-password": PASSWORD,
        "kafka-ca.crt": pem.certificate,
        "kafka-client.crt": pem.certificate,
        "kafka-client.key": pem.key,
    }
    return Pod(rendered(name), "-workers", folder, secrets)


def way_to(name: str, cluster: Cluster) -> dict[str, str]:
    """Give the environment in which a value set reaches the cluster of this test, and where nothing else is changed."""
    guarded = name == "tls-sasl"
    return {
        "PRIVMON_KAFKA__BOOTSTRAP_SERVERS": cluster.guarded if guarded else cluster.bootstrap,
        "PRIVMON_HTTP__HOST": "127.0.0.1",
        "PRIVMON_HTTP__PORT": "0",
        "PRIVMON_ALERTS__PORT": "0",
        "PRIVMON_ALERTS__REPLICATION": "1",
        # The cluster knows TLS with names and passwords; client certificates alone have no listener there.
        **({"PRIVMON_KAFKA__CLIENT": "{security.protocol: PLAINTEXT}"} if name == "everything" else {}),
    }


@pytest.mark.parametrize("name", VALUE_SETS)
def test_the_rendered_configuration_passes_check_and_a_worker_finds_the_canary(
    name: str, tmp_path: Path, cluster: Cluster
) -> None:
    pod, way = pod_of(name, tmp_path, cluster), way_to(name, cluster)
    # As in the cluster, where the broker need not answer yet; one set asks for it.
    checked = pod.run("check", **(way if "--broker" in pod.command("check") else {}))
    assert (checked.returncode, "No mistakes" in checked.stdout) == (0, True), checked.stderr
    with contextlib.ExitStack() as running:
        for container in ("ledger", "worker-0"):
            running.callback(_end, pod.start(container, **way))
        assert wait_until(lambda: _ready(tmp_path / "worker-0.log"), seconds=240), pod.logs()
        seen = send_canary({"bootstrap.servers": cluster.bootstrap}, 120, alerts=False)
        assert seen.finding_seconds is not None, f"{seen.verdict}\n{pod.logs()}"


READS = (
    "import lmdb, sys, time; env = lmdb.open(sys.argv[1]); t = env.begin(); print('read', flush=True); time.sleep(30)"
)


def test_readers_of_one_ledger_must_share_their_process_ids(tmp_path: Path) -> None:
    apart = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
    if shutil.which("unshare") is None or subprocess.run([*apart, "true"], check=False).returncode:
        pytest.skip("this machine lets nobody make a PID namespace")
    reader = [sys.executable, "-c", READS, str(tmp_path / "ledger")]
    for way, second in (([], b"read"), (apart, b"")):
        with contextlib.ExitStack() as running:
            outputs = []
            for _ in range(2):
                process = subprocess.Popen([*way, *reader], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
                running.callback(process.communicate)
                running.callback(process.kill)
                assert process.stdout is not None
                outputs.append(process.stdout.readline().strip())
            assert outputs == [b"read", second]


def _ready(log: Path) -> bool:
    for line in log.read_text().splitlines():
        with contextlib.suppress(ValueError, OSError):
            said = json.loads(line)
            if said.get("event") == "worker started":
                with urllib.request.urlopen(f"{said['pages']}/readyz", timeout=2) as answer:  # noqa: S310 - a page on this machine
                    return answer.status == 200  # type: ignore[no-any-return]
    return False


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    assert process.wait(30) == 0, "a polite end"
