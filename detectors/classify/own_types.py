"""A shop's own kinds of personal data: names and looks of values in a file, with examples that prove them."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import Field as Bounded
from pydantic import model_validator

from detectors import documents
from detectors.classify.budget import Budget
from detectors.classify.fields import find_fields
from detectors.classify.keys import words
from detectors.classify.recognizers.gates import ENGINE
from detectors.classify.recognizers.recognizer import Recognizer
from detectors.classify.recognizers.table import VALIDATORS
from detectors.classify.taxonomy import Category, Taxonomy
from detectors.documents import Problem, Written, line_of
from detectors.spelling import suggestion
from topics.observation import Media, Part

_ANYTHING = r"[\s\S]{1,512}"
_UNBOUNDED = re.compile(r"(?<!\\)(?:\\\\)*[*+]|\{\d+,\}|\(\?[=!<]|\\[1-9]")
_LONGEST = 512


class Example(Written):
    """A field as it may stand in traffic, made up."""

    key: Annotated[str, Bounded(min_length=1, max_length=128)] = "value"
    value: Annotated[str, Bounded(max_length=_LONGEST)]


class Tests(Written):
    """What proves a type."""

    finds: Annotated[tuple[Example, ...], Bounded(min_length=1)]
    spares: Annotated[tuple[Example, ...], Bounded(min_length=1)]


class OwnType(Written):
    """One kind of personal data that only this shop has."""

    id: Annotated[str, Bounded(pattern=r"^[a-z][a-z0-9-]{1,63}$")]
    category: Annotated[str, Bounded(pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)*$")]
    """A category of the taxonomy, or a new one below such a category."""
    label: str = ""
    """What a new category is called."""
    keys: tuple[str, ...] = ()
    """Names of fields that tell it, in any spelling."""
    value: Annotated[str, Bounded(max_length=_LONGEST)] = ""
    """How the whole value looks; empty: the name alone tells it."""
    validator: str = "any"
    alone: bool = False
    """Whether the value tells it without one of the names."""
    contradicts: tuple[str, ...] = ()
    """Words of other names under which such a value is something else."""
    tests: Tests

    @model_validator(mode="after")
    def _has_evidence(self) -> "OwnType":
        if not self.keys and not self.alone:
            raise ValueError("needs keys, or a value that tells it alone (alone: true)")
        if self.alone and not self.value:
            raise ValueError("alone: true needs a value")
        return self


class OwnTypeFile(Written):
    """What stands in a file of own types."""

    types: tuple[OwnType, ...]


def read_own_types(text: str, file: str, taxonomy: Taxonomy) -> tuple[Taxonomy | None, list[Problem]]:
    """Read own types and put them into a taxonomy, or give every mistake: also an example that does not come out as written."""
    document, problems = documents.load(text, file)
    if problems:
        return None, problems
    written, problems = documents.validate(document, file, OwnTypeFile)
    if written is None:
        return None, problems
    for index, each in enumerate(written.types):
        for message, key in _mistakes(each, written.types[:index], taxonomy):
            path = ("types", index, key)
            problems.append(Problem(file, line_of(document, path), ".".join(map(str, path)), message))
    if problems:
        return None, problems
    extended = taxonomy.with_own(
        tuple(map(_recognizer, written.types)),
        {
            each.category: _category(each, taxonomy)
            for each in written.types
            if each.category not in taxonomy.categories
        },
    )
    for index, each in enumerate(written.types):
        for place, message in _failures(each, index, extended):
            problems.append(Problem(file, line_of(document, place), ".".join(map(str, place)), message))
    return (None, problems) if problems else (extended, [])


def _mistakes(each: OwnType, before: Sequence[OwnType], taxonomy: Taxonomy) -> Iterator[tuple[str, str]]:
    if any(each.id == other.id for other in before) or each.id in taxonomy.recognizers.checks:
        yield f"{each.id} is taken", "id"
    if each.validator not in VALIDATORS:
        yield (
            f"unknown validator{suggestion(each.validator, VALIDATORS)}; one of: {', '.join(sorted(VALIDATORS))}",
            "validator",
        )
    if each.category not in taxonomy.categories:
        parent = each.category.rpartition(".")[0]
        if parent not in taxonomy.categories:
            yield "neither a category of the taxonomy nor one below such a category", "category"
        elif not each.label:
            yield "a new category needs a label", "category"
    if any(not words(key) for key in each.keys):
        yield "a name of a field has letters or digits", "keys"
    if _UNBOUNDED.search(each.value):
        yield "write how often with an end ({1,40} instead of + or *), and no look-around or reference back", "value"
        return
    try:
        re.compile(each.value)
        ENGINE([(1, each.value or _ANYTHING)])
    except (re.error, ValueError, UnicodeEncodeError) as error:
        yield f"not a pattern that both engines read: {error}", "value"


def _recognizer(each: OwnType) -> Recognizer:
    return Recognizer(
        name=each.id,
        category=each.category,
        pattern=each.value or _ANYTHING,
        valid=each.validator,
        keys=tuple("".join(words(key)) for key in each.keys),
        contradicts=tuple(word.lower() for word in each.contradicts),
        alone=0.9 if each.alone else 0.0,
        numbers=True,
        hidden=not each.value,
    )


def _category(each: OwnType, taxonomy: Taxonomy) -> Category:
    parent = taxonomy.categories[each.category.rpartition(".")[0]]
    return Category(label=each.label, check="id", regime=parent.regime)


def _failures(each: OwnType, index: int, taxonomy: Taxonomy) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Give the examples that do not come out as they are written."""
    for wanted in ("finds", "spares"):
        examples: tuple[Example, ...] = getattr(each.tests, wanted)
        for at, example in enumerate(examples):
            part = Part("", json.dumps({example.key: example.value}).encode(), Media.JSON)
            categories = {field.category for field in find_fields(part, Budget(), taxonomy).fields}
            if (each.category in categories) != (wanted == "finds"):
                said = _why_not(each, example, taxonomy) if wanted == "finds" else f"is found as {each.category}"
                yield ("types", index, "tests", wanted, at), f"this example {said}"


def _why_not(each: OwnType, example: Example, taxonomy: Taxonomy) -> str:
    """Tell what speaks against an example that should be found."""
    if not re.fullmatch(each.value or _ANYTHING, example.value):
        return "is not found: the pattern of `value` does not take all of it"
    if not taxonomy.recognizers.checks[each.id](example.value):
        return f"is not found: the pattern takes it, the validator {each.validator} says no"
    if "".join(words(example.key)) in {"".join(words(key)) for key in each.keys}:
        return "is not found: something that is shipped explains such a field first"
    return "is not found: its key is none of `keys`, and by its value alone nothing is found under this key"
