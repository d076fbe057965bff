"""Rules that change on a running monitor, and a backtest of what it has read, on Apache Kafka."""

import json
import re
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition

from monitor.shop import Shop
from tests.integration.system import Coordinates, System, distinct_findings, expand, page
from tests.kafka.jvm import Cluster

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

TOPICS = {"events": "shop.events", "kong": "shop.kong", "nginx": "shop.nginx", "consent": "privacy.consent.v1"}
SOURCES = (
    {"topic": "shop.events", "adapter": "segment", "service": "web-shop"},
    {"topic": "shop.kong", "adapter": "kong", "service": "api-gateway", "body": "request.body"},
    {"topic": "shop.nginx", "adapter": "nginx", "service": "edge"},
)
SWAPS = 4
WORKERS = 2
LIVE_SECONDS = 5.0
PAIR = ("acme.one", "acme.two")
RULE = """\
id: {name}
title: Somebody else receives something
version: {version}
status: test
mode: live
assessor: tracking
when: flow.proof != "" && flow.role != "own"
severity: low
group_by: [flow.recipient]
runbook: tracking.consent-missing
why: "{{flow.recipient}} received something."
tests:
  - {{name: somebody, given: {{flow: {{proof: upstream, role: third-party}}}}, expect: finding}}
  - {{name: nobody, given: {{flow: {{role: own}}}}, expect: none}}
"""


@dataclass
class Run:
    """What a run left behind in which rules changed under load."""

    system: System
    findings: list[dict[str, Any]]
    live_after: list[float]
    """Seconds from the last file of a good set to the moment when all workers judge by it."""
    committed: dict[tuple[str, int], int]


class Pages:
    """The metrics of all workers."""

    def __init__(self, system: System) -> None:
        deadline = time.monotonic() + 60
        self.urls: list[str] = []
        while len(self.urls) < WORKERS:
            assert time.monotonic() < deadline, system.logs()
            time.sleep(0.2)
            lines = [line for line in system.logs().splitlines() if '"worker started"' in line]
            self.urls = [json.loads(line)["pages"] + "/metrics" for line in lines]

    def reloads(self, outcome: str) -> list[int]:
        pattern = re.compile(rf'^privacy_monitor_reload_total{{outcome="{outcome}"}} (\S+)$', re.MULTILINE)
        return [int(float(pattern.findall(page(url))[0])) for url in self.urls]

    def digests(self) -> set[str]:
        pattern = re.compile(r'^privacy_monitor_rules_loaded_info{digest="(\w+)"} 1.0$', re.MULTILINE)
        return {digest for url in self.urls for digest in pattern.findall(page(url))}

    def reload_turns(self) -> dict[str, int]:
        pattern = re.compile(r'^privacy_monitor_reload_turn_seconds_bucket{le="(\S+)"} (\S+)$', re.MULTILINE)
        turns: Counter[str] = Counter()
        for url in self.urls:
            turns.update({bound: int(float(count)) for bound, count in pattern.findall(page(url))})
        return dict(turns)

    def wait(self, outcome: str, count: int) -> float:
        """Wait until every worker counts so many; give how long it took."""
        began = time.monotonic()
        while self.reloads(outcome) != [count] * WORKERS:
            assert time.monotonic() - began < 60, (outcome, count, self.reloads(outcome))
            time.sleep(0.05)
        return time.monotonic() - began


def write(folder: Path, version: str) -> None:
    for name in PAIR:
        (folder / f"{name}.yaml").write_text(RULE.format(name=name, version=version))


@pytest.fixture(scope="module")
def run(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("rules-live")
    rules = folder / "rules" / "acme"
    rules.mkdir(parents=True)
    write(rules, "1.0.0")
    with System(cluster.bootstrap, folder, SOURCES, {"rules": ["rules"]}) as system:
        started = system.start("run", "--workers", str(WORKERS))
        pages = Pages(system)
        stop = threading.Event()
        player = threading.Thread(target=play, args=(system, stop))
        player.start()
        live_after = []
        try:
            for number in range(1, SWAPS + 1):
                write(rules, f"1.{number}.0")
                live_after.append(pages.wait("loaded", number))
                # Under load for a while by this set, and then by what is left when its files are broken.
                time.sleep(1)
                before = pages.digests()
                (rules / "acme.two.yaml").write_text("id: acme.two\nwhen: flow.proof !=\n")
                pages.wait("broken", number)
                assert pages.digests() == before
        finally:
            stop.set()
            player.join()
        system.await_judged(120)
        yield Run(system, system.read("privacy.findings.v1"), live_after, committed(system))
        started.terminate()
        assert started.wait(30) == 0, system.logs()


def play(system: System, stop: threading.Event) -> None:
    stream = Shop(5, 0, now_ms=lambda: time.time_ns() // 1_000_000).stream()
    while not stop.is_set():
        system.produce([(TOPICS[each.role], each.key, each.value) for each in islice(stream, 100)])
        stop.wait(0.1)


def committed(system: System) -> dict[tuple[str, int], int]:
    consumer = Consumer({"bootstrap.servers": system.bootstrap, "group.id": "test-monitor"})
    try:
        asked = [TopicPartition(str(source["topic"]), partition) for source in SOURCES for partition in range(3)]
        return {(each.topic, each.partition): each.offset for each in consumer.committed(asked, timeout=10)}
    finally:
        consumer.close()


def judged_by(run: Run, rule: str) -> dict[Coordinates, set[tuple[str, str]]]:
    """Version and bundle under which the rule spoke of each record."""
    found: dict[Coordinates, set[tuple[str, str]]] = defaultdict(set)
    for fold in run.findings:
        if fold["rule"] == rule:
            for place in expand(fold):
                found[place].add((fold["rule_version"], fold["bundle"]))
    return found


def test_no_record_is_judged_by_a_half_loaded_set(run: Run) -> None:
    first, second = (judged_by(run, rule) for rule in PAIR)
    assert first == second
    assert all(len(each) == 1 for each in first.values())
    spoken = {each for some in first.values() for each in some}
    assert len({version for version, _ in spoken}) == len({bundle for _, bundle in spoken}) == len(spoken)
    # Before the first swap a worker may not have had a record yet; every later set judges for a second at least.
    assert SWAPS <= len(spoken) <= SWAPS + 1


def test_new_rules_are_live_within_seconds(run: Run) -> None:
    assert len(run.live_after) == SWAPS
    assert max(run.live_after) < LIVE_SECONDS


def test_the_unchanged_rules_give_the_findings_that_the_workers_wrote(run: Run) -> None:
    (run.system.folder / "rules" / "acme" / "acme.two.yaml").write_text(RULE.format(name=PAIR[1], version="9.0.0"))
    command = ["backtest", "--from", "1h", "--format", "json"]
    command += [word for source in SOURCES for word in ("--topic", str(source["topic"]))]
    same = json.loads(run.system.command(*command))
    assert same["is_empty"]
    assert same["traffic"]["records"] == sum(run.committed.values())
    lost = json.loads(run.system.command(*command, "--without", PAIR[0]))
    (rule,) = lost["rules"]
    written = distinct_findings([fold for fold in run.findings if fold["rule"] == PAIR[0]])
    assert rule["before"] == sum(each.total() for each in written.values()) > 100
    assert rule["changes"]["lost"]["findings"] == rule["before"]
    assert rule["after"] == 0
    # Reading by time has moved nobody's offsets.
    assert committed(run.system) == run.committed
