"""CPU time of hostile texts: twice as much of each takes how many times as long, up to a megabyte.

python -m tests.bench.hostile
"""

import json
import time

from detectors.classify.fields import Budget, find_fields
from tests.bench.detection_fields import shipped_taxonomy
from tests.detectors.classify.test_hostile_fields import HOSTILE
from topics.observation import Media, Part

_SIZES = (32_768, 65_536, 500_000, 1_000_000)
_ROUNDS = 3


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
