"""Where folds, declarations and ticks become episodes and alerts."""

import logging
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

import msgspec

from alerts import cloudevents
from alerts.declarations import declare
from alerts.episodes import is_forgettable, key_of, step, tick
from alerts.metrics import AlertMetrics
from alerts.policy import Policy
from alerts.register import Register
from alerts.related import relate
from alerts.state import Episode
from topics.alert import Alert
from topics.finding import Fold
from topics.triage import Declaration

log = logging.getLogger("privacy_monitor.alerts")

Tell = Callable[[bytes, bytes, list[tuple[str, bytes]]], None]
"""Takes key, value and headers of an alert that is to be told."""


class Position(NamedTuple):
    """Where a record stands, and when it was written."""

    topic: str
    partition: int
    offset: int
    at_ms: int


class Desk:
    """Handles one record at a time. What follows from it is kept in the register, and its alerts are handed over to be told."""

    def __init__(self, policy: Policy, register: Register, metrics: AlertMetrics, tell: Tell) -> None:
        self._policy = policy
        self._register = register
        self._metrics = metrics
        self._tell = tell
        self._newest_ms: dict[int, int] = {}
        self._decoder = msgspec.json.Decoder(Fold)
        self._declarations = msgspec.json.Decoder(Declaration)
        self._encoder = msgspec.json.Encoder()

    def fold(self, at: Position, value: bytes | None) -> None:
        """Count one record of the findings topic; what is no fold is counted as unreadable and skipped."""
        began = time.perf_counter()
        self._newest_ms[at.partition] = at.at_ms
        try:
            fold = self._decoder.decode(value or b"")
            key = key_of(fold).encode()
        except (ValueError, RecursionError) as error:
            self._skip(at, error, "fold")
            self._metrics.unreadable()
            return
        before = self._register.get(at.partition, key)
        try:
            after, alerts = step(before, fold, at.at_ms, self._policy)
        except ValueError as error:
            self._skip(at, error, "fold")
            self._metrics.unreadable()
            return
        if after is not before:
            self._save(key, at.partition, after, alerts)
        known = before.findings if before is not None and before.episode_id == after.episode_id else 0
        self._metrics.fold(fold, after.findings - known, at.at_ms, time.perf_counter() - began)

    def declare(self, at: Position, value: bytes | None) -> None:
        """Take in one record of the triage topic. One that is none, or of an episode that is not known, is counted and skipped."""
        try:
            declaration = self._declarations.decode(value or b"")
            key = declaration.episode_key.encode()
            # Written under another key, it comes to where the episode is not kept: a second state of it must not begin there.
            before = self._register.get(at.partition, key)
            if before is None:
                log.warning(
                    "a declaration of an episode that is not known: %s/%d/%d", at.topic, at.partition, at.offset
                )
                self._metrics.declaration("unknown")
                return
            after, alerts = declare(before, declaration, at.at_ms, at.offset)
        except (ValueError, RecursionError) as error:
            self._skip(at, error, "declaration")
            self._metrics.declaration("unreadable")
            return
        if after is not before:
            self._save(key, at.partition, after, alerts)
        self._metrics.declaration("taken")

    def tick(self, partition: int, now_ms: int | None) -> None:
        """Let time pass for the episodes of one partition.

        A fold that waits to be read must not find its episode quiet. `now_ms` is None while any may wait: then time has
        come as far as the newest fold that was read, because those behind it are younger.
        """
        now_ms = self._newest_ms.get(partition) if now_ms is None else now_ms
        if now_ms is None:
            return
        for key, before in self._register.of(partition):
            if is_forgettable(before, now_ms, self._policy):
                self._register.forget(partition, key)
                continue
            after, alerts = tick(before, now_ms, self._policy)
            if after is not before:
                self._save(key, partition, after, alerts)
        episodes = [episode for _, episode in self._register.of(partition)]
        self._metrics.open_episodes(partition, episodes)
        self._metrics.next_due(partition, episodes)

    def _save(self, key: bytes, partition: int, episode: Episode, alerts: list[Alert]) -> None:
        if alerts:
            episode = relate(episode, self._register.neighbours(partition, episode))
        for told in alerts:
            alert = msgspec.structs.replace(told, related=episode.related)
            self._tell(key, self._encoder.encode(alert), cloudevents.headers(alert))
            self._metrics.alert(alert)
        self._register.put(partition, key, episode)

    def drop(self, partitions: Iterable[int]) -> None:
        """Forget partitions that are somebody else's now."""
        for partition in partitions:
            self._newest_ms.pop(partition, None)

    def _skip(self, at: Position, error: Exception, what: str) -> None:
        # The text of an error can quote what was read: the position and the kind are enough.
        log.warning(
            "skipped a record that is no %s: %s/%d/%d, %s",
            what,
            at.topic,
            at.partition,
            at.offset,
            type(error).__name__,
        )
