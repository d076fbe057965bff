"""A lawful day of the simulated shop through the whole judge: signals and refusals occur and are honoured, so nothing may be raised."""

import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import msgspec

from detectors.consent.ledger import Choice, Coverage, Word
from monitor.context import load_shipped
from monitor.pipeline import Context, process
from monitor.shop import Piece, lawful_day
from topics.adapters import make
from topics.consent import read as read_consent
from topics.observation import AdapterOptions
from topics.record import RawRecord, Rejected

_BATCH = 2_000
_REGISTER = Path(__file__).parents[2] / "examples" / "register.yaml"
_ADAPTERS = {
    "events": ("segment", AdapterOptions()),
    "kong": ("kong", AdapterOptions(body="request.body")),
    "nginx": ("nginx", AdapterOptions()),
}


class Outcome(NamedTuple):
    """What a lawful day came to."""

    records: int
    refusals: int
    """Choices on record that refuse something."""
    violations: Counter[str]
    """Violations by rule; empty where no false alarm was raised."""
    gaps: Counter[str]


class Memory:
    """A consent ledger in memory, read to the present."""

    mark = ""

    def __init__(self) -> None:
        self.kept: defaultdict[str, list[Choice]] = defaultdict(list)
        self.refusals = 0

    def coverage(self, broker_ms: int) -> Coverage:
        """Say that nothing is missing at any broker time."""
        return Coverage.READY if broker_ms >= 0 else Coverage.BEHIND

    def choices(self, subjects: Sequence[str]) -> Sequence[Choice]:
        """Give the choices of all keys of a person."""
        return [choice for subject in subjects for choice in self.kept[subject]]

    def choices_of(self, people: Sequence[Sequence[str]]) -> Sequence[Sequence[Choice]]:
        """Give the choices of each of many people."""
        return [self.choices(person) for person in people]


def judge(pieces: int, seed: int = 3) -> Outcome:
    """Judge a lawful day of that many pieces."""
    loaded = load_shipped(domains=["shop.example"], register_file=_REGISTER)
    adapters = {role: make(name, options) for role, (name, options) in _ADAPTERS.items()}
    memory = Memory()
    context: Context = msgspec.structs.replace(loaded.context(adapters, "lawful"), ledger=memory)
    violations: Counter[str] = Counter()
    gaps: Counter[str] = Counter()
    records = 0
    numbered = _numbered(lawful_day(seed, pieces))
    while batch := list(islice(numbered, _BATCH)):
        record_choices([each for each in batch if each.topic == "consent"], memory, context)
        traffic = [each for each in batch if each.topic != "consent"]
        outcome = process(traffic, context, {})
        records += len(traffic)
        for finding in outcome.findings:
            (violations if finding.verdict == "violation" else gaps)[finding.rule] += 1
    return Outcome(records, memory.refusals, violations, gaps)


def false_alarms(pieces: int) -> None:
    """Print how many violations a lawful day raises."""
    start = time.perf_counter()
    outcome = judge(pieces)
    print(  # noqa: T201 - a benchmark reports
        f"\nlawful day: {pieces:,} pieces, {outcome.records:,} judged records, {outcome.refusals:,} refusals on record, "
        f"{outcome.violations.total():,} false alarms {dict(outcome.violations) or ''}, "
        f"gaps {dict(outcome.gaps) or 'none'} ({time.perf_counter() - start:.0f} s)"
    )


def record_choices(batch: Sequence[RawRecord], memory: Memory, context: Context) -> None:
    """Keep the choices of consent records in a ledger in memory."""
    for record in batch:
        told = read_consent(record, context.know.key)
        if isinstance(told, Rejected):
            continue
        subjects, choice = told
        memory.refusals += bool(choice.refused)
        place = record.topic, record.partition
        word = Word(choice.granted, choice.refused, choice.source, *place, choice.after_gpc_notice)
        for subject in subjects:
            memory.kept[subject].append(Choice(choice.at_ms, record.offset, record.timestamp_ms, word))


def _numbered(pieces: Iterator[Piece]) -> Iterator[RawRecord]:
    offsets: Counter[str] = Counter()
    for piece in pieces:
        yield RawRecord(piece.role, 0, offsets[piece.role], piece.at_ms, piece.key, piece.value)
        offsets[piece.role] += 1
