"""Bit fields in base64url, as GPP and TCF write them, and vendor ids as intervals.

The bits are held as a string of 0 and 1: a slice costs its own length, where a shift of one large integer costs the whole of it.
"""

import re
from binascii import a2b_base64
from bisect import bisect_right
from functools import lru_cache
from itertools import accumulate

import msgspec

from detectors.consent.refusal import Reason

MAX_ID = 65_536
"""Largest section or vendor id that is believed. Thirteen characters can ask for thirty million."""

_MAX_RANGES = 4_096
"""Fibonacci ranges of one segment. Three bits can hold one, so the length alone would let a string cost a tenth of a second."""

_ALPHABET = re.compile(r"[A-Za-z0-9_-]+")
_STANDARD = str.maketrans("-_", "+/")
_RUN = re.compile("1+")
_FIBONACCI = tuple(a for a, _ in accumulate(range(23), lambda pair, _: (pair[1], sum(pair)), initial=(1, 2)))


class UnreadableError(Exception):
    """Ends a decoding. Never leaves the package: the public functions turn it into a refusal."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class VendorSet(msgspec.Struct, frozen=True, gc=False):
    """Ids as sorted intervals that neither touch nor overlap. Never expanded: one string may name millions."""

    starts: tuple[int, ...] = ()
    ends: tuple[int, ...] = ()
    """Inclusive; ends[i] belongs to starts[i]."""

    def __contains__(self, vendor: int) -> bool:
        at = bisect_right(self.starts, vendor)
        return at > 0 and vendor <= self.ends[at - 1]

    def __bool__(self) -> bool:
        return bool(self.starts)

    def count(self) -> int:
        """Count the ids."""
        return sum(self.ends) - sum(self.starts) + len(self.starts)


NOBODY = VendorSet()


def merged(pairs: list[tuple[int, int]]) -> VendorSet:
    """Sort intervals and join those that touch."""
    pairs.sort()
    starts: list[int] = []
    ends: list[int] = []
    last = -2
    for start, end in pairs:
        if start > last + 1:
            starts.append(start)
            ends.append(end)
            last = end
        elif end > last:
            ends[-1] = last = end
    return VendorSet(tuple(starts), tuple(ends))


class Bits:
    """A reader over the bits of one segment, most significant first."""

    __slots__ = ("at", "left", "text")

    def __init__(self, segment: str) -> None:
        """Decode base64url without padding; every bit of an odd tail is kept."""
        if _ALPHABET.fullmatch(segment) is None:
            raise UnreadableError(Reason.ALPHABET if segment else Reason.SEGMENT)
        # The decoder drops the bits of an incomplete group, so it is completed with zeros.
        raw = a2b_base64((segment + "AAA"[: -len(segment) % 4]).translate(_STANDARD))
        # The leading one keeps the leading zeros.
        self.text = bin(int.from_bytes(b"\1" + raw))[3 : 3 + 6 * len(segment)]
        self.at = 0
        self.left = _MAX_RANGES

    def take(self, width: int) -> int:
        """Read an unsigned integer of 1 or more bits."""
        end = self.at + width
        bits = self.text[self.at : end]
        if len(bits) < width:
            raise UnreadableError(Reason.TRUNCATED)
        self.at = end
        return int(bits, 2)

    def slice(self, width: int) -> str:
        """Read bits as text."""
        end = self.at + width
        bits = self.text[self.at : end]
        if len(bits) < width:
            raise UnreadableError(Reason.TRUNCATED)
        self.at = end
        return bits

    def members(self, width: int) -> frozenset[int]:
        """Read a short bit field: the positions that are set, from 1."""
        return positions(self.slice(width))

    def fibonacci(self) -> int:
        """Read a Fibonacci-coded integer, at least 1."""
        end = self.text.find("11", self.at)
        if end < 0:
            raise UnreadableError(Reason.TRUNCATED)
        code = self.text[self.at : end + 1]
        if len(code) > len(_FIBONACCI):
            raise UnreadableError(Reason.RANGE)
        self.at = end + 2
        return _fibonacci_value(code)

    def fibonacci_ranges(self) -> list[tuple[int, int]]:
        """Read Range(Fibonacci): inclusive intervals, ascending by construction."""
        found = []
        last = 0
        count = self.take(12)
        self.left -= count
        if self.left < 0:
            raise UnreadableError(Reason.RANGE)
        for _ in range(count):
            group = self.take(1)
            start = last + self.fibonacci()
            last = start + self.fibonacci() if group else start
            if last > MAX_ID:
                raise UnreadableError(Reason.RANGE)
            found.append((start, last))
        return found

    def integer_ranges(self) -> list[tuple[int, int]]:
        """Read Range(Int): inclusive intervals as written, in any order."""
        text, at = self.text, self.at
        count = self.take(12)
        at += 12
        found = []
        for _ in range(count):
            group = text[at : at + 1] == "1"
            width = 33 if group else 17
            item = text[at + 1 : at + width]
            if len(item) < width - 1:
                raise UnreadableError(Reason.TRUNCATED)
            start = int(item[:16], 2)
            end = int(item[16:], 2) if group else start
            if start > end:
                raise UnreadableError(Reason.RANGE)
            found.append((start, end))
            at += width
        self.at = at
        return found

    def bit_field(self, width: int) -> VendorSet:
        """Read a bit field whose first bit is id 1."""
        spans = [match.span() for match in _RUN.finditer(self.slice(width))]
        return VendorSet(tuple([start + 1 for start, _ in spans]), tuple([end for _, end in spans]))

    def is_spent(self) -> bool:
        """Tell whether only padding is left: zeros, fewer than 24."""
        rest = self.text[self.at :]
        return len(rest) < 24 and "1" not in rest


@lru_cache(maxsize=8_192)
def positions(bits: str) -> frozenset[int]:
    """Give the positions of the ones, from 1."""
    return frozenset(at for at, bit in enumerate(bits, 1) if bit == "1")


@lru_cache(maxsize=4_096)
def _fibonacci_value(code: str) -> int:
    return sum(value for bit, value in zip(code, _FIBONACCI, strict=False) if bit == "1")
