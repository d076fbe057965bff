"""Agents of a shop's own on the findings topic: a Faust application whose `findings` gives folds, and nothing that is none.

`privacy-monitor agent` makes the application from the configuration and runs it; `docs/agents.md` has an example.
Faust promises at least once at best: exact counts are those of episodes (`alerts/plane.py`).
"""

import logging
import os
import re
import ssl
import threading
from collections.abc import Iterable, Mapping
from typing import Any, cast

import faust
import msgspec
from faust.exceptions import ValueDecodeError
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.types import TP

from alerts.episodes import checked
from topics.catalog import FINDINGS
from topics.finding import Fold

log = logging.getLogger("privacy_monitor.agent")

Stream = faust.StreamT
"""What an agent iterates over: `Stream[Fold]`."""

_PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
_ACCESS = {
    "security.protocol",
    "sasl.mechanism",
    "sasl.mechanisms",
    "sasl.username",
    "sasl.password",
    "ssl.ca.location",
    "ssl.certificate.location",
    "ssl.key.location",
    "ssl.key.password",
}
"""librdkafka's names for what is told to Faust's client (aiokafka) too."""
_SESSION_MS = 10_000
"""Faust's own is a minute: so long would nobody have the partitions of an agent that was killed."""
_STOP_SECONDS = 15.0


class AgentProblem(Exception):
    """An agent cannot run with what it was given."""


class FindingsApp(faust.App):
    """A Faust application on the findings topic. Agents are added to it as to any other: `@app.agent(app.findings)`."""

    findings: faust.TopicT
    """The findings topic; its values are folds that were checked, its keys bytes."""
    unreadable: int = 0
    """Records that were skipped because they are no folds."""

    def _create_directories(self) -> None:
        """Make none: tables are in memory and in their changelog, and the current folder may be read-only."""


def make_app(
    name: str,
    kafka: Mapping[str, Any],
    *,
    partitions: int,
    replication: int = 1,
    findings_topic: str = FINDINGS.name,
) -> FindingsApp:
    """Make an application. Nothing is contacted before it runs. Raises AgentProblem.

    `name` is its consumer group and begins the names of its own topics, which have that many `partitions` (of the findings
    topic) and copies (`replication`). `kafka` are settings in librdkafka's words.
    """
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,200}", name):
        raise AgentProblem("the name of an agent is made of letters, digits, `.`, `_` and `-`")
    session_seconds = float(kafka.get("session.timeout.ms", _SESSION_MS)) / 1000
    app = FindingsApp(
        name,
        broker=[f"aiokafka://{broker}" for broker in re.split(r"\s*,\s*", str(kafka["bootstrap.servers"]).strip())],
        broker_credentials=_credentials(kafka),
        broker_session_timeout=session_seconds,
        broker_request_timeout=max(90.0, session_seconds * 2),
        broker_heartbeat_interval=session_seconds / 3,
        consumer_auto_offset_reset="earliest",
        producer_acks=-1,
        store="memory://",
        table_standby_replicas=0,
        topic_partitions=partitions,
        topic_replication_factor=replication,
        topic_disable_leader=True,
        stream_recovery_delay=0.0,
        web_enabled=False,
        worker_redirect_stdouts=False,
        Topic=_Topic,
    )
    app.transport = _Transport(app.conf.broker_consumer, app)
    app.findings = app.topic(findings_topic, schema=_Folds(key_type=bytes, key_serializer="raw"))
    return app


def run(app: FindingsApp) -> bool:
    """Run until SIGTERM or SIGINT. False: Faust ended for a reason of its own, which the log tells.

    The process ends with 75 where the stop hangs: Faust waits without end for a broker that is away.
    """
    worker = faust.Worker(app, loglevel="WARNING", quiet=True, override_logging=False, redirect_stdouts=False)
    worker.spinner = None  # it would write cursor codes into the log
    last = threading.Timer(_STOP_SECONDS, os._exit, (os.EX_TEMPFAIL,))
    last.daemon = True

    async def begin_to_stop(*_: Any, **__: Any) -> None:
        last.start()

    app.on_before_shutdown.connect(begin_to_stop)
    try:
        worker.execute_from_commandline()
    except SystemExit as end:
        return not end.code
    finally:
        last.cancel()


class _Folds(faust.Schema[bytes, Fold]):
    """Decodes records of the findings topic."""

    _decoder = msgspec.json.Decoder(Fold)

    def loads_value(self, app: Any, message: Any, *, loads: Any = None, serializer: Any = None) -> Fold:
        del app, loads, serializer
        try:
            fold = self._decoder.decode(message.value or b"")
            checked(fold)
        except (ValueError, RecursionError) as error:
            # The text of an error can quote what was read.
            raise ValueDecodeError(type(error).__name__) from None
        return fold


class _Topic(faust.Topic):
    """A topic that passes over what cannot be read, where Faust would end the agent with the record's text in its log."""

    async def on_value_decode_error(self, exc: Exception, message: Any) -> None:
        cast("FindingsApp", self.app).unreadable += 1
        log.warning(
            "not readable, skipped: %s/%d/%d (%s)", message.topic, message.partition, message.offset, type(exc).__name__
        )

    on_key_decode_error = on_value_decode_error


class _Thread(AIOKafkaConsumerThread):
    """The consumer's thread, which never reads what a transaction took back."""

    def _create_worker_consumer(self, transport: Transport) -> Any:
        made = super()._create_worker_consumer(transport)
        # Faust sets the level only together with its own transactions; the fetcher reads it at start.
        made._isolation_level = "read_committed"  # noqa: SLF001 - no public way; a test with an aborted batch holds it
        return made


class _Consumer(Consumer):
    """A consumer whose partitions stay paused until Faust's queues are clear.

    Faust resumes them after a rebalance, then seeks, and then clears its queues: what came in between would be gone.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._held: set[TP] = set()

    def _new_consumer_thread(self) -> _Thread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)

    def pause_partitions(self, tps: Iterable[TP]) -> None:
        tps = set(tps)
        self._held -= tps
        super().pause_partitions(tps)

    def resume_partitions(self, tps: Iterable[TP]) -> None:
        changelogs = {tp for tp in tps if self._is_changelog_tp(tp)}
        self._held |= set(tps) - changelogs
        super().resume_partitions(changelogs)

    def resume_flow(self) -> None:
        held, self._held = self._held, set()
        super().resume_partitions(held)
        super().resume_flow()


class _Transport(Transport):
    Consumer = _Consumer


def _credentials(kafka: Mapping[str, Any]) -> faust.auth.Credentials | None:
    protocol = str(kafka.get("security.protocol", "PLAINTEXT")).upper()
    if protocol not in _PROTOCOLS:
        raise AgentProblem(f"kafka.client: security.protocol is none of {', '.join(_PROTOCOLS)}")
    unknown = sorted(name for name in kafka if name.startswith(("ssl.", "sasl.")) and name not in _ACCESS)
    if unknown:
        raise AgentProblem(f"kafka.client: agents know no {', '.join(unknown)}; they know {', '.join(sorted(_ACCESS))}")
    context = _context(kafka) if protocol.endswith("SSL") else None
    if protocol.startswith("SASL"):
        mechanism = str(kafka.get("sasl.mechanism", kafka.get("sasl.mechanisms", "")))
        if mechanism not in _MECHANISMS:
            raise AgentProblem(f"kafka.client: sasl.mechanism of an agent is one of {', '.join(_MECHANISMS)}")
        return faust.SASLCredentials(
            username=str(kafka.get("sasl.username", "")),
            password=str(kafka.get("sasl.password", "")),
            mechanism=mechanism,
            ssl_context=context,
        )
    return faust.SSLCredentials(context) if context is not None else None


def _context(kafka: Mapping[str, Any]) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=kafka.get("ssl.ca.location"))
        if "ssl.certificate.location" in kafka:
            context.load_cert_chain(
                kafka["ssl.certificate.location"],
                kafka.get("ssl.key.location"),
                # A password that is not there must not be asked for on a terminal.
                password=str(kafka.get("ssl.key.password", "")),
            )
    except (OSError, ssl.SSLError) as error:
        raise AgentProblem(f"kafka.client: certificates cannot be read ({error.strerror or error})") from None
    return context
