"""The minute canary: a canary sent again and again by one process of the cluster, so that a broken path is noticed by itself.

It runs beside the alert plane, which every installation has and which owns the last step of the path. Several of them settle by
a consumer group of their own who sends: whoever holds the first partition of the canary's topic.
"""

import contextlib
import threading
import time
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from monitor.canary import CanarySeen, send_canary
from monitor.kafka import DeliveryFailed, KafkaProblem, Reader
from monitor.kafka.connection import Settings
from monitor.logs import log
from topics.catalog import CANARY
from topics.record import Place

_POLL_SECONDS = 0.2
_AFTER_TROUBLE_SECONDS = 5.0
_TURN: Place = (CANARY.name, 0)


class CanaryMetrics:
    """What the minute canary tells."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.interval = Gauge(
            "privacy_monitor_canary_interval_seconds",
            "A canary is sent so often; absent where none is.",
            registry=registry,
        )
        self.sender = Gauge(
            "privacy_monitor_canary_sender", "1 in the process that sends the canaries.", registry=registry
        )
        self.sent = Counter("privacy_monitor_canary_sent", "Canaries sent.", registry=registry)
        self.last_sent = Gauge(
            "privacy_monitor_canary_last_sent_timestamp_seconds",
            "When the last canary was sent; 0: none by this process.",
            registry=registry,
        )
        self.last_found = Gauge(
            "privacy_monitor_canary_last_found_timestamp_seconds",
            "When a canary was last seen as a finding; 0: never by this process.",
            registry=registry,
        )
        self.last_arrived = Gauge(
            "privacy_monitor_canary_last_arrived_timestamp_seconds",
            "When a canary was last seen as an alert; 0: never by this process. Standing still: the path is broken, and "
            "violations are not told either.",
            registry=registry,
        )
        self.latency = Histogram(
            "privacy_monitor_canary_latency_seconds",
            "From sending a canary to its finding, and to its alert.",
            ["stage"],
            buckets=(0.5, 1, 2, 3, 5, 10, 20, 30, 60),
            registry=registry,
        )
        for stage in ("finding", "alert"):
            self.latency.labels(stage)

    def count(self, seen: CanarySeen, now: float) -> None:
        """Count how far a canary came; `now` is in seconds since the epoch."""
        if seen.finding_seconds is not None:
            self.last_found.set(now)
            self.latency.labels("finding").observe(seen.finding_seconds)
        if seen.alert_seconds is not None:
            self.last_arrived.set(now)
            self.latency.labels("alert").observe(seen.alert_seconds)


class MinuteCanary:
    """A thread that sends a canary whenever it is time and its process's turn."""

    def __init__(self, settings: Settings, registry: CollectorRegistry, *, group: str, every_seconds: float) -> None:
        self._settings = settings
        self._group = group
        self._every_seconds = every_seconds
        self._metrics = CanaryMetrics(registry)
        self._metrics.interval.set(every_seconds)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="minute canary", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Send no more. What is under way is given up."""
        self._stopping.set()
        self._thread.join(2.0)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._take_turns()
            except (KafkaProblem, DeliveryFailed) as problem:
                # Nothing arrives meanwhile, so the alarm comes by itself.
                log.warning("no canary can be sent", reason=str(problem))
                self._metrics.sender.set(0)
                self._stopping.wait(_AFTER_TROUBLE_SECONDS)

    def _take_turns(self) -> None:
        held: set[Place] = set()

        def let_go(places: Sequence[Place]) -> None:
            held.difference_update(places)

        reader = Reader(
            self._settings,
            group=self._group,
            topics=[CANARY.name],
            from_beginning=False,
            on_assigned=held.update,
            on_revoked=let_go,
        )
        due = time.monotonic()
        with contextlib.closing(reader):
            while not self._stopping.is_set():
                # The records are of no interest: being a member is.
                reader.poll(500, _POLL_SECONDS)
                is_ours = _TURN in held
                self._metrics.sender.set(is_ours)
                if is_ours and time.monotonic() >= due:
                    due = time.monotonic() + self._every_seconds
                    self._send()

    def _send(self) -> None:
        self._metrics.last_sent.set(time.time())
        self._metrics.sent.inc()
        seen = send_canary(self._settings, self._every_seconds, is_given_up=self._stopping.is_set)
        self._metrics.count(seen, time.time())
        if seen.alert_seconds is None and not self._stopping.is_set():
            log.warning("the canary did not arrive", verdict=seen.verdict)
