"""What a step of the purchase needs, as a table of judgement with a reason for each entry."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, NamedTuple

from pydantic import Field as Bounded
from pydantic import model_validator

from detectors.classify.taxonomy import Taxonomy
from detectors.documents import Problem, Written, read
from topics.flow import PURPOSES, Step

Sentence = Annotated[str, Bounded(min_length=8, max_length=200)]


class Need(StrEnum):
    """Whether a step can do without a kind of data."""

    NEEDED = "needed"
    CONDITIONAL = "conditional"
    """Depends on goods, country or carrier: never reported."""
    UNNEEDED = "unneeded"
    PROHIBITED = "prohibited"


class Excess(NamedTuple):
    """A category that a step got and does not need."""

    category: str
    kind: Need
    """UNNEEDED or PROHIBITED."""
    reason: str
    """Why, and what would be enough; for people."""


class WrittenSentence(Written):
    """Why something is too much, and what would do."""

    reason: Sentence
    enough: Sentence


class WrittenNeed(WrittenSentence):
    """One category of needs.yaml."""

    own: dict[Step, Need]
    otherwise: Need = Need.CONDITIONAL
    to: dict[str, Need]


class NeedFile(Written):
    """What stands in needs.yaml."""

    travels: tuple[str, ...]
    ambient_paths: tuple[str, ...]
    categories: dict[str, WrittenNeed]
    sensitive: WrittenSentence

    @model_validator(mode="after")
    def _purposes_exist(self) -> "NeedFile":
        wrong = [
            f"{key}: unknown purpose {purpose}"
            for key, need in self.categories.items()
            for purpose in need.to
            if purpose not in PURPOSES and purpose != "other"
        ]
        wrong += [
            f"{key}: `to` needs an entry for other" for key, need in self.categories.items() if "other" not in need.to
        ]
        if wrong:
            raise ValueError("; ".join(wrong))
        return self


class NeedTable:
    """Judges categories by step and recipient."""

    def __init__(self, file: NeedFile, taxonomy: Taxonomy) -> None:
        self._needs = file.categories
        self._sensitive = file.sensitive
        self._taxonomy = taxonomy
        self._travels = frozenset(file.travels)
        self._ambient = file.ambient_paths

    def assess(self, step: Step, purpose: str, categories: Iterable[str], *, own: bool = False) -> list[Excess]:
        """List what is too much at a step, sorted by category; nothing outside of the purchase.

        `own` is the shop's own collection; otherwise the recipient's purpose decides. Conditional needs never count.
        """
        if step is Step.NONE:
            return []
        found: list[Excess] = []
        for category in sorted(set(categories)):
            need, sentence = self._need(step, purpose, category, own=own)
            if sentence and need in (Need.UNNEEDED, Need.PROHIBITED):
                found.append(Excess(category, need, f"{sentence.reason} Enough: {sentence.enough}"))
        return found

    def is_ambient(self, path: str) -> bool:
        """Tell a field that an event library attaches to every event, whatever the step."""
        return any(path == each or path.startswith((f"{each}.", f"{each}[")) for each in self._ambient)

    def _need(self, step: Step, purpose: str, category: str, *, own: bool) -> tuple[Need, WrittenSentence | None]:
        if not self._travels.isdisjoint(_with_parents(category)):
            return Need.CONDITIONAL, None
        written = self._needs.get(category)
        if written is None:
            if self._taxonomy.is_sensitive(category):
                return Need.UNNEEDED, self._sensitive
            return Need.CONDITIONAL, None
        if own:
            return written.own.get(step, written.otherwise), written
        return written.to.get(purpose, written.to["other"]), written


def _with_parents(category: str) -> Iterable[str]:
    while category:
        yield category
        category = category.rpartition(".")[0]


def read_needs(text: str, file: str, taxonomy: Taxonomy) -> tuple[NeedTable | None, list[Problem]]:
    """Read the need table from the text of its file: the table, or every mistake."""
    written, problems = read(text, file, NeedFile)
    if written is None:
        return None, problems
    unknown = [
        Problem(file, 0, f"categories.{category}", "the taxonomy has no such category")
        for category in written.categories
        if category not in taxonomy.categories
    ]
    return (None if unknown else NeedTable(written, taxonomy)), unknown
