"""Every topic of ours: name, key, retention, compaction, what it holds."""

from enum import StrEnum

import msgspec

_DAY_MS = 24 * 60 * 60 * 1000


class Cleanup(StrEnum):
    """Kafka's `cleanup.policy`."""

    DELETE = "delete"
    COMPACT = "compact"
    COMPACT_DELETE = "compact,delete"


class Topic(msgspec.Struct, frozen=True):
    """One topic of the catalogue."""

    name: str
    key: str
    """What the record key is."""
    cleanup: Cleanup
    retention_ms: int
    """-1: kept for ever."""
    holds: str
    since: str = "0.1.0"
    """First release that reads or writes it."""
    partitions: int = 0
    """How many it must have; 0: as many as the operator likes."""

    def configs(self) -> dict[str, str]:
        """Give the topic's settings in Kafka's words."""
        return {"cleanup.policy": self.cleanup.value, "retention.ms": str(self.retention_ms)}


CONSENT = Topic(
    "privacy.consent.v1",
    "subject hash",
    # Compaction would erase the history that an audit and a backtest need.
    Cleanup.DELETE,
    -1,
    "What people chose: purposes granted and refused, when, where, and the proof",
)
LINKS = Topic(
    "privacy.links.v1",
    # Both, and not one: of the links of a subject, compaction would keep the last alone.
    "pair of subject hashes",
    Cleanup.COMPACT,
    -1,
    "Two identifiers of one person, learned from traffic",
)
FINDINGS = Topic("privacy.findings.v1", "episode key", Cleanup.DELETE, 14 * _DAY_MS, "Folded findings of live rules")
SHADOW = Topic("privacy.shadow.v1", "episode key", Cleanup.DELETE, 14 * _DAY_MS, "Folded findings of rules in shadow")
ALERTS = Topic("privacy.alerts.v1", "episode key", Cleanup.COMPACT, -1, "The current state of each episode")
VOLUMES = Topic(
    "privacy.volumes.v1",
    "law/kind of data/recipient/month/writer",
    # Nobody reads a count that is older than the longest time that a law looks back.
    Cleanup.COMPACT_DELETE,
    400 * _DAY_MS,
    "Monthly counts of distinct persons by recipient, for duties that count over twelve months",
    # Months and writers of one recipient are added up in one place.
    partitions=1,
)
DEAD_LETTERS = Topic(
    "privacy.deadletter.v1",
    "source topic",
    Cleanup.DELETE,
    7 * _DAY_MS,
    "What could not be read: position, reason, size, keyed digest",
)
ACCOUNTING = Topic(
    "privacy.accounting.v1", "topic/partition", Cleanup.DELETE, 90 * _DAY_MS, "Offset ranges and counts per class"
)
CANARY = Topic(
    "privacy.canary.v1",
    "-",
    Cleanup.DELETE,
    _DAY_MS,
    "Made-up orders of `privacy-monitor canary`, judged as the sources are: each must give a finding",
)

TRIAGE = Topic(
    "privacy.triage.v1",
    "episode key",
    # Compaction would keep the last decision of an episode alone, and drop that a breach was declared before it.
    Cleanup.DELETE,
    400 * _DAY_MS,
    "What people declared about an episode: a breach, a notice of the regulator, a duty that is met",
    since="0.2.0",
)
RULES = Topic(
    "privacy.rules.v1", "name of the bundle", Cleanup.COMPACT, -1, "Bundles of rules and exceptions that workers follow"
)

LINEAGES = Topic(
    "privacy.lineages.v1",
    "cluster/topic/topic id",
    Cleanup.COMPACT,
    -1,
    "Which creation of each source topic was met, in order: offsets of a topic that was created anew are other offsets",
    since="0.2.0",
    # Which creation was the first is told by the order.
    partitions=1,
)

CATALOG: tuple[Topic, ...] = (
    CONSENT,
    LINKS,
    FINDINGS,
    SHADOW,
    ALERTS,
    VOLUMES,
    DEAD_LETTERS,
    ACCOUNTING,
    CANARY,
    RULES,
    TRIAGE,
    LINEAGES,
)
