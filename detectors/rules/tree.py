"""The checked syntax tree of a CEL expression, decoded from the bytes that the CEL compiler gives.

The wire format is protobuf; messages and field numbers are those of `cel.expr.CheckedExpr` in
`cel/expr/checked.proto` and `cel/expr/syntax.proto` of the cel-spec project. A decoder of our own, because the
compiler's wheel carries no Python classes for them and the protobuf runtime is needed for nothing else.
"""

import struct
from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypeAlias

from detectors.rules.values import Unsigned


class Const(NamedTuple):
    """A literal."""

    id: int
    value: bool | int | float | str | bytes | None


class Name(NamedTuple):
    """A dotted name of the schema (`flow.recipient`), or the variable of a macro."""

    id: int
    name: str


class Select(NamedTuple):
    """`operand.field`, or `has(operand.field)`."""

    id: int
    operand: "Node"
    field: str
    is_test: bool


class Call(NamedTuple):
    """A function or operator with all its operands; the target of a method call comes first."""

    id: int
    function: str
    args: tuple["Node", ...]


class ListOf(NamedTuple):
    """A list literal."""

    id: int
    items: tuple["Node", ...]


class MapOf(NamedTuple):
    """A map literal. A message literal has no keys and is marked by its name."""

    id: int
    entries: tuple[tuple["Node | None", "Node"], ...]
    message: str


class Loop(NamedTuple):
    """An expanded macro."""

    id: int
    variable: str
    items: "Node"
    initial: "Node"
    step: "Node"


class Other(NamedTuple):
    """A kind of node that this decoder does not know."""

    id: int


Node: TypeAlias = Const | Name | Select | Call | ListOf | MapOf | Loop | Other


class Tree(NamedTuple):
    """A checked expression."""

    root: Node
    types: Mapping[int, str]
    """Static type by node id: `bool`, `int`, `timestamp`, `list(string)`, `map(string, int)`, `dyn`, or another word."""
    offsets: Mapping[int, int]
    """Position by node id, in characters from the start of the text."""


_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_PRIMITIVES = {1: "bool", 2: "int", 3: "uint", 4: "double", 5: "string", 6: "bytes"}
_WELL_KNOWN = {1: "dyn", 2: "timestamp", 3: "duration"}


def decode(data: bytes) -> Tree:
    """Read a `google.protobuf.Any` that holds a checked or a parsed expression. Raises ValueError on anything else."""
    content = dict(_fields(data))
    kind, message = content.get(1), content.get(2)
    if not isinstance(kind, bytes) or not isinstance(message, bytes):
        raise ValueError("not a serialized CEL expression")  # noqa: TRY004 - malformed data, not a caller's mistake
    expression, source = (2, 3) if kind.endswith(b".ParsedExpr") else (4, 5)
    types: dict[int, str] = {}
    root: Node = Other(0)
    offsets: dict[int, int] = {}
    for number, value in _fields(message):
        if number == expression:
            root = _node(_bytes(value))
        elif number == source:
            offsets = _offsets(_bytes(value))
        elif number == 3 and expression == 4:
            entry = dict(_fields(_bytes(value)))
            types[_int(entry.get(1, 0))] = _type(_bytes(entry.get(2, b"")))
    return Tree(root, types, offsets)


def children(node: Node) -> Iterator[Node]:
    """Give the operands of a node, left to right."""
    match node:
        case Select():
            yield node.operand
        case Call():
            yield from node.args
        case ListOf():
            yield from node.items
        case MapOf():
            for key, value in node.entries:
                if key is not None:
                    yield key
                yield value
        case Loop():
            yield node.items
            yield node.step
        case _:
            return


def _node(data: bytes) -> Node:
    number, kind, body = 0, 0, b""
    for field, value in _fields(data):
        if field == 2:
            number = _int(value)
        else:
            kind, body = field, _bytes(value)
    match kind:
        case 3:
            return Const(number, _constant(body))
        case 4:
            return Name(number, _text(body, 1))
        case 5:
            parts = dict(_fields(body))
            return Select(number, _node(_bytes(parts.get(1, b""))), _text(body, 2), bool(parts.get(3)))
        case 6:
            parts = dict(_fields(body))
            target = (_node(_bytes(parts[1])),) if 1 in parts else ()
            args = tuple(_node(_bytes(value)) for field, value in _fields(body) if field == 3)
            return Call(number, _text(body, 2), target + args)
        case 7:
            return ListOf(number, tuple(_node(_bytes(value)) for field, value in _fields(body) if field == 1))
        case 8:
            entries = [dict(_fields(_bytes(value))) for field, value in _fields(body) if field == 2]
            return MapOf(
                number,
                tuple((_node(_bytes(each[3])) if 3 in each else None, _node(_bytes(each[4]))) for each in entries),
                _text(body, 1),
            )
        case 9:
            parts = dict(_fields(body))
            return Loop(
                number,
                _text(body, 1),
                _node(_bytes(parts.get(2, b""))),
                _node(_bytes(parts.get(4, b""))),
                _node(_bytes(parts.get(6, b""))),
            )
        case _:
            return Other(number)


def _constant(data: bytes) -> bool | int | float | str | bytes | None:
    for field, value in _fields(data):
        match field:
            case 2:
                return bool(value)
            case 3:
                whole = _int(value)
                return whole - (1 << 64) if whole >> 63 else whole
            case 4:
                return Unsigned(_int(value))
            case 5:
                number: float = struct.unpack("<d", _bytes(value))[0]
                return number
            case 6:
                return _bytes(value).decode()
            case 7:
                return _bytes(value)
            case _:
                return None
    return None


def _type(data: bytes) -> str:
    for field, value in _fields(data):
        match field:
            case 1 | 10:
                return "dyn"
            case 2:
                return "null"
            case 3:
                return _PRIMITIVES.get(_int(value), "unknown")
            case 5:
                return _WELL_KNOWN.get(_int(value), "unknown")
            case 6:
                return f"list({_type(_bytes(dict(_fields(_bytes(value))).get(1, b'')))})"
            case 7:
                parts = dict(_fields(_bytes(value)))
                return f"map({_type(_bytes(parts.get(1, b'')))}, {_type(_bytes(parts.get(2, b'')))})"
            case 11:
                return "type"
            case _:
                return "unknown"
    return "unknown"


def _offsets(data: bytes) -> dict[int, int]:
    found: dict[int, int] = {}
    for field, value in _fields(data):
        if field == 4:
            entry = dict(_fields(_bytes(value)))
            found[_int(entry.get(1, 0))] = _int(entry.get(2, 0))
    return found


def _text(data: bytes, number: int) -> str:
    for field, value in _fields(data):
        if field == number:
            return _bytes(value).decode()
    return ""


def _int(value: int | bytes) -> int:
    if isinstance(value, bytes):
        raise ValueError("not a serialized CEL expression")  # noqa: TRY004 - malformed data, not a caller's mistake
    return value


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ValueError("not a serialized CEL expression")  # noqa: TRY004 - malformed data, not a caller's mistake
    return value


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    position, end = 0, len(data)
    while position < end:
        tag, position = _varint(data, position)
        wire = tag & 7
        if wire == _VARINT:
            value, position = _varint(data, position)
            yield tag >> 3, value
            continue
        if wire == _BYTES:
            size, position = _varint(data, position)
        elif wire in {_FIXED64, _FIXED32}:
            size = 8 if wire == _FIXED64 else 4
        else:
            raise ValueError("not a serialized CEL expression")
        if position + size > end:
            raise ValueError("a serialized CEL expression was cut short")
        yield tag >> 3, data[position : position + size]
        position += size


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if position >= len(data) or shift > 63:
            raise ValueError("a serialized CEL expression was cut short")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
