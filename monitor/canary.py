"""`privacy-monitor canary`: one made-up order sent, and awaited as a finding and as an alert."""

import time
import uuid
from collections.abc import Callable, Iterator
from typing import TypeVar

import msgspec

from monitor.alert_log import decode as decode_alert
from monitor.kafka import KafkaProblem, LogReader, Writer
from monitor.kafka.connection import Settings
from topics.alert import Alert
from topics.canary import CANARY_RULE, canary
from topics.catalog import ALERTS, CANARY, FINDINGS
from topics.finding import Fold
from topics.record import Outgoing, RawRecord

_FOLD = msgspec.json.Decoder(Fold)
_POLL_SECONDS = 0.2

Told = TypeVar("Told")


class CanarySeen(msgspec.Struct, frozen=True, kw_only=True):
    """How far one canary came."""

    finding_seconds: float | None
    """From sending to the finding; None: no worker found it in time."""
    alert_seconds: float | None
    """From sending to the alert; None: the alert plane did not tell of it in time, or was not waited for."""
    alerts: bool = True
    """Whether the alert was waited for."""

    @property
    def verdict(self) -> str:
        """Say in one sentence how far it came, and where to look."""
        if self.finding_seconds is None:
            return (
                "canary sent, and no finding came of it: the workers do not read, judge or deliver "
                f"(do they watch {CANARY.name}?)"
            )
        if not self.alerts:
            return f"canary found after {self.finding_seconds:.1f} s"
        if self.alert_seconds is None:
            return (
                f"canary found after {self.finding_seconds:.1f} s, and nobody was told: the alert plane does not run, "
                "or lags"
            )
        return f"canary found after {self.finding_seconds:.1f} s, told after {self.alert_seconds:.1f} s"


def send_canary(
    settings: Settings,
    timeout_seconds: float,
    *,
    alerts: bool = True,
    is_given_up: Callable[[], bool] = lambda: False,
) -> CanarySeen:
    """Send one canary and wait for what it must cause. Raises KafkaProblem or DeliveryFailed.

    Without `alerts` only the finding is awaited. `is_given_up` is asked while waiting.
    """
    reader = _at_the_end(settings, [FINDINGS.name, ALERTS.name] if alerts else [FINDINGS.name])
    try:
        at_ms = time.time_ns() // 1_000_000
        began = time.monotonic()
        Writer(settings).send([Outgoing(CANARY.name, b"", canary(str(uuid.uuid4()), at_ms))])
        finding_seconds: float | None = None
        alert_seconds: float | None = None
        while time.monotonic() - began < timeout_seconds and not is_given_up():
            records = reader.poll(500, _POLL_SECONDS)
            if finding_seconds is None and any(_speaks_of(fold, at_ms) for fold in _folds(records)):
                finding_seconds = time.monotonic() - began
            if alert_seconds is None and any(_tells_of(alert, at_ms) for alert in _alerts(records)):
                alert_seconds = time.monotonic() - began
            if finding_seconds is not None and (alert_seconds is not None or not alerts):
                break
    finally:
        reader.close()
    return CanarySeen(finding_seconds=finding_seconds, alert_seconds=alert_seconds, alerts=alerts)


def _at_the_end(settings: Settings, topics: list[str]) -> LogReader:
    """Give a reader of what comes from now on."""
    asking = LogReader(settings, [*topics, CANARY.name])
    try:
        ends = asking.ends(queried=True)
    finally:
        asking.close()
    if ends is None:
        raise KafkaProblem("the broker does not say where the topics of findings and alerts end")
    return LogReader(settings, topics, ends)


def _speaks_of(fold: Fold, at_ms: int) -> bool:
    """Tell whether a fold holds the canary of this moment. A fold of many canaries names some, and spans all."""
    return fold.rule == CANARY_RULE and fold.first_at_ms <= at_ms <= fold.last_at_ms


def _tells_of(alert: Alert, at_ms: int) -> bool:
    return alert.rule == CANARY_RULE and alert.first_at_ms <= at_ms <= alert.last_at_ms


def _folds(records: list[RawRecord]) -> Iterator[Fold]:
    return _decoded(records, FINDINGS.name, _fold)


def _alerts(records: list[RawRecord]) -> Iterator[Alert]:
    return _decoded(records, ALERTS.name, decode_alert)


def _decoded(records: list[RawRecord], topic: str, decode: Callable[[bytes | None], Told | None]) -> Iterator[Told]:
    """Give the records of a topic that can be read; what others write there is passed over."""
    for record in records:
        told = decode(record.value) if record.topic == topic else None
        if told is not None:
            yield told


def _fold(value: bytes | None) -> Fold | None:
    try:
        return _FOLD.decode(value or b"")
    except (ValueError, RecursionError):
        return None
