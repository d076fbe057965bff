"""What `privacy-monitor law` shows: plain rows, ready for a table or for JSON."""

from collections.abc import Iterator
from datetime import date, timedelta
from enum import Enum
from typing import NamedTuple

from detectors.law.checks import inherited
from detectors.law.fact import Confidence, Fact, SinceIs
from detectors.law.model import Duty
from detectors.law.pack import LawPack
from detectors.law.restriction import BulkGroup, TransferRegime
from detectors.law.timeline import day_of, holds

_COMMON = frozenset({*Fact.model_fields, "id", "kind"})
_PARTS = frozenset({"adequacy", "mechanisms", "unsettled", "concern"})
"""Parts of a law on transfers that have rows of their own."""


class SummaryRow(NamedTuple):
    """One jurisdiction on a day."""

    jurisdiction: str
    name: str
    law: str
    regime: str
    honours_gpc: bool
    sensitive: str
    strict_minimisation: bool
    basis: str
    verified: int
    """Duties in force that were verified."""
    recalled: int
    coming: int
    """Duties that are not yet in force."""


class DutyRow(NamedTuple):
    """One duty."""

    id: str
    kind: str
    jurisdiction: str
    """Where it is written: the jurisdiction itself or a parent."""
    says: str
    """What is particular to its kind."""
    state: str
    """`in-force`, `coming` or `ended`."""
    since: str
    since_is: str
    until: str
    confidence: str
    citation: str
    source: str
    checked_on: str
    note: str


class ChangeRow(NamedTuple):
    """One difference between two days or two packs."""

    jurisdiction: str
    duty: str
    change: str
    """`begins`, `ends` or `changes`."""
    on: str
    """The day of the law; empty where the pack itself was edited."""
    says: str
    confidence: str


class ReviewRow(NamedTuple):
    """One fact that somebody should look at."""

    jurisdiction: str
    fact: str
    why: str
    """`recalled`, `stale`, `ending` or `start-unknown`."""
    due: str
    citation: str


def summary(pack: LawPack, on: date) -> list[SummaryRow]:
    """List all jurisdictions as they stand on a day."""
    return [_summary_row(pack, name, on) for name in sorted(pack.jurisdictions)]


def _summary_row(pack: LawPack, name: str, on: date) -> SummaryRow:
    jurisdiction = pack.jurisdictions[name]
    span = pack.timelines[name].on(day_of(on))
    duties = inherited(jurisdiction, pack.jurisdictions)
    parents = (pack.jurisdictions[each].law for each in _lineage(pack, name))
    return SummaryRow(
        name,
        jurisdiction.name,
        next((law for law in parents if law), ""),
        span.law.regime,
        span.law.honours_gpc,
        span.law.sensitive,
        span.law.strict_minimisation,
        span.law.basis.value,
        len(span.duties),
        len(span.warnings),
        sum(day_of(on) < day_of(duty.since) for duty in duties),
    )


def _lineage(pack: LawPack, name: str) -> Iterator[str]:
    while name in pack.jurisdictions:
        yield name
        name = pack.jurisdictions[name].parent


def duty_rows(pack: LawPack, jurisdiction: str, on: date) -> list[DutyRow]:
    """List the duties of a jurisdiction and its parents, in force first; empty for one that the pack does not know."""
    rows = [
        _duty_row(owner, duty, on)
        for owner in _lineage(pack, jurisdiction)
        for duty in pack.jurisdictions[owner].duties
    ]
    order = {"in-force": 0, "coming": 1, "ended": 2}
    return sorted(rows, key=lambda row: (order[row.state], row.kind, row.since, row.id))


def _duty_row(owner: str, duty: Duty, on: date) -> DutyRow:
    state = "in-force" if holds(duty, day_of(on)) else "coming" if on < duty.since else "ended"
    return DutyRow(
        duty.id,
        duty.kind,
        owner,
        says(duty),
        state,
        duty.since.isoformat(),
        duty.since_is.value,
        duty.until.isoformat() if duty.until else "",
        duty.confidence.value,
        duty.citation,
        ", ".join(duty.source),
        duty.checked_on.isoformat(),
        duty.note,
    )


def transfer_rows(pack: LawPack, regime: str, on: date) -> list[DutyRow]:
    """List what a law on transfers holds, in force first: the law, adequacy, mechanisms; empty for one that is not known."""
    found = pack.regimes.get(regime)
    if found is None:
        return []
    rows = [
        _transfer_row(found.id, name, fact, on) for _, name, fact in _facts(pack) if name.partition(":")[0] == found.id
    ]
    groups = found.concern.groups if found.concern else ()
    closed = " ".join(found.concern.destinations) if found.concern else ""
    rows += [
        rows[0]._replace(
            id=f"{found.id}: {group.id}",
            kind="bulk",
            says=f"above={group.threshold}; to={closed}; categories={' '.join(group.categories)}",
            confidence=group.confidence.value,
            citation=group.citation,
            source=", ".join(group.source),
        )
        for group in groups
    ]
    order = {"in-force": 0, "coming": 1, "ended": 2}
    return sorted(rows, key=lambda row: (order[row.state], row.id, row.since))


def _transfer_row(owner: str, name: str, fact: Fact, on: date) -> DutyRow:
    until = fact.until is not None and fact.until <= on
    state = "ended" if until else "coming" if on < fact.since else "in-force"
    return DutyRow(
        name,
        "transfer",
        owner,
        says(fact),
        state,
        fact.since.isoformat(),
        fact.since_is.value,
        fact.until.isoformat() if fact.until else "",
        fact.confidence.value,
        fact.citation,
        ", ".join(fact.source),
        fact.checked_on.isoformat(),
        fact.note,
    )


def says(duty: Fact) -> str:
    """Give what is particular to a fact, as `name=value` words."""
    dumped = ((name.rstrip("_"), getattr(duty, name)) for name in type(duty).model_fields if name not in _COMMON)
    dumped = ((name, value) for name, value in dumped if name not in _PARTS)
    return "; ".join(f"{name}={_words(value)}" for name, value in dumped if value not in (None, (), False))


def _words(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(map(_words, value))
    return str(value.value) if isinstance(value, Enum) else str(value)


def diff(pack: LawPack, first: date, second: date, *, other: LawPack | None = None) -> list[ChangeRow]:
    """List what begins and ends from the first day (exclusive) to the second (inclusive).

    With another pack, list instead how its facts differ from this one's, whatever their days.
    """
    if other is not None:
        return sorted(_edits(pack, other))
    return sorted(_dated(pack, first, second), key=lambda row: (row.on, row.jurisdiction, row.duty, row.change))


def _dated(pack: LawPack, first: date, second: date) -> Iterator[ChangeRow]:
    for owner, name, fact in _facts(pack):
        for day, change in ((fact.since, "begins"), (fact.until, "ends")):
            if day is not None and first < day <= second:
                yield ChangeRow(owner, name, change, day.isoformat(), says(fact), fact.confidence.value)


def _edits(pack: LawPack, other: LawPack) -> Iterator[ChangeRow]:
    mine, theirs = _by_id(pack), _by_id(other)
    for key in sorted(mine.keys() | theirs.keys()):
        before, after = mine.get(key), theirs.get(key)
        shown = after or before
        if before == after or shown is None:
            continue
        change = "begins" if before is None else "ends" if after is None else "changes"
        yield ChangeRow(key[0], key[1], change, "", says(shown), shown.confidence.value)
    counted, recounted = _groups(pack), _groups(other)
    for name in sorted(counted.keys() | recounted.keys()):
        if counted.get(name) != recounted.get(name):
            change = "begins" if name not in counted else "ends" if name not in recounted else "changes"
            group = recounted.get(name) or counted[name]
            yield ChangeRow(*name, change, "", f"above={group.threshold}", group.confidence.value)


def _groups(pack: LawPack) -> dict[tuple[str, str], BulkGroup]:
    """Give the kinds of data whose persons a law counts, by the law and its kind."""
    return {
        (regime.id, f"{regime.id}: {group.id}"): group
        for regime in pack.regimes.values()
        for group in (regime.concern.groups if regime.concern else ())
    }


def _by_id(pack: LawPack) -> dict[tuple[str, str, int], Fact]:
    """Give all facts by owner and name, those of one name told apart by their order."""
    found: dict[tuple[str, str, int], Fact] = {}
    for owner, name, whole in _facts(pack):
        # The parts of a law on transfers are facts of their own.
        fact = whole.model_copy(update=dict.fromkeys(_PARTS)) if isinstance(whole, TransferRegime) else whole
        number = 0
        while (owner, name, number) in found:
            number += 1
        found[owner, name, number] = fact
    return found


def review(pack: LawPack, on: date, *, max_age_days: int = 180, ending_within_days: int = 90) -> list[ReviewRow]:
    """List what needs a person: recalled facts, checks that are too old, facts that end soon, and unknown first days."""
    rows = (
        ReviewRow(owner, name, why, due, fact.citation)
        for owner, name, fact in _facts(pack)
        for why, due in _reasons(fact, on, max_age_days, ending_within_days)
    )
    return sorted(rows, key=lambda row: (row.why, row.due, row.jurisdiction, row.fact))


def _facts(pack: LawPack) -> Iterator[tuple[str, str, Fact]]:
    for name, jurisdiction in pack.jurisdictions.items():
        for duty in jurisdiction.duties:
            yield name, duty.id, duty
    for regime in pack.regimes.values():
        owner = regime.exporters[0] if len(regime.exporters) == 1 else regime.id
        yield owner, regime.id, regime
        for entry in regime.adequacy:
            yield owner, f"{regime.id}: adequacy of {' '.join(entry.places[:3])}", entry
        for mechanism in regime.mechanisms:
            yield owner, f"{regime.id}: {mechanism.kind.value}", mechanism


def _reasons(fact: Fact, on: date, max_age_days: int, ending_within_days: int) -> Iterator[tuple[str, str]]:
    if fact.until is not None and fact.until <= on:
        return
    if fact.confidence is Confidence.RECALLED:
        yield "recalled", ""
    due = fact.checked_on + timedelta(days=max_age_days)
    if due < on:
        yield "stale", due.isoformat()
    if fact.until is not None and fact.until <= on + timedelta(days=ending_within_days):
        yield "ending", fact.until.isoformat()
    if fact.since_is is SinceIs.OBSERVED and fact.confidence is Confidence.VERIFIED:
        yield "start-unknown", fact.since.isoformat()
