"""The judge in memory, step by step, as ratios to `orjson.loads` on the same bytes in the same interleaved run.

    python -m tests.bench.pipeline [--records 40000] [--rounds 5]

No broker: what the whole worker costs on Apache Kafka is in `tests.bench`. CPU time, the quickest of the rounds of each window.
"""

import argparse
import gc
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import orjson

from monitor.context import load_shipped
from monitor.pipeline import Context, process
from tests.bench.lawful import Memory, record_choices
from tests.bench.mix import DOMAIN, FORMATS, START_MS, Mix
from topics.adapters import make
from topics.observation import Adapter, AdapterOptions, Reading
from topics.record import RawRecord

BATCH = 1_000
REGISTER = Path(__file__).parents[2] / "examples" / "register.yaml"


class Ungated:
    """An adapter without a glance: every record is read whole."""

    def __init__(self, adapter: Adapter) -> None:
        self.name = adapter.name
        self._adapter = adapter

    def read(self, record: RawRecord) -> Reading:
        return self._adapter.read(record)


def adapters(*, gated: bool = True) -> dict[str, Adapter]:
    """Make the adapters of the mix's topics."""
    made = {topic: make(name, AdapterOptions()) for topic, name in FORMATS.items()}
    return made if gated else {topic: Ungated(adapter) for topic, adapter in made.items()}


def context(mix: Mix, *, gated: bool = True) -> Context:
    """Give what the mix is judged by: shipped rules and law, the example register, the consent of the mix's visitors in memory."""
    loaded = load_shipped(domains=[DOMAIN], register_file=REGISTER)
    memory = Memory()
    made: Context = msgspec.structs.replace(loaded.context(adapters(gated=gated), "bench"), ledger=memory)
    if not gated:
        made = msgspec.structs.replace(made, gate=None, verdicts=None)
    told = [RawRecord("consent", 0, at, START_MS - 1_000, None, value) for at, value in enumerate(mix.choices())]
    record_choices(told, memory, made)
    return made


def batches(mix: Mix, count: int) -> list[list[RawRecord]]:
    """Give records of the mix in batches, those of a partition together, as the worker has them."""
    offsets: defaultdict[str, int] = defaultdict(int)
    records: list[RawRecord] = []
    for each in mix.records(count):
        records.append(RawRecord(each.topic, 0, offsets[each.topic], each.at_ms, None, each.value))
        offsets[each.topic] += 1
    cut = (records[at : at + BATCH] for at in range(0, len(records), BATCH))
    return [sorted(batch, key=lambda each: (each.topic, each.offset)) for batch in cut]


def measured(steps: Sequence[Callable[[Any], object]], work: Sequence[Any], rounds: int) -> list[float]:
    """Give the seconds of CPU of each step over the work: of each piece the quickest round, all steps in turns."""
    gc.collect()
    gc.freeze()
    gc.disable()
    totals = [0.0] * len(steps)
    for piece in work:
        best = [float("inf")] * len(steps)
        for _ in range(rounds):
            for at, step in enumerate(steps):
                began = time.process_time_ns()
                step(piece)
                best[at] = min(best[at], (time.process_time_ns() - began) / 1e9)
        totals = [total + quickest for total, quickest in zip(totals, best, strict=True)]
        gc.collect(0)
    gc.enable()
    gc.unfreeze()
    return totals


def against_parsing(
    steps: Mapping[str, Callable[[Any], object]], asked: Sequence[Any], work: Sequence[Sequence[RawRecord]], rounds: int
) -> tuple[dict[str, float], float]:
    """Give the seconds of CPU of each step over what it is asked, all warm, and those of parsing the records that this came from."""
    for step in steps.values():
        for each in asked:
            step(each)
    seconds = measured(list(steps.values()), asked, rounds)
    (parsed,) = measured([parse], work, rounds)
    return dict(zip(steps, seconds, strict=True)), parsed


def chosen(description: str | None, rounds: int) -> argparse.Namespace:
    """Read how many `records` to measure, and in how many `rounds`."""
    arguments = argparse.ArgumentParser(description=description)
    arguments.add_argument("--records", type=int, default=20_000)
    arguments.add_argument("--rounds", type=int, default=rounds)
    return arguments.parse_args()


def parse(batch: Sequence[RawRecord]) -> None:
    """Do what the ceiling does."""
    for record in batch:
        orjson.loads(record.value or b"")


def main() -> None:
    """Print microseconds for each record of each step, and the ratio to orjson."""
    asked = chosen(__doc__, 3)
    mix = Mix(1)
    work = batches(mix, asked.records)
    judged, open_ = context(mix), context(mix, gated=False)

    def read(batch: Sequence[RawRecord]) -> None:
        for record in batch:
            judged.adapters[record.topic].read(record)

    steps: dict[str, Callable[[Any], object]] = {
        "orjson.loads": parse,
        "read": read,
        "whole judge": lambda batch: process(batch, judged, {}),
        "whole judge, every gate open": lambda batch: process(batch, open_, {}),
    }
    # Caches are warm, as they are in a worker after its first seconds; values that do not repeat are made anew in every batch.
    for batch in work:
        process(batch, judged, {})
    seconds = measured(list(steps.values()), work, asked.rounds)
    for name, spent in zip(steps, seconds, strict=True):
        print(  # noqa: T201 - a benchmark reports
            f"pipeline {name:30} {spent / asked.records * 1e6:7.2f} us a record, {spent / seconds[0]:5.1f} x orjson.loads"
        )
    for topic in FORMATS:
        some = [[record for record in batch if record.topic == topic] for batch in work[:8]]
        number = sum(map(len, some))
        parsed, whole = measured([parse, steps["whole judge"]], some, asked.rounds)
        print(  # noqa: T201 - a benchmark reports
            f"pipeline whole judge of {topic:19} {whole / number * 1e6:7.2f} us a record, {whole / parsed:5.1f} x orjson.loads"
        )


if __name__ == "__main__":
    main()
