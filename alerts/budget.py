"""A limit on the series of one metric: combinations of labels beyond it share those with `other` in one place."""

OTHER = "other"


class Budget:
    """The combinations of label values that one metric shows.

    Each single label has a closed list already; their product has not, and a scrape pays for every series.
    """

    def __init__(self, limit: int, fold: int) -> None:
        """Allow `limit` combinations; beyond it the label at index `fold` becomes `other`."""
        self._limit = limit
        self._fold = fold
        self._seen: set[tuple[str, ...]] = set()
        self.overflows = 0
        """How often a combination had to give up its label."""

    def __call__(self, *labels: str) -> tuple[str, ...]:
        """Give the labels to count under."""
        if labels in self._seen:
            return labels
        if len(self._seen) < self._limit:
            self._seen.add(labels)
            return labels
        self.overflows += 1
        return (*labels[: self._fold], OTHER, *labels[self._fold + 1 :])
