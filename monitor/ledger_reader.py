"""A worker's access to the consent ledger: read-only, one snapshot for each batch."""

from pathlib import Path

import lmdb

from detectors.consent.ledger import Word
from monitor.ledger_files import ABSENT, identity, report, was_reported
from monitor.ledger_snapshot import READERS, TABLES, LedgerSnapshot

_WORDS_KEPT = 65_536
"""Words that a reader remembers; beyond it starts anew."""


class LedgerReader:
    """A worker's read-only access: one snapshot for each batch."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._env: lmdb.Environment | None = None
        self._file = ABSENT
        self._generation = b""
        self._words: dict[int, Word] = {}
        self._damaged = ABSENT
        """The file that turned out to be damaged. The writer sets it aside and makes another."""

    def view(self) -> LedgerSnapshot:
        """Open a snapshot. Close it when the batch is judged: an open one keeps old pages alive."""
        file = identity(self._path)
        if self._env is not None and file != self._file:
            # The writer set the file aside and made a new one.
            self.close()
        if file in {ABSENT, self._damaged}:
            return LedgerSnapshot(None, {}, ())
        if self._env is None:
            self._file, self._env = file, self._open()
        if self._env is None:
            return LedgerSnapshot(None, {}, ())
        try:
            txn = self._env.begin(db=self._tables[0])
            generation = bytes(txn.get(b"generation", b"", self._tables[-1]))
        except lmdb.Error:
            # It grew beyond what we mapped, or there is no slot for a reader left: opened anew at the next batch.
            self.close()
            return LedgerSnapshot(None, {}, ())
        if generation != self._generation or len(self._words) > _WORDS_KEPT:
            self._generation, self._words = generation, {}
        return LedgerSnapshot(txn, self._words, self._tables, self._on_damage)

    def _open(self) -> lmdb.Environment | None:
        if was_reported(self._path):
            return None
        env = None
        try:
            env = lmdb.open(str(self._path), readonly=True, max_dbs=len(TABLES), readahead=False, max_readers=READERS)
            self._tables = tuple(env.open_db(name, create=False) for name in TABLES)
        except lmdb.Error:
            # The writer is still making it.
            if env is not None:
                env.close()
            return None
        return env

    def _on_damage(self) -> None:
        """Read this file no more, and ask the writer for another."""
        self._damaged = self._file
        report(self._path)

    def close(self) -> None:
        """Let go of the file."""
        if self._env is not None:
            self._env.close()
            self._env = None
