"""`make bench`: one report on speed, with its conditions, on a real Kafka.

    make bench ARGS="[--records 40000] [--rounds 3] [--write docs/performance.md]"

Every program runs in a process of its own, one after the other, in turns; of its rounds the one with the least CPU for each
record counts. Compare ratios: others may disturb the machine.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from confluent_kafka import Producer, libversion

from tests.bench.growth import growth, presidio
from tests.bench.latency import latency
from tests.bench.mix import FORMATS, Mix
from tests.bench.report import Measured, Report, render
from tests.integration.system import create_topics
from tests.kafka.broker import open_broker, unique_name
from topics.catalog import CATALOG

_QUIX = "quixstreams==3.28.1"
_PARTITIONS = 2
VISITORS = 5_000
"""Persons who are active at a time."""
_ROOT = Path(__file__).parents[2]
_BEGIN, _END = "<!-- written by make bench -->", "<!-- end -->"
_DEADLINE_SECONDS = 400


def main() -> None:
    """Measure everything and print the report."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--records", type=int, default=40_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--skip", nargs="*", default=[], help="programs to leave out (faust, quix, latency, growth)")
    parser.add_argument("--write", type=Path, help="page that keeps the report between its two marks")
    arguments = parser.parse_args()
    report = _measured(arguments.records, arguments.rounds, frozenset(arguments.skip))
    text = render(report)
    print(text)  # noqa: T201 - a benchmark reports
    if arguments.write:
        page = arguments.write.read_text(encoding="utf-8")
        before, _, rest = page.partition(_BEGIN)
        after = rest.partition(_END)[2]
        arguments.write.write_text(f"{before}{_BEGIN}\n{text}{_END}{after}", encoding="utf-8")


def _measured(records: int, rounds: int, skip: frozenset[str]) -> Report:
    broker = open_broker()
    try:
        prefix, warm = f"{unique_name('mix')}.", f"{unique_name('warm')}."
        size = _produce(broker.bootstrap, prefix, records)
        _produce(broker.bootstrap, warm, records)
        runs = _runs(skip)
        measured: dict[str, Measured] = {}
        for _ in range(rounds):
            for name, (program, given) in runs.items():
                extra = {"warm": warm} if program == "monitor" else {}
                found = _run(program, broker.bootstrap, prefix, {**given, **extra})
                if name not in measured or found.cpu / found.records < measured[name].cpu / measured[name].records:
                    measured[name] = found
        pairs = [_pair(broker.bootstrap, prefix, warm) for _ in range(rounds)]
        half = _half(measured["worker"])
        late = latency(broker.bootstrap, half) if "latency" not in skip else None
    finally:
        broker.stop()
    return Report(
        conditions=_conditions(broker.title(), records, size, rounds),
        measured=measured,
        pair=min(pairs, key=lambda each: each.cpu / each.records),
        latency=late,
        growth=growth(min(4_000, records // 4)) if "growth" not in skip else [],
        presidio_us=presidio() if "growth" not in skip else 0.0,
    )


def _runs(skip: frozenset[str]) -> dict[str, tuple[str, Mapping[str, Any]]]:
    runs: dict[str, tuple[str, Mapping[str, Any]]] = {
        "ceiling": ("ceiling", {}),
        "worker": ("monitor", {}),
        "worker, every gate open": ("monitor", {"gated": False}),
        "worker, exactly once": ("monitor", {"exactly_once": True}),
        "Faust agent": ("faust", {}),
        "Quix Streams": ("quix", {}),
    }
    return {name: run for name, run in runs.items() if run[0] not in skip}


def _produce(bootstrap: str, prefix: str, records: int) -> float:
    """Write the mix, and give the mean size of its records."""
    create_topics(bootstrap, {each.name: 1 for each in CATALOG})
    create_topics(bootstrap, {f"{prefix}{topic}": _PARTITIONS for topic in FORMATS})
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 50, "queue.buffering.max.messages": 200_000})
    size = 0
    for at, made in enumerate(Mix(1, visitors=VISITORS).records(records, start_ms=int(time.time() * 1000) - records)):
        producer.produce(f"{prefix}{made.topic}", made.value, partition=at % _PARTITIONS)
        producer.poll(0)
        size += len(made.value)
    producer.flush()
    return size / records


def _run(program: str, bootstrap: str, prefix: str, given: Mapping[str, Any]) -> Measured:
    options = dict(given)
    topics = [f"{prefix}{topic}" for topic in FORMATS]
    group = unique_name("bench")
    if program == "quix":
        command = [str(_quix()), str(_ROOT / "tests/bench/quix_alone.py"), bootstrap, group, f"{prefix}kong"]
    else:
        settings = {"bootstrap": bootstrap, "group": group, "topics": topics, "prefix": prefix} | options
        command = [sys.executable, "-m", "tests.bench.programs", program, json.dumps(settings)]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, timeout=_DEADLINE_SECONDS, check=False)
    lines = [line for line in done.stdout.decode().splitlines() if line.startswith("{")]
    if not lines:
        raise SystemExit(f"{program} gave nothing: {done.stderr.decode()[-2000:]}")
    found = Measured(**json.loads(lines[-1]))
    print(f"{program} {options}: {found.rate:,.0f} a CPU second", file=sys.stderr)  # noqa: T201 - progress
    return found


def _pair(bootstrap: str, prefix: str, warm: str) -> Measured:
    """Run two workers of one group at once, and add them up."""
    topics = [f"{prefix}{topic}" for topic in FORMATS]
    settings = {"bootstrap": bootstrap, "group": unique_name("bench"), "topics": topics, "prefix": prefix, "warm": warm}
    command = [sys.executable, "-m", "tests.bench.programs", "monitor", json.dumps(settings)]

    def run() -> Measured:
        done = subprocess.run(command, cwd=_ROOT, capture_output=True, timeout=_DEADLINE_SECONDS, check=True)
        return Measured(**json.loads(done.stdout.decode().splitlines()[-1]))

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(lambda _: run(), range(2))
    return Measured(
        records=one.records + other.records,
        cpu=one.cpu + other.cpu,
        wall=max(one.wall, other.wall),
        memory_mb=max(one.memory_mb, other.memory_mb),
    )


def _half(worker: Measured) -> float:
    return worker.records / worker.wall / 2


def _quix() -> Path:
    """Give the interpreter of the environment that Quix Streams needs for itself: it pins an older client of Kafka."""
    folder = _ROOT / ".venv" / "quix"
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", _QUIX, "orjson"], check=True)
    return python


def _conditions(broker: str, records: int, size: float, rounds: int) -> Sequence[str]:
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    load = os.getloadavg()
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {broker}, {_PARTITIONS} partitions of each of {len(FORMATS)} topics, the broker on the same machine",
        f"{os.cpu_count()} CPUs ({model}), CPython {platform.python_version()}, librdkafka {libversion()[0]}",
        f"{records:,} records of the committed mix (`tests/bench/mix.py`, seed 1) by {VISITORS:,} persons, {size:,.0f} bytes in the mean; batches of 1,000; workers read as many before, unmeasured",
        f"{rounds} interleaved rounds, of each the one with the least CPU for a record; load average {load[0]:.1f} at the end",
        f"CPU is that of the whole process, librdkafka's threads too; taken at {time.strftime('%H:%M', time.gmtime())} UTC",
    )


if __name__ == "__main__":
    main()
