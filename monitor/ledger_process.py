"""The one ledger process: what the child `ledger` of `privacy-monitor run` does."""

import gc
import threading
import time
from collections.abc import Mapping, Sequence

from prometheus_client import CollectorRegistry

from monitor.config import Config, ConsentConfig
from monitor.context import Loaded
from monitor.kafka import FETCH_AGE_MS, LogReader, is_compacted, require_topics
from monitor.ledger import Applied, LedgerWriter
from monitor.ledger_files import Damage, was_reported
from monitor.ledger_snapshot import LedgerDamaged, LedgerFull
from monitor.logs import log
from monitor.metrics import LedgerMetrics
from monitor.pages import Pages
from monitor.processes import on_stop
from topics.catalog import LINKS
from topics.record import Place, Stretch

_FRESH_EVERY_SECONDS = 0.1
_FULL_PAUSE_SECONDS = 1.0
LEDGER_BATCH = 2_000
"""Records of one transaction of the ledger, at most. Larger ones are no quicker, and double the file: each page that a
transaction touches is written anew, and the old one is free only after it."""
GC_THRESHOLDS = (100_000, 20, 100)
"""Records are thousands of small tuples that hold no cycles; to look for some costs a third of reading them."""


def keep_ledger(config: Config, loaded: Loaded, settings: dict[str, object]) -> None:
    """Fill the ledger from the consent topic and the links until SIGTERM. Raises LedgerProblem, KafkaProblem."""
    consent = config.consent
    if consent is None:
        return
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    stopping = threading.Event()
    on_stop(stopping.set)
    # Offsets mean nothing at another cluster, whatever the name of the topic.
    cluster = require_topics(settings, [consent.topic, LINKS.name]).cluster_id
    registry = CollectorRegistry()
    follower = _Follower(config, consent, loaded, settings, cluster, LedgerMetrics(registry))
    port = config.http.port
    pages = Pages(config.http.host, port, registry, follower.not_ready)
    log.info("ledger started", pages=pages.url)
    while not stopping.is_set():
        follower.follow(stopping)
    pages.close()
    log.info("ledger stopped")


class _Follower:
    """Reads the topics into the ledger, and makes the ledger anew when it is damaged."""

    def __init__(
        self,
        config: Config,
        consent: ConsentConfig,
        loaded: Loaded,
        settings: Mapping[str, object],
        cluster: str,
        metrics: LedgerMetrics,
    ) -> None:
        self._consent = consent
        self._settle_seconds = config.settle_seconds
        self._loaded = loaded
        self._settings = settings
        self._topic = f"{cluster}/{consent.topic}"
        self._history = not is_compacted(settings, consent.topic)
        if not self._history:
            log.warning("the consent topic is compacted: before a subject's first version consent is unknown")
        self._metrics = metrics
        self._fresh_ms = 0
        self._full = False

    def not_ready(self) -> str:
        """Say why the ledger does not speak, or nothing when it does."""
        if self._full:
            return "the disk of the ledger is full"
        behind = time.time() - self._fresh_ms / 1000
        return "" if behind < max(5.0, self._settle_seconds) else "the ledger is behind"

    def follow(self, stopping: threading.Event) -> None:
        """Follow the topics until told to stop, or until the ledger turns out to be damaged."""
        try:
            writer = self._open()
        except LedgerFull as problem:
            self._is_full(full=True, problem=str(problem))
            stopping.wait(_FULL_PAUSE_SECONDS)
            return
        reader = LogReader(self._settings, [self._consent.topic, LINKS.name], writer.starts())
        try:
            self._read(writer, reader, stopping)
        except LedgerDamaged as damaged:
            log.error("the ledger is damaged, reading its topics anew", problem=str(damaged))
            self._fresh_ms = 0
            writer.give_up(Damage.UNREADABLE)
            self._metrics.rebuilds.labels(Damage.UNREADABLE.value).inc()
        finally:
            reader.close()
            writer.close()

    def _open(self) -> LedgerWriter:
        consent = self._consent
        writer = LedgerWriter(
            consent.path,
            self._loaded.key,
            consent.map_size_mb,
            self._topic,
            versions=consent.versions,
            history=self._history,
            record_key=consent.record_key,
        )
        if writer.rebuilt is not None:
            log.error("the ledger was set aside, reading its topics anew", why=writer.rebuilt.value)
            self._metrics.rebuilds.labels(writer.rebuilt.value).inc()
        return writer

    def _read(self, writer: LedgerWriter, reader: LogReader, stopping: threading.Event) -> None:
        queried = self._consent.end_offsets == "queried"
        goal: tuple[int, Mapping[Place, int]] | None = None
        asked = 0.0
        waiting: Sequence[Stretch] = ()
        while not stopping.is_set():
            waiting = waiting or reader.poll_stretches(LEDGER_BATCH, _FRESH_EVERY_SECONDS / 2)
            try:
                if waiting:
                    self._count(writer.take(waiting, int(self._settle_seconds * 1000)))
                    waiting = ()
                if goal is None and time.monotonic() - asked >= _FRESH_EVERY_SECONDS:
                    asked, now_ms = time.monotonic(), time.time_ns() // 1_000_000
                    ends = reader.ends(queried=queried)
                    goal = (now_ms if queried else now_ms - FETCH_AGE_MS, ends) if ends is not None else None
                # What the topic held when we asked, and not what it holds now: with much consent coming in that end
                # would never be met.
                if goal is not None and all(end <= reader.reached.get(place, -1) for place, end in goal[1].items()):
                    self._mark_fresh(writer, goal[0])
                    goal = None
                self._is_full(full=False)
            except LedgerFull as problem:
                self._is_full(full=True, problem=str(problem))
                stopping.wait(_FULL_PAUSE_SECONDS)

    def _mark_fresh(self, writer: LedgerWriter, fresh_ms: int) -> None:
        if was_reported(self._consent.path):
            raise LedgerDamaged("a worker could not read it")
        writer.mark_fresh(fresh_ms)
        self._fresh_ms = fresh_ms
        self._metrics.fresh.set(fresh_ms / 1000)
        self._metrics.subjects.set(writer.subjects())

    def _is_full(self, *, full: bool, problem: str = "") -> None:
        if full and not self._full:
            log.error("the ledger cannot be written", problem=problem)
        elif self._full and not full:
            log.info("the ledger can be written again")
        self._full = full
        self._metrics.disk_full.set(full)

    def _count(self, applied: Applied) -> None:
        metrics = self._metrics
        metrics.records.labels("applied").inc(applied.applied)
        metrics.records.labels("rejected").inc(applied.rejected)
        metrics.records.labels("late").inc(applied.late)
        metrics.links.labels("new").inc(applied.links)
        metrics.links.labels("overflowed").inc(applied.overflowed)
