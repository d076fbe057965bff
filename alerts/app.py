"""The Faust application that carries the episodes: topics in, table with changelog, alerts out.

It promises exact counts over crashes, with at-least-once delivery underneath:

1. Marks and counts of an episode are one table value, so one changelog record holds both or neither.
2. An alert is acknowledged by the broker before the table value that follows from it is written.
   A crash in between tells it again, with the same id; nothing that the changelog knows was left untold.
3. An offset is committed only when every changelog record and alert sent so far is acknowledged (`Outbox`).
   A crash before that reads the folds again, and the marks drop what was counted.
4. A fold whose handling ended early is never committed, although Faust acknowledges it (`Outbox.begin`).
5. A process that stood still until its partitions may be somebody else's writes nothing any more (`Lease`).
6. A process that has records and handles none ends, and its supervisor starts it at the committed offset (`Progress`).
"""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping
from typing import Any, cast

import faust
from aiokafka.errors import IllegalStateError, KafkaError  # type: ignore[import-untyped]
from faust.exceptions import ProducerSendError
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Producer, Transport
from faust.types import TP, EventT
from prometheus_client import CollectorRegistry

from alerts.desk import Desk, Position
from alerts.lease import Lease
from alerts.metrics import AlertMetrics, Health, MetricsServer
from alerts.outbox import Outbox
from alerts.progress import Progress
from alerts.register import Register
from alerts.sequence import Sequence
from alerts.settings import AlertSettings
from alerts.totals import Totals

log = logging.getLogger("privacy_monitor.alerts")

_ACKNOWLEDGE_SECONDS = 30.0
_TICKS_RETENTION_SECONDS = 3600.0
# Recovery reads the changelog from its beginning: small segments and an eager cleaner keep that short.
_CHANGELOG_CONFIGS = {"segment.bytes": 16_777_216, "segment.ms": 600_000, "min.cleanable.dirty.ratio": 0.1}


class AlertApp(faust.App):
    """The Faust application with its outbox, its lease and its watch over lost records."""

    def __init__(
        self, *args: Any, lease_seconds: float, stall_seconds: float, idempotence: bool, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.idempotence = idempotence
        self.outbox = Outbox()
        self.sequence = Sequence()
        self.lease = Lease(lease_seconds)
        self.progress = Progress(stall_seconds)
        self._turn_seconds = lease_seconds / 8
        self.registry = CollectorRegistry()

    def _create_directories(self) -> None:
        """Make none: the tables are in memory and in their changelog, and the current folder may be read-only."""

    @faust.Service.task
    async def _turn(self) -> None:
        while not self.should_stop:
            self.lease.check()
            await self.sleep(self._turn_seconds)


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

    async def seek_to_committed(self) -> Mapping[TP, int]:
        committed: Mapping[TP, int] = await super().seek_to_committed()
        # aiokafka leaves a partition without a commit where it stands: behind what was fetched during the rebalance,
        # which Faust has dropped.
        never = [tp for tp, offset in committed.items() if not offset and not self._is_changelog_tp(tp)]
        if never:
            await self._thread.seek_to_beginning(*never)
        return committed

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


class _Producer(Producer):
    """A producer whose every request asks the lease, and which the broker keeps from writing a batch twice if it can."""

    def _settings_extra(self) -> Mapping[str, Any]:
        return {"acks": "all", "enable_idempotence": cast("AlertApp", self.app).idempotence}

    def _new_producer(self, transactional_id: str | None = None) -> Any:
        made = super()._new_producer(transactional_id)
        send, lease = made.client.send, cast("AlertApp", self.app).lease

        async def held(*args: Any, **kwargs: Any) -> Any:
            lease.check()
            return await send(*args, **kwargs)

        made.client.send = held
        return made


class _Transport(Transport):
    Consumer = _Consumer
    Producer = _Producer


class _Table(faust.Table[bytes, bytes]):
    """A table that remembers which of its changelog records are on their way."""

    def send_changelog(self, *args: Any, **kwargs: Any) -> Any:
        sent = super().send_changelog(*args, **kwargs)
        cast("AlertApp", self.app).outbox.add(sent)
        return sent


class _Desk:
    """The desk with Faust's topics, table and events around it."""

    def __init__(self, app: AlertApp, settings: AlertSettings, metrics: AlertMetrics) -> None:
        self._app = app
        self._settings = settings
        self._metrics = metrics
        self._lock = asyncio.Lock()
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
        self._alerts = app.topic(settings.alerts_topic, **raw)
        table = app.Table(
            "episodes",
            key_type=bytes,
            value_type=bytes,
            partitions=settings.partitions,
            on_changelog_event=self._recovered,
            extra_topic_configs=_CHANGELOG_CONFIGS,
        )
        self.volumes = app.topic(settings.volumes_topic, **raw)
        totals = app.Table(
            "totals", key_type=bytes, value_type=bytes, partitions=1, extra_topic_configs=_CHANGELOG_CONFIGS
        )
        self.triage = app.topic(settings.triage_topic, **raw) if settings.triage_topic else None
        self._totals = Totals(totals, metrics, self._publish_finding)
        self._register = Register(table)
        self._desk = Desk(settings.policy, self._register, metrics, self._publish)

    async def on_fold(self, event: EventT[Any]) -> None:
        at = event.message
        await self._desk.fold(Position(at.topic, at.partition, at.offset, int(at.timestamp * 1000)), at.value)

    async def on_volume(self, event: EventT[Any]) -> None:
        at = event.message
        await self._totals.volume(Position(at.topic, at.partition, at.offset, int(at.timestamp * 1000)), at.value)

    async def on_declaration(self, event: EventT[Any]) -> None:
        at = event.message
        await self._desk.declare(Position(at.topic, at.partition, at.offset, int(at.timestamp * 1000)), at.value)

    async def on_tick(self, event: EventT[Any]) -> None:
        partition = event.message.partition
        try:
            all_read = await self._all_read(TP(self._settings.findings_topic, partition))
        except IllegalStateError:
            return  # the partition is just leaving us
        await self._desk.tick(partition, all_read=all_read)

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
        """Handle a record alone; what ends early stays uncommitted and stops the program."""
        at = event.message
        async with self._lock:
            self._app.lease.check()
            self._app.outbox.begin(at.tp, at.offset)
            try:
                self._app.sequence.handle(at.tp, at.offset)
                await handle(event)
            except Exception as error:
                log.exception("stopped at %s/%d/%d", at.topic, at.partition, at.offset)
                await self._app.crash(error)
                raise
            self._app.outbox.finish(at.tp, at.offset)
            self._app.progress.handled(at.tp)

    async def look_at_progress(self) -> None:
        """Compare what is to be handled with what the broker has; end the process if a partition stands."""
        consumer = self._app.consumer
        waiting: dict[Hashable, tuple[int, int]] = {}
        ours = [tp for tp in consumer.assignment() if tp.topic == self._settings.findings_topic]
        try:
            for tp, end in (await consumer.highwaters(*ours)).items() if ours else ():
                # Markers of transactions are passed by the position and never delivered.
                delivered = self._app.sequence.first(tp)
                waiting[tp] = ((await consumer.position(tp) or 0) if delivered is None else delivered, end)
        except (KafkaError, TimeoutError):
            waiting.clear()  # the broker cannot be reached, or the partitions are just moving
        self._app.progress.look(waiting, self._metrics.stalled)

    async def _all_read(self, tp: TP) -> bool:
        consumer = self._app.consumer
        end = consumer.highwater(tp)
        position = await consumer.position(tp)
        if end is None or position is None or position < end:
            return False
        # What was fetched and waits in a queue is not read yet.
        return all(message.topic != tp.topic for message in consumer.unacked)

    async def _publish(self, key: bytes, value: bytes, headers: list[tuple[str, bytes]]) -> None:
        sent: Awaitable[Any] = await self._alerts.send(key=key, value=value, headers=headers)
        await asyncio.wait_for(sent, _ACKNOWLEDGE_SECONDS)

    async def _publish_finding(self, key: bytes, value: bytes) -> None:
        sent: Awaitable[Any] = await self.findings.send(key=key, value=value)
        await asyncio.wait_for(sent, _ACKNOWLEDGE_SECONDS)

    async def _recovered(self, event: EventT[Any]) -> None:
        self._register.recovered(event.message.key or b"", event.message.partition)


def make_app(settings: AlertSettings) -> AlertApp:  # noqa: C901 - one function for each record and each moment
    """Make the application. Nothing is contacted before it runs."""
    app = AlertApp(
        settings.app_id,
        # A heartbeat was sent at most an interval before it stood still, and the broker waits a session from there.
        lease_seconds=settings.session_timeout_seconds * 2 / 3,
        stall_seconds=settings.stall_seconds,
        idempotence=settings.idempotence,
        broker=[f"aiokafka://{broker}" for broker in settings.brokers],
        broker_credentials=_credentials(settings),
        broker_session_timeout=settings.session_timeout_seconds,
        broker_heartbeat_interval=settings.session_timeout_seconds / 3,
        broker_commit_interval=settings.commit_seconds,
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=settings.instance_id or None,
        producer_acks=-1,
        store="memory://",
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
    app.producer_transport = _Transport(app.conf.broker_producer, app)
    metrics = AlertMetrics(settings.rules)
    app.registry = metrics.registry
    health = Health()
    server = MetricsServer(metrics, health, settings.http_host, settings.http_port)
    desk = _Desk(app, settings, metrics)

    @app.agent(desk.findings, name="folds")
    async def folds(stream: Any) -> None:
        async for event in stream.events():
            await desk.guarded(event, desk.on_fold)

    @app.agent(desk.volumes, name="volumes")
    async def volumes(stream: Any) -> None:
        async for event in stream.events():
            await desk.guarded(event, desk.on_volume)

    if desk.triage is not None:

        @app.agent(desk.triage, name="triage")
        async def triage(stream: Any) -> None:
            async for event in stream.events():
                await desk.guarded(event, desk.on_declaration)

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

    @app.timer(settings.stall_seconds / 6)  # type: ignore[untyped-decorator]
    async def watch() -> None:
        if app.tables.actives_ready and not app.rebalancing:
            await desk.look_at_progress()
        else:
            app.progress.forget()

    @app.task()  # type: ignore[untyped-decorator]
    async def serve() -> None:
        server.start()
        log.info("metrics on http://%s:%d/metrics", settings.http_host, server.port)

    @app.on_before_shutdown.connect
    async def close(*_: Any, **__: Any) -> None:
        health.ready = False
        server.stop()

    return app


def run(settings: AlertSettings, beside: Callable[[CollectorRegistry], Callable[[], None]] | None = None) -> None:
    """Run until SIGTERM or SIGINT. Ends the process by SystemExit.

    `beside` starts what runs in the same process and shows its numbers on the same page; it gives what stops that.
    """
    app = make_app(settings)
    worker = faust.Worker(app, loglevel="WARNING", quiet=True, override_logging=False, redirect_stdouts=False)
    worker.spinner = None  # it would write cursor codes into the log
    stop = beside(app.registry) if beside is not None else None
    try:
        worker.execute_from_commandline()
    finally:
        if stop is not None:
            stop()


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
