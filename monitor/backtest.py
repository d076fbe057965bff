"""What another rule set would have said of recorded traffic: the difference of findings and of episodes, added up.

Memory holds counts, sketches, a few examples and the state of episodes, never the findings themselves.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum

import msgspec

from alerts.episodes import Episode, Policy, key_of, step, tick
from topics.alert import Audience, Change
from topics.distinct import Distinct
from topics.finding import Fold, Mode

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


class Changed(msgspec.Struct, frozen=True):
    """One finding that differs."""

    rule: str
    kind: Kind
    subject: str
    example: Example


class Part(msgspec.Struct, frozen=True):
    """How the two sets differ on one batch."""

    records: int
    bytes: int
    first_ms: int
    last_ms: int
    folds: tuple[list[Fold], list[Fold]]
    """Before and after."""
    faults: tuple[int, int]
    findings: dict[str, tuple[int, int]]
    """By rule, before and after."""
    changes: list[Changed]


class RuleDiff(msgspec.Struct):
    """What changes for one rule."""

    before: int = 0
    after: int = 0
    changes: Counter[Kind] = msgspec.field(default_factory=Counter)
    persons: dict[Kind, Distinct] = msgspec.field(default_factory=dict)
    examples: dict[Kind, list[Example]] = msgspec.field(default_factory=dict)

    def note(self, change: Changed) -> None:
        """Count one difference."""
        kind = change.kind
        self.changes[kind] += 1
        self.persons.setdefault(kind, Distinct()).add(change.subject)
        examples = self.examples.setdefault(kind, [])
        if len(examples) < MAX_EXAMPLES:
            examples.append(change.example)


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

    def take(self, folds: Iterable[Fold], faults: int) -> None:
        """Count what a batch gave."""
        self.faults += faults
        for fold in folds:
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

    @property
    def told(self) -> dict[str, Episode]:
        """Episodes of which somebody would have been told: those that never reached a threshold are none."""
        return {key: each for key, each in self.episodes.items() if each.revision}

    def save(self) -> "SavedSide":
        """Give its state."""
        return SavedSide(self.episodes, self.left_out, dict(self.calls), dict(self.calls_if_live), self.faults)

    def restore(self, saved: "SavedSide") -> None:
        """Take up a saved state."""
        self.episodes, self.left_out, self.faults = saved.episodes, saved.left_out, saved.faults
        self.calls, self.calls_if_live = Counter(saved.calls), Counter(saved.calls_if_live)


class SavedSide(msgspec.Struct, frozen=True):
    """A side on disk."""

    episodes: dict[str, Episode]
    left_out: int
    calls: dict[str, int]
    calls_if_live: dict[str, int]
    faults: int


class SavedDiff(msgspec.Struct, frozen=True):
    """A difference so far, on disk."""

    bundles: tuple[str, str]
    rules: dict[str, tuple[int, int, dict[Kind, tuple[int, str, list[Example]]]]]
    """Findings before and after, and of each kind of change: how many, of which persons, some of them."""
    before: SavedSide
    after: SavedSide
    records: int
    bytes: int
    first_ms: int
    last_ms: int


class Diff:
    """The difference so far. Its size follows rules and episodes, not traffic."""

    def __init__(self, bundles: tuple[str, str], policy: Policy) -> None:
        self.bundles = bundles
        self.rules: dict[str, RuleDiff] = {}
        self.before, self.after = Side(policy), Side(policy)
        self.records = self.bytes = 0
        self.first_ms = self.last_ms = -1

    def add(self, part: Part) -> None:
        """Take in how the two sets differ on a batch."""
        self.records += part.records
        self.bytes += part.bytes
        self._span(part.first_ms)
        self._span(part.last_ms)
        self.before.take(part.folds[0], part.faults[0])
        self.after.take(part.folds[1], part.faults[1])
        for name, (before, after) in part.findings.items():
            rule = self.rules.setdefault(name, RuleDiff())
            rule.before += before
            rule.after += after
        for change in part.changes:
            self.rules.setdefault(change.rule, RuleDiff()).note(change)

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
        return _only(self.after.told, self.before.told)

    @property
    def closed(self) -> list[Episode]:
        """Episodes that only the old set has, those with most findings first."""
        return _only(self.before.told, self.after.told)

    def save(self) -> SavedDiff:
        """Give the whole state."""
        rules = {
            name: (
                each.before,
                each.after,
                {
                    kind: (count, each.persons[kind].encode(), each.examples[kind])
                    for kind, count in each.changes.items()
                },
            )
            for name, each in self.rules.items()
        }
        span = self.records, self.bytes, self.first_ms, self.last_ms
        return SavedDiff(self.bundles, rules, self.before.save(), self.after.save(), *span)

    def restore(self, saved: SavedDiff) -> None:
        """Take up a saved state."""
        self.records, self.bytes = saved.records, saved.bytes
        self.first_ms, self.last_ms = saved.first_ms, saved.last_ms
        self.before.restore(saved.before)
        self.after.restore(saved.after)
        for name, (before, after, kinds) in saved.rules.items():
            rule = self.rules[name] = RuleDiff(before, after)
            for kind, (count, persons, examples) in kinds.items():
                rule.changes[kind] = count
                rule.persons[kind] = Distinct.decode(persons)
                rule.examples[kind] = examples

    def _span(self, at_ms: int) -> None:
        if at_ms > 0:
            self.first_ms = at_ms if self.first_ms < 0 else min(self.first_ms, at_ms)
            self.last_ms = max(self.last_ms, at_ms)


def _only(some: Mapping[str, Episode], others: Mapping[str, Episode]) -> list[Episode]:
    found = [episode for key, episode in some.items() if key not in others]
    return sorted(found, key=lambda each: (-each.findings, each.rule, each.episode_key))
