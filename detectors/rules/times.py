"""Timestamps and durations of the rule language: read, written, added, and taken apart."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from detectors.rules.values import INT_MAX, INT_MIN, EvaluationError, FaultKind, Moment, Overloads, Span

_SECOND = 1_000_000_000
_DAY_SECONDS = 86_400
_FIRST, _LAST = -62_135_596_800, 253_402_300_799
"""Seconds of the first and the last moment that CEL knows: the years 1 to 9999."""
_LONGEST_SECONDS = 315_576_000_000
_UNITS = {"h": 3600 * _SECOND, "m": 60 * _SECOND, "s": _SECOND, "ms": 1_000_000, "us": 1_000, "ns": 1}
_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):?(\d\d))", re.ASCII
)
_PART = re.compile(r"(\d*)(?:\.(\d*))?(h|ms|m|us|s|ns)", re.ASCII)
_OFFSET = re.compile(r"([+-]?)(\d\d):(\d\d)", re.ASCII)
_EPOCH_DAY = date(1970, 1, 1).toordinal()


def moment(nanoseconds: int) -> Moment:
    """Give a timestamp within the years 1 to 9999."""
    if _FIRST * _SECOND <= nanoseconds < (_LAST + 1) * _SECOND:
        return Moment(nanoseconds)
    raise EvaluationError(FaultKind.OVERFLOW)


def _cut_to_64_bits(nanoseconds: int) -> int:
    """Cut a duration that was written longer (`87660000h`) as the engine does before it calculates."""
    return min(max(nanoseconds, INT_MIN), INT_MAX)


def _sum(left: int, right: int) -> Span:
    total = _cut_to_64_bits(left) + _cut_to_64_bits(right)
    if INT_MIN <= total <= INT_MAX:
        return Span(total)
    raise EvaluationError(FaultKind.OVERFLOW)


def _distance(left: int, right: int) -> Span:
    if INT_MIN <= left - right <= INT_MAX:
        return Span(left - right)
    raise EvaluationError(FaultKind.OVERFLOW)


def read_moment(text: str) -> Moment:
    """Read a timestamp of RFC 3339."""
    found = _RFC3339.fullmatch(text.strip(" \t\n\r\v\f"))
    if found is None:
        raise EvaluationError(FaultKind.NO_CONVERSION)
    year, month, day, hour, minute, second = (int(each) for each in found.groups()[:6])
    fraction, sign, off_hours, off_minutes = found.groups()[6:]
    if hour > 23 or minute > 59 or second > 60 or year == 0:
        raise EvaluationError(FaultKind.NO_CONVERSION)
    try:
        days = date(year, month, day).toordinal() - _EPOCH_DAY
    except ValueError:
        raise EvaluationError(FaultKind.NO_CONVERSION) from None
    # A leap second is the first of the next minute, as in the engine.
    seconds = days * _DAY_SECONDS + hour * 3600 + minute * 60 + second
    if sign:
        if int(off_hours) > 23 or int(off_minutes) > 59:
            raise EvaluationError(FaultKind.NO_CONVERSION)
        offset = int(off_hours) * 3600 + int(off_minutes) * 60
        seconds -= -offset if sign == "-" else offset
    return moment(seconds * _SECOND + (int((fraction or "")[:9].ljust(9, "0")) if second < 60 else 0))


def read_span(text: str) -> Span:
    """Read a duration such as `1h30m`, `1.5s` or `-250ms`; `0` needs no unit."""
    sign = -1 if text.startswith("-") else 1
    rest = text[1:] if text[:1] in {"-", "+"} else text
    if rest == "0":
        return Span(0)
    total, position = 0, 0
    while position < len(rest):
        part = _PART.match(rest, position)
        if part is None or not (part[1] or part[2]):
            raise EvaluationError(FaultKind.NO_CONVERSION)
        unit = _UNITS[part[3]]
        fraction = part[2] or ""
        total += int(part[1] or 0) * unit
        total += int(fraction or 0) * unit // 10 ** len(fraction)
        position = part.end()
    if not rest or total // _SECOND > _LONGEST_SECONDS:
        raise EvaluationError(FaultKind.NO_CONVERSION)
    return Span(sign * total)


def write_moment(value: Moment) -> str:
    """Write a timestamp with as few groups of three digits behind the second as it needs."""
    seconds, rest = divmod(int(value), _SECOND)
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    return f"{at.year:04}-{at.month:02}-{at.day:02}T{at.hour:02}:{at.minute:02}:{at.second:02}{_digits(rest)}Z"


def write_span(value: Span) -> str:
    """Write a duration in seconds."""
    seconds, rest = divmod(abs(int(value)), _SECOND)
    return f"{'-' if value < 0 else ''}{seconds}{_digits(rest)}s"


def _digits(nanoseconds: int) -> str:
    if not nanoseconds:
        return ""
    if nanoseconds % 1_000_000 == 0:
        return f".{nanoseconds // 1_000_000:03}"
    if nanoseconds % 1_000 == 0:
        return f".{nanoseconds // 1_000:06}"
    return f".{nanoseconds:09}"


def zone(name: str) -> tzinfo | None:
    """Find a time zone by its name (`Europe/Berlin`) or its distance from UTC (`+02:00`); None when there is no such zone."""
    distance = _OFFSET.fullmatch(name)
    if distance:
        if int(distance[2]) > 23 or int(distance[3]) > 59:
            return None
        offset = timedelta(hours=int(distance[2]), minutes=int(distance[3]))
        return timezone(-offset if distance[1] == "-" else offset)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def local(value: Moment, at: tzinfo | None) -> tuple[int, int]:
    """Give days since the epoch and nanoseconds of the day, in a zone."""
    nanoseconds = int(value)
    if at is not None:
        # Zones are asked about the years that Python's calendar has on both sides of every offset.
        seconds = min(max(nanoseconds // _SECOND, _FIRST + 2 * _DAY_SECONDS), _LAST - 2 * _DAY_SECONDS)
        offset = at.utcoffset((datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).astimezone(at))
        nanoseconds += (offset or timedelta()) // timedelta(microseconds=1) * 1_000
    return divmod(nanoseconds, _DAY_SECONDS * _SECOND)


def _civil(days: int) -> tuple[int, int, int]:
    """Give year, month and day; a distance from UTC can lead into the year 0 or 10000, which `date` does not have."""
    cycles, rest = divmod(days + _EPOCH_DAY - 1, 146_097)
    try:
        within = date.fromordinal(rest + 1)
    except OverflowError:  # pragma: no cover - 400 years always fit
        raise EvaluationError(FaultKind.INTERNAL) from None
    return within.year + 400 * cycles, within.month, within.day


def _day_of_year(days: int) -> int:
    _year, month, day = _civil(days)
    leap = date.fromordinal((days + _EPOCH_DAY - 1) % 146_097 + 1)
    return (date(leap.year, month, day) - date(leap.year, 1, 1)).days


Part = Callable[[int, int], int]
PARTS: Mapping[str, Part] = {
    "getFullYear": lambda days, _rest: _civil(days)[0],
    "getMonth": lambda days, _rest: _civil(days)[1] - 1,
    "getDate": lambda days, _rest: _civil(days)[2],
    "getDayOfMonth": lambda days, _rest: _civil(days)[2] - 1,
    "getDayOfYear": lambda days, _rest: _day_of_year(days),
    "getDayOfWeek": lambda days, _rest: (days + 4) % 7,
    "getHours": lambda _days, rest: rest // (3600 * _SECOND),
    "getMinutes": lambda _days, rest: rest // (60 * _SECOND) % 60,
    "getSeconds": lambda _days, rest: rest // _SECOND % 60,
    "getMilliseconds": lambda _days, rest: rest // 1_000_000 % 1000,
}
"""Parts of a timestamp, from days since the epoch and nanoseconds of the day. Months, days of month and of year count from 0."""


def _cut(value: int, unit: int) -> int:
    return value // unit if value >= 0 else -(-value // unit)


def part_of(part: Part, at: tzinfo | None) -> Callable[[Moment], int]:
    """Give what takes one part of a timestamp, in a zone (None: UTC)."""
    return lambda value: part(*local(value, at))


OPERATORS: Mapping[str, Overloads] = {
    "_+_": {
        ("timestamp", "duration"): lambda left, right: moment(int(left) + int(right)),
        ("duration", "timestamp"): lambda left, right: moment(int(left) + int(right)),
        ("duration", "duration"): lambda left, right: _sum(int(left), int(right)),
    },
    "_-_": {
        ("timestamp", "duration"): lambda left, right: moment(int(left) - _cut_to_64_bits(int(right))),
        ("timestamp", "timestamp"): lambda left, right: _distance(int(left), int(right)),
        ("duration", "duration"): lambda left, right: _sum(int(left), -int(right)),
    },
    **{name: {("timestamp",): part_of(part, None)} for name, part in PARTS.items()},
    "getHours": {
        ("timestamp",): part_of(PARTS["getHours"], None),
        ("duration",): lambda value: _cut(int(value), 3600 * _SECOND),
    },
    "getMinutes": {
        ("timestamp",): part_of(PARTS["getMinutes"], None),
        ("duration",): lambda value: _cut(int(value), 60 * _SECOND),
    },
    "getSeconds": {
        ("timestamp",): part_of(PARTS["getSeconds"], None),
        ("duration",): lambda value: _cut(int(value), _SECOND),
    },
    "getMilliseconds": {
        ("timestamp",): part_of(PARTS["getMilliseconds"], None),
        # Of a duration the engine gives the milliseconds within the second.
        ("duration",): lambda value: _cut(int(value) - _cut(int(value), _SECOND) * _SECOND, 1_000_000),
    },
}
"""By CEL's names."""
