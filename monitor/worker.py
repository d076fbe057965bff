"""One traffic worker, and the one ledger process: what each child of `privacy-monitor run` does."""

import signal
import socket
import threading
import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry

from monitor.config import Config, Delivery
from monitor.context import Loaded, adapters
from monitor.kafka import FETCH_AGE_MS, LogReader, Reader, Writer, require_topics
from monitor.ledger import LedgerReader, LedgerWriter
from monitor.logs import log
from monitor.metrics import LedgerMetrics, Metrics
from monitor.pages import Pages
from monitor.pipeline import Context
from monitor.reload import Reloader
from monitor.runner import Runner
from topics.catalog import ACCOUNTING, DEAD_LETTERS, FINDINGS, LINKS, SHADOW, VOLUMES

LEDGER_WAIT_SECONDS = 30.0
"""How long a settled record waits for a ledger that has not read up to it, before it is judged without."""
_FRESH_EVERY_SECONDS = 0.1
LEDGER_BATCH = 2_000
"""Records of one transaction of the ledger, at most. Larger ones are no quicker, and double the file: each page that a
transaction touches is written anew, and the old one is free only after it."""


def work(config: Config, loaded: Loaded, settings: dict[str, object], index: int, file: str = "monitor.yaml") -> None:
    """Judge traffic until SIGTERM; load the rules anew on SIGHUP and when their files change."""
    cluster = require_topics(
        settings,
        [
            *(source.topic for source in config.sources),
            FINDINGS.name,
            SHADOW.name,
            DEAD_LETTERS.name,
            ACCOUNTING.name,
            LINKS.name,
            VOLUMES.name,
        ],
    )
    name = f"{socket.gethostname()}-{index}"
    registry = CollectorRegistry()
    metrics = Metrics(registry, version=loaded.version)
    metrics.judges_by(loaded.bundle)
    metrics.expect(source.topic for source in config.sources)
    exactly_once = config.delivery is Delivery.EXACTLY_ONCE
    writer = Writer(settings, transactional_id=f"{config.kafka.group}-{name}" if exactly_once else None)

    def context(knowledge: Loaded) -> Context:
        return knowledge.context(adapters(config), cluster.cluster_id, worker=name, delivery=config.delivery.value)

    runner = Runner(
        context(loaded),
        lambda self: Reader(
            settings,
            group=config.kafka.group,
            topics=[source.topic for source in config.sources],
            from_beginning=config.from_beginning,
            on_assigned=self.assigned,
            on_revoked=self.revoked,
        ),
        writer,
        LedgerReader(config.consent.path) if config.consent is not None else None,
        metrics,
        settle_seconds=config.settle_seconds,
        ledger_wait_seconds=LEDGER_WAIT_SECONDS,
        batch_records=config.batch_records,
    )
    pages = Pages(config.http.host, _port(config.http.port, index + 1), registry, runner.not_ready)
    on_stop(runner.stop)
    reloader = Reloader(
        config,
        file,
        loaded,
        lambda knowledge: runner.swap(context(knowledge)),
        lambda outcome: metrics.reloads.labels(outcome).inc(),
    )
    signal.signal(signal.SIGHUP, lambda *_: reloader.ask())
    reloader.start()
    log.info("worker started", worker=name, pages=pages.url, bundle=loaded.bundle)
    try:
        runner.run()
    finally:
        reloader.stop()
    pages.close()
    log.info("worker stopped", worker=name)


def keep_ledger(config: Config, loaded: Loaded, settings: dict[str, object]) -> None:
    """Fill the ledger from the consent topic and the links until SIGTERM."""
    consent = config.consent
    if consent is None:
        return
    stopping = threading.Event()
    on_stop(stopping.set)
    registry = CollectorRegistry()
    metrics = LedgerMetrics(registry)
    # Offsets mean nothing at another cluster, whatever the name of the topic.
    cluster = require_topics(settings, [consent.topic, LINKS.name]).cluster_id
    writer = LedgerWriter(consent.path, loaded.key, consent.map_size_mb, f"{cluster}/{consent.topic}")
    reader = LogReader(settings, [consent.topic, LINKS.name], writer.starts())
    fresh_ms = 0

    def not_ready() -> str:
        return "" if time.time() - fresh_ms / 1000 < max(5.0, config.settle_seconds) else "the ledger is behind"

    pages = Pages(config.http.host, _port(config.http.port, 0), registry, not_ready)
    log.info("ledger started", pages=pages.url)
    checked = 0.0
    while not stopping.is_set():
        records = reader.poll(LEDGER_BATCH, _FRESH_EVERY_SECONDS / 2)
        if records:
            applied = writer.apply(records, int(config.settle_seconds * 1000))
            metrics.records.labels("applied").inc(applied.applied)
            metrics.records.labels("rejected").inc(applied.rejected)
            metrics.records.labels("late").inc(applied.late)
            metrics.links.labels("new").inc(applied.links)
            metrics.links.labels("overflowed").inc(applied.overflowed)
            metrics.subjects.set(writer.subjects())
        if time.monotonic() - checked >= _FRESH_EVERY_SECONDS:
            checked = time.monotonic()
            asked_ms = time.time_ns() // 1_000_000
            queried = consent.end_offsets == "queried"
            if _is_at_end(reader, queried=queried):
                fresh_ms = asked_ms if queried else asked_ms - FETCH_AGE_MS
                writer.mark_fresh(fresh_ms)
                metrics.fresh.set(fresh_ms / 1000)
    reader.close()
    writer.close()
    pages.close()
    log.info("ledger stopped")


def _is_at_end(reader: LogReader, *, queried: bool) -> bool:
    """Tell whether all that the topic held when we asked has been read and written."""
    ends = reader.ends(queried=queried)
    return ends is not None and all(end <= reader.reached.get(place, -1) for place, end in ends.items())


def on_stop(stop: Callable[[], None]) -> None:
    """Call `stop` on SIGTERM and SIGINT; a second signal ends the process at once."""

    def handle(_signal: int, _frame: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        stop()

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)


def _port(base: int, index: int) -> int:
    return base + index if base else 0
