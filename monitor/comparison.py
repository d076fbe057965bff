"""Two rule sets asked about the same batch, by the live loop's judge and with the same ledger.

Findings are told apart by their ids, which are the same whichever version of a rule speaks. Where the two sets share
all that classifies and the law, traffic is read and assessed once, and each set is asked about the same assessments.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest

import msgspec

from detectors.consent.ledger import LedgerView
from detectors.exemptions import NO_EXEMPTIONS
from detectors.rules.judge import RecordPlace, judge
from detectors.rules.ruleset import together
from detectors.verdicts import Verdicts
from monitor.backtest import Changed, Example, Kind, Part
from monitor.folds import fold
from monitor.pipeline import Context, Fault, Judged, Outcome, process
from topics.finding import Finding
from topics.record import RawRecord
from topics.sanitise import sanitise


class Comparison:
    """What is judged by before, and after."""

    def __init__(self, before: Context, after: Context) -> None:
        self._before, self._after = before, after
        # What is like a record of before, and found nothing by either set, is not judged again.
        either = together(before.rules, after.rules)
        self._both = msgspec.structs.replace(
            before,
            rules=either,
            exemptions=NO_EXEMPTIONS,
            verdicts=Verdicts(before, either, before.baseline),
        )
        shared = (before.know, before.law, before.needs, before.baseline)
        self._is_shared = all(
            one is other
            for one, other in zip(shared, (after.know, after.law, after.needs, after.baseline), strict=True)
        )

    @property
    def bundles(self) -> tuple[str, str]:
        """The digests of what judges, before and after."""
        return self._before.bundle, self._after.bundle

    def judged(self, records: Sequence[RawRecord], ledger: LedgerView) -> tuple[Outcome, Outcome]:
        """Judge a batch by both."""
        if not self._is_shared:
            first, second = (
                process(records, msgspec.structs.replace(each, ledger=ledger), {})
                for each in (self._before, self._after)
            )
            return first, second
        sides = (self._before, Outcome()), (self._after, Outcome())

        def witness(record: RawRecord, judged: Judged) -> None:
            place = RecordPlace(self._both.cluster_of(record.topic), record.topic, record.partition, record.offset)
            for context, outcome in sides:
                findings, errors = judge(judged.assessments, context.rules, place, context.bundle)
                outcome.findings.extend(context.exemptions.mark(findings))
                outcome.faults += [
                    Fault(record.topic, record.partition, record.offset, judged.observation.item, each.kind, each.rule)
                    for each in errors
                ]

        read = process(records, msgspec.structs.replace(self._both, ledger=ledger), {}, witness, shows_all=False)
        for context, outcome in sides:
            outcome.folds = fold(outcome.findings, context.cluster, ledger.mark, context.law, context.anew)
            outcome.faults += [each for each in read.faults if not each.rule]
            outcome.last_event_ms = read.last_event_ms
        return sides[0][1], sides[1][1]

    def part(self, records: Sequence[RawRecord], ledger: LedgerView) -> Part:
        """Judge a batch by both, and give how they differ."""
        before, after = self.judged(records, ledger)
        counts = Counter(each.rule for each in before.findings), Counter(each.rule for each in after.findings)
        moments = [each for each in before.last_event_ms.values() if each > 0]
        moments += [each.first_at_ms for each in before.folds]
        return Part(
            records=len(records),
            bytes=sum(len(record.value or b"") for record in records),
            first_ms=min(moments, default=-1),
            last_ms=max(moments, default=-1),
            folds=(before.folds, after.folds),
            faults=(len(before.faults), len(after.faults)),
            findings={name: (counts[0][name], counts[1][name]) for name in sorted(counts[0].keys() | counts[1].keys())},
            changes=list(_changes(before.findings, after.findings)),
        )


def _changes(before: Iterable[Finding], after: Iterable[Finding]) -> Iterator[Changed]:
    old, new = _by_id(before), _by_id(after)
    for name in dict.fromkeys([*old, *new]):
        for was, now in zip_longest(old.get(name, ()), new.get(name, ())):
            yield from _pair(was, now)


def _pair(was: Finding | None, now: Finding | None) -> Iterator[Changed]:
    if now is None:
        if was is not None:
            yield _changed(Kind.LOST, was, was.severity.value, "")
        return
    if was is None:
        yield _changed(Kind.NEW, now, "", now.severity.value)
        return
    for kind, first, second in (
        (Kind.SEVERITY, was.severity.value, now.severity.value),
        (Kind.MODE, _mode(was), _mode(now)),
        (Kind.VERDICT, was.verdict.value, now.verdict.value),
    ):
        if first != second:
            yield _changed(kind, now, first, second)
    if was.episode_key != now.episode_key:
        yield _changed(Kind.REGROUPED, now, _group(was), _group(now))


def _changed(kind: Kind, finding: Finding, was: str, now: str) -> Changed:
    place = finding.topic, finding.partition, finding.offset, finding.item
    return Changed(finding.rule, kind, finding.subject, Example(*place, was=sanitise(was), now=sanitise(now)))


def _by_id(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for each in findings:
        found.setdefault(each.finding_id, []).append(each)
    return found


def _mode(finding: Finding) -> str:
    return f"{finding.mode.value}, exempted by {finding.exemption}" if finding.exemption else finding.mode.value


def _group(finding: Finding) -> str:
    return ", ".join(f"{name} {value}" for name, value in finding.group)
