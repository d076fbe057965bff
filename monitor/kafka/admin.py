"""What the broker says of itself, and the topics that we need there."""

import time
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic  # type: ignore[attr-defined]

from monitor.kafka.connection import ACCESS, Complaints, KafkaProblem, Settings, explain, make
from topics.catalog import Topic

_CONNECT_SECONDS = 5.0


class Cluster(NamedTuple):
    """What the broker says of itself."""

    cluster_id: str
    topics: Mapping[str, int]
    """Partitions by topic."""


def describe(settings: Settings, timeout_seconds: float = _CONNECT_SECONDS) -> Cluster:
    """Ask the broker for its id and topics. Raises KafkaProblem within the timeout."""
    complaints = Complaints()
    admin = make(AdminClient, {**settings, "error_cb": complaints, "log_level": 0})
    deadline = time.monotonic() + timeout_seconds
    while True:
        try:
            found = admin.list_topics(timeout=1.0)
        except KafkaException as error:
            admin.poll(0)
            refused = complaints.last is not None and complaints.last.code() in ACCESS
            if refused or time.monotonic() > deadline:
                raise KafkaProblem(explain(complaints.last or error.args[0], settings)) from None
        else:
            return Cluster(
                found.cluster_id or "unknown", {name: len(each.partitions) for name, each in found.topics.items()}
            )


def check_settings(settings: Settings) -> None:
    """Check the settings without a broker. Raises KafkaProblem."""
    make(AdminClient, {**settings, "log_level": 0})


def require_topics(settings: Settings, names: Iterable[str]) -> Cluster:
    """Check that topics exist. Raises KafkaProblem that names every absent one."""
    cluster = describe(settings)
    absent = sorted(set(names) - cluster.topics.keys())
    if absent:
        raise KafkaProblem(
            f"Kafka at {settings.get('bootstrap.servers')} has no topic {', '.join(absent)}; "
            "correct `sources`, or make the monitor's own with `privacy-monitor topics create`"
        )
    return cluster


def is_compacted(settings: Settings, topic: str) -> bool:
    """Tell whether a topic keeps only the last record of each key. False where we may not ask: its history is trusted."""
    admin = make(AdminClient, {**settings, "log_level": 0})
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
    try:
        told = admin.describe_configs([resource], request_timeout=_CONNECT_SECONDS)[resource].result()
    except KafkaException:
        return False
    policy = told.get("cleanup.policy")
    return policy is not None and "compact" in (policy.value or "").split(",")


def create_topics(
    settings: Settings,
    topics: Iterable[Topic],
    partitions: int,
    replication: int,
    configs: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, str]:
    """Create the topics that are missing, with these settings of the broker beside their own.

    Gives what became of each: `created`, `exists`, or what went wrong.
    """
    existing = describe(settings).topics
    wanted = list(topics)
    result = {each.name: "exists" for each in wanted if each.name in existing}
    if len(result) == len(wanted):
        return result
    admin = make(AdminClient, {**settings, "log_level": 0})
    futures = admin.create_topics(
        [
            NewTopic(
                each.name,
                num_partitions=each.partitions or partitions,
                replication_factor=replication,
                config={**each.configs(), **configs},
            )
            for each in wanted
            if each.name not in existing
        ],
        request_timeout=15.0,
    )
    for name, future in futures.items():
        try:
            future.result()
            result[name] = "created"
        except KafkaException as error:
            known = error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS
            result[name] = "exists" if known else f"failed: {error.args[0].str()}"
    return result
