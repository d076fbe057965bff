"""`make soak MINUTES=60`: the monitor under faults without end, on Apache Kafka, with the independent checker after each round.

A round: traffic flows, and every few seconds something is done to a process or the broker. Then everything is healed, judged to
the end, and checked. What a round finds wrong ends the run with its report; otherwise totals are printed at the end.
"""

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

from monitor.shop import Shop
from tests.integration.crash_points import MARK
from tests.integration.system import System
from tests.integration.test_crash_points import (
    AT_LEAST_ONCE,
    COMMON,
    EXACTLY_ONCE,
    LEDGER,
    SOURCES,
    TOPICS,
    audited,
    launch,
)
from tests.kafka.jvm import Cluster

_WORKERS = 2
_ACTIONS = 12
"""Faults of one round."""
_PIECES = 400
"""Pieces of traffic between two faults."""


class Soak:
    """One system, its processes, and what was done to them."""

    def __init__(self, system: System, cluster: Cluster, rng: random.Random) -> None:
        self._system = system
        self._cluster = cluster
        self._rng = rng
        self._exactly_once = system.settings["delivery"] == "exactly_once"
        self._shop = Shop(rng.randrange(2**31), time.time_ns() // 1_000_000).stream()
        self._workers: dict[int, subprocess.Popen[bytes]] = {}
        self._ledger = launch(system, ["-m", "monitor", "ledger"], "ledger")
        self.faults: Counter[str] = Counter()
        self.memory_kb: list[int] = []
        """Resident memory of the largest worker at the end of each round."""

    def round(self) -> dict[str, Any]:
        """Play one round, and give the checker's report."""
        for _ in range(_ACTIONS):
            self._mend()
            self._traffic()
            time.sleep(self._rng.uniform(0.5, 3))
            action = self._rng.choices(
                (
                    self._kill_worker,
                    self._crash_at_a_point,
                    self._end_politely,
                    self._stop_for_a_while,
                    self._kill_ledger,
                    self._restart_broker,
                ),
                (6, 6, 2, 2, 2, 1),
            )[0]
            action()
        self._mend()
        self._system.await_judged(180)
        self.memory_kb.append(max(_resident_kb(process.pid) for process in self._workers.values()))
        return audited(self._system)

    def stop(self) -> None:
        for process in (*self._workers.values(), self._ledger):
            process.terminate()
        for process in (*self._workers.values(), self._ledger):
            process.wait(30)

    def _mend(self) -> None:
        for index in range(_WORKERS):
            known = self._workers.get(index)
            if known is None or known.poll() is not None:
                command = ["-m", "monitor", "worker", "--index", str(index)]
                self._workers[index] = launch(self._system, command, f"worker-{index}")
        if self._ledger.poll() is not None:
            self._ledger = launch(self._system, ["-m", "monitor", "ledger"], "ledger")

    def _traffic(self) -> None:
        pieces = list(islice(self._shop, _PIECES))
        self._system.produce([(TOPICS[each.role], each.key, each.value) for each in pieces if each.role in TOPICS])

    def _someone(self) -> subprocess.Popen[bytes]:
        return self._workers[self._rng.randrange(_WORKERS)]

    def _kill_worker(self) -> None:
        self.faults["worker killed"] += 1
        worker = self._someone()
        worker.kill()
        worker.wait()

    def _crash_at_a_point(self) -> None:
        """Put a worker that dies at a named point into the place of another."""
        points = (*COMMON, *(EXACTLY_ONCE if self._exactly_once else AT_LEAST_ONCE))
        point = self._rng.choice(points)
        index = self._rng.randrange(_WORKERS)
        self._workers[index].kill()
        self._workers[index].wait()
        self._traffic()
        name = point.replace(" ", "-")
        command = [
            "-m",
            "tests.integration.crash_points",
            point,
            str(self._rng.randint(1, 3)),
            "worker",
            "--index",
            str(index),
        ]
        self._workers[index] = process = launch(self._system, command, name)
        try:
            code = process.wait(30)
        except subprocess.TimeoutExpired:
            self.faults["point not reached"] += 1
            process.kill()
            process.wait()
            return
        hit = code == -signal.SIGKILL and f"{MARK}{point}\n" in (self._system.folder / f"{name}.log").read_text()
        self.faults[f"crashed {point}" if hit else "point not reached"] += 1

    def _end_politely(self) -> None:
        self.faults["worker ended politely"] += 1
        worker = self._someone()
        worker.terminate()
        worker.wait(30)

    def _stop_for_a_while(self) -> None:
        self.faults["worker stopped and went on"] += 1
        worker = self._someone()
        worker.send_signal(signal.SIGSTOP)
        time.sleep(self._rng.choice((2, 9)))
        worker.send_signal(signal.SIGCONT)

    def _kill_ledger(self) -> None:
        point = self._rng.choice((*LEDGER, ""))
        self.faults["ledger killed"] += 1
        self._ledger.kill()
        self._ledger.wait()
        if point:
            self._traffic()
            launch(self._system, ["-m", "tests.integration.crash_points", point, "1", "ledger"], "ledger-point").wait(
                60
            )
            self.faults[f"crashed {point}"] += 1

    def _restart_broker(self) -> None:
        self.faults["broker killed and restarted"] += 1
        self._cluster.nodes[0].kill()
        time.sleep(1)
        self._cluster.restart(self._cluster.nodes[0])


def _resident_kb(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")), 0)


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
    until = time.monotonic() + options.minutes * 60
    faults: Counter[str] = Counter()
    totals: Counter[str] = Counter()
    say(f"seed {options.seed}")
    while time.monotonic() < until:
        delivery = rng.choice(("at_least_once", "exactly_once"))
        settings = {"delivery": delivery, "batch_records": 20, "settle_seconds": 0.2}
        with (
            tempfile.TemporaryDirectory() as folder,
            Cluster(1) as cluster,
            System(cluster.bootstrap, Path(folder, "system"), SOURCES, settings) as system,
        ):
            soak = Soak(system, cluster, rng)
            rounds_until = min(until, time.monotonic() + 900)
            before: Counter[str] = Counter()
            while time.monotonic() < rounds_until:
                report = soak.round()
                if (
                    report["faults"]
                    or report["unreadable"]
                    or (delivery == "exactly_once" and report["findings_delivered_again"])
                ):
                    say(json.dumps(report, indent=2) + "\n" + system.logs())
                    return 1
                now = Counter(
                    {
                        "offsets": sum(report["offsets"].values()),
                        "findings": report["findings"],
                        "delivered again with equal ids": report["findings_delivered_again"],
                    }
                )
                totals += now - before
                before = now
                totals["rounds"] += 1
                say(f"{time.strftime('%H:%M:%S')} {delivery}: {dict(totals)}")
            soak.stop()
            faults += soak.faults
            say(
                f"memory of the largest worker: {soak.memory_kb[0] / 1024:.0f} MB in the first round, {soak.memory_kb[-1] / 1024:.0f} MB in the last"
            )
    kills = sum(count for name, count in faults.items() if name.startswith("crashed ") or "killed" in name)
    say(
        f"{kills} kills; the checker found nothing lost and nothing invented in {totals['rounds']} rounds: {dict(totals)}"
    )
    for name, count in sorted(faults.items()):
        say(f"  {count:5} {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
