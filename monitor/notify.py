"""`privacy-monitor notify`: alerts from the topic into the spool, and from the spool to the sinks.

An offset is committed only when its alert is on disk for every sink; what the spool knows already changes nothing.
One thread reads, and each sink has a thread of its own, so that a slow target holds nobody else up.
"""

import sqlite3
import threading
import time
from pathlib import Path

from prometheus_client import CollectorRegistry

from alerts.sinks.spool import Spool, SpoolProblem
from monitor.alert_log import decode
from monitor.config import Config
from monitor.kafka import DeliveryFailed, Reader, require_topics
from monitor.kafka.connection import Settings
from monitor.logs import log
from monitor.notify_config import NotifyConfig
from monitor.notify_metrics import NotifyMetrics
from monitor.pages import Pages
from monitor.processes import on_stop
from monitor.sinks import Checked, checked_sinks
from topics.alert import Alert
from topics.catalog import ALERTS
from topics.record import Place, RawRecord

_BATCH = 500
_POLL_SECONDS = 0.2


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
        failure = sent_until_stopped(each, path, metrics, stopping)
        if failure:
            failures.append(failure)
            stopping.set()

    threads = [threading.Thread(target=send, args=(each,), daemon=True) for each in sinks]
    for thread in threads:
        thread.start()
    log.info("notify started", pages=pages.url, sinks=[each.name for each in sinks])
    try:
        while not stopping.is_set():
            intake.turn()
    except sqlite3.Error as error:
        failures.append(f"{path}: {error}")
    finally:
        stopping.set()
        intake.close()
        for thread in threads:
            thread.join(15.0)
        pages.close()
        for each in sinks:
            each.close()
    if failures:
        # What was not written is not committed either, so nothing is lost by ending here.
        raise SpoolProblem(failures[0])
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


def sent_until_stopped(checked: Checked, path: Path, metrics: NotifyMetrics, stopping: threading.Event) -> str:
    """Send to one sink until stopped. Gives why it ended before, so that all end: alone it would hold its alerts back unseen."""
    try:
        _send(checked, path, metrics, stopping)
    except (sqlite3.Error, SpoolProblem) as error:
        return f"{path}: {error}"
    except Exception as error:  # noqa: BLE001 - the code of others runs there
        # Its text may hold an address, and that a secret.
        return f"the sink {checked.name} ended by {type(error).__name__}"
    return ""


def _send(checked: Checked, path: Path, metrics: NotifyMetrics, stopping: threading.Event) -> None:
    with Spool(path) as spool:
        sink = checked.over(spool)
        sink.plan(_now_ms())
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
            held = sink.held(now_ms)
            metrics.held.labels(sink.name).set(held)
            metrics.waiting.labels(sink.name).set(sink.waiting() - held)
            metrics.oldest.labels(sink.name).set(sink.oldest_seconds(now_ms))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
