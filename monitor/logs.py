"""Logs: JSON lines on standard error, coordinates and names of ours only, never a value from traffic."""

import json
import logging
import sys
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
        line = {"event": record.getMessage()[:500], "logger": record.name, "level": record.levelname.lower()}
        if record.exc_info and record.exc_info[0] is not None:
            line["event"] = record.msg.splitlines()[0][:200] if isinstance(record.msg, str) else "error"
            line["exception"] = record.exc_info[0].__name__
            line["at"] = _innermost(record)
        line["timestamp"] = datetime.fromtimestamp(record.created, UTC).isoformat()
        return json.dumps(line)


def take_over_libraries(level: int = logging.WARNING) -> None:
    """Send the log records of libraries through our form."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines())
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(level)


def _innermost(record: logging.LogRecord) -> str:
    trace = record.exc_info[2] if record.exc_info else None
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}" if trace is not None else ""
