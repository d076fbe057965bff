"""Opening a message: budgets, encodings, and the three ways in which several records share one message."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from topics.observation import Observation, Reading
from topics.record import MAX_ITEMS, MAX_RECORD_BYTES, Reason, Rejected

BOM = b"\xef\xbb\xbf"


class Group(NamedTuple):
    """An envelope that turned out to hold several items."""

    items: Sequence[msgspec.Raw | bytes | Rejected]
    read: "ReadItem"
    """Reads one of them; what the envelope says of all is bound into it."""


ReadItem = Callable[[bytes, int], Observation | Rejected | Group]
"""Takes the bytes of one JSON value and its index in the message. May raise what msgspec raises."""

_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
_ANY = msgspec.json.Decoder()
# Numbers are only skipped here, and a float of 5,000 digits is cheap where an int is not.
_SCANNER = json.JSONDecoder(parse_int=float)
_BETWEEN = re.compile(r"[ \t\r\n\x1e]*")
_POSITION = re.compile(r"\(byte ([0-9]{1,12})\)$")


def is_text(value: bytes) -> bool:
    """Tell whether a value is UTF-8: decoders do not check what they skip."""
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def read_message(
    value: bytes | None, read: ReadItem, *, max_bytes: int = MAX_RECORD_BYTES, max_items: int = MAX_ITEMS
) -> Reading:
    """Read an object, an array of objects, or objects glued together with or without newlines. Never raises.

    Gives one entry for each item. Above `max_items` one Rejected stands for all the rest, so that memory stays bounded.
    """
    if not value:
        return [Rejected(Reason.EMPTY)]
    if len(value) > max_bytes:
        return [Rejected(Reason.TOO_LARGE)]
    try:
        return _opened(value, read, max_items)
    except Exception:  # noqa: BLE001 - the promise of Adapter.read: a fault of ours costs one record, and is counted
        return [Rejected(Reason.INTERNAL)]


def _opened(value: bytes, read: ReadItem, max_items: int) -> Reading:
    lead = value[:1]
    if lead not in (b"{", b"["):
        value = value.removeprefix(BOM).strip()
        if not value:
            return [Rejected(Reason.EMPTY)]
        lead = value[:1]
    if lead == b"{":
        return _object(value, read, max_items)
    if lead == b"[":
        found = _guarded(lambda data, _: Group(_ARRAY.decode(data), read), value, 0, whole_utf8=False)
        if not isinstance(found, Group):
            return [_of_message(found, value)]
        return _items(found.items, found.read, [], max_items)
    return [_not_an_object(value)]


def _object(value: bytes, read: ReadItem, max_items: int) -> Reading:
    found = _guarded(read, value, 0)
    if isinstance(found, Group):
        return _items(found.items, found.read, [], max_items)
    if isinstance(found, Observation):
        return [found]
    if found.reason in (Reason.SYNTAX, Reason.ENCODING):
        pieces = list(glued(value.decode("utf-8", "surrogateescape"), max_items))
        if len(pieces) > 1:
            return _items(pieces, read, [], max_items)
    return [_of_message(found, value)]


def _items(items: Iterable[msgspec.Raw | bytes | Rejected], read: ReadItem, out: Reading, max_items: int) -> Reading:
    for each in items:
        item = len(out)
        if item >= max_items:
            if item == max_items:
                out.append(Rejected(Reason.TOO_MANY_ITEMS, item))
            break
        if isinstance(each, Rejected):
            out.append(Rejected(each.reason, item))
            continue
        found = _guarded(read, bytes(each), item)
        if isinstance(found, Group):
            _items(found.items, found.read, out, max_items)
        else:
            out.append(Rejected(found.reason, item) if isinstance(found, Rejected) else found)
    return out


def _guarded(read: ReadItem, data: bytes, item: int, *, whole_utf8: bool = True) -> Observation | Rejected | Group:
    try:
        # Raw subtrees are not checked by the decoder, and a part must not carry bytes that are no text.
        if whole_utf8 and not data.isascii():
            data.decode()
        return read(data, item)
    except RecursionError:
        return Rejected(Reason.TOO_DEEP)
    except msgspec.ValidationError:
        return Rejected(Reason.SHAPE)
    except msgspec.DecodeError as mistake:
        position = _POSITION.search(str(mistake))
        return Rejected(Reason.SYNTAX, position=int(position[1]) if position else None)
    except UnicodeDecodeError as mistake:
        return Rejected(Reason.ENCODING, position=mistake.start)
    except Exception:  # noqa: BLE001 - see read_message: here the neighbours of the item are kept
        return Rejected(Reason.INTERNAL)


def _of_message(found: Observation | Rejected, value: bytes) -> Rejected:
    reason = found.reason if isinstance(found, Rejected) else Reason.SHAPE
    if reason is Reason.SYNTAX and not value.isascii():
        try:
            value.decode()
        except UnicodeDecodeError as mistake:
            return Rejected(Reason.ENCODING, position=mistake.start)
    return Rejected(reason, position=found.position if isinstance(found, Rejected) else None)


def _not_an_object(value: bytes) -> Rejected:
    def plain(data: bytes, _: int) -> Rejected:
        _ANY.decode(data)
        return Rejected(Reason.SHAPE)

    return _of_message(_guarded(plain, value, 0), value)  # type: ignore[arg-type]


def glued(text: str, max_items: int) -> Iterator[bytes | Rejected]:
    """Give the objects that stand one after the other, and a Rejected for each stretch that is none.

    After a mistake the next line that starts behind it is tried, so one bad line costs no neighbour. Every character is scanned a bounded number
    of times.
    """
    at = _BETWEEN.match(text).end()  # type: ignore[union-attr]
    count = 0
    while at < len(text) and count <= max_items:
        count += 1
        try:
            _, end = _SCANNER.raw_decode(text, at)
        except RecursionError:
            yield Rejected(Reason.TOO_DEEP)
            return
        except ValueError as mistake:
            yield Rejected(Reason.SYNTAX)
            stop = max(getattr(mistake, "pos", at), at)
            line = text.rfind("\n", at + 1, stop + 1)
            line = text.find("\n", stop) if line < 0 else line
            if line < 0:
                return
            end = line + 1
        else:
            yield text[at:end].encode("utf-8", "surrogateescape")
        at = _BETWEEN.match(text, end).end()  # type: ignore[union-attr]
