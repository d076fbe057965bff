"""What people decided about an episode: the record of `privacy.triage.v1`."""

from enum import StrEnum

import msgspec


class Declared(StrEnum):
    """What somebody declares. The monitor itself never does: it cannot know."""

    BREACH = "breach"
    """A breach of personal data in the sense of the law: the clocks of its notification run from then on."""
    NOTICE = "notice"
    """The regulator has given notice of the violation: a cure period runs from then on."""
    MET = "met"
    """A duty is met: its clock stands."""


class Declaration(msgspec.Struct, frozen=True, kw_only=True):
    """One decision about one episode key. The newest of a kind counts."""

    schema: str = "privacy.triage.v1"
    episode_key: str
    what: Declared
    at_ms: int
    """When it happened, in milliseconds since the epoch; 0 takes an earlier declaration back."""
    duty: str = ""
    """Of `met`: id of the duty in the law pack."""
    by: str = ""
    """Role or account of who declared it; kept here alone and copied nowhere."""

    @property
    def key(self) -> bytes:
        """Key of the record: that of the episode's findings, which is without what sets gaps and exempted ones apart."""
        return self.episode_key.partition(":")[0].encode()
