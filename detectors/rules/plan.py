"""Compiled rules, and which of them an assessment must be asked about."""

import operator
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

from detectors.assessment import Assessment
from detectors.rules.language import Expression
from detectors.rules.model import RuleFile
from topics.finding import Severity


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


class Branch(NamedTuple):
    """Rules told apart by the value of a name that many of them require."""

    name: str
    select: Callable[[Any], Any]
    by_word: Mapping[str, "Plan"]
    others: "Plan"
    """For every other value: the rules that require nothing of the name."""


Plan: TypeAlias = Branch | tuple[Rule, ...]
"""The rules of one assessor: a list by id, or a choice between lists."""

_MAX_BRANCHES = 3
"""Names asked before rules are: more of them would cost what they save."""


def candidates(plan_: Plan, facts: Assessment) -> tuple[Rule, ...]:
    """Give every rule that may hold for these facts, by id."""
    while isinstance(plan_, Branch):
        plan_ = plan_.by_word.get(plan_.select(facts), plan_.others)
    return plan_


def plan(rules: Sequence[Rule], asked: frozenset[str] = frozenset()) -> Plan:
    """Order rules, given by id, for `candidates`; `asked` names have been used further out."""
    required = Counter(name for rule in rules for name in rule.when.requires if name not in asked)
    if not required or len(asked) == _MAX_BRANCHES:
        return tuple(rules)
    name = min(required, key=lambda each: (-required[each], each))
    inner = asked | {name}
    words = sorted({word for rule in rules for word in rule.when.requires.get(name, ())})
    by_word = {
        word: plan([rule for rule in rules if word in rule.when.requires.get(name, {word})], inner) for word in words
    }
    others = plan([rule for rule in rules if name not in rule.when.requires], inner)
    return Branch(name, operator.attrgetter(name), MappingProxyType(by_word), others)
