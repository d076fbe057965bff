"""Gates: which recognizers can find anything in some bytes.

A gate is a necessary condition and never a verdict, so it does not matter which engine answers. In front of the databases of the
families stands one of all their patterns as alternatives, which mostly says that there is nothing: on what is left of a gateway record
once its names are read it takes 1.6 us where asking each family takes 4.9 (tests/bench/fields.py).
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
    """Databases of all families behind one screen, and databases that are asked each time."""

    def __init__(
        self,
        families: Iterable[Sequence[tuple[int, str]]],
        others: Iterable[Sequence[tuple[int, str]]] = (),
        engine: Engine = ENGINE,
    ) -> None:
        """Compile. Others are patterns that would make the screen too large: as alternatives they multiply."""
        listed = [family for family in families if family]
        self._screen = engine([(1, "|".join(f"(?:{pattern})" for family in listed for _, pattern in family))]).scan
        self._families = tuple(engine(family).scan for family in listed)
        self._others = tuple(engine(other).scan for other in others if other)

    def open(self, data: bytes) -> int:
        """Give the bits of all recognizers that the bytes may hold something for. Whole values are told by quotes around them."""
        bits = 0
        for scan in self._others:
            bits |= scan(data)
        if self._screen(data):
            for scan in self._families:
                bits |= scan(data)
        return bits
