"""Facts at random, and the CEL engine that expressions are held against."""

import operator
from random import Random
from typing import Any

from detectors.assessment import Assessment
from detectors.rules.language import environment
from detectors.rules.names import Assessor, Kind, assessment, readable
from tests.detectors.rules.grammar import TEXTS

INTS = (0, 1, 2, -1, 3, 7, -7, 2**63 - 1, -(2**63), 2**62)


def facts(random: Random, assessor: Assessor) -> Assessment:
    """Give facts at random, of every type of name."""
    given: dict[str, Any] = {}
    for name in readable(assessor).values():
        value: Any
        if name.kind == Kind.BOOL:
            value = random.random() < 0.5
        elif name.kind == Kind.INT:
            value = random.choice(INTS)
        elif name.kind == Kind.LIST:
            value = [random.choice(TEXTS) for _ in range(random.randrange(4))]
        else:
            value = random.choice(sorted(name.words) if name.words else TEXTS)
        node = given
        *parents, last = name.path.split(".")
        for parent in parents:
            node = node.setdefault(parent, {})
        node[last] = value
    made, wrong = assessment(assessor, given)
    assert made is not None, wrong
    return made


def activation(facts_: Assessment, assessor: Assessor) -> dict[str, Any]:
    """Give the facts as the CEL engine takes them: a flat mapping of plain values."""
    values: dict[str, Any] = {}
    for path, name in readable(assessor).items():
        value = operator.attrgetter(path)(facts_)
        values[path] = list(value) if name.kind == Kind.LIST else str(value) if name.kind == Kind.STRING else value
    return values


def interpreted(text: str, values: dict[str, Any], assessor: Assessor) -> bool | None:
    """Run an expression on the CEL engine: its value, or None for an error."""
    result = environment(assessor).compile(text).eval(data=values).value()
    return result if isinstance(result, bool) else None
