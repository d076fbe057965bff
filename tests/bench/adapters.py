"""Reading a record against parsing the same bytes with orjson, in one run: the ratio is what an adapter costs above the JSON itself."""

import gc
import time
from collections.abc import Callable, Sequence
from itertools import islice
from typing import TypeVar

import orjson

from monitor.shop import Shop
from tests.topics.adapters.records import LINES, SINGLE, record
from topics.adapters import ADAPTERS, make
from topics.observation import Adapter, AdapterOptions, Observation

_Item = TypeVar("_Item")
_ROUNDS = 7
_SECONDS = 0.06
_PIECES = 6_000
_SHOPS = {"segment": "events", "kong": "kong", "nginx": "nginx"}
_SEED, _START_MS = 7, 1_772_445_600_000


def main() -> None:
    """Print microseconds for each record of each adapter, and their ratio to orjson on the same bytes.

    Segment, Kong and nginx read the demo shop's records, no two of which are equal. The others read one record of the tests again and again, with all
    caches warm: their figure is a lower bound.
    """
    traffic: dict[str, list[bytes]] = {}
    for piece in islice(Shop(_SEED, _START_MS).stream(), _PIECES):
        if piece.value is not None:
            traffic.setdefault(piece.role, []).append(piece.value)
    for name in sorted(ADAPTERS):
        adapter = make(name, AdapterOptions())
        role = _SHOPS.get(name)
        values = traffic[role] if role else [orjson.dumps(SINGLE[name])]
        values = [value for value in values if isinstance(adapter.read(record(value))[0], Observation)]
        _report(f"{name}, {'shop' if role else 'one record'}", adapter, values, orjson.loads)
        if name in LINES:
            lines = [line.encode() for line in LINES[name][:1]]
            _report(f"{name}, lines", adapter, lines, orjson.loads, parsed=[orjson.dumps(SINGLE[name])])


def _report(
    title: str,
    adapter: Adapter,
    values: Sequence[bytes],
    parse: Callable[[bytes], object],
    *,
    parsed: Sequence[bytes] | None = None,
) -> None:
    records = [record(value) for value in values]
    theirs = list(parsed or values)
    read: list[float] = []
    parsing: list[float] = []
    # In turns, so that a machine that slows down slows down both; the quickest round is the least disturbed.
    for _ in range(_ROUNDS):
        read.append(_seconds(adapter.read, records))
        parsing.append(_seconds(parse, theirs))
    ours, base = min(read), min(parsing)
    size = sum(map(len, values)) / len(values)
    note = " (of the same event as JSON)" if parsed else ""
    print(  # noqa: T201 - a benchmark reports
        f"adapters {title:30} {size:6,.0f} bytes: read {ours * 1e6:6.2f} us, orjson {base * 1e6:6.2f} us{note}, "
        f"ratio {ours / base:5.1f}"
    )


def _seconds(run: Callable[[_Item], object], items: Sequence[_Item]) -> float:
    """Give the seconds of processor time for each item: others use the machine too."""
    gc.collect()
    done, start = 0, time.process_time()
    while True:
        for item in items:
            run(item)
        done += len(items)
        spent = time.process_time() - start
        if spent >= _SECONDS:
            return spent / done


if __name__ == "__main__":
    main()
