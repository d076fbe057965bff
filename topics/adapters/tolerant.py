"""Decoding into typed structs that forgive a field of an unexpected type: it becomes absent, the record is still read."""

from typing import Any, Generic, Literal, TypeVar, get_args, get_origin

import msgspec

T = TypeVar("T", bound=msgspec.Struct)

OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
ANY = msgspec.json.Decoder()
Absent = Literal["\0"]
"""Type of a member that may not be there: whatever it holds, null too, is a ValidationError."""
ABSENT: Absent = "\0"
_LIST = msgspec.json.Decoder(list[msgspec.Raw])


def value_of(raw: msgspec.Raw) -> Any:
    """Decode a small value; None when it holds what cannot be represented, such as the number 1e999."""
    try:
        return ANY.decode(raw)
    except msgspec.ValidationError:
        return None


class Tolerant(Generic[T]):
    """A decoder that tries the strict struct first, and reads member by member only when a type does not fit.

    Members may be of type Any, Raw, Struct, dict[str, Any] or list[Struct].
    """

    def __init__(self, struct: type[T]) -> None:
        self._struct = struct
        self._strict = msgspec.json.Decoder(struct)
        self._members = {
            field.encode_name: (field.name, _reader(field.type)) for field in msgspec.structs.fields(struct)
        }

    def decode(self, data: bytes | msgspec.Raw) -> T:
        """Give the struct. Raise msgspec.ValidationError only when the value is not an object at all."""
        try:
            return self._strict.decode(data)
        except msgspec.ValidationError:
            return self._forgiving(data)

    def _forgiving(self, data: bytes | msgspec.Raw) -> T:
        found: dict[str, Any] = {}
        for key, raw in OBJECT.decode(data).items():
            member = self._members.get(key)
            if member is not None:
                name, read = member
                try:
                    found[name] = read(raw)
                except msgspec.ValidationError:
                    continue
        return self._struct(**found)


def _reader(kind: Any) -> Any:
    if kind is msgspec.Raw:
        return lambda raw: raw
    options = [each for each in get_args(kind) if each is not type(None)] if get_origin(kind) is not dict else []
    if len(options) == 1 and get_origin(kind) is not list:
        return _reader(options[0])
    if get_origin(kind) is list:
        of_item = _reader(options[0])
        return lambda raw: _each(raw, of_item)
    if get_origin(kind) is dict:
        return lambda raw: {key: value_of(each) for key, each in OBJECT.decode(raw).items()}
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return Tolerant(kind).decode
    return ANY.decode


def _each(raw: msgspec.Raw, of_item: Any) -> list[Any]:
    found = []
    for each in _LIST.decode(raw):
        try:
            found.append(of_item(each))
        except msgspec.ValidationError:
            continue
    return found
