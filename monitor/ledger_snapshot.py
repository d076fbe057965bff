"""The ledger at one moment: choices and links as a batch sees them."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from detectors.consent.ledger import Choice, Coverage
from monitor.ledger_layout import IS_USER_ID, Word, offset_place, read_word, subject_key, unpack
from topics.record import Place

MAX_VERSIONS = 512
"""Versions that speak for one subject: the newest. A person changes their mind a few times in a life."""
MAX_LINKS = 16
"""Links of one subject that are followed; with more of them none is."""


class LedgerProblem(Exception):
    """Something about the ledger that a person must know, in one line that says what to do."""


class LedgerSnapshot:
    """The ledger at one moment, as a batch sees it."""

    def __init__(self, txn: Any, words: dict[int, Word], tables: Sequence[Any]) -> None:
        self._txn = txn
        self._words = words
        self._fresh_ms = -1
        self.mark = ""
        if txn is None:
            return
        choices, self._word_table, links, meta = tables
        self._choices = txn.cursor(choices)
        self._links = txn.cursor(links) if txn.stat(links)["entries"] else None
        fresh = txn.get(b"fresh-ms", db=meta)
        if fresh is not None:
            self._fresh_ms = int.from_bytes(fresh, "big")
        marks: dict[str, list[str]] = {}
        for (topic, partition), offset in sorted(offsets(txn, meta).items()):
            marks.setdefault(topic, []).append(f"{partition}:{offset}")
        self.mark = "|".join(",".join(each) for each in marks.values())

    def coverage(self, broker_ms: int) -> Coverage:
        """Tell whether all consent that the broker had at that moment is in the snapshot."""
        if self._fresh_ms < 0:
            return Coverage.LOADING
        # A record of unknown time (-1) may be younger than anything that was read.
        return Coverage.READY if 0 <= broker_ms <= self._fresh_ms else Coverage.BEHIND

    def choices(self, subjects: Iterable[str]) -> Sequence[Choice]:
        """Give the versions of every one of these keyed hashes and of what is linked to them, in no order."""
        if self._txn is None:
            return ()
        found: list[Choice] = []
        keys = [subject_key(subject) for subject in subjects]
        if self._links is not None:
            keys += dict.fromkeys(other for key in keys for other in self._linked(key) if other not in keys)
        at = self._choices.set_key
        for key in keys:
            if at(key):
                self._add(found)
        return found

    def choices_of(self, people: Sequence[Sequence[str]]) -> Sequence[Sequence[Choice]]:
        """Give the choices of each of many people; one that comes again is looked up once."""
        known: dict[tuple[str, ...], Sequence[Choice]] = {}
        found: list[Sequence[Choice]] = []
        for person in people:
            name = tuple(person)
            choices = known.get(name)
            if choices is None:
                choices = known[name] = self.choices(name)
            found.append(choices)
        return found

    def close(self) -> None:
        """Release the snapshot."""
        if self._txn is not None:
            self._txn.abort()
            self._txn = None

    def _linked(self, key: bytes) -> Sequence[bytes]:
        cursor = self._links
        if cursor is None or not cursor.set_key(key) or cursor.count() > MAX_LINKS:
            return ()
        others = list(cursor.iternext_dup())
        users = sum(other[0] == IS_USER_ID for other in others)
        return [other[1:] for other in others if users <= 1 or other[0] != IS_USER_ID]

    def _add(self, found: list[Choice]) -> None:
        """Add the versions of the subject at which the cursor stands."""
        cursor = self._choices
        found.append(self._choice(cursor.value()))
        if not cursor.next_dup():
            return
        if cursor.count() <= MAX_VERSIONS:
            found.extend([self._choice(version) for version in cursor.iternext_dup()])
            return
        # Trimmed by the writer in a while; the oldest speak no more at once, so that when is of no matter.
        found.pop()
        cursor.last_dup()
        newest = islice(cursor.iterprev_dup(), MAX_VERSIONS)
        found.extend([self._choice(version) for version in newest])

    def _choice(self, version: bytes) -> Choice:
        at_ms, offset, broker_ms, word = unpack(version)
        known = self._words.get(word)
        if known is None:
            known = self._word(word)
        granted, refused, source, topic, partition, after_notice = known
        return Choice(at_ms, granted, refused, topic, partition, offset, source, after_notice, broker_ms)

    def _word(self, word: int) -> Word:
        data = self._txn.get(word.to_bytes(4, "big"), db=self._word_table) if self._txn is not None else None
        if data is None:
            raise LedgerProblem("the consent ledger is damaged; remove its folder and start again")
        known = self._words[word] = read_word(data)
        return known


def offsets(txn: Any, meta: Any) -> dict[Place, int]:
    """Give the next offset of each partition that was read."""
    named = ((offset_place(bytes(name)), value) for name, value in txn.cursor(db=meta))
    return {place: int.from_bytes(value, "big") for place, value in named if place is not None}
