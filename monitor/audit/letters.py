"""Dead letters and counts of items of one input partition: held against the accounting, the source, and the judge."""

from collections import Counter, defaultdict

from monitor.audit.evidence import DEAD_LETTERED, EXPIRED, INSPECTED, Claim, Evidence
from monitor.audit.ranges import Ranges, between, segments
from monitor.audit.verdict import Kind, Words

_Letter = tuple[int | None, str]
"""Item and reason."""


class Letters:
    """The check of what could not be read."""

    def __init__(self, ranges: Ranges, evidence: Evidence, words: Words | None, bundle: str) -> None:
        self._ranges = ranges
        self._source = evidence.source
        self._letters = [each for each in evidence.letters if ranges.begin <= each.offset < ranges.until]
        self._words = words
        self._bundle = bundle
        self._by_offset: defaultdict[int, Counter[_Letter]] = defaultdict(Counter)
        """Each letter once, however often it was delivered."""
        for each in self._letters:
            self._by_offset[each.offset][each.item, each.reason] = 1
        self._offsets = sorted(self._by_offset)

    def check(self) -> None:
        """Hold that each record that could not be read has its letters, that no other has, and that the counts agree."""
        self._ranges.result.letters = sum(each.total() for each in self._by_offset.values())
        for letter in self._letters:
            if self._source.sizes.get(letter.offset, letter.size_bytes) != letter.size_bytes:
                self._fault(Kind.LETTER_WRONG, letter.offset, f"{letter.at}: the size is another")
        # As with findings: what broke off left letters of what had expired for the next delivery.
        torn = {offset for claim, offset in self._ranges.once(EXPIRED) if not claim.exactly_once}
        for offset in sorted(self._by_offset.keys() - self._ranges.offsets(INSPECTED, DEAD_LETTERED) - torn):
            self._fault(Kind.LETTER_INVENTED, offset, "the offset was not read")
        for _, offset in self._ranges.once(DEAD_LETTERED):
            if offset not in self._by_offset:
                self._fault(Kind.LETTER_MISSING, offset)
        for kind in (INSPECTED, DEAD_LETTERED):
            for claim, offset in self._ranges.once(kind):
                self._against_judge(claim, offset, kind)
        for claim in self._ranges.whole():
            self._items(claim)

    def _against_judge(self, claim: Claim, offset: int, kind: str) -> None:
        word = (self._words or {}).get((claim.mark, offset))
        if word is None or claim.bundle != self._bundle:
            return
        found = self._by_offset.get(offset, Counter())
        wanted = Counter(word.rejected)
        is_unread = bool(word.items) and len(word.rejected) == word.items
        if is_unread != (kind == DEAD_LETTERED):
            self._fault(Kind.CONTRADICTED, offset, f"{kind} in {claim.at}; the judge says otherwise")
        for letter in wanted - found:
            # A dead-lettered offset without any letter was told before.
            if kind == INSPECTED or found:
                self._fault(Kind.LETTER_MISSING, offset, _named(letter))
        for letter in found - wanted:
            self._fault(Kind.LETTER_WRONG if wanted else Kind.LETTER_INVENTED, offset, _named(letter))

    def _items(self, claim: Claim) -> None:
        """Hold the counts of items of a range against the letters and the judge."""
        told: Counter[str] = Counter()
        # What this range calls expired another may have read before: its letters are that one's.
        for start, end, kind, _ in segments(claim):
            if kind in (INSPECTED, DEAD_LETTERED):
                for offset in between(self._offsets, start, end):
                    for (_, reason), count in self._by_offset[offset].items():
                        told[reason] += count
        prefix = "rejected:"
        counted = Counter({name.removeprefix(prefix): n for name, n in claim.items.items() if name.startswith(prefix)})
        for reason in sorted(told.keys() | counted.keys()):
            if told[reason] != counted[reason]:
                detail = f"{claim.at}: {counted[reason]} rejected as {reason}, {told[reason]} dead letters"
                self._ranges.result.fault(Kind.ITEMS, self._ranges.place, claim.start, claim.end, detail)
        items = self._items_of(claim)
        if items is not None and items != sum(claim.items.values()):
            detail = f"{claim.at}: {sum(claim.items.values())} items, and its records hold {items}"
            self._ranges.result.fault(Kind.ITEMS, self._ranges.place, claim.start, claim.end, detail)

    def _items_of(self, claim: Claim) -> int | None:
        """Give how many items the records of a range hold, as the judge says; None where it does not."""
        if self._words is None or claim.bundle != self._bundle:
            return None
        items = 0
        for start, end, kind, _ in segments(claim):
            if kind in (INSPECTED, DEAD_LETTERED):
                for offset in range(start, end):
                    word = self._words.get((claim.mark, offset))
                    if word is None:
                        return None
                    items += word.items
        return items

    def _fault(self, kind: Kind, offset: int, detail: str = "") -> None:
        self._ranges.result.fault(kind, self._ranges.place, offset, offset + 1, detail)


def _named(letter: _Letter) -> str:
    item, reason = letter
    return reason if item is None else f"{reason}, item {item}"
