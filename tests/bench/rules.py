"""Rules as closures against the CEL interpreter, on the shipped packs and the same facts, in one run."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from detectors.assessment import Assessment
from detectors.rules.judge import RecordPlace, judge
from detectors.rules.language import environment
from detectors.rules.names import Assessor, assessment
from detectors.rules.plan import candidates
from detectors.rules.ruleset import RuleSet, compile_rules
from tests.detectors.rules.expressions import activation, facts

_PACKS = Path(__file__).parents[2] / "detectors" / "rules" / "packs"
_FACTS = 200
_SECONDS = 0.7


def main() -> None:
    """Print the cost of a rule and its ratio to the interpreter."""
    files = {str(path.relative_to(_PACKS)): path.read_text(encoding="utf-8") for path in sorted(_PACKS.rglob("*.yaml"))}
    ruleset, problems = compile_rules(files)
    if ruleset is None:
        raise SystemExit("\n".join(map(str, problems)))
    random = Random(1)
    for assessor in Assessor:
        cases = [facts(random, assessor) for _ in range(_FACTS)]
        _compare(ruleset, assessor, cases)
    _quiet(ruleset)


def _compare(ruleset: RuleSet, assessor: Assessor, cases: list[Assessment]) -> None:
    rules, plan = ruleset.of(assessor), ruleset.plans[assessor.detector]
    conditions = [rule.when.holds for rule in rules]
    engine = environment(assessor)
    compiled = [engine.compile(rule.when.text) for rule in rules]
    values = [activation(case, assessor) for case in cases]
    # The flat mappings are made outside of every measured part: that is in the interpreter's favour.
    bound = [engine.Activation(each) for each in values]
    record = RecordPlace("cluster", "topic", 0, 0)

    def closures() -> list[list[bool]]:
        return [[holds(case) for holds in conditions] for case in cases]

    def interpreter() -> list[list[bool]]:
        return [[expression.eval(each).value() for expression in compiled] for each in bound]

    def binding() -> list[list[bool]]:
        return [[expression.eval(each).value() for expression in compiled] for each in map(engine.Activation, values)]

    def indexed() -> list[list[str]]:
        return [[rule.written.id for rule, holds in candidates(plan, case) if holds(case)] for case in cases]

    names = [[rule.written.id for rule, held in zip(rules, row, strict=True) if held] for row in interpreter()]
    if closures() != interpreter() or indexed() != names:
        raise SystemExit("closures, index and interpreter disagree")
    ours, engines, whole, found = _seconds([closures, interpreter, binding, indexed])
    each = 1e6 / len(cases) / len(rules)
    met = sum(len(candidates(plan, case)) for case in cases) / len(cases)
    findings = len(judge(cases, ruleset, record, "bundle")[0])
    (judged,) = _seconds([lambda: judge(cases, ruleset, record, "bundle")])
    print(  # noqa: T201 - a benchmark reports
        f"rules {assessor.value:10} {len(rules)} rules: in CEL's interpreter {whole * each:.2f} µs a rule "
        f"({engines * each:.2f} once the facts are bound), by closures {ours * each:.2f} µs ({whole / ours:.1f} and "
        f"{engines / ours:.1f} times), by the index {found * each:.2f} µs ({whole / found:.0f} and {engines / found:.0f} "
        f"times; {met:.1f} of {len(rules)} rules are asked); "
        f"judge with {findings / len(cases):.2f} findings an assessment {judged / len(cases) * 1e6:.1f} µs"
    )


def _quiet(ruleset: RuleSet) -> None:
    """Print what an assessment costs that no rule can speak of."""
    for assessor in Assessor:
        case, _wrong = assessment(assessor, {})
        if case is None:
            raise SystemExit("the defaults are no assessment")
        cases = [case] * _FACTS
        (spent,) = _seconds([lambda cases=cases: judge(cases, ruleset, RecordPlace("c", "t", 0, 0), "bundle")])  # type: ignore[misc]
        print(f"rules {assessor.value:10} an assessment that no rule speaks of: {spent / _FACTS * 1e6:.2f} µs")  # noqa: T201


def _seconds(runs: Sequence[Callable[[], object]]) -> list[float]:
    """Give the least processor time of one call of each, taken in turns so that a busy machine disturbs all alike."""
    least = [float("inf")] * len(runs)
    began = time.process_time()
    while time.process_time() - began < _SECONDS * len(runs):
        for number, run in enumerate(runs):
            before = time.process_time()
            run()
            least[number] = min(least[number], time.process_time() - before)
    return least


if __name__ == "__main__":
    main()
