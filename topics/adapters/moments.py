"""Moments in all the spellings of logs and events, as milliseconds since the epoch."""

import math
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_NUMBER = re.compile(r"[0-9]{1,20}(?:\.[0-9]{1,9})?")
_LONGEST = 40
_FIRST_MS, _LAST_MS = 10**11, 10**14
_SCALES: tuple[tuple[float, float, int], ...] = (
    # The first includes times before 1973 nowhere: 20240101 is a date without dashes, not a moment of 1970.
    (1e8, 1e11, 0),
    (1e11, 1e14, 1),
    (1e14, 1e17, 1_000),
    (1e17, 1e20, 1_000_000),
)


def milliseconds(value: Any) -> int | None:
    """Read a moment as milliseconds since the epoch; None when it cannot be read.

    Takes ISO 8601 with any offset and fraction (without an offset: UTC), and numbers, also as text, in seconds, milliseconds, microseconds
    or nanoseconds: the unit is told by the size, which is distinct from 1973 to 5138.
    """
    if type(value) is int and _FIRST_MS <= value < _LAST_MS:
        return value
    if type(value) is not str:
        return _of_number(value)
    length = len(value)
    if length == 24 and value[19] == "." and value[23] == "Z":
        # What browsers write. Traffic of a minute shares all but the end of it.
        end = value[17:19] + value[20:23]
        if end.isascii() and end.isdigit() and end[0] < "6" and (start := _minute(value[:17])) is not None:
            return start + int(end)
    if not 8 <= length <= _LONGEST:
        return None
    if value[4] == "-":
        # Web servers write whole seconds: all that a second brings has one text.
        return _moment(value)
    if not _NUMBER.fullmatch(value):
        return None
    return _of_number(float(value) if "." in value else int(value))


@lru_cache(maxsize=1_024)
def _moment(value: str) -> int | None:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return ((moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment) - _EPOCH) // _MILLISECOND


@lru_cache(maxsize=1_024)
def _minute(prefix: str) -> int | None:
    """Read `2026-03-02T10:00:`; None for any other form."""
    if prefix[10] != "T" or prefix[13] != ":" or prefix[16] != ":":
        return None
    try:
        return (datetime.fromisoformat(f"{prefix}00Z") - _EPOCH) // _MILLISECOND
    except ValueError:
        return None


def _of_number(value: Any) -> int | None:
    if type(value) is not int and (type(value) is not float or not math.isfinite(value)):
        return None
    for start, end, per_millisecond in _SCALES:
        if start <= value < end:
            # Only seconds can have a fraction of a millisecond's worth.
            return round(value * 1000) if per_millisecond == 0 else int(value) // per_millisecond
    return None
