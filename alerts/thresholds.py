"""Findings that are worth an episode only together: N in M minutes, of K persons. Pure; time is the event's own.

What lies below a rule's threshold is counted by minute, with the persons of each minute, and nobody is told. A window
is any M minutes in a row. Findings that come late still count in theirs, as far back as two windows.
"""

from collections.abc import Iterable, Sequence

import msgspec

from topics.distinct import Distinct
from topics.finding import MAX_EXEMPLARS, Finding, Fold, Threshold

_MOST_BUCKETS = 60
"""Of one window: a longer one than so many minutes is counted in coarser steps."""


class Waiting(msgspec.Struct, frozen=True):
    """What is counted while the threshold is not reached."""

    buckets: tuple[tuple[int, int, str], ...] = ()
    """(first minute, findings, distinct persons) of each step in which something was found, ascending."""
    exemplars: tuple[Finding, ...] = ()


class Reached(msgspec.Struct, frozen=True):
    """What an episode begins with: the first window that holds enough, and all after it."""

    first_minute: int
    findings: int
    subjects: Distinct
    exemplars: tuple[Finding, ...]


def collect(waiting: Waiting, fold: Fold, fresh: Iterable[tuple[int, int]], threshold: Threshold) -> Waiting:
    """Count findings, given as (event minute, number), of a fold beyond what was counted of it before.

    The persons of a minute are taken as a set: those who were counted before change nothing.
    """
    width = _width(threshold)
    persons = dict(fold.minutes)
    counts = {minute: (count, Distinct.decode(who)) for minute, count, who in waiting.buckets}
    for minute, count in fresh:
        step = minute - minute % width
        known, who = counts.get(step) or (0, Distinct())
        # A producer that does not tell persons by minute is believed for the whole fold.
        who.merge(Distinct.decode(persons.get(minute, fold.subjects)))
        counts[step] = known + count, who
    exemplars = {each.finding_id: each for each in (*waiting.exemplars, *fold.exemplars)}
    return Waiting(
        tuple((step, count, who.encode()) for step, (count, who) in sorted(counts.items())), tuple(exemplars.values())
    )


def trimmed(waiting: Waiting, threshold: Threshold) -> Waiting:
    """Forget what lies more than two windows before the newest: nothing that still comes will count with it."""
    oldest = max((minute for minute, _, _ in waiting.buckets), default=0) - 2 * threshold.minutes
    return Waiting(
        tuple(each for each in waiting.buckets if each[0] > oldest),
        tuple(each for each in waiting.exemplars if each.at_ms // 60_000 > oldest)[-MAX_EXEMPLARS:],
    )


def reached(waiting: Waiting, threshold: Threshold) -> Reached | None:
    """Give what an episode begins with once a window holds enough; None while none does."""
    buckets = [(minute, count, Distinct.decode(who)) for minute, count, who in waiting.buckets]
    for end in range(len(buckets)):
        first = next(each for each in range(end + 1) if buckets[each][0] > buckets[end][0] - threshold.minutes)
        if _is_enough(buckets[first : end + 1], threshold):
            held = buckets[first:]
            start = held[0][0]
            shown = tuple(each for each in waiting.exemplars if each.at_ms // 60_000 >= start)
            return Reached(start, sum(count for _, count, _ in held), _everybody(held), shown)
    return None


def _is_enough(window: Sequence[tuple[int, int, Distinct]], threshold: Threshold) -> bool:
    if sum(count for _, count, _ in window) < threshold.findings:
        return False
    return threshold.subjects <= 1 or len(_everybody(window)) >= threshold.subjects


def _everybody(window: Iterable[tuple[int, int, Distinct]]) -> Distinct:
    everybody = Distinct()
    for _, _, who in window:
        everybody.merge(who)
    return everybody


def _width(threshold: Threshold) -> int:
    return max(1, -(-threshold.minutes // _MOST_BUCKETS))
