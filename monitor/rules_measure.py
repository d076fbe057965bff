"""What rules cost, and which of them speak together."""

import operator
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

from detectors.assessment import Assessment
from detectors.rules.language import environment
from detectors.rules.names import Assessor, Kind, readable
from detectors.rules.ruleset import RuleSet
from detectors.rules.values import EvaluationError
from topics.finding import Finding

_ROUNDS = 5


class Cost(NamedTuple):
    """The cost of one rule's condition, in microseconds an assessment: the least of several rounds."""

    rule: str
    ours_us: float
    engine_us: float

    @property
    def ratio(self) -> float:
        """How many times slower the CEL engine is on the same facts in the same run."""
        return self.engine_us / self.ours_us


def costs(ruleset: RuleSet, seconds: float) -> list[Cost]:
    """Measure every rule on the facts of all tests of its assessor, dearest first; `seconds` are for all together."""
    share = seconds / max(1, len(ruleset.rules)) / _ROUNDS / 2
    found = []
    for assessor in Assessor:
        rules = ruleset.of(assessor)
        cases = [trial.facts for rule in rules for trial in rule.trials]
        engine = environment(assessor)
        bound = [engine.Activation(plain(case, assessor)) for case in cases]
        for rule in rules:
            compiled = engine.compile(rule.when.text)

            def ours(holds: Callable[[Assessment], bool] = rule.when.holds, cases: Sequence[Any] = cases) -> None:
                for case in cases:
                    try:
                        holds(case)
                    except EvaluationError:
                        continue

            def engines(compiled: Any = compiled, bound: Sequence[Any] = bound) -> None:
                for values in bound:
                    compiled.eval(values).value()

            # Taken in turns, so that a busy moment of the machine falls on both.
            pairs = [(_once(ours, share), _once(engines, share)) for _ in range(_ROUNDS)]
            each = 1e6 / len(cases)
            found.append(Cost(rule.written.id, min(a for a, _ in pairs) * each, min(b for _, b in pairs) * each))
    return sorted(found, key=lambda cost: (-cost.ours_us, cost.rule))


def plain(facts: Assessment, assessor: Assessor) -> dict[str, Any]:
    """Give the facts as the CEL engine takes them: a flat mapping of plain values."""
    values: dict[str, Any] = {}
    for path, name in readable(assessor).items():
        value = operator.attrgetter(path)(facts)
        values[path] = list(value) if name.kind is Kind.LIST else str(value) if name.kind is Kind.STRING else value
    return values


def _once(run: Callable[[], None], seconds: float) -> float:
    """Give the seconds of one call, over at least so long."""
    run()
    calls, began = 0, time.perf_counter()
    while (spent := time.perf_counter() - began) < seconds or not calls:
        run()
        calls += 1
    return spent / calls


class Overlap:
    """Which rules found something in the same item of a record. Memory grows with the rules alone."""

    def __init__(self, rules: Iterable[str]) -> None:
        self.items: Counter[str] = Counter(dict.fromkeys(rules, 0))
        """Items in which a rule found something."""
        self.together: Counter[tuple[str, str]] = Counter()

    def take(self, findings: Iterable[Finding]) -> None:
        """Take in the findings of whole records."""
        places: dict[tuple[str, int, int, int], set[str]] = {}
        for each in findings:
            places.setdefault((each.topic, each.partition, each.offset, each.item), set()).add(each.rule)
        for rules in places.values():
            self.items.update(rules)
            self.together.update(combinations(sorted(rules), 2))

    @property
    def never(self) -> list[str]:
        """Rules that found nothing."""
        return sorted(rule for rule, count in self.items.items() if not count)

    def rows(self) -> list[Mapping[str, Any]]:
        """Give the pairs that spoke together, most often first, and whether one never speaks without the other."""
        rows: list[Mapping[str, Any]] = []
        for (first, second), count in sorted(self.together.items(), key=lambda each: (-each[1], each[0])):
            always = [rule for rule in (first, second) if self.items[rule] == count]
            rows.append({"rules": [first, second], "items": count, "never_alone": always})
        return rows
