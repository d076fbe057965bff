"""The consent ledger: who chose what and when, in LMDB, filled from the consent and links topics by one process.

Layout. `choices`: subject -> versions of 28 bytes, sorted by time (duplicates of a key in LMDB's words, so that writing
a record twice changes nothing and takes no look-up). `words`: id -> what many versions have in common, stored once.
`links`: subject -> identifiers that traffic named together with it. `meta`: next offset of each partition, when it was
last read to the present, and what it was made with. Records, words and offsets of a batch are written in one
transaction, so a kill at any moment leaves a ledger that only has to read on.

Links are followed one level, both ways. A hostile event can name anybody together with anybody, so a subject with more
than `MAX_LINKS` links is taken as having none, and of several users behind one identifier (a shared device) none is
followed. What a forged link can still do: lend a choice of its own maker to somebody else's events.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from secrets import token_bytes
from typing import Any

import lmdb
import msgspec

from monitor.ledger_files import ABSENT, hold, identity, is_suspect, mark_synced, mark_unsynced, set_aside
from monitor.ledger_layout import (
    LAYOUT,
    MAX_TIME_MS,
    Word,
    Words,
    link_value,
    offset_name,
    pack,
    subject_key,
)
from monitor.ledger_snapshot import MAX_LINKS, MAX_VERSIONS, LedgerProblem, LedgerSnapshot, offsets
from topics.catalog import LINKS
from topics.consent import read as read_consent
from topics.links import read as read_link
from topics.record import Place, RawRecord, Rejected
from topics.subject import SubjectKey

_TABLES = 4
_TRIM_EVERY = 16
"""Of so many records of a subject one has its versions counted."""
_READERS = 256
_WORDS_KEPT = 65_536
"""Words that a reader remembers; beyond it starts anew."""
_DAMAGED = (lmdb.InvalidError, lmdb.CorruptedError, lmdb.VersionMismatchError, lmdb.PageNotFoundError)


class Applied(msgspec.Struct, frozen=True):
    """What became of a batch of consent and link records."""

    applied: int
    rejected: int
    late: int
    """Consent records that spoke of a moment longer than the settle time before the broker received them."""
    links: int = 0
    """Links that were new."""
    overflowed: int = 0
    """Subjects whose links became too many to be followed."""


class LedgerWriter:
    """The one process that writes."""

    def __init__(
        self, path: Path, key: SubjectKey, map_size_mb: int, topic: str, links_topic: str = LINKS.name
    ) -> None:
        self._path = path
        self._lock = hold(path)
        self._key = key
        self._links_topic = links_topic
        made_with = f"{LAYOUT}:{topic}:{key.digest(b'ledger')}".encode()
        self._env = self._open(path, map_size_mb)
        with self._env.begin(write=True) as txn:
            if txn.get(b"made-with", db=self._meta) != made_with:
                # Another key, topic or layout: its hashes mean nothing to us. The topics hold everything: start anew.
                for table in (self._choices, self._word_table, self._links, self._meta):
                    txn.drop(table, delete=False)
            txn.put(b"made-with", made_with, db=self._meta)
            if txn.get(b"generation", db=self._meta) is None:
                # Numbers of words begin anew with it: what a reader remembers of older ones means nothing.
                txn.put(b"generation", token_bytes(8), db=self._meta)
            # Until the end of the topics has been seen once by this process, the ledger does not speak.
            txn.delete(b"fresh-ms", db=self._meta)
            self._words = Words({value: int.from_bytes(word, "big") for word, value in txn.cursor(db=self._word_table)})

    def _open(self, path: Path, map_size_mb: int) -> lmdb.Environment:
        # Written through the map: a batch touches a page for nearly every record, and copying each out again would
        # cost more than the rest. What was written survives the end of this process, however it ends.
        settings: dict[str, Any] = {
            "map_size": map_size_mb * 1024 * 1024,
            "max_dbs": _TABLES,
            "max_readers": _READERS,
            "sync": False,
            "metasync": False,
            "writemap": True,
        }
        if is_suspect(path):
            set_aside(path)
        mark_unsynced(path)
        try:
            try:
                env = lmdb.open(str(path), **settings)
            except _DAMAGED:
                set_aside(path)
                env = lmdb.open(str(path), **settings)
        except lmdb.Error as error:
            self._lock.close()
            raise LedgerProblem(f"the consent ledger in {path} cannot be opened ({error})") from None
        env.reader_check()
        self._choices = env.open_db(b"choices", dupsort=True, dupfixed=True)
        self._word_table = env.open_db(b"words")
        self._links = env.open_db(b"links", dupsort=True)
        self._meta = env.open_db(b"meta")
        return env

    def starts(self) -> dict[Place, int]:
        """Give the next offset to read of each partition."""
        with self._env.begin() as txn:
            return offsets(txn, self._meta)

    def apply(self, records: Sequence[RawRecord], settle_ms: int) -> Applied:
        """Write a batch of consent and link records with their offsets, all or nothing.

        Writing a record twice changes nothing.
        """
        rejected = late = 0
        choices: list[tuple[bytes, bytes]] = []
        links: list[tuple[bytes, bytes]] = []
        next_offsets: dict[Place, int] = {}
        for record in records:
            next_offsets[record.topic, record.partition] = record.offset + 1
            if record.topic == self._links_topic:
                link = read_link(record)
                if isinstance(link, Rejected):
                    rejected += 1
                    continue
                first, second = subject_key(link.first), subject_key(link.second)
                links.append((first, link_value(second, link.second_kind)))
                links.append((second, link_value(first, link.first_kind)))
                continue
            parsed = read_consent(record, self._key)
            if isinstance(parsed, Rejected) or parsed[1].at_ms > MAX_TIME_MS:
                rejected += 1
                continue
            subjects, choice = parsed
            late += record.timestamp_ms - choice.at_ms > settle_ms
            version = pack(choice, record, self._words.word(choice, record))
            choices.extend([(subject_key(subject), version) for subject in subjects])
        try:
            added, overflowed = self._write(choices, links, next_offsets)
        except lmdb.MapFullError:
            self._words.forgotten()
            raise LedgerProblem("the consent ledger is full; raise consent.map_size_mb and start again") from None
        except lmdb.Error as error:
            self._words.forgotten()
            raise LedgerProblem(
                f"the consent ledger cannot be written ({type(error).__name__}); see whether its disk is full, "
                "or remove its folder and start again"
            ) from None
        self._words.written()
        return Applied(len(records) - rejected, rejected, late, added, overflowed)

    def _write(
        self,
        choices: list[tuple[bytes, bytes]],
        links: Sequence[tuple[bytes, bytes]],
        next_offsets: Mapping[Place, int],
    ) -> tuple[int, int]:
        # In the order of the tree: neighbours then share the pages that are touched.
        choices.sort()
        with self._env.begin(write=True) as txn:
            for value, word in self._words.fresh.items():
                txn.put(word.to_bytes(4, "big"), value, db=self._word_table)
            with txn.cursor(self._choices) as cursor:
                # First those whose subject is new, which are counted so; a second time only where there are others.
                _, fresh = cursor.putmulti(choices, overwrite=False)
                if fresh < len(choices):
                    cursor.putmulti(choices)
                    _trim(cursor, choices)
            known = int.from_bytes(txn.get(b"subjects", db=self._meta) or b"", "big")
            txn.put(b"subjects", (known + fresh).to_bytes(8, "big"), db=self._meta)
            added = overflowed = 0
            with txn.cursor(self._links) as cursor:
                for subject, other in links:
                    count = cursor.count() if cursor.set_key(subject) else 0
                    # One more than is followed marks that there were too many; further ones say nothing.
                    if count <= MAX_LINKS and cursor.put(subject, other, dupdata=False):
                        added += 1
                        overflowed += count == MAX_LINKS
            for place, offset in next_offsets.items():
                txn.put(offset_name(place), offset.to_bytes(8, "big"), db=self._meta)
        return added // 2, overflowed

    def view(self) -> LedgerSnapshot:
        """Open a snapshot of what was written so far. Close it after use."""
        tables = self._choices, self._word_table, self._links, self._meta
        return LedgerSnapshot(self._env.begin(), {}, tables)

    def mark_fresh(self, fresh_ms: int) -> None:
        """Note that everything that the broker had at that moment has been read."""
        with self._env.begin(write=True) as txn:
            txn.put(b"fresh-ms", fresh_ms.to_bytes(8, "big"), db=self._meta)

    def subjects(self) -> int:
        """Count the subjects."""
        with self._env.begin() as txn:
            return int.from_bytes(txn.get(b"subjects", db=self._meta) or b"", "big")

    def size_bytes(self) -> int:
        """Give how much of the file is in use, free pages between included."""
        return int((self._env.info()["last_pgno"] + 1) * self._env.stat()["psize"])

    def close(self) -> None:
        """Write everything to disk and close; a second time changes nothing."""
        if self._lock.closed:
            return
        self._env.sync(True)
        self._env.close()
        mark_synced(self._path)
        self._lock.close()


class LedgerReader:
    """A worker's read-only access: one snapshot for each batch."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._env: lmdb.Environment | None = None
        self._file = ABSENT
        self._generation = b""
        self._words: dict[int, Word] = {}

    def view(self) -> LedgerSnapshot:
        """Open a snapshot. Close it when the batch is judged: an open one keeps old pages alive."""
        file = identity(self._path)
        if self._env is not None and file != self._file:
            # The writer set the file aside and made a new one.
            self.close()
        if self._env is None:
            self._file, self._env = file, self._open() if file != ABSENT else None
        if self._env is None:
            return LedgerSnapshot(None, {}, ())
        try:
            txn = self._env.begin()
        except lmdb.Error:
            # It grew beyond what we mapped, or there is no slot for a reader left: opened anew at the next batch.
            self.close()
            return LedgerSnapshot(None, {}, ())
        generation = bytes(txn.get(b"generation", db=self._tables[-1]) or b"")
        if generation != self._generation or len(self._words) > _WORDS_KEPT:
            self._generation, self._words = generation, {}
        return LedgerSnapshot(txn, self._words, self._tables)

    def _open(self) -> lmdb.Environment | None:
        env = None
        try:
            env = lmdb.open(str(self._path), readonly=True, max_dbs=_TABLES, readahead=False, max_readers=_READERS)
            self._tables = tuple(env.open_db(name, create=False) for name in (b"choices", b"words", b"links", b"meta"))
        except lmdb.Error:
            # The writer is still making it.
            if env is not None:
                env.close()
            return None
        return env

    def close(self) -> None:
        """Let go of the file."""
        if self._env is not None:
            self._env.close()
            self._env = None


def _trim(cursor: lmdb.Cursor, written: Sequence[tuple[bytes, bytes]]) -> None:
    """Remove the oldest versions of subjects that have too many. Looks at a sample: readers take the newest anyway."""
    for subject in {subject for subject, version in written if not version[15] % _TRIM_EVERY}:
        if not cursor.set_key(subject):
            continue
        for _ in range(cursor.count() - MAX_VERSIONS):
            cursor.delete()


__all__ = ["MAX_LINKS", "MAX_VERSIONS", "Applied", "LedgerProblem", "LedgerReader", "LedgerSnapshot", "LedgerWriter"]
