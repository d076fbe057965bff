"""The Faust application that carries the episodes: topics in, table with changelog, alerts out.

It promises exact counts over crashes, with at-least-once delivery underneath:

1. Marks and counts of an episode are one table value, so one changelog record holds both or neither.
2. An alert is acknowledged by the broker before the table value that follows from it is written.
   A crash in between tells it again, with the same id; nothing that the changelog knows was left untold.
3. An offset is committed only when every changelog record and alert sent so far is acknowledged (`_Outbox`).
   A crash before that reads the folds again, and the marks drop what was counted.
4. A fold whose handling ended early is never committed, although Faust acknowledges it (`_Outbox.unfinished`).
"""

import asyncio
import logging
import ssl
import time
from collections import defaultdict
from collections.abc import Awaitable, Mapping
from typing import Any

import faust
import msgspec
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.types import TP, EventT

from alerts import cloudevents
from alerts.episodes import Episode, is_forgettable, key_of, step, tick
from alerts.metrics import AlertMetrics, Health, MetricsServer
from alerts.settings import AlertSettings
from topics.alert import Alert
from topics.finding import Fold

log = logging.getLogger("privacy_monitor.alerts")

_ACKNOWLEDGE_SECONDS = 30.0
_TICKS_RETENTION_SECONDS = 3600.0


class _Outbox:
    """What was sent and not yet acknowledged, and what was begun and not yet finished."""

    def __init__(self) -> None:
        self.unfinished: dict[TP, int] = {}
        self._waiting: set[asyncio.Future[Any]] = set()
        self._failure: BaseException | None = None

    def add(self, sent: asyncio.Future[Any]) -> None:
        self._waiting.add(sent)
        sent.add_done_callback(self._done)

    def _done(self, sent: asyncio.Future[Any]) -> None:
        self._waiting.discard(sent)
        if sent.cancelled():
            self._failure = self._failure or RuntimeError("a record was dropped before it was sent")
        else:
            self._failure = self._failure or sent.exception()

    async def delivered(self) -> None:
        """Wait until the broker has all that was sent before this call. Raises what a send raised."""
        if self._waiting:
            _, late = await asyncio.wait(set(self._waiting), timeout=_ACKNOWLEDGE_SECONDS)
            if late:
                raise TimeoutError(f"{len(late)} records are not acknowledged after {_ACKNOWLEDGE_SECONDS:.0f} s")
        if self._failure is not None:
            raise self._failure

    def begin(self, tp: TP, offset: int) -> None:
        self.unfinished.setdefault(tp, offset)

    def finish(self, tp: TP, offset: int) -> None:
        if self.unfinished.get(tp) == offset:
            del self.unfinished[tp]

    def committable(self, offsets: Mapping[TP, int]) -> dict[TP, int]:
        return {tp: offset for tp, offset in offsets.items() if offset <= self.unfinished.get(tp, offset)}


class _Thread(AIOKafkaConsumerThread):  # type: ignore[misc]
    """The consumer's thread, which never reads what a transaction took back."""

    def _create_worker_consumer(self, transport: Transport) -> Any:
        made = super()._create_worker_consumer(transport)
        # Faust sets the level only together with its own transactions; the fetcher reads it at start.
        made._isolation_level = "read_committed"  # noqa: SLF001 - no public way; a test with an aborted batch holds it
        return made


class _Consumer(Consumer):  # type: ignore[misc]
    """A consumer that commits only behind acknowledged changelog records and alerts."""

    def _new_consumer_thread(self) -> _Thread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)

    async def _commit_offsets(self, offsets: Mapping[TP, int], start_new_transaction: bool = True) -> bool:  # noqa: FBT001, FBT002 - Faust's signature
        outbox: _Outbox = self.app.outbox
        offsets = outbox.committable(offsets)
        if not offsets:
            return False
        try:
            await outbox.delivered()
        except Exception as error:  # noqa: BLE001 - whatever it was: not delivered is not committed
            await self.app.crash(error)
            return False
        return bool(await super()._commit_offsets(offsets, start_new_transaction))


class _Transport(Transport):  # type: ignore[misc]
    Consumer = _Consumer


class _Table(faust.Table):  # type: ignore[misc]
    """A table that remembers which of its changelog records are on their way."""

    def send_changelog(self, *args: Any, **kwargs: Any) -> Any:
        sent = super().send_changelog(*args, **kwargs)
        self.app.outbox.add(sent)
        return sent


class _Desk:
    """Handles one record at a time: folds and ticks of one process never interleave."""

    def __init__(self, app: faust.App, settings: AlertSettings, metrics: AlertMetrics) -> None:
        self._app = app
        self._settings = settings
        self._metrics = metrics
        self._lock = asyncio.Lock()
        self._keys: defaultdict[int, set[bytes]] = defaultdict(set)
        self._decoded: dict[bytes, tuple[bytes, Episode]] = {}
        self._newest: dict[int, float] = {}
        self._read = msgspec.json.Decoder(Fold)
        self._read_episode = msgspec.json.Decoder(Episode)
        self._write = msgspec.json.Encoder()
        raw: dict[str, Any] = {"key_type": bytes, "value_type": bytes, "key_serializer": "raw", "value_serializer": "raw"}
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
        self.table = app.Table(
            "episodes",
            key_type=bytes,
            value_type=bytes,
            partitions=settings.partitions,
            on_changelog_event=self._recovered,
        )

    async def on_fold(self, event: EventT) -> None:
        """Count one record of the findings topic."""
        began = time.perf_counter()
        message = event.message
        at_ms = int(message.timestamp * 1000)
        try:
            fold = self._read.decode(message.value or b"")
            key = key_of(fold).encode()
            before = self._episode(key)
            after, alerts = step(before, fold, at_ms, self._settings.policy)
        except (ValueError, RecursionError) as error:
            # The text of an error can quote what was read: the position and the kind are enough.
            log.warning(
                "skipped a record that is no fold: %s/%d/%d, %s",
                message.topic,
                message.partition,
                message.offset,
                type(error).__name__,
            )
            self._metrics.unreadable()
        else:
            if after is not before:
                await self._save(key, message.partition, after, alerts)
            carried = before is not None and before.episode_id == after.episode_id
            counted = after.findings - (before.findings if before is not None and carried else 0)
            self._metrics.fold(fold, counted, at_ms, time.perf_counter() - began)
        self._newest[message.partition] = message.timestamp

    async def on_tick(self, event: EventT) -> None:
        """Let time pass for the episodes of one partition."""
        partition = event.message.partition
        now_ms = await self._settled_ms(partition)
        if now_ms is None:
            return
        policy = self._settings.policy
        for key in sorted(self._keys[partition]):
            before = self._episode(key)
            if before is None or is_forgettable(before, now_ms, policy):
                self._forget(key, partition)
                continue
            after, alerts = tick(before, now_ms, policy)
            if after is not before:
                await self._save(key, partition, after, alerts)
        known = (self._episode(key) for key in self._keys[partition])
        self._metrics.open_episodes(partition, (episode for episode in known if episode is not None))

    async def send_ticks(self) -> None:
        """Send a tick to each partition that is ours."""
        ours = [tp.partition for tp in self._app.consumer.assignment() if tp.topic == self._settings.findings_topic]
        self._metrics.keep_partitions(ours)
        for partition in ours:
            await self.ticks.send(key=None, value=b"tick", partition=partition)

    async def guarded(self, event: EventT, handle: Any) -> None:
        """Handle a record; what ends early stays uncommitted and stops the program."""
        message = event.message
        async with self._lock:
            self._app.outbox.begin(message.tp, message.offset)
            try:
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
        end = consumer.highwater(tp)
        position = await consumer.position(tp)
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
        value = self._write.encode(episode)
        self.table[key] = value
        self._keys[partition].add(key)
        self._decoded[key] = (value, episode)

    def _forget(self, key: bytes, partition: int) -> None:
        if key in self.table:
            del self.table[key]
        self._keys[partition].discard(key)
        self._decoded.pop(key, None)

    def _episode(self, key: bytes) -> Episode | None:
        value = self.table.get(key)
        if value is None:
            return None
        known = self._decoded.get(key)
        if known is None or known[0] is not value:
            known = self._decoded[key] = (value, self._read_episode.decode(value))
        return known[1]

    async def _recovered(self, event: EventT) -> None:
        self._keys[event.message.partition].add(bytes(event.message.key))


def make_app(settings: AlertSettings) -> faust.App:
    """Make the application. Nothing is contacted before it runs."""
    app = faust.App(
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
    app.outbox = _Outbox()
    metrics = AlertMetrics(settings.rules)
    health = Health()
    server = MetricsServer(metrics, health, settings.http_host, settings.http_port)
    desk = _Desk(app, settings, metrics)

    @app.agent(desk.findings, name="folds")  # type: ignore[untyped-decorator]
    async def folds(stream: Any) -> None:
        async for event in stream.events():
            await desk.guarded(event, desk.on_fold)

    @app.agent(desk.ticks, name="ticks")  # type: ignore[untyped-decorator]
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

    @app.on_before_shutdown.connect  # type: ignore[untyped-decorator]
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
