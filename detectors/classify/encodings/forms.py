"""Forms and queries as objects with names."""

import re
from typing import Any
from urllib.parse import unquote_plus

_MOST_PAIRS = 2_048
_BOUNDARY = re.compile(r"\s{0,8}(--[^\r\n\"]{1,72})\r?\n")
_NAME = re.compile(r"name=\"([^\"\r\n]{0,256})\"")


def pairs_of(text: str, most: int = _MOST_PAIRS) -> dict[str, Any]:
    """Read `a=1&b=2` with its codes; a name that comes again gives a list."""
    pairs: dict[str, Any] = {}
    for piece in text.split("&", most)[:most]:
        name, mark, value = piece.partition("=")
        if mark:
            add(pairs, unquote_plus(name), unquote_plus(value))
    return pairs


def add(pairs: dict[str, Any], name: str, value: Any) -> None:
    """Add a value; the values of one name stand in a list."""
    if name not in pairs:
        pairs[name] = value
    elif isinstance(pairs[name], list):
        pairs[name].append(value)
    else:
        pairs[name] = [pairs[name], value]


def read_multipart(text: str) -> dict[str, Any] | None:
    """Read multipart/form-data (RFC 7578) by the boundary that it begins with; None for anything else."""
    start = _BOUNDARY.match(text)
    if start is None:
        return None
    pairs: dict[str, Any] = {}
    for section in text.split(start.group(1), _MOST_PAIRS)[1:]:
        head, _, body = section.replace("\r\n", "\n").partition("\n\n")
        name = _NAME.search(head)
        if name is not None:
            add(pairs, name.group(1), body.removesuffix("\n"))
    return pairs or None
