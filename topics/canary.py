"""The canary: a made-up order that must always be found, so that its absence shows a broken path. Pure."""

from datetime import UTC, datetime

import msgspec

CANARY_SERVICE = "privacy-monitor-canary"
"""Service of all that stands on the canary's topic. The rule and the exception of the canary name it."""
CANARY_RULE = "canary.seen"
CANARY_ADAPTER = "segment"


class CanaryOrder(msgspec.Struct, frozen=True, kw_only=True):
    """The made-up order: an address at a domain that cannot exist."""

    email: str = "canary@privacy-monitor.invalid"


class Canary(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A record of the canary's topic: an event in the words of Segment's specification."""

    type: str = "track"
    event: str = "Order Completed"
    message_id: str
    """Unlike any other: one canary's finding must not stand for another's."""
    anonymous_id: str = "canary"
    timestamp: str
    """RFC 3339, with milliseconds."""
    properties: CanaryOrder = CanaryOrder()


def canary(message_id: str, at_ms: int) -> bytes:
    """Give the bytes of one canary; `at_ms` is its event time, in milliseconds since the epoch."""
    moment = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return msgspec.json.encode(Canary(message_id=message_id, timestamp=moment))
