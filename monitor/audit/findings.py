"""Findings of one input partition: held against each other, against the accounting, and against the judge."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import chain

from monitor.audit.evidence import EXPIRED, INSPECTED, Claim, Evidence, FoldRecord
from monitor.audit.ranges import Ranges, between, segments
from monitor.audit.verdict import Kind, Said, Unverifiable, Words

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
        by_offset: defaultdict[int, dict[str, Counter[What]]] = defaultdict(dict)
        for (what, mark, offset), count in delivered.items():
            by_offset[offset].setdefault(mark, Counter())[what] += count
        self._result.findings = sum(_union(each.values()).total() for each in by_offset.values())
        self._result.duplicates = sum(count for fold in self._folds for _, count in fold.counts) - self._result.findings
        self._counted(by_offset)
        self._exemplars()
        inspected = self._ranges.offsets(INSPECTED)
        # A delivery that broke off left findings and no accounting, and the next one came after retention.
        torn = {offset for claim, offset in self._ranges.once(EXPIRED) if not claim.exactly_once}
        if not torn.isdisjoint(by_offset):
            self._result.unverifiable[Unverifiable.RETENTION] += len(by_offset.keys() & torn)
        for offset in sorted(by_offset.keys() - inspected - torn):
            if self._ranges.begin <= offset < self._ranges.until:
                self._fault(Kind.FINDING_INVENTED, offset, "the offset was not inspected")
        if self._words is not None:
            for claim, offset in self._ranges.once(INSPECTED):
                self._against_judge(claim, offset, by_offset.get(offset, {}))

    def _delivered(self) -> dict[tuple[What, str, int], int]:
        """Give the findings of each kind, mark and offset, each once however often its fold was delivered."""
        delivered: dict[tuple[What, str, int], int] = {}
        for fold in self._folds:
            for offset, count in fold.counts:
                known = delivered.setdefault((_what(fold), fold.mark, offset), count)
                if known != count:
                    self._fault(Kind.FINDING_COUNT, offset, f"{known} and, in {fold.at}, {count} of {fold.rule}")
        return delivered

    def _counted(self, by_offset: dict[int, dict[str, Counter[What]]]) -> None:
        """Hold the accounting's number of findings against the judge, or else against the folds."""
        offsets = sorted(by_offset)
        for claim in self._ranges.whole():
            found = self._judged_count(claim)
            whose = "the judge"
            if found is None:
                if any(self._ranges.again.get(offset) for offset in range(claim.start, claim.end)):
                    # Delivered twice, perhaps at two marks of the ledger: the folds hold what either delivery found.
                    continue
                within = between(offsets, claim.start, claim.end)
                found = {sum(_union(by_offset[offset].values()).total() for offset in within)}
                whose = "the folds"
            if claim.findings not in found:
                detail = f"{claim.at} counts {claim.findings}, {whose} {' or '.join(map(str, sorted(found)))}"
                self._result.fault(Kind.FINDING_COUNT, self._ranges.place, claim.start, claim.end, detail)

    def _judged_count(self, claim: Claim) -> set[int] | None:
        """Give how many findings a range has by the judge's word: one number, or a span where the ledger could not speak for all."""
        if self._words is None or claim.bundle != self._bundle:
            return None
        least = most = 0
        for start, end, kind, _ in segments(claim):
            for offset in range(start, end) if kind == INSPECTED else ():
                word = self._words.get((claim.mark, offset))
                if word is None or word.lost:
                    return None
                counts = [len(word.findings), *(len(each) for each in word.silent if was_silent(claim))]
                least, most = least + min(counts), most + max(counts)
        return set(range(least, most + 1))

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
        """Give the ids of findings that the judge gives at any mark, by offset, where it judges as the workers did."""
        told: dict[int, set[str]] = {}
        if self._words is None:
            return told
        judged = {
            offset
            for claim, offset in self._ranges.once(INSPECTED)
            if all(each.bundle == self._bundle for each in self._ranges.covering(claim, offset))
        }
        for (_, offset), word in self._words.items():
            if offset in judged and not word.lost:
                rows = (*word.findings, *chain.from_iterable(word.silent))
                told.setdefault(offset, set()).update(row[0] for row in rows)
        return told

    def _against_judge(self, claim: Claim, offset: int, found: dict[str, Counter[What]]) -> None:
        """Hold the findings of one record against the judge: all that one delivery gives, and none that no delivery gives.

        Each fold is held against the judge at its own mark. A ledger may become able to speak without its mark moving, so
        what a silent ledger gives is never called invented; it is enough only where the accounting says that it was silent.
        """
        if offset < self._ranges.source.low or self._words is None:
            return
        claims = list(self._ranges.covering(claim, offset))
        if any(each.bundle != self._bundle for each in claims):
            self._result.unverifiable[Unverifiable.BUNDLE] += 1
            return
        marks = {each.mark for each in claims} | {mark for mark in found if mark}
        words = {mark: self._words.get((mark, offset)) for mark in marks}
        if None in words.values():
            self._result.unverifiable[Unverifiable.NOT_JUDGED] += 1
            return
        if any(word is not None and word.lost for word in words.values()):
            self._result.unverifiable[Unverifiable.FORGOTTEN] += 1
            return
        every = Counter[What]()
        for mark, counts in found.items():
            allowed = _union(_options(word, silent=True) for key, word in words.items() if mark in (key, ""))
            for what in counts - allowed:
                self._fault(Kind.FINDING_INVENTED, offset, f"{what[1]} of episode {what[2]}")
            every |= counts
        enough = [
            option
            for each in claims
            if (word := words[each.mark]) is not None
            for option in _each_option(word, silent=was_silent(each))
        ]
        if not any(option <= every for option in enough):
            for what in enough[0] - every:
                self._fault(Kind.FINDING_MISSING, offset, f"{what[1]} of episode {what[2]}")

    def _fault(self, kind: Kind, offset: int, detail: str) -> None:
        self._result.fault(kind, self._ranges.place, offset, offset + 1, detail)


def was_silent(claim: Claim) -> bool:
    """Tell whether a range says that its worker's ledger could not speak for some of its items."""
    return any(name.startswith("unknown:ledger-") for name in claim.items)


def _each_option(word: Said, *, silent: bool) -> list[Counter[What]]:
    """Give what a record may give: with a ledger that can speak, and, if asked, with one that cannot."""
    return [Counter(row[1:] for row in rows) for rows in (word.findings, *(word.silent if silent else ()))]


def _options(word: Said | None, *, silent: bool) -> Counter[What]:
    return Counter() if word is None else _union(_each_option(word, silent=silent))


def _union(counts: Iterable[Counter[What]]) -> Counter[What]:
    """Give the most that any of them has of each."""
    union = Counter[What]()
    for each in counts:
        union |= each
    return union


def _what(fold: FoldRecord) -> What:
    return fold.mode, fold.rule, fold.episode_key, fold.exemption
