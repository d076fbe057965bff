"""Recognizers made ready: patterns compiled, gates in databases, names for the reader of keys."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from detectors.classify.recognizers.gates import ENGINE, Engine, Gates
from detectors.classify.recognizers.recognizer import SURE, Recognizer, Table, Validator
from detectors.classify.values import emails_in

OWN = "own"
"""The family of the shop's own types."""
CARRIERS: Mapping[str, str] = {
    "json": r'"\s{0,8}[\[{]',
    "markup": r'"\s{0,8}<',
    "percent": r"%[0-9A-Fa-f]{2}",
    "entity": r"&(?:#|[a-z]{2,8};)",
    "pairs": r'[?&"][A-Za-z0-9_.\[\]%-]{1,64}=[^"]',
    "base64": r'"[a-z0-9+/]{0,12}[A-Z][A-Za-z0-9+/_\-]{7,}={0,2}"',
    "hex": r'"(?:0x)?[0-9A-Fa-f]{12,}"',
    "token": r"eyJ[A-Za-z0-9_\-]{8,}\.",
    "wide": r"\xef\xbc[\x90-\x99\xa0\x8b\x8d\x8e]|\xef\xbd",
    "multipart": r"form-data",
}
"""What other text may be wrapped in, and how such a wrapping looks inside of bytes."""


class Ready(NamedTuple):
    """One recognizer that works without a telling name."""

    recognizer: Recognizer
    bit: int
    has: str
    whole: Validator
    """Whether a whole value is one."""
    within: Callable[[str], Iterable[str]] | None
    """Gives what looks like it inside of a longer text."""
    valid: Validator


class Compiled:
    """All recognizers of one snapshot: the shipped ones and those of the shop."""

    def __init__(self, table: Table, validators: Mapping[str, Validator], engine: Engine = ENGINE) -> None:
        self.checks: dict[str, Validator] = {}
        """By the recognizer's name: its pattern and its validator, over a whole value."""
        self.recognizers: tuple[Recognizer, ...] = tuple(each for family in table.values() for each in family)
        self.alone: tuple[Ready, ...] = ()
        self.contradicted: dict[str, int] = {}
        """Bits of the recognizers that a word of a name speaks against."""
        self.not_of_business = 0
        """Bits of the recognizers whose values are a shop's own below a shop: its address and its telephone."""
        shipped: list[tuple[int, str]] = []
        own: list[tuple[int, str]] = []
        bit = 1
        for name, family in table.items():
            gates = own if name == OWN else shipped
            for each in family:
                whole = _pattern(each.pattern)
                check = self.checks[each.name] = _check(whole, validators[each.valid])
                if each.alone + each.beside < SURE:
                    continue
                self.alone += (Ready(each, bit, each.has, check, _within(each), _safe(validators[each.valid])),)
                gates.append((bit, each.gate or f'"(?:{each.pattern})"'))
                if each.category in _OF_BUSINESS:
                    self.not_of_business |= bit
                for word in each.contradicts:
                    self.contradicted[word] = self.contradicted.get(word, 0) | bit
                bit <<= 1
        carriers: list[tuple[int, str]] = []
        self.carriers: dict[str, int] = {}
        for name, pattern in CARRIERS.items():
            carriers.append((bit, pattern))
            self.carriers[name] = bit
            bit <<= 1
        self.carried = sum(self.carriers.values())
        """Bits of all wrappings."""
        self.every = bit - 1
        self._gates = Gates([[*shipped, *carriers], own], engine)
        self._by_bits: dict[int, tuple[Ready, ...]] = {}
        self._needs: dict[int, tuple[tuple[int, str], ...]] = {}

    def open(self, texts: Sequence[str]) -> int:
        """Give the bits of all that can be found in texts, by one pass over them."""
        return self._gates.open(f'"{chr(34).join(texts)}"'.encode("utf-8", "surrogatepass"))

    def of(self, bits: int) -> tuple[Ready, ...]:
        """Give the recognizers of some bits, in the order of trying."""
        found = self._by_bits.get(bits)
        if found is None:
            if len(self._by_bits) >= _REMEMBERED:
                self._by_bits.clear()
            found = self._by_bits[bits] = tuple(each for each in self.alone if each.bit & bits)
        return found

    def needs(self, bits: int) -> tuple[tuple[int, str], ...]:
        """Give bits with the characters that a value must have, those with equal characters together."""
        found = self._needs.get(bits)
        if found is None:
            if len(self._needs) >= _REMEMBERED:
                self._needs.clear()
            joined: dict[str, int] = {}
            for each in self.of(bits):
                joined[each.has] = joined.get(each.has, 0) | each.bit
            found = self._needs[bits] = tuple((bit, has) for has, bit in joined.items())
        return found


_REMEMBERED = 1_024
_OF_BUSINESS = frozenset({"user.contact.phone_number", "user.contact.address.street", "user.location.precise"})


def _within(each: Recognizer) -> Callable[[str], Iterable[str]] | None:
    if each.name in FINDERS:
        return FINDERS[each.name]
    if not each.within:
        return None
    find = _pattern(each.within).finditer
    return lambda text: (match.group() for match in find(text))


FINDERS: Mapping[str, Callable[[str], Iterable[str]]] = {"email": emails_in}
"""What finds values of a recognizer inside of a text, where a pattern cannot."""


def _check(whole: re.Pattern[str], valid: Validator) -> Validator:
    """Join pattern and validator."""
    safe = _safe(valid)
    return lambda text: whole.fullmatch(text) is not None and safe(text)


def _safe(valid: Validator) -> Validator:
    """Let a validator that meets a text of another shape than its own say no: the pattern of a custom type may be looser."""

    def check(text: str) -> bool:
        try:
            return valid(text)
        except (IndexError, ValueError, ArithmeticError):
            return False

    return check


def _pattern(pattern: str) -> re.Pattern[str]:
    """Compile; digits and letters are those of ASCII, unless the pattern speaks of words."""
    words = "\\w" in pattern or "\\W" in pattern
    return re.compile(pattern, 0 if words else re.ASCII)
