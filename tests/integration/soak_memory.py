"""The memory of processes over time, and how fast it grows."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

_WARM_SECONDS = 180.0
"""Caches fill, and the allocator finds its size: what grows then is not held against a process."""


class Sample(NamedTuple):
    """What a process held at a moment."""

    seconds: float
    resident_mb: float
    files: int


@dataclass(slots=True)
class Memory:
    """Samples of each process that was looked at, by name and process id."""

    title: str
    samples: dict[tuple[str, int], list[Sample]] = field(default_factory=dict)
    _began: float = field(default_factory=time.monotonic)

    def look(self, name: str, pid: int) -> None:
        """Note what a process holds; nothing when it is gone."""
        try:
            status = Path(f"/proc/{pid}/status").read_text()
            files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
        except OSError:
            return
        resident = next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")), 0)
        if resident:
            known = self.samples.setdefault((name, pid), [])
            known.append(Sample(time.monotonic() - self._began, resident / 1024, files))

    def now(self) -> str:
        """Say what each process that was seen last holds."""
        newest = {name: samples[-1] for (name, _), samples in self.samples.items()}
        return ", ".join(f"{name} {each.resident_mb:.0f} MB {each.files} files" for name, each in newest.items())

    def lines(self) -> Iterable[str]:
        """Tell of each name: the largest that any process of it was, and how the one that lived longest grew."""
        for name in dict.fromkeys(name for name, _ in self.samples):
            lives = [samples for (each, _), samples in self.samples.items() if each == name]
            longest = max(lives, key=lambda samples: samples[-1].seconds - samples[0].seconds)
            first, last = longest[0], longest[-1]
            largest = max(each.resident_mb for samples in lives for each in samples)
            yield (
                f"memory, {self.title}, {name}: {len(lives)} processes, {largest:.0f} MB at most; the one that lived longest, for "
                f"{(last.seconds - first.seconds) / 60:.0f} min: {first.resident_mb:.0f} MB and {first.files} files at first, "
                f"{last.resident_mb:.0f} MB and {last.files} files at last"
            )
            warm = [each for each in longest if each.seconds - first.seconds >= _WARM_SECONDS]
            if len(warm) > 10:
                yield f"  its slope after {_WARM_SECONDS / 60:.0f} min: {slope(warm):+.2f} MB an hour; " + " ".join(
                    f"{each.seconds / 60:.0f}:{each.resident_mb:.0f}" for each in warm[:: max(1, len(warm) // 12)]
                )


def slope(samples: list[Sample]) -> float:
    """Give the growth in MB an hour: the median of the slopes between each sample and the one half of the time later (Theil and Sen)."""
    half = len(samples) // 2
    slopes = sorted(
        (after.resident_mb - before.resident_mb) / (after.seconds - before.seconds) * 3600
        for before, after in zip(samples, samples[half:], strict=False)
        if after.seconds > before.seconds
    )
    return slopes[len(slopes) // 2] if slopes else 0.0
