"""The Faust application that carries the episodes: topics in, table with changelog, alerts out.

It promises exact counts over crashes, with at-least-once delivery underneath:

1. Marks and counts of an episode are one table value, so one changelog record holds both or neither.
2. An alert is acknowledged by the broker before the table value that follows from it is written.
   A crash in between tells it again, with the same id; nothing that the changelog knows was left untold.
3. An offset is committed only when every changelog record and alert sent so far is acknowledged (`Outbox`).
   A crash before that reads the folds again, and the marks drop what was counted.
4. A fold whose handling ended early is never committed, although Faust acknowledges it (`Outbox.begin`).
"""

import asyncio
import logging
import ssl
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, cast

import faust
import msgspec
from aiokafka.errors import IllegalStateError  # type: ignore[import-untyped]
from faust.exceptions import ProducerSendError
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.types import TP, EventT

from alerts import cloudevents
from alerts.episodes import Episode, is_forgettable, key_of, step, tick
from alerts.metrics import AlertMetrics, Health, MetricsServer
from alerts.outbox import Outbox
from alerts.register import Register
from alerts.sequence import Sequence
from alerts.settings import AlertSettings
from topics.alert import Alert
from topics.finding import Fold

log = logging.getLogger("privacy_monitor.alerts")

_ACKNOWLEDGE_SECONDS = 30.0
_TICKS_RETENTION_SECONDS = 3600.0


class AlertApp(faust.App):
    """The Faust application with its outbox and its watch over lost records."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.outbox = Outbox()
        self.sequence = Sequence()


class _Thread(AIOKafkaConsumerThread):
    """The consumer's thread, which never reads what a transaction took back."""

    def _create_worker_consumer(self, transport: Transport) -> Any:
        made = super()._create_worker_consumer(transport)
        # Faust sets the level only together with its own transactions; the fetcher reads it at start.
        made._isolation_level = "read_committed"  # noqa: SLF001 - no public way; a test with an aborted batch holds it
        return made


class _Consumer(Consumer):
    """A consumer that commits only behind acknowledged changelog records and alerts.

    Faust resumes the source partitions after recovery, then seeks, and then clears its queues: what was delivered in
    between is gone, and later records follow. Here the partitions stay paused until the queues are clear.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._held: set[TP] = set()
        deliver, sequence = self.callback, cast("AlertApp", self.app).sequence

        async def watched(message: Any) -> None:
            if not self._is_changelog_tp(message.tp):
                sequence.deliver(message.tp, message.offset)
            await deliver(message)

        self.callback = watched

    def pause_partitions(self, tps: Iterable[TP]) -> None:
        tps = set(tps)
        self._held -= tps
        cast("AlertApp", self.app).sequence.reset(tps)
        super().pause_partitions(tps)

    def resume_partitions(self, tps: Iterable[TP]) -> None:
        tps = set(tps)
        changelogs = {tp for tp in tps if self._is_changelog_tp(tp)}
        self._held |= tps - changelogs
        super().resume_partitions(changelogs)

    def resume_flow(self) -> None:
        held, self._held = self._held, set()
        super().resume_partitions(held)
        super().resume_flow()

    def _new_consumer_thread(self) -> _Thread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)

    async def _commit_offsets(self, offsets: Mapping[TP, int], start_new_transaction: bool = True) -> bool:  # noqa: FBT001, FBT002 - Faust's signature
        outbox = cast("AlertApp", self.app).outbox
        offsets = outbox.committable(offsets)
        if not offsets:
            return False
        try:
            await outbox.delivered()
        except Exception as error:  # noqa: BLE001 - whatever it was: not delivered is not committed
            await self.app.crash(error)
            return False
        return bool(await super()._commit_offsets(offsets, start_new_transaction))


class _Transport(Transport):
    Consumer = _Consumer


class _Table(faust.Table[bytes, bytes]):
    """A table that remembers which of its changelog records are on their way."""

    def send_changelog(self, *args: Any, **kwargs: Any) -> Any:
        sent = super().send_changelog(*args, **kwargs)
        cast("AlertApp", self.app).outbox.add(sent)
        return sent


class _Desk:
    """Handles one record at a time: folds and ticks of one process never interleave."""

    def __init__(self, app: AlertApp, settings: AlertSettings, metrics: AlertMetrics) -> None:
        self._app = app
        self._settings = settings
        self._metrics = metrics
        self._lock = asyncio.Lock()
        self._newest: dict[int, float] = {}
        self._read = msgspec.json.Decoder(Fold)
        self._write = msgspec.json.Encoder()
        raw: dict[str, Any] = dict.fromkeys(("key_type", "value_type"), bytes)
        raw |= dict.fromkeys(("key_serializer", "value_serializer"), "raw")
        self.findings = app.topic(settings.findings_topic, **raw)
        self.ticks = app.topic(
            f"{settings.app_id}-ticks",
            partitions=settings.partitions,
            replicas=settings.replication,
            retention=_TICKS_RETENTION_SECONDS,
            deleting=True,
            internal=True,
            **raw,
        )
        self.alerts = app.topic(settings.alerts_topic, **raw)
        table = app.Table(
            "episodes",
            key_type=bytes,
            value_type=bytes,
            partitions=settings.partitions,
            on_changelog_event=self._recovered,
        )
        self._register = Register(table)

    async def on_fold(self, event: EventT[Any]) -> None:
        """Count one record of the findings topic."""
        began = time.perf_counter()
        message = event.message
        at_ms = int(message.timestamp * 1000)
        self._newest[message.partition] = message.timestamp
        try:
            fold = self._read.decode(message.value or b"")
            key = key_of(fold).encode()
        except (ValueError, RecursionError) as error:
            self._skip(event, error)
            return
        before = self._register.get(key)
        try:
            after, alerts = step(before, fold, at_ms, self._settings.policy)
        except ValueError as error:
            self._skip(event, error)
            return
        if after is not before:
            await self._save(key, message.partition, after, alerts)
        known = before.findings if before is not None and before.episode_id == after.episode_id else 0
        self._metrics.fold(fold, after.findings - known, at_ms, time.perf_counter() - began)

    def _skip(self, event: EventT[Any], error: Exception) -> None:
        # The text of an error can quote what was read: the position and the kind are enough.
        at = event.message
        log.warning(
            "skipped a record that is no fold: %s/%d/%d, %s", at.topic, at.partition, at.offset, type(error).__name__
        )
        self._metrics.unreadable()

    async def on_tick(self, event: EventT[Any]) -> None:
        """Let time pass for the episodes of one partition."""
        partition = event.message.partition
        now_ms = await self._settled_ms(partition)
        if now_ms is None:
            return
        policy = self._settings.policy
        for key, before in self._register.of(partition):
            if is_forgettable(before, now_ms, policy):
                self._register.forget(key, partition)
                continue
            after, alerts = tick(before, now_ms, policy)
            if after is not before:
                await self._save(key, partition, after, alerts)
        self._metrics.open_episodes(partition, (episode for _, episode in self._register.of(partition)))

    async def send_ticks(self) -> None:
        """Send a tick to each partition that is ours."""
        ours = [tp.partition for tp in self._app.consumer.assignment() if tp.topic == self._settings.findings_topic]
        self._metrics.keep_partitions(ours)
        for partition in ours:
            try:
                await self.ticks.send(key=None, value=b"tick", partition=partition)
            except ProducerSendError as error:
                log.warning("no tick for partition %d: %s", partition, error)

    async def guarded(self, event: EventT[Any], handle: Callable[[EventT[Any]], Awaitable[None]]) -> None:
        """Handle a record; what ends early stays uncommitted and stops the program."""
        message = event.message
        async with self._lock:
            self._app.outbox.begin(message.tp, message.offset)
            try:
                self._app.sequence.handle(message.tp, message.offset)
                await handle(event)
            except Exception as error:
                log.exception("stopped at %s/%d/%d", message.topic, message.partition, message.offset)
                await self._app.crash(error)
                raise
            self._app.outbox.finish(message.tp, message.offset)

    async def _settled_ms(self, partition: int) -> int | None:
        # A fold that waits to be read must not find its episode quiet. When all is read, now is now; otherwise time
        # has come as far as the newest fold that was read, as those behind it are younger.
        tp = TP(self._settings.findings_topic, partition)
        consumer = self._app.consumer
        try:
            end = consumer.highwater(tp)
            position = await consumer.position(tp)
        except IllegalStateError:
            return None  # the partition is just leaving us
        if end is not None and position is not None and position >= end and self.findings_waiting() == 0:
            return int(time.time() * 1000)
        newest = self._newest.get(partition)
        return None if newest is None else int(newest * 1000)

    def findings_waiting(self) -> int:
        """Give how many records of the findings topic were fetched and not yet handled."""
        return sum(1 for message in self._app.consumer.unacked if message.topic == self._settings.findings_topic)

    async def _save(self, key: bytes, partition: int, episode: Episode, alerts: list[Alert]) -> None:
        for alert in alerts:
            sent: Awaitable[Any] = await self.alerts.send(
                key=key, value=self._write.encode(alert), headers=cloudevents.headers(alert)
            )
            await asyncio.wait_for(sent, _ACKNOWLEDGE_SECONDS)
            self._metrics.alert(alert)
        self._register.put(key, partition, episode)

    async def _recovered(self, event: EventT[Any]) -> None:
        self._register.recovered(event.message.key or b"", event.message.partition)


def make_app(settings: AlertSettings) -> AlertApp:
    """Make the application. Nothing is contacted before it runs."""
    app = AlertApp(
        settings.app_id,
        broker=[f"aiokafka://{broker}" for broker in settings.brokers],
        broker_credentials=_credentials(settings),
        broker_session_timeout=settings.session_timeout_seconds,
        broker_heartbeat_interval=settings.session_timeout_seconds / 3,
        broker_commit_interval=settings.commit_seconds,
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=settings.instance_id or None,
        producer_acks=-1,
        store="memory://",
        datadir=settings.table_folder or None,
        table_standby_replicas=0,
        topic_partitions=settings.partitions,
        topic_replication_factor=settings.replication,
        topic_disable_leader=True,
        stream_recovery_delay=0.0,
        web_enabled=False,
        worker_redirect_stdouts=False,
        Table=_Table,
    )
    app.transport = _Transport(app.conf.broker_consumer, app)
    metrics = AlertMetrics(settings.rules)
    health = Health()
    server = MetricsServer(metrics, health, settings.http_host, settings.http_port)
    desk = _Desk(app, settings, metrics)

    @app.agent(desk.findings, name="folds")
    async def folds(stream: Any) -> None:
        async for event in stream.events():
            await desk.guarded(event, desk.on_fold)

    @app.agent(desk.ticks, name="ticks")
    async def ticks(stream: Any) -> None:
        async for event in stream.events():
            await desk.guarded(event, desk.on_tick)

    @app.timer(settings.tick_seconds)  # type: ignore[untyped-decorator]
    async def clock() -> None:
        health.beat()
        health.ready = bool(app.tables.actives_ready) and not app.rebalancing
        if health.ready:
            await desk.send_ticks()

    @app.task()  # type: ignore[untyped-decorator]
    async def serve() -> None:
        server.start()
        log.info("metrics on http://%s:%d/metrics", settings.http_host, server.port)

    @app.on_before_shutdown.connect
    async def close(*_: Any, **__: Any) -> None:
        health.ready = False
        server.stop()

    return app


def run(settings: AlertSettings) -> None:
    """Run until SIGTERM or SIGINT. Ends the process by SystemExit."""
    app = make_app(settings)
    worker = faust.Worker(app, loglevel="WARNING", quiet=True, override_logging=False, redirect_stdouts=False)
    worker.execute_from_commandline()


def _credentials(settings: AlertSettings) -> faust.auth.Credentials | None:
    context = None
    if settings.security_protocol.endswith("SSL"):
        context = ssl.create_default_context(cafile=settings.ssl_ca_file or None)
        if settings.ssl_certificate_file:
            context.load_cert_chain(settings.ssl_certificate_file, settings.ssl_key_file or None)
    if settings.security_protocol.startswith("SASL"):
        return faust.SASLCredentials(
            username=settings.sasl_username,
            password=settings.sasl_password,
            mechanism=settings.sasl_mechanism,
            ssl_context=context,
        )
    return faust.SSLCredentials(context) if context is not None else None
