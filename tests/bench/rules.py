"""Rules as closures against the CEL interpreter, on the shipped packs and the same facts, in one run."""

import time
from collections.abc import Callable
from pathlib import Path
from random import Random

from detectors.assessment import Assessment
from detectors.rules.judge import RecordPlace, judge
from detectors.rules.language import environment
from detectors.rules.names import Assessor
from detectors.rules.ruleset import RuleSet, compile_rules
from tests.detectors.rules.expressions import activation, facts

_PACKS = Path(__file__).parents[2] / "detectors" / "rules" / "packs"
_FACTS = 200
_SECONDS = 0.7


def main() -> None:
    """Print assessments per second and the ratios between them."""
    files = {str(path.relative_to(_PACKS)): path.read_text(encoding="utf-8") for path in sorted(_PACKS.rglob("*.yaml"))}
    ruleset, problems = compile_rules(files)
    if ruleset is None:
        raise SystemExit("\n".join(map(str, problems)))
    random = Random(1)
    for assessor in Assessor:
        cases = [facts(random, assessor) for _ in range(_FACTS)]
        _compare(ruleset, assessor, cases)


def _compare(ruleset: RuleSet, assessor: Assessor, cases: list[Assessment]) -> None:
    conditions = [rule.when.holds for rule in ruleset.of(assessor)]
    engine = environment(assessor)
    compiled = [engine.compile(rule.when.text) for rule in ruleset.of(assessor)]
    values = [activation(case, assessor) for case in cases]
    record = RecordPlace("cluster", "topic", 0, 0)

    def closures() -> list[list[bool]]:
        return [[holds(case) for holds in conditions] for case in cases]

    def interpreter() -> list[list[bool]]:
        results = []
        for each in values:
            bound = engine.Activation(each)
            results.append([expression.eval(bound).value() for expression in compiled])
        return results

    if closures() != interpreter():
        raise SystemExit("closures and interpreter disagree")
    quick, slow = _rate(closures), _rate(interpreter)
    judged = _rate(lambda: judge(cases, ruleset, record, "bundle"))
    findings = len(judge(cases, ruleset, record, "bundle")[0])
    print(  # noqa: T201 - a benchmark reports
        f"rules {assessor.value:10} {len(conditions)} rules: closures {quick:,.0f}/s, CEL interpreter {slow:,.0f}/s, "
        f"ratio {quick / slow:.1f}; judge with findings in {findings / len(cases):.0%} of assessments {judged:,.0f}/s"
    )


def _rate(run: Callable[[], object]) -> float:
    """Give assessments per second."""
    rounds, start = 0, time.perf_counter()
    while (spent := time.perf_counter() - start) < _SECONDS:
        run()
        rounds += 1
    return rounds * _FACTS / spent


if __name__ == "__main__":
    main()
