"""Operators and functions of the rule language: the one that fits the kinds of the operands."""

from collections.abc import Callable, Mapping
from typing import Any

from detectors.rules import arithmetic, times
from detectors.rules.conversions import CONVERSIONS, type_of
from detectors.rules.values import EvaluationError, FaultKind, Overloads, kind_of

LOGIC = frozenset({"_&&_", "_||_", "_?_:_", "_==_", "_!=_", "@in"})
"""What is more than a function of its operands' values: it decides which are evaluated, or takes every kind."""
SPECIAL = frozenset({"matches", "dyn", "type"})

_OVERLOADS: Mapping[str, Overloads] = {
    **arithmetic.OPERATORS,
    **CONVERSIONS,
    **{name: {**arithmetic.OPERATORS.get(name, {}), **overloads} for name, overloads in times.OPERATORS.items()},
}
FUNCTIONS = LOGIC | SPECIAL | _OVERLOADS.keys()
"""By CEL's names."""
ZONED = frozenset(times.PARTS)
"""Functions that take a time zone too."""


def kind_in(static: str) -> str:
    """Give the kind of a static type: `list` for `list(string)`."""
    return static.partition("(")[0]


def resolve(function: str, kinds: tuple[str, ...]) -> Callable[..., Any]:
    """Find what computes a function for operands of these kinds; with an open one (`dyn`) it is found while the rule runs."""
    if function == "dyn":
        return lambda value: value
    if function == "type":
        return type_of
    overloads = _OVERLOADS[function]
    if function == "_[_]" and kinds[0] in {"map", "dyn"} and "dyn" in kinds:
        return _at(overloads)
    if "dyn" in kinds:
        return _open(overloads)
    found = overloads.get(kinds)
    return found if found is not None else _never


def _open(overloads: Overloads) -> Callable[..., Any]:
    def apply(*operands: Any) -> Any:
        found = overloads.get(tuple([kind_of(each) for each in operands]))
        if found is None:
            raise EvaluationError(FaultKind.NO_OVERLOAD)
        return found(*operands)

    return apply


def _at(overloads: Overloads) -> Callable[..., Any]:
    by_position = _open(overloads)

    def apply(container: Any, key: Any) -> Any:
        return arithmetic.AT_ANY_KEY(container, key) if isinstance(container, dict) else by_position(container, key)

    return apply


def _never(*_operands: Any) -> Any:
    raise EvaluationError(FaultKind.NO_OVERLOAD)


def is_plain(static: str) -> bool:
    """Say whether Python's own comparison of two such values is CEL's: no fraction and no open kind inside."""
    return "dyn" not in static and "double" not in static and "unknown" not in static
