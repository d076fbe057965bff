"""CEL's arithmetic on 64-bit whole numbers, and its errors."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

_MIN, _MAX = -(2**63), 2**63 - 1


class FaultKind(StrEnum):
    """Why an expression has no value."""

    OVERFLOW = "overflow"
    DIVIDE_BY_ZERO = "divide-by-zero"
    NO_SUCH_KEY = "no-such-key"
    NO_SUCH_INDEX = "no-such-index"
    INTERNAL = "internal"
    """A fault of ours, not of the rule."""


class EvaluationError(Exception):
    """An error of CEL while a rule runs. Carries its kind and no data."""

    def __init__(self, kind: FaultKind) -> None:
        super().__init__(kind.value)
        self.kind = kind


def _bounded(value: int) -> int:
    if _MIN <= value <= _MAX:
        return value
    raise EvaluationError(FaultKind.OVERFLOW)


def add(left: Any, right: Any) -> Any:
    """Add numbers; texts and lists are joined."""
    return _bounded(left + right) if isinstance(left, int) else left + right


def subtract(left: int, right: int) -> int:
    """Subtract."""
    return _bounded(left - right)


def multiply(left: int, right: int) -> int:
    """Multiply."""
    return _bounded(left * right)


def divide(left: int, right: int) -> int:
    """Divide, cutting towards zero (Python's `//` cuts downwards)."""
    if right == 0:
        raise EvaluationError(FaultKind.DIVIDE_BY_ZERO)
    quotient = abs(left) // abs(right)
    return _bounded(quotient if (left < 0) == (right < 0) else -quotient)


def modulo(left: int, right: int) -> int:
    """Give the remainder, with the sign of the dividend."""
    if right == 0:
        raise EvaluationError(FaultKind.DIVIDE_BY_ZERO)
    if left == _MIN and right == -1:
        raise EvaluationError(FaultKind.OVERFLOW)
    remainder = abs(left) % abs(right)
    return -remainder if left < 0 else remainder


def negate(value: int) -> int:
    """Change the sign."""
    return _bounded(-value)


def index(container: Any, key: Any) -> Any:
    """Take an item of a list or the value of a key."""
    if isinstance(container, dict):
        if key in container:
            return container[key]
        raise EvaluationError(FaultKind.NO_SUCH_KEY)
    # A negative index is an error in CEL and counts from the end in Python.
    if 0 <= key < len(container):
        return container[key]
    raise EvaluationError(FaultKind.NO_SUCH_INDEX)


BINARY: Mapping[str, Callable[[Any, Any], Any]] = {
    "_+_": add,
    "_-_": subtract,
    "_*_": multiply,
    "_/_": divide,
    "_%_": modulo,
    "_[_]": index,
}
"""By CEL's names of the operators."""
