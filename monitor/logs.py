"""Logs: JSON lines on standard error, coordinates and names of ours only, never a value from traffic."""

import json
import logging
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

import structlog

structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.JSONRenderer(),
    ],
    logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    cache_logger_on_first_use=False,
)

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class _Lines(logging.Formatter):
    """The logs of libraries in our form. Of an exception only its type is kept: its text may quote a record."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "event": record.getMessage()[:500],
            "logger": record.name,
            "level": record.levelname.lower(),
        }
        if left_out := getattr(record, "left_out", 0):
            line["left_out"] = left_out
        if record.exc_info and record.exc_info[0] is not None:
            line["event"] = record.msg.splitlines()[0][:200] if isinstance(record.msg, str) else "error"
            line["exception"] = record.exc_info[0].__name__
            line["at"] = _innermost(record)
        line["timestamp"] = datetime.fromtimestamp(record.created, UTC).isoformat()
        return json.dumps(line)


_SELDOM_SECONDS = 10.0
_MOST_KINDS = 1_000


class Seldom(logging.Filter):
    """Lets a kind of line of a library pass once in ten seconds, and says then how many were left out.

    A client writes hundreds of them in a second while its broker is away.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._passed: dict[tuple[str, int, str], float] = {}
        self._left_out: dict[tuple[str, int, str], int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether a line is written."""
        kind = (record.name, record.levelno, str(record.msg)[:200])
        now = self._clock()
        if now - self._passed.get(kind, -_SELDOM_SECONDS) < _SELDOM_SECONDS:
            self._left_out[kind] = self._left_out.get(kind, 0) + 1
            return False
        if len(self._passed) >= _MOST_KINDS:
            self._passed.clear()
            self._left_out.clear()
        self._passed[kind] = now
        record.left_out = self._left_out.pop(kind, 0)
        return True


def take_over_libraries(level: int = logging.WARNING) -> None:
    """Send the log records of libraries through our form."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines())
    handler.addFilter(Seldom())
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(level)


def _innermost(record: logging.LogRecord) -> str:
    trace = record.exc_info[2] if record.exc_info else None
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}" if trace is not None else ""
