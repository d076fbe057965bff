"""A backtest of what a worker has judged, on Apache Kafka: the same findings, at the price of judging, bounded."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pytest

from alerts.episodes import Policy
from monitor.backtest import Diff, Kind, Part
from monitor.backtest_run import Judges, Ranges, of_topics
from monitor.context import Loaded, load
from monitor.files import client_settings, read_config
from monitor.pipeline import process
from monitor.rule_files import compile_checked, shipped_rules
from monitor.shop import Shop
from tests.integration.system import System, expand
from tests.integration.test_rules_live import SOURCES, TOPICS
from tests.kafka.jvm import Cluster
from topics.finding import Finding, Fold

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(3600)]

RECORDS = int(os.environ.get("BACKTEST_RECORDS", "20000"))
"""Records of traffic; BACKTEST_RECORDS=2000000 is the full size."""
_DISTINCT = 200_000
JOBS = 2
_MOST_MEGABYTES = 500
"""For a process of a backtest, however much it reads."""
CHANGED = "tracking.gpc-ignored"
Place = tuple[str, str, int, int]
"""Rule, topic, partition, offset."""


class Kept(Diff):
    """A difference that also keeps what was found, which the program never does."""

    def __init__(self, bundles: tuple[str, str], policy: Policy) -> None:
        super().__init__(bundles, policy)
        self.found: tuple[Counter[Place], Counter[Place]] = Counter(), Counter()

    def add(self, part: Part) -> None:
        super().add(part)
        for found, folds in zip(self.found, part.folds, strict=True):
            for each in folds:
                found.update(places(each))


class Keeping(Judges):
    """Judges whose difference keeps everything."""

    def diff(self) -> Kept:
        return Kept((self.before.bundle, self.after.bundle), self.policy)


def places(fold: Fold) -> Counter[Place]:
    counted: Counter[Place] = Counter()
    offset = 0
    for distance, _minute, count in fold.offsets:
        offset += distance
        counted[fold.rule, fold.topic, fold.partition, offset] += count
    return counted


@dataclass
class Run:
    """What a worker judged, and what judges it again."""

    system: System
    ranges: Ranges
    loaded: Loaded
    live_s: float
    """Processor time of the worker."""
    bytes: int
    written: Counter[Place] = field(default_factory=Counter)


def processor_seconds(pid: int) -> float:
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def largest_megabytes(pid: int) -> float:
    """Give the most that a process or one of its children ever had. `getrusage` would tell of who started them, too."""
    most = 0
    try:
        for each in (pid, *children(pid)):
            status = Path(f"/proc/{each}/status").read_text()
            most = max([most, *(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))])
    except OSError:
        # It has just ended.
        pass
    return most / 1024


@pytest.fixture(scope="module")
def run(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("backtest-live")
    with System(cluster.bootstrap, folder, SOURCES) as system:
        since_ms = time.time_ns() // 1_000_000 - 1000
        started = system.start("run", "--workers", "1")
        # A backlog that waits while the ledger loads is judged without consent: traffic begins when both are there.
        deadline = time.monotonic() + 120
        while not ('"worker started"' in system.logs() and '"ledger started"' in system.logs()):
            assert time.monotonic() < deadline, system.logs()
            time.sleep(0.2)
        began = {pid: processor_seconds(pid) for pid in children(started.pid)}
        size = fill(system)
        system.await_judged(60 + RECORDS / 500)
        spent = max(processor_seconds(pid) - seconds for pid, seconds in began.items())
        config = read_config(system.config)
        topics = [str(source["topic"]) for source in SOURCES]
        ranges = Ranges(config, client_settings(config.kafka), topics, since_ms, time.time_ns() // 1_000_000 + 1000)
        made = Run(system, ranges, load(config, str(system.config)), spent, size)
        for topic in ("privacy.findings.v1", "privacy.shadow.v1"):
            for fold in system.read(topic):
                for place in expand(fold):
                    made.written[(fold["rule"], *place)] += 1
        started.terminate()
        assert started.wait(60) == 0, system.logs()
        yield made


def fill(system: System) -> int:
    """Produce the traffic; gives its bytes."""
    shop = Shop(5, 0, now_ms=lambda: time.time_ns() // 1_000_000).stream()
    distinct = [(TOPICS[each.role], each.key, each.value) for each in islice(shop, min(_DISTINCT, RECORDS))]
    left, size = RECORDS, 0
    while left > 0:
        for start in range(0, min(left, len(distinct)), 10_000):
            some = distinct[start : min(start + 10_000, left)]
            system.produce(some)
            size += sum(len(value or b"") for topic, _, value in some if topic != TOPICS["consent"])
        left -= len(distinct)
    return size


def judges(run: Run, after: Loaded | None = None) -> Keeping:
    policy = Policy(quiet_seconds=900, resolve_seconds=86_400)
    return Keeping(run.loaded, after or run.loaded, policy)


def changed(run: Run) -> Loaded:
    texts = shipped_rules()
    (file,) = [name for name in texts if name.endswith(f"/{CHANGED}.yaml")]
    texts[file] = texts[file].replace('|| flow.purpose == "social"', "").replace("severity: high\n", "severity: low\n")
    ruleset, problems = compile_checked(texts, run.loaded.law)
    assert ruleset is not None, problems
    return run.loaded.judged_by(ruleset, run.loaded.exemptions)


def test_the_unchanged_rules_find_what_the_worker_wrote_at_half_its_rate_or_more(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    diff, seconds = of_topics(run.ranges, judges(run), JOBS, None)
    assert isinstance(diff, Kept)
    live, again = diff.records / run.live_s, diff.records / seconds
    megabytes = diff.bytes / seconds / 1e6
    with capsys.disabled():
        print(  # noqa: T201 - the figures are the point
            f"\n{diff.records} records, {diff.bytes / 1e6:.0f} MB, {run.written.total()} findings: a worker judges "
            f"{live:,.0f} records for each second of processor time, a backtest {again:,.0f} ({again / live:.2f} of it, "
            f"{megabytes:.1f} MB, {megabytes * 3.6:.0f} GB an hour and core)"
        )
    assert diff.is_empty
    assert diff.found[0] == diff.found[1]
    missed, invented = run.written - diff.found[0], diff.found[0] - run.written
    assert not missed, Counter(rule for rule, *_ in missed.elements())
    assert not invented, Counter(rule for rule, *_ in invented.elements())
    assert run.written.total() > 50


def test_the_difference_of_a_changed_rule_equals_brute_force(run: Run) -> None:
    after = changed(run)
    spans = run.ranges.replay()
    (place, span) = max(spans.spans.items(), key=lambda each: each[1][1] - each[1][0] if "events" in each[0][0] else 0)
    spans.__exit__(None, None, None)
    limited = {place: (span[0], min(span[1], span[0] + 50_000))}
    found: list[dict[str, Finding]] = [{}, {}]
    with run.ranges.replay(limited) as replay:
        contexts = [
            # Without any memory of what was said before: each record is opened and judged.
            msgspec.structs.replace(each.context(replay.adapters, replay.cluster), gate=None, verdicts=None)
            for each in (run.loaded, after)
        ]
        for records, ledger in replay.batches(lambda _count: None):
            for context, kept in zip(contexts, found, strict=True):
                outcome = process(records, msgspec.structs.replace(context, ledger=ledger), {})
                kept.update({each.finding_id: each for each in outcome.findings})
    expected: Counter[Kind] = Counter()
    for name in found[0].keys() | found[1].keys():
        was, now = found[0].get(name), found[1].get(name)
        if was is None or now is None:
            expected[Kind.NEW if was is None else Kind.LOST] += 1
        elif was.severity != now.severity:
            expected[Kind.SEVERITY] += 1
    diff = judges(run, after).diff()
    with run.ranges.replay(limited) as replay:
        comparison = judges(run, after).comparison(replay)
        for records, ledger in replay.batches(lambda _count: None):
            diff.add(comparison.part(records, ledger))
    assert diff.changes == expected
    assert {name for name, each in diff.rules.items() if each.changes} == {CHANGED}
    assert min(expected[Kind.LOST] + expected[Kind.SEVERITY], expected.total()) > 0


@contextmanager
def interrupted(_console: object, _size: int) -> Iterator[Callable[[int], None]]:
    """Stand in for the progress bar; somebody presses Ctrl-C after three batches."""
    steps = iter(range(2))

    def advance(_count: int) -> None:
        if next(steps, None) is None:
            raise KeyboardInterrupt

    yield advance


def test_an_interrupted_backtest_goes_on_where_it_was(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if RECORDS > 100_000:
        pytest.skip("shown at the small size")
    after, file = changed(run), tmp_path / "state"
    whole, _ = of_topics(run.ranges, judges(run, after), 1, None)
    with monkeypatch.context() as patched:
        patched.setattr("monitor.backtest_run.progress", interrupted)
        with pytest.raises(KeyboardInterrupt):
            of_topics(run.ranges, judges(run, after), JOBS, file)
    before = msgspec.msgpack.decode(file.read_bytes())["diff"]["records"]
    assert 0 < before < whole.records
    resumed, _ = of_topics(run.ranges, judges(run, after), JOBS, file)
    assert resumed.records == whole.records
    assert resumed.changes == whole.changes
    findings = [{name: (each.before, each.after) for name, each in diff.rules.items()} for diff in (resumed, whole)]
    assert findings[0] == findings[1]


def test_the_command_reads_the_same_in_little_memory(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    command = [sys.executable, "-m", "monitor", "backtest", "--config", str(run.system.config)]
    command += ["--from", "2h", "--format", "json", "--jobs", str(JOBS)]
    command += [word for source in SOURCES for word in ("--topic", str(source["topic"]))]
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdout=output)
        megabytes = 0.0
        while process.poll() is None:
            megabytes = max(megabytes, largest_megabytes(process.pid))
            time.sleep(0.1)
        output.seek(0)
        told: dict[str, Any] = json.loads(output.read())
    assert process.returncode == 0
    assert told["is_empty"]
    assert told["traffic"]["bytes"] == run.bytes
    with capsys.disabled():
        print(f"\nthe largest process of the command had {megabytes:.0f} MB for {RECORDS} records")  # noqa: T201
    assert megabytes < _MOST_MEGABYTES
