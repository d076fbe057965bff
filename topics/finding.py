"""What one detector says about one flow: the public, versioned record of the monitor."""

from enum import StrEnum

import msgspec

from topics.exposure import Amount, Clock


class Verdict(StrEnum):
    """A violation is a rule broken; a gap is a fact missing."""

    VIOLATION = "violation"
    GAP = "gap"


class Severity(StrEnum):
    """How loudly to tell. Ordered: see `SEVERITIES`."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


SEVERITIES: tuple[Severity, ...] = (Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)


class Mode(StrEnum):
    """Whether people are told (live) or only metrics and the shadow topic (shadow)."""

    LIVE = "live"
    SHADOW = "shadow"


class Basis(StrEnum):
    """The ground of a verdict: a duty in force for that person that day, or the operator's own choice."""

    LAW = "law"
    POLICY = "policy"


class Detector(StrEnum):
    """The detectors, by their public ids."""

    UNCONSENTED_TRACKING = "unconsented-tracking"
    CROSS_JURISDICTION_TRANSFER = "cross-jurisdiction-transfer"
    CHECKOUT_OVER_COLLECTION = "checkout-over-collection"
    UNDOCUMENTED_RECIPIENT = "undocumented-recipient"


class Threshold(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a kind must come together before people are told: that many findings in that many minutes."""

    findings: int
    subjects: int
    """Distinct persons among them, at least; 1 and less: whoever they are."""
    minutes: int


class Windows(msgspec.Struct, frozen=True, kw_only=True):
    """How a rule's episodes end and begin, where it says so itself; None: as the configuration says. In seconds."""

    update: int | None = None
    """One that grows is told anew at most this often."""
    quiet: int | None = None
    """Nothing new for so long: it is quiet."""
    resolve: int | None = None
    """Nothing new for so long: it is resolved."""
    reopen: int | None = None
    """What comes so soon after it was resolved opens the same episode again."""


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """One rule about one flow of one record. Points at the evidence and copies none of it."""

    finding_id: str
    """Hash of cluster, topic, partition, offset, detector and location. Reading the record twice gives it twice."""
    detector: Detector
    rule: str
    rule_version: str
    verdict: Verdict
    severity: Severity
    mode: Mode
    basis: Basis
    why: str
    """One plain sentence, made of our own words only."""
    jurisdiction: str
    law: tuple[str, ...]
    """Ids of the duties in the law pack."""
    recipient: str
    service: str
    purpose: str
    step: str
    categories: tuple[str, ...]
    fields: tuple[str, ...]
    """Paths of the fields that matter to the verdict, sanitised, at most 20."""
    subject: str
    """Keyed hash; empty when the record names nobody."""
    at_ms: int
    topic: str
    partition: int
    offset: int
    item: int
    location: str
    proof: tuple[tuple[str, str], ...]
    """What the verdict rests on, as (name, value) pairs from closed vocabularies: signal, ledger entry, register entry."""
    group: tuple[tuple[str, str], ...]
    """The rule's `group_by` paths with their values: what makes findings one episode."""
    episode_key: str
    bundle: str
    """Digest of rules, law pack and register that judged."""
    exposure: tuple[str, ...] = ()
    """Ids of the duties that say what this entails: penalties, cure period, deadlines, breach clocks. Empty where the
    verdict is a gap or rests on policy. Their figures are the law pack's: ranges, never one sum."""
    exemption: str = ""
    """Id of the exception that covers it; empty: none does. An exempted finding is counted and calls nobody."""
    threshold: Threshold | None = None
    """Of its rule: below it nobody is told."""
    windows: Windows | None = None
    """Of its rule: when its episodes end."""
    runbook: str = ""
    """Id of its rule's runbook."""


class Fold(msgspec.Struct, frozen=True, kw_only=True):
    """Findings of one input partition and one episode key in one batch: the record of `privacy.findings.v1`.

    Where a batch was cut changes folds, never ids and offsets: an episode counts only offsets above its mark.
    """

    schema: str = "privacy.findings.v1"
    episode_key: str
    detector: Detector
    rule: str
    rule_version: str
    verdict: Verdict
    severity: Severity
    """The highest in the fold."""
    mode: Mode
    basis: Basis
    jurisdiction: str
    law: tuple[str, ...]
    recipient: str
    group: tuple[tuple[str, str], ...]
    cluster: str
    topic: str
    partition: int
    offsets: tuple[tuple[int, int, int], ...]
    """Ascending by offset: (offset minus the one before it, event minute since the epoch, findings at that offset).
    The first is the offset itself."""
    count: int
    first_at_ms: int
    last_at_ms: int
    subjects: str
    """Distinct subjects: see `topics.distinct`."""
    services: tuple[str, ...]
    purposes: tuple[str, ...]
    categories: tuple[str, ...]
    exemplars: tuple[Finding, ...]
    """The first of them, at most five."""
    bundle: str
    exposure: tuple[str, ...] = ()
    amounts: tuple[Amount, ...] = ()
    """What the duties of `exposure` name in money, on the day of the first finding: ranges, with their assumptions."""
    clocks: tuple[Clock, ...] = ()
    """What the duties of `exposure` name in time."""
    exemption: str = ""
    ledger_mark: str = ""
    """How far the consent ledger had been read when it was judged: the same bytes, bundle and mark give the same findings."""
    threshold: Threshold | None = None
    minutes: tuple[tuple[int, str], ...] = ()
    """With a threshold: (event minute, its distinct subjects), ascending."""
    windows: Windows | None = None
    runbook: str = ""


MAX_EXEMPLARS = 5
