"""The values of the rule language: CEL's kinds as Python's, and when two values are equal."""

import math
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

INT_MIN, INT_MAX, UINT_MAX = -(2**63), 2**63 - 1, 2**64 - 1


class FaultKind(StrEnum):
    """Why an expression has no value."""

    OVERFLOW = "overflow"
    DIVIDE_BY_ZERO = "divide-by-zero"
    NO_SUCH_KEY = "no-such-key"
    NO_SUCH_INDEX = "no-such-index"
    NO_OVERLOAD = "no-such-overload"
    """An operator met values of kinds that it does not take; only where kinds are open until the rule runs."""
    NO_CONVERSION = "no-conversion"
    """A text that is no number, no timestamp, no duration; a number out of the range of its target."""
    INTERNAL = "internal"
    """A fault of ours, not of the rule."""


class EvaluationError(Exception):
    """An error of CEL while a rule runs. Carries its kind and no data."""

    def __init__(self, kind: FaultKind) -> None:
        super().__init__(kind.value)
        self.kind = kind


class Unsigned(int):
    """An unsigned whole number of 64 bits."""

    __slots__ = ()


class Moment(int):
    """A timestamp: nanoseconds since the epoch."""

    __slots__ = ()


class Span(int):
    """A duration in nanoseconds."""

    __slots__ = ()


class TypeName(str):
    """The type of a value, as `type(x)` gives it."""

    __slots__ = ()


KINDS: Mapping[type, str] = {
    bool: "bool",
    int: "int",
    Unsigned: "uint",
    float: "double",
    str: "string",
    bytes: "bytes",
    type(None): "null",
    Moment: "timestamp",
    Span: "duration",
    tuple: "list",
    dict: "map",
    TypeName: "type",
}
TYPE_NAMES: Mapping[str, TypeName] = {
    **{kind: TypeName(kind) for kind in KINDS.values()},
    "null": TypeName("null_type"),
    "timestamp": TypeName("google.protobuf.Timestamp"),
    "duration": TypeName("google.protobuf.Duration"),
}
"""What `type()` gives, by kind."""
_NUMBERS = frozenset({"int", "uint", "double"})


def kind_of(value: Any) -> str:
    """Give the kind of a value. A word of one of our enumerations is a string."""
    return KINDS.get(type(value)) or "string"


def equal(left: Any, right: Any) -> bool:
    """Compare as CEL does values whose kinds are open: numbers by amount, all else only with its own kind."""
    kinds = kind_of(left), kind_of(right)
    if kinds[0] in _NUMBERS and kinds[1] in _NUMBERS:
        # The engine compares a whole number with a fraction as two doubles.
        return bool(float(left) == float(right)) if "double" in kinds and kinds[0] != kinds[1] else bool(left == right)
    if kinds[0] != kinds[1]:
        return False
    if kinds[0] == "list":
        return len(left) == len(right) and all(map(equal, left, right))
    if kinds[0] == "map":
        return len(left) == len(right) and all(
            (found := lookup(right, key)) is not MISSING and equal(value, found) for key, value in left.items()
        )
    return bool(left == right)


def contains(container: Any, value: Any) -> bool:
    """Say whether a list has an equal item, or a map the key; kinds are open."""
    if isinstance(container, dict):
        return lookup(container, value) is not MISSING
    return any(equal(value, each) for each in container)


MISSING = object()
"""What `lookup` gives when there is no such key."""


def lookup(container: dict[Any, Any], key: Any) -> Any:
    """Find a key in a map whose keys are of one kind: numbers by amount, all else only with its own kind."""
    for first in container:
        kinds = kind_of(first), kind_of(key)
        if kinds[0] != kinds[1] and not (kinds[0] in _NUMBERS and kinds[1] in _NUMBERS):
            return MISSING
        break
    if isinstance(key, float) and not (math.isfinite(key) and key.is_integer()):
        return MISSING
    try:
        return container.get(key, MISSING)
    except TypeError:
        # A list or a map is no key.
        return MISSING


def bounded(value: int) -> int:
    """Give an int of 64 bits."""
    if INT_MIN <= value <= INT_MAX:
        return value
    raise EvaluationError(FaultKind.OVERFLOW)


def unsigned(value: int) -> Unsigned:
    """Give a uint of 64 bits."""
    if 0 <= value <= UINT_MAX:
        return Unsigned(value)
    raise EvaluationError(FaultKind.OVERFLOW)


Overloads = Mapping[tuple[str, ...], Callable[..., Any]]
"""An operator or function by the kinds of its operands."""
