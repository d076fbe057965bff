"""What a violation entails, as the law writes it: money from the least to the most, and time that somebody has."""

import msgspec


class Amount(msgspec.Struct, frozen=True, order=True):
    """Money that a law names, from the least to the most, for one unit of what it counts. Never multiplied or summed."""

    low: int
    """0 where the law names no least amount, which is the rule."""
    high: int
    currency: str
    per: str
    """`violation`, `intentional-or-minor`, `repeat`, `transaction` or `maximum`."""
    duties: tuple[str, ...]
    assumptions: tuple[str, ...]
    citations: tuple[str, ...]
    sources: tuple[str, ...]


class Due(msgspec.Struct, frozen=True, order=True, kw_only=True):
    """A clock of an episode: since when it runs, and until when somebody has time."""

    due_at_ms: int
    """0: it does not run yet, or the law names no number."""
    kind: str
    """As of a `Clock`."""
    detail: str
    duty: str
    started_at_ms: int
    """0: it does not run yet."""
    waits_for: str
    """What would start it: `breach` or `notice` (the regulator's), declared by somebody; empty when it runs."""
    measure: str
    """The time in words: `15 business days`, or the law's own measure."""
    citation: str


class Clock(msgspec.Struct, frozen=True, order=True):
    """Time that somebody has."""

    kind: str
    """`opt-out`, `request`, `cure` or `breach`."""
    detail: str
    """The stage of a request, or who must be told of a breach."""
    hours: int
    """0 where the law names no number."""
    days: int
    """0 where the law names no number."""
    business_days: bool
    measure: str
    """The law's own measure in our words, where it is no plain number."""
    duty: str
    assumptions: tuple[str, ...]
    citation: str
    sources: tuple[str, ...]
