"""The demo's terminal page: what an operator wants to see at a glance."""

from collections.abc import Sequence
from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from monitor.demo.watched import Watched

_EPISODES = 8
_SEVERITY_STYLE = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "cyan"}


def waiting(starting: Sequence[str]) -> str:
    """Say what is waited for before the first records are judged."""
    return f"starting: {', '.join(starting)}" if starting else "all run; the first batch is on its way"


def page(watched: Watched, urls: list[str], seconds: float, starting: Sequence[str] = ()) -> RenderableType:
    """Draw the page: rate, share judged, gaps, findings by detector, the latest episodes with their why.

    Before anything is judged, what is still `starting`.
    """
    if not watched.judged_records:
        return Panel(Text(f"{waiting(starting)}   {seconds:.0f} s"), title="privacy-monitor", border_style="dim")
    total = sum(watched.items.values())
    judged = watched.items.get("judged", 0)
    head = Text.assemble(
        (f"{watched.judged_records / max(1.0, seconds):,.0f}", "bold"),
        " records/s   ",
        (f"{judged / total:.1%}" if total else "–", "bold"),
        " of items judged   ",
        (f"{watched.judged_records:,}", "bold"),
        f" of {watched.produced:,} records accounted for   {seconds:.0f} s   ",
        (urls[0], "dim"),
    )
    counts = Table.grid(padding=(0, 3))
    counts.add_row(_findings(watched), _unjudged(watched))
    return Panel(Group(head, Text(), counts, Text(), _episodes(watched)), title="privacy-monitor", border_style="dim")


def _findings(watched: Watched) -> Table:
    table = Table(title="Findings", title_justify="left", box=None, pad_edge=False)
    table.add_column("detector")
    table.add_column("violations", justify="right")
    table.add_column("gaps", justify="right")
    for detector in sorted({detector for detector, _ in watched.findings}):
        table.add_row(detector, str(watched.findings[detector, "violation"]), str(watched.findings[detector, "gap"]))
    return table


def _unjudged(watched: Watched) -> Table:
    table = Table(title="Not judged, by reason", title_justify="left", box=None, pad_edge=False)
    table.add_column("reason")
    table.add_column("items", justify="right")
    for reason, number in watched.items.most_common(8):
        if reason != "judged":
            table.add_row(reason, str(number))
    return table


def _episodes(watched: Watched) -> Table:
    table = Table(title="Latest episodes", title_justify="left", box=None, pad_edge=False, expand=True)
    table.add_column("last seen", no_wrap=True)
    table.add_column("severity", no_wrap=True)
    table.add_column("findings", justify="right", no_wrap=True)
    table.add_column("why", ratio=1)
    latest = sorted(watched.alerts.values(), key=lambda alert: (alert.verdict != "gap", alert.last_at_ms), reverse=True)
    for alert in latest[:_EPISODES]:
        when = datetime.fromtimestamp(alert.last_at_ms / 1000, UTC)
        table.add_row(
            f"{when:%H:%M:%S}",
            Text(alert.severity.value, style=_SEVERITY_STYLE[alert.severity.value]),
            str(alert.findings),
            Text(alert.why),
        )
    return table
