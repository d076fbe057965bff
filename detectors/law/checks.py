"""Mistakes that only show when the files of a law pack are read together."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

from detectors.law.model import (
    BreachClock,
    Duty,
    Jurisdiction,
    OptOutRight,
    Penalty,
    RequestDeadline,
    TransferRestriction,
)
from detectors.law.restriction import TransferRegime
from detectors.law.sources import SourcesFile
from detectors.law.timeline import regime_of

_SINGLE = frozenset(
    {
        "sensitive-data",
        "minimisation",
        "cure-period",
        "opt-out-deadline",
        "request-deadline",
        "opt-out-right",
        "penalty",
        "breach-clock",
    }
)
"""Kinds of which one jurisdiction has one at a time, apart for what `_variant` tells apart."""


class Mistake(NamedTuple):
    """A mistake at a place in a document."""

    file: str
    path: tuple[int | str, ...]
    message: str


def mistakes(
    jurisdictions: Mapping[str, Jurisdiction],
    regimes: Mapping[str, TransferRegime],
    sources: Mapping[str, SourcesFile],
    *,
    complete: bool,
) -> Iterator[Mistake]:
    """Find them, by file. What a file that failed to load might hold is only missed when `complete`."""
    yield from _names(jurisdictions, regimes)
    yield from _parents(jurisdictions, complete=complete)
    yield from _duties(jurisdictions, complete=complete)
    yield from _regimes(jurisdictions, regimes, complete=complete)
    if complete:
        yield from _sources(jurisdictions, regimes, sources)


def merged(sources: Mapping[str, SourcesFile]) -> SourcesFile:
    """Put files of sources together: the later one wins where they name the same key."""
    return SourcesFile(sources={key: source for each in sources.values() for key, source in each.sources.items()})


def inherited(jurisdiction: Jurisdiction, by_id: Mapping[str, Jurisdiction]) -> list[Duty]:
    """Give its own duties and those of all its parents."""
    duties, seen = list(jurisdiction.duties), {jurisdiction.id}
    parent = by_id.get(jurisdiction.parent)
    while parent is not None and parent.id not in seen:
        duties += parent.duties
        seen.add(parent.id)
        parent = by_id.get(parent.parent)
    return duties


def _names(jurisdictions: Mapping[str, Jurisdiction], regimes: Mapping[str, TransferRegime]) -> Iterator[Mistake]:
    ids = [(file, each.id) for file, each in jurisdictions.items()] + [
        (file, each.id) for file, each in regimes.items()
    ]
    for file, name in ids:
        expected = f"{name.lower()}.yaml"
        if file.rpartition("/")[2] != expected:
            yield Mistake(file, ("id",), f"the file of {name} is named {expected}")


def _parents(jurisdictions: Mapping[str, Jurisdiction], *, complete: bool) -> Iterator[Mistake]:
    by_id = {each.id: each for each in jurisdictions.values()}
    for file, each in jurisdictions.items():
        if each.parent and each.parent not in by_id and complete:
            yield Mistake(file, ("parent",), f"no file for the parent {each.parent}")
        chain, parent = [each.id], each.parent
        while parent in by_id and parent not in chain:
            chain.append(parent)
            parent = by_id[parent].parent
        if parent == each.id:
            yield Mistake(file, ("parent",), "a jurisdiction cannot stand above itself")


def _duties(jurisdictions: Mapping[str, Jurisdiction], *, complete: bool) -> Iterator[Mistake]:
    by_id = {each.id: each for each in jurisdictions.values()}
    owner: dict[str, str] = {}
    for file, each in jurisdictions.items():
        for index, duty in enumerate(each.duties):
            if duty.id in owner:
                yield Mistake(file, ("duties", index, "id"), f"the id already stands in {owner[duty.id]}")
            owner.setdefault(duty.id, file)
            if not duty.id.startswith(f"{each.id.lower()}-"):
                yield Mistake(file, ("duties", index, "id"), f"ids in this file begin with {each.id.lower()}-")
        yield from _overlaps(file, each)
        declared, amounts_to = each.regime, regime_of(inherited(each, by_id))
        if declared != amounts_to and (complete or not each.parent):
            yield Mistake(file, ("regime",), f"declared {declared}, but the duties amount to {amounts_to}")


def _variant(duty: Duty) -> tuple[object, ...]:
    match duty:
        case OptOutRight():
            return (duty.of,)
        case RequestDeadline():
            return (duty.stage,)
        case Penalty():
            return (duty.for_, duty.currency)
        case BreachClock():
            return (duty.to, duty.citation)
    return ()


def _overlaps(file: str, jurisdiction: Jurisdiction) -> Iterator[Mistake]:
    groups: dict[tuple[object, ...], list[tuple[int, Duty]]] = defaultdict(list)
    for index, duty in enumerate(jurisdiction.duties):
        if duty.kind in _SINGLE:
            groups[duty.kind, *_variant(duty)].append((index, duty))
    for group in groups.values():
        ordered = sorted(group, key=lambda each: each[1].since)
        for (_, earlier), (index, later) in pairwise(ordered):
            if earlier.until is None or later.since < earlier.until:
                yield Mistake(
                    file,
                    ("duties", index, "since"),
                    f"overlaps with {earlier.id}: end that one first (until is the first day on which it no longer holds)",
                )


def _regimes(
    jurisdictions: Mapping[str, Jurisdiction], regimes: Mapping[str, TransferRegime], *, complete: bool
) -> Iterator[Mistake]:
    known = {regime.id for regime in regimes.values()}
    if complete:
        for file, each in jurisdictions.items():
            for index, duty in enumerate(each.duties):
                if isinstance(duty, TransferRestriction) and duty.regime not in known:
                    yield Mistake(file, ("duties", index, "regime"), f"no file transfers/{duty.regime}.yaml")
    owner: dict[str, str] = {}
    for file, regime in regimes.items():
        for index, exporter in enumerate(regime.exporters):
            if exporter in owner:
                yield Mistake(file, ("exporters", index), f"{exporter} already stands in {owner[exporter]}")
            owner.setdefault(exporter, file)
        yield from _adequate_twice(file, regime)


def _adequate_twice(file: str, regime: TransferRegime) -> Iterator[Mistake]:
    seen: dict[str, int] = {}
    for index, entry in enumerate(regime.adequacy):
        for place in entry.places:
            other = seen.get(place)
            if other is not None:
                before, after = sorted((regime.adequacy[other], entry), key=lambda each: each.since)
                if before.until is None or after.since < before.until:
                    yield Mistake(
                        file, ("adequacy", index, "places"), f"{place} is also in entry {other}, for the same days"
                    )
            seen[place] = index


def _sources(
    jurisdictions: Mapping[str, Jurisdiction], regimes: Mapping[str, TransferRegime], sources: Mapping[str, SourcesFile]
) -> Iterator[Mistake]:
    if not sources:
        for file in jurisdictions or regimes:
            yield Mistake(file, (), "a pack has a file sources.yaml")
        return
    known = merged(sources).sources
    for file, path, keys in _citations(jurisdictions, regimes):
        for key in keys:
            if key not in known:
                yield Mistake(file, (*path, "source"), f"no such key in sources.yaml: {key}")


def _citations(
    jurisdictions: Mapping[str, Jurisdiction], regimes: Mapping[str, TransferRegime]
) -> Iterator[tuple[str, tuple[int | str, ...], tuple[str, ...]]]:
    for file, each in jurisdictions.items():
        for index, duty in enumerate(each.duties):
            yield file, ("duties", index), duty.source
    for file, regime in regimes.items():
        yield file, (), regime.source
        for index, entry in enumerate(regime.adequacy):
            yield file, ("adequacy", index), entry.source
        for index, mechanism in enumerate(regime.mechanisms):
            yield file, ("mechanisms", index), mechanism.source
        for index, group in enumerate(regime.concern.groups if regime.concern else ()):
            yield file, ("concern", "groups", index), group.source
