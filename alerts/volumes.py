"""Monthly counts of distinct persons, added up over twelve months and held against the threshold of a law. Pure.

The law asks whether so many persons came together in the preceding twelve months. Months are counted whole: a window is a
month and the eleven before it, so nobody who is older than twelve months is in it. Each window that a changed month
belongs to is looked at, because a backfill may fill an old one.
"""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from detectors.rules.judge import RecordPlace, episode_key, finding_id
from topics.distinct import Distinct
from topics.finding import Basis, Detector, Finding, Fold, Mode, Severity, Verdict
from topics.flow import Role
from topics.volume import Volume

RULE = "transfers.bulk-threshold"
"""Id of what is raised. It is no rule file: it judges no single flow."""
VERSION = "1.0.0"
NEAR_PERCENT = 80
"""From this share of the threshold on engineers are told that it comes near."""
MONTHS = 12
_MOST_MONTHS = 36
"""Months that one total keeps; the oldest go first."""
_MAX_NAMES = 50
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])", re.ASCII)


class Total(msgspec.Struct, frozen=True):
    """The counts of one recipient and kind of data under one law."""

    months: dict[str, str]
    """Month to its distinct subjects (see `topics.distinct`), of all writers."""
    destinations: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    services: tuple[str, ...] = ()


def key_of(volume: Volume) -> str:
    """Give the key of the total that a count belongs to."""
    return "/".join(volume.total)


class Added(NamedTuple):
    """What one record led to."""

    total: Total
    share: float
    """Of the threshold; 1 and more: reached."""
    fold: Fold | None
    """What is to be told; None far below the threshold."""


def add(total: Total | None, volume: Volume, place: RecordPlace) -> Added:
    """Add what one record says to its total.

    `place` is where the record stands. Adding it again changes nothing, and tells the same.
    Raises ValueError when the record contradicts itself.
    """
    more = _checked(volume)
    before = total or Total({})
    months = dict(before.months)
    if volume.month in months:
        known = Distinct.decode(months[volume.month])
        known.merge(more)
        more = known
    months[volume.month] = more.encode()
    after = Total(
        {month: months[month] for month in sorted(months)[-_MOST_MONTHS:]},
        _names(before.destinations, volume.destinations),
        _names(before.categories, volume.categories),
        _names(before.services, volume.services),
    )
    if after == before:
        after = before
    persons = _largest(after.months, volume.month)
    near = len(persons) * 100 >= volume.threshold * NEAR_PERCENT
    return Added(after, len(persons) / (volume.threshold + 1), _fold(after, volume, persons, place) if near else None)


def _checked(volume: Volume) -> Distinct:
    # The topic is open to others: a record that contradicts itself must change no count.
    if not _MONTH.fullmatch(volume.month):
        raise ValueError("not a month")
    if volume.threshold < 0 or not 0 <= volume.first_at_ms <= volume.last_at_ms:
        raise ValueError("a number is out of range")
    return Distinct.decode(volume.subjects)


def _largest(months: Mapping[str, str], changed: str) -> Distinct:
    """Give the persons of the fullest window that holds the changed month."""
    numbers = {_number(month): sketch for month, sketch in months.items()}
    at = _number(changed)
    best = Distinct()
    for end in (number for number in numbers if at <= number < at + MONTHS):
        persons = Distinct()
        for number in range(end - MONTHS + 1, end + 1):
            if number in numbers:
                persons.merge(Distinct.decode(numbers[number]))
        if len(persons) > len(best):
            best = persons
    return best


def _number(month: str) -> int:
    year, _, of_year = month.partition("-")
    return int(year) * 12 + int(of_year)


def _fold(total: Total, volume: Volume, persons: Distinct, place: RecordPlace) -> Fold:
    reached = len(persons) > volume.threshold
    verdict = Verdict.VIOLATION if reached and not volume.recalled else Verdict.GAP
    prohibited = volume.role is Role.THIRD_PARTY
    severity = Severity.LOW if verdict is Verdict.GAP else Severity.CRITICAL if prohibited else Severity.HIGH
    group = (
        ("flow.recipient", volume.recipient),
        ("transfer.regime", volume.regime),
        ("transfer.bulk", volume.group),
    )
    key = episode_key(RULE, VERSION.partition(".")[0], tuple(value for _, value in group))
    minute = volume.last_at_ms // 60_000
    exemplar = Finding(
        finding_id=finding_id(place, Detector.CROSS_JURISDICTION_TRANSFER, RULE, 0, volume.key),
        detector=Detector.CROSS_JURISDICTION_TRANSFER,
        rule=RULE,
        rule_version=VERSION,
        verdict=verdict,
        severity=severity,
        mode=Mode.LIVE,
        basis=Basis.LAW,
        why=_why(volume, total),
        jurisdiction=volume.jurisdiction,
        law=volume.law,
        recipient=volume.recipient,
        service="",
        purpose="",
        step="",
        categories=total.categories,
        fields=(),
        subject="",
        at_ms=volume.last_at_ms,
        topic=place.topic,
        partition=place.partition,
        offset=place.offset,
        item=0,
        location=volume.group,
        proof=_proof(volume, persons, total, reached=reached),
        group=group,
        episode_key=key,
        bundle=volume.bundle,
        runbook=RULE,
    )
    return Fold(
        episode_key=key,
        detector=exemplar.detector,
        rule=RULE,
        rule_version=VERSION,
        verdict=verdict,
        severity=severity,
        mode=Mode.LIVE,
        basis=Basis.LAW,
        jurisdiction=volume.jurisdiction,
        law=volume.law,
        recipient=volume.recipient,
        group=group,
        cluster=place.cluster,
        topic=place.topic,
        partition=place.partition,
        offsets=((place.offset, minute, 1),),
        count=1,
        first_at_ms=volume.first_at_ms,
        last_at_ms=volume.last_at_ms,
        subjects=persons.encode(),
        services=total.services,
        purposes=(),
        categories=total.categories,
        exemplars=(exemplar,),
        bundle=volume.bundle,
        runbook=RULE,
    )


def _why(volume: Volume, total: Total) -> str:
    where = " and ".join(total.destinations) or "an unknown place"
    limit = f"{volume.threshold:,}" + (" (not checked)" if volume.recalled else "")
    return (
        f"{volume.recipient} in {where} receives {volume.group} data of persons in {volume.jurisdiction}, and {volume.regime} "
        f"closes that way above {limit} persons in twelve months"
    )


def _proof(volume: Volume, persons: Distinct, total: Total, *, reached: bool) -> tuple[tuple[str, str], ...]:
    status = "near" if not reached else "prohibited" if volume.role is Role.THIRD_PARTY else "restricted"
    return (
        ("status", status),
        ("regime", volume.regime),
        ("bulk", volume.group),
        ("persons", str(len(persons))),
        ("counted", "exactly" if persons.is_exact else "by a sketch, within 5 %"),
        ("threshold", str(volume.threshold)),
        ("threshold-known", "recalled" if volume.recalled else "verified"),
        *(("destination", each) for each in total.destinations),
        *(
            (f"month-{month}", str(len(Distinct.decode(sketch))))
            for month, sketch in list(total.months.items())[-MONTHS:]
        ),
    )


def _names(known: tuple[str, ...], more: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({*known, *more})[:_MAX_NAMES])
