"""A capture judged twice, under another law or on another day, by the one judge; and how the findings differ."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

import msgspec

from detectors.law.pack import LawPack
from detectors.law.timeline import DAY_MS, day_of
from monitor.capture import Capture
from monitor.context import Loaded, load_shipped
from monitor.inspect import own_domains
from monitor.pipeline import process
from topics.adapters import make
from topics.finding import Finding
from topics.flow import Place
from topics.observation import Adapter, AdapterOptions, Observation, Reading
from topics.record import RawRecord

_BATCH = 500


class Judgement(NamedTuple):
    """Under which law, and as if on which day; None: on the day that each record tells."""

    law: LawPack
    on: date | None


class Difference(NamedTuple):
    """One finding that is there, or is what it is, under one judgement only."""

    file: str
    line: int
    item: int
    change: str
    """`begins`, `ends` or `changes`."""
    detector: str
    rule: str
    jurisdiction: str
    recipient: str
    law: str
    """Duties that it names under the second judgement; under the first where it ends."""


class _Dated:
    """An adapter whose records all happened at noon (UTC) of one day."""

    def __init__(self, adapter: Adapter, on: date) -> None:
        self.name = adapter.name
        self._adapter = adapter
        self._at_ms = day_of(on) * DAY_MS + DAY_MS // 2

    def read(self, record: RawRecord) -> Reading:
        return [
            msgspec.structs.replace(each, at_ms=self._at_ms) if isinstance(each, Observation) else each
            for each in self._adapter.read(record)
        ]


def rejudged(
    files: Sequence[str], judgements: tuple[Judgement, Judgement], *, register: Path | None, person: str
) -> tuple[list[tuple[str, Finding]], list[tuple[str, Finding]]]:
    """Judge captures under both. Raises CaptureProblem and ConfigProblems."""
    captures = [Capture(name, None) for name in files]
    country, _, subdivision = person.upper().partition("-")
    origin = Place(country, person.upper() if subdivision else "", "assumed") if person else Place()
    loaded = load_shipped(domains=own_domains(captures), register_file=register, assumed_origin=origin)
    first, second = (_judged(captures, loaded, each) for each in judgements)
    return first, second


def _judged(captures: Sequence[Capture], loaded: Loaded, judgement: Judgement) -> list[tuple[str, Finding]]:
    found: list[tuple[str, Finding]] = []
    for capture in captures:
        adapter = make(capture.adapter, AdapterOptions())
        dated = _Dated(adapter, judgement.on) if judgement.on is not None else adapter
        context = msgspec.structs.replace(loaded.context({capture.name: dated}, "capture"), law=judgement.law)
        records = list(capture.records(capture.name))
        for start in range(0, len(records), _BATCH):
            outcome = process(records[start : start + _BATCH], context, {})
            found.extend((capture.name, finding) for finding in outcome.findings)
    return found


def differences(first: Sequence[tuple[str, Finding]], second: Sequence[tuple[str, Finding]]) -> list[Difference]:
    """Compare two sets of findings of the same captures, by record, place in it and rule."""
    before = {(file, each.finding_id): each for file, each in first}
    after = {(file, each.finding_id): each for file, each in second}
    rows: list[Difference] = []
    for key in before.keys() | after.keys():
        old, new = before.get(key), after.get(key)
        shown = new or old
        if shown is None or (old is not None and new is not None and _told(old) == _told(new)):
            continue
        change = "begins" if old is None else "ends" if new is None else "changes"
        rows.append(
            Difference(
                key[0],
                shown.offset + 1,
                shown.item,
                change,
                shown.detector.value,
                shown.rule,
                shown.jurisdiction,
                shown.recipient,
                " ".join(shown.law),
            )
        )
    return sorted(rows)


def _told(finding: Finding) -> tuple[object, ...]:
    return (
        finding.verdict,
        finding.severity,
        finding.basis,
        finding.jurisdiction,
        finding.law,
        finding.proof,
        finding.exposure,
    )
