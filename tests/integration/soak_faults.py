"""What a soak does to the monitor, and what it counts."""

import random
import signal
import subprocess
import time
from collections import Counter
from itertools import islice
from pathlib import Path

import msgspec
from confluent_kafka import KafkaException

from monitor.processes import EXIT_TRY_AGAIN
from monitor.shop import Shop
from tests.integration.nursery import Born, Nursery
from tests.integration.soak_memory import Memory
from tests.integration.system import System, committed, topic_ends
from tests.integration.test_crash_points import AT_LEAST_ONCE, COMMON, EXACTLY_ONCE, LEDGER, SOURCES, TOPICS, launch
from tests.kafka.jvm import Cluster

_GROUP = "test-monitor"
_MORTAL = (0, 1)
_STEADY = 2
_PIECES = 20
"""Pieces of traffic at a time, twice a second or so."""
_FAULT_SECONDS = 2.2
"""Between two faults of the schedule, on average. Workers that die at their point come on top."""
_POINT_SECONDS = 40.0
"""A worker that has not met its point by then is killed where it is."""
_SAMPLE_SECONDS = 15.0
_HEAL_SECONDS = 600.0
_PATIENCE_SECONDS = 240.0
"""For what others need on a machine that is busy with other work, too."""
_SELDOM = ("at start", "before assignment", "after assignment", "before revocation", "after revocation")
_SWAPS = ("before rule swap", "after rule swap")


class Soak:
    """One system, its processes, and what was done to them."""

    def __init__(self, system: System, cluster: Cluster, rng: random.Random, done: Counter[str]) -> None:
        self._system = system
        self._cluster = cluster
        self._rng = rng
        self._done = done
        once = system.settings["delivery"] == "exactly_once"
        self._points = (*COMMON, *_SELDOM[3:], *_SWAPS, *(EXACTLY_ONCE if once else AT_LEAST_ONCE))
        self._shop = Shop(rng.randrange(2**31), time.time_ns() // 1_000_000).stream()
        self._nursery = Nursery(system.config)
        self._configs = self._write_configs()
        self._mortal: dict[int, Born] = {}
        self._steady: subprocess.Popen[bytes] | None = None
        self._ledger: Born | None = None
        self._asleep: list[tuple[float, Born | subprocess.Popen[bytes]]] = []
        self._ended: set[int] = set()
        """Children that we ended ourselves and have counted."""
        self._armed = True
        self._sampled = 0.0
        self.records = 0
        """Produced so far."""
        self.memory = Memory(str(system.settings["delivery"]))
        self.unexpected: list[str] = []
        """Processes that ended in a way that nobody meant them to."""

    def round(self, seconds: float) -> None:
        """Play faults for a while, then heal, and wait until everything is judged and committed."""
        until = time.monotonic() + seconds
        faults = (
            (self._kill_worker, 6),
            (self._end_worker, 1),
            (self._stop_for_a_while, 1.5),
            (self._kill_ledger, 3),
            (self._load_rules_anew, 0.2),
            (self._kill_broker, 0.4),
        )
        self._armed = True
        next_fault = time.monotonic()
        while (now := time.monotonic()) < until:
            self._look_after()
            self._traffic()
            if now >= next_fault:
                action = self._rng.choices([each for each, _ in faults], [weight for _, weight in faults])[0]
                action()
                next_fault = now + self._rng.expovariate(1 / _FAULT_SECONDS)
            time.sleep(0.4)
        self._heal()

    def stop(self) -> None:
        self._nursery.close()

    # Processes.

    def _write_configs(self) -> dict[int, Path]:
        """Give each worker a configuration: the first keeps its place in the group over a restart, the others do not."""
        config = msgspec.json.decode(self._system.config.read_bytes())
        static = self._system.folder / "static.yaml"
        static.write_bytes(msgspec.json.encode({**config, "kafka": {**config["kafka"], "static_membership": True}}))
        return {_MORTAL[0]: static, **dict.fromkeys((*_MORTAL[1:], _STEADY), self._system.config)}

    def _look_after(self) -> None:
        """See what has ended and why, start the next, wake who has slept enough, and look at their memory."""
        now = time.monotonic()
        for due in [each for each in self._asleep if each[0] <= now]:
            self._asleep.remove(due)
            due[1].send_signal(signal.SIGCONT)
        self._nursery.look()
        for number in _MORTAL:
            self._look_after_worker(number)
        if self._ledger is None or self._ledger.code is not None:
            if self._ledger is not None:
                self._count_end(self._ledger)
            point = self._rng.choice(LEDGER) if self._armed and self._rng.random() < 0.3 else ""
            nth = self._rng.choice((1, 3, 20))
            self._ledger = self._nursery.bear("ledger", ["ledger"], self._system.config, point, nth)
        if self._steady is None or self._steady.poll() is not None:
            if self._steady is not None:
                self._done[f"steady worker ended with {self._steady.returncode} and was started again"] += 1
                if self._steady.returncode != EXIT_TRY_AGAIN:
                    self.unexpected.append(f"the steady worker ended with {self._steady.returncode}")
            self._steady = launch(self._system, ["-m", "monitor", "worker", "--index", str(_STEADY)], "steady")
        self._sample()

    def _look_after_worker(self, number: int) -> None:
        worker = self._mortal.get(number)
        if worker is not None and worker.code is None:
            age = time.monotonic() - worker.began
            if worker.point and age > _POINT_SECONDS:
                self._end(worker, "killed worker that waited for its point")
            elif worker.point in _SWAPS and age > _POINT_SECONDS / 4:
                worker.send_signal(signal.SIGHUP)
            return
        if worker is not None:
            self._count_end(worker)
        self._mortal[number] = self._next_worker(number)

    def _sample(self) -> None:
        if time.monotonic() - self._sampled < _SAMPLE_SECONDS or self._steady is None or self._ledger is None:
            return
        self._sampled = time.monotonic()
        self.memory.look("steady worker", self._steady.pid)
        self.memory.look("ledger", self._ledger.pid)
        for number, worker in self._mortal.items():
            self.memory.look(f"worker {number}", worker.pid)

    def _next_worker(self, number: int) -> Born:
        point, nth = "", 1
        if self._armed and self._rng.random() < 0.85:
            point = self._rng.choice(self._points)
            # Deep in the work where a point is passed often.
            nth = 1 if point in _SELDOM or point in _SWAPS else self._rng.choice((1, 2, 5, 20))
        return self._nursery.bear("worker", ["worker", "--index", str(number)], self._configs[number], point, nth)

    def _count_end(self, child: Born) -> None:
        if child.pid in self._ended:
            self._ended.remove(child.pid)
        elif child.point and child.crashed_at_its_point():
            self._done[f"crashed {child.point}"] += 1
        elif child.code == -signal.SIGHUP:
            self._done["killed worker that was told to load rules before it listened"] += 1
        elif child.code == EXIT_TRY_AGAIN:
            self._done[f"{child.name} ended itself, to be started again"] += 1
        else:
            tail = child.log.read_text(errors="replace")[-3000:]
            self.unexpected.append(f"{child.name} (point {child.point!r}) ended with {child.code}: {tail}")
        child.log.unlink(missing_ok=True)

    def _end(self, child: Born, what: str, number: int = signal.SIGKILL) -> None:
        """End a child ourselves, unless it was quicker."""
        child.send_signal(number)
        child.send_signal(signal.SIGCONT)
        if self._nursery.wait(child, _PATIENCE_SECONDS) is None:
            self.unexpected.append(f"{child.name} did not end by signal {number}: {child.log.read_text()[-3000:]}")
            child.send_signal(signal.SIGKILL)
            self._nursery.wait(child, 5)
        if child.code in (-number, 0) and not (child.point and child.crashed_at_its_point()):
            self._ended.add(child.pid)
            self._done[what] += 1

    def _someone(self) -> Born:
        return self._mortal[self._rng.choice(_MORTAL)]

    # Faults.

    def _traffic(self) -> None:
        pieces = [each for each in islice(self._shop, _PIECES) if each.role in TOPICS]
        self._system.produce([(TOPICS[each.role], each.key, each.value) for each in pieces])
        self.records += sum(each.role != "consent" for each in pieces)

    def _kill_worker(self) -> None:
        self._end(self._someone(), "killed worker")

    def _end_worker(self) -> None:
        self._end(self._someone(), "worker ended politely", signal.SIGTERM)

    def _stop_for_a_while(self) -> None:
        """Stop somebody, sometimes for longer than a session: the group goes on without it, and it comes back."""
        whom = self._rng.choice((self._someone(), self._steady))
        if whom is None or any(each is whom for _, each in self._asleep):
            return
        seconds = self._rng.choice((1, 2, 8))
        self._done[f"worker stopped for {seconds} s"] += 1
        whom.send_signal(signal.SIGSTOP)
        self._asleep.append((time.monotonic() + seconds, whom))

    def _kill_ledger(self) -> None:
        if self._ledger is not None:
            self._end(self._ledger, "killed ledger")

    def _load_rules_anew(self) -> None:
        if self._steady is not None:
            self._done["rules loaded anew"] += 1
            self._steady.send_signal(signal.SIGHUP)

    def _kill_broker(self) -> None:
        self._done["killed broker, restarted"] += 1
        self._cluster.nodes[0].kill()
        time.sleep(self._rng.choice((0.2, 1, 3)))
        self._cluster.restart(self._cluster.nodes[0], _PATIENCE_SECONDS)

    # Healing.

    def _heal(self) -> None:
        """Let everybody who is left work in peace until the group has committed all that there is."""
        self._armed = False
        for worker in list(self._mortal.values()):
            if worker.point:
                self._end(worker, "killed worker that waited for its point")
        if self._ledger is not None and self._ledger.point:
            self._end(self._ledger, "killed ledger")
        deadline = time.monotonic() + _HEAL_SECONDS
        ends = self._ends()
        while ends is None:
            assert time.monotonic() < deadline, "the broker does not tell the ends of its topics"
            time.sleep(1)
            ends = self._ends()
        while any(
            (reached := committed(self._cluster.bootstrap, _GROUP)).get(place, -1) < end
            for place, end in ends.items()
            if end
        ):
            assert time.monotonic() < deadline, f"not all was judged: {ends}, {reached}\n{self._system.logs()}"
            self._look_after()
            time.sleep(0.5)

    def _ends(self) -> dict[tuple[str, int], int] | None:
        """Give the ends of the sources; None while a broker that was just restarted does not lead them yet."""
        try:
            return topic_ends(self._cluster.bootstrap, [str(each["topic"]) for each in SOURCES])
        except KafkaException:
            return None
