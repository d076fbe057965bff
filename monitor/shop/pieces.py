"""What the demo shop hands out: pieces of traffic, and the truth about those that were planted."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import orjson

Role = Literal["events", "kong", "nginx", "consent"]
"""Which kind of topic a piece belongs to; the player maps it to a topic's name."""
Detector = Literal["unconsented-tracking", "cross-jurisdiction-transfer", "checkout-over-collection", ""]
"""The detector that is put to the test; empty for input that no detector may see."""
Expected = Literal["violation", "near-miss", "dead-letter"]
"""What must come of it: a violation, silence, or a dead letter."""


class Plant(NamedTuple):
    """The truth about one planted piece."""

    kind: str
    detector: Detector
    expected: Expected
    explanation: str
    """One sentence for people: why this is, or is not, a violation."""
    item: int
    """Index of the planted item in its message; 0 when the message is not a batch."""


class Piece(NamedTuple):
    """One message, ready to be produced."""

    role: Role
    at_ms: int
    """Time of the event, milliseconds since the epoch; the message says the same."""
    key: bytes | None
    value: bytes
    plant: Plant | None


class Draft(NamedTuple):
    """A message before it is written: its items as plain data."""

    role: Role
    key: str | None
    items: tuple[dict[str, Any], ...]
    """One item is written bare; several as the format's batch."""
    plant: Plant | None = None
    raw: bytes | None = None
    """Bytes to send as they are, for input that is no item of any format."""


def write(draft: Draft, at_ms: int) -> Piece:
    """Write the items in their format: Segment's batch envelope, Kong's array, or one bare object."""
    if draft.raw is not None:
        value = draft.raw
    elif len(draft.items) == 1:
        value = orjson.dumps(draft.items[0])
    elif draft.role == "events":
        value = orjson.dumps({"batch": draft.items, "sentAt": iso(at_ms)})
    else:
        value = orjson.dumps(draft.items)
    return Piece(draft.role, at_ms, draft.key.encode() if draft.key is not None else None, value, draft.plant)


def iso(at_ms: int) -> str:
    """Write a moment as ISO 8601 with milliseconds and `Z`."""
    seconds, millis = divmod(at_ms, 1000)
    return f"{_second(seconds)}.{millis:03d}Z"


# Formatting a date costs several microseconds, and hundreds of pieces share a second.
@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
