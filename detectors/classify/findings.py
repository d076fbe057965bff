"""What one search found and could not look into, and, where somebody asks, why."""

from detectors.classify.encodings.opened import OVER_BUDGET
from detectors.classify.evidence import Evidence, Trace
from detectors.classify.recognizers.recognizer import SURE


class Findings:
    """Fields by path and category with their masked shape, and the reasons of blindness."""

    __slots__ = ("_most", "added", "blind", "found", "trace")

    def __init__(self, most: int, trace: Trace | None = None) -> None:
        self.found: dict[tuple[str, str], str] = {}
        self.blind: set[str] = set()
        self.trace = trace
        self.added = 0
        """How often something was found, also what was found before."""
        self._most = most

    def add(self, path: str, category: str, masked: str) -> None:
        """Add a field; the first shape of a path and category stays."""
        self.added += 1
        known = self.found
        if len(known) >= self._most and (path, category) not in known:
            self.blind.add(OVER_BUDGET)
            return
        known.setdefault((path, category), masked)

    def tell(self, path: str, category: str, recognizer: str, why: str, confidence: float = 0.0) -> None:
        """Tell why something was found or not."""
        if self.trace is not None:
            self.trace(Evidence(path, category, recognizer, confidence >= SURE, confidence, why))
