"""What another rule set would have said of recorded traffic: the difference of findings and of episodes.

Both sets are asked by `monitor.pipeline.process`, the live loop's judge, over the same batches and the same ledger.
Findings are told apart by their ids, which are the same whichever version of a rule speaks, so that memory holds counts,
sketches, a few examples and the state of episodes, never the findings themselves.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import zip_longest

import msgspec

from alerts.episodes import Episode, Policy, key_of, step, tick
from monitor.pipeline import Context, Outcome, process
from monitor.replay import Batch
from topics.alert import Audience, Change
from topics.distinct import Distinct
from topics.finding import Finding, Fold, Mode
from topics.record import RawRecord
from topics.sanitise import sanitise

MAX_EXAMPLES = 5
"""Of each rule and kind of change."""
MAX_EPISODES = 50_000
"""Episodes that a side keeps; folds beyond are counted as left out."""
_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
_CALLS = frozenset({Change.OPENED, Change.REOPENED, Change.ESCALATED})


class Kind(StrEnum):
    """How a finding differs between the two rule sets."""

    NEW = "new"
    LOST = "lost"
    SEVERITY = "severity changed"
    REGROUPED = "regrouped"
    MODE = "mode changed"
    """Live and shadow, or covered by an exception and not."""
    VERDICT = "verdict changed"


class Example(msgspec.Struct, frozen=True):
    """One finding that differs, by its coordinates."""

    topic: str
    partition: int
    offset: int
    item: int
    was: str = ""
    now: str = ""


class RuleDiff(msgspec.Struct):
    """What changes for one rule."""

    before: int = 0
    after: int = 0
    changes: Counter[Kind] = msgspec.field(default_factory=Counter)
    persons: dict[Kind, Distinct] = msgspec.field(default_factory=dict)
    examples: dict[Kind, list[Example]] = msgspec.field(default_factory=dict)

    def note(self, kind: Kind, finding: Finding, was: str = "", now: str = "") -> None:
        """Count one difference."""
        self.changes[kind] += 1
        self.persons.setdefault(kind, Distinct()).add(finding.subject)
        examples = self.examples.setdefault(kind, [])
        if len(examples) < MAX_EXAMPLES:
            place = finding.topic, finding.partition, finding.offset, finding.item
            examples.append(Example(*place, was=sanitise(was), now=sanitise(now)))


class Side:
    """The episodes of one rule set, as the alert plane would have made them."""

    def __init__(self, policy: Policy) -> None:
        self.episodes: dict[str, Episode] = {}
        self.left_out = 0
        """Folds of episodes that were too many to keep."""
        self.calls: Counter[str] = Counter()
        """By rule: times that on-call would have been called (opened, reopened, escalated)."""
        self.calls_if_live: Counter[str] = Counter()
        """The same with every rule of this side live."""
        self.faults = 0
        self._policy = policy

    def take(self, outcome: Outcome) -> None:
        """Count what a batch gave."""
        self.faults += len(outcome.faults)
        for fold in outcome.folds:
            self._fold(fold)

    def _fold(self, fold: Fold) -> None:
        # A canary's shadow share, and a rule in shadow, have episodes too: they tell what going live would mean.
        key = key_of(fold)
        state = self.episodes.get(key)
        if state is None and len(self.episodes) >= MAX_EPISODES:
            self.left_out += 1
            return
        if state is not None:
            # Event time is the clock here. Twice, since a long silence makes it quiet and then resolved.
            for _ in range(2):
                state, _told = tick(state, max(state.seen_at_ms, fold.first_at_ms), self._policy)
        self.episodes[key], alerts = step(state, fold, fold.last_at_ms, self._policy)
        called = sum(each.audience is Audience.ON_CALL and each.change in _CALLS for each in alerts)
        self.calls_if_live[fold.rule] += called
        if fold.mode is Mode.LIVE:
            self.calls[fold.rule] += called


class Diff:
    """The difference so far. Its size follows rules and episodes, not traffic."""

    def __init__(self, before: Context, after: Context, policy: Policy) -> None:
        self._contexts = before, after
        self.bundles = before.bundle, after.bundle
        self.rules: dict[str, RuleDiff] = {}
        self.before, self.after = Side(policy), Side(policy)
        self.records = self.bytes = 0
        self.first_ms = self.last_ms = -1

    def take(self, batch: Batch) -> None:
        """Judge a batch by both sets and take in how they differ."""
        records, ledger = batch
        before, after = (
            process(records, msgspec.structs.replace(context, ledger=ledger), {}) for context in self._contexts
        )
        self._traffic(records, before)
        self.before.take(before)
        self.after.take(after)
        self._compare(before.findings, after.findings)

    @property
    def days(self) -> float:
        """How many days of event time the traffic spans."""
        return max(0, self.last_ms - self.first_ms) / _DAY_MS

    @property
    def is_long(self) -> bool:
        """Whether the span is long enough to speak of calls a day."""
        return self.last_ms - self.first_ms >= _HOUR_MS

    @property
    def changes(self) -> Counter[Kind]:
        """Count all differences of findings."""
        return sum((each.changes for each in self.rules.values()), Counter[Kind]())

    @property
    def is_empty(self) -> bool:
        """Whether both sets say the same of everything."""
        return not self.changes and not self.opened and not self.closed

    @property
    def opened(self) -> list[Episode]:
        """Episodes that only the new set has, those with most findings first."""
        return _only(self.after.episodes, self.before.episodes)

    @property
    def closed(self) -> list[Episode]:
        """Episodes that only the old set has, those with most findings first."""
        return _only(self.before.episodes, self.after.episodes)

    def _traffic(self, records: Sequence[RawRecord], outcome: Outcome) -> None:
        self.records += len(records)
        self.bytes += sum(len(record.value or b"") for record in records)
        for fold in outcome.folds:
            self._span(fold.first_at_ms)
        for at_ms in outcome.last_event_ms.values():
            self._span(at_ms)

    def _span(self, at_ms: int) -> None:
        if at_ms > 0:
            self.first_ms = at_ms if self.first_ms < 0 else min(self.first_ms, at_ms)
            self.last_ms = max(self.last_ms, at_ms)

    def _compare(self, before: Iterable[Finding], after: Iterable[Finding]) -> None:
        old, new = _by_id(before), _by_id(after)
        for name in old.keys() | new.keys():
            for was, now in zip_longest(old.get(name, ()), new.get(name, ())):
                self._pair(was, now)

    def _pair(self, was: Finding | None, now: Finding | None) -> None:
        some = was or now
        if some is None:
            return
        rule = self.rules.setdefault(some.rule, RuleDiff())
        rule.before += was is not None
        rule.after += now is not None
        if was is None or now is None:
            rule.note(
                Kind.NEW if was is None else Kind.LOST,
                some,
                was="" if was is None else was.severity.value,
                now="" if now is None else now.severity.value,
            )
            return
        for kind, first, second in (
            (Kind.SEVERITY, was.severity.value, now.severity.value),
            (Kind.MODE, _mode(was), _mode(now)),
            (Kind.VERDICT, was.verdict.value, now.verdict.value),
        ):
            if first != second:
                rule.note(kind, now, first, second)
        if was.episode_key != now.episode_key:
            rule.note(Kind.REGROUPED, now, _group(was), _group(now))


def _only(some: Mapping[str, Episode], others: Mapping[str, Episode]) -> list[Episode]:
    found = [episode for key, episode in some.items() if key not in others]
    return sorted(found, key=lambda each: (-each.findings, each.rule, each.episode_key))


def _by_id(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for each in findings:
        found.setdefault(each.finding_id, []).append(each)
    return found


def _mode(finding: Finding) -> str:
    return f"{finding.mode.value}, exempted by {finding.exemption}" if finding.exemption else finding.mode.value


def _group(finding: Finding) -> str:
    return ", ".join(f"{name} {value}" for name, value in finding.group)
