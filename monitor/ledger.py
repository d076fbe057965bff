"""The consent ledger: who chose what and when, in LMDB, filled from the consent topic by one process.

Layout. `versions`: subject -> list of versions. `words`: id -> tuple of purposes or a source name, each stored once.
`meta`: next offset of each partition, when it was last read to the present, and what it was made with. Records, words
and offsets of a batch are written in one transaction, so a kill at any moment leaves a ledger that only has to read on.
"""

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import lmdb
import msgspec

from detectors.consent.ledger import Choice, Coverage
from topics.consent import read as read_consent
from topics.record import Place, RawRecord, Rejected
from topics.subject import SubjectKey

_LAYOUT = 1
_MAX_VERSIONS = 512
"""Versions kept for one subject; the oldest go first. A person changes their mind a few times in a life."""

_Version = tuple[int, int, int, int, int, int, int, int, bool]
"""at_ms, granted word, refused word, source word, topic word, partition, offset, broker_ms, after_gpc_notice."""
_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE = msgspec.msgpack.Decoder(list[_Version]).decode
_DECODE_ANY = msgspec.msgpack.Decoder().decode


class LedgerProblem(Exception):
    """Something about the ledger that a person must know, in one line that says what to do."""


class Applied(msgspec.Struct, frozen=True):
    """What became of a batch of consent records."""

    applied: int
    rejected: int
    late: int
    """Records that spoke of a moment longer than the settle time before the broker received them."""


class LedgerWriter:
    """The one process that writes."""

    def __init__(self, path: Path, key: SubjectKey, map_size_mb: int, topic: str) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self._key = key
        made_with = f"{_LAYOUT}:{topic}:{key.digest(b'ledger')}"
        self._env = self._open(path, map_size_mb)
        with self._env.begin() as txn:
            found = txn.get(b"made-with", db=self._meta)
        if found is not None and bytes(found).decode() != made_with:
            # Another key, topic or layout: its hashes mean nothing to us. The topic holds everything, so start anew.
            with self._env.begin(write=True) as txn:
                for table in (self._versions, self._words, self._meta):
                    txn.drop(table, delete=False)
        with self._env.begin(write=True) as txn:
            txn.put(b"made-with", made_with.encode(), db=self._meta)
            # Until the end of the topic has been seen once by this process, the ledger does not speak.
            txn.delete(b"fresh-ms", db=self._meta)
            self._word_ids = {bytes(value): int.from_bytes(word, "big") for word, value in txn.cursor(db=self._words)}

    def _open(self, path: Path, map_size_mb: int) -> lmdb.Environment:
        size = map_size_mb * 1024 * 1024
        try:
            env = lmdb.open(str(path), map_size=size, max_dbs=3, sync=False, metasync=False, max_readers=256)
        except lmdb.Error:
            # A damaged file holds nothing that the topic does not: move it away and read the topic again.
            for name in ("data.mdb", "lock.mdb"):
                with contextlib.suppress(FileNotFoundError):
                    (path / name).rename(path / f"{name}.damaged")
            env = lmdb.open(str(path), map_size=size, max_dbs=3, sync=False, metasync=False, max_readers=256)
        env.reader_check()
        self._versions = env.open_db(b"versions")
        self._words = env.open_db(b"words")
        self._meta = env.open_db(b"meta")
        return env

    def starts(self) -> dict[Place, int]:
        """Give the next offset to read of each partition."""
        with self._env.begin() as txn:
            return {
                _place(bytes(name)): int.from_bytes(value, "big")
                for name, value in txn.cursor(db=self._meta)
                if bytes(name).startswith(b"offset:")
            }

    def apply(self, records: Sequence[RawRecord], settle_ms: int) -> Applied:
        """Write a batch of consent records with their offsets, all or nothing. Writing a record twice changes nothing."""
        rejected = late = 0
        additions: dict[bytes, list[_Version]] = {}
        next_offsets: dict[Place, int] = {}
        new_words: dict[bytes, int] = {}
        for record in records:
            next_offsets[record.topic, record.partition] = record.offset + 1
            parsed = read_consent(record, self._key)
            if isinstance(parsed, Rejected):
                rejected += 1
                continue
            subjects, choice = parsed
            if record.timestamp_ms - choice.at_ms > settle_ms:
                late += 1
            version: _Version = (
                choice.at_ms,
                self._word(choice.granted, new_words),
                self._word(choice.refused, new_words),
                self._word(choice.source, new_words),
                self._word(record.topic, new_words),
                record.partition,
                record.offset,
                record.timestamp_ms,
                choice.after_gpc_notice,
            )
            for subject in subjects:
                additions.setdefault(_subject(subject), []).append(version)
        try:
            self._write(additions, new_words, next_offsets)
        except lmdb.MapFullError:
            raise LedgerProblem("the consent ledger is full; raise consent.map_size_mb and start again") from None
        self._word_ids.update(new_words)
        return Applied(len(records) - rejected, rejected, late)

    def _write(
        self,
        additions: Mapping[bytes, list[_Version]],
        new_words: Mapping[bytes, int],
        next_offsets: Mapping[Place, int],
    ) -> None:
        with self._env.begin(write=True) as txn:
            for value, word in new_words.items():
                txn.put(word.to_bytes(4, "big"), value, db=self._words)
            for subject, versions in additions.items():
                known = txn.get(subject, db=self._versions)
                merged = _merge(_DECODE(known) if known else [], versions)
                txn.put(subject, _ENCODE(merged), db=self._versions)
            for (topic, partition), offset in next_offsets.items():
                txn.put(f"offset:{partition}:{topic}".encode(), offset.to_bytes(8, "big"), db=self._meta)

    def mark_fresh(self, fresh_ms: int) -> None:
        """Note that everything that the broker had at that moment has been read."""
        with self._env.begin(write=True) as txn:
            txn.put(b"fresh-ms", fresh_ms.to_bytes(8, "big"), db=self._meta)

    def subjects(self) -> int:
        """Count the subjects."""
        with self._env.begin() as txn:
            return int(txn.stat(self._versions)["entries"])

    def close(self) -> None:
        """Write everything to disk and close."""
        self._env.sync(True)
        self._env.close()

    def _word(self, value: Any, new_words: dict[bytes, int]) -> int:
        data = _ENCODE(value)
        found = self._word_ids.get(data) or new_words.get(data)
        if found is None:
            found = new_words[data] = len(self._word_ids) + len(new_words) + 1
        return found


class LedgerReader:
    """A worker's read-only access: one snapshot for each batch."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._env: lmdb.Environment | None = None
        self._words: dict[int, Any] = {}

    def view(self) -> "LedgerSnapshot":
        """Open a snapshot. Close it when the batch is judged: an open one keeps old pages alive."""
        if self._env is None:
            self._env = self._open()
        if self._env is None:
            return LedgerSnapshot(None, {}, None)
        return LedgerSnapshot(self._env.begin(buffers=True), self._words, self._tables)

    def _open(self) -> lmdb.Environment | None:
        if not (self._path / "data.mdb").exists():
            return None
        try:
            env = lmdb.open(str(self._path), readonly=True, max_dbs=3, readahead=False, max_readers=256)
            self._tables = env.open_db(b"versions"), env.open_db(b"words"), env.open_db(b"meta")
        except lmdb.Error:
            # The writer is still making it.
            return None
        return env

    def close(self) -> None:
        """Let go of the file."""
        if self._env is not None:
            self._env.close()
            self._env = None


class LedgerSnapshot:
    """The ledger at one moment, as a batch sees it."""

    def __init__(self, txn: lmdb.Transaction | None, words: dict[int, Any], tables: Any) -> None:
        self._txn = txn
        self._words = words
        self._fresh_ms = -1
        self.mark = ""
        if txn is None:
            return
        self._versions, self._word_table, meta = tables
        fresh = txn.get(b"fresh-ms", db=meta)
        if fresh is not None:
            self._fresh_ms = int.from_bytes(fresh, "big")
        offsets = {
            _place(bytes(name)): int.from_bytes(value, "big")
            for name, value in txn.cursor(db=meta)
            if bytes(name).startswith(b"offset:")
        }
        self.mark = ",".join(f"{partition}:{offset}" for (_, partition), offset in sorted(offsets.items()))

    def coverage(self, broker_ms: int) -> Coverage:
        """Tell whether all consent that the broker had at that moment is in the snapshot."""
        if self._fresh_ms < 0:
            return Coverage.LOADING
        return Coverage.READY if self._fresh_ms >= broker_ms else Coverage.BEHIND

    def choices(self, subjects: Iterable[str]) -> Sequence[Choice]:
        """Give every version of every one of these keyed hashes."""
        if self._txn is None:
            return ()
        found: list[Choice] = []
        for subject in subjects:
            data = self._txn.get(_subject(subject), db=self._versions)
            if data is not None:
                found.extend(self._choice(version) for version in _DECODE(data))
        return found

    def close(self) -> None:
        """Release the snapshot."""
        if self._txn is not None:
            self._txn.abort()
            self._txn = None

    def _choice(self, version: _Version) -> Choice:
        at_ms, granted, refused, source, topic, partition, offset, broker_ms, after_notice = version
        return Choice(
            at_ms,
            tuple(self._word(granted)),
            tuple(self._word(refused)),
            self._word(topic),
            partition,
            offset,
            self._word(source),
            after_notice,
            broker_ms,
        )

    def _word(self, word: int) -> Any:
        known = self._words.get(word)
        if known is None and self._txn is not None:
            data = self._txn.get(word.to_bytes(4, "big"), db=self._word_table)
            if data is None:
                raise LedgerProblem("the consent ledger is damaged; remove its folder and start again")
            known = self._words[word] = _DECODE_ANY(data)
        return known


def _merge(known: list[_Version], added: Iterable[_Version]) -> list[_Version]:
    """Put versions together by where they were recorded: the same record twice is one version."""
    by_place = {version[4:7]: version for version in known}
    by_place.update({version[4:7]: version for version in added})
    return sorted(by_place.values())[-_MAX_VERSIONS:]


def _subject(subject: str) -> bytes:
    """Give the key: the id of the hash key, then the raw hash, at half the length of its text."""
    key_id, _, digest = subject.partition(".")
    try:
        return key_id.encode() + b"." + bytes.fromhex(digest)
    except ValueError:
        # A subject that somebody else hashed, in a form of their own.
        return subject.encode()[:511]


def _place(name: bytes) -> Place:
    _, partition, topic = name.decode().split(":", 2)
    return topic, int(partition)
