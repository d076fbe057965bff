"""Gates: which recognizers can find anything in some bytes.

A gate is a necessary condition and never a verdict, so it does not matter which engine answers. The patterns of all families stand in one
database: on what a gateway record leaves once names are read and known texts are left out, it takes 1.8 us, and one database
for each family 4.9 (`python -m tests.bench.fields`).
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from detectors.classify.recognizers.hyperscan_engine import AVAILABLE, HyperscanDatabase
from detectors.classify.recognizers.re2_engine import Re2Database


class Database(Protocol):
    """Compiled patterns."""

    def scan(self, data: bytes) -> int:
        """Give the bits of the patterns that the bytes have."""
        ...


Engine = Callable[[Sequence[tuple[int, str]]], Database]
ENGINE: Engine = HyperscanDatabase if AVAILABLE else Re2Database


class Gates:
    """The shipped patterns in one database, those of each other group in one of its own."""

    def __init__(self, groups: Iterable[Sequence[tuple[int, str]]], engine: Engine = ENGINE) -> None:
        """Compile (bit, pattern over UTF-8 bytes); raise ValueError for a pattern that is not understood."""
        self._first, *others = [engine(group).scan for group in groups if group]
        self._others = tuple(others)

    def open(self, data: bytes) -> int:
        """Give the bits of all recognizers that the bytes may hold something for. Whole values are told by quotes around them."""
        bits = self._first(data)
        for scan in self._others:
            bits |= scan(data)
        return bits
