"""What the topics say, taken apart anew from their published schemas: plain values, and every record that is none."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Place = tuple[str, int]
"""An input partition: topic and number."""

CLASSES = ("inspected", "dead-lettered", "expired-before-read", "skipped-by-policy", "not-a-record")
INSPECTED, DEAD_LETTERED, EXPIRED, SKIPPED, HOLE = CLASSES


@dataclass(frozen=True, slots=True)
class Claim:
    """One accounting record: what a worker says became of a range of offsets."""

    at: str
    """Where it stands: `topic/partition/offset` of the accounting topic."""
    start: int
    end: int
    runs: tuple[tuple[int, str], ...]
    items: dict[str, int]
    findings: int
    mark: str
    bundle: str
    exactly_once: bool


@dataclass(frozen=True, slots=True)
class Exemplar:
    """A finding that a fold shows whole."""

    finding_id: str
    offset: int
    rule: str
    item: int
    location: str


@dataclass(frozen=True, slots=True)
class FoldRecord:
    """One record of the findings topic or of the shadow topic."""

    at: str
    mode: str
    rule: str
    episode_key: str
    exemption: str
    mark: str
    """Of the ledger that the worker judged by; empty: an older worker did not say."""
    bundle: str
    counts: tuple[tuple[int, int], ...]
    """(offset, findings at it), ascending."""
    exemplars: tuple[Exemplar, ...]


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter."""

    at: str
    offset: int
    item: int | None
    reason: str
    size_bytes: int


@dataclass(slots=True)
class Source:
    """An input partition as the broker has it now."""

    low: int = 0
    """First offset that retention has left."""
    high: int = 0
    sizes: dict[int, int] = field(default_factory=dict)
    """Bytes of the value of each record that a reader of committed records is given, by offset."""
    compacted: bool = False
    begin: int | None = None
    """First offset that the question is about; None: where accounting begins."""
    until: int | None = None
    """The offset after the last that the question is about; None: where accounting ends."""


@dataclass(slots=True)
class Evidence:
    """All that was read about one input partition."""

    source: Source = field(default_factory=Source)
    claims: list[Claim] = field(default_factory=list)
    folds: list[FoldRecord] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)


@dataclass(slots=True)
class Unreadable:
    """A record of a topic of ours that is none of ours."""

    at: str
    why: str


class Collector:
    """Takes records of the monitor's topics and sorts them by the input partition that they speak of."""

    def __init__(self, cluster: str, places: Iterable[Place], anew: Mapping[str, str] | None = None) -> None:
        """`anew`: what stands for the cluster in records about topics that were created anew."""
        self._cluster = cluster
        self._anew = anew or {}
        self.earlier: Counter[Place] = Counter()
        """Offsets accounted for in topics of the same name that were there before."""
        self.evidence: dict[Place, Evidence] = {place: Evidence() for place in places}
        self.unreadable: list[Unreadable] = []

    def accounting(self, at: str, value: bytes) -> None:
        """Take a record of the accounting topic."""
        record = self._open(at, value)
        evidence = self._about(record)
        if record is None or evidence is None:
            return
        try:
            claim = Claim(
                at=at,
                start=_count(record["start"]),
                end=_count(record["end"]),
                runs=tuple((_count(length), str(kind)) for length, kind in record["runs"]),
                items={str(name): _count(count) for name, count in record["items"].items()},
                findings=_count(record["findings"]),
                mark=str(record["ledger_mark"]),
                bundle=str(record["bundle"]),
                exactly_once=record["delivery"] == "exactly_once",
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            self.unreadable.append(Unreadable(at, type(error).__name__))
            return
        evidence.claims.append(claim)

    def fold(self, at: str, value: bytes) -> None:
        """Take a record of the findings topic or the shadow topic."""
        record = self._open(at, value)
        evidence = self._about(record)
        if record is None or evidence is None:
            return
        try:
            fold = _fold(at, record)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            self.unreadable.append(Unreadable(at, str(error) if type(error) is ValueError else type(error).__name__))
            return
        evidence.folds.append(fold)

    def letter(self, at: str, value: bytes) -> None:
        """Take a record of the dead-letter topic."""
        record = self._open(at, value)
        evidence = self._about(record)
        if record is None or evidence is None:
            return
        try:
            letter = Letter(
                at=at,
                offset=_count(record["offset"]),
                item=None if record["item"] is None else _count(record["item"]),
                reason=str(record["reason"]),
                size_bytes=_count(record["size_bytes"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            self.unreadable.append(Unreadable(at, type(error).__name__))
            return
        evidence.letters.append(letter)

    def _open(self, at: str, value: bytes) -> dict[str, Any] | None:
        try:
            record = json.loads(value)
        except (ValueError, RecursionError):
            record = None
        if not isinstance(record, dict):
            self.unreadable.append(Unreadable(at, "no JSON object"))
            return None
        return record

    def _about(self, record: dict[str, Any] | None) -> Evidence | None:
        """Find the input partition that a record speaks of; others, of earlier topics of its name too, are not asked about."""
        if record is None:
            return None
        topic, partition = record.get("topic"), record.get("partition")
        if not isinstance(topic, str) or not isinstance(partition, int):
            return None
        cluster = str(record.get("cluster"))
        if cluster == self._anew.get(topic, self._cluster):
            return self.evidence.get((topic, partition))
        if cluster.partition(":")[0] == self._cluster and "runs" in record:
            start, end = record.get("start"), record.get("end")
            if isinstance(start, int) and isinstance(end, int):
                self.earlier[topic, partition] += max(0, end - start)
        return None


def _fold(at: str, record: dict[str, Any]) -> FoldRecord:
    counts: list[tuple[int, int]] = []
    offset = 0
    for index, (distance, _minute, count) in enumerate(record["offsets"]):
        if index and distance < 1:
            raise ValueError("offsets do not ascend")
        offset += distance
        counts.append((_count(offset), _positive(count)))
    if sum(count for _, count in counts) != record["count"]:
        raise ValueError("the count is not the sum over the offsets")
    return FoldRecord(
        at=at,
        mode=str(record["mode"]),
        rule=str(record["rule"]),
        episode_key=str(record["episode_key"]),
        exemption=str(record["exemption"]),
        mark=str(record.get("ledger_mark", "")),
        bundle=str(record["bundle"]),
        counts=tuple(counts),
        exemplars=tuple(_exemplars(record["exemplars"])),
    )


def _exemplars(records: Sequence[Any]) -> Iterable[Exemplar]:
    for each in records:
        yield Exemplar(
            str(each["finding_id"]),
            _count(each["offset"]),
            str(each["rule"]),
            _count(each["item"]),
            str(each["location"]),
        )


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise TypeError
    return value


def _positive(value: Any) -> int:
    if _count(value) < 1:
        raise ValueError("a count below one")
    return int(value)
