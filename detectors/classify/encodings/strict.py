"""JSON read strictly: repeated keys and integers that do not fit 64 bits are kept, where quick readers drop or round them."""

import json
from typing import Any

import orjson


def read_json(text: str) -> Any | None:
    """Read an object or array inside of a text; None for anything else."""
    try:
        document = orjson.loads(text)
    except ValueError:
        return None
    return document if isinstance(document, dict | list) else None


def is_ambiguous(data: bytes, members: int, strings: int) -> bool:
    """Tell whether a document may repeat a key, by counting quotes: every key and every string has two, the rest are escaped.

    Members and strings are those that a quick reader gave, which keeps one of two equal keys.
    """
    quotes = data.count(b'"') - 2 * (members + strings)
    if quotes == 0:
        return False
    # Two backslashes before a quote end a string, and would be counted as an escaped one.
    return quotes != data.count(b'\\"') or b'\\\\"' in data


def read_strictly(data: bytes) -> tuple[Any, bool]:
    """Read JSON so that the values of a repeated key stand in a list, and large integers as their digits; and whether any was repeated."""
    repeated = False

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal repeated
        grouped: dict[str, list[Any]] = {}
        for name, value in pairs:
            grouped.setdefault(name, []).append(value)
        repeated = repeated or len(grouped) < len(pairs)
        return {name: values[0] if len(values) == 1 else values for name, values in grouped.items()}

    decoder = json.JSONDecoder(object_pairs_hook=members, parse_int=_integer)
    try:
        return decoder.decode(data.decode("utf-8", "replace")), repeated
    except (ValueError, RecursionError):
        return None, repeated


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= 19 else digits
