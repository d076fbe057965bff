"""Fixtures that all tests share: one real broker for the session, fresh topics, and what the report says of it."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Any, NoReturn

import pytest

from tests.kafka.broker import Broker, Capabilities, Topics, create_topic, open_broker, unique_name
from tests.kafka.gateway import Gateway
from tests.kafka.jvm import Cluster
from tests.kafka.processes import Unavailable

_ALLOWED = "PRIVACY_MONITOR_ALLOW_NO_KAFKA"


@dataclass(slots=True)
class _Session:
    """What this run used, for its report."""

    broker: Broker | None = None
    failure: str = ""

    @property
    def told(self) -> tuple[str, ...]:
        """What the report says: a headline first where something was not tested."""
        broker = self.broker
        if self.failure:
            return ("Kafka: NOT TESTED", self.failure)
        if broker is None:
            return ("Kafka: not used by the tests that ran",)
        untested = ", ".join(broker.capabilities.missing())
        if broker.real:
            rest = f"all of its promises but {untested}" if untested else "all of its promises"
            return (f"Kafka: {broker.title()}; {rest} could be tested",)
        return (
            "Kafka: PROMISES NOT TESTED",
            f"This run used {broker.title()}, not Apache Kafka.",
            f"Not tested: {untested}, lag, kill and restart.",
            *(f"  {reason}" for reason in broker.passed_over),
        )


_SESSION = pytest.StashKey[_Session]()
_TOLD = pytest.StashKey[list[tuple[str, ...]]]()
_WORKERS_KEY = "kafka"


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_SESSION] = _Session()
    config.stash[_TOLD] = []
    config.pluginmanager.register(_FromWorkers())


class _FromWorkers:
    """What pytest-xdist's workers tell at their end: they used the brokers, and the report is made elsewhere."""

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        told = getattr(node, "workeroutput", {}).get(_WORKERS_KEY)
        if told:
            node.config.stash[_TOLD].append(tuple(told))


def pytest_sessionfinish(session: pytest.Session) -> None:
    config = session.config
    told = config.stash[_SESSION].told
    output = getattr(config, "workeroutput", None)
    if output is not None:
        output[_WORKERS_KEY] = told
    else:
        config.stash[_TOLD].append(told)


def pytest_report_header() -> str:
    return f"kafka: {_named() or 'started when the first test asks: Docker, else the JVM, else embedded'}"


@pytest.fixture(scope="session")
def kafka(pytestconfig: pytest.Config) -> Iterator[Broker]:
    """The one broker of this run, started when the first test asks for it."""
    session = pytestconfig.stash[_SESSION]
    try:
        broker = open_broker()
    except Unavailable as reason:
        session.failure = str(reason)
        if _named():
            pytest.fail(session.failure, pytrace=False)
        skip_or_fail(session.failure)
    session.broker = broker
    try:
        if not broker.real:
            _fail_in_ci(f"no real Apache Kafka ({'; '.join(broker.passed_over)})")
        yield broker
    finally:
        broker.stop()


@pytest.fixture
def topics(kafka: Broker) -> Topics:
    """A function that creates a topic of its own for this test and returns the name."""

    def create(name: str = "topic", partitions: int = 1, config: dict[str, str] | None = None) -> str:
        return create_topic(kafka.bootstrap, unique_name(name), partitions, config)

    return create


@pytest.fixture
def own_cluster() -> Iterator[Callable[[int], Cluster]]:
    """A function that starts Apache Kafka of one or three brokers for this test alone, to kill and restart."""
    started: list[Cluster] = []

    def start(size: int = 1) -> Cluster:
        try:
            started.append(Cluster(size))
        except Unavailable as reason:
            skip_or_fail(f"no Apache Kafka on the JVM that a test may kill: {reason}")
        return started[-1]

    yield start
    for cluster in started:
        cluster.stop()


@pytest.fixture
def gateway(kafka: Broker) -> Iterator[Gateway]:
    """A real nginx whose access log travels through rsyslog to a topic of its own."""
    if not kafka.real:
        skip_or_fail("rsyslog's librdkafka 2.0.2 cannot talk to the embedded broker")
    topic = create_topic(kafka.bootstrap, unique_name("gateway"))
    try:
        running = Gateway(kafka.bootstrap, topic)
    except Unavailable as reason:
        skip_or_fail(f"no nginx with rsyslog: {reason}")
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(autouse=True)
def _kafka_keeps_what_is_tested(request: pytest.FixtureRequest) -> None:
    """Skip a test marked `kafka("transactions", ...)` where the broker of this run lacks one of these promises."""
    names = [name for mark in request.node.iter_markers("kafka") for name in mark.args]
    if not names:
        return
    known = {field.name for field in fields(Capabilities)}
    if not known.issuperset(names):
        pytest.fail(f"unknown capability {sorted(set(names) - known)}; known are {sorted(known)}")
    broker: Broker = request.getfixturevalue("kafka")
    lacking = sorted(set(names).intersection(broker.capabilities.missing()))
    if lacking and broker.kind == "environment":
        pytest.skip(f"{broker.title()} is not set up to show in a test's time: {', '.join(lacking)}")
    if lacking:
        skip_or_fail(f"{broker.title()} does not keep: {', '.join(lacking)}")


def _named() -> str:
    """Return the brokers that the environment names: then no other is taken in their place."""
    return os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "").strip()


def skip_or_fail(reason: str) -> NoReturn:
    _fail_in_ci(reason)
    pytest.skip(reason)


def _fail_in_ci(reason: str) -> None:
    """Fail where nobody reads skips: in CI, unless it was allowed by name."""
    if os.environ.get("CI") == "true" and os.environ.get(_ALLOWED) != "1":
        pytest.fail(f"{reason}. CI=true wants it tested; {_ALLOWED}=1 allows to go on without.", pytrace=False)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    said = config.stash[_TOLD]
    told = dict.fromkeys(said)
    if len(told) > 1:
        told.pop(_Session().told, None)
    for first, *rest in told:
        if not rest:
            terminalreporter.line(first, green=True)
            continue
        terminalreporter.section(first, sep="!", red=True)
        for line in rest:
            terminalreporter.line(line)
