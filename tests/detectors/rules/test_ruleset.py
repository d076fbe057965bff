"""Compiled rules: digest, index, inline tests."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.assessment import Assessment
from detectors.law.pack import read_pack
from detectors.rules import model
from detectors.rules.language import compile_expression
from detectors.rules.names import Assessor
from detectors.rules.plan import Plan, Rule, candidates, plan
from detectors.rules.ruleset import compile_rules, run_tests
from detectors.rules.values import EvaluationError
from tests.detectors.rules.build import PACKS, RULE, compiled, facts, shipped
from tests.detectors.rules.expressions import facts as random_facts
from tests.detectors.rules.grammar import Writer
from topics.finding import Verdict


def test_the_digest_depends_on_content_and_not_on_layout_or_order() -> None:
    other = RULE.replace("acme.rule", "acme.other")
    first, _ = compile_rules({"acme.rule.yaml": RULE, "acme.other.yaml": other})
    moved, _ = compile_rules({"b/acme/acme.other.yaml": "# a comment\n" + other, "a/acme/acme.rule.yaml": RULE})
    changed, _ = compile_rules({"acme.rule.yaml": RULE, "acme.other.yaml": other.replace("mode: live", "mode: shadow")})
    assert first
    assert moved
    assert changed
    assert first.digest == moved.digest != changed.digest
    assert [rule.written.id for rule in moved.rules] == ["acme.other", "acme.rule"]


def test_no_rules_are_a_valid_set() -> None:
    ruleset, problems = compile_rules({})
    assert ruleset is not None
    assert (ruleset.rules, problems) == ((), [])


def test_a_failing_inline_test_is_told_with_file_and_line() -> None:
    text = RULE.replace("{recipient: meta}", "{recipient: criteo}")
    (problem,) = run_tests(compiled(text))
    assert (problem.file, problem.line, problem.path) == ("acme.rule.yaml", 19, "tests.0")
    assert "`denied`: expected a finding, and there was none" in problem.message


def test_an_inline_test_on_which_the_rule_fails_is_told() -> None:
    text = RULE.replace('&& flow.recipient == "meta"', '&& flow.categories[7] == "meta"')
    (problem,) = run_tests(compiled(text))
    assert "the rule failed with no-such-index" in problem.message


def test_an_escalation_that_fails_is_told_by_the_inline_tests() -> None:
    text = RULE.replace('when: flow.purpose == "social"', "when: flow.at_ms / 0 == 1")
    assert "divide-by-zero" in run_tests(compiled(text))[0].message


def _outcome(holds: Callable[[Assessment], bool], case: Assessment) -> str:
    try:
        return "finds" if holds(case) else ""
    except EvaluationError as fault:
        return fault.kind.value


def _outcomes(rules: Sequence[Rule], case: Assessment) -> dict[str, str]:
    """Ask every rule the whole of its condition."""
    every = {rule.written.id: _outcome(rule.when.holds, case) for rule in rules}
    return {name: outcome for name, outcome in every.items() if outcome}


def _planned(plan_: Plan, case: Assessment) -> dict[str, str]:
    """Ask the rules that the index gives what it leaves to ask."""
    asked = {each.rule.written.id: _outcome(each.holds, case) for each in candidates(plan_, case)}
    assert list(asked) == sorted(asked)
    return {name: outcome for name, outcome in asked.items() if outcome}


def test_the_index_changes_no_outcome_of_a_shipped_rule() -> None:
    ruleset, random = shipped(), Random(11)
    for assessor in Assessor:
        for _ in range(300):
            case = random_facts(random, assessor)
            assert _planned(ruleset.plans[assessor.detector], case) == _outcomes(ruleset.of(assessor), case)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_the_index_changes_no_outcome_of_rules_at_random(seed: int) -> None:
    random = Random(seed)
    (some,) = compiled(RULE).rules
    writer, rules = Writer(random, Assessor.TRACKING), []
    shared = [writer.word() for _ in range(3)]
    for number in range(random.randrange(1, 20)):
        parts = (
            random.sample(shared, random.randrange(3)) + [writer.word()] * random.randrange(2) + [writer.condition()]
        )
        random.shuffle(parts)
        when, _refused = compile_expression(" && ".join(parts), Assessor.TRACKING)
        if when is not None:
            written = some.written.model_copy(update={"id": f"acme.rule-{number:02}"})
            rules.append(some._replace(when=when, written=written))
    made = plan(rules)
    for _ in range(20):
        case = random_facts(random, Assessor.TRACKING)
        assert _planned(made, case) == _outcomes(rules, case)


def test_many_rules_for_one_recipient_each_are_told_apart_by_it() -> None:
    (some,) = compiled(RULE).rules
    rules = []
    for number in range(200):
        when, _ = compile_expression(
            f'flow.recipient == "vendor-{number:03}" && flow.step == "payment"', Assessor.TRACKING
        )
        assert when is not None
        rules.append(some._replace(when=when, written=some.written.model_copy(update={"id": f"acme.r{number:03}"})))
    case = facts(flow={"recipient": "vendor-007", "step": "payment"})
    assert [each.rule.written.id for each in candidates(plan(rules), case)] == ["acme.r007"]
    assert candidates(plan(rules), facts(flow={"recipient": "vendor-007"})) == ()


def test_allowed_traffic_meets_no_rule_of_the_shipped_pack() -> None:
    plan = shipped().plans[Assessor.TRACKING.detector]
    assert candidates(plan, facts(consent={"decision": "allowed"})) == ()


def test_the_shipped_packs_compile_and_pass_their_own_tests() -> None:
    ruleset = shipped()
    assert run_tests(ruleset) == []
    assert all(len(ruleset.of(assessor)) >= 3 for assessor in Assessor)


def test_no_flow_raises_two_shipped_rules_of_one_assessor() -> None:
    ruleset, random = shipped(), Random(5)
    spoken = set()
    for assessor in Assessor:
        for _ in range(3000):
            case = random_facts(random, assessor)
            holding = [rule.written.id for rule in ruleset.of(assessor) if rule.when.holds(case)]
            assert len(holding) <= 1, holding
            spoken.update(holding)
    assert len(spoken) > len(ruleset.rules) // 2


@pytest.mark.parametrize("assessor", [Assessor.TRACKING, Assessor.TRANSFERS])
def test_shipped_rules_are_silent_without_a_proved_recipient(assessor: Assessor) -> None:
    ruleset, random, asked = shipped(), Random(6), 0
    for _ in range(2000):
        case = random_facts(random, assessor)
        if case.flow.proof == "" or case.flow.role == "own":
            asked += 1
            assert not any(rule.when.holds(case) for rule in ruleset.of(assessor))
    assert asked > 100


def test_shipped_gaps_are_low_and_violations_say_why() -> None:
    for rule in shipped().rules:
        if rule.written.verdict is Verdict.GAP:
            assert rule.written.severity == "low"
        assert all(rule.why(trial.facts) for trial in rule.trials)


def test_each_shipped_file_names_the_schema_for_editors() -> None:
    for path in PACKS.rglob("*.yaml"):
        first = path.read_text().splitlines()[0]
        schema = "pack.schema.json" if path.name == "pack.yaml" else "rule.schema.json"
        assert first == f"# yaml-language-server: $schema=../../{schema}"
        assert (path.parent / first.partition("=")[2]).resolve() == PACKS.parent / schema


def test_the_schema_file_is_current() -> None:
    path = Path(model.__file__).with_name("rule.schema.json")
    assert path.read_text() == model.schema_text(), "write model.schema_text() to detectors/rules/rule.schema.json"
    assert json.loads(path.read_text())["additionalProperties"] is False


def test_the_duties_that_shipped_rules_name_are_in_the_law_pack() -> None:
    law = PACKS.parents[1] / "law"
    pack, problems = read_pack({str(path.relative_to(law)): path.read_text() for path in law.rglob("*.yaml")})
    assert pack is not None, problems
    ids = {duty.id for place in pack.jurisdictions.values() for duty in place.duties}
    _, problems = compile_rules(
        {str(path.relative_to(PACKS)): path.read_text() for path in PACKS.rglob("*.yaml")}, duties=ids
    )
    assert problems == []
