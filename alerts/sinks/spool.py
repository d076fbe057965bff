"""Alerts that wait for their sinks, on disk: what was taken in is delivered, however often the process ends."""

import sqlite3
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, Self

import msgspec

from topics.alert import Alert

_FORGET_MS = 90 * 24 * 3600 * 1000
"""What was told of a key is remembered for so long: until then it is not told again when it is read again."""
_TABLES = """
CREATE TABLE IF NOT EXISTS waiting (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    sink TEXT NOT NULL, key TEXT NOT NULL, episode TEXT NOT NULL,
    since_ms INTEGER NOT NULL, folded INTEGER NOT NULL, value BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS waiting_by_key ON waiting (sink, key, seq);
CREATE INDEX IF NOT EXISTS waiting_in_order ON waiting (sink, seq);
CREATE TABLE IF NOT EXISTS known (
    sink TEXT NOT NULL, key TEXT NOT NULL, episode TEXT NOT NULL,
    revision INTEGER NOT NULL, at_ms INTEGER NOT NULL, PRIMARY KEY (sink, key)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS known_by_time ON known (at_ms);
"""


class SpoolProblem(Exception):
    """A spool that cannot be used: a full disk, no right to write, or a file that is something else."""


class Taken(StrEnum):
    """What became of an alert that was handed to the spool."""

    KEPT = "kept"
    FOLDED = "folded"
    """It took the place of an older one of its episode, which it speaks for: counts are those of the whole episode."""
    STALE = "stale"
    """It, or a later one of its episode, was taken in before."""


class Waiting(NamedTuple):
    """An alert that waits."""

    seq: int
    since_ms: int
    folded: int
    alert: Alert


class Spool:
    """One file for all sinks. Each thread opens it for itself."""

    def __init__(self, path: Path) -> None:
        """Open the file or create it. Raises SpoolProblem."""
        try:
            self._db = sqlite3.connect(path, isolation_level=None, timeout=30.0)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.executescript(_TABLES)
        except sqlite3.Error as error:
            raise SpoolProblem(f"{path}: {error}") from None
        self._decoder = msgspec.json.Decoder(Alert)
        self._encoder = msgspec.json.Encoder()

    def take(self, sink: str, alerts: Sequence[Alert], now_ms: int, fold_above: int) -> list[Taken]:
        """Keep alerts for a sink, all or none. With more than `fold_above` waiting, those of one episode fold into one."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            waiting = self.count(sink)
            taken = []
            for alert in alerts:
                taken.append(self._take(sink, alert, now_ms, fold=waiting > fold_above))
                waiting += taken[-1] is Taken.KEPT
            self._db.execute("DELETE FROM known WHERE at_ms < ?", (now_ms - _FORGET_MS,))
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        return taken

    def _take(self, sink: str, alert: Alert, now_ms: int, *, fold: bool) -> Taken:
        known = self._db.execute(
            "SELECT episode, revision, at_ms FROM known WHERE sink = ? AND key = ?", (sink, alert.episode_key)
        ).fetchone()
        if known is not None:
            episode, revision, at_ms = known
            # An alert plane that ends between telling and remembering may tell something else under the same number.
            told = (alert.revision, alert.at_ms) <= (revision, at_ms)
            if told if episode == alert.episode_id else alert.at_ms < at_ms:
                return Taken.STALE
        self._db.execute(
            "INSERT INTO known VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
            "episode = excluded.episode, revision = excluded.revision, at_ms = excluded.at_ms",
            (sink, alert.episode_key, alert.episode_id, alert.revision, alert.at_ms),
        )
        value = self._encoder.encode(alert)
        if fold:
            last = self._db.execute(
                "SELECT seq, episode FROM waiting WHERE sink = ? AND key = ? ORDER BY seq DESC LIMIT 1",
                (sink, alert.episode_key),
            ).fetchone()
            if last is not None and last[1] == alert.episode_id:
                self._db.execute("UPDATE waiting SET value = ?, folded = folded + 1 WHERE seq = ?", (value, last[0]))
                return Taken.FOLDED
        self._db.execute(
            "INSERT INTO waiting (sink, key, episode, since_ms, folded, value) VALUES (?, ?, ?, ?, 0, ?)",
            (sink, alert.episode_key, alert.episode_id, now_ms, value),
        )
        return Taken.KEPT

    def oldest(self, sink: str, most: int) -> list[Waiting]:
        """Give those that wait longest, in order."""
        rows = self._db.execute(
            "SELECT seq, since_ms, folded, value FROM waiting INDEXED BY waiting_in_order WHERE sink = ? ORDER BY seq LIMIT ?",
            (sink, most),
        )
        return [Waiting(seq, since, folded, self._decoder.decode(value)) for seq, since, folded, value in rows]

    def done(self, delivered: Sequence[Waiting]) -> None:
        """Forget alerts that the target took, but for those that a newer one has been folded into meanwhile."""
        self._db.execute("BEGIN IMMEDIATE")
        self._db.executemany(
            "DELETE FROM waiting WHERE seq = ? AND folded = ?", [(each.seq, each.folded) for each in delivered]
        )
        self._db.execute("COMMIT")

    def count(self, sink: str) -> int:
        """Count those that wait."""
        return int(self._db.execute("SELECT count(*) FROM waiting WHERE sink = ?", (sink,)).fetchone()[0])

    def since_ms(self, sink: str) -> int | None:
        """Give when the oldest was taken in; None when none waits."""
        found = self._db.execute(
            "SELECT since_ms FROM waiting INDEXED BY waiting_in_order WHERE sink = ? ORDER BY seq LIMIT 1", (sink,)
        ).fetchone()
        return None if found is None else int(found[0])

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
