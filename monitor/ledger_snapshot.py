"""The ledger at one moment: choices and links as a batch sees them."""

import contextlib
from binascii import unhexlify
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any

import lmdb
from msgspec.structs import replace

from detectors.consent.ledger import Choice, Coverage, Forgets, Word
from monitor.ledger_layout import (
    IS_USER_ID,
    KEY_BYTES,
    MAX_TIME_MS,
    VERSION_BYTES,
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
_UNREADABLE = Choice(MAX_TIME_MS, 0, 0, Word((), (), "", "", 0, forgets=Forgets.EARLIER))
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
            if len(person) == 1 and self._links is None:
                versions = self._get(subject_key(person[0], self._prefix))
                return () if versions is None else self._read((versions,))[0]
            keys = self._followed([subject_key(subject, self._prefix) for subject in person])
            return list(chain.from_iterable(self._read(list(map(self._get, keys)))))
        except (lmdb.Error, LedgerDamaged):
            self._on_damage()
            return (_UNREADABLE,)

    def choices_of(self, people: Sequence[Sequence[str]]) -> Sequence[Sequence[Choice]]:
        """Give the choices of each of many people. A subject that comes again is looked up once.

        All are searched before the first is read: by turns it is slower, since each search empties the processor's caches.
        """
        if self._txn is None:
            return [()] * len(people)
        is_plain = {1}.issuperset(map(len, people))
        names = [name for (name,) in people] if is_plain else list(chain.from_iterable(people))
        if len(set(names)) < len(names):
            is_plain = False
            names = list(dict.fromkeys(names))
        try:
            keys = self._keys(names)
            said = self._read(list(map(self._get, keys)))
            linked: frozenset[str] = frozenset()
            if self._links is not None:
                firsts = zip(names, map(self._links.get, keys), strict=True)
                linked = frozenset(name for name, first in firsts if first is not None)
        except (lmdb.Error, LedgerDamaged):
            self._on_damage()
            return [(_UNREADABLE,)] * len(people)
        if is_plain and not linked:
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
                return list(map(unhexlify, digits))
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

    def _read(self, found: Sequence[bytes | None]) -> list[Sequence[Choice]]:
        """Read the versions of each of many subjects. Most people have one: it is read here, without a call for each."""
        known = self._words
        said: list[Sequence[Choice]] = []
        for versions in found:
            if versions is None:
                said.append(())
            elif len(versions) == VERSION_BYTES:
                at_ms, offset, broker_ms, word = unpack(versions)
                said.append((Choice(at_ms, offset, broker_ms, known.get(word) or self._word(word)),))
            else:
                said.append(self._several(versions))
        return said

    def _several(self, versions: bytes) -> Sequence[Choice]:
        """Read the versions of one subject."""
        if len(versions) % VERSION_BYTES:
            raise LedgerDamaged("versions of an odd length")
        starts = range(0, len(versions), VERSION_BYTES)
        each_alone = self._read([versions[start : start + VERSION_BYTES] for start in starts])
        choices = list(chain.from_iterable(each_alone))
        # Since the first of them each was seen, whatever the topic lost before.
        return choices[:1] + [
            replace(each, word=replace(each.word, forgets=Forgets.NOTHING)) if each.forgets is Forgets.EARLIER else each
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
