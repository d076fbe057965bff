"""A sink: takes alerts into the spool, and sends them when its schedule, its target, its limit and the last failure allow."""

import random
from collections.abc import Callable, Mapping, Sequence

import msgspec

from alerts.sinks.forms import Form
from alerts.sinks.post import Answer, Outcome
from alerts.sinks.route import Route
from alerts.sinks.schedule import Schedule
from alerts.sinks.spool import Spool, Taken
from topics.alert import Alert

Deliver = Callable[[bytes, Mapping[str, str], float], Answer]
"""Sends body and headers, within so many seconds."""

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 300.0
_MOST_OF_DIGEST = 1_000
"""Episodes of one digest; more make another one."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much a target is asked to bear. More than that waits and folds; nothing is dropped."""

    requests_per_minute: float = 20.0
    alerts_per_request: int = 100
    fold_above: int = 1000
    """Alerts that wait apart; beyond it those of one episode become one."""
    timeout_seconds: float = 10.0


class Sink:
    """One configured target. `flush` sends at most one request, and none before its time."""

    def __init__(  # noqa: PLR0913 - the parts of a sink, each used as it is
        self,
        name: str,
        form: Form,
        deliver: Deliver,
        spool: Spool,
        *,
        limits: Limits,
        route: Route,
        schedule: Schedule | None = None,
    ) -> None:
        self.name = name
        self._form = form
        self._deliver = deliver
        self._spool = spool
        self._limits = limits
        self._route = route
        self._schedule = schedule
        self._failures = 0
        self._not_before_ms = 0

    def take(self, alerts: Sequence[Alert], now_ms: int) -> list[Taken]:
        """Keep what the route lets pass, and what goes on of an episode that was taken. When this returns, it is on disk."""
        wanted, begun = list[Alert](), set[str]()
        for alert in alerts:
            # The spool does not know yet what came together with the beginning of its episode.
            if alert.episode_id in begun or self._route.wants(alert) or self._spool.knows(self.name, alert):
                begun.add(alert.episode_id)
                wanted.append(alert)
        if not wanted:
            return []
        return self._spool.take(self.name, wanted, now_ms, self._limits.fold_above, self._when())

    def plan(self, now_ms: int) -> None:
        """Let what is held go by the schedule as it is now: one that was made shorter sets it free."""
        self._spool.plan(self.name, self._when(), now_ms)

    def flush(self, now_ms: int) -> tuple[Outcome, int] | None:
        """Send what waits longest. Gives the outcome and how many alerts it was for; None when there was nothing to do."""
        if now_ms < self._not_before_ms:
            return None
        batch = self._spool.oldest(self.name, self._most(), now_ms)
        if not batch:
            return None
        is_digest = batch[0].is_digest
        if is_digest:
            batch = self._spool.oldest(self.name, max(self._most(), _MOST_OF_DIGEST), now_ms)
        request = self._form.request(
            [each.alert for each in batch], sum(each.folded for each in batch), now_ms, is_digest=is_digest
        )
        if request is None:
            self._spool.done(batch)
            return Outcome.DELIVERED, len(batch)
        answer = self._deliver(request.body, request.headers, self._limits.timeout_seconds)
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
        """Count what waits, held or not."""
        return self._spool.count(self.name)

    def held(self, now_ms: int) -> int:
        """Count what is held for the end of quiet hours or the next digest."""
        return self._spool.held(self.name, now_ms)

    def oldest_seconds(self, now_ms: int) -> float:
        """Give how long the oldest has waited since it might be told; 0 when none waits."""
        since = self._spool.since_ms(self.name, now_ms)
        return 0.0 if since is None else max(0.0, (now_ms - since) / 1000)

    def _most(self) -> int:
        return self._form.most or self._limits.alerts_per_request

    def _when(self) -> Callable[[Alert, int], tuple[int, bool]] | None:
        schedule = self._schedule
        if schedule is None:
            return None

        def when(alert: Alert, at_ms: int) -> tuple[int, bool]:
            found = schedule.when(alert.severity, at_ms)
            return found.at_ms, found.is_digest and self._form.digests

        return when
