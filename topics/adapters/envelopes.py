"""What cloud services wrap log records in.

CloudWatch Logs subscriptions (`logEvents[].message`), Firehose (`records[].data`, base64), Kinesis events (`Records[].kinesis.data`, base64),
Google Pub/Sub (`message.data`, base64), and plain lists (`records`, Azure's diagnostic settings). Decoded data may hold several objects glued together.
"""

import base64
import binascii
from typing import Any

import msgspec

from topics.adapters.opening import Group, ReadItem, glued
from topics.adapters.tolerant import OBJECT, value_of
from topics.observation import Observation
from topics.record import MAX_ITEMS, Reason, Rejected

_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_LISTS = ("logEvents", "records", "Records")
_MARKS = (b'"logEvents"', b'"records"', b'"Records"', b'"data"')


def opened(data: bytes, read: ReadItem) -> Group | None:
    """Open an envelope; None when it is none. Raises what msgspec raises."""
    if not any(mark in data for mark in _MARKS):
        return None
    members = OBJECT.decode(data)
    for name in _LISTS:
        if bytes(members.get(name, b""))[:1] == b"[":
            return Group(_LIST.decode(members[name]), lambda part, item: _wrapped(part, item, read))
    held = _held(members)
    return _several(held, read) if held is not None else None


def _wrapped(data: bytes, item: int, read: ReadItem) -> Observation | Rejected | Group:
    held = _held(OBJECT.decode(data))
    if held is None:
        return read(data, item)
    group = _several(held, read)
    return read(bytes(held), item) if len(group.items) == 1 else group


def _several(held: bytes, read: ReadItem) -> Group:
    if held[:1] != b"{":
        lines: list[msgspec.Raw | bytes | Rejected] = [line for line in held.splitlines() if line.strip()]
        return Group(lines or [Rejected(Reason.EMPTY)], read)
    return Group(list(glued(held.decode("utf-8", "surrogateescape"), MAX_ITEMS)), read)


def _held(members: dict[str, msgspec.Raw]) -> bytes | None:
    """Give what an envelope of one holds; None when it is none."""
    message = _value(members, "message")
    if type(message) is str:
        return message.strip().encode("utf-8", "replace") or None
    inner: Any = message or _value(members, "kinesis") or {"data": _value(members, "data")}
    data = inner.get("data") if type(inner) is dict else None
    if type(data) is not str or not data:
        return None
    try:
        return base64.b64decode(data, validate=True).strip()
    except (binascii.Error, ValueError):
        return None


def _value(members: dict[str, msgspec.Raw], name: str) -> Any:
    raw = members.get(name)
    return value_of(raw) if raw else None
