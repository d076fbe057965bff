"""CEL's conversions between kinds of values."""

import math
import re
from collections.abc import Mapping
from typing import Any

from detectors.rules import times
from detectors.rules.values import (
    INT_MAX,
    TYPE_NAMES,
    UINT_MAX,
    EvaluationError,
    FaultKind,
    Overloads,
    Unsigned,
    bounded,
    kind_of,
    unsigned,
)

_SPACE = " \t\n\r\v\f"
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
_FRACTION = re.compile(r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|inf|infinity|nan)", re.ASCII | re.IGNORECASE)
_HEXADECIMAL = re.compile(r"[+-]?0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)(?:[pP][+-]?\d+)?", re.ASCII)
_TRUTHS: Mapping[str, bool] = {
    **dict.fromkeys(("1", "t", "true", "TRUE", "True"), True),
    **dict.fromkeys(("0", "f", "false", "FALSE", "False"), False),
}


def _failed() -> EvaluationError:
    return EvaluationError(FaultKind.NO_CONVERSION)


def _whole(text: str) -> int:
    trimmed = text.strip(_SPACE)
    if not _WHOLE.fullmatch(trimmed) or len(trimmed) > 40:
        raise _failed()
    return int(trimmed)


def _unsigned_text(text: str) -> Unsigned:
    if text.strip(_SPACE).startswith("-"):
        raise _failed()
    return unsigned(_whole(text))


def _fraction(text: str) -> float:
    trimmed = text.strip(_SPACE)
    if _HEXADECIMAL.fullmatch(trimmed):
        try:
            return float.fromhex(trimmed)
        except OverflowError:
            return math.copysign(math.inf, -1 if trimmed.startswith("-") else 1)
    if not _FRACTION.fullmatch(trimmed):
        raise _failed()
    return float(trimmed)


def _truth(text: str) -> bool:
    if text not in _TRUTHS:
        raise _failed()
    return _TRUTHS[text]


def _int_of_fraction(value: float) -> int:
    # The engine refuses both ends of the range: their doubles are not exactly the ends.
    if not math.isfinite(value) or not -float(INT_MAX) < value < float(INT_MAX):
        raise _failed()
    return int(value)


def _uint_of_fraction(value: float) -> Unsigned:
    if not math.isfinite(value) or not 0 <= value < float(UINT_MAX):
        raise _failed()
    return Unsigned(int(value))


def _text_of_fraction(value: float) -> str:
    """Write the fewest digits that read back the same, with an exponent from a million on and below 0.0001."""
    if math.isnan(value):
        return "-nan" if math.copysign(1, value) < 0 else "nan"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    mantissa, exponent, digits = "", 0, 0
    while not digits or float(f"{mantissa}e{exponent}") != value:
        digits += 1
        mantissa, _, power = f"{value:.{digits - 1}e}".partition("e")
        exponent = int(power)
    if -4 <= exponent < 6:
        return f"{value:.{max(digits - 1 - exponent, 0)}f}"
    return f"{mantissa}e{exponent:+03}"


def _text_of_bytes(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise _failed() from None


def _bytes_of_text(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass")


def _same(value: Any) -> Any:
    return value


CONVERSIONS: Mapping[str, Overloads] = {
    "int": {
        ("int",): _same,
        ("uint",): lambda value: bounded(int(value)),
        ("double",): _int_of_fraction,
        ("string",): lambda text: bounded(_whole(text)),
        ("timestamp",): lambda value: int(value) // 1_000_000_000,
    },
    "uint": {
        ("uint",): _same,
        ("int",): unsigned,
        ("double",): _uint_of_fraction,
        ("string",): _unsigned_text,
    },
    "double": {("double",): _same, ("int",): float, ("uint",): float, ("string",): _fraction},
    "string": {
        ("string",): _same,
        ("bool",): lambda value: "true" if value else "false",
        ("int",): lambda value: str(int(value)),
        ("uint",): lambda value: str(int(value)),
        ("double",): _text_of_fraction,
        ("bytes",): _text_of_bytes,
        ("timestamp",): times.write_moment,
        ("duration",): times.write_span,
    },
    "bool": {("bool",): _same, ("string",): _truth},
    "bytes": {("bytes",): _same, ("string",): _bytes_of_text},
    "timestamp": {
        ("timestamp",): _same,
        ("string",): times.read_moment,
        ("int",): lambda value: times.moment(value * 1_000_000_000),
    },
    "duration": {("duration",): _same, ("string",): times.read_span},
}
"""By CEL's names. `dyn` opens a kind and changes nothing."""


def type_of(value: Any) -> str:
    """Give the type of a value."""
    return TYPE_NAMES[kind_of(value)]
