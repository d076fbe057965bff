"""The law pack: all jurisdictions, transfer regimes and cloud regions, read and checked as one."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from hashlib import sha256
from typing import Any

import msgspec

from detectors.assessment import Law
from detectors.classify.places import CloudRegions, CloudRegionsFile, compiled
from detectors.documents import Problem, Written, line_of, load, validate
from detectors.law import checks
from detectors.law.exposure import Exposure, exposure
from detectors.law.model import Duty, Jurisdiction
from detectors.law.restriction import TransferRegime
from detectors.law.sources import SourcesFile
from detectors.law.timeline import Span, Timeline, date_of, day_of, timeline
from topics.finding import Basis

_NO_LAW = Law()
_FOLDERS = frozenset({"jurisdictions", "transfers"})


class LawPack(msgspec.Struct, frozen=True, eq=False):
    """The law as dated data. Immutable: another pack is another value with another digest."""

    digest: str
    """SHA-256 over the names and texts of the files that count, in hexadecimal. Where they lie does not matter."""
    jurisdictions: Mapping[str, Jurisdiction]
    """By id."""
    regimes: Mapping[str, TransferRegime]
    """By id."""
    sources: SourcesFile
    regions: CloudRegions
    timelines: Mapping[str, Timeline]
    """By id of the jurisdiction."""
    regime_of: Mapping[str, TransferRegime]
    """By exporter: country or subdivision."""
    split_countries: frozenset[str]
    """Countries in which the subdivision decides which transfer law holds."""

    def law_for(self, country: str, subdivision: str, on: date | int) -> Law:
        """Give the law in force for a person there on a day (a date, or epoch milliseconds read in UTC).

        A place that the pack does not know gives `Law()`: nobody can say which law holds.
        """
        found = self.span(country, subdivision, on)
        return found.law if found else _NO_LAW

    def span(self, country: str, subdivision: str, on: date | int) -> Span | None:
        """Give all that holds for a person there on a day, or None where the pack knows no law."""
        found = self.timelines.get(subdivision) if subdivision else None
        if found is None or (country and found.country != country):
            found = self.timelines.get(country or subdivision.partition("-")[0])
        return found.on(day_of(on)) if found else None

    def warnings_for(self, country: str, subdivision: str, on: date | int) -> tuple[Duty, ...]:
        """Give the duties that are only recalled: they may be shown, and accuse nobody."""
        found = self.span(country, subdivision, on)
        return found.warnings if found else ()

    def duties_for(self, country: str, subdivision: str, on: date | int, kinds: Iterable[str] = ()) -> tuple[Duty, ...]:
        """Give the verified duties in force, all or of some kinds, sorted by id."""
        found = self.span(country, subdivision, on)
        wanted = frozenset(kinds)
        return tuple(duty for duty in found.duties if not wanted or duty.kind in wanted) if found else ()

    def exposure_for(self, jurisdiction: str, on: date | int, *, recalled: bool = False) -> Exposure:
        """Give what a violation entails there on a day: amounts and clocks, with `recalled` also those from memory.

        `jurisdiction` is a country or a subdivision, as a finding names it.
        """
        day = date_of(day_of(on)).isoformat()
        found = self.timelines.get(jurisdiction)
        if found is None:
            return Exposure(jurisdiction, day)
        span = found.on(day_of(on))
        if not recalled:
            return span.entails._replace(on=day)
        return exposure(jurisdiction, day, (*span.duties, *span.warnings))

    def basis_for(self, country: str, subdivision: str, on: date | int, kinds: Iterable[str]) -> Basis:
        """Say whether a verified duty of these kinds is in force, or only the operator's own policy."""
        found = self.span(country, subdivision, on)
        return Basis.LAW if found and not found.kinds.isdisjoint(kinds) else Basis.POLICY


def read_pack(files: Mapping[str, str]) -> tuple[LawPack | None, list[Problem]]:
    """Read the files of a pack, by path: the pack, or every mistake with its file and line.

    `…/jurisdictions/*.yaml`, `…/transfers/*.yaml`, `…/sources.yaml` and `…/cloud_regions.yaml`. Of two files with the
    same name in the same kind of folder the later one replaces the earlier: so operators override a jurisdiction. Files
    of sources add to each other.
    """
    chosen = _chosen(files)
    documents: dict[str, Any] = {}
    jurisdictions: dict[str, Jurisdiction] = {}
    regimes: dict[str, TransferRegime] = {}
    clouds: dict[str, CloudRegionsFile] = {}
    sources: dict[str, SourcesFile] = {}
    problems: list[Problem] = []
    for file in chosen.values():
        document, found = load(files[file], file)
        if found:
            problems += found
            continue
        documents[file] = document
        folder, name = ("/", *file.split("/"))[-2:]
        if name == "cloud_regions.yaml":
            problems += _keep(clouds, file, document, CloudRegionsFile)
        elif name == "sources.yaml":
            problems += _keep(sources, file, document, SourcesFile)
        elif folder == "jurisdictions" and name.endswith(".yaml"):
            problems += _keep(jurisdictions, file, document, Jurisdiction)
        elif folder == "transfers" and name.endswith(".yaml"):
            problems += _keep(regimes, file, document, TransferRegime)
        else:
            problems.append(
                Problem(
                    file,
                    0,
                    "",
                    "not a file of a law pack: jurisdictions/*.yaml, transfers/*.yaml, sources.yaml or cloud_regions.yaml",
                )
            )
    problems += [
        Problem(each.file, line_of(documents[each.file], each.path), ".".join(map(str, each.path)), each.message)
        for each in checks.mistakes(jurisdictions, regimes, sources, complete=not problems)
    ]
    if problems:
        return None, sorted(problems)
    digest = _digest({name: files[file] for name, file in chosen.items()})
    return _pack(digest, list(jurisdictions.values()), list(regimes.values()), sources, clouds), []


def _chosen(files: Mapping[str, str]) -> dict[str, str]:
    """Give the file that counts for each name within the pack."""
    chosen: dict[str, str] = {}
    for file in files:
        folder, name = ("", *file.split("/"))[-2:]
        if name == "sources.yaml":
            # Numbered among themselves: the order of other files must not reach the digest.
            chosen[f"{name}#{sum(each.startswith(name) for each in chosen)}"] = file
        elif folder in _FOLDERS:
            chosen[f"{folder}/{name}"] = file
        else:
            chosen[name] = file
    return chosen


def _keep(kept: dict[str, Any], file: str, document: Any, model: type[Written]) -> list[Problem]:
    value, problems = validate(document, file, model)
    if value is not None:
        kept[file] = value
    return [_untagged(document, problem) for problem in problems]


def _untagged(document: Any, problem: Problem) -> Problem:
    """Take the kind of a duty out of the path, where the validator of the union puts it."""
    path: list[int | str] = [int(part) if part.isdigit() else part for part in problem.path.split(".") if part]
    if len(path) > 2 and path[0] == "duties":
        del path[2]
    return Problem(problem.file, line_of(document, path), ".".join(map(str, path)), problem.message)


def _pack(
    digest: str,
    jurisdictions: list[Jurisdiction],
    regimes: list[TransferRegime],
    sources: Mapping[str, SourcesFile],
    clouds: Mapping[str, CloudRegionsFile],
) -> LawPack:
    by_id = {each.id: each for each in jurisdictions}
    regime_of = {exporter: regime for regime in regimes for exporter in regime.exporters}
    return LawPack(
        digest=digest,
        jurisdictions=by_id,
        regimes={regime.id: regime for regime in regimes},
        sources=checks.merged(sources),
        regions=next(map(_compiled, clouds.values()), CloudRegions()),
        timelines={each.id: timeline(each, checks.inherited(each, by_id)) for each in jurisdictions},
        regime_of=regime_of,
        split_countries=frozenset(exporter[:2] for exporter in regime_of if "-" in exporter),
    )


_compiled: Callable[[CloudRegionsFile], CloudRegions] = compiled


def _digest(files: Mapping[str, str]) -> str:
    digest = sha256()
    for name in sorted(files):
        for part in (name, files[name]):
            data = part.encode("utf-8", "surrogatepass")
            digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()
