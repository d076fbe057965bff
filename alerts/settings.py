"""What the alert plane needs to know to run."""

import msgspec

from alerts.policy import Policy
from topics.catalog import ALERTS, FINDINGS, VOLUMES


class AlertSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of the alert application. `repr` hides the password."""

    brokers: tuple[str, ...]
    """`host:port` each."""
    security_protocol: str = "PLAINTEXT"
    """PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL."""
    sasl_mechanism: str = "PLAIN"
    """PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512."""
    sasl_username: str = ""
    sasl_password: str = ""
    ssl_ca_file: str = ""
    ssl_certificate_file: str = ""
    ssl_key_file: str = ""
    app_id: str = "privacy-alerts"
    """Consumer group, and the beginning of the names of the application's own topics."""
    instance_id: str = ""
    """Stable name of this replica (`group.instance.id`): it comes back to its partitions at once after a restart."""
    findings_topic: str = FINDINGS.name
    alerts_topic: str = ALERTS.name
    volumes_topic: str = VOLUMES.name
    """Has one partition: months and writers of one recipient are added up in one place."""
    triage_topic: str = ""
    """Where people's declarations come from, with as many partitions as the findings topic; empty: nobody's are read."""
    partitions: int = 4
    """Of the findings topic; the changelog and the ticks have as many."""
    replication: int = 1
    http_host: str = "127.0.0.1"
    http_port: int = 9109
    """For /metrics, /healthz and /readyz; 0 takes a free one."""
    idempotence: bool = True
    """Whether the broker drops what a producer sends again after an answer that was lost."""
    session_timeout_seconds: float = 6.0
    commit_seconds: float = 1.0
    tick_seconds: float = 1.0
    stall_seconds: float = 60.0
    """How long a partition may have findings to handle without one being handled, before the process ends with code 75.

    Below 9 it may never end: a look takes up to two seconds, and half the time without one begins anew.
    """
    rules: tuple[str, ...] = ()
    """Rule ids that metrics may name; empty: those that come, up to a limit."""
    policy: Policy = Policy()

    def __repr__(self) -> str:
        shown = {name: getattr(self, name) for name in self.__struct_fields__}
        shown["sasl_password"] = "***" if self.sasl_password else ""
        return f"AlertSettings({', '.join(f'{name}={value!r}' for name, value in shown.items())})"
