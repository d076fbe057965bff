"""The alert plane's own numbers, and the small HTTP server that shows them."""

import re
import threading
import time
from collections import Counter as Tally
from collections.abc import Callable, Iterable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CollectorRegistry, Counter, Gauge, disable_created_metrics
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from alerts.budget import OTHER, Budget
from alerts.clocks import dues, running
from alerts.state import Episode
from topics.alert import Alert, Change, EpisodeState
from topics.finding import Fold
from topics.volume import Volume

# The moment a counter began is of no use to a rate, and doubles the series of a scrape.
disable_created_metrics()  # type: ignore[no-untyped-call]

_MOST_EPISODE_SERIES = 600
_MOST_RECIPIENTS = 1_000
_MOST_DUE_SERIES = 200
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_EPISODE_LABELS = ("detector", "rule", "severity", "jurisdiction", "verdict")


class Vocabulary:
    """A closed list of label values: what is not on it, or comes after the list is full, is `other`."""

    def __init__(self, known: Iterable[str] = (), limit: int = 200) -> None:
        self._closed = frozenset(known)
        self._seen: set[str] = set(self._closed)
        self._limit = limit

    def __call__(self, value: str) -> str:
        """Give the value itself or `other`. The empty string is `none`."""
        if value in self._seen:
            return value
        if not value:
            return "none"
        if self._closed or len(self._seen) >= self._limit or not _SAFE.fullmatch(value):
            return OTHER
        self._seen.add(value)
        return value


class AlertMetrics:
    """Counters and gauges of one application, in a registry of its own."""

    def __init__(self, rules: Iterable[str] = ()) -> None:
        self.registry = CollectorRegistry()
        self._rule = Vocabulary(rules)
        self._jurisdiction = Vocabulary()
        self._episode_labels = Budget(_MOST_EPISODE_SERIES, 3)
        self._episodes = Counter("privacy_episodes", "Episodes begun.", _EPISODE_LABELS, registry=self.registry)
        self._open = Gauge("privacy_episodes_open", "Episodes now open.", _EPISODE_LABELS, registry=self.registry)
        self._alerts = Counter(
            "privacy_alerts", "Alerts published, by what changed.", ("change", "severity"), registry=self.registry
        )
        self._findings = Counter(
            "privacy_alert_findings",
            "Findings counted into episodes. It follows privacy_findings of live rules; a gap between them: the alert plane stands.",
            ("detector", "rule"),
            registry=self.registry,
        )
        self._last_fold = Gauge(
            "privacy_alert_last_fold_timestamp_seconds", "Time of the newest fold counted.", registry=self.registry
        )
        self._unreadable = Counter(
            "privacy_alert_unreadable_folds",
            "Records of the findings topic that are no fold. Any at all: somebody else writes there.",
            registry=self.registry,
        )
        self._failed = Counter(
            "privacy_alert_failed_deliveries",
            "Batches that the broker did not take; they are read again. A few come with a restart or a rebalance.",
            registry=self.registry,
        )
        self._seconds = Counter("privacy_alert_fold_seconds", "Time spent on folds.", registry=self.registry)
        self._folds = Counter(
            "privacy_alert_folds",
            "Folds read: counted, repeated (after a restart) or unreadable.",
            ("outcome",),
            registry=self.registry,
        )
        self._volumes = Counter(
            "privacy_alert_volumes",
            "Monthly counts of persons read: added or unreadable. Any unreadable: somebody else writes to that topic.",
            ("outcome",),
            registry=self.registry,
        )
        self._bulk = Gauge(
            "privacy_bulk_threshold_ratio",
            "Persons in twelve months, as a share of the number from which a law closes the way: the fullest recipient, by law "
            "and kind of data, of those counted since the start. 1 is reached.",
            ("law", "kind"),
            registry=self.registry,
        )
        self._declarations = Counter(
            "privacy_alert_declarations",
            "Declarations read: taken, unknown (of no episode that is known) or unreadable.",
            ("outcome",),
            registry=self.registry,
        )
        self._due = Gauge(
            "privacy_duty_next_due_timestamp_seconds",
            "When the next duty of an open or declared matter is due, by duty and place: an opt-out that must have effect, a "
            "violation that must be mended, a breach that must be told. In the past: it is overdue. Absent: none runs.",
            ("duty", "jurisdiction"),
            registry=self.registry,
        )
        self._due_labels = Budget(_MOST_DUE_SERIES, 1)
        self._due_by_partition: dict[int, dict[tuple[str, ...], int]] = {}
        self._due_shown: set[tuple[str, ...]] = set()
        self._law = Vocabulary()
        self._shares: dict[tuple[str, str], dict[str, float]] = {}
        for outcome in ("counted", "repeated", "unreadable"):
            self._folds.labels(outcome)
        for outcome in ("taken", "unknown", "unreadable"):
            self._declarations.labels(outcome)
        for outcome in ("added", "unreadable"):
            self._volumes.labels(outcome)
        self._open_by_partition: dict[int, Tally[tuple[str, ...]]] = {}

    def fold(self, fold: Fold, counted: int, at_ms: int, seconds: float) -> None:
        """Count a fold: `counted` findings were new."""
        self._folds.labels("counted" if counted else "repeated").inc()
        self._seconds.inc(seconds)
        if counted:
            self._findings.labels(fold.detector.value, self._rule(fold.rule)).inc(counted)
            self._last_fold.set(at_ms / 1000)

    def failed_delivery(self) -> None:
        """Count a batch that the broker did not take."""
        self._failed.inc()

    def unreadable(self) -> None:
        """Count a record that is no fold."""
        self._folds.labels("unreadable").inc()
        self._unreadable.inc()

    def volume(self, volume: Volume | None, share: float = 0.0) -> None:
        """Count a monthly count, with its recipient's share of the threshold; None is a record that is no count."""
        if volume is None:
            self._volumes.labels("unreadable").inc()
            return
        self._volumes.labels("added").inc()
        labels = self._law(volume.regime), self._law(volume.group)
        shares = self._shares.setdefault(labels, {})
        if volume.recipient in shares or len(shares) < _MOST_RECIPIENTS:
            shares[volume.recipient] = share
        self._bulk.labels(*labels).set(max(shares.values(), default=share))

    def alert(self, alert: Alert) -> None:
        """Count a published alert."""
        self._alerts.labels(alert.change.value, alert.severity.value).inc()
        # The numbers of episodes are what people are called by: an exempted one is in the findings alone.
        if alert.change is Change.OPENED and not alert.exemption:
            self._episodes.labels(*self._labels(alert)).inc()

    def open_episodes(self, partition: int, episodes: Iterable[Episode]) -> None:
        """Set how many episodes of a partition are open."""
        tally: Tally[tuple[str, ...]] = Tally()
        for episode in episodes:
            if episode.state is EpisodeState.OPEN and not episode.exemption:
                tally[self._labels(episode)] += 1
        self._set_open(partition, tally)

    def declaration(self, outcome: str) -> None:
        """Count a declaration: taken, unknown or unreadable."""
        self._declarations.labels(outcome).inc()

    def next_due(self, partition: int, episodes: Iterable[Episode]) -> None:
        """Set when the next duty of each kind and place is due, as of the episodes of a partition."""
        due: dict[tuple[str, ...], int] = {}
        for episode in episodes:
            if not episode.clocks or episode.exemption:
                continue
            for each in running(dues(episode)):
                kind = "-".join(part for part in (each.kind, each.detail) if part)
                labels = self._due_labels(kind, self._jurisdiction(episode.jurisdiction))
                due[labels] = min(each.due_at_ms, due.get(labels, each.due_at_ms))
        self._set_due(partition, due)

    def _set_due(self, partition: int, due: dict[tuple[str, ...], int]) -> None:
        if due == self._due_by_partition.get(partition, {}):
            return
        self._due_by_partition[partition] = due
        first: dict[tuple[str, ...], int] = {}
        for each in self._due_by_partition.values():
            for labels, at_ms in each.items():
                first[labels] = min(at_ms, first.get(labels, at_ms))
        for gone in self._due_shown - first.keys():
            self._due.remove(*gone)
        for labels, at_ms in first.items():
            self._due.labels(*labels).set(at_ms / 1000)
        self._due_shown = set(first)

    def keep_partitions(self, partitions: Iterable[int]) -> None:
        """Drop the open episodes of partitions that are now somebody else's."""
        for gone in (self._open_by_partition.keys() | self._due_by_partition.keys()) - set(partitions):
            self._set_open(gone, Tally())
            self._set_due(gone, {})

    def _labels(self, of: Alert | Episode) -> tuple[str, ...]:
        return self._episode_labels(
            of.detector.value,
            self._rule(of.rule),
            of.severity.value,
            self._jurisdiction(of.jurisdiction),
            of.verdict.value,
        )

    def _set_open(self, partition: int, tally: Tally[tuple[str, ...]]) -> None:
        before = self._open_by_partition.get(partition, Tally())
        self._open_by_partition[partition] = tally
        for labels in before.keys() | tally.keys():
            if before[labels] != tally[labels]:
                self._open.labels(*labels).inc(tally[labels] - before[labels])


class Health:
    """What /healthz and /readyz answer."""

    def __init__(self) -> None:
        self.ready = False
        self._beat = time.monotonic()

    def beat(self) -> None:
        """Note that the loop still turns."""
        self._beat = time.monotonic()

    def alive(self) -> bool:
        """Say whether the loop turned in the last half minute."""
        return time.monotonic() - self._beat < 30.0


class MetricsServer:
    """HTTP server in a thread of its own. The port is bound when it is made: a taken port is an error at once."""

    def __init__(self, metrics: AlertMetrics, health: Health, host: str, port: int) -> None:
        pages: dict[str, Callable[[], tuple[HTTPStatus, str, bytes]]] = {
            "/metrics": lambda: (HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest(metrics.registry)),
            "/healthz": lambda: _says(health.alive()),
            "/readyz": lambda: _says(health.ready and health.alive()),
        }

        class Handler(BaseHTTPRequestHandler):
            timeout = 10

            def do_GET(self) -> None:
                page = pages.get(self.path.partition("?")[0])
                status, kind, body = page() if page else (HTTPStatus.NOT_FOUND, "text/plain", b"not found\n")
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Stay silent: a scrape is no news."""

        self._server = ThreadingHTTPServer((host, port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)

    @property
    def port(self) -> int:
        """The port that was taken."""
        return self._server.server_port

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Close the port."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


def _says(good: bool) -> tuple[HTTPStatus, str, bytes]:  # noqa: FBT001 - a private yes or no
    return (HTTPStatus.OK, "text/plain", b"ok\n") if good else (HTTPStatus.SERVICE_UNAVAILABLE, "text/plain", b"no\n")
