"""The ledger at one moment: choices and links as a batch sees them."""

from binascii import unhexlify
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import lmdb

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
    unpack_all,
)
from topics.record import Place

TABLES = b"choices", b"words", b"links", b"meta"
READERS = 256
MAX_LINKS = 16
"""Links of one subject that are followed; with more of them none is."""

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
        self.mark = ""
        if txn is None:
            return
        _, self._word_table, links, meta = tables
        self._get = txn.get
        self._links = txn.cursor(links) if txn.stat(links)["entries"] else None
        self._prefix = bytes(txn.get(b"prefix", b"", meta)).decode()
        self._hex_at = len(self._prefix)
        self._length = self._hex_at + 2 * KEY_BYTES
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
        try:
            found: list[Choice] = []
            for key in self._followed([subject_key(subject, self._prefix) for subject in subjects]):
                versions = self._get(key)
                if versions is not None:
                    self._add(versions, found)
        except (lmdb.Error, LedgerDamaged):
            self._on_damage()
            return (_UNREADABLE,)
        return found

    def choices_of(self, people: Sequence[Sequence[str]]) -> Sequence[Sequence[Choice]]:
        """Give the choices of each of many people. A subject that comes again is looked up once.

        Where there are no links, who is not found costs little more than LMDB's own search.
        """
        if self._txn is None:
            return [()] * len(people)
        if self._links is not None:
            known: dict[tuple[str, ...], Sequence[Choice]] = dict.fromkeys(map(tuple, people), ())
            for person in known:
                known[person] = self.choices(person)
            return [known[tuple(person)] for person in people]
        try:
            found = self._found({subject: None for person in people for subject in person})
        except (lmdb.Error, LedgerDamaged):
            self._on_damage()
            return [(_UNREADABLE,)] * len(people)
        if not found:
            return [()] * len(people)
        return [
            found.get(person[0], ())
            if len(person) == 1
            else [choice for subject in dict.fromkeys(person) for choice in found.get(subject, ())]
            for person in people
        ]

    def _found(self, subjects: Iterable[str]) -> dict[str, list[Choice]]:
        """Give the versions of those subjects that have any."""
        names = list(subjects)
        found: dict[str, list[Choice]] = {}
        for name, versions in zip(names, map(self._get, self._keys(names)), strict=True):
            if versions is not None:
                choices: list[Choice] = []
                self._add(versions, choices)
                found[name] = choices
        return found

    def _keys(self, names: Sequence[str]) -> Sequence[bytes]:
        """Give the keys of subjects: all at once where all were hashed under our own key."""
        prefix, at, length = self._prefix, self._hex_at, self._length
        if all(len(name) == length and name.startswith(prefix) for name in names):
            try:
                raw = unhexlify("".join([name[at:] for name in names]))
            except ValueError:
                pass
            else:
                return [raw[start : start + KEY_BYTES] for start in range(0, len(raw), KEY_BYTES)]
        return [subject_key(name, prefix) for name in names]

    def close(self) -> None:
        """Release the snapshot."""
        if self._txn is not None:
            self._txn.abort()
            self._txn = None

    def _followed(self, keys: list[bytes]) -> Iterable[bytes]:
        """Give these keys and those that are linked to them."""
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

    def _add(self, versions: bytes, found: list[Choice]) -> None:
        """Add the versions of one subject."""
        if len(versions) % VERSION_BYTES:
            raise LedgerDamaged("versions of an odd length")
        words = self._words
        known_from = len(found)
        each = (unpack(versions),) if len(versions) == VERSION_BYTES else unpack_all(versions)
        for at_ms, offset, broker_ms, word in each:
            known = words.get(word)
            if known is None:
                known = self._word(word)
            granted, refused, source, topic, partition, after_notice, forgets = known
            if forgets is Forgets.EARLIER and len(found) > known_from:
                # Since the first of them each was seen.
                forgets = Forgets.NOTHING
            found.append(
                Choice(at_ms, granted, refused, topic, partition, offset, source, after_notice, broker_ms, forgets)
            )

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
