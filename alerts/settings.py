"""What the alert plane needs to know to run."""

import msgspec

from alerts.policy import Policy
from topics.catalog import ALERTS, FINDINGS, VOLUMES


class AlertSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of the alert plane."""

    app: str = "privacy-monitor-alerts"
    """Consumer group, and the beginning of the names of its own topics."""
    instance: str = ""
    """Stable name of this replica (`group.instance.id`): it comes back to its partitions at once after a restart."""
    findings_topic: str = FINDINGS.name
    alerts_topic: str = ALERTS.name
    volumes_topic: str = VOLUMES.name
    """Has one partition: months and writers of one recipient are added up in one place."""
    triage_topic: str = ""
    """Where people's declarations come from, with as many partitions as the findings topic; empty: nobody's are read."""
    partitions: int = 4
    """Of the findings topic; what is remembered of its episodes has as many."""
    replication: int = 1
    transactional_id: str = ""
    """What follows from a batch and its offsets are one transaction under this name, and a process that was replaced writes
    nothing any more; empty: at least once."""
    http_host: str = "127.0.0.1"
    http_port: int = 9109
    """For /metrics, /healthz and /readyz; 0 takes a free one."""
    session_seconds: float = 10.0
    """How long the broker waits for a process that says nothing, before another has its partitions."""
    tick_seconds: float = 1.0
    rules: tuple[str, ...] = ()
    """Rule ids that metrics may name; empty: those that come, up to a limit."""
    policy: Policy = Policy()

    @property
    def episodes_topic(self) -> str:
        """Where the episodes are remembered, a compacted topic with the partitions of the findings topic."""
        return f"{self.app}-episodes-changelog"

    @property
    def totals_topic(self) -> str:
        """Where the totals of twelve months are remembered, a compacted topic with one partition."""
        return f"{self.app}-totals-changelog"
