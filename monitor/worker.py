"""One traffic worker: what each child `worker` of `privacy-monitor run` does."""

import gc
import signal
import socket
import time
from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry

from monitor.bundles import BundleReader
from monitor.config import Config, Delivery
from monitor.context import Loaded, adapters
from monitor.kafka import Denied, Reader, Settings, Writer, require_topics
from monitor.kafka.standing import Asker, Loss, Why
from monitor.ledger_reader import LedgerReader
from monitor.lineages import known
from monitor.logs import log
from monitor.metrics import Metrics
from monitor.pages import Pages
from monitor.pipeline import Context
from monitor.processes import on_stop
from monitor.reload import Reloader
from monitor.runner import Runner
from monitor.stall import CALL_SECONDS, TURN_SECONDS, Stall
from monitor.standing import Watch
from topics.catalog import ACCOUNTING, DEAD_LETTERS, FINDINGS, LINKS, RULES, SHADOW, VOLUMES

_DENIED_SECONDS = 5.0
LEDGER_WAIT_SECONDS = 30.0
"""How long a settled record waits for a ledger that has not read up to it, before it is judged without."""


def work(config: Config, loaded: Loaded, settings: dict[str, object], index: int, file: str = "monitor.yaml") -> None:
    """Judge traffic until SIGTERM; load the rules anew on SIGHUP and when their files change."""
    judged = adapters(config)
    ours = [FINDINGS.name, SHADOW.name, DEAD_LETTERS.name, ACCOUNTING.name, LINKS.name, VOLUMES.name]
    rules = [RULES.name] if config.rules_bundle is not None else []
    cluster = require_topics(settings, [*ours, *rules])
    logs = known(settings, judged, learn=True)
    name = f"{socket.gethostname()}-{index}"
    registry = CollectorRegistry()
    metrics = Metrics(registry, version=loaded.version)
    metrics.judges_by(loaded.bundle)
    metrics.expect(source.topic for source in config.sources)
    for topic in logs.new:
        metrics.void_offsets.labels(topic).inc()
    exactly_once = config.delivery is Delivery.EXACTLY_ONCE
    readiness: list[Callable[[], str]] = []
    pages = Pages(config.http.host, _port(config.http.port, index + 1), registry, lambda: _first_reason(readiness))
    writer = _writer(settings, f"{config.kafka.group}-{name}" if exactly_once else None, metrics, readiness)

    def context(knowledge: Loaded) -> Context:
        return knowledge.context(
            judged, cluster.cluster_id, worker=name, delivery=config.delivery.value, anew=logs.anew
        )

    runner = Runner(
        context(loaded),
        lambda self: Reader(
            settings,
            group=config.kafka.group,
            topics=list(judged),
            from_beginning=config.from_beginning,
            on_assigned=self.assigned,
            on_revoked=self.revoked,
            on_begun_anew=self.begun_anew,
            ids=logs.ids,
            anew=logs.anew,
            instance_id=f"{config.kafka.group}-{name}" if config.kafka.static_membership else None,
        ),
        writer,
        LedgerReader(config.consent.path) if config.consent is not None else None,
        metrics,
        settle_seconds=config.settle_seconds,
        ledger_wait_seconds=LEDGER_WAIT_SECONDS,
        batch_records=config.batch_records,
    )
    on_stop(runner.stop)
    watch = Watch(
        Asker(settings, reads=judged, writes=ours),
        logs.ids,
        lambda loss, is_lost: metrics.lost_access.labels(*loss).set(is_lost),
        runner.start_anew,
        lambda: [Loss("group", config.kafka.group, Why.READ_DENIED)] if runner.group_is_denied() else [],
    )
    # What is lost is why the rest stands still, and is told first.
    readiness += [watch.not_ready, runner.not_ready]
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
    stall = Stall((writer.call_seconds, CALL_SECONDS), (runner.turns.seconds, TURN_SECONDS))
    reloader.start()
    watch.start()
    stall.start()
    freeze()
    log.info("worker started", worker=name, pages=pages.url, bundle=reloader.judges_by)
    try:
        runner.run()
    finally:
        stall.stop()
        watch.stop()
        reloader.stop()
        if bundles is not None:
            bundles.close()
    pages.close()
    log.info("worker stopped", worker=name)


def _first_reason(readiness: Iterable[Callable[[], str]]) -> str:
    """Give the first reason not to be ready. Before there is anybody to ask, the worker is at its start."""
    return next(filter(None, (each() for each in readiness)), "") if readiness else "starting"


def _writer(
    settings: Settings, transactional_id: str | None, metrics: Metrics, readiness: list[Callable[[], str]]
) -> Writer:
    """Make the writer; where transactions are denied, tell of it until they are allowed. Raises KafkaProblem."""
    loss = Loss("transactional-id", transactional_id or "", Why.WRITE_DENIED)
    readiness.append(lambda: str(loss))
    while True:
        try:
            writer = Writer(settings, transactional_id=transactional_id)
        except Denied as denied:
            metrics.lost_access.labels(*loss).set(1)
            log.error("transactions are denied, nothing is judged until they are allowed", problem=str(denied))
            time.sleep(_DENIED_SECONDS)
        else:
            readiness.clear()
            if transactional_id is not None:
                metrics.lost_access.labels(*loss).set(0)
            return writer


def freeze() -> None:
    """Keep the collector from walking through knowledge, which never becomes garbage, and from running for every batch.

    A batch makes and frees thousands of objects without cycles; each look of the collector at them would find nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)


def _port(base: int, index: int) -> int:
    return base + index if base else 0
