"""Reading a record against parsing the same bytes with orjson, in one run: the ratio is what an adapter costs above the JSON itself."""

import gc
import time
from collections.abc import Callable, Sequence
from itertools import islice

import orjson

from monitor.shop import Shop
from tests.topics.adapters.records import LINES, SINGLE, record
from topics.adapters import ADAPTERS, make
from topics.observation import Adapter, AdapterOptions, Observation
from topics.record import RawRecord

_ROUNDS = 25
_WINDOW = 32
_PIECES = 2_500
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
        values = traffic[role] if role else [orjson.dumps(SINGLE[name])] * _WINDOW
        values = [value for value in values if isinstance(adapter.read(record(value))[0], Observation)]
        _report(f"{name}, {'shop' if role else 'one record'}", adapter, values)
        if name in LINES:
            lines = [line.encode() for line in LINES[name][:1]] * _WINDOW
            _report(f"{name}, lines", adapter, lines, parsed=values)


def _report(title: str, adapter: Adapter, values: Sequence[bytes], *, parsed: Sequence[bytes] | None = None) -> None:
    read, parsing = _seconds(adapter.read, [record(value) for value in values], orjson.loads, parsed or values)
    size = sum(map(len, values)) / len(values)
    note = " (of the same event as JSON)" if parsed else ""
    print(  # noqa: T201 - a benchmark reports
        f"adapters {title:30} {size:6,.0f} bytes: read {read * 1e6:6.2f} us, orjson {parsing * 1e6:6.2f} us{note}, "
        f"ratio {read / parsing:5.1f}"
    )


def _seconds(
    read: Callable[[RawRecord], object],
    records: Sequence[RawRecord],
    parse: Callable[[bytes], object],
    values: Sequence[bytes],
) -> tuple[float, float]:
    """Give the seconds for each record read and each value parsed: of every few, in turns, the quickest of many rounds.

    The windows are far shorter than what a busy machine gives away at once, so the quickest one was not disturbed.
    """
    gc.collect()
    totals = [0.0, 0.0]
    for start in range(0, len(records), _WINDOW):
        quickest = [float("inf"), float("inf")]
        some, bare = records[start : start + _WINDOW], values[start : start + _WINDOW]
        for _ in range(_ROUNDS):
            began = time.perf_counter()
            for each in some:
                read(each)
            between = time.perf_counter()
            for value in bare:
                parse(value)
            ended = time.perf_counter()
            quickest = [min(quickest[0], between - began), min(quickest[1], ended - between)]
        totals = [totals[0] + quickest[0], totals[1] + quickest[1]]
    return totals[0] / len(records), totals[1] / len(values)


if __name__ == "__main__":
    main()
