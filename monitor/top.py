"""`privacy-monitor top`: episodes and health in the terminal, live from the topics."""

import contextlib
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import msgspec
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from alerts.clocks import running
from alerts.wording import moment, what_is_due
from monitor.alert_log import decode
from monitor.kafka import LogReader
from monitor.kafka.connection import Settings
from topics.accounting import Accounting
from topics.alert import Alert, EpisodeState
from topics.catalog import ACCOUNTING, ALERTS, DEAD_LETTERS
from topics.finding import SEVERITIES, Verdict
from topics.record import Place, RawRecord

_WINDOW_SECONDS = 60.0
_BLIND_SECONDS = 60.0
_RECENT = 500
"""Accounting and dead letters are read from so far back in each partition."""
_EPISODES = 15
_DUTIES = 8
_DAY = 86_400.0
_SHOWN_KEY = 8
"""Digits of an episode's key; `declare` takes the beginning of one."""
_STYLES = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "cyan"}
_ACCOUNT = msgspec.json.Decoder(Accounting)


class Seen(msgspec.Struct):
    """What the topics have told."""

    topics: tuple[str, ...]
    alerts: dict[str, Alert] = msgspec.field(default_factory=dict)
    recent: list[tuple[float, Accounting]] = msgspec.field(default_factory=list)
    """Accounting of the last minute, with the time of its record."""
    last: dict[str, float] = msgspec.field(default_factory=dict)
    """Time of the newest accounting, by source topic."""
    dead: list[float] = msgspec.field(default_factory=list)

    def told(self) -> list[Alert]:
        """Give the episodes that somebody should look at: not those that an exception covers, the canary's among them."""
        return [alert for alert in self.alerts.values() if not alert.exemption]

    def absorb(self, records: Iterable[RawRecord], now: float) -> None:
        """Take in records; `now` is in seconds since the epoch."""
        for record in records:
            at = record.timestamp_ms / 1000
            if record.topic == ALERTS.name:
                alert = decode(record.value)
                if alert is not None:
                    self.alerts[alert.episode_key] = alert
            elif record.topic == DEAD_LETTERS.name:
                self.dead.append(at)
            elif record.value is not None:
                with contextlib.suppress(msgspec.DecodeError):
                    account = _ACCOUNT.decode(record.value)
                    self.recent.append((at, account))
                    self.last[account.topic] = max(at, self.last.get(account.topic, 0.0))
        # Partitions are not in step, so the oldest is not always the first.
        since = now - _WINDOW_SECONDS
        self.recent = [each for each in self.recent if each[0] >= since]
        self.dead = [at for at in self.dead if at >= since]


def show(settings: Settings, topics: Sequence[str], seconds: float | None) -> None:
    """Show the page until Ctrl-C or the end of the time; without a terminal, print it once at the end."""
    reader = LogReader(settings, [ALERTS.name, ACCOUNTING.name, DEAD_LETTERS.name], _starts(settings))
    seen = Seen(tuple(topics))
    console = Console()
    began = time.monotonic()
    with contextlib.closing(reader), contextlib.ExitStack() as view, contextlib.suppress(KeyboardInterrupt):
        live = view.enter_context(Live(console=console, refresh_per_second=4)) if console.is_terminal else None
        while seconds is None or time.monotonic() - began < seconds:
            seen.absorb(reader.poll(500, 0.2), time.time())
            if live is not None:
                live.update(page(seen, time.time()))
    if not console.is_terminal:
        console.print(page(seen, time.time()))


def page(seen: Seen, now: float) -> RenderableType:
    """Draw the page: health of each topic, then the episodes that matter most."""
    parts: list[RenderableType] = [_head(seen), Text(), _health(seen, now), Text(), _episodes(seen)]
    duties = _duties(seen, now)
    if duties.row_count:
        parts += [Text(), duties]
    return Panel(Group(*parts), title="privacy-monitor top")


def _head(seen: Seen) -> Text:
    items: Counter[str] = Counter()
    for _, account in seen.recent:
        items.update(account.items)
    total = items.total()
    live = [alert for alert in seen.told() if alert.state is not EpisodeState.RESOLVED]
    violations = sum(alert.verdict is Verdict.VIOLATION for alert in live)
    return Text.assemble(
        (str(violations), "bold red" if violations else "bold"),
        " violations and ",
        (str(len(live) - violations), "bold"),
        " gaps not resolved; in the last minute ",
        (f"{items['judged'] / total:.1%}" if total else "–", "bold"),
        " of items judged and ",
        (str(len(seen.dead)), "bold yellow" if seen.dead else "bold"),
        " dead letters",
    )


def _health(seen: Seen, now: float) -> Table:
    table = Table(title="Topics", title_justify="left", box=None, pad_edge=False)
    for column in ("topic", "records/s", "last verdict", "state"):
        table.add_column(column, justify="right" if column == "records/s" else "left")
    judged: Counter[str] = Counter()
    for _, account in seen.recent:
        judged[account.topic] += account.end - account.start
    for topic in seen.topics:
        last = seen.last.get(topic)
        age = None if last is None else max(0.0, now - last)
        blind = age is None or age > _BLIND_SECONDS
        table.add_row(
            topic,
            f"{judged[topic] / _WINDOW_SECONDS:,.1f}",
            "never" if age is None else f"{age:,.0f} s ago",
            Text("silent or blind", style="bold red") if blind else Text("ok", style="green"),
        )
    return table


def _episodes(seen: Seen) -> Table:
    table = Table(title="Episodes", title_justify="left", box=None, pad_edge=False, expand=True)
    for column in ("episode", "since", "last seen", "state", "severity", "findings", "persons"):
        table.add_column(column, no_wrap=True, justify="right" if column in {"findings", "persons"} else "left")
    table.add_column("why", ratio=1)
    for alert in ranked(seen.told())[:_EPISODES]:
        gap = alert.verdict is Verdict.GAP
        table.add_row(
            alert.episode_key[:_SHOWN_KEY],
            f"{datetime.fromtimestamp(alert.first_at_ms / 1000, UTC):%m-%d %H:%M}",
            f"{datetime.fromtimestamp(alert.last_at_ms / 1000, UTC):%m-%d %H:%M:%S}",
            alert.state.value,
            Text("gap" if gap else alert.severity.value, style="dim" if gap else _STYLES[alert.severity.value]),
            f"{alert.findings:,}",
            f"{alert.subjects:,}" if alert.subjects_exact else f"~{alert.subjects:,}",
            Text(alert.why),
        )
    return table


def _duties(seen: Seen, now: float) -> Table:
    table = Table(title="Due", title_justify="left", box=None, pad_edge=False)
    for column in ("time left", "until", "what", "where", "duty", "episode"):
        table.add_column(column, no_wrap=column != "what", justify="right" if column == "time left" else "left")
    due = [(each, alert) for alert in seen.told() for each in running(alert.due)]
    for each, alert in sorted(due, key=lambda pair: (pair[0].due_at_ms, pair[1].episode_key, pair[0].duty))[:_DUTIES]:
        left = each.due_at_ms / 1000 - now
        table.add_row(
            Text("overdue", style="bold red") if left < 0 else Text(_span(left), style="red" if left < _DAY else ""),
            moment(each.due_at_ms),
            what_is_due(each),
            alert.jurisdiction,
            each.duty,
            alert.episode_key[:_SHOWN_KEY],
        )
    return table


def _span(seconds: float) -> str:
    return f"{seconds / _DAY:.1f} d" if seconds >= _DAY else f"{seconds / 3600:.1f} h"


def ranked(alerts: Iterable[Alert]) -> list[Alert]:
    """Order episodes: what goes on before what is over, violations before gaps, then by severity and time."""
    states = list(EpisodeState)
    return sorted(
        alerts,
        key=lambda alert: (
            states.index(alert.state),
            alert.verdict is Verdict.GAP,
            -SEVERITIES.index(alert.severity),
            -alert.last_at_ms,
        ),
    )


def _starts(settings: Settings) -> dict[Place, int]:
    reader = LogReader(settings, [ACCOUNTING.name, DEAD_LETTERS.name])
    with contextlib.closing(reader):
        return {place: max(0, end - _RECENT) for place, end in (reader.ends(queried=True) or {}).items()}
