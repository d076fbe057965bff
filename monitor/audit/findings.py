"""Findings of one input partition: held against each other, against the accounting, and against the judge."""

from collections import Counter, defaultdict
from itertools import chain

from monitor.audit.evidence import INSPECTED, Claim, Evidence, FoldRecord
from monitor.audit.ranges import Ranges, between
from monitor.audit.verdict import Kind, Unverifiable, Words

What = tuple[str, str, str, str]
"""Mode, rule, episode key and exemption: findings of one offset that agree in these are told by their number."""
_Exemplar = tuple[int, int, str, str]
"""Offset, item, rule and location: what an id stands for."""


class Findings:
    """The check of the findings."""

    def __init__(self, ranges: Ranges, evidence: Evidence, words: Words | None, bundle: str) -> None:
        self._ranges = ranges
        self._result = ranges.result
        self._folds = evidence.folds
        self._words = words
        self._bundle = bundle

    def check(self) -> None:
        """Hold that every finding is counted once, stands where something was inspected, and is what the judge gives."""
        delivered = self._delivered()
        by_offset: defaultdict[int, Counter[What]] = defaultdict(Counter)
        for (what, offset), count in delivered.items():
            by_offset[offset][what] += count
        self._result.findings = sum(each.total() for each in by_offset.values())
        self._counted(by_offset)
        self._exemplars()
        inspected = self._ranges.offsets(INSPECTED)
        for offset in sorted(by_offset.keys() - inspected):
            if self._ranges.begin <= offset < self._ranges.until:
                self._fault(Kind.FINDING_INVENTED, offset, "the offset was not inspected")
        if self._words is not None:
            for claim, offset in self._ranges.once(INSPECTED):
                self._against_judge(claim, offset, by_offset.get(offset, Counter()))

    def _delivered(self) -> dict[tuple[What, int], int]:
        """Give the findings of each kind and offset, each once however often its fold was delivered."""
        delivered: dict[tuple[What, int], int] = {}
        total = 0
        for fold in self._folds:
            for offset, count in fold.counts:
                total += count
                known = delivered.setdefault((_what(fold), offset), count)
                if known != count:
                    self._fault(Kind.FINDING_COUNT, offset, f"{known} and, in {fold.at}, {count} of {fold.rule}")
        self._result.duplicates = total - sum(delivered.values())
        return delivered

    def _counted(self, by_offset: dict[int, Counter[What]]) -> None:
        """Hold the accounting's number of findings against the folds."""
        offsets = sorted(by_offset)
        for claim in self._ranges.whole():
            found = sum(by_offset[offset].total() for offset in between(offsets, claim.start, claim.end))
            if found == claim.findings:
                continue
            again = any(self._ranges.again.get(offset) for offset in range(claim.start, claim.end))
            if again and found > claim.findings:
                # Judged twice at two marks of the ledger: the folds hold what either delivery found.
                continue
            detail = f"{claim.at} counts {claim.findings}, the folds {found}"
            self._result.fault(Kind.FINDING_COUNT, self._ranges.place, claim.start, claim.end, detail)

    def _exemplars(self) -> None:
        """Hold that a finding has one id wherever it is told, that no two share one, and that the judge gives the same."""
        ids: dict[_Exemplar, str] = {}
        findings: dict[str, _Exemplar] = {}
        told = self._told_ids()
        for fold in self._folds:
            offsets = {offset for offset, _ in fold.counts}
            for each in fold.exemplars:
                what = each.offset, each.item, each.rule, each.location
                known = ids.setdefault(what, each.finding_id)
                other = findings.setdefault(each.finding_id, what)
                if known != each.finding_id or other != what:
                    self._fault(Kind.FINDING_ID, each.offset, f"{each.rule} in {fold.at}")
                elif each.offset not in offsets or each.rule != fold.rule:
                    self._fault(Kind.FINDING_ID, each.offset, f"an exemplar of other findings in {fold.at}")
                elif each.offset in told and each.finding_id not in told[each.offset]:
                    self._fault(Kind.FINDING_ID, each.offset, f"{each.rule} in {fold.at} has another id")

    def _told_ids(self) -> dict[int, set[str]]:
        """Give the ids of findings that the judge gives, by offset, where it judges as the worker did."""
        told: dict[int, set[str]] = {}
        if self._words is None:
            return told
        for claim, offset in self._ranges.once(INSPECTED):
            for each in self._ranges.covering(claim, offset):
                word = self._words.get((each.mark, offset))
                if word is not None and each.bundle == self._bundle:
                    rows = (*word.findings, *chain.from_iterable(word.silent))
                    told.setdefault(offset, set()).update(row[0] for row in rows)
        return told

    def _against_judge(self, claim: Claim, offset: int, found: Counter[What]) -> None:
        """Hold the findings of one record against the judge: all that one delivery gives, and no more than all of them."""
        if offset < self._ranges.source.low or self._words is None:
            return
        options: list[Counter[What]] = []
        for each in self._ranges.covering(claim, offset):
            word = self._words.get((each.mark, offset))
            if each.bundle != self._bundle:
                self._result.unverifiable[Unverifiable.BUNDLE] += 1
                return
            if word is None:
                self._result.unverifiable[Unverifiable.NOT_JUDGED] += 1
                return
            options.append(Counter(row[1:] for row in word.findings))
            if was_silent(each):
                options += [Counter(row[1:] for row in silent) for silent in word.silent]
        every = Counter[What]()
        for option in options:
            every |= option
        if found <= every and any(option <= found for option in options):
            return
        for what in options[0] - found:
            self._fault(Kind.FINDING_MISSING, offset, f"{what[1]} of episode {what[2]}")
        for what in found - every:
            self._fault(Kind.FINDING_INVENTED, offset, f"{what[1]} of episode {what[2]}")

    def _fault(self, kind: Kind, offset: int, detail: str) -> None:
        self._result.fault(kind, self._ranges.place, offset, offset + 1, detail)


def was_silent(claim: Claim) -> bool:
    """Tell whether a range says that its worker's ledger could not speak for some of its items."""
    return any(name.startswith("unknown:ledger-") for name in claim.items)


def _what(fold: FoldRecord) -> What:
    return fold.mode, fold.rule, fold.episode_key, fold.exemption
