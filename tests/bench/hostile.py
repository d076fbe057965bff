"""CPU time of hostile texts: twice as much of each takes how many times as long, up to a megabyte.

python -m tests.bench.hostile

First the whole search with texts of many kinds, then each recognizer alone (its pattern, what finds it inside of a text, and the gate)
with texts that are made from its own examples: all but the last character again and again, one character again and again, two that alternate, and the examples
themselves. A text is cut long before a megabyte where it is searched, so the second part is harder than traffic can be.
"""

import json
import time
from collections.abc import Callable, Iterator

from detectors.classify.fields import Budget, find_fields
from detectors.classify.recognizers.compiled import Ready
from detectors.classify.recognizers.gates import ENGINE
from detectors.classify.recognizers.recognizer import Recognizer
from tests.bench.detection_fields import shipped_taxonomy
from tests.detectors.classify.test_hostile_fields import HOSTILE
from topics.observation import Media, Part

_SIZES = (32_768, 65_536, 500_000, 1_000_000)
_ROUNDS = 3
_PATTERN_SIZES = (500_000, 1_000_000)
_FLOOR = 5e-3
"""Seconds below which the memory for the text itself and noise decide a ratio."""


def main() -> None:
    """Print time and ratio of each kind, the worst at the end."""
    worst = 0.0
    for kind, make in HOSTILE.items():
        for where, media in (("value", Media.JSON), ("text", Media.TEXT)):
            spent = [
                _spent(
                    json.dumps({"address": make(size)}).encode() if media is Media.JSON else make(size).encode(), media
                )
                for size in _SIZES
            ]
            ratios = [second / max(first, 1e-4) for first, second in ((spent[0], spent[1]), (spent[2], spent[3]))]
            worst = max(worst, *ratios)
            _say(
                f"{kind:<26} {where:<6} "
                + " ".join(f"{each * 1e3:8.2f} ms" for each in spent)
                + "   twice: "
                + " ".join(f"{each:.2f}" for each in ratios)
            )
    _say(f"the worst ratio of 2n to n: {worst:.2f}")
    patterns()


def patterns() -> None:
    """Print the slowest text of each recognizer, and the worst ratio."""
    table = shipped_taxonomy().recognizers
    ready = {each.recognizer.name: each for each in table.alone}
    worst: tuple[float, str] = (0.0, "")
    _say(f"\n{'recognizer':<28} {'1 MB of its worst':>18} {'twice:':>8}")
    for recognizer in table.recognizers:
        slowest, ratio = 0.0, 0.0
        for make in _made_of(recognizer):
            for run in _ways(recognizer, ready.get(recognizer.name), table.checks[recognizer.name]):
                half, whole = (_least(run, make(size)) for size in _PATTERN_SIZES)
                slowest = max(slowest, whole)
                if whole > _FLOOR:
                    ratio = max(ratio, whole / max(half, _FLOOR / 2))
        worst = max(worst, (ratio, recognizer.name))
        _say(f"{recognizer.name:<28} {slowest * 1e3:>15.2f} ms {ratio:>8.2f}")
    _say(f"{len(table.recognizers)} recognizers; the worst ratio of 2n to n: {worst[0]:.2f} ({worst[1]})")


def _made_of(recognizer: Recognizer) -> Iterator[Callable[[int], str]]:
    """Give makers of texts that almost are, again and again, what the recognizer looks for."""
    for example in recognizer.finds[:2]:
        for piece in (
            example[:-1],
            f"{example[:-1]} ",
            example[0],
            example[: len(example) // 2],
            example[-2:],
            f"{example} ",
        ):
            if piece:
                yield lambda size, piece=piece: (piece * (size // len(piece) + 1))[:size]  # type: ignore[misc]


def _ways(
    recognizer: Recognizer, ready: Ready | None, whole: Callable[[str], bool]
) -> Iterator[Callable[[str], object]]:
    yield whole
    if ready is None:
        return
    gate = ENGINE([(1, recognizer.gate or f'"(?:{recognizer.pattern})"')])
    yield lambda text: gate.scan(text.encode())
    if (within := ready.within) is not None:
        yield lambda text: [ready.valid(each) for each in within(text)]


def _least(run: Callable[[str], object], text: str) -> float:
    best = float("inf")
    for _ in range(_ROUNDS):
        started = time.process_time()
        run(text)
        best = min(best, time.process_time() - started)
    return best


def _spent(data: bytes, media: Media) -> float:
    best = float("inf")
    taxonomy = shipped_taxonomy()
    for _ in range(_ROUNDS):
        taxonomy.memory.names.clear()
        taxonomy.memory.points.clear()
        taxonomy.memory.quiet.clear()
        taxonomy.memory.scans.clear()
        started = time.process_time()
        find_fields(Part("", data, media), Budget(), taxonomy)
        best = min(best, time.process_time() - started)
    return best


def _say(line: str) -> None:
    print(line)  # noqa: T201 - a benchmark reports


if __name__ == "__main__":
    main()
