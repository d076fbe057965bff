"""What people and their tools are told about an episode: the record of `privacy.alerts.v1`."""

from enum import StrEnum

import msgspec

from topics.exposure import Amount, Clock, Due
from topics.finding import Basis, Detector, Finding, Mode, Severity, Verdict, Windows


class EpisodeState(StrEnum):
    """Whether findings still come in."""

    OPEN = "open"
    QUIET = "quiet"
    """Nothing new for the quiet time."""
    RESOLVED = "resolved"
    """Nothing new for the resolve time; the next finding begins another episode."""


class Change(StrEnum):
    """What happened that a person would want to know."""

    OPENED = "opened"
    GROWN = "grown"
    """The count passed a power of two, or it grew and nobody was told for a while."""
    ESCALATED = "escalated"
    """A higher severity than before was seen."""
    QUIET = "quiet"
    RESOLVED = "resolved"
    REOPENED = "reopened"


class Audience(StrEnum):
    """Who should act: a violation is for on-call, a missing fact is for engineers."""

    ON_CALL = "on-call"
    ENGINEERS = "engineers"
    NOBODY = "none"
    """An exception covers it: it is kept and counted, and calls nobody."""


class Related(msgspec.Struct, frozen=True, kw_only=True):
    """Another episode that has to do with this one."""

    episode_key: str
    rule: str
    by: tuple[str, ...]
    """What they share: `recipient`, `service`, `route`, `subjects`."""


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """An episode as it stands after one change. The newest record of a key is the episode's current state."""

    schema: str = "privacy.alerts.v1"
    alert_id: str
    """Hash of episode, revision, change, count and what was declared. Told twice (after a crash), it is equal."""
    change: Change
    why: str
    """One plain sentence, made of our own words and numbers only."""
    audience: Audience
    at_ms: int
    """When the change was seen."""
    revision: int
    """Counts the alerts of one episode from 1."""
    episode_id: str
    episode_key: str
    state: EpisodeState
    detector: Detector
    rule: str
    rule_version: str
    verdict: Verdict
    severity: Severity
    """The highest seen; `low` for gaps."""
    mode: Mode
    basis: Basis
    jurisdiction: str
    law: tuple[str, ...]
    recipient: str
    group: tuple[tuple[str, str], ...]
    opened_at_ms: int
    """Event time of the first finding of the fold that opened it."""
    first_at_ms: int
    last_at_ms: int
    findings: int
    """Exact."""
    subjects: int
    """Distinct persons."""
    subjects_exact: bool
    services: tuple[str, ...]
    purposes: tuple[str, ...]
    categories: tuple[str, ...]
    overflowed: tuple[str, ...]
    """Which of `law`, `exposure`, `services`, `purposes` and `categories` hold only a part."""
    exemplars: tuple[Finding, ...]
    bundle: str
    exposure: tuple[str, ...] = ()
    """Ids of the duties that say what the episode entails."""
    amounts: tuple[Amount, ...] = ()
    """What they name in money, as of the newest fold: ranges with their assumptions, never multiplied and never summed."""
    clocks: tuple[Clock, ...] = ()
    """What they name in time, as of the newest fold: to act on an opt-out, to answer a request, to mend, to tell of a breach."""
    exemption: str = ""
    """Id of the exception that covers it; empty: none does."""
    runbook: str = ""
    """Id of the rule's runbook."""
    windows: Windows | None = None
    """When the rule's episodes end, where it says so itself."""
    due: tuple[Due, ...] = ()
    """Of those clocks: which run since when and until when, and what the others wait for. Ascending by due time."""
    hints: tuple[str, ...] = ()
    """Ids of likely causes that the exemplars' facts support (`alerts.hints`); empty: they point to none."""
    related: tuple[Related, ...] = ()
    """Other episodes of that time that have to do with it, closest first."""
