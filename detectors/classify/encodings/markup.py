"""XML as objects with names; entities and document types are refused, so nothing expands."""

from typing import Any
from xml.parsers import expat

_MOST_NODES = 20_000
_DEEPEST = 64
_TEXT = "#text"


def read_markup(data: bytes) -> Any | None:
    """Read XML: an element with children or attributes is an object, one without is its text. None for what is none or too large."""
    if b"<!DOCTYPE" in data[:4_096] or b"<!ENTITY" in data:
        return None
    reader = _Reader()
    try:
        reader.parser.Parse(data, True)
    except (expat.ExpatError, _TooLargeError, ValueError, LookupError):
        return None
    return reader.root


class _TooLargeError(Exception):
    """More nodes or deeper than is read."""


class _Reader:
    def __init__(self) -> None:
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.root: dict[str, Any] = {}
        self._open: list[tuple[str, dict[str, Any], list[str]]] = []
        self._left = _MOST_NODES

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._left -= 1 + len(attributes)
        if self._left < 0 or len(self._open) >= _DEEPEST:
            raise _TooLargeError
        members: dict[str, Any] = {
            _local(key): value for key, value in attributes.items() if not key.startswith(("xmlns", "xsi:"))
        }
        self._open.append((_local(name), members, []))

    def _text(self, text: str) -> None:
        if self._open:
            self._open[-1][2].append(text)

    def _end(self, _name: str) -> None:
        name, members, texts = self._open.pop()
        text = "".join(texts).strip()
        value: Any = members
        if not members:
            value = text
        elif text:
            members[_TEXT] = text
        above = self._open[-1][1] if self._open else self.root
        if name not in above:
            above[name] = value
        elif isinstance(above[name], list):
            above[name].append(value)
        else:
            above[name] = [above[name], value]


def _local(name: str) -> str:
    return name.rpartition(":")[2]
