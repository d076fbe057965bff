"""A million hostile names through worker and alert plane as processes: pages and memory stay small."""

import json
import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.alerts.running import metric
from tests.integration.system import System, page
from tests.kafka.jvm import Cluster
from tests.kafka.processes import free_ports, wait_until

pytestmark = [pytest.mark.slow]

NAMES = int(os.environ.get("PRIVACY_MONITOR_HOSTILE_NAMES", "6000"))
NAMES_OF_A_RECORD = 10
MOST_SERIES = 2_000
SCRAPES = 20
SOURCES = (
    {"topic": "shop.events", "adapter": "segment", "service": "web-shop"},
    {"topic": "shop.kong", "adapter": "kong", "service": "api-gateway", "body": "request.body"},
)
SUFFIXES = (
    "",
    "\x1b[2J\x1b]0;x\x07",
    "\u202eevil\u2066",
    "\x9b2J",
    "\r\n",
    "'; DROP",
    "\x00",
    "\ud83d\ude08",
    "A" * 300,
)
LONG = "L" * 1_000_000


def event(number: int, suffix: str) -> bytes:
    """Make an event that names four vendors, two fields, a path, a host, a step and a country that nobody knows."""
    name = f"{number}{suffix}"
    return json.dumps(
        {
            "type": "track",
            "event": f"Step {name}",
            "userId": f"customer-{number}",
            "timestamp": "2026-11-25T10:00:00Z",
            "context": {
                "location": {"country": f"X{name}"},
                "page": {"url": f"https://h{number}.evil-{number}.example/p/{name}", "path": f"/p/{name}"},
            },
            "properties": {f"field-{name}": "a@shop.example", f"other-{name}": 1},
            "integrations": {f"Vendor {name} {each}": True for each in range(4)},
        }
    ).encode("utf-8", "surrogatepass")


def request(number: int, suffix: str) -> bytes:
    """Make a record of a gateway with hosts, paths, routes, queries, headers and fields that nobody knows."""
    name = f"{number}{suffix}"
    host = f"h{number}.evil-{number}.example{suffix}"
    return json.dumps(
        {
            "request": {
                "method": "POST",
                "uri": f"/v1/{name}/x?q{name}=1",
                "url": f"https://{host}/v1/{name}",
                "headers": {"host": host, f"x-{name}": "1", "content-type": "application/json"},
                "body": json.dumps({"email": "a@shop.example", f"f-{name}": "x", f"g-{name}": {"h": f"a{name}"}}),
            },
            "service": {"host": host, "name": f"service-{name}", "port": 443, "protocol": "https"},
            "route": {"name": f"route-{name}"},
            "upstream_uri": f"/up/{name}",
            "started_at": 1_795_600_000_000 + number,
            "client_ip": "203.0.113.9",
            "response": {"status": 200, "headers": {}},
            "latencies": {},
        }
    ).encode("utf-8", "surrogatepass")


def hostile(first: int, last: int) -> Iterator[tuple[str, bytes | None, bytes | None]]:
    for number in range(first, last):
        suffix = LONG if number in {7, 8} else SUFFIXES[number % len(SUFFIXES)]
        made = event if number % 2 else request
        yield ("shop.events" if number % 2 else "shop.kong"), None, made(number, suffix)


def series(text: str) -> int:
    return sum(1 for line in text.splitlines() if line and not line.startswith("#"))


def memory_mb(pid: int, what: str = "VmHWM") -> float:
    found = re.search(rf"{what}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found.group(1)) / 1024


def cpu_seconds(pid: int) -> float:
    return sum(map(int, Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13])) / 100


def harmless(text: str) -> bool:
    return all(each.isprintable() for each in text.split("\n"))


def cost_of_a_scrape(pid: int, url: str) -> float:
    """Give the CPU seconds of a scrape, the process being idle otherwise."""
    idle_began, idle_from = time.monotonic(), cpu_seconds(pid)
    time.sleep(2)
    idle = (cpu_seconds(pid) - idle_from) / (time.monotonic() - idle_began)
    began, before = time.monotonic(), cpu_seconds(pid)
    for _ in range(SCRAPES):
        page(url)
    return max(0.0, cpu_seconds(pid) - before - idle * (time.monotonic() - began)) / SCRAPES


@pytest.mark.timeout(300 + NAMES // 500)
def test_hostile_names_grow_neither_pages_nor_memory_nor_the_terminal(cluster: Cluster, tmp_path: Path) -> None:
    alerts_port = free_ports(1)[0]
    records = NAMES // NAMES_OF_A_RECORD
    settings = {"alerts": {"port": alerts_port, "update_seconds": 1}}
    with System(cluster.bootstrap, tmp_path / "monitor", SOURCES, settings) as system:
        system.start("ledger")
        running = {"worker": system.start("worker"), "alerts": system.start("alerts")}
        assert wait_until(lambda: bool(told_address(system)), 120), system.logs()
        urls = {"worker": told_address(system), "alerts": f"http://127.0.0.1:{alerts_port}"}
        for name, url in urls.items():
            assert wait_until(lambda at=url: answers(f"{at}/readyz"), 120), f"{name}\n{system.logs()}"  # type: ignore[misc]
        early: dict[str, float] = {}
        for first in range(0, records, 2_000):
            last = min(first + 2_000, records)
            system.produce(list(hostile(first, last)))
            assert wait_until(lambda upto=last: judged(urls["worker"]) >= upto, 300), system.logs()  # type: ignore[misc]
            early = early or {name: memory_mb(each.pid, "VmRSS") for name, each in running.items()}
        findings = live_findings(page(urls["worker"] + "/metrics"))
        assert findings > records
        assert wait_until(
            lambda: metric(page(urls["alerts"] + "/metrics"), "privacy_alert_findings_total") >= findings, 120
        ), system.logs()
        pages = {name: page(url + "/metrics") for name, url in urls.items()}
        memory = {name: memory_mb(each.pid) for name, each in running.items()}
        scrape = {name: cost_of_a_scrape(each.pid, urls[name] + "/metrics") for name, each in running.items()}
        shown = system.command("top", "--seconds", "3")
        exports = {form: system.command("export", "--format", form) for form in ("csv", "json", "ocsf")}
        for each in running.values():
            each.send_signal(signal.SIGTERM)
            each.wait(30)
        logs = "".join(file.read_text(errors="replace") for file in system.folder.glob("*.log"))
    print(  # noqa: T201 - the figures are the evidence
        f"\n{records} records with {records * NAMES_OF_A_RECORD} names that nobody knows, {findings:.0f} findings; "
        + "; ".join(
            f"{name}: {series(pages[name])} series, {1000 * scrape[name]:.1f} ms of CPU a scrape, "
            f"{early[name]:.0f} MB after the first batches, at most {memory[name]:.0f} MB"
            for name in running
        )
    )
    check_bounded(pages, memory)
    check_texts(shown, exports, logs)


def check_bounded(pages: dict[str, str], memory: dict[str, float]) -> None:
    for name, text in pages.items():
        assert series(text) <= MOST_SERIES, name
        assert "evil" not in text
        assert "Vendor" not in text
    assert max(memory.values()) < 500


def check_texts(shown: str, exports: dict[str, str], logs: str) -> None:
    assert "privacy-monitor top" in shown
    for text in (shown, logs, *(each.replace("\r\n", "\n") for each in exports.values())):
        assert harmless(text)
        assert len(max(text.splitlines(), key=len)) < 100_000
    assert exports["csv"].count("\n") == exports["json"].count("\n") + 1 == exports["ocsf"].count("\n") + 1 > 1


def told_address(system: System) -> str:
    """Give the address of the worker's pages, from its log."""
    log = system.folder / "worker.log"
    found = re.search(r'"pages": "([^"]+)"', log.read_text() if log.exists() else "")
    return found.group(1) if found else ""


def live_findings(text: str) -> float:
    """Sum the findings that go to the alert plane."""
    return metric("\n".join(line for line in text.splitlines() if 'mode="live"' in line), "privacy_findings_total")


def judged(url: str) -> float:
    try:
        return metric(page(url + "/metrics"), "privacy_monitor_events_total")
    except OSError:
        return 0.0


def answers(url: str) -> bool:
    try:
        return bool(page(url))
    except OSError:
        return False
