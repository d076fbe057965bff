"""`privacy-monitor inspect`: the live loop's judge on a capture, with no broker."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from publicsuffixlist import PublicSuffixList
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from detectors.law.exposure import as_line
from detectors.law.pack import LawPack
from monitor.capture import Capture
from monitor.context import Loaded
from monitor.pipeline import Judged, Outcome, process
from topics.adapters import make
from topics.finding import SEVERITIES, Finding, Severity, Verdict
from topics.flow import Role
from topics.observation import AdapterOptions, Observation
from topics.record import RawRecord
from topics.sanitise import sanitise

_BATCH = 500
_LONG_BYTES = 4 * 1024 * 1024
_FEW = 50
"""Findings that the table shows; the JSON form gives all."""


class Seen(msgspec.Struct):
    """What a recipient got in a capture."""

    flows: int = 0
    purposes: Counter[str] = msgspec.field(default_factory=Counter)
    categories: set[str] = msgspec.field(default_factory=set)
    role: str = ""


class Report(msgspec.Struct):
    """What a capture holds."""

    recipients: defaultdict[str, Seen] = msgspec.field(default_factory=lambda: defaultdict(Seen))
    findings: list[tuple[str, Finding]] = msgspec.field(default_factory=list)
    """With the name of the file."""
    items: Counter[str] = msgspec.field(default_factory=Counter)
    rejected: list[tuple[str, int, int | None, str, int | None]] = msgspec.field(default_factory=list)
    """file, line, item, reason, byte position."""

    def witness(self, _record: RawRecord, judged: Judged) -> None:
        """Note who received what."""
        for flow, _entry in judged.classified.flows:
            if flow.role is Role.OWN:
                continue
            seen = self.recipients[flow.recipient if flow.recipient != "unknown" else flow.recipient_host]
            seen.flows += 1
            seen.role = flow.role.value
            seen.purposes[flow.purpose] += 1
            seen.categories.update(flow.categories)

    def take(self, file: str, outcome: Outcome) -> None:
        """Take in what a batch gave."""
        self.findings.extend((file, finding) for finding in outcome.findings)
        for (_, kind), number in outcome.items.items():
            self.items[kind] += number
        for letter in outcome.dead_letters:
            self.rejected.append((file, letter.offset + 1, letter.item, letter.reason, letter.position))

    @property
    def judged(self) -> int:
        """How many items every detector could decide."""
        return self.items.get("judged", 0)

    @property
    def lacking(self) -> int:
        """How many items were read and lacked a fact."""
        return sum(number for kind, number in self.items.items() if kind.startswith("unknown"))

    def worst(self) -> Severity | None:
        """Give the highest severity among violations."""
        found = [each.severity for _, each in self.findings if each.verdict is Verdict.VIOLATION]
        return max(found, key=SEVERITIES.index) if found else None


def own_domains(captures: Iterable[Capture]) -> list[str]:
    """Tell whose shop it is: the registrable domains of the pages in the captures."""
    suffixes = PublicSuffixList()
    pages: Counter[str] = Counter()
    for capture in captures:
        adapter = make(capture.adapter, AdapterOptions())
        for record in islice(capture.records("sniff"), _BATCH):
            for entry in adapter.read(record):
                if isinstance(entry, Observation) and entry.page_host:
                    pages[suffixes.privatesuffix(entry.page_host) or entry.page_host] += 1
    return sorted(pages)


def examine(
    captures: Sequence[Capture], loaded: Loaded, *, options: AdapterOptions, console: Console | None = None
) -> Report:
    """Judge captures as the live loop would, batch by batch."""
    report = Report()
    total = sum(capture.size for capture in captures)
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=console is None or not console.is_terminal or total < _LONG_BYTES,
    )
    with progress:
        task = progress.add_task("inspecting", total=total)
        for capture in captures:
            context = loaded.context({capture.name: make(capture.adapter, options)}, "capture")
            records = capture.records(capture.name, lambda count: progress.advance(task, count))
            for batch in _batches(records, _BATCH):
                report.take(capture.name, process(batch, context, {}, report.witness))
            if capture.cut_line:
                report.rejected.append((capture.name, capture.cut_line, None, "cut-short", capture.cut_at))
    return report


def show(report: Report, console: Console) -> None:
    """Print recipients, findings and what could not be read."""
    if report.recipients:
        console.print(_recipients(report))
    violations = [each for each in report.findings if each[1].verdict is Verdict.VIOLATION]
    if violations:
        console.print(_findings(violations))
    for file, line, item, reason, position in report.rejected[:_FEW]:
        place = f"{file}:{line}" + (f" item {item}" if item is not None else "")
        at = f" at byte {position}" if position is not None else ""
        console.print(Text(f"not read: {place}: {reason}{at}"))
    if len(report.rejected) > _FEW:
        console.print(f"… and {len(report.rejected) - _FEW} more that could not be read")
    # What was not read counts in the share: a file that breaks off is not a clean one.
    unread = len(report.rejected)
    lacking, judged = report.lacking, report.judged
    total = judged + lacking + unread
    unknown = ", ".join(
        f"{number} {kind.partition(':')[2]}"
        for kind, number in report.items.most_common()
        if kind.startswith("unknown")
    )
    console.print(
        f"{total} items: {judged} judged"
        + (f" ({judged / total:.0%})" if total else "")
        + f", {lacking} lacked a fact"
        + (f" ({unknown})" if unknown else "")
        + f", {unread} not read. {len(violations)} violations."
    )
    if report.items.get("unknown:no-jurisdiction"):
        console.print("no-jurisdiction: no record says where the person is; --from says it, such as --from US-CA.")


def as_lines(report: Report, law: LawPack | None = None) -> Iterator[dict[str, Any]]:
    """Give the report for machines, one object for each line: recipients, findings, unread items, a summary.

    With a law pack, also what the violations entail: once for each law and state of it, never added up.
    """
    for name, seen in sorted(report.recipients.items()):
        yield {
            "type": "recipient",
            "recipient": sanitise(name),
            "role": seen.role,
            "purposes": dict(seen.purposes),
            "categories": sorted(seen.categories),
            "flows": seen.flows,
        }
    for file, finding in report.findings:
        yield {"type": "finding", "file": file, "line": finding.offset + 1, **msgspec.to_builtins(finding)}
    if law is not None:
        yield from _exposures(report, law)
    for file, line, item, reason, position in report.rejected:
        yield {"type": "unread", "file": file, "line": line, "item": item, "reason": reason, "position": position}
    yield {"type": "summary", "items": dict(report.items), "findings": len(report.findings)}


def _exposures(report: Report, law: LawPack) -> Iterator[dict[str, Any]]:
    first: dict[tuple[str, tuple[str, ...]], int] = {}
    for _file, finding in report.findings:
        if finding.exposure:
            key = finding.jurisdiction, finding.exposure
            first[key] = min(finding.at_ms, first.get(key, finding.at_ms))
    for (jurisdiction, _duties), at_ms in sorted(first.items()):
        yield as_line(law.exposure_for(jurisdiction, at_ms))


def _recipients(report: Report) -> Table:
    table = Table(title="Recipients", title_justify="left", box=None)
    for column in ("recipient", "role", "purposes", "flows", "personal data"):
        table.add_column(column, justify="right" if column == "flows" else "left")
    for name, seen in sorted(report.recipients.items(), key=lambda each: (-each[1].flows, each[0])):
        table.add_row(
            Text(sanitise(name)),
            seen.role,
            ", ".join(sorted(seen.purposes)),
            str(seen.flows),
            ", ".join(sorted(seen.categories)),
        )
    return table


def _findings(violations: Sequence[tuple[str, Finding]]) -> Table:
    table = Table(title="Violations", title_justify="left", box=None)
    for column in ("where", "severity", "rule", "why"):
        table.add_column(column, overflow="fold", ratio=1 if column == "why" else None)
    for file, finding in violations[:_FEW]:
        where = f"{Path(file).name}:{finding.offset + 1}" + (f" item {finding.item}" if finding.item else "")
        table.add_row(Text(where), finding.severity.value, finding.rule, Text(finding.why))
    if len(violations) > _FEW:
        table.add_row("…", "", "", f"and {len(violations) - _FEW} more; --json gives all")
    return table


def _batches(records: Iterator[RawRecord], size: int) -> Iterator[list[RawRecord]]:
    while batch := list(islice(records, size)):
        yield batch
