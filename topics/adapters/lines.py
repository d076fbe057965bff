"""Messages of text lines, each of which is a record, and the JSON objects in which log shippers wrap such lines."""

from collections.abc import Callable, Sequence

import msgspec

from topics.adapters.opening import BOM, Group, ReadItem, read_message
from topics.adapters.tolerant import OBJECT, value_of
from topics.observation import Observation, Reading
from topics.record import MAX_ITEMS, MAX_RECORD_BYTES, Reason, Rejected

ReadLine = Callable[[str, int], Observation | Rejected]
"""Takes one line without its end and its index in the message."""

Open = Callable[[Sequence[str]], ReadLine]
"""Takes the comment lines of the message (`#Fields: ...`) and gives the reader for its other lines."""

_WRAPPED = ("message", "log", "line", "@message")
_COMMENT = b"#"


def read_lines(value: bytes | None, opened: Open, *, objects: ReadItem | None = None) -> Reading:
    """Read lines of text, or JSON objects that hold a line as `message` or `log`, or else are given to `objects`. Never raises.

    A line that cannot be read costs no other line. Comment lines are no items.
    """
    if not value:
        return [Rejected(Reason.EMPTY)]
    if len(value) > MAX_RECORD_BYTES:
        return [Rejected(Reason.TOO_LARGE)]
    text = value.removeprefix(BOM).strip(b"\r\n ")
    if not text:
        return [Rejected(Reason.EMPTY)]
    if text[:1] in (b"{", b"["):
        return read_message(value, lambda data, item: _unwrapped(data, item, opened(()), objects))
    try:
        return _lines(text, opened)
    except Exception:  # noqa: BLE001 - the promise of Adapter.read: a fault of ours costs one record, and is counted
        return [Rejected(Reason.INTERNAL)]


def _lines(text: bytes, opened: Open) -> Reading:
    lines = [line for each in text.split(b"\n") if (line := each.rstrip(b"\r")).strip()]
    comments = [line.decode("utf-8", "replace") for line in lines if line[:1] == _COMMENT]
    if comments:
        lines = [line for line in lines if line[:1] != _COMMENT]
    read = opened(comments)
    out: Reading = []
    for item, line in enumerate(lines):
        if item >= MAX_ITEMS:
            out.append(Rejected(Reason.TOO_MANY_ITEMS, item))
            break
        found = _line(read, line, item)
        out.append(Rejected(found.reason, item, found.position) if isinstance(found, Rejected) else found)
    if len(out) == 1 and isinstance(out[0], Rejected):
        return [Rejected(out[0].reason, position=out[0].position)]
    return out


def _line(read: ReadLine, line: bytes, item: int) -> Observation | Rejected:
    try:
        return read(line.decode(), item)
    except UnicodeDecodeError as mistake:
        return Rejected(Reason.ENCODING, position=mistake.start)
    except RecursionError:
        return Rejected(Reason.TOO_DEEP)
    except msgspec.ValidationError:
        return Rejected(Reason.SHAPE)
    except Exception:  # noqa: BLE001 - see read_lines: here the neighbours of the line are kept
        return Rejected(Reason.INTERNAL)


def _unwrapped(data: bytes, item: int, read: ReadLine, objects: ReadItem | None) -> Observation | Rejected | Group:
    members = OBJECT.decode(data)
    for name in _WRAPPED:
        if name in members:
            line = value_of(members[name])
            if type(line) is str and line.strip():
                return read(line.strip("\r\n"), item)
    return objects(data, item) if objects else Rejected(Reason.SHAPE)
