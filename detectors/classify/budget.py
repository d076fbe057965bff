"""How much of one part is looked at."""

import msgspec


class Budget(msgspec.Struct, frozen=True, kw_only=True, cache_hash=True):
    """How much of one part is looked at. Counts, not time, so that the same bytes always give the same answer."""

    bytes: int = 1 << 20
    text_bytes: int = 1 << 16
    """Of a part that is searched as text, and of one value."""
    nodes: int = 20_000
    depth: int = 64
    fields: int = 512
    layers: int = 4
    """Wrappings around each other that are opened: JSON in JSON in JSON, base64 inside of a token."""
    opened: int = 256
    """Values that are opened."""
    opened_bytes: int = 1 << 18
    """What may come out of all wrappings."""
    ratio: int = 100
    """How much larger compressed data may become."""
