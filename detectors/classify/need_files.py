"""What people write about needs: the shipped table of judgement, and a shop's own decisions over it."""

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import Field, model_validator

from detectors.documents import Written
from topics.flow import PURPOSES, Goods, Step

Sentence = Annotated[str, Field(min_length=8, max_length=240)]
Justification = Annotated[str, Field(min_length=20, max_length=400)]
Word = Annotated[str, Field(pattern=r"^[a-z][a-z-]*$", max_length=40)]
OTHER = "other"
"""Stands for every purpose of a recipient that the table does not list."""


class Need(StrEnum):
    """Whether a purpose can do without a kind of data, from the strictest."""

    PROHIBITED = "prohibited"
    UNNEEDED = "unneeded"
    CONDITIONAL = "conditional"
    """Depends on something that no record tells, such as the country or the carrier: never reported as too much."""
    NEEDED = "needed"


class WrittenGoods(Written):
    """What goods of a kind change."""

    reason: Sentence
    removes: tuple[Word, ...] = ()
    """Purposes that they do not have."""
    adds: tuple[Word, ...] = ()
    """Purposes that they have beside the usual ones, at every step but the cart, and for the recipients in `to`."""
    to: tuple[str, ...] = ()


class WrittenSentence(Written):
    """Why something is too much, and what would do."""

    reason: Sentence
    enough: Sentence


class Doubt(StrEnum):
    """What is said where nobody knows the goods, and they decide."""

    SILENT = "silent"
    GAP = "gap"


class WrittenNeed(WrittenSentence):
    """One category: what it is needed for, with a reason for each purpose."""

    needed: dict[Word, Sentence] = Field(default_factory=dict)
    conditional: dict[Word, Sentence] = Field(default_factory=dict)
    unneeded: dict[Word, Sentence] = Field(default_factory=dict)
    otherwise: Need = Need.UNNEEDED
    """For every purpose that is not listed."""
    without: dict[Goods, tuple[Word, ...]] = Field(default_factory=dict)
    """Purposes for which goods of this kind can do without it, whatever stands above."""
    doubt: Doubt = Doubt.SILENT

    def purposes(self) -> tuple[str, ...]:
        """Give every purpose that the entry names."""
        without = (purpose for each in self.without.values() for purpose in each)
        return (*self.needed, *self.conditional, *self.unneeded, *without)


class NeedFile(Written):
    """What stands in needs.yaml."""

    purposes: dict[Word, Sentence]
    steps: dict[Step, tuple[Word, ...]]
    recipients: dict[str, tuple[Word, ...]]
    goods: dict[Goods, WrittenGoods]
    travels: tuple[str, ...]
    ambient_paths: tuple[str, ...]
    categories: dict[str, WrittenNeed]
    sensitive: WrittenSentence

    @model_validator(mode="after")
    def _names_exist(self) -> "NeedFile":
        used = [(f"steps.{step.value}", each) for step, each in self.steps.items()]
        used += [(f"recipients.{name}", each) for name, each in self.recipients.items()]
        used += [(f"goods.{name.value}", (*each.removes, *each.adds)) for name, each in self.goods.items()]
        used += [(f"categories.{key}", need.purposes()) for key, need in self.categories.items()]
        wrong = [
            f"{place}: unknown purpose {name}" for place, names in used for name in names if name not in self.purposes
        ]
        wrong += [f"steps lacks {step.value}" for step in Step if step is not Step.NONE and step not in self.steps]
        wrong += [f"recipients.{name}: no purpose of a recipient" for name in self.recipients if not _is_purpose(name)]
        wrong += [
            f"goods.{kind.value}.to: recipients lacks {name}"
            for kind, each in self.goods.items()
            for name in each.to
            if name not in self.recipients
        ]
        if OTHER not in self.recipients:
            wrong.append(f"recipients lacks {OTHER}")
        if wrong:
            raise ValueError("; ".join(wrong))
        return self


def _is_purpose(name: str) -> bool:
    return name == OTHER or name in PURPOSES


class WrittenOverride(Written):
    """One decision of a shop's: this data, at these steps or for these recipients, is needed or not."""

    category: str = Field(description="Key of the category; the categories below it are meant too.")
    steps: tuple[Step, ...] = Field((), description="Steps of the purchase at which the shop itself collects it.")
    recipients: tuple[str, ...] = Field((), description="Purposes of recipients that get it (`payment`, `delivery`).")
    goods: tuple[Goods, ...] = Field((), description="Only for goods of one of these kinds; empty: whatever is sold.")
    need: Need = Field(description="needed, conditional or unneeded.")
    justification: Justification = Field(description="Why, in sentences that an auditor can follow.")
    enough: Sentence | None = Field(None, description="With `unneeded`: what would do instead.")
    decided_by: Annotated[str, Field(min_length=2, max_length=120)] = Field(description="Who answers for it.")
    decided_on: date = Field(description="The day of the decision.")

    @model_validator(mode="after")
    def _says_where(self) -> "WrittenOverride":
        if not self.steps and not self.recipients:
            raise ValueError("name `steps`, `recipients` or both: nothing says where it holds")
        if Step.NONE in self.steps:
            raise ValueError(
                "steps: an empty step is none; there are " + ", ".join(each.value for each in Step if each)
            )
        wrong = [name for name in self.recipients if not _is_purpose(name)]
        if wrong:
            raise ValueError(f"recipients: unknown purpose {wrong[0]}; there are {', '.join(sorted(PURPOSES))}")
        if self.need is Need.PROHIBITED:
            raise ValueError("need: write unneeded; what is prohibited is so for everybody")
        return self


class OverrideFile(Written):
    """A shop's own decisions, by whoever answers for its data protection."""

    overrides: tuple[WrittenOverride, ...]
