"""What the check may say: faults, what can no longer be told, and the sums of a partition."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from monitor.audit.evidence import Place


class Kind(StrEnum):
    """What is wrong. Each is something that cannot be so if the workers did what they promise."""

    MALFORMED = "malformed"
    """An accounting record contradicts itself."""
    UNACCOUNTED = "unaccounted"
    """Offsets that no range covers."""
    ACCOUNTED_TWICE = "accounted-twice"
    """Offsets in two ranges of exactly-once delivery."""
    CONTRADICTED = "contradicted"
    """Offsets that two ranges, or a range and the judge, put into different classes."""
    NOT_THERE = "not-there"
    """Claimed to be a record, and the broker has none at the offset."""
    IS_A_RECORD = "is-a-record"
    """Claimed to be no record or to have expired, and the broker has it."""
    FINDING_MISSING = "finding-missing"
    FINDING_INVENTED = "finding-invented"
    FINDING_COUNT = "finding-count"
    """Folds disagree about an offset, or with the number of findings in the accounting."""
    FINDING_ID = "finding-id"
    """One finding under two ids, two under one, or an id that the judge does not give."""
    LETTER_MISSING = "dead-letter-missing"
    LETTER_INVENTED = "dead-letter-invented"
    LETTER_WRONG = "dead-letter-wrong"
    """Another reason or size than the record's."""
    ITEMS = "items"
    """The items counted in a range are not those of its records."""


class Unverifiable(StrEnum):
    """Why something can no longer be told. It is counted apart and never called fine."""

    RETENTION = "removed by retention"
    COMPACTION = "may have been removed by compaction"
    BUNDLE = "judged by another bundle of rules, law and register"
    NOT_JUDGED = "not judged again"
    CREATED_ANEW = "of a topic of this name that is there no more"
    FORGOTTEN = "the ledger has forgotten since what it was judged by"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, by coordinates."""

    kind: Kind
    topic: str
    partition: int
    first: int
    """First offset."""
    end: int
    """The offset after the last."""
    detail: str = ""
    """In our own words: classes, numbers, ids and coordinates of records of ours."""


Row = tuple[str, str, str, str, str]
"""A finding as the judge tells it: finding id, mode, rule, episode key, exemption."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the judge says of one record when asked anew."""

    findings: tuple[Row, ...]
    silent: tuple[tuple[Row, ...], ...]
    """What would be found if the ledger could not have spoken, for each reason why it may not."""
    rejected: tuple[tuple[int | None, str], ...]
    """(item, reason)."""
    items: int
    """Items of the record, rejected ones among them."""
    lost: bool = False
    """Whether the ledger has forgotten since what the record was judged by."""


Words = Mapping[tuple[str, int], Said]
"""What the judge says, by ledger mark and offset: a record that was delivered twice may have been judged at two marks."""


@dataclass(slots=True)
class Result:
    """What the check of a partition, or of several, gave."""

    offsets: Counter[str] = field(default_factory=Counter)
    """By class."""
    faults: list[Fault] = field(default_factory=list)
    unverifiable: Counter[str] = field(default_factory=Counter)
    """Offsets by reason."""
    findings: int = 0
    duplicates: int = 0
    """Findings that were delivered more than once, with equal ids and counts."""
    letters: int = 0
    waiting: int = 0
    """Offsets behind the last range: not judged yet, and not asked about."""
    unwatched: int = 0
    """Offsets that the broker has from before the first range: nobody watched, and nobody says so."""

    def fault(self, kind: Kind, place: Place, first: int, end: int, detail: str = "") -> None:
        """Note a fault."""
        self.faults.append(Fault(kind, *place, first, end, detail))

    def add(self, other: "Result") -> None:
        """Take in the result of another partition."""
        self.offsets.update(other.offsets)
        self.faults.extend(other.faults)
        self.unverifiable.update(other.unverifiable)
        self.findings += other.findings
        self.duplicates += other.duplicates
        self.letters += other.letters
        self.waiting += other.waiting
        self.unwatched += other.unwatched
