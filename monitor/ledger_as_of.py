"""The ledger as it stood at a mark: what was recorded later is not seen."""

from collections.abc import Sequence

from detectors.consent.ledger import Choice, Coverage, Forgets, LedgerView
from topics.catalog import LINKS
from topics.record import Place

_TAKEN_OUT = frozenset({Forgets.ERASED, Forgets.OLDER})


class AsOfMark:
    """A view of today's ledger that hides every choice from behind a mark.

    What was taken out since (by a tombstone, or because too many versions came) cannot be brought back: `has_lost` then says
    that nobody can tell any more what was there. A link between identifiers that was learned later cannot be taken back either.
    """

    def __init__(self, today: LedgerView, mark: str, consent_topic: str, coverage: Coverage) -> None:
        """`mark`: as the accounting tells it. `coverage`: whether the ledger could speak for the moment then."""
        self.mark = mark
        self._today = today
        self._ends = ends_of(mark, consent_topic)
        self._coverage = coverage
        self.has_lost = False
        """Whether something that was asked for since this was last set to False has been taken out behind the mark."""

    def coverage(self, broker_ms: int) -> Coverage:  # noqa: ARG002 - the protocol's signature
        """Tell what the ledger was then."""
        return self._coverage

    def choices(self, subjects: Sequence[str]) -> Sequence[Choice]:
        """Give the versions that had been read then."""
        return self._then(self._today.choices(subjects))

    def choices_of(self, people: Sequence[Sequence[str]]) -> Sequence[Sequence[Choice]]:
        """Give the versions that had been read then, for each of many people."""
        return [self._then(choices) for choices in self._today.choices_of(people)]

    def _then(self, choices: Sequence[Choice]) -> Sequence[Choice]:
        ends = self._ends
        then = [each for each in choices if each.offset < ends.get((each.topic, each.partition), 0)]
        if len(then) < len(choices):
            self.has_lost |= any(each.forgets in _TAKEN_OUT and each not in then for each in choices)
        return then


def ends_of(mark: str, consent_topic: str) -> dict[Place, int]:
    """Read a mark: the next offset of each partition of the consent topic.

    A mark is `partition:offset` joined by commas for each topic that was read, in the order of their names, joined by bars.
    """
    groups = [group for group in mark.split("|") if group]
    names = sorted((consent_topic, LINKS.name))
    place = names.index(consent_topic) if len(groups) == len(names) else 0
    if place >= len(groups):
        return {}
    pairs = (each.partition(":") for each in groups[place].split(","))
    return {(consent_topic, int(partition)): int(offset) for partition, _, offset in pairs}
