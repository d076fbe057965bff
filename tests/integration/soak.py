"""`make soak MINUTES=60`: the monitor under faults without end, on Apache Kafka, with the independent checker after each round.

Two workers are born to die: most of them at a point and a pass drawn for each, the others when they are killed or ended, and each is
followed by the next at once. A third, the steady one, is never killed, so that its memory can be followed. Meanwhile traffic flows, and
workers are stopped for a while, the ledger is killed, the broker is killed and restarted, rules are loaded anew. After each round all is
healed, judged to the end, and checked. What a round finds wrong ends the run with its report; otherwise totals are printed at the end.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.integration.soak_faults import Soak
from tests.integration.soak_memory import Memory
from tests.integration.system import System
from tests.integration.test_crash_points import SOURCES
from tests.kafka.jvm import Cluster

_ROUND_SECONDS = 480.0
_CHECK_SECONDS = 900
_DELIVERIES = ("at_least_once", "exactly_once")
_LOST = {"unaccounted", "finding-missing", "dead-letter-missing"}
_INVENTED = {"finding-invented", "dead-letter-invented"}


class Totals:
    """What all rounds came to."""

    def __init__(self) -> None:
        self.done: Counter[str] = Counter()
        self.checked: Counter[str] = Counter()
        self.memory: list[Memory] = []

    @property
    def kills(self) -> int:
        return sum(count for name, count in self.done.items() if name.startswith(("crashed ", "killed ")))

    def lines(self) -> Iterable[str]:
        yield f"{self.kills} kills; by kind, with what else was done:"
        for name, count in sorted(self.done.items()):
            yield f"  {count:6} {name}"
        yield "checked, after each round from the beginning:"
        for name, count in self.checked.items():
            yield f"  {count:6} {name}"
        for each in self.memory:
            yield from each.lines()


def objections(report: dict[str, Any], delivery: str) -> list[str]:
    """Say what is wrong with what the checker tells."""
    found = [f"{each['kind']}: {each}" for each in report["faults"]] + [
        f"unreadable: {each}" for each in report["unreadable"]
    ]
    if delivery == "exactly_once" and report["findings_delivered_again"]:
        found.append(f"{report['findings_delivered_again']} findings delivered twice in transactions")
    if report["waiting"] or report["unwatched"]:
        found.append(f"not all of it was checked: {report['waiting']} waiting, {report['unwatched']} unwatched")
    return found


def audited(system: System) -> dict[str, Any]:
    """Ask the checker about everything since the beginning."""
    command = [
        sys.executable,
        "-m",
        "monitor",
        "audit",
        "--json",
        "--settle-seconds",
        "0",
        "--config",
        str(system.config),
    ]
    done = subprocess.run(command, capture_output=True, check=False, timeout=_CHECK_SECONDS)
    assert done.stdout, done.stderr.decode()
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def played(delivery: str, until: float, rng: random.Random, totals: Totals) -> list[str]:
    """Play rounds on one cluster until it is time. Gives what the checker objects to."""
    # Short sessions: the partitions of a dead worker are somebody else's sooner, and there is more to see in an hour.
    client = {"session.timeout.ms": 4_000, "heartbeat.interval.ms": 1_000}
    with tempfile.TemporaryDirectory() as folder, Cluster(1) as cluster:
        kafka = {"bootstrap_servers": cluster.bootstrap, "group": "test-monitor", "client": client}
        settings = {"kafka": kafka, "delivery": delivery, "batch_records": 20, "settle_seconds": 0.2}
        with System(cluster.bootstrap, Path(folder, "system"), SOURCES, settings) as system:
            soak = Soak(system, cluster, rng, totals.done)
            before: Counter[str] = Counter()
            try:
                while (now := time.monotonic()) < until:
                    soak.round(min(_ROUND_SECONDS, until - now))
                    report = audited(system)
                    now_checked = Counter(
                        {
                            "rounds": before["rounds"] + 1,
                            "records": soak.records,
                            "offsets": sum(report["offsets"].values()),
                            "findings": report["findings"],
                            "findings delivered again with equal ids": report["findings_delivered_again"],
                            "offsets unverifiable": sum(report["unverifiable"].values()),
                            "lost": sum(each["kind"] in _LOST for each in report["faults"]),
                            "invented": sum(each["kind"] in _INVENTED for each in report["faults"]),
                            "other faults": sum(each["kind"] not in _LOST | _INVENTED for each in report["faults"]),
                        }
                    )
                    for name, count in now_checked.items():
                        totals.checked[name] += count - before[name]
                    before = now_checked
                    found = [*objections(report, delivery), *soak.unexpected]
                    say(
                        f"{time.strftime('%H:%M:%S')} {delivery}: {totals.kills} kills, {dict(totals.checked)}; "
                        f"{soak.memory.now()}"
                    )
                    if found:
                        say(system.logs())
                        return found
            finally:
                totals.memory.append(soak.memory)
                soak.stop()
    return []


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    """Run for some minutes; give 1 at the first round that the checker objects to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 2**31)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    began = time.monotonic()
    totals = Totals()
    found: list[str] = []
    say(f"seed {options.seed}, {options.minutes:g} minutes, half of them with each delivery")
    try:
        for index, delivery in enumerate(_DELIVERIES, 1):
            found = played(delivery, began + options.minutes * 60 * index / len(_DELIVERIES), rng, totals)
            if found:
                break
    finally:
        say(f"{(time.monotonic() - began) / 60:.1f} minutes")
        for line in totals.lines():
            say(line)
    for line in found[:50]:
        say(f"WRONG: {line}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
