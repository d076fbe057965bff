"""The state of an episode: the value of the alert plane's table. Pure."""

import msgspec

from alerts.thresholds import Waiting
from topics.alert import Audience, EpisodeState, Related
from topics.exposure import Amount, Clock
from topics.finding import Basis, Detector, Finding, Mode, Severity, Verdict, Windows


class Episode(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known about one episode. Counts and marks travel together, so one write keeps both.

    A field that is new has a default: what another release wrote is read, and that release reads what is written here.
    """

    episode_key: str
    episode_id: str
    """Hash of the key and the coordinates of the first finding, so that a replay gives the same."""
    detector: Detector
    rule: str
    rule_version: str
    """Of the newest fold."""
    verdict: Verdict
    severity: Severity
    mode: Mode
    basis: Basis
    jurisdiction: str
    law: tuple[str, ...]
    recipient: str
    group: tuple[tuple[str, str], ...]
    state: EpisodeState
    opened_at_ms: int
    first_at_ms: int
    last_at_ms: int
    seen_at_ms: int
    """When the newest counted fold was written (the record's time, not the event's)."""
    findings: int
    marks: dict[str, int]
    """`cluster/topic/partition` of the traffic to the highest offset counted. Kept when a new episode of the key begins."""
    subjects: str
    services: tuple[str, ...]
    purposes: tuple[str, ...]
    categories: tuple[str, ...]
    overflowed: tuple[str, ...]
    exemplars: tuple[Finding, ...]
    bundle: str
    exposure: tuple[str, ...] = ()
    """Ids of the duties that say what it entails, of all folds."""
    amounts: tuple[Amount, ...] = ()
    clocks: tuple[Clock, ...] = ()
    """What those duties name in money and time, as of the newest fold that names any."""
    exemption: str = ""
    """Id of the exception that covers it; that of the first fold, where several do."""
    waiting: Waiting | None = None
    """Findings that came since it was last open and are not yet enough, of a rule with a threshold. An episode that was
    never told is `resolved` with revision 0, and holds nothing else but its marks."""
    revision: int = 0
    told_findings: int = 0
    told_at_ms: int = 0
    windows: Windows | None = None
    """The rule's own, as of the newest fold."""
    runbook: str = ""
    refused_at_ms: int = 0
    """The earliest refusal that was not acted on, as far as the exemplars of its folds tell; 0: none is known."""
    declared: dict[str, int] = {}
    """What somebody declared (`breach`, `notice`) to when it happened. It starts the clocks that wait for it."""
    met: tuple[str, ...] = ()
    """Duties that somebody declared as met."""
    heard: tuple[int, int] = (-1, 0)
    """Offset of the newest declaration that was taken, and the newest time of such a record. Kept when a new episode
    of the key begins. The time tells a topic that was created anew, whose offsets begin again, from one that is read again."""
    related: tuple[Related, ...] = ()

    @property
    def audience(self) -> Audience:
        """Who should act."""
        if self.exemption:
            return Audience.NOBODY
        return Audience.ENGINEERS if self.verdict is Verdict.GAP else Audience.ON_CALL
