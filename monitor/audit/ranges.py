"""The accounting of one input partition: held against itself, and against what the broker has."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from monitor.audit.evidence import CLASSES, EXPIRED, HOLE, Claim, Evidence, Place
from monitor.audit.verdict import Kind, Result, Unverifiable


class Segment(NamedTuple):
    """Neighbouring offsets that one range puts into one class."""

    start: int
    end: int
    kind: str
    claim: Claim


class Ranges:
    """The ranges that say something about the offsets in question."""

    def __init__(self, place: Place, evidence: Evidence, result: Result) -> None:
        self.place = place
        self.source = evidence.source
        self.result = result
        self.claims = sorted(
            (claim for claim in evidence.claims if self._is_well_formed(claim)),
            key=lambda claim: (claim.start, claim.end),
        )
        source = self.source
        last = max((claim.end for claim in self.claims), default=source.begin or 0)
        first = min((claim.start for claim in self.claims), default=source.high)
        self.begin = source.begin if source.begin is not None else first
        self.until = source.until if source.until is not None else last
        clipped = (
            Segment(max(each.start, self.begin), min(each.end, self.until), each.kind, each.claim)
            for claim in self.claims
            for each in segments(claim)
        )
        self.segments = _without_repetition([each for each in clipped if each.start < each.end])
        self.again: defaultdict[int, list[Claim]] = defaultdict(list)
        """Ranges beside the first that cover an offset."""

    def whole(self) -> Iterable[Claim]:
        """Give the ranges that lie in the question as a whole."""
        return (claim for claim in self.claims if claim.start >= self.begin and claim.end <= self.until)

    def once(self, *kinds: str) -> Iterable[tuple[Claim, int]]:
        """Give each offset of these classes once, with the range that covers it first."""
        at = self.begin
        for start, end, kind, claim in self.segments:
            if kind in kinds:
                for offset in range(max(start, at), end):
                    yield claim, offset
            at = max(at, end)

    def offsets(self, *kinds: str) -> set[int]:
        """Give the offsets of these classes."""
        return {offset for _, offset in self.once(*kinds)}

    def covering(self, claim: Claim, offset: int) -> Iterable[Claim]:
        """Give every range that covers an offset, the first of which is known."""
        return (claim, *self.again.get(offset, ()))

    def check(self) -> None:
        """Hold that ranges cover every offset, agree where they overlap, and say what the broker shows."""
        self._tiling()
        seen: set[tuple[int, int, str]] = set()
        for segment in self.segments:
            if segment[:3] not in seen:
                seen.add(segment[:3])
                self._held_against_source(segment)

    def _is_well_formed(self, claim: Claim) -> bool:
        lengths = [length for length, _ in claim.runs]
        if claim.end <= claim.start or sum(lengths) != claim.end - claim.start or 0 in lengths:
            self._fault(Kind.MALFORMED, claim.start, claim.end, f"{claim.at}: the runs do not add up to the range")
        elif any(kind not in CLASSES for _, kind in claim.runs):
            self._fault(Kind.MALFORMED, claim.start, claim.end, f"{claim.at}: a class that does not exist")
        elif claim.end > self.source.high:
            self._fault(Kind.NOT_THERE, claim.start, claim.end, f"{claim.at}: beyond the end of the partition")
        else:
            return True
        return False

    def _tiling(self) -> None:
        at = self.begin
        open_segments: list[Segment] = []
        for segment in self.segments:
            if segment.start > at:
                self._fault(Kind.UNACCOUNTED, at, segment.start)
            open_segments = [each for each in open_segments if each.end > segment.start]
            for other in open_segments:
                self._overlap(other, segment)
            open_segments.append(segment)
            self.result.offsets[segment.kind] += max(0, segment.end - max(segment.start, at))
            at = max(at, segment.end)
        if at < self.until:
            self._fault(Kind.UNACCOUNTED, at, self.until)

    def _overlap(self, one: Segment, other: Segment) -> None:
        first, end = other.start, min(one.end, other.end)
        if one.claim is other.claim:
            return
        if one.kind != other.kind:
            detail = f"{one.kind} in {one.claim.at}, {other.kind} in {other.claim.at}"
            self._fault(Kind.CONTRADICTED, first, end, detail)
        elif one.claim.exactly_once and other.claim.exactly_once:
            self._fault(Kind.ACCOUNTED_TWICE, first, end, f"{one.claim.at} and {other.claim.at}")
        else:
            for offset in range(first, end):
                self.again[offset].append(other.claim)

    def _held_against_source(self, segment: Segment) -> None:
        source = self.source
        start, end, kind, claim = segment
        here = range(max(start, source.low), min(end, source.high))
        if kind in (EXPIRED, HOLE):
            claimed = "to have expired" if kind == EXPIRED else "to be no record"
            for first, last in spans([offset for offset in here if offset in source.sizes]):
                self._fault(Kind.IS_A_RECORD, first, last, f"claimed {claimed} in {claim.at}")
        else:
            absent = [offset for offset in here if offset not in source.sizes]
            if source.compacted and absent:
                self.result.unverifiable[Unverifiable.COMPACTION] += len(absent)
                absent = []
            for first, last in spans(absent):
                self._fault(Kind.NOT_THERE, first, last, f"claimed to be {kind} in {claim.at}")
        if kind != EXPIRED and start < source.low:
            self.result.unverifiable[Unverifiable.RETENTION] += min(end, source.low) - start

    def _fault(self, kind: Kind, first: int, end: int, detail: str = "") -> None:
        self.result.fault(kind, self.place, first, end, detail)


def segments(claim: Claim) -> Iterable[Segment]:
    """Give the runs of a range with their offsets."""
    at = claim.start
    for length, kind in claim.runs:
        yield Segment(at, at + length, kind, claim)
        at += length


def _without_repetition(segments: Sequence[Segment]) -> list[Segment]:
    """Take out of what has expired what an earlier delivery had come past; give all in order.

    A range that was delivered and not committed is read again, and by then retention may have taken it: that it had expired
    before it was read is then true of the second delivery alone. In transactions there is no second delivery.
    """
    read = sorted((each.start, each.end) for each in segments if each.kind != EXPIRED)
    kept = [each for each in segments if each.kind != EXPIRED or each.claim.exactly_once]
    for each in segments:
        if each.kind == EXPIRED and not each.claim.exactly_once:
            at = each.start
            for start, end in read:
                if at < start < each.end:
                    kept.append(each._replace(start=at, end=start))
                at = max(at, end) if start < each.end else at
            if at < each.end:
                kept.append(each._replace(start=at))
    return sorted(kept, key=lambda each: each[:2])


def spans(offsets: Sequence[int]) -> list[tuple[int, int]]:
    """Put neighbours together: ascending offsets as half-open spans."""
    found: list[tuple[int, int]] = []
    for offset in offsets:
        if found and found[-1][1] == offset:
            found[-1] = found[-1][0], offset + 1
        else:
            found.append((offset, offset + 1))
    return found


def between(ascending: Sequence[int], start: int, end: int) -> Sequence[int]:
    """Give the offsets of an ascending list that lie in a half-open span."""
    return ascending[bisect_left(ascending, start) : bisect_left(ascending, end)]
