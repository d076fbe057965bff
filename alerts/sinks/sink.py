"""A sink: takes alerts into the spool, and sends them when its target, its limit and the last failure allow."""

import random
from collections.abc import Callable, Sequence

import msgspec

from alerts.sinks.forms import Form
from alerts.sinks.post import Answer, Outcome, post
from alerts.sinks.spool import Spool, Taken
from alerts.sinks.target import Target
from topics.alert import Alert, Audience
from topics.finding import SEVERITIES, Severity

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 300.0


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much a target is asked to bear. More than that waits and folds; nothing is dropped."""

    requests_per_minute: float = 20.0
    alerts_per_request: int = 100
    fold_above: int = 1000
    """Alerts that wait apart; beyond it those of one episode become one."""
    timeout_seconds: float = 10.0


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """Which alerts a sink gets. An empty list lets all pass; what an exception covers passes only where `none` is listed."""

    audiences: tuple[Audience, ...] = ()
    severity: Severity = Severity.LOW
    """The least severe that passes."""
    jurisdictions: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    detectors: tuple[str, ...] = ()

    def wants(self, alert: Alert) -> bool:
        """Tell whether an alert passes."""
        return (
            SEVERITIES.index(alert.severity) >= SEVERITIES.index(self.severity)
            and (alert.audience in self.audiences if self.audiences else alert.audience is not Audience.NOBODY)
            and (not self.jurisdictions or alert.jurisdiction in self.jurisdictions)
            and (not self.services or not set(self.services).isdisjoint(alert.services))
            and (not self.detectors or alert.detector.value in self.detectors)
        )


class Sink:
    """One configured target. `flush` sends at most one request, and none before its time."""

    def __init__(  # noqa: PLR0913 - the parts of a sink, each used as it is
        self,
        name: str,
        form: Form,
        target: Target,
        spool: Spool,
        *,
        limits: Limits,
        route: Route,
        send: Callable[[Target, bytes, dict[str, str], float], Answer] = post,
    ) -> None:
        self.name = name
        self._form = form
        self._target = target
        self._spool = spool
        self._limits = limits
        self._route = route
        self._send = send
        self._failures = 0
        self._not_before_ms = 0

    def take(self, alerts: Sequence[Alert], now_ms: int) -> list[Taken]:
        """Keep what the route lets pass. When this returns, it is on disk."""
        wanted = [alert for alert in alerts if self._route.wants(alert)]
        return self._spool.take(self.name, wanted, now_ms, self._limits.fold_above) if wanted else []

    def flush(self, now_ms: int) -> tuple[Outcome, int] | None:
        """Send what waits longest. Gives the outcome and how many alerts it was for; None when there was nothing to do."""
        if now_ms < self._not_before_ms:
            return None
        batch = self._spool.oldest(self.name, self._limits.alerts_per_request)
        if not batch:
            return None
        request = self._form.request([each.alert for each in batch], sum(each.folded for each in batch), now_ms)
        answer = self._send(self._target, request.body, dict(request.headers), self._limits.timeout_seconds)
        pause = 60.0 / self._limits.requests_per_minute
        if answer.outcome is Outcome.DELIVERED:
            self._failures = 0
            self._spool.done(batch)
        else:
            self._failures += 1
            grown = min(_FIRST_PAUSE * 2 ** min(self._failures - 1, 16), _LONGEST_PAUSE)
            pause = max(pause, answer.retry_after, grown * random.uniform(0.5, 1.0))  # noqa: S311 - only spreads retries
        self._not_before_ms = now_ms + int(pause * 1000)
        return answer.outcome, len(batch)

    def pause_seconds(self, now_ms: int) -> float:
        """Give how long nothing will be sent from now."""
        return max(0, self._not_before_ms - now_ms) / 1000

    def waiting(self) -> int:
        """Count what waits."""
        return self._spool.count(self.name)

    def oldest_seconds(self, now_ms: int) -> float:
        """Give how long the oldest has waited; 0 when none waits."""
        since = self._spool.since_ms(self.name)
        return 0.0 if since is None else max(0.0, (now_ms - since) / 1000)
