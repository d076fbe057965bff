"""`privacy-monitor alerts`: one process of the alert plane, with its pages and what runs beside it."""

import socket
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry

from alerts.lease import Lease
from alerts.metrics import AlertMetrics, Health, MetricsServer
from alerts.plane import Plane
from alerts.policy import Policy
from alerts.settings import AlertSettings
from alerts.volumes import RULE
from monitor.alert_loop import AlertLoop
from monitor.config import Config, Delivery
from monitor.context import Loaded
from monitor.kafka import (
    Companion,
    KafkaProblem,
    Reader,
    TableReader,
    Writer,
    create_topics,
    describe,
    require_topics,
)
from monitor.logs import log
from monitor.minute_canary import MinuteCanary
from monitor.processes import on_stop
from monitor.stall import CALL_SECONDS, TURN_SECONDS, Stall
from topics.catalog import ALERTS, FINDINGS, TRIAGE, VOLUMES, Cleanup, Topic

# Who takes a partition up reads all that is remembered of it: small segments and an eager cleaner keep that short.
_REMEMBERED = {"segment.bytes": "16777216", "segment.ms": "600000", "min.cleanable.dirty.ratio": "0.1"}


def keep_alerts(config: Config, loaded: Loaded, kafka: Mapping[str, Any]) -> None:
    """Run the alert plane until SIGTERM. Raises KafkaProblem when the broker or a topic is not there."""
    cluster = require_topics(kafka, [FINDINGS.name, ALERTS.name, VOLUMES.name])
    if cluster.topics[VOLUMES.name] != VOLUMES.partitions:
        raise KafkaProblem(
            f"{VOLUMES.name} has {cluster.topics[VOLUMES.name]} partitions and needs {VOLUMES.partitions}: the months of one "
            "recipient are added up in one place; make it anew with `privacy-monitor topics create`"
        )
    partitions = cluster.topics[FINDINGS.name]
    settings = alert_settings(config, loaded, partitions)
    triage = describe(kafka).topics.get(TRIAGE.name)
    if triage == partitions:
        settings = msgspec.structs.replace(settings, triage_topic=TRIAGE.name)
    else:
        log.warning(
            "declarations are not read: the topic is missing, or has not as many partitions as the findings topic",
            topic=TRIAGE.name,
            partitions=triage,
            findings=partitions,
        )
    run(settings, kafka, lambda registry: _beside(config, kafka, registry))


def _beside(config: Config, kafka: Mapping[str, Any], registry: CollectorRegistry) -> Callable[[], None]:
    """Start what runs in the same process, and give what stops it."""
    if not (config.canary and config.canary_seconds):
        return lambda: None
    group = f"{config.kafka.group}-canary"
    canary = MinuteCanary(kafka, registry, group=group, every_seconds=config.canary_seconds)
    canary.start()
    return canary.stop


def alert_settings(config: Config, loaded: Loaded, partitions: int) -> AlertSettings:
    """Translate the configuration."""
    host = socket.gethostname()
    # Under a name that comes back, what a process left open is given up at its next start and not when its time runs out.
    name = host if config.kafka.static_membership else f"{host}-{uuid.uuid4().hex[:12]}"
    exactly_once = config.delivery is Delivery.EXACTLY_ONCE
    return AlertSettings(
        app=config.alerts.app,
        instance=f"{config.alerts.app}-{host}" if config.kafka.static_membership else "",
        transactional_id=f"{config.kafka.group}-alerts-{name}" if exactly_once else "",
        partitions=partitions,
        replication=config.alerts.replication,
        http_host=config.http.host,
        http_port=config.alerts.port,
        rules=(*(rule.written.id for rule in loaded.rules.rules), RULE),
        policy=Policy(
            remind_seconds=config.alerts.update_seconds,
            quiet_seconds=config.alerts.quiet_seconds,
            resolve_seconds=config.alerts.resolve_seconds,
            reopen_seconds=config.alerts.reopen_seconds,
            warn_seconds=config.alerts.due_warning_seconds,
        ),
    )


def run(
    settings: AlertSettings,
    kafka: Mapping[str, Any],
    beside: Callable[[CollectorRegistry], Callable[[], None]] = lambda _registry: lambda: None,
) -> None:
    """Run until SIGTERM or SIGINT. Raises KafkaProblem when another process has to go on.

    `beside` starts what runs in the same process and shows its numbers on the same page; it gives what stops that.
    """
    _make_topics(settings, kafka)
    metrics, health = AlertMetrics(settings.rules), Health()
    plane = Plane(settings, metrics)
    session_ms = int(settings.session_seconds * 1000)
    # A heartbeat was sent at most a quarter before, and the broker waits a session from there.
    lease = None if settings.transactional_id else Lease(settings.session_seconds * 2 / 3)
    writer = Writer(
        {
            # Java's partitioner, by which alerts were always laid: an episode stays in its partition.
            "partitioner": "murmur2_random",
            # Without a transaction nothing may arrive later than another process can have been given our partitions.
            **({} if settings.transactional_id else {"message.timeout.ms": session_ms * 2 // 3}),
            **kafka,
        },
        transactional_id=settings.transactional_id or None,
        last=(settings.episodes_topic, settings.totals_topic),
        before_send=(lambda: None) if lease is None else lease.check,
    )
    loop = AlertLoop(
        settings,
        plane,
        lambda self: Reader(
            {
                "session.timeout.ms": session_ms,
                "heartbeat.interval.ms": session_ms // 4,
                **kafka,
                "enable.partition.eof": True,
            },
            group=settings.app,
            topics=[settings.findings_topic],
            from_beginning=True,
            on_assigned=self.assigned,
            on_revoked=self.revoked,
            instance_id=settings.instance or None,
        ),
        Companion(kafka, settings.app),
        lambda self: TableReader(kafka, self.beat),
        writer,
        lease,
        health,
        metrics.failed_delivery,
    )
    server = MetricsServer(metrics, health, settings.http_host, settings.http_port)
    server.start()
    stop_beside = beside(metrics.registry)
    if lease is not None:
        lease.keep()
    stall = Stall((writer.call_seconds, CALL_SECONDS), (loop.turn_seconds, TURN_SECONDS))
    stall.start()
    on_stop(loop.stop)
    log.info("alert plane started", pages=f"http://{settings.http_host}:{server.port}")
    try:
        loop.run()
    finally:
        stall.stop()
        stop_beside()
        server.stop()
    log.info("alert plane stopped")


def _make_topics(settings: AlertSettings, kafka: Mapping[str, Any]) -> None:
    """Make the topics in which the plane remembers. Raises KafkaProblem."""
    made: dict[str, str] = {}
    for name, partitions in ((settings.episodes_topic, settings.partitions), (settings.totals_topic, 1)):
        topic = Topic(name, "episode key", Cleanup.COMPACT, -1, "What the alert plane remembers")
        made |= create_topics(kafka, [topic], partitions, settings.replication, _REMEMBERED)
    failed = [f"{name}: {outcome}" for name, outcome in made.items() if outcome not in {"created", "exists"}]
    if failed:
        raise KafkaProblem("; ".join(failed))
    have = describe(kafka).topics.get(settings.episodes_topic, settings.partitions)
    if have != settings.partitions:
        raise KafkaProblem(
            f"{settings.episodes_topic} has {have} partitions and the findings topic {settings.partitions}: "
            "episodes are remembered by partition, so both have to be made anew together (docs/operations.md, Topics and retention)"
        )
