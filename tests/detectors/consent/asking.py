"""What a query, a Cookie header or an event says, and strings to ask with."""

from typing import Any

from detectors.consent.signals import find_signals
from tests.detectors.consent.writer import Writer, header, tc_core
from topics.flow import Signal

ADVERTISING = ("advertising", "social")
TRACKING = ("advertising", "social", "analytics")
ALL = tc_core(set(range(1, 12)), set(), {3}, set())
NONE = tc_core(set(), set(), set(), set())


def california(sale: int, share: int, notice: int = 1, gpc: str = "") -> str:
    writer = Writer().integer(1, 6)
    for value in (notice, notice, notice, sale, share):
        writer.integer(value, 2)
    return f"{header({8})}~{writer.integer(0, 30).text()}{gpc}"


def of_query(query: str) -> tuple[Signal, ...]:
    return find_signals(None, None, query, {})


def of_cookies(cookies: str) -> tuple[Signal, ...]:
    return find_signals(None, cookies, None, {})


def of_event(**consent: Any) -> tuple[Signal, ...]:
    return find_signals(None, None, None, {f"context.{key}": value for key, value in consent.items()})


def of_purposes(signals: tuple[Signal, ...]) -> tuple[Signal, ...]:
    """Leave out what is said of kinds of data and of minors."""
    return tuple(signal for signal in signals if not signal.purposes[0].startswith(("sensitive.", "minor.")))


def said(signals: tuple[Signal, ...]) -> list[tuple[str, str, str]]:
    return [(signal.kind, signal.says, signal.remark) for signal in of_purposes(signals)]
