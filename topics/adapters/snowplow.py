"""What both forms of Snowplow's events share: self-describing JSON, and the consent that stands in it.

Source: Snowplow, "Atomic event properties" and "Tracker protocol"; Iglu's self-describing JSON (`schema`, `data`).
"""

import base64
import binascii
from typing import Any

import msgspec

from topics.adapters.tolerant import ANY
from topics.observation import Media, Part

_CONSENT = frozenset(
    {"gdpr", "consent", "consent_document", "consent_preferences", "consent_withdrawn", "consent_granted"}
)
"""Names of Iglu schemas that speak of consent."""


def decoded(text: str) -> bytes | None:
    """Give the bytes of base64 in either alphabet, with or without its padding; None when it is none."""
    try:
        return base64.b64decode(text.strip().rstrip("=") + "=" * (-len(text.strip().rstrip("=")) % 4), altchars=b"-_")
    except (binascii.Error, ValueError):
        return None


class Described:
    """Self-describing JSON of one event, gathered: the parts that it makes, its consent objects, and the event's name."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.consent: dict[str, Any] = {}
        self.event: str | None = None

    def add(self, path: str, data: bytes) -> None:
        """Take in one self-describing JSON: a list of contexts, or an event."""
        if not data.strip():
            return
        self.parts.append(Part(path, data, Media.JSON))
        if path != "unstruct_event" and b"onsent" not in data and b"gdpr" not in data:
            return
        inner = _member(_value(data), "data")
        for each in inner if type(inner) is list else (inner,):
            name = _schema_name(_member(each, "schema"))
            if name is None:
                continue
            if type(inner) is dict:
                self.event = name
            if name in _CONSENT:
                self.consent.setdefault(f"{path}.{name}", _member(each, "data"))


def _member(found: Any, name: str) -> Any:
    return found.get(name) if type(found) is dict else None


def _schema_name(schema: Any) -> str | None:
    """Give `name` of `iglu:vendor/name/jsonschema/1-0-0`."""
    if type(schema) is not str or not schema.startswith("iglu:"):
        return None
    words = schema.split("/", 4)
    return words[1] if len(words) == 4 and words[1] else None


def _value(data: bytes) -> Any:
    try:
        return ANY.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
