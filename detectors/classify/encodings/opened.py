"""What comes out of a wrapping, and how much of it may come out."""

from collections.abc import Iterator
from typing import Any, NamedTuple

OVER_BUDGET = "over-budget"
TOO_DEEP = "encoded-too-deep"
"""More wrappings around each other than are opened."""
EXPANDS = "expands-too-much"
"""Compressed data that grows beyond the cap or the ratio."""


class Caps:
    """Budgets of one part for what is unwrapped. Counts, so the same bytes always give the same answer."""

    __slots__ = ("blind", "left", "ratio")

    def __init__(self, unwrapped_bytes: int, ratio: int) -> None:
        self.left = unwrapped_bytes
        self.ratio = ratio
        self.blind: set[str] = set()
        """Why something was not opened."""

    def take(self, count: int) -> bool:
        """Spend bytes that came out; False, and told, when there are none left."""
        if count > self.left:
            self.blind.add(OVER_BUDGET)
            return False
        self.left -= count
        return True


class Opened(NamedTuple):
    """Something that was inside of a text: another text, or an object with names."""

    text: str = ""
    document: Any = None
    inside: str = ""
    """How it was wrapped: `json`, `base64`, ... for explain."""


Openings = Iterator[Opened]
