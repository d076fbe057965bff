"""`privacy-monitor alerts`: the configuration in the alert plane's own words."""

import re
import socket
from typing import Any

from alerts.app import run
from alerts.episodes import Policy
from alerts.settings import AlertSettings
from alerts.volumes import RULE
from monitor.config import Config
from monitor.context import Loaded
from monitor.kafka import KafkaProblem, require_topics
from monitor.logs import take_over_libraries
from topics.catalog import ALERTS, FINDINGS, VOLUMES

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
    run(alert_settings(config, loaded, settings, cluster.topics[FINDINGS.name]))


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
        http_host=config.http.host,
        http_port=config.alerts.port,
        rules=(*(rule.written.id for rule in loaded.rules.rules), RULE),
        policy=Policy(
            remind_seconds=config.alerts.update_seconds,
            quiet_seconds=config.alerts.quiet_seconds,
            resolve_seconds=config.alerts.resolve_seconds,
        ),
        **access,
    )
