"""`privacy-monitor alerts`: the configuration in the alert plane's own words."""

import re
import socket
from collections.abc import Callable
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry

from alerts.app import run
from alerts.policy import Policy
from alerts.settings import AlertSettings
from alerts.volumes import RULE
from monitor.config import Config
from monitor.context import Loaded
from monitor.kafka import KafkaProblem, describe, require_topics
from monitor.logs import log, take_over_libraries
from monitor.minute_canary import MinuteCanary
from topics.catalog import ALERTS, FINDINGS, TRIAGE, VOLUMES

_TAKEN = {
    "security.protocol": "security_protocol",
    "sasl.mechanism": "sasl_mechanism",
    "sasl.mechanisms": "sasl_mechanism",
    "sasl.username": "sasl_username",
    "sasl.password": "sasl_password",
    "ssl.ca.location": "ssl_ca_file",
    "ssl.certificate.location": "ssl_certificate_file",
    "ssl.key.location": "ssl_key_file",
}
"""librdkafka's names for what the alert plane's own client (aiokafka) needs too."""


def keep_alerts(config: Config, loaded: Loaded, settings: dict[str, Any]) -> None:
    """Run the alert plane until SIGTERM. Raises KafkaProblem when the broker or a topic is not there."""
    take_over_libraries()
    cluster = require_topics(settings, [FINDINGS.name, ALERTS.name, VOLUMES.name])
    if cluster.topics[VOLUMES.name] != VOLUMES.partitions:
        raise KafkaProblem(
            f"{VOLUMES.name} has {cluster.topics[VOLUMES.name]} partitions and needs {VOLUMES.partitions}: the months of one "
            "recipient are added up in one place; make it anew with `privacy-monitor topics create`"
        )
    partitions = cluster.topics[FINDINGS.name]
    told = alert_settings(config, loaded, settings, partitions)
    triage = describe(settings).topics.get(TRIAGE.name)
    if triage == partitions:
        told = msgspec.structs.replace(told, triage_topic=TRIAGE.name)
    else:
        log.warning(
            "declarations are not read: the topic is missing, or has not as many partitions as the findings topic",
            topic=TRIAGE.name,
            partitions=triage,
            findings=partitions,
        )
    run(told, lambda registry: _beside(config, settings, registry))


def _beside(config: Config, settings: dict[str, Any], registry: CollectorRegistry) -> Callable[[], None]:
    """Start what runs beside the application, and give what stops it."""
    if not (config.canary and config.canary_seconds):
        return lambda: None
    group = f"{config.kafka.group}-canary"
    canary = MinuteCanary(settings, registry, group=group, every_seconds=config.canary_seconds)
    canary.start()
    return canary.stop


def alert_settings(config: Config, loaded: Loaded, settings: dict[str, Any], partitions: int) -> AlertSettings:
    """Translate the configuration."""
    access: dict[str, Any] = {ours: str(settings[theirs]) for theirs, ours in _TAKEN.items() if theirs in settings}
    if "security_protocol" in access:
        access["security_protocol"] = access["security_protocol"].upper()
        if access["security_protocol"] not in {"PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"}:
            raise KafkaProblem("security.protocol is none of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL")
    return AlertSettings(
        brokers=tuple(re.split(r"\s*,\s*", config.kafka.bootstrap_servers.strip())),
        app_id=config.alerts.app,
        instance_id=f"{config.alerts.app}-{socket.gethostname()}" if config.kafka.static_membership else "",
        partitions=partitions,
        replication=config.alerts.replication,
        idempotence=config.alerts.idempotence,
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
        **access,
    )
