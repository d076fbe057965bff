"""What the detectors may ask of the consent ledger: who chose what, as of a moment."""

from collections.abc import Sequence
from enum import IntEnum, StrEnum
from functools import lru_cache
from typing import Protocol

import msgspec


class Forgets(IntEnum):
    """What a version says about those before it."""

    NOTHING = 0
    """All of them are in the ledger."""
    EARLIER = 1
    """The first that was seen of a subject, from a compacted topic: it may have held earlier ones."""
    ERASED = 2
    """A tombstone: whatever the person chose until then was taken out."""
    OLDER = 3
    """There were more versions than are kept: this is the newest of those that were dropped, without what it said."""


class Word(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What many choices have in common. The ledger stores each once, as an array in the order of these fields."""

    granted: tuple[str, ...]
    refused: tuple[str, ...]
    source: str
    topic: str
    partition: int
    after_gpc_notice: bool = False
    forgets: Forgets = Forgets.NOTHING
    """Whether there may have been earlier ones that the ledger does not hold."""


class Choice(msgspec.Struct, frozen=True, gc=False):
    """One version in the ledger: a choice and where it was recorded. Few fields: one is made at each look-up."""

    at_ms: int
    offset: int
    broker_ms: int
    """When the broker received it: later than `at_ms` by how late it came."""
    word: Word

    def says(self, purpose: str) -> bool | None:
        """Tell whether it grants (True), refuses (False) or does not speak of (None) a purpose. A refusal wins."""
        word = self.word
        return _says(word.granted, word.refused, purpose)

    @property
    def granted(self) -> tuple[str, ...]:
        """Give the purposes that it grants; `*` is every one."""
        return self.word.granted

    @property
    def refused(self) -> tuple[str, ...]:
        """Give the purposes that it refuses; `*` is every one."""
        return self.word.refused

    @property
    def source(self) -> str:
        """Give what the record says it came from, such as `banner`."""
        return self.word.source

    @property
    def after_gpc_notice(self) -> bool:
        """Tell whether the person had been told that the grant conflicts with their GPC signal."""
        return self.word.after_gpc_notice

    @property
    def topic(self) -> str:
        """Give the topic that it was recorded in."""
        return self.word.topic

    @property
    def partition(self) -> int:
        """Give the partition that it was recorded in."""
        return self.word.partition

    @property
    def forgets(self) -> Forgets:
        """Tell whether there may have been earlier ones that the ledger does not hold."""
        return self.word.forgets

    @property
    def place(self) -> str:
        """Give the coordinates of the record, as proof."""
        return f"{self.topic}/{self.partition}/{self.offset}"


class Coverage(StrEnum):
    """Whether the ledger can speak for a moment."""

    READY = "ready"
    LOADING = "ledger-loading"
    """It has not read to where the topic ended when it started."""
    BEHIND = "ledger-behind"
    """It has not read to that moment yet."""
    FORGOTTEN = "ledger-forgot"
    """It once held, or may have held, what the person said about that moment, and does not hold it any more."""
    ABSENT = "no-ledger"
    """None is configured."""


class LedgerView(Protocol):
    """A read-only snapshot of the ledger for one batch."""

    mark: str
    """How far the consent topic had been read: partition offsets in order, joined by commas."""

    def coverage(self, broker_ms: int) -> Coverage:
        """Tell whether all consent that the broker had at that moment is in the snapshot."""
        ...

    def choices(self, subjects: Sequence[str]) -> Sequence[Choice]:
        """Give every version of every one of these keyed hashes, in no order."""
        ...

    def choices_of(self, people: Sequence[Sequence[str]]) -> Sequence[Sequence[Choice]]:
        """Give what `choices` gives for each of many people, in their order, at less than the price of so many calls."""
        ...


class NoLedger:
    """The view when no consent topic is configured: it knows nobody and says so."""

    mark = ""

    def coverage(self, broker_ms: int) -> Coverage:  # noqa: ARG002 - the protocol's signature
        """Say that there is none."""
        return Coverage.ABSENT

    def choices(self, subjects: Sequence[str]) -> Sequence[Choice]:  # noqa: ARG002 - the protocol's signature
        """Know nobody."""
        return ()

    def choices_of(self, people: Sequence[Sequence[str]]) -> Sequence[Sequence[Choice]]:
        """Know nobody of them."""
        return [()] * len(people)


def as_of(choices: Sequence[Choice], purpose: str, at_ms: int) -> tuple[Choice, bool] | None:
    """Find the choice in force for a purpose at a moment, and what it says.

    The latest that speaks of the purpose at or before the moment; of two at the same moment the refusal, and of two that
    say the same the one that was recorded last.
    A choice made afterwards never counts: consent does not legalise what happened before it.
    """
    best: tuple[Choice, bool] | None = None
    highest: tuple[int, bool, int, int, int] = (-1, False, -1, -1, -1)
    for choice in choices:
        if choice.at_ms > at_ms:
            continue
        says = choice.says(purpose)
        if says is None:
            continue
        rank = choice.at_ms, not says, choice.broker_ms, choice.word.partition, choice.offset
        if best is None or rank > highest:
            best, highest = (choice, says), rank
    return best


def has_forgotten(choices: Sequence[Choice], recorded: Choice | None, at_ms: int) -> bool:
    """Tell whether the choice in force at a moment may be one that the ledger does not hold. `recorded` is what it gave.

    Before a tombstone, and before the first version from a compacted topic, nothing is known. Where old versions were
    dropped, a purpose that no newer one speaks of may have been spoken of by those.
    """
    for choice in choices:
        forgets = choice.word.forgets
        if forgets is Forgets.NOTHING:
            continue
        if at_ms < choice.at_ms:
            return True
        if forgets is Forgets.OLDER and (recorded is None or recorded.at_ms < choice.at_ms):
            return True
    return False


@lru_cache(4_096)
def _says(granted: tuple[str, ...], refused: tuple[str, ...], purpose: str) -> bool | None:
    if any(_covers(prefix, purpose) for prefix in refused):
        return False
    return True if any(_covers(prefix, purpose) for prefix in granted) else None


def _covers(prefix: str, purpose: str) -> bool:
    return prefix in (purpose, "*") or purpose.startswith(prefix + ".")
