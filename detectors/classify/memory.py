"""What was decided before, by Python's own hash, which is salted anew in every process: no value is kept.

Hosts, agents, routes, products and header values come again with every record; deciding each once is what makes a search quick.
A decision depends on nothing but what its hash is made of, so remembering changes no result.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

_MOST = 1 << 16
_MOST_SCANS = 1 << 13


class Told(NamedTuple):
    """What a name told about a value: a category with the masked shape, or nothing."""

    category: str = ""
    shape: str = ""


NOTHING = Told()
"""And there is nothing else to look for: empty, masked, or a number too small to be anything."""
TO_BE_READ = Told("", " ")
"""The name tells nothing, the value has still to be asked."""


class Memory:
    """Decisions of one snapshot, bounded: when a part of it is full it starts anew."""

    __slots__ = ("names", "points", "quiet", "scans")

    def __init__(self) -> None:
        self.names: dict[int, Told] = {}
        """By name, contexts and value: what they tell together."""
        self.points: dict[int, int] = {}
        """By text: bits of the recognizers and wrappings that may find something in it, whatever its name; 0: none."""
        self.quiet: set[int] = set()
        """Texts in which something could be and was not found, with their name and contexts."""
        self.scans: dict[int, Any] = {}
        """Results of whole parts."""

    def scan(self, mark: int, found: Any) -> Any:
        """Remember the result of a whole part, which holds paths, categories and shapes alone."""
        if len(self.scans) >= _MOST_SCANS:
            self.scans.clear()
        self.scans[mark] = found
        return found

    def tell(self, mark: int, told: Told) -> Told:
        """Remember what a name told."""
        if len(self.names) >= _MOST:
            self.names.clear()
        self.names[mark] = told
        return told

    def point(self, mark: int, bits: int) -> int:
        """Remember what may find something in a text."""
        if len(self.points) >= _MOST:
            self.points.clear()
        self.points[mark] = bits
        return bits

    def point_nowhere(self, texts: Sequence[str]) -> None:
        """Remember texts in which nothing can be found."""
        if len(self.points) + len(texts) > _MOST:
            self.points.clear()
        self.points.update(dict.fromkeys(map(hash, texts), 0))

    def hush(self, mark: int) -> None:
        """Remember a text that gave nothing where it stood."""
        if len(self.quiet) >= _MOST:
            self.quiet.clear()
        self.quiet.add(mark)
