"""When an alert may be told: at once, after quiet hours, or with the next digest. Pure; moments are in milliseconds."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from topics.finding import SEVERITIES, Severity

_MOST_ROUNDS = 20
"""Spans of quiet hours that may follow each other without a gap."""


class When(NamedTuple):
    """The moment from which something may be told, and whether together with all else that waits for one."""

    at_ms: int
    is_digest: bool


class QuietHours(msgspec.Struct, frozen=True, kw_only=True):
    """A daily span in which people are left alone, by the clock of a place."""

    zone: str
    """Of the IANA database: `Europe/Berlin`."""
    begins: time
    ends: time
    """As late as `begins` or earlier: on the next day."""
    days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    """Days on which it begins; Monday is 0."""
    through: Severity = Severity.CRITICAL
    """From this severity on, people are called all the same."""

    def end_of(self, at_ms: int) -> int | None:
        """Give when the span ends that a moment lies in; None when it lies in none."""
        zone = ZoneInfo(self.zone)
        today = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone).date()
        for day in (today - timedelta(days=1), today):
            if day.weekday() in self.days:
                last = day if self.ends > self.begins else day + timedelta(days=1)
                begin_ms, end_ms = _moment(day, self.begins, zone), _moment(last, self.ends, zone)
                if begin_ms <= at_ms < end_ms:
                    return end_ms
        return None


class Digest(msgspec.Struct, frozen=True, kw_only=True):
    """One message for all of a period, for what is not severe."""

    zone: str
    at: time
    """When the first of a day is sent."""
    hours: int
    """From one to the next; a divisor of 24."""
    upto: Severity = Severity.LOW
    """What is more severe than this is told at once."""

    def next_after(self, at_ms: int) -> int:
        """Give the first moment of a digest behind a moment."""
        return next(each for each in self._moments(at_ms) if each > at_ms)

    def _moments(self, at_ms: int) -> Iterator[int]:
        zone = ZoneInfo(self.zone)
        day = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone).date() - timedelta(days=1)
        for ahead in range(4):
            begin = datetime.combine(day + timedelta(days=ahead), self.at)
            for number in range(24 // self.hours):
                local = begin + timedelta(hours=number * self.hours)
                yield _moment(local.date(), local.time(), zone)


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """When a sink may be told of what."""

    quiet: tuple[QuietHours, ...] = ()
    digest: Digest | None = None

    def when(self, severity: Severity, at_ms: int) -> When:
        """Say from when on an alert of a severity may be told that came at a moment. It is never refused."""
        rank = SEVERITIES.index(severity)
        moment, is_digest = at_ms, False
        if self.digest is not None and rank <= SEVERITIES.index(self.digest.upto):
            moment, is_digest = self.digest.next_after(at_ms), True
        spans = [each for each in self.quiet if rank < SEVERITIES.index(each.through)]
        for _ in range(_MOST_ROUNDS):
            end = max((end for each in spans if (end := each.end_of(moment)) is not None), default=None)
            if end is None:
                break
            # What was held is told together.
            moment, is_digest = end, True
        return When(moment, is_digest)


def _moment(day: date, at: time, zone: ZoneInfo) -> int:
    """Give a moment of a wall clock. An hour that the clocks leave out begins when they have been set."""
    return int(datetime.combine(day, at, zone).timestamp() * 1000)
