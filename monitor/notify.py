"""`privacy-monitor notify`: alerts from the topic into the spool, and from the spool to the sinks.

An offset is committed only when its alert is on disk for every sink; what the spool knows already changes nothing.
One thread reads, and each sink has a thread of its own, so that a slow target holds nobody else up.
"""

import sqlite3
import threading
import time
from pathlib import Path

from prometheus_client import CollectorRegistry

from alerts.sinks.forms import Alertmanager, Form, SignedWebhook
from alerts.sinks.sink import Limits, Route, Sink
from alerts.sinks.spool import Spool, SpoolProblem
from alerts.sinks.target import Target, TargetProblem, check
from detectors.documents import Problem
from monitor.alert_log import decode
from monitor.config import Config, NotifyConfig, SinkConfig
from monitor.files import ConfigProblems, mistake, read_secret
from monitor.kafka import DeliveryFailed, Reader, require_topics
from monitor.kafka.connection import Settings
from monitor.logs import log
from monitor.notify_metrics import NotifyMetrics
from monitor.pages import Pages
from monitor.worker import on_stop
from topics.alert import Alert
from topics.catalog import ALERTS
from topics.record import Place, RawRecord

_BATCH = 500
_POLL_SECONDS = 0.2
_MIN_SECRET_BYTES = 16


class Checked:
    """A sink of the configuration, with its target and form made."""

    def __init__(self, config: SinkConfig, target: Target, form: Form) -> None:
        self.name = config.name
        self._config = config
        self._target = target
        self._form = form

    def over(self, spool: Spool) -> Sink:
        """Give the sink, for the thread that opened the spool."""
        each = self._config
        return Sink(
            each.name,
            self._form,
            self._target,
            spool,
            limits=Limits(
                requests_per_minute=each.requests_per_minute,
                alerts_per_request=each.alerts_per_request,
                fold_above=each.fold_above,
                timeout_seconds=each.timeout_seconds,
            ),
            route=Route(
                audiences=each.audiences,
                severity=each.severity,
                jurisdictions=each.jurisdictions,
                services=each.services,
                detectors=tuple(detector.value for detector in each.detectors),
            ),
        )


def checked_sinks(config: Config, file: Path) -> tuple[NotifyConfig, list[Checked]]:
    """Check the sinks and read their secrets. Raises ConfigProblems with all mistakes."""
    notify = config.notify
    if notify is None:
        raise ConfigProblems([mistake(str(file), ("notify",), "is missing; it lists the sinks to send to")])
    hold = config.alerts.quiet_seconds + config.alerts.resolve_seconds + 3600
    problems: list[Problem] = []
    sinks = []
    for index, each in enumerate(notify.sinks):
        path = ("notify", "sinks", index)
        try:
            target = check(each.url, notify.allowed_hosts, allow_http=each.allow_http, allow_private=each.allow_private)
        except TargetProblem as problem:
            problems.append(mistake(str(file), (*path, "url"), str(problem)))
            continue
        form: Form = Alertmanager(hold)
        if each.secret is not None:
            secret = read_secret(each.secret, str(file), (*path, "secret"), problems)
            if secret is None:
                continue
            if len(secret.encode()) < _MIN_SECRET_BYTES:
                problems.append(mistake(str(file), (*path, "secret"), f"has under {_MIN_SECRET_BYTES} bytes"))
            form = SignedWebhook(secret.encode())
        sinks.append(Checked(each, target, form))
    if problems:
        raise ConfigProblems(problems)
    return notify, sinks


def notify_until_stopped(config: Config, settings: Settings, file: Path) -> None:
    """Notify until SIGTERM. Raises ConfigProblems, KafkaProblem or SpoolProblem when it cannot go on."""
    notify, sinks = checked_sinks(config, file)
    require_topics(settings, [ALERTS.name])
    registry = CollectorRegistry()
    metrics = NotifyMetrics(registry)
    stopping = threading.Event()
    on_stop(stopping.set)
    path = notify.spool
    intake = _Intake(settings, notify, sinks, path, metrics)
    pages = Pages(config.http.host, notify.port, registry, intake.not_ready)
    failures: list[str] = []

    def send(each: Checked) -> None:
        try:
            _send(each, path, metrics, stopping)
        except (sqlite3.Error, SpoolProblem) as error:
            failures.append(str(error))
            stopping.set()

    threads = [threading.Thread(target=send, args=(each,), daemon=True) for each in sinks]
    for thread in threads:
        thread.start()
    log.info("notify started", pages=pages.url, sinks=[each.name for each in sinks])
    try:
        while not stopping.is_set():
            intake.turn()
    except sqlite3.Error as error:
        failures.append(str(error))
    finally:
        stopping.set()
        intake.close()
        for thread in threads:
            thread.join(15.0)
        pages.close()
    if failures:
        # What was not written is not committed either, so nothing is lost by ending here.
        raise SpoolProblem(f"{path}: {failures[0]}")
    log.info("notify stopped")


class _Intake:
    """Reads the alerts topic into the spool."""

    def __init__(
        self, settings: Settings, notify: NotifyConfig, sinks: list[Checked], path: Path, metrics: NotifyMetrics
    ) -> None:
        self._spool = Spool(path)
        self._sinks = [each.over(self._spool) for each in sinks]
        self._metrics = metrics
        self._assigned = False
        self._reader = Reader(
            settings,
            group=notify.group,
            topics=[ALERTS.name],
            from_beginning=True,
            on_assigned=lambda _: self._set_assigned(yes=True),
            on_revoked=lambda _: self._set_assigned(yes=False),
        )

    def _set_assigned(self, *, yes: bool) -> None:
        self._assigned = yes

    def not_ready(self) -> str:
        return "" if self._assigned else "no partition is assigned"

    def turn(self) -> None:
        """Take in what has come, and commit it."""
        records = self._reader.poll(_BATCH, _POLL_SECONDS)
        if not records:
            return
        alerts = [alert for alert in map(self._read, records) if alert is not None]
        now_ms = _now_ms()
        for sink in self._sinks:
            for taken in sink.take(alerts, now_ms):
                self._metrics.alerts.labels(sink.name, taken.value).inc()
        ends: dict[Place, int] = {(each.topic, each.partition): each.offset + 1 for each in records}
        try:
            self._reader.commit(ends)
        except DeliveryFailed as failure:
            # What is read again is known to the spool.
            log.warning("offsets not committed", reason=str(failure))

    def _read(self, record: RawRecord) -> Alert | None:
        if not record.value:
            return None
        alert = decode(record.value)
        if alert is None:
            self._metrics.unreadable.inc()
        return alert

    def close(self) -> None:
        self._reader.close()
        self._spool.close()


def _send(checked: Checked, path: Path, metrics: NotifyMetrics, stopping: threading.Event) -> None:
    with Spool(path) as spool:
        sink = checked.over(spool)
        pause = 0.0
        while not stopping.wait(pause):
            now_ms = _now_ms()
            done = sink.flush(now_ms)
            # After a request the next one comes as soon as the limit lets it.
            pause = _POLL_SECONDS if done is None else min(_POLL_SECONDS, sink.pause_seconds(now_ms))
            if done is not None:
                outcome, number = done
                metrics.requests.labels(sink.name, outcome.value).inc()
                if outcome.value == "delivered":
                    metrics.alerts.labels(sink.name, "delivered").inc(number)
                else:
                    log.warning("a sink did not take its alerts", sink=sink.name, outcome=outcome.value, alerts=number)
            metrics.waiting.labels(sink.name).set(sink.waiting())
            metrics.oldest.labels(sink.name).set(sink.oldest_seconds(now_ms))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
