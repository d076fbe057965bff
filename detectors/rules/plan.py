"""Compiled rules, and which of them an assessment must be asked about."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

from detectors.assessment import Assessment
from detectors.rules.conjuncts import Conjunct, holding, selector
from detectors.rules.language import Expression
from detectors.rules.model import RuleFile
from topics.finding import Severity, Threshold, Windows


class Trial(NamedTuple):
    """A test of a rule, ready to run."""

    name: str
    path: str
    line: int
    facts: Assessment
    expects_finding: bool


class Rule(NamedTuple):
    """A compiled rule."""

    file: str
    written: RuleFile
    major: str
    when: Expression
    severities: tuple[tuple[Expression, Severity], ...]
    groups: tuple[tuple[str, Callable[[Any], Any]], ...]
    why: Callable[[Assessment], str]
    trials: tuple[Trial, ...]
    live_percent: int
    """Share of its episodes that are live, of a live rule: 100 without a canary."""
    threshold: Threshold | None = None
    windows: Windows | None = None


class Asked(NamedTuple):
    """A rule that may hold, and what is left to ask of it."""

    rule: Rule
    holds: Callable[[Assessment], bool]
    """The rest of its condition; raises EvaluationError where the whole condition would."""


class Branch(NamedTuple):
    """Rules told apart by the value of a name that many of them require."""

    name: str
    select: Callable[[Any], Any]
    by_value: Mapping[Any, "Plan"]
    others: "Plan"
    """For every other value: the rules that require nothing of the name."""


class Guard(NamedTuple):
    """Rules that all ask the same, which is asked once."""

    holds: Callable[[Assessment], bool]
    then: "Plan"


Plan: TypeAlias = Branch | Guard | tuple[Asked, ...]
"""The rules of one assessor: a list by id, or a choice between lists."""

_MAX_BRANCHES = 4
"""Names asked before rules are: more of them would cost what they save."""
_MAX_COPIES = 20
"""How often a rule may stand in the plan on average, for it to branch once more."""


def candidates(plan_: Plan, facts: Assessment) -> tuple[Asked, ...]:
    """Give every rule that may hold for these facts, by id. What is not given does not hold, and does not fail."""
    while True:
        if isinstance(plan_, Branch):
            plan_ = plan_.by_value.get(plan_.select(facts), plan_.others)
        elif isinstance(plan_, Guard):
            if not plan_.holds(facts):
                return ()
            plan_ = plan_.then
        else:
            return plan_


class _Open(NamedTuple):
    """A rule on its way into a plan: what must still be asked of it."""

    rule: Rule
    parts: tuple[Conjunct, ...]

    def without(self, answered: Callable[[Conjunct], bool]) -> "_Open":
        return self._replace(parts=tuple(each for each in self.parts if not answered(each)))

    def values(self, name: str) -> frozenset[Any] | None:
        """Give the values that it requires of a name; None when it requires nothing."""
        found: frozenset[Any] | None = None
        for each in self.parts:
            if each.values is not None and each.name == name:
                found = each.values if found is None else found & each.values
        return found


def plan(rules: Sequence[Rule]) -> Plan:
    """Order rules, given by id, for `candidates`."""
    return _plan([_Open(rule, rule.when.conjuncts) for rule in rules], _MAX_BRANCHES)


def _plan(rules: Sequence[_Open], branches: int) -> Plan:
    if len(rules) > 1:
        shared = _shared(rules)
        if shared:
            asked = frozenset(each.shape for each in shared)
            inner = _plan([each.without(lambda part: part.shape in asked) for each in rules], branches)
            # All rules have these parts, so the types of any one's tree are theirs.
            return Guard(holding(shared, rules[0].rule.when.types), inner)
        branch = _branch(rules, branches)
        if branch is not None:
            return branch
    return tuple([Asked(each.rule, holding(each.parts, each.rule.when.types)) for each in rules])


def _shared(rules: Sequence[_Open]) -> list[Conjunct]:
    """Give what all rules ask and what cannot fail: false once, it is false for all."""
    shapes = frozenset.intersection(*(frozenset(part.shape for part in each.parts) for each in rules))
    found = {part.shape: part for part in rules[0].parts if part.shape in shapes and part.is_total}
    return list(found.values())


def _branch(rules: Sequence[_Open], branches: int) -> Branch | None:
    required = Counter(name for each in rules for name in {p.name for p in each.parts if p.values is not None})
    if not branches or not required:
        return None
    name = min(required, key=lambda each: (-required[each], each))
    required_values = [each.values(name) for each in rules]
    by_value = {
        value: [each for each, some in zip(rules, required_values, strict=True) if some is None or value in some]
        for value in frozenset[Any]().union(*(some or () for some in required_values))
    }
    if required[name] < 2 or sum(map(len, by_value.values())) > _MAX_COPIES * len(rules):
        return None

    def answered(part: Conjunct) -> bool:
        return part.values is not None and part.name == name

    inner = {value: _plan([each.without(answered) for each in some], branches - 1) for value, some in by_value.items()}
    others = _plan([each for each in rules if each.values(name) is None], branches - 1)
    return Branch(name, selector(name), MappingProxyType(inner), others)
