"""Databases of patterns in Hyperscan. The only module that imports it: its wheels exist for Linux on x86-64 and ARM64."""

from collections.abc import Sequence

try:
    import hyperscan

    AVAILABLE = True
except ImportError:
    AVAILABLE = False


class HyperscanDatabase:
    """Patterns of one family; one pass tells which of them a text has. A pattern reports once (SINGLEMATCH)."""

    def __init__(self, patterns: Sequence[tuple[int, str]]) -> None:
        """Compile (bit, pattern over UTF-8 bytes); raise ValueError for a pattern that is too large or not understood."""
        self._database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        try:
            self._database.compile(
                expressions=[pattern.encode("latin-1") for _, pattern in patterns],
                ids=list(range(len(patterns))),
                elements=len(patterns),
                flags=[hyperscan.HS_FLAG_SINGLEMATCH | hyperscan.HS_FLAG_DOTALL] * len(patterns),
            )
        except hyperscan.error as error:
            raise ValueError(str(error)) from None
        self._bits = [bit for bit, _ in patterns]
        self._all = sum(self._bits)
        self._found: list[int] = []
        found, bits = self._found.append, self._bits

        def report(index: int, _from: int, _to: int, _flags: int, _context: object) -> None:
            found(bits[index])

        self._report = report

    def scan(self, data: bytes) -> int:
        """Give the bits of the patterns that the bytes have; all of them where the scan could not be made."""
        self._found.clear()
        try:
            self._database.scan(data, match_event_handler=self._report)
        except hyperscan.error:
            return self._all
        return sum(self._found)
