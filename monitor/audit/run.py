"""The whole check: what the topics of ours say of each source partition, window after window, against source and judge."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from monitor.audit.check import check
from monitor.audit.evidence import (
    DEAD_LETTERED,
    INSPECTED,
    Claim,
    Collector,
    Evidence,
    FoldRecord,
    Place,
    Source,
    Unreadable,
)
from monitor.audit.findings import was_silent
from monitor.audit.judge import Judge, Question
from monitor.audit.ranges import between
from monitor.audit.read import Seen, Topics
from monitor.audit.verdict import Result, Said, Unverifiable

_WINDOW = 100_000
"""Offsets that are held at once, at most, unless one range is longer."""
_EARLIER_MS = 600_000
"""Clocks of brokers and producers differ: records of ours are looked for from so long before the moment asked about."""
ACCOUNTING, FINDINGS, SHADOW, DEAD_LETTERS = (
    "privacy.accounting.v1",
    "privacy.findings.v1",
    "privacy.shadow.v1",
    "privacy.deadletter.v1",
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked about."""

    topics: Sequence[str]
    from_ms: int | None = None
    to_ms: int | None = None
    settle_seconds: float = 5.0
    """Records of ours younger than this are not looked at: what belongs with them may be on its way."""
    judge: Sequence[str] = ()
    """Command of the judge; empty: findings are held against nothing but each other."""


@dataclass(slots=True)
class Audit:
    """What came of it."""

    cluster: str
    bundle: str
    """By which the judge judges; empty when it was not asked."""
    partitions: dict[Place, Result] = field(default_factory=dict)
    unreadable: list[Unreadable] = field(default_factory=list)

    @property
    def total(self) -> Result:
        """Put the partitions together."""
        total = Result()
        for each in self.partitions.values():
            total.add(each)
        return total

    @property
    def is_fine(self) -> bool:
        """Whether nothing is wrong. What is unverifiable is not wrong, and is not fine either: see `total.unverifiable`."""
        return not self.unreadable and not any(each.faults for each in self.partitions.values())


def audit(settings: Mapping[str, Any], wanted: Wanted, tell: Callable[[str], None] = lambda _line: None) -> Audit:
    """Check the source topics. Raises AuditProblem when it cannot be done."""
    topics = Topics(settings)
    try:
        places = topics.places(wanted.topics)
        collected = _collect(topics, wanted, places)
        _bound(topics, wanted, collected)
        if not wanted.judge:
            return _checked(topics, collected, None, tell)
        with Judge(wanted.judge) as judge:
            return _checked(topics, collected, judge, tell)
    finally:
        topics.close()


def _collect(topics: Topics, wanted: Wanted, places: Sequence[Place]) -> Collector:
    """Read the topics of ours."""
    collector = Collector(topics.cluster, places, topics.created_anew(wanted.topics))
    newest_ms = int((time.time() - wanted.settle_seconds) * 1000)
    for topic, take, until_ms in (
        (ACCOUNTING, collector.accounting, newest_ms),
        (FINDINGS, collector.fold, None),
        (SHADOW, collector.fold, None),
        (DEAD_LETTERS, collector.letter, None),
    ):
        ours = topics.places([topic])
        topics.await_transactions(ours)
        starts = {place: topics.bounds(place).low for place in ours}
        if wanted.from_ms is not None:
            starts |= topics.at(ours, wanted.from_ms - _EARLIER_MS)
        ends = {place: topics.bounds(place).high for place in ours}
        if until_ms is not None:
            ends = {place: min(end, ends[place]) for place, end in topics.at(ours, until_ms).items()}
        topics.read({place: (starts[place], ends[place]) for place in ours}, _into(take))
    return collector


def _into(take: Callable[[str, bytes], None]) -> Callable[[Place, Seen], None]:
    return lambda place, seen: take(f"{place[0]}/{place[1]}/{seen.offset}", seen.value or b"")


def _bound(topics: Topics, wanted: Wanted, collected: Collector) -> None:
    """Note what the broker has of each source partition, and which of it is asked about."""
    places = list(collected.evidence)
    begins = topics.at(places, wanted.from_ms) if wanted.from_ms is not None else {}
    untils = topics.at(places, wanted.to_ms) if wanted.to_ms is not None else {}
    compacted = {topic: topics.is_compacted(topic) for topic in {topic for topic, _ in places}}
    for place, evidence in collected.evidence.items():
        low, high = topics.bounds(place)
        evidence.source = Source(
            low, high, compacted=compacted[place[0]], begin=begins.get(place), until=untils.get(place)
        )


def _checked(topics: Topics, collected: Collector, judge: Judge | None, tell: Callable[[str], None]) -> Audit:
    done = Audit(topics.cluster, judge.bundle if judge is not None else "", unreadable=collected.unreadable)
    for place, evidence in collected.evidence.items():
        total = Result()
        for window in windows(evidence):
            source = window.source
            first = max(source.low, source.begin or 0)
            topics.read(
                {place: (first, min(source.high, source.until or source.high))},
                lambda _place, seen, sizes=source.sizes: sizes.__setitem__(seen.offset, len(seen.value or b"")),  # type: ignore[misc]
            )
            words: dict[tuple[str, int], Said] | None = None
            if judge is not None:
                words = {}
                for question in questions(window, judge.bundle):
                    judge.ask(place, question, words)
            total.add(check(place, window, words, done.bundle))
            tell(f"{place[0]}/{place[1]}: checked up to offset {source.until}")
        bounds = evidence.source
        if bounds.until is None:
            judged = max((claim.end for claim in evidence.claims), default=bounds.low)
            total.waiting = max(0, bounds.high - judged)
        if bounds.begin is None:
            total.unwatched = max(0, min((claim.start for claim in evidence.claims), default=bounds.low) - bounds.low)
        if collected.earlier[place]:
            total.unverifiable[Unverifiable.CREATED_ANEW] += collected.earlier[place]
        done.partitions[place] = total
    return done


def windows(evidence: Evidence, most: int = _WINDOW) -> list[Evidence]:
    """Cut the evidence where no accounting record is cut, so that what is held at once is bounded."""
    source = evidence.source
    claims = sorted(evidence.claims, key=lambda claim: (claim.start, claim.end))
    begin = source.begin if source.begin is not None else min((claim.start for claim in claims), default=source.high)
    until = source.until if source.until is not None else max((claim.end for claim in claims), default=begin)
    # A range that claims more than there is must not make us look for it.
    until = min(until, source.high)
    cuts, last, reached = [begin], begin, begin
    for claim in claims:
        if claim.start >= reached and claim.start - last >= most and begin < claim.start < until:
            cuts.append(claim.start)
            last = claim.start
        reached = max(reached, claim.end)
    cuts.append(until)
    return [_window(evidence, first, end, is_last=end == until) for first, end in pairwise(cuts)]


def _window(evidence: Evidence, begin: int, until: int, *, is_last: bool) -> Evidence:
    def within(fold: FoldRecord) -> FoldRecord | None:
        counts = tuple(each for each in fold.counts if begin <= each[0] < until)
        exemplars = tuple(each for each in fold.exemplars if begin <= each.offset < until)
        return replace(fold, counts=counts, exemplars=exemplars) if counts else None

    return Evidence(
        source=replace(evidence.source, sizes={}, begin=begin, until=until),
        claims=[each for each in evidence.claims if each.end > begin and (is_last or each.start < until)],
        folds=[kept for fold in evidence.folds if (kept := within(fold)) is not None],
        letters=[each for each in evidence.letters if begin <= each.offset < until],
    )


def questions(window: Evidence, bundle: str) -> list[Question]:
    """Give what the judge is to be asked: the records that ranges of its bundle cover, each at the mark of its range.

    Where something was found, a silent ledger may have been the reason; and a delivery may have broken off before its accounting
    was there, so that only its folds tell the mark. Such records are asked about once more, one by one.
    """
    source = window.source
    begin, until = max(source.begin or 0, source.low), min(source.until or source.high, source.high)
    marks: dict[int, set[str]] = {}
    for fold in window.folds:
        for offset, _ in fold.counts if fold.bundle == bundle else ():
            marks.setdefault(offset, set()).add(fold.mark)
    found = between(sorted(marks), begin, until)
    asked: dict[Question, None] = {}
    for claim in sorted(window.claims, key=lambda claim: (claim.start, claim.end)):
        for start, end in _read_runs(claim) if claim.bundle == bundle else ():
            question = Question(max(start, begin), min(end, until), claim.mark, was_silent(claim))
            if question.start < question.end:
                asked[question] = None
            for offset in between(found, start, end):
                marks[offset].add(claim.mark)
    one_by_one = (
        Question(offset, offset + 1, mark, silent=True) for offset in found for mark in sorted(marks[offset] - {""})
    )
    return [*asked, *one_by_one]


def _read_runs(claim: Claim) -> list[tuple[int, int]]:
    """Give the spans of a range that were read, neighbours together."""
    spans: list[tuple[int, int]] = []
    at = claim.start
    for length, kind in claim.runs:
        if kind in (INSPECTED, DEAD_LETTERED):
            if spans and spans[-1][1] == at:
                spans[-1] = spans[-1][0], at + length
            else:
                spans.append((at, at + length))
        at += length
    return spans
