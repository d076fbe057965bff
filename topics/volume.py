"""Distinct persons whose data of one kind reached one recipient in one month: what a duty counts over twelve months."""

import msgspec

from topics.flow import Role


class Volume(msgspec.Struct, frozen=True, kw_only=True):
    """What one writer has counted in one month: the record of `privacy.volumes.v1`.

    A writer is one worker from its start to its end, and writes the whole count each time: of the records of one key the
    last says all. Counts of several writers are united, so what two of them read is counted once, however often.
    """

    schema: str = "privacy.volumes.v1"
    cluster: str
    writer: str
    """Who counted. Empty while the count of a batch has no writer yet."""
    regime: str
    """The law that counts: id of its file in the law pack (`us-doj`)."""
    group: str
    """The kind of data, as that law groups it (`precise-geolocation`)."""
    recipient: str
    month: str
    """`2026-11`, of the event, in UTC."""
    subjects: str
    """Distinct subjects: see `topics.distinct`."""
    role: Role
    """What the recipient is to the shop."""
    destinations: tuple[str, ...]
    """Countries that it was in, sorted."""
    categories: tuple[str, ...]
    services: tuple[str, ...]
    threshold: int
    """Above so many persons in twelve months the law closes the way."""
    recalled: bool
    """The figure was never checked: reaching it warns, and accuses nobody."""
    jurisdiction: str
    """Whose persons they are (`US`)."""
    law: tuple[str, ...]
    """Ids of the duties in the law pack."""
    first_at_ms: int
    last_at_ms: int
    bundle: str
    """Digest of rules, law pack and register under which it was last counted."""

    @property
    def total(self) -> tuple[str, str, str]:
        """What is added up over months and writers."""
        return self.regime, self.group, self.recipient

    @property
    def key(self) -> str:
        """The record's key: all that tells one count from another."""
        return "/".join((*self.total, self.month, self.writer))
