"""An encoder of its own for GPP and TCF strings: it shares nothing with the decoders it is used against."""

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


class Writer:
    """Bits, most significant first, written out in groups of six."""

    def __init__(self) -> None:
        self.bits: list[int] = []

    def integer(self, value: int, width: int) -> "Writer":
        self.bits += [(value >> shift) & 1 for shift in range(width - 1, -1, -1)]
        return self

    def field(self, members: set[int] | frozenset[int], width: int) -> "Writer":
        self.bits += [int(position in members) for position in range(1, width + 1)]
        return self

    def letters(self, text: str) -> "Writer":
        for letter in text:
            self.integer(ord(letter) - ord("A"), 6)
        return self

    def fibonacci(self, value: int) -> "Writer":
        numbers = [1, 2]
        while numbers[-1] <= value:
            numbers.append(numbers[-1] + numbers[-2])
        code: list[int] = []
        for number in reversed(numbers):
            if number <= value:
                value -= number
                code.append(1)
            elif code:
                code.append(0)
        self.bits += [*reversed(code), 1]
        return self

    def ranges(self, ids: set[int], *, fibonacci: bool) -> "Writer":
        groups: list[tuple[int, int]] = []
        for each in sorted(ids):
            if groups and groups[-1][1] == each - 1:
                groups[-1] = (groups[-1][0], each)
            else:
                groups.append((each, each))
        self.integer(len(groups), 12)
        last = 0
        for start, end in groups:
            self.integer(int(start != end), 1)
            if fibonacci:
                self.fibonacci(start - last)
                if start != end:
                    self.fibonacci(end - start)
                last = end
            else:
                self.integer(start, 16)
                if start != end:
                    self.integer(end, 16)
        return self

    def optimized(self, ids: set[int], *, as_ranges: bool, fibonacci: bool = False) -> "Writer":
        largest = max(ids, default=0)
        # A bit field of the largest ids would be longer than any string may be.
        as_ranges = as_ranges or largest > 4_000
        self.integer(largest, 16).integer(int(as_ranges), 1)
        return self.ranges(ids, fibonacci=fibonacci) if as_ranges else self.field(ids, largest)

    def text(self, multiple: int = 6) -> str:
        bits = self.bits + [0] * (-len(self.bits) % multiple)
        bits += [0] * (-len(bits) % 6)
        groups = (bits[at : at + 6] for at in range(0, len(bits), 6))
        return "".join(ALPHABET[int("".join(map(str, group)), 2)] for group in groups)


def header(ids: set[int]) -> str:
    """Write a GPP header."""
    return Writer().integer(3, 6).integer(1, 6).ranges(ids, fibonacci=True).text()


def tc_core(
    purposes: set[int],
    purposes_li: set[int],
    vendors: set[int],
    vendors_li: set[int],
    *,
    as_ranges: bool = False,
    version: int = 2,
    created: int = 17_000_000_000,
    cmp_id: int = 31,
    service_specific: bool = True,
    purpose_one_treatment: bool = False,
    restrictions: tuple[tuple[int, int, set[int]], ...] = (),
) -> str:
    """Write the core of a TC string; `created` is in tenths of a second."""
    writer = Writer().integer(version, 6).integer(created, 36).integer(created, 36)
    writer.integer(cmp_id, 12).integer(7, 12).integer(1, 6).letters("DE").integer(48, 12).integer(5, 6)
    writer.integer(int(service_specific), 1).integer(0, 1).field({1}, 12)
    writer.field(purposes, 24).field(purposes_li, 24).integer(int(purpose_one_treatment), 1).letters("FR")
    writer.optimized(vendors, as_ranges=as_ranges).optimized(vendors_li, as_ranges=as_ranges)
    writer.integer(len(restrictions), 12)
    for purpose, kind, ids in restrictions:
        writer.integer(purpose, 6).integer(kind, 2).ranges(ids, fibonacci=False)
    return writer.text()


def vendor_segment(kind: int, ids: set[int], *, as_ranges: bool = False) -> str:
    """Write a DisclosedVendors (1) or VendorsAllowed (2) segment."""
    return Writer().integer(kind, 3).optimized(ids, as_ranges=as_ranges).text()


def publisher_segment(consents: set[int], interests: set[int], custom: list[bool]) -> str:
    """Write a PublisherTC segment; the custom purposes of both kinds are the same."""
    members = {position for position, flag in enumerate(custom, 1) if flag}
    writer = Writer().integer(3, 3).field(consents, 24).field(interests, 24).integer(len(custom), 6)
    return writer.field(members, len(custom)).field(members, len(custom)).text()
