"""What the demo has seen in the monitor's own topics, and what it says at its end."""

from collections import Counter
from collections.abc import Iterable

import msgspec

from monitor.shop import Plant
from topics.accounting import Accounting, DeadLetter
from topics.alert import Alert
from topics.catalog import ACCOUNTING, ALERTS, DEAD_LETTERS, FINDINGS
from topics.finding import Fold, Verdict
from topics.record import Place, RawRecord

_FOLD = msgspec.json.Decoder(Fold)
_ALERT = msgspec.json.Decoder(Alert)
_LETTER = msgspec.json.Decoder(DeadLetter)
_ACCOUNT = msgspec.json.Decoder(Accounting)

Coordinates = tuple[str, int, int]
"""Topic, partition, offset."""


class Watched(msgspec.Struct):
    """What the topics of the monitor have told so far: the demo page is a projection of it."""

    produced: int = 0
    judged_offsets: dict[Place, int] = msgspec.field(default_factory=dict)
    items: Counter[str] = msgspec.field(default_factory=Counter)
    findings: Counter[tuple[str, str]] = msgspec.field(default_factory=Counter)
    """(detector, verdict) -> findings."""
    found: dict[Coordinates, set[str]] = msgspec.field(default_factory=dict)
    """Where violations were found, and by which detectors."""
    dead: set[Coordinates] = msgspec.field(default_factory=set)
    alerts: dict[str, Alert] = msgspec.field(default_factory=dict)
    plants: dict[Coordinates, Plant] = msgspec.field(default_factory=dict)
    ends: dict[Place, int] = msgspec.field(default_factory=dict)
    """The offset after the last that was produced, by partition."""
    first_alert_seconds: float | None = None

    @property
    def judged_records(self) -> int:
        """Count the offsets that the accounting covers."""
        return sum(self.judged_offsets.values())

    @property
    def is_drained(self) -> bool:
        """Tell whether the accounting covers all that was produced."""
        return all(self.judged_offsets.get(place, 0) >= end for place, end in self.ends.items())


class Result(msgspec.Struct, frozen=True):
    """What the demo says at its end."""

    seconds: float
    records: int
    accounted: int
    items: dict[str, int]
    planted: int
    found: int
    missed: list[str]
    invented: list[str]
    near_misses: int
    near_misses_raised: int
    malformed: int
    malformed_dead_lettered: int
    findings: dict[str, int]
    episodes: int
    first_alert_seconds: float | None
    metrics: list[str]

    @property
    def is_right(self) -> bool:
        """Tell whether all was found, nothing invented, and every record accounted for."""
        return (
            not self.missed
            and not self.invented
            and self.accounted == self.records
            and self.malformed == self.malformed_dead_lettered
        )


def absorb(watched: Watched, records: Iterable[RawRecord], seconds: float) -> None:
    """Take in records of the monitor's own topics."""
    for record in records:
        if record.value is None:
            continue
        if record.topic == ACCOUNTING.name:
            account = _ACCOUNT.decode(record.value)
            place = account.topic, account.partition
            watched.judged_offsets[place] = max(account.end, watched.judged_offsets.get(place, 0))
            watched.items.update(account.items)
        elif record.topic == DEAD_LETTERS.name:
            letter = _LETTER.decode(record.value)
            watched.dead.add((letter.topic, letter.partition, letter.offset))
        elif record.topic == FINDINGS.name:
            _absorb_fold(watched, _FOLD.decode(record.value))
        elif record.topic == ALERTS.name:
            alert = _ALERT.decode(record.value)
            watched.alerts[alert.episode_key] = alert
            if watched.first_alert_seconds is None:
                watched.first_alert_seconds = seconds


def _absorb_fold(watched: Watched, fold: Fold) -> None:
    watched.findings[fold.detector.value, fold.verdict.value] += fold.count
    if fold.verdict is not Verdict.VIOLATION:
        return
    offset = 0
    for delta, _minute, _count in fold.offsets:
        offset += delta
        watched.found.setdefault((fold.topic, fold.partition, offset), set()).add(fold.detector.value)


def conclude(watched: Watched, seconds: float, urls: list[str]) -> Result:
    """Match what was planted with what was found, by coordinates and detector."""
    # What the monitor has not come to yet was neither found nor missed.
    plants = {
        place: plant for place, plant in watched.plants.items() if place[2] < watched.judged_offsets.get(place[:2], 0)
    }
    violations = {place: plant for place, plant in plants.items() if plant.expected == "violation"}
    near = {place: plant for place, plant in plants.items() if plant.expected == "near-miss"}
    malformed = {place for place, plant in plants.items() if plant.expected == "dead-letter"}
    missed = [
        f"{plant.kind} at {_where(place)}"
        for place, plant in sorted(violations.items())
        if plant.detector not in watched.found.get(place, set())
    ]
    invented = [
        f"{detector} at {_where(place)}" + (f" (near miss: {near[place].kind})" if place in near else "")
        for place, detectors in sorted(watched.found.items())
        for detector in sorted(detectors)
        if place not in violations or violations[place].detector != detector
    ]
    return Result(
        seconds=round(seconds, 1),
        records=watched.produced,
        accounted=watched.judged_records,
        items=dict(sorted(watched.items.items())),
        planted=len(violations),
        found=len(violations) - len(missed),
        missed=missed,
        invented=invented,
        near_misses=len(near),
        near_misses_raised=sum(place in watched.found for place in near),
        malformed=len(malformed),
        malformed_dead_lettered=len(malformed & watched.dead),
        findings={f"{detector}/{verdict}": number for (detector, verdict), number in sorted(watched.findings.items())},
        episodes=len(watched.alerts),
        first_alert_seconds=None if watched.first_alert_seconds is None else round(watched.first_alert_seconds, 1),
        metrics=urls,
    )


def _where(place: Coordinates) -> str:
    return f"{place[0]}/{place[1]}/{place[2]}"
