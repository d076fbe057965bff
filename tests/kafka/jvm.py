"""Apache Kafka (KRaft) on the JVM of this machine, one broker or three, for tests that kill it."""

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from tests.kafka.certificates import Authority, make_authority
from tests.kafka.processes import Process, Unavailable, fetch_once, free_ports, run, spawn, stop, wait_until
from tests.kafka.proxy import Proxy

_POM = Path(__file__).with_name("pom.xml")
_FLAGS = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-Xshare:auto")
# slf4j-simple writes to standard error, which is the log file of the process.
_LOGGING = ("-Dorg.slf4j.simpleLogger.showDateTime=true", "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS")
_STARTED = b"Kafka Server started"
_CLUSTER_ID = "cHJpdmFjeS1tb25pdG9yMQ"


def kafka_version() -> str:
    """Return the version of Apache Kafka that the committed pom.xml names."""
    found = re.search(r"<kafka\.version>([^<]+)</kafka\.version>", _POM.read_text(encoding="utf-8"))
    if found is None:
        raise Unavailable(f"{_POM} names no kafka.version")
    return found.group(1)


def java() -> str:
    """Return the command of a Java 17 or newer, from JAVA_HOME or the path."""
    home = os.environ.get("JAVA_HOME")
    at_home = Path(home, "bin", "java") if home else None
    command = str(at_home) if at_home and at_home.exists() else shutil.which("java")
    if command is None:
        raise Unavailable("no java on the path (Apache Kafka 4 needs Java 17 or newer)")
    properties = subprocess.run(
        [command, "-XshowSettings:properties", "-version"], check=False, capture_output=True, text=True, timeout=30
    ).stderr
    found = re.search(r"java\.specification\.version = (\d+)", properties)
    if found is None or int(found.group(1)) < 17:
        raise Unavailable(f"{command} is older than Java 17, which Apache Kafka 4 needs")
    return command


def kafka_jars() -> Path:
    """Return the folder with Apache Kafka's jars; Maven fetches them once per machine (about 45 MB)."""
    digest = hashlib.sha256(_POM.read_bytes()).hexdigest()[:8]
    return fetch_once(f"kafka-{kafka_version()}-{digest}", _fetch_jars)


def _fetch_jars(folder: Path) -> None:
    goal = "dependency:copy-dependencies"
    options = ["-DincludeScope=runtime", f"-DoutputDirectory={folder}"]
    run(["mvn", "-q", "-B", "-ntp", "-f", str(_POM), goal, *options], seconds=240)


def fast_settings(replicas: int) -> dict[str, str]:
    """Return broker settings for tests: quick group joins, quick retention and compaction, short sessions allowed."""
    in_sync = str(min(replicas, 2))
    copies = str(replicas)
    return {
        "auto.create.topics.enable": "false",
        "default.replication.factor": copies,
        "min.insync.replicas": in_sync,
        "offsets.topic.replication.factor": copies,
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": in_sync,
        "transaction.state.log.num.partitions": "4",
        "share.coordinator.state.topic.replication.factor": copies,
        "share.coordinator.state.topic.min.isr": in_sync,
        "group.initial.rebalance.delay.ms": "0",
        "group.min.session.timeout.ms": "1000",
        "broker.session.timeout.ms": "3000",
        "broker.heartbeat.interval.ms": "500",
        "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
        "log.initial.task.delay.ms": "500",
        "log.retention.check.interval.ms": "1000",
        "log.segment.delete.delay.ms": "1000",
        "log.cleaner.backoff.ms": "500",
        "log.cleaner.dedupe.buffer.size": "16777216",
        "message.max.bytes": "2097152",
    }


@dataclass(slots=True)
class Node:
    """One broker that is also a controller; it keeps its folder and ports over kill and restart."""

    id: int
    port: int
    folder: Path
    command: list[str]
    process: Process | None = field(default=None)

    starts: int = field(default=0)

    def start(self) -> None:
        """Start the broker and return at once; each start has its own log file."""
        self.starts += 1
        self.process = spawn(f"kafka-{self.id}", self.command, self.folder / f"broker-{self.starts}.log")

    def started(self) -> bool:
        """Say whether the last start is complete; the cluster's word is not enough, for it misses a death for seconds."""
        return self.process is not None and _STARTED in self.process.log.read_bytes()

    def kill(self) -> None:
        """Kill the broker as by `kill -9`."""
        if self.process is not None:
            self.process.kill()


class Cluster:
    """Apache Kafka brokers on 127.0.0.1 with data in a temporary folder; stop it, or use it in a with statement."""

    def __init__(
        self,
        size: int = 1,
        users: Mapping[str, str] | None = None,
        *,
        encrypted: bool = False,
        rights: bool = False,
        proxied: bool = False,
    ) -> None:
        """Start brokers and wait until all of them are part of the cluster.

        When `proxied`, each broker has another listener, which is reached only through a proxy of the tests: whoever
        connects by `proxied` can be cut off from a broker, and the brokers not from each other.
        With `rights`, `users` may do only what an ACL allows them, and whoever comes by `bootstrap` may do everything.
        With `users` (name to password) each broker has a second listener, which asks for them by SASL/PLAIN; when
        `encrypted`, by SASL/SCRAM-SHA-512 over TLS, with a certificate of the cluster's own `authority`.

        Raises:
            Unavailable: no Java 17, no Maven to fetch Kafka, or the brokers did not come up.
        """
        self.version = kafka_version()
        self._java = java()
        self._jars = kafka_jars()
        self._folder = Path(tempfile.mkdtemp(prefix="kafka-for-tests-"))
        self._users = dict(users or {})
        self._rights = rights
        self._guarded: list[int] = []
        self._heap = "-Xmx512m" if size == 1 else "-Xmx256m"
        self.proxies: list[Proxy] = []
        """One for each node, in their order."""
        self.authority: Authority | None = make_authority() if encrypted else None
        self.nodes: list[Node] = []
        try:
            self._start(size, proxied=proxied)
        except BaseException:
            self.stop()
            raise

    @property
    def bootstrap(self) -> str:
        return ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)

    @property
    def guarded(self) -> str:
        """The listeners that ask for a password."""
        return ",".join(f"127.0.0.1:{port}" for port in self._guarded)

    @property
    def proxied(self) -> str:
        """The listeners behind proxies."""
        return ",".join(f"127.0.0.1:{proxy.port}" for proxy in self.proxies)

    def wait_ready(self, seconds: float = 60.0) -> None:
        """Wait until every broker that was started and not killed is a member of the cluster."""
        up = [node for node in self.nodes if node.process and node.process.alive()]
        started = [node.process for node in up if node.process]
        with self._admin() as admin:

            def ready() -> bool:
                return all(node.started() for node in up) and self._members(admin) >= len(up)

            if wait_until(ready, seconds, started):
                return
        tails = "\n".join(f"--- {process.name}\n{process.tail()}" for process in started)
        raise Unavailable(f"Apache Kafka {self.version} was not ready within {seconds:g} s\n{tails}")

    def restart(self, node: Node, seconds: float = 60.0) -> None:
        """Start a killed broker again on its old folder and ports, and wait until it is back."""
        node.start()
        self.wait_ready(seconds)

    def stop(self) -> None:
        """Stop all brokers and remove their data."""
        # Three brokers that stop together wait for each other in vain; their data is not needed any more.
        stop((node.process for node in self.nodes if node.process), seconds=1.0)
        for proxy in self.proxies:
            proxy.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def _start(self, size: int, *, proxied: bool) -> None:
        ports = free_ports(2 * size)
        voters = ",".join(f"{i + 1}@127.0.0.1:{ports[2 * i + 1]}" for i in range(size))
        self._guarded = free_ports(size) if self._users else []
        if proxied:
            hidden = free_ports(2 * size)
            self.proxies = [Proxy(hidden[2 * i], hidden[2 * i + 1]) for i in range(size)]
        self.nodes = [self._node(i + 1, ports[2 * i], ports[2 * i + 1], voters, size) for i in range(size)]
        self._format()
        for node in self.nodes:
            node.start()
        self.wait_ready()

    def _node(self, node_id: int, port: int, controller_port: int, voters: str, size: int) -> Node:
        folder = self._folder / f"node-{node_id}"
        folder.mkdir()
        settings = {
            "process.roles": "broker,controller",
            "node.id": str(node_id),
            "controller.quorum.voters": voters,
            "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
            "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "PLAINTEXT",
            "log.dirs": str(folder / "data"),
            **fast_settings(size),
        }
        if self.proxies:
            proxy = self.proxies[node_id - 1]
            settings["listeners"] += f",PROXIED://127.0.0.1:{proxy.to}"
            settings["advertised.listeners"] += f",PROXIED://127.0.0.1:{proxy.port}"
            settings["listener.security.protocol.map"] += ",PROXIED:PLAINTEXT"
        if self._users:
            self._guard(settings, self._guarded[node_id - 1])
        if self._rights:
            settings["authorizer.class.name"] = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
            settings["super.users"] = "User:ANONYMOUS"
        properties = folder / "server.properties"
        properties.write_text("".join(f"{key}={value}\n" for key, value in settings.items()), encoding="utf-8")
        return Node(node_id, port, folder, self._class("kafka.Kafka", str(properties)))

    def _guard(self, settings: dict[str, str], port: int) -> None:
        for key in ("listeners", "advertised.listeners"):
            settings[key] += f",GUARDED://127.0.0.1:{port}"
        if self.authority is not None:
            settings["listener.security.protocol.map"] += ",GUARDED:SASL_SSL"
            settings["sasl.enabled.mechanisms"] = "SCRAM-SHA-512"
            module = "org.apache.kafka.common.security.scram.ScramLoginModule"
            settings["listener.name.guarded.scram-sha-512.sasl.jaas.config"] = f"{module} required;"
            settings["listener.name.guarded.ssl.keystore.type"] = "PEM"
            # A properties file takes a text of several lines with its line ends written out.
            for part, pem in (("certificate.chain", self.authority.certificate), ("key", self.authority.key)):
                settings[f"listener.name.guarded.ssl.keystore.{part}"] = pem.replace("\n", "\\n")
            return
        known = " ".join(f'user_{name}="{password}"' for name, password in self._users.items())
        module = "org.apache.kafka.common.security.plain.PlainLoginModule"
        settings["listener.security.protocol.map"] += ",GUARDED:SASL_PLAINTEXT"
        settings["sasl.enabled.mechanisms"] = "PLAIN"
        settings["listener.name.guarded.plain.sasl.jaas.config"] = f"{module} required {known};"

    def _format(self) -> None:
        tool: tuple[str, ...] = ("kafka.tools.StorageTool", "format", "--cluster-id", _CLUSTER_ID)
        if self.authority is not None:
            for name, password in self._users.items():
                tool += ("--add-scram", f'SCRAM-SHA-512=[name="{name}",password="{password}"]')
        tool += ("--config",)
        running = [
            spawn("format", self._class(*tool, str(node.folder / "server.properties")), node.folder / "format.log")
            for node in self.nodes
        ]
        if not wait_until(lambda: not any(process.alive() for process in running), seconds=60):
            stop(running)
        for process in running:
            if process.child.wait() != 0:
                raise Unavailable(f"Kafka's storage could not be formatted\n{process.tail()}")

    def _class(self, name: str, *arguments: str) -> list[str]:
        return [self._java, self._heap, *_FLAGS, *_LOGGING, "-cp", f"{self._jars}/*", name, *arguments]

    @contextlib.contextmanager
    def _admin(self) -> Iterator[AdminClient]:
        # Refused connections are expected while brokers start; the client would print each of them.
        yield AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0, "reconnect.backoff.max.ms": 200})

    @staticmethod
    def _members(admin: AdminClient) -> int:
        try:
            return len(admin.list_topics(timeout=1.0).brokers)
        except KafkaException:
            return 0
