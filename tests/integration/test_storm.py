"""A storm of violations from one cause: a million a minute, through alert plane and `notify` as processes.

The findings are what the pipeline makes of traffic, cut into the batches of a worker; some batches come twice.
"""

import json
import os
import re
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from confluent_kafka import Producer

from monitor.context import load_shipped
from monitor.pipeline import process
from tests.alerts.prometheus import Receiver
from tests.alerts.running import metric
from tests.integration.system import REGISTER, System, page
from tests.kafka.jvm import Cluster
from tests.kafka.processes import free_ports, wait_until
from topics.adapters import make
from topics.finding import Fold
from topics.observation import AdapterOptions
from topics.record import RawRecord

pytestmark = [pytest.mark.slow]

VIOLATIONS = int(os.environ.get("PRIVACY_MONITOR_STORM", "30000"))
A_MINUTE = 1_000_000
PIXELS = ("Facebook Pixel", "Google Ads", "TikTok Pixel")
PARTITIONS = 3
BATCH = 2_000
PERSONS = 50_000
SOURCES = ({"topic": "shop.events", "adapter": "segment", "service": "web-shop"},)
QUIET_SECONDS = 8


def order(number: int) -> bytes:
    """Make an event of a shop that lost the opt-out of its Californian visitors: each goes to three advertisers."""
    return json.dumps(
        {
            "type": "track",
            "event": "Order Completed",
            "messageId": f"m-{number}",
            "userId": f"customer-{number % PERSONS}",
            "timestamp": "2026-11-25T10:00:00Z",
            "context": {"location": {"country": "US", "region": "CA"}, "gpc": True, "ip": "203.0.113.9"},
            "properties": {"order_id": f"SO-{number}", "total": 20, "currency": "USD"},
            "integrations": dict.fromkeys(PIXELS, True),
        }
    ).encode()


def batches(records: int) -> Iterator[list[RawRecord]]:
    """Cut the traffic as a worker reads it: the partitions take turns in a batch, offsets ascend in each."""
    now_ms = time.time_ns() // 1_000_000
    share = BATCH // PARTITIONS
    for first in range(0, records // PARTITIONS, share):
        yield [
            RawRecord("shop.events", partition, offset, now_ms, None, order(offset * PARTITIONS + partition))
            for partition in range(PARTITIONS)
            for offset in range(first, min(first + share, records // PARTITIONS))
        ]


def judged() -> tuple[list[Fold], Counter[str]]:
    """Give the folds of all batches in the order of delivery, and the findings by episode, each counted once."""
    loaded = load_shipped(domains=["shop.example"], register_file=REGISTER)
    context = loaded.context({"shop.events": make("segment", AdapterOptions(service="web-shop"))}, "storm")
    folds: list[Fold] = []
    truth: Counter[str] = Counter()
    for number, batch in enumerate(batches(VIOLATIONS // len(PIXELS))):
        outcome = process(batch, context, {})
        truth.update(finding.episode_key for finding in outcome.findings)
        folds += outcome.folds
        if number % 10 == 4:
            # A worker that was killed before its commit reads the end of its batch again, and cuts it otherwise.
            folds += process(batch[len(batch) // 2 :], context, {}).folds
    return folds, truth


def peak_memory_mb(pid: int) -> float:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found.group(1)) / 1024


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.timeout(300 + VIOLATIONS // 1_000)
def test_a_storm_from_one_cause_is_counted_exactly_and_told_in_few_messages(cluster: Cluster, tmp_path: Path) -> None:
    folds, truth = judged()
    assert sum(truth.values()) == VIOLATIONS // len(PIXELS) // PARTITIONS * PARTITIONS * len(PIXELS)
    encoded = [(fold.episode_key, msgspec.json.encode(fold), fold.count) for fold in folds]
    port = free_ports(1)[0]
    with Receiver() as receiver:
        sink = {
            "name": "on-call",
            "kind": "webhook",
            "url": receiver.url + "/in",
            "secret": {"file": "subject.key"},
            "allow_http": True,
            "allow_private": True,
        }
        settings = {
            "alerts": {"port": port, "quiet_seconds": QUIET_SECONDS},
            "notify": {"allowed_hosts": ["127.0.0.1"], "port": 0, "sinks": [sink]},
        }
        with System(cluster.bootstrap, tmp_path / "monitor", SOURCES, settings) as system:
            plane, notify = system.start("alerts"), system.start("notify")
            url = f"http://127.0.0.1:{port}"
            assert wait_until(lambda: answers(f"{url}/readyz"), 90), system.logs()
            began, before = time.monotonic(), cpu_seconds(plane.pid)
            producer = Producer({"bootstrap.servers": cluster.bootstrap, "linger.ms": 5})
            written = 0
            for key, value, count in encoded:
                producer.produce("privacy.findings.v1", value, key)
                producer.poll(0)
                written += count
                time.sleep(max(0.0, began + written * 60 / A_MINUTE - time.monotonic()))
            assert producer.flush(60) == 0
            storm = time.monotonic() - began

            def counted() -> bool:
                return metric(page(f"{url}/metrics"), "privacy_alert_findings_total") >= sum(truth.values())

            assert wait_until(counted, 60 + storm), system.logs()
            behind = time.monotonic() - began - storm
            cpu = cpu_seconds(plane.pid) - before

            def told() -> dict[str, int]:
                """Give the newest count of each episode that the receiver was told, once it is quiet."""
                alerts = [alert for body in list(receiver.bodies) for alert in body["alerts"]]
                return {alert["episode_key"]: alert["findings"] for alert in alerts if alert["state"] == "quiet"}

            assert wait_until(lambda: told() == truth, QUIET_SECONDS + 60), system.logs()
            time.sleep(2)
            assert told() == truth
            memory = {"alerts": peak_memory_mb(plane.pid), "notify": peak_memory_mb(notify.pid)}
            for process_ in (plane, notify):
                process_.send_signal(signal.SIGTERM)
                process_.wait(20)
        notifications = len(receiver.bodies)
    alerts = [alert for body in receiver.bodies for alert in body["alerts"]]
    print(  # noqa: T201 - the figures are the evidence
        f"\n{sum(truth.values())} violations (with repeats {written}) in {len(folds)} folds of "
        f"{sum(len(value) for _, value, _ in encoded) / len(encoded) / 1000:.1f} kB, written in {storm:.0f} s; "
        f"counted {behind:.1f} s after the last, {cpu:.1f} s of CPU; "
        f"{len(alerts)} alerts of {len(truth)} episodes in {notifications} notifications; "
        f"memory {', '.join(f'{name} {size:.0f} MB' for name, size in memory.items())}"
    )
    assert len(truth) == len(PIXELS)
    assert {alert["rule"] for alert in alerts} == {"tracking.gpc-ignored"}
    assert notifications <= 40
    assert max(memory.values()) < 256


def answers(url: str) -> bool:
    try:
        return bool(page(url))
    except OSError:
        return False
