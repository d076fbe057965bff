"""Consent that changes while traffic flows, and kills in mid-load, on Apache Kafka: not one wrong verdict.

`PRIVACY_MONITOR_LEDGER_SUBJECTS=1000000` puts so many people into the ledger.
"""

import contextlib
import hmac
import json
import os
import random
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from confluent_kafka import KafkaError, Message, Producer

from detectors.consent.ledger import Coverage
from monitor.ledger_reader import LedgerReader
from tests.detectors.consent.reference import Chosen, Disclosed, Erased, verdict
from tests.integration.system import Coordinates, System, expand
from tests.kafka.jvm import Cluster

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

SUBJECTS = int(os.environ.get("PRIVACY_MONITOR_LEDGER_SUBJECTS", "20000"))
SEED = int(os.environ.get("PRIVACY_MONITOR_LEDGER_SEED", "5"))
SECONDS, A_SECOND = (60, 400) if SUBJECTS > 100_000 else (8, 250)
"""How long traffic flows, and how many records there are in each second of it."""
BUSY = 400
"""People who change their minds while traffic flows."""
SETTLE_SECONDS, LATEST_MS = 2.0, 300
"""Consent and events tell of a moment up to so long ago: well within the time to settle, however slow the machine."""
EVENTS, CONSENT = "shop.events", "privacy.consent.v1"
SAYINGS = (((), ("advertising",)), (("advertising",), ()), (("analytics",), ()), ((), ("*",)), (("*",), ()))


Note = Callable[[KafkaError | None, Message], None]


@dataclass
class Story:
    """What people chose and what was disclosed of them, as it was sent; and what the monitor said of it."""

    bootstrap: str
    chance: random.Random = field(default_factory=lambda: random.Random(SEED))
    chosen: defaultdict[int, list[Chosen]] = field(default_factory=lambda: defaultdict(list))
    erased: defaultdict[int, list[Erased]] = field(default_factory=lambda: defaultdict(list))
    disclosed: dict[Coordinates, tuple[int, Disclosed]] = field(default_factory=dict)
    number: int = 0

    def __post_init__(self) -> None:
        self.producer = Producer({"bootstrap.servers": self.bootstrap, "linger.ms": 5, "log_level": 0})

    def choose(self, person: int, at_ms: int, now_ms: int) -> None:
        granted, refused = self.chance.choice(SAYINGS)
        self.number += 1
        by = frozenset({("user_id", str(person))})
        self.chosen[person].append(
            Chosen(at_ms, now_ms, by, frozenset(granted), frozenset(refused), after_notice=False, number=self.number)
        )
        record = {
            "at_ms": at_ms,
            "subject": subject(person),
            "granted": granted,
            "refused": refused,
            "source": "banner",
        }
        self._send(CONSENT, subject(person), json.dumps(record).encode(), now_ms)

    def erase(self, person: int, now_ms: int) -> None:
        self.number += 1
        self.erased[person].append(Erased(now_ms, ("user_id", str(person)), self.number))
        self._send(CONSENT, subject(person), None, now_ms)

    def disclose(self, person: int, at_ms: int, now_ms: int) -> None:
        place = self.chance.choice(("DE", "US-CA"))
        country, _, region = place.partition("-")
        event = {
            "type": "track",
            "event": "Order Completed",
            "messageId": f"m{self.number}-{at_ms}",
            "userId": str(person),
            "timestamp": datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds"),
            "integrations": {"Facebook Pixel": True},
            "properties": {"shipping_address": {"country": country, **({"state": region} if region else {})}},
        }
        named = frozenset({("user_id", str(person))})
        told = Disclosed(at_ms, 1 << 60, named, "advertising.targeted", place, sent_gpc=False, string="")

        def note(error: KafkaError | None, message: Message) -> None:
            assert error is None, error
            self.disclosed[message.topic() or "", message.partition() or 0, message.offset() or 0] = person, told

        self._send(EVENTS, str(person), json.dumps(event).encode(), now_ms, note)

    def flow(self, seconds: float, meanwhile: Callable[[float], None]) -> None:
        """Let people choose and be disclosed for a while; `meanwhile` is told how much of it is over, from 0 to 1."""
        began = time.monotonic()
        while (gone := time.monotonic() - began) < seconds:
            meanwhile(gone / seconds)
            now_ms = time.time_ns() // 1_000_000
            at_ms = now_ms - self.chance.randrange(LATEST_MS)
            person = self.chance.randrange(BUSY) if self.chance.random() < 0.8 else self.chance.randrange(SUBJECTS)
            if self.chance.random() < 0.3:
                self.choose(person, at_ms, now_ms)
            else:
                self.disclose(person, at_ms, now_ms)
            time.sleep(1 / A_SECOND)
        assert self.producer.flush(60) == 0

    def wrong(self, findings: list[dict[str, object]]) -> tuple[list[str], int]:
        """Give each verdict that is not the reference's, and how many were withheld."""
        told: dict[Coordinates, set[str]] = defaultdict(set)
        for each in findings:
            if each["detector"] == "unconsented-tracking":
                for place in expand(each):
                    told[place].add(str(each["verdict"]))
        mistakes, withheld = [], 0
        names = {"violation": "denied", "gap": "unknown"}
        for place, (person, event) in self.disclosed.items():
            expected, by = verdict(self.chosen[person], [], self.erased[person], event)
            said = {names[each] for each in told[place]} or {"allowed"}
            withheld += said == {"unknown"} != {expected}
            if said not in ({expected}, {"unknown"}):
                mistakes.append(f"{place}: {said} is {expected} by {by}: {event}, {self.chosen[person]}")
        return mistakes, withheld

    def _send(self, topic: str, key: str, value: bytes | None, now_ms: int, note: Note | None = None) -> None:
        while True:
            try:
                self.producer.produce(topic, value, key, timestamp=now_ms, on_delivery=note)
            except BufferError:
                self.producer.poll(0.05)
            else:
                break
        self.producer.poll(0)


def subject(person: int) -> str:
    """Hash as the configuration of these tests says."""
    secret = b"a key of the tests, longer than sixteen bytes"
    return "k1." + hmac.digest(secret, f"user_id:{person}".encode(), "sha256")[:16].hex()


def child(parent: int, word: str) -> int | None:
    """Find the process of a command among the children of `run`."""
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            above = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if above == parent and word in (folder / "cmdline").read_text().split("\0"):
                return int(folder.name)
    return None


def kill(parent: int, word: str) -> bool:
    """Kill a child as by `kill -9`; False when there is none at this moment."""
    process = child(parent, word)
    if process is None:
        return False
    os.kill(process, signal.SIGKILL)
    return True


@dataclass
class Run:
    story: Story
    findings: list[dict[str, object]]
    killed: list[str]
    killed_while_loading: bool
    logs: str


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    sources = ({"topic": EVENTS, "adapter": "segment", "service": "web-shop"},)
    settings = {
        "settle_seconds": SETTLE_SECONDS,
        "consent": {"path": "ledger.lmdb", "map_size_mb": 1024},
        "from_beginning": True,
    }
    with Cluster(1) as cluster, System(cluster.bootstrap, tmp_path_factory.mktemp("live"), sources, settings) as system:
        story = Story(cluster.bootstrap)
        before_ms = time.time_ns() // 1_000_000 - 60_000
        for person in range(SUBJECTS):
            story.choose(person, before_ms, before_ms)
            if person % 50 == 0:
                story.erase(person, before_ms + 10)
            if person % 70 == 0:
                story.choose(person, before_ms + 20, before_ms + 20)
        assert story.producer.flush(120) == 0
        process = system.start("run", "--workers", "1")
        loading = killed_in_load(system, process.pid)
        if SUBJECTS > 100_000:
            # A record waits for half a minute, and a cold load of so many on a busy machine may take longer.
            await_loaded(system)
        steps = [(0.15, "worker"), (0.35, "ledger"), (0.5, "worker"), (0.7, "ledger")]
        killed: list[str] = []

        def meanwhile(gone: float) -> None:
            if steps and gone > steps[0][0] and kill(process.pid, steps[0][1]):
                killed.append(steps.pop(0)[1])

        story.flow(SECONDS, meanwhile)
        system.await_judged(240)
        findings = system.read("privacy.findings.v1")
        process.terminate()
        process.wait(60)
        yield Run(story, findings, killed, loading, system.logs())


def killed_in_load(system: System, parent: int) -> bool:
    """Kill the ledger process as soon as it reads, and tell whether it had not come to the end of the topic yet."""
    deadline = time.monotonic() + 60
    while '"ledger started"' not in system.logs():
        assert time.monotonic() < deadline, system.logs()
        time.sleep(0.01)
    assert kill(parent, "ledger")
    reader = LedgerReader(system.folder / "ledger.lmdb")
    view = reader.view()
    try:
        return view.coverage(0) is Coverage.LOADING
    finally:
        view.close()
        reader.close()


def await_loaded(system: System) -> None:
    reader = LedgerReader(system.folder / "ledger.lmdb")
    deadline = time.monotonic() + 300
    while True:
        view = reader.view()
        coverage = view.coverage(0)
        view.close()
        if coverage is Coverage.READY:
            reader.close()
            return
        assert time.monotonic() < deadline, system.logs()
        time.sleep(0.2)


@pytest.mark.timeout(1800)
def test_no_verdict_is_wrong_while_people_change_their_minds_and_processes_are_killed(run: Run) -> None:
    mistakes, withheld = run.story.wrong(run.findings)
    assert not mistakes, f"{len(mistakes)} of {len(run.story.disclosed)}; seed {SEED}\n" + "\n".join(mistakes[:5])
    # What was not told in time is unknown, never guessed; it is the exception.
    assert withheld <= len(run.story.disclosed) // 100, f"{withheld} of {len(run.story.disclosed)}\n{run.logs}"
    sys.stdout.write(
        f"{SUBJECTS:,} subjects, {len(run.story.disclosed):,} disclosures, seed {SEED}: 0 wrong, {withheld} withheld\n"
    )


def test_every_kill_hit(run: Run) -> None:
    assert run.killed_while_loading
    assert run.killed == ["worker", "ledger", "worker", "ledger"]


def test_the_story_has_both_answers_and_both_kinds_of_people(run: Run) -> None:
    expected = [
        verdict(run.story.chosen[person], [], run.story.erased[person], event)
        for person, event in run.story.disclosed.values()
    ]
    assert {"denied", "allowed"} == {decision for decision, _ in expected}
    assert {"ledger", "default"} == {by for _, by in expected}
    assert sum(decision == "denied" for decision, _ in expected) > len(expected) // 10
