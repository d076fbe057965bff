"""Alerts that wait for their sinks, on disk: what was taken in is delivered, however often the process ends."""

import sqlite3
from collections.abc import Callable, Sequence
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


_ADDED = {"due_ms": "INTEGER NOT NULL DEFAULT 0", "digest": "INTEGER NOT NULL DEFAULT 0"}
"""Columns that the first release does not know. It leaves them out when it writes, and tells at once what it wrote."""

When = Callable[[Alert, int], tuple[int, bool]]
"""Gives from when on an alert may be told that came at a moment, and whether with all else that is held."""


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
    is_digest: bool = False
    """It was held, and is told together with all that was."""


class Spool:
    """One file for all sinks. Each thread opens it for itself."""

    def __init__(self, path: Path) -> None:
        """Open the file or create it. Raises SpoolProblem."""
        try:
            self._db = sqlite3.connect(path, isolation_level=None, timeout=30.0)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.executescript(_TABLES)
            self._add_columns()
        except sqlite3.Error as error:
            raise SpoolProblem(f"{path}: {error}") from None
        self._decoder = msgspec.json.Decoder(Alert)
        self._encoder = msgspec.json.Encoder()

    def _add_columns(self) -> None:
        # Each thread opens the file: only one may add them.
        self._db.execute("BEGIN IMMEDIATE")
        known = {row[1] for row in self._db.execute("PRAGMA table_info(waiting)")}
        for name, kind in _ADDED.items():
            if name not in known:
                self._db.execute(f"ALTER TABLE waiting ADD COLUMN {name} {kind}")
        self._db.execute("COMMIT")

    def take(
        self, sink: str, alerts: Sequence[Alert], now_ms: int, fold_above: int, when: When | None = None
    ) -> list[Taken]:
        """Keep alerts for a sink, all or none. With more than `fold_above` waiting, those of one episode fold into one.

        `when` says what is held until later; of a digest, each episode has its newest alert only.
        """
        self._db.execute("BEGIN IMMEDIATE")
        try:
            waiting = self.count(sink)
            taken = []
            for alert in alerts:
                due = (now_ms, False) if when is None else when(alert, now_ms)
                taken.append(self._take(sink, alert, now_ms, due, fold=waiting > fold_above or due[1]))
                if when is not None:
                    self._release(sink, alert.episode_key, due)
                waiting += taken[-1] is Taken.KEPT
            self._db.execute("DELETE FROM known WHERE at_ms < ?", (now_ms - _FORGET_MS,))
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        return taken

    def knows(self, sink: str, alert: Alert) -> bool:
        """Tell whether a sink has had an alert of this episode."""
        found = self._db.execute(
            "SELECT episode FROM known WHERE sink = ? AND key = ?", (sink, alert.episode_key)
        ).fetchone()
        return found is not None and found[0] == alert.episode_id

    def plan(self, sink: str, when: When | None, now_ms: int) -> None:
        """Set anew until when is held what waits: no later than `when` says of the moment when it came."""
        rows = self._db.execute(
            "SELECT seq, since_ms, due_ms, value FROM waiting WHERE sink = ? AND due_ms > ?", (sink, now_ms)
        ).fetchall()
        for seq, since_ms, due_ms, value in rows:
            at_ms, is_digest = (since_ms, False) if when is None else when(self._decoder.decode(value), since_ms)
            if at_ms < due_ms:
                self._db.execute("UPDATE waiting SET due_ms = ?, digest = ? WHERE seq = ?", (at_ms, is_digest, seq))

    def _release(self, sink: str, key: str, due: tuple[int, bool]) -> None:
        """Let what waits of a key go no later than what came last of it: the order of a key is kept."""
        at_ms, is_digest = due
        self._db.execute(
            "UPDATE waiting SET due_ms = min(due_ms, ?), digest = min(digest, ?) WHERE sink = ? AND key = ?",
            (at_ms, is_digest, sink, key),
        )

    def _take(self, sink: str, alert: Alert, now_ms: int, due: tuple[int, bool], *, fold: bool) -> Taken:
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
            "INSERT INTO waiting (sink, key, episode, since_ms, folded, value, due_ms, digest) VALUES (?, ?, ?, ?, 0, ?, ?, ?)",
            (sink, alert.episode_key, alert.episode_id, now_ms, value, *due),
        )
        return Taken.KEPT

    def oldest(self, sink: str, most: int, now_ms: int) -> list[Waiting]:
        """Give those that may be told and wait longest, in order: what was held apart from, and behind, what was not."""
        for is_digest in (False, True):
            rows = self._db.execute(
                "SELECT seq, since_ms, folded, value FROM waiting INDEXED BY waiting_in_order "
                "WHERE sink = ? AND digest = ? AND due_ms <= ? ORDER BY seq LIMIT ?",
                (sink, is_digest, now_ms, most),
            ).fetchall()
            if rows:
                return [
                    Waiting(seq, since, folded, self._decoder.decode(value), is_digest)
                    for seq, since, folded, value in rows
                ]
        return []

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

    def held(self, sink: str, now_ms: int) -> int:
        """Count those that may not be told yet."""
        found = self._db.execute("SELECT count(*) FROM waiting WHERE sink = ? AND due_ms > ?", (sink, now_ms))
        return int(found.fetchone()[0])

    def since_ms(self, sink: str, now_ms: int) -> int | None:
        """Give since when the oldest might have been told; None when none may be."""
        found = self._db.execute(
            "SELECT max(since_ms, due_ms) FROM waiting INDEXED BY waiting_in_order "
            "WHERE sink = ? AND due_ms <= ? ORDER BY seq LIMIT 1",
            (sink, now_ms),
        ).fetchone()
        return None if found is None else int(found[0])

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
