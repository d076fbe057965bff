"""The clocks of an episode: which of the duties that its law names run, since when, and until when. Pure.

The law pack names times; when one begins is a fact. A recorded opt-out must have effect so many days after the person refused,
which the findings tell; a browser's signal binds at once, and no clock runs for it. A cure period begins with the regulator's notice and the telling of a breach with its discovery: these the
monitor cannot know, so they run only once somebody declares them. Deadlines for answering a person's request are not of a
violation and are left out.
"""

from datetime import UTC, datetime, timedelta

from alerts.state import Episode
from topics.alert import EpisodeState
from topics.exposure import Clock, Due
from topics.finding import Detector, Finding
from topics.triage import Declared

_WAITS_FOR = {"breach": Declared.BREACH.value, "cure": Declared.NOTICE.value}
_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
KEPT_AFTER_MS = 30 * _DAY_MS
"""So long after its due time a declared clock keeps its episode from being forgotten."""


def refused_at_ms(finding: Finding) -> int:
    """Give when the recorded refusal was made that a finding's disclosure went against; 0: there was none.

    A browser's signal is none, recorded or not: it gives nobody any time.
    """
    if finding.detector is not Detector.UNCONSENTED_TRACKING:
        return 0
    proof = dict(finding.proof)
    since = proof.get("seconds-since-refusal", "")
    if "refused-by" in proof or not (since.isascii() and since.isdigit() and len(since) < 12):
        return 0
    return max(1, finding.at_ms - int(since) * 1000)


def dues(episode: Episode) -> tuple[Due, ...]:
    """Give the clocks that run, by due time, and behind them those that wait to be started.

    What was declared as met is left out; an opt-out that was acted on (a resolved episode) as well.
    """
    found = [due for clock in episode.clocks if (due := _due(clock, episode)) is not None]
    return tuple(sorted(found, key=lambda due: (not due.due_at_ms, due.due_at_ms, due.kind, due.detail, due.duty)))


def keeps(episode: Episode, now_ms: int) -> bool:
    """Say whether a declared clock still runs, or ran out lately: the episode must not be forgotten then."""
    return any(due.waits_for == "" and due.kind in _WAITS_FOR and _is_kept(due, now_ms) for due in dues(episode))


def running(due: tuple[Due, ...]) -> tuple[Due, ...]:
    """Give those that have a due time."""
    return tuple(each for each in due if each.due_at_ms)


def _is_kept(due: Due, now_ms: int) -> bool:
    return now_ms < (due.due_at_ms or due.started_at_ms + 365 * _DAY_MS) + KEPT_AFTER_MS


def _due(clock: Clock, episode: Episode) -> Due | None:
    if clock.duty in episode.met:
        return None
    if clock.kind == "opt-out":
        if not episode.refused_at_ms or episode.state is EpisodeState.RESOLVED:
            return None
        start, waits_for = episode.refused_at_ms, ""
    elif clock.kind in _WAITS_FOR:
        waits_for = _WAITS_FOR[clock.kind]
        start = episode.declared.get(waits_for, 0)
        waits_for = "" if start else waits_for
    else:
        return None
    return Due(
        due_at_ms=_end(clock, start) if start else 0,
        kind=clock.kind,
        detail=clock.detail,
        duty=clock.duty,
        started_at_ms=start,
        waits_for=waits_for,
        measure=measure(clock),
        citation=clock.citation,
    )


def measure(clock: Clock) -> str:
    """Give the time that a clock gives, in words."""
    if clock.hours:
        return f"{clock.hours} hours"
    if clock.days:
        return f"{clock.days} {'business ' if clock.business_days else ''}days"
    return clock.measure


def _end(clock: Clock, start_ms: int) -> int:
    """Give the moment when the time is over; 0 where the law names no number.

    Business days leave out Saturdays and Sundays. Holidays are not known, so the true end may be later and is never earlier.
    """
    if clock.hours:
        return start_ms + clock.hours * _HOUR_MS
    if not clock.days:
        return 0
    if not clock.business_days:
        return start_ms + clock.days * _DAY_MS
    moment = datetime.fromtimestamp(start_ms / 1000, UTC)
    left = clock.days
    while left:
        moment += timedelta(days=1)
        left -= moment.weekday() < 5
    return int(moment.timestamp() * 1000)
