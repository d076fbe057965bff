"""Alerts as rows of a CSV file, for people with spreadsheets. Pure."""

import csv
import io
from collections.abc import Iterable
from datetime import UTC, datetime

from topics.alert import Alert

COLUMNS = (
    "episode_id",
    "state",
    "severity",
    "verdict",
    "detector",
    "rule",
    "jurisdiction",
    "law",
    "recipient",
    "services",
    "purposes",
    "categories",
    "findings",
    "subjects",
    "subjects_exact",
    "first_at",
    "last_at",
    "why",
    "evidence",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def lines(alerts: Iterable[Alert]) -> Iterable[str]:
    """Give the lines of the file, its header first. No cell begins as a formula does."""
    yield _line(COLUMNS)
    for alert in alerts:
        yield _line(_cells(alert))


def _cells(alert: Alert) -> tuple[str, ...]:
    return (
        alert.episode_id,
        alert.state.value,
        alert.severity.value,
        alert.verdict.value,
        alert.detector.value,
        alert.rule,
        alert.jurisdiction,
        " ".join(alert.law),
        alert.recipient,
        " ".join(alert.services),
        " ".join(alert.purposes),
        " ".join(alert.categories),
        str(alert.findings),
        str(alert.subjects),
        "yes" if alert.subjects_exact else "no",
        _moment(alert.first_at_ms),
        _moment(alert.last_at_ms),
        alert.why,
        " ".join(f"{each.topic}/{each.partition}/{each.offset}" for each in alert.exemplars),
    )


def _line(cells: Iterable[str]) -> str:
    out = io.StringIO()
    # A spreadsheet runs a cell that begins like a formula, and a recipient's name comes from traffic.
    csv.writer(out).writerow("'" + cell if cell.startswith(_FORMULA) else cell for cell in cells)
    return out.getvalue()


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
