"""Mistakes in rule files: each is told with its file, its line and a useful sentence, all at once."""

from typing import NamedTuple

import pytest

from detectors.rules.ruleset import compile_rules
from tests.detectors.rules.build import RULE


class Plant(NamedTuple):
    """A mistake planted in the valid rule."""

    old: str
    new: str
    at: str
    """Text whose line must be named."""
    says: str
    column: bool = False
    """Whether the column of that text must be named too."""


PLANTS = {
    "field-misspelt-in-a-folded-condition": Plant(
        "flow.recipient ==", "flow.recipent ==", "flow.recipent", "did you mean flow.recipient?", column=True
    ),
    "word-misspelt": Plant('"denied"\n', '"denyed"\n', '== "denyed"', "did you mean denied?", column=True),
    "types-do-not-match": Plant('flow.recipient == "meta"', "flow.recipient == 5", "== 5", "`==` cannot", column=True),
    "single-equals-sign": Plant("flow.recipient ==", "flow.recipient =", '= "meta"', "compare with ==", column=True),
    "condition-cut-short": Plant('&& flow.recipient == "meta"', "&&", "&&", "the end of the expression"),
    "condition-is-no-condition": Plant(
        'consent.decision == "denied"\n  && flow.recipient == "meta"', "flow.service", "flow.service", "true or false"
    ),
    "outside-of-the-subset": Plant(
        'flow.recipient == "meta"', 'flow.recipient.matches("(?=m)")', '("(?=m)")', "none that RE2 knows", column=True
    ),
    "name-of-another-assessor": Plant(
        'flow.recipient == "meta"', 'transfer.status == "missing"', "transfer.status", "no name transfer.status"
    ),
    "escalation-misspelt": Plant(
        'when: flow.purpose == "social"', 'when: flow.purpos == "social"', "flow.purpos", "flow.purpose", column=True
    ),
    "escalation-in-double-quotes": Plant(
        'when: flow.purpose == "social"', 'when: "flow.purpos == \\"social\\""', "- when:", "flow.purpose"
    ),
    "escalation-in-single-quotes": Plant(
        'when: flow.purpose == "social"', "when: 'law.honours'", "law.honours'", "law.honours_gpc", column=True
    ),
    "escalation-word-unknown": Plant('"social"', '"sozial"', "sozial", "did you mean social?"),
    "escalation-severity": Plant("severity: low", "severity: lowest", "lowest", "'low'"),
    "empty-condition": Plant(
        'when: >\n  consent.decision == "denied"\n  && flow.recipient == "meta"',
        'when: ""',
        'when: ""',
        "write a condition",
    ),
    "id-differs-from-the-file": Plant("id: acme.rule", "id: acme.other", "acme.other", "must be equal"),
    "id-of-another-pack": Plant("id: acme.rule", "id: other.rule", "other.rule", "begin with acme."),
    "id-malformed": Plant("id: acme.rule", "id: Acme_Rule", "Acme_Rule", "such as tracking.gpc-ignored"),
    "version-is-a-number": Plant("1.2.0", "1.2", "1.2", "needs a text"),
    "version-not-semantic": Plant("1.2.0", "v1.2.0", "v1.2.0", "such as 1.0.0"),
    "unknown-key": Plant("title: A rule", "title: A rule\ntitel: A rule", "titel", "unknown key"),
    "key-twice": Plant("title: A rule", "title: A rule\ntitle: B", "title: B", "twice"),
    "key-missing": Plant("runbook: acme.rule\n", "", "id:", "required"),
    "why-missing": Plant('why: "{flow.recipient} received {flow.categories}."\n', "", "id:", "required"),
    "status-unknown": Plant("status: test", "status: done", "status: done", "'experimental'"),
    "mode-unknown": Plant("mode: live", "mode: enforce", "mode:", "'live'"),
    "assessor-unknown": Plant("assessor: tracking", "assessor: trackin", "trackin", "'tracking'"),
    "severity-unknown": Plant("severity: high", "severity: urgent", "urgent", "'high'"),
    "verdict-unknown": Plant("severity: high", "severity: high\nverdict: breach", "breach", "'violation'"),
    "group-unknown": Plant("[flow.recipient, law", "[flow.recepient, law", "group_by", "did you mean flow.recipient?"),
    "group-unbounded": Plant("law.honours_gpc]", "flow.at_ms]", "group_by", "each would be an episode"),
    "group-twice": Plant("law.honours_gpc]", "flow.recipient]", "group_by", "stands here twice"),
    "group-empty": Plant("[flow.recipient, law.honours_gpc]", "[]", "group_by", "at least 1"),
    "duty-unknown": Plant("[us-ca-opt-out]", "[us-ca-opt-outt]", "law:", "did you mean us-ca-opt-out?"),
    "why-names-unknown": Plant("{flow.categories}", "{flow.category}", "why:", "did you mean flow.categories?"),
    "why-names-a-person": Plant("{flow.categories}", "{flow.subjects}", "why:", "no name flow.subjects"),
    "why-reaches-inside": Plant("{flow.categories}", "{flow.__class__}", "why:", "no name flow.__class__"),
    "why-with-format": Plant("{flow.categories}", "{flow.service!r:>9}", "why:", "takes no format"),
    "why-with-a-lone-brace": Plant("{flow.categories}", "{flow.categories", "why:", "a brace stands alone"),
    "given-key-unknown": Plant("{decision: denied}", "{decison: denied}", "decison", "consent.decision"),
    "given-part-unknown": Plant("flow: {recipient", "flw: {recipient", "flw:", "did you mean flow?"),
    "given-word-unknown": Plant("{decision: denied}", "{decision: refused}", "refused", "consent.decision is never"),
    "given-wrong-type": Plant(
        "{recipient: meta}", "{categories: meta}", "categories: meta", "expected a list of texts"
    ),
    "given-date-for-text": Plant("{recipient: meta}", "{recipient: 2026-01-01}", "2026-01-01", "expected text"),
    "given-not-a-mapping": Plant("{recipient: meta}", "meta", "flow: meta", "expected a mapping"),
    "given-names-a-person": Plant("{recipient: meta}", "{subjects: [a]}", "subjects", "cannot read flow.subjects"),
    "expectation-unknown": Plant("expect: none", "expect: nothing", "nothing", "'finding' or 'none'"),
    "no-test-finds": Plant("expect: finding", "expect: none", "tests:", "no test expects a finding"),
    "no-test-does-not": Plant("expect: none", "expect: finding", "tests:", "no test expects none"),
    "no-tests": Plant(RULE[RULE.index("tests:") :], "tests: []\n", "tests:", "at least 1"),
    "canary-of-a-shadow": Plant("mode: live", "mode: shadow\ncanary: 10%", "canary", "a canary is a share"),
    "canary-malformed": Plant("mode: live", "mode: live\ncanary: 120%", "canary", "from 1% to 99%"),
    "threshold-without-time": Plant(
        "severity: high", "severity: high\nthreshold: {findings: 5}", "threshold", "required"
    ),
    "threshold-of-one": Plant(
        "severity: high", "severity: high\nthreshold: {findings: 1, within: 5m}", "threshold", "ask for more findings"
    ),
    "threshold-of-a-week": Plant(
        "severity: high", "severity: high\nthreshold: {findings: 5, within: 168h}", "threshold", "from 1m to 24h"
    ),
    "threshold-time-malformed": Plant(
        "severity: high", "severity: high\nthreshold: {findings: 5, within: 5 min}", "threshold", "such as 10m or 2h"
    ),
    "threshold-more-persons-than-findings": Plant(
        "severity: high",
        "severity: high\nthreshold: {findings: 5, subjects: 9, within: 5m}",
        "threshold",
        "findings: 9",
    ),
    "list-without-manifest": Plant(
        'flow.recipient == "meta"', "flow.recipient in lists.vendors", "lists.vendors", "has no pack.yaml", column=True
    ),
    "macro-without-manifest": Plant(
        'flow.recipient == "meta"', "macros.proved", "macros.proved", "has no pack.yaml", column=True
    ),
    "pattern-with-look-around": Plant(
        'flow.recipient == "meta"', 'flow.recipient.matches("a(?!b)")', '("a(?!b)")', "look-around", column=True
    ),
    "timestamp-compared-with-a-number": Plant(
        'flow.recipient == "meta"', "timestamp(flow.at_ms) > 5", "> 5", "`>` cannot be used", column=True
    ),
    "function-misspelt": Plant(
        'flow.recipient == "meta"', 'flow.recipient.startWith("m")', '("m")', "did you mean startsWith?", column=True
    ),
    "bracket-left-open": Plant(
        'flow.recipient == "meta"', '(flow.recipient == "meta"', "(flow.recipient", "end of the"
    ),
    "not-yaml": Plant("severity: high", "severity: [high", "severity_when", "not YAML"),
    "not-a-mapping": Plant(RULE, "- a\n- b\n", "- a", "expected a mapping"),
}


def _planted() -> dict[str, str]:
    for name, plant in PLANTS.items():
        assert plant.old in RULE, name
    return {f"{name}/acme/acme.rule.yaml": RULE.replace(plant.old, plant.new, 1) for name, plant in PLANTS.items()}


def test_sixty_mistakes_and_more_are_planted_and_all_told_at_once() -> None:
    assert len(PLANTS) >= 60
    _, problems = compile_rules(_planted(), duties={"us-ca-opt-out"})
    assert {problem.file for problem in problems} == set(_planted())
    assert all(each.line > 0 and each.column > 0 and len(each.message) > 10 for each in problems)


@pytest.mark.parametrize("name", PLANTS)
def test_each_planted_mistake_is_told_with_file_line_and_a_useful_sentence(name: str) -> None:
    plant, files = PLANTS[name], _planted()
    ruleset, problems = compile_rules(files, duties={"us-ca-opt-out"})
    file = f"{name}/acme/acme.rule.yaml"
    lines = files[file].splitlines()
    line = next(number for number, text in enumerate(lines, 1) if plant.at in text)
    told = [problem for problem in problems if problem.file == file and plant.says in problem.message]
    assert ruleset is None
    assert [problem.line for problem in told] == [line], [problem for problem in problems if problem.file == file]
    if plant.column:
        assert told[0].column == lines[line - 1].index(plant.at) + 1
    assert str(told[0]).startswith(f"{file}:{line}")


def test_the_rule_without_a_planted_mistake_is_valid() -> None:
    ruleset, problems = compile_rules({"acme/acme.rule.yaml": RULE}, duties={"us-ca-opt-out"})
    assert problems == []
    assert ruleset is not None


def test_mistakes_of_meaning_in_one_file_are_told_together() -> None:
    text = (
        RULE.replace("flow.recipient ==", "flow.recipent ==")
        .replace("flow.purpose ==", "flow.purpos ==")
        .replace("law.honours_gpc]", "flow.at_ms]")
        .replace("{flow.categories}", "{flow.category}")
        .replace("{decision: denied}", "{decison: denied}")
        .replace("id: acme.rule", "id: acme.other")
    )
    _, problems = compile_rules({"acme.rule.yaml": text})
    assert [problem.path for problem in problems] == [
        "id",
        "when",
        "severity_when.0.when",
        "group_by.1",
        "why",
        "tests.0.given.consent.decison",
    ]


def test_mistakes_of_shape_and_of_the_condition_are_told_together() -> None:
    text = RULE.replace("severity: high", "severity: urgent").replace("flow.recipient ==", "flow.recipent ==")
    _, problems = compile_rules({"acme.rule.yaml": text})
    assert [problem.path for problem in problems] == ["when", "severity"]


def test_the_same_id_in_two_packs_is_told() -> None:
    ruleset, problems = compile_rules({"a/acme/acme.rule.yaml": RULE, "b/acme/acme.rule.yaml": RULE})
    assert ruleset is None
    assert [(problem.file, problem.line) for problem in problems] == [("b/acme/acme.rule.yaml", 1)]
    assert "a/acme/acme.rule.yaml" in problems[0].message


def test_windows_line_ends_change_no_position() -> None:
    text = RULE.replace("flow.recipient ==", "flow.recipent ==").replace("\n", "\r\n")
    _, problems = compile_rules({"acme.rule.yaml": text})
    assert [(problem.line, problem.column) for problem in problems] == [(9, 6)]


def test_a_rule_file_nested_without_end_is_told_and_does_not_crash() -> None:
    _, problems = compile_rules({"acme.rule.yaml": "a: " + "[" * 800 + "]" * 800})
    assert [problem.message for problem in problems] == ["nested too deeply"]
