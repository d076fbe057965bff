"""CEL's operators on numbers, texts, lists and maps, by the kinds of their operands."""

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

from detectors.rules.values import (
    MISSING,
    EvaluationError,
    FaultKind,
    Overloads,
    Unsigned,
    bounded,
    lookup,
    unsigned,
)


def _add(left: int, right: int) -> int:
    return bounded(left + right)


def _subtract(left: int, right: int) -> int:
    return bounded(left - right)


def _multiply(left: int, right: int) -> int:
    return bounded(left * right)


def _divide(left: int, right: int) -> int:
    """Divide, cutting towards zero (Python's `//` cuts downwards)."""
    if right == 0:
        raise EvaluationError(FaultKind.DIVIDE_BY_ZERO)
    quotient = abs(left) // abs(right)
    return bounded(quotient if (left < 0) == (right < 0) else -quotient)


def _modulo(left: int, right: int) -> int:
    """Give the remainder, with the sign of the dividend."""
    if right == 0:
        raise EvaluationError(FaultKind.DIVIDE_BY_ZERO)
    if right == -1:
        # The engine calls the smallest number modulo -1 an overflow.
        bounded(-left)
    remainder = abs(left) % abs(right)
    return -remainder if left < 0 else remainder


def _divide_unsigned(left: int, right: int) -> Unsigned:
    if right == 0:
        raise EvaluationError(FaultKind.DIVIDE_BY_ZERO)
    return Unsigned(int(left) // int(right))


def _modulo_unsigned(left: int, right: int) -> Unsigned:
    if right == 0:
        raise EvaluationError(FaultKind.DIVIDE_BY_ZERO)
    return Unsigned(int(left) % int(right))


def _divide_fractions(left: float, right: float) -> float:
    if right != 0 or math.isnan(left):
        return left / right if right != 0 else left
    if left == 0:
        # The processor's own "not a number" has its sign bit set, and string() shows it.
        return -math.nan
    return math.copysign(math.inf, left) * math.copysign(1, right)


def _item(container: Any, position: int) -> Any:
    # A negative index is an error in CEL and counts from the end in Python.
    if 0 <= position < len(container):
        return container[position]
    raise EvaluationError(FaultKind.NO_SUCH_INDEX)


def _item_at_fraction(container: Any, position: float) -> Any:
    if not math.isfinite(position) or not position.is_integer():
        raise EvaluationError(FaultKind.NO_SUCH_INDEX)
    return _item(container, int(position))


def _value(container: Any, key: Any) -> Any:
    if key in container:
        return container[key]
    raise EvaluationError(FaultKind.NO_SUCH_KEY)


def _value_of_any(container: Any, key: Any) -> Any:
    found = lookup(container, key)
    if found is MISSING:
        raise EvaluationError(FaultKind.NO_SUCH_KEY)
    return found


def _by_amount(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda left, right: compare(float(left), float(right))


def _ordering(compare: Callable[[Any, Any], bool]) -> Overloads:
    same = ("bool", "int", "uint", "double", "string", "bytes", "timestamp", "duration")
    return {
        **{(kind, kind): compare for kind in same},
        ("int", "uint"): compare,
        ("uint", "int"): compare,
        # Where kinds are open the engine compares a whole number with a fraction as two doubles.
        **{
            pair: _by_amount(compare)
            for pair in (("int", "double"), ("double", "int"), ("uint", "double"), ("double", "uint"))
        },
    }


OPERATORS: Mapping[str, Overloads] = {
    "_<_": _ordering(operator.lt),
    "_<=_": _ordering(operator.le),
    "_>_": _ordering(operator.gt),
    "_>=_": _ordering(operator.ge),
    "_+_": {
        ("int", "int"): _add,
        ("uint", "uint"): lambda left, right: unsigned(int(left) + int(right)),
        ("double", "double"): operator.add,
        ("string", "string"): operator.add,
        ("bytes", "bytes"): operator.add,
        ("list", "list"): operator.add,
    },
    "_-_": {
        ("int", "int"): _subtract,
        ("uint", "uint"): lambda left, right: unsigned(int(left) - int(right)),
        ("double", "double"): operator.sub,
    },
    "_*_": {
        ("int", "int"): _multiply,
        ("uint", "uint"): lambda left, right: unsigned(int(left) * int(right)),
        ("double", "double"): operator.mul,
    },
    "_/_": {("int", "int"): _divide, ("uint", "uint"): _divide_unsigned, ("double", "double"): _divide_fractions},
    "_%_": {("int", "int"): _modulo, ("uint", "uint"): _modulo_unsigned},
    "-_": {("int",): lambda value: bounded(-value), ("double",): operator.neg},
    "!_": {("bool",): operator.not_},
    "_[_]": {
        ("list", "int"): _item,
        ("list", "uint"): _item,
        ("list", "double"): _item_at_fraction,
        **{("map", kind): _value for kind in ("bool", "int", "uint", "string")},
    },
    "size": {(kind,): len for kind in ("string", "bytes", "list", "map")},
    "startsWith": {("string", "string"): str.startswith},
    "endsWith": {("string", "string"): str.endswith},
    "contains": {("string", "string"): operator.contains},
}
"""By CEL's names. Typed operands take theirs when a rule is compiled, open ones while it runs."""
AT_ANY_KEY = _value_of_any
"""The value at a key whose kind is open."""
