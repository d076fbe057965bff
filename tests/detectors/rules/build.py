"""Builders for the tests of rules: valid values, of which a test spells out its point."""

from pathlib import Path
from typing import Any

from detectors.assessment import Assessment
from detectors.rules.judge import RecordPlace
from detectors.rules.names import Assessor, assessment
from detectors.rules.ruleset import RuleSet, compile_rules

PACKS = Path(__file__).parents[3] / "detectors" / "rules" / "packs"
PLACE = RecordPlace("cluster", "shop.events", 3, 1041)

RULE = """\
id: acme.rule
title: A rule
version: 1.2.0
status: test
mode: live
assessor: tracking
when: >
  consent.decision == "denied"
  && flow.recipient == "meta"
severity: high
severity_when:
  - when: flow.purpose == "social"
    severity: low
group_by: [flow.recipient, law.honours_gpc]
law: [us-ca-opt-out]
runbook: acme.rule
why: "{flow.recipient} received {flow.categories}."
tests:
  - name: denied
    given:
      consent: {decision: denied}
      flow: {recipient: meta}
    expect: finding
  - name: allowed
    given: {consent: {decision: allowed}}
    expect: none
"""


def facts(assessor: Assessor = Assessor.TRACKING, **given: Any) -> Assessment:
    """Give an assessment with the facts of a rule's test."""
    made, wrong = assessment(assessor, given)
    assert made is not None, wrong
    return made


def compiled(*texts: str) -> RuleSet:
    """Compile rules, each under the file name that its id asks for."""
    files = {f"{text.split('id: ', 1)[1].splitlines()[0]}.yaml": text for text in texts}
    ruleset, problems = compile_rules(files)
    assert ruleset is not None, problems
    return ruleset


def shipped() -> RuleSet:
    """Compile the rule packs of this project."""
    ruleset, problems = compile_rules(
        {str(path.relative_to(PACKS)): path.read_text() for path in PACKS.rglob("*.yaml")}
    )
    assert ruleset is not None, problems
    return ruleset
