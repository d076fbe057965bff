"""Plain YAML, read quickly: the part of the language in which nearly every file is written.

ruamel.yaml reads in Python, which cost every process 1.7 CPU seconds for the shipped files alone. libyaml needs a tenth
of that, but it knows YAML 1.1, refuses in other words, and keeps no positions. So it only cuts a text into its parts;
what they mean, and where they stand, is said here as ruamel.yaml says it, and whatever is unusual or wrong is left to it.
"""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import yaml
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.resolver import implicit_resolvers

_UNUSUAL = re.compile(
    "[^\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
    r"|^%|^\.\.\.|[|>][-+0-9]*#",
    re.MULTILINE,
)
"""What the two parsers tell apart differently: tabs, carriage returns, line separators of YAML 1.1, directives, the end
of a document, and a comment that touches the sign of a block."""
_MAX_DEPTH = 50
_SPECIAL = [(frozenset(first), pattern) for versions, _, pattern, first in implicit_resolvers if (1, 2) in versions]
"""The scalars of YAML 1.2 that are no text, by their first characters."""
_BEGINS_SPECIAL = frozenset().union(*(first for first, _ in _SPECIAL))
_WORDS = {"~": None, "null": None, "true": True, "false": False}
_BLOCK = ("|", ">")
_EMPTY = ("", "\n")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(\.[0-9]{1,17})?", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


class _NotPlain(Exception):
    """Unusual, or wrong."""


def load_plain(text: str) -> CommentedMap | None:
    """Give a mapping as ruamel.yaml gives it, with positions. None: it is no mapping, not plain, or not right."""
    if not yaml.__with_libyaml__ or _UNUSUAL.search(text):
        return None
    try:
        return _Document(text).root()
    except (_NotPlain, yaml.YAMLError, ValueError):
        return None


class _Document:
    """One text on its way to values."""

    def __init__(self, text: str) -> None:
        self._events: Iterator[Any] = yaml.parse(text, Loader=yaml.CBaseLoader)
        self._anchors: dict[str, tuple[Any, Any]] = {}
        """The collections that have a name, each with the mark of its beginning."""

    def root(self) -> CommentedMap:
        for event in self._events:
            if isinstance(event, yaml.MappingStartEvent):
                root = self._mapping(event, 0)
                if event.anchor or event.tag or any(isinstance(each, yaml.DocumentStartEvent) for each in self._events):
                    break
                return root
            if isinstance(event, yaml.NodeEvent):
                break
        raise _NotPlain

    def _value(self, event: Any, depth: int) -> tuple[Any, Any]:
        """Give the value that an event begins, and the mark where it stands."""
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                raise _NotPlain
            return self._anchors[event.anchor]
        if event.tag or depth > _MAX_DEPTH:
            raise _NotPlain
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event), event.start_mark
        read = self._mapping if isinstance(event, yaml.MappingStartEvent) else self._sequence
        found = read(event, depth + 1), event.start_mark
        if event.anchor:
            if event.anchor in self._anchors:
                raise _NotPlain
            self._anchors[event.anchor] = found
        return found

    def _mapping(self, start: Any, depth: int) -> CommentedMap:
        found = CommentedMap()
        found.lc.line, found.lc.col = start.start_mark.line, start.start_mark.column
        for event in self._events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key, at = self._value(event, depth)
            if not isinstance(key, str) or key in found:
                raise _NotPlain
            value, then = self._value(next(self._events), depth)
            found.lc.add_kv_line_col(key, [at.line, at.column, then.line, then.column])
            found[key] = value
        return found

    def _sequence(self, start: Any, depth: int) -> CommentedSeq:
        found, items = CommentedSeq(), list[Any]()
        found.lc.line, found.lc.col = start.start_mark.line, start.start_mark.column
        for event in self._events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            item, at = self._value(event, depth)
            found.lc.add_idx_line_col(len(items), [at.line, at.column])
            items.append(item)
        found.extend(items)
        return found


def _scalar(event: Any) -> Any:
    # Nothing at all stands elsewhere for each parser, and so may a block begin whose first line is empty.
    if event.anchor or not (event.value or event.style) or (event.style in _BLOCK and event.value[:1] in _EMPTY):
        raise _NotPlain
    return event.value if event.style else _meaning(event.value)


def _meaning(scalar: str) -> Any:
    """Give the value of a scalar without quotes by the core schema of YAML 1.2, and days."""
    first = scalar[:1]
    if first not in _BEGINS_SPECIAL:
        return scalar
    if scalar in _WORDS:
        return _WORDS[scalar]
    number = _NUMBER.fullmatch(scalar)
    if number:
        return float(scalar) if number[1] else int(scalar)
    if _DAY.fullmatch(scalar):
        return date.fromisoformat(scalar)
    if any(first in begins and pattern.match(scalar) for begins, pattern in _SPECIAL):
        raise _NotPlain
    return scalar
