"""One traffic worker: what each child `worker` of `privacy-monitor run` does."""

import gc
import signal
import socket
from collections.abc import Callable

from prometheus_client import CollectorRegistry

from monitor.bundles import BundleReader
from monitor.config import Config, Delivery
from monitor.context import Loaded, adapters
from monitor.kafka import Reader, Writer, require_topics
from monitor.ledger_reader import LedgerReader
from monitor.logs import log
from monitor.metrics import Metrics
from monitor.pages import Pages
from monitor.pipeline import Context
from monitor.reload import Reloader
from monitor.runner import Runner
from topics.catalog import ACCOUNTING, DEAD_LETTERS, FINDINGS, LINKS, RULES, SHADOW, VOLUMES

LEDGER_WAIT_SECONDS = 30.0
"""How long a settled record waits for a ledger that has not read up to it, before it is judged without."""


def work(config: Config, loaded: Loaded, settings: dict[str, object], index: int, file: str = "monitor.yaml") -> None:
    """Judge traffic until SIGTERM; load the rules anew on SIGHUP and when their files change."""
    judged = adapters(config)
    cluster = require_topics(
        settings,
        [
            *judged,
            FINDINGS.name,
            SHADOW.name,
            DEAD_LETTERS.name,
            ACCOUNTING.name,
            LINKS.name,
            VOLUMES.name,
            *((RULES.name,) if config.rules_bundle is not None else ()),
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
        return knowledge.context(judged, cluster.cluster_id, worker=name, delivery=config.delivery.value)

    runner = Runner(
        context(loaded),
        lambda self: Reader(
            settings,
            group=config.kafka.group,
            topics=list(judged),
            from_beginning=config.from_beginning,
            on_assigned=self.assigned,
            on_revoked=self.revoked,
            instance_id=f"{config.kafka.group}-{name}" if config.kafka.static_membership else None,
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
    bundles = BundleReader(settings, config.rules_bundle) if config.rules_bundle is not None else None
    reloader = Reloader(
        config,
        file,
        loaded,
        lambda knowledge: runner.swap(context(knowledge)),
        lambda outcome: metrics.reloads.labels(outcome).inc(),
        bundles.newest if bundles is not None else lambda: None,
        meanwhile=runner.turns.reload,
    )
    signal.signal(signal.SIGHUP, lambda *_: reloader.ask())
    if bundles is not None:
        # What was published before is loaded before the first record is judged.
        reloader.follow(bundles.catch_up())
    reloader.start()
    freeze()
    log.info("worker started", worker=name, pages=pages.url, bundle=reloader.judges_by)
    try:
        runner.run()
    finally:
        reloader.stop()
        if bundles is not None:
            bundles.close()
    pages.close()
    log.info("worker stopped", worker=name)


def freeze() -> None:
    """Keep the collector from walking through knowledge, which never becomes garbage, and from running for every batch.

    A batch makes and frees thousands of objects without cycles; each look of the collector at them would find nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)


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
