"""The consent ledger: who chose what and when, in LMDB, filled from the consent and links topics by one process.

Layout. `choices`: subject -> its versions of 28 bytes, sorted by time. `words`: id -> what many versions have in common,
stored once. `links`: subject -> identifiers that traffic named together with it. `meta`: next offset of each partition,
when it was last read to the present, and what it was made with. Records, words and offsets of a batch are written in one
transaction, so a kill at any moment leaves a ledger that only has to read on; writing a record twice changes nothing. An
empty ledger is loaded apart (`monitor.ledger_rows`) and written when the end of the topics has been reached; a kill
before that leaves an empty one.

Links are followed one level, both ways. A hostile event can name anybody together with anybody, so a subject with more
than `MAX_LINKS` links is taken as having none, and of several users behind one identifier (a shared device) none is
followed. What a forged link can still do: lend a choice of its own maker to somebody else's events.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from secrets import token_bytes
from typing import Any

import lmdb
import msgspec

from monitor.ledger_files import (
    Damage,
    hold,
    is_altered,
    is_cut_short,
    is_suspect,
    mark_synced,
    mark_unsynced,
    set_aside,
    was_reported,
)
from monitor.ledger_intake import ConsentIntake, Intake, Rows
from monitor.ledger_layout import (
    LAYOUT,
    VERSION_BYTES,
    Words,
    key_prefix,
    offset_name,
    settled,
)
from monitor.ledger_rows import ColdLoad, by_subject, in_order
from monitor.ledger_snapshot import (
    MAX_LINKS,
    READERS,
    TABLES,
    LedgerDamaged,
    LedgerFull,
    LedgerProblem,
    LedgerSnapshot,
    offsets,
)
from topics.catalog import LINKS
from topics.record import Place, RawRecord, Stretch, stretches
from topics.subject import SubjectKey

MAX_VERSIONS = 512
"""Versions that are kept of one subject unless told otherwise. A person changes their mind a few times in a life."""
SPARE_BYTES = 64 << 20
"""What must be free on the disk. A page of the map for which there is no room ends the process with SIGBUS."""
_BYTES_OF_A_ROW = 64
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

    def __init__(  # noqa: PLR0913 - what a ledger is made with
        self,
        path: Path,
        key: SubjectKey,
        map_size_mb: int,
        topic: str,
        links_topic: str = LINKS.name,
        *,
        versions: int = MAX_VERSIONS,
        history: bool = True,
        record_key: str = "subject",
        spare_bytes: int = SPARE_BYTES,
    ) -> None:
        """Open or make the ledger. Raises LedgerProblem.

        `versions` are kept of a subject. Without `history` the topic is compacted, and may have lost what came before the
        first version of a subject. `record_key` is the kind of identifier in a tombstone's key, or `subject`.
        """
        self._path = path
        self._spare_bytes = spare_bytes
        self._versions = versions
        self._lock = hold(path)
        self.rebuilt: Damage | None = None
        """Why the ledger that was found had to be set aside."""
        made_with = f"{LAYOUT}:{topic}:{key.digest(b'ledger')}:{record_key}".encode()
        self._env = self._open(path, map_size_mb)
        with self._env.begin(write=True) as txn:
            if txn.get(b"made-with", db=self._meta) != made_with or txn.get(b"loading", db=self._meta):
                # Another key, topic or layout, whose hashes mean nothing to us, or a load that was not finished. The
                # topics hold everything: start anew.
                for table in self._tables:
                    txn.drop(table, delete=False)
            txn.put(b"made-with", made_with, db=self._meta)
            txn.put(b"prefix", key_prefix(key.key_id).encode(), db=self._meta)
            if txn.get(b"generation", db=self._meta) is None:
                # Numbers of words begin anew with it: what a reader remembers of older ones means nothing.
                txn.put(b"generation", token_bytes(8), db=self._meta)
            # Until the end of the topics has been seen once by this process, the ledger does not speak.
            txn.delete(b"fresh-ms", db=self._meta)
            cold = not txn.stat(self._choices)["entries"]
            if cold:
                txn.put(b"loading", b"1", db=self._meta)
            self._words = Words({value: int.from_bytes(word, "big") for word, value in txn.cursor(db=self._word_table)})
        self._cold = ColdLoad(path / "loading") if cold else None
        self._cold_offsets: dict[Place, int] = {}
        self._intake = ConsentIntake(key, self._words, links_topic, record_key=record_key, history=history)

    def _open(self, path: Path, map_size_mb: int) -> lmdb.Environment:
        # Written through the map: a batch touches a page for nearly every record, and copying each out again would
        # cost more than the rest. What was written survives the end of this process, however it ends.
        settings: dict[str, Any] = {
            "map_size": map_size_mb * 1024 * 1024,
            "max_dbs": len(TABLES),
            "max_readers": READERS,
            "sync": False,
            "metasync": False,
            "writemap": True,
        }
        if is_suspect(path):
            self._set_aside(Damage.MACHINE_CRASH)
        elif was_reported(path):
            self._set_aside(Damage.UNREADABLE)
        elif is_cut_short(path):
            self._set_aside(Damage.CUT_SHORT)
        elif is_altered(path):
            self._set_aside(Damage.ALTERED)
        mark_unsynced(path)
        try:
            self._require_room()
            try:
                env = self._with_tables(path, settings)
            except _DAMAGED:
                self._set_aside(Damage.UNREADABLE)
                env = self._with_tables(path, settings)
        except lmdb.Error as error:
            self._lock.close()
            raise LedgerProblem(f"the consent ledger in {path} cannot be opened ({error})") from None
        except LedgerFull:
            self._lock.close()
            raise
        env.reader_check()
        return env

    def _with_tables(self, path: Path, settings: Mapping[str, Any]) -> lmdb.Environment:
        env = lmdb.open(str(path), **settings)
        try:
            self._choices = env.open_db(TABLES[0])
            self._word_table = env.open_db(TABLES[1])
            self._links = env.open_db(TABLES[2], dupsort=True)
            self._meta = env.open_db(TABLES[3])
        except lmdb.Error:
            env.close()
            raise
        self._tables = self._choices, self._word_table, self._links, self._meta
        return env

    def _set_aside(self, damage: Damage) -> None:
        set_aside(self._path)
        self.rebuilt = damage

    def _require_room(self, for_bytes: int = 0) -> None:
        disk = os.statvfs(self._path)
        if disk.f_bavail * disk.f_frsize < self._spare_bytes + for_bytes:
            raise LedgerFull(
                f"the disk of the consent ledger in {self._path} is full (less than "
                f"{(self._spare_bytes + for_bytes) >> 20} MiB are free); nothing more is written until there is room"
            )

    def starts(self) -> dict[Place, int]:
        """Give the next offset to read of each partition."""
        self._finish()
        with self._env.begin() as txn:
            return offsets(txn, self._meta)

    def apply(self, records: Sequence[RawRecord], settle_ms: int) -> Applied:
        """Take a batch of consent and link records, as `take` does."""
        return self.take(stretches(records), settle_ms)

    def take(self, batch: Sequence[Stretch], settle_ms: int) -> Applied:
        """Take a batch of consent and link records with their offsets, all or nothing.

        Raises LedgerFull before anything is taken: the same batch can be given again. Raises LedgerDamaged when the file
        is not what was written, and LedgerProblem.
        """
        self._require_room()
        intake = self._intake.read(batch, settle_ms)
        try:
            added, overflowed = self._load(intake, self._cold) if self._cold is not None else self._write(intake)
        except lmdb.Error as error:
            raise self._problem(error) from None
        except OSError as error:
            raise LedgerDamaged(
                f"the files of a cold load in {self._path} cannot be written ({error.strerror})"
            ) from None
        if self._cold is None:
            self._words.written()
        records = sum(len(each.offsets) for each in batch)
        return Applied(records - intake.rejected, intake.rejected, intake.late, added, overflowed)

    def _problem(self, error: lmdb.Error) -> LedgerProblem:
        """Say what an error means. Nothing of the batch under way was stored."""
        self._words.forgotten()
        self._intake.forget()
        if isinstance(error, lmdb.MapFullError):
            return LedgerProblem("the consent ledger is full; raise consent.map_size_mb and start again")
        if isinstance(error, lmdb.DiskError):
            return LedgerFull(f"the disk of the consent ledger in {self._path} cannot be written ({error})")
        return LedgerDamaged(f"the consent ledger in {self._path} is damaged ({type(error).__name__})")

    def _load(self, intake: Intake, cold: ColdLoad) -> tuple[int, int]:
        """Take a batch of the cold load. Links are written at once; a load that is not finished is dropped with them."""
        cold.add(intake.rows)
        self._cold_offsets.update(intake.next_offsets)
        if not intake.links:
            return 0, 0
        with self._env.begin(write=True) as txn:
            return self._put_links(txn, intake.links)

    def _finish(self) -> None:
        """Write what the cold load gathered, if one is under way."""
        cold = self._cold
        if cold is None:
            return
        # About what the tree takes; so that what was begun can be brought to an end.
        self._require_room(_BYTES_OF_A_ROW * cold.size)
        self._cold = None
        try:
            subjects = 0
            for rows in cold.parts():
                with self._env.begin(write=True) as txn:
                    subjects += self._put(txn, rows, append=True)
            with self._env.begin(write=True) as txn:
                self._put_rest(txn, subjects, self._cold_offsets)
                txn.delete(b"loading", db=self._meta)
        except lmdb.MapFullError as error:
            raise self._problem(error) from None
        except (lmdb.Error, OSError) as error:
            # The mark of a load that was not finished stays: whoever opens the file starts anew.
            raise LedgerDamaged(f"the cold load in {self._path} was not finished ({type(error).__name__})") from None
        self._words.written()
        cold.drop()

    def _write(self, intake: Intake) -> tuple[int, int]:
        with self._env.begin(write=True) as txn:
            fresh = self._put(txn, in_order(intake.rows), append=False)
            self._put_rest(txn, fresh, intake.next_offsets)
            return self._put_links(txn, intake.links)

    def _put(self, txn: Any, rows: Rows, *, append: bool) -> int:
        """Put sorted rows. Gives how many subjects are new."""
        keys, versions = by_subject(rows)
        if len(keys) < len(rows):
            versions = [
                each if len(each) == VERSION_BYTES else settled(each, self._words, self._versions) for each in versions
            ]
        pairs = list(zip(keys, versions, strict=True))
        with txn.cursor(self._choices) as cursor:
            # First those whose subject is new, which are counted so; the others only where there are any.
            _, fresh = cursor.putmulti(pairs, overwrite=False, append=append)
            if fresh < len(pairs):
                for key, each in pairs:
                    known = cursor.get(key)
                    if known != each:
                        cursor.put(key, settled(known + each, self._words, self._versions))
        return int(fresh)

    def _put_rest(self, txn: Any, fresh: int, next_offsets: Mapping[Place, int]) -> None:
        for value, word in self._words.fresh.items():
            txn.put(word.to_bytes(4, "big"), value, db=self._word_table)
        known = int.from_bytes(txn.get(b"subjects", db=self._meta) or b"", "big")
        txn.put(b"subjects", (known + fresh).to_bytes(8, "big"), db=self._meta)
        for place, offset in next_offsets.items():
            txn.put(offset_name(place), offset.to_bytes(8, "big"), db=self._meta)

    def _put_links(self, txn: Any, links: Sequence[tuple[bytes, bytes]]) -> tuple[int, int]:
        added = overflowed = 0
        with txn.cursor(self._links) as cursor:
            for subject, other in links:
                count = cursor.count() if cursor.set_key(subject) else 0
                # One more than is followed marks that there were too many; further ones say nothing.
                if count <= MAX_LINKS and cursor.put(subject, other, dupdata=False):
                    added += 1
                    overflowed += count == MAX_LINKS
        return added // 2, overflowed

    def view(self) -> LedgerSnapshot:
        """Open a snapshot of what was written so far. Close it after use."""
        self._finish()
        return LedgerSnapshot(self._env.begin(db=self._choices), {}, self._tables)

    def mark_fresh(self, fresh_ms: int) -> None:
        """Note that everything that the broker had at that moment has been read. Raises as `apply` does."""
        self._require_room()
        self._finish()
        with self._env.begin(write=True) as txn:
            txn.put(b"fresh-ms", fresh_ms.to_bytes(8, "big"), db=self._meta)

    def subjects(self) -> int:
        """Count the subjects; 0 while a cold load is under way."""
        with self._env.begin() as txn:
            return int.from_bytes(txn.get(b"subjects", db=self._meta) or b"", "big")

    def size_bytes(self) -> int:
        """Give how much of the file is in use, free pages between included."""
        return int((self._env.info()["last_pgno"] + 1) * self._env.stat()["psize"])

    def close(self) -> None:
        """Write everything to disk and close; a second time changes nothing."""
        if self._lock.closed:
            return
        self._finish()
        self._env.sync(True)
        used_bytes = self.size_bytes()
        self._env.close()
        mark_synced(self._path, used_bytes)
        self._lock.close()

    def give_up(self, damage: Damage) -> None:
        """Close a ledger that is damaged, and set its file aside."""
        if self._lock.closed:
            return
        self._env.close()
        self._set_aside(damage)
        self._lock.close()


__all__ = ["MAX_LINKS", "MAX_VERSIONS", "Applied", "LedgerDamaged", "LedgerFull", "LedgerProblem", "LedgerWriter"]
