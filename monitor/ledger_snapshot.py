"""The ledger at one moment: choices and links as a batch sees them."""

import contextlib
from binascii import unhexlify
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any

import lmdb
import msgspec

from detectors.consent.ledger import Choice, Coverage, Forgets
from monitor.ledger_layout import (
    IS_USER_ID,
    KEY_BYTES,
    MAX_TIME_MS,
    VERSION_BYTES,
    Word,
    offset_place,
    read_word,
    subject_key,
    unpack,
)
from topics.record import Place

TABLES = b"choices", b"words", b"links", b"meta"
READERS = 256
MAX_LINKS = 16
"""Links of one subject that are followed; with more of them none is."""

_REMEMBERED = 65_536
"""People that a snapshot remembers; beyond it starts anew."""
_UNREADABLE = Choice(MAX_TIME_MS, (), (), "", 0, 0, forgets=Forgets.EARLIER)
"""What a damaged ledger says of a person: whatever they chose is not known."""


class LedgerProblem(Exception):
    """Something about the ledger that a person must know, in one line that says what to do."""


class LedgerFull(LedgerProblem):
    """There is no room on the disk. Nothing was written; it may be tried again."""


class LedgerDamaged(LedgerProblem):
    """The file is not what was written. It holds nothing that the topics do not."""


class LedgerSnapshot:
    """The ledger at one moment, as a batch sees it."""

    def __init__(
        self, txn: Any, words: dict[int, Word], tables: Sequence[Any], on_damage: Callable[[], None] = lambda: None
    ) -> None:
        """Take a transaction whose own table is that of the choices; None knows nobody and says so."""
        self._txn = txn
        self._words = words
        self._on_damage = on_damage
        self._fresh_ms = -1
        self._asked: dict[tuple[str, ...], Sequence[Choice]] = {}
        """What was said of who was asked for one by one: the flows of a record and the records of a person ask again."""
        self.mark = ""
        if txn is None:
            return
        _, self._word_table, links, meta = tables
        self._get = txn.get
        self._links = txn.cursor(links) if txn.stat(links)["entries"] else None
        self._prefix = bytes(txn.get(b"prefix", b"", meta)).decode()
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
        person = tuple(subjects)
        known = self._asked.get(person)
        if known is None:
            if len(self._asked) >= _REMEMBERED:
                self._asked.clear()
            known = self._asked[person] = self._looked_up(person)
        return known

    def _looked_up(self, person: Sequence[str]) -> Sequence[Choice]:
        try:
            found: list[Choice] = []
            for key in self._followed([subject_key(subject, self._prefix) for subject in person]):
                versions = self._get(key)
                if versions is not None:
                    found.extend(self._choices(versions))
        except (lmdb.Error, LedgerDamaged):
            self._on_damage()
            return (_UNREADABLE,)
        return found

    def choices_of(self, people: Sequence[Sequence[str]]) -> Sequence[Sequence[Choice]]:
        """Give the choices of each of many people. A subject that comes again is looked up once.

        Who is not found and has no links costs little more than LMDB's own searches.
        """
        if self._txn is None:
            return [()] * len(people)
        names = list(dict.fromkeys(chain.from_iterable(people)))
        try:
            keys = self._keys(names)
            said = [() if versions is None else self._choices(versions) for versions in map(self._get, keys)]
            linked: frozenset[str] = frozenset()
            if self._links is not None:
                firsts = zip(names, map(self._links.get, keys), strict=True)
                linked = frozenset(name for name, first in firsts if first is not None)
        except (lmdb.Error, LedgerDamaged):
            self._on_damage()
            return [(_UNREADABLE,)] * len(people)
        if not linked and len(names) == len(people) and {1}.issuperset(map(len, people)):
            return said
        of = dict(zip(names, said, strict=True))
        followed = {person: self.choices(person) for person in map(tuple, people) if not linked.isdisjoint(person)}
        return [
            followed.get(tuple(person)) or [choice for name in dict.fromkeys(person) for choice in of[name]]
            for person in people
        ]

    def _keys(self, names: Sequence[str]) -> Sequence[bytes]:
        """Give the keys of subjects: all at once where all were hashed under our own key."""
        prefix = self._prefix
        before, *digits = "".join(names).split(prefix)
        # As many pieces as names, each as long as a hash: every name is the prefix and a hash.
        if not before and len(digits) == len(names) and {2 * KEY_BYTES}.issuperset(map(len, digits)):
            with contextlib.suppress(ValueError):
                raw = unhexlify("".join(digits))
                return [raw[start : start + KEY_BYTES] for start in range(0, len(raw), KEY_BYTES)]
        return [subject_key(name, prefix) for name in names]

    def close(self) -> None:
        """Release the snapshot."""
        if self._txn is not None:
            self._txn.abort()
            self._txn = None

    def _followed(self, keys: list[bytes]) -> Sequence[bytes]:
        """Give these keys and those that are linked to them."""
        if len(keys) > 1:
            keys = list(dict.fromkeys(keys))
        if self._links is not None:
            keys += dict.fromkeys(other for key in keys for other in self._linked(key) if other not in keys)
        return keys

    def _linked(self, key: bytes) -> Sequence[bytes]:
        cursor = self._links
        if cursor is None or not cursor.set_key(key) or cursor.count() > MAX_LINKS:
            return ()
        others = list(cursor.iternext_dup())
        users = sum(other[0] == IS_USER_ID for other in others)
        return [other[1:] for other in others if users <= 1 or other[0] != IS_USER_ID]

    def _choices(self, versions: bytes) -> Sequence[Choice]:
        """Read the versions of one subject. Most people have one."""
        if len(versions) == VERSION_BYTES:
            at_ms, offset, broker_ms, word = unpack(versions)
            granted, refused, source, topic, partition, after_notice, forgets = self._words.get(word) or self._word(
                word
            )
            return (
                Choice(at_ms, granted, refused, topic, partition, offset, source, after_notice, broker_ms, forgets),
            )
        if len(versions) % VERSION_BYTES:
            raise LedgerDamaged("versions of an odd length")
        starts = range(0, len(versions), VERSION_BYTES)
        choices = [each for start in starts for each in self._choices(versions[start : start + VERSION_BYTES])]
        # Since the first of them each was seen, whatever the topic lost before.
        return choices[:1] + [
            msgspec.structs.replace(each, forgets=Forgets.NOTHING) if each.forgets is Forgets.EARLIER else each
            for each in choices[1:]
        ]

    def _word(self, word: int) -> Word:
        data = self._get(word.to_bytes(4, "big"), None, self._word_table)
        if data is None:
            raise LedgerDamaged("a version whose words are not there")
        known = self._words[word] = read_word(data)
        return known


def offsets(txn: Any, meta: Any) -> dict[Place, int]:
    """Give the next offset of each partition that was read."""
    named = ((offset_place(bytes(name)), value) for name, value in txn.cursor(db=meta))
    return {place: int.from_bytes(value, "big") for place, value in named if place is not None}
