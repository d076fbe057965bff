"""Lists and macros that the rules of a pack share."""

import pytest

from detectors.rules import pack as packs
from detectors.rules.pack import references
from detectors.rules.ruleset import RuleSet, compile_rules, run_tests
from tests.detectors.rules.build import PACKS, RULE, facts, shipped

PACK = """\
pack: acme
title: A pack
version: 1.0.0
lists:
  vendors: [meta, hotjar]
  hours: [22, 23]
macros:
  proved: flow.proof != "" && flow.role != "own"
  told: >
    macros.proved
    && flow.recipient in lists.vendors
"""
WHEN = RULE[RULE.index("when: >") : RULE.index("severity: high")]


def _rule(when: str) -> str:
    return RULE.replace(WHEN, f"when: {when}\n", 1)


def _compile(when: str, manifest: str = PACK) -> tuple[RuleSet | None, list[str]]:
    ruleset, problems = compile_rules({"a/acme/acme.rule.yaml": _rule(when), "a/acme/pack.yaml": manifest})
    return ruleset, [str(each) for each in problems]


def test_a_rule_asks_what_its_lists_and_macros_say() -> None:
    ruleset, problems = _compile("macros.told && !(flow.at_ms in lists.hours)")
    assert ruleset is not None, problems
    holds = ruleset.rules[0].when.holds
    given = {"recipient": "meta", "proof": "integration", "role": "third-party"}
    assert holds(facts(flow=given))
    assert not holds(facts(flow={**given, "recipient": "other"}))
    assert not holds(facts(flow={**given, "role": "own"}))
    assert not holds(facts(flow={**given, "at_ms": 22}))


def test_a_macro_stands_in_brackets() -> None:
    ruleset, _ = _compile("'!macros.either'", PACK.replace("macros:\n", "macros:\n  either: law.honours_gpc || true\n"))
    assert ruleset is not None
    assert not ruleset.rules[0].when.holds(facts())


def test_a_quoted_text_is_no_reference() -> None:
    assert references("""flow.service == "lists.a" && x.lists.b && '''macros.c''' == "\\"macros.d" && lists.e""") == [
        "lists.e"
    ]


def test_a_changed_list_changes_the_digest_and_the_version_of_the_pack_is_told() -> None:
    first, _ = _compile("macros.told")
    second, _ = _compile("macros.told", PACK.replace("hotjar", "fullstory"))
    assert first is not None
    assert second is not None
    assert first.digest != second.digest
    assert [(each.name, each.version, each.rules) for each in first.packs] == [("acme", "1.0.0", 1)]
    assert first.packs[0].digest != second.packs[0].digest


@pytest.mark.parametrize(
    ("when", "manifest", "told"),
    [
        # In the condition itself, behind something that was put in.
        ("macros.told && flow.recipent == 'a'", PACK, "a/acme/acme.rule.yaml:7:22: when: no name flow.recipent"),
        ("flow.service in lists.vendor", PACK, "a/acme/acme.rule.yaml:7:23: when: no lists.vendor in a/acme/pack.yaml"),
        ("flow.at_ms in lists.vendors", PACK, "a/acme/acme.rule.yaml:7:18: when: `in` cannot be used with"),
        ("macros.tolled", PACK, "(did you mean told?)"),
        # In a macro: its own line and column.
        ("macros.told", PACK.replace("flow.role", "flow.rolle"), "a/acme/pack.yaml:8:31: macros.proved: no name flow.rolle"),
        ("macros.told", PACK.replace("lists.vendors", "lists.vendor"), "a/acme/pack.yaml:11:26: macros.told: no lists.vendor"),
        ("macros.told", PACK.replace("flow.proof !=", "macros.told &&"), "macros.told leads to itself"),
        ("macros.told", PACK.replace("vendors: [meta, hotjar]", "vendors: []"), "a/acme/pack.yaml:5:3: lists.vendors: an empty"),
        ("macros.told", PACK.replace("[meta, hotjar]", "[meta, 5]"), "a/acme/pack.yaml:5:3: lists.vendors: texts and numbers"),
        ("macros.told", PACK.replace("[meta, hotjar]", "[meta, meta]"), "a/acme/pack.yaml:5:3: lists.vendors: an item stands"),
        ("macros.told", PACK.replace("pack: acme", "pack: other"), "a/acme/pack.yaml:1:1: pack: the folder is named acme"),
        ("macros.told", PACK.replace("1.0.0", "one"), "a/acme/pack.yaml:3:1: version: expected three numbers"),
        ("macros.told", PACK + "listen: {}\n", "a/acme/pack.yaml:12:1: listen: unknown key"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_where_it_was_written(when: str, manifest: str, told: str) -> None:
    ruleset, problems = _compile(when, manifest)
    assert ruleset is None
    assert any(told in each for each in problems), problems


def test_a_mistake_in_a_macro_is_told_once_however_many_rules_use_it() -> None:
    files = {f"a/acme/acme.r{n}.yaml": _rule("macros.told").replace("acme.rule", f"acme.r{n}") for n in range(3)}
    _, problems = compile_rules({**files, "a/acme/pack.yaml": PACK.replace("flow.role", "flow.rolle")})
    assert [each.path for each in problems] == ["macros.proved"]


def test_a_reference_without_a_manifest_is_told() -> None:
    _, problems = compile_rules({"acme/acme.rule.yaml": _rule("flow.proof != '' && macros.told")})
    assert (problems[0].line, problems[0].column) == (7, 27)
    assert "the folder has no pack.yaml" in problems[0].message


def test_a_runbook_that_is_not_there_is_told() -> None:
    files = {"acme/acme.rule.yaml": RULE, "acme/acme.ruel.md": ""}
    _, problems = compile_rules(files)
    assert [(each.path, each.line) for each in problems] == [("runbook", 16)]
    assert "did you mean acme.ruel?" in problems[0].message
    ruleset, _ = compile_rules({**files, "acme/acme.rule.md": ""})
    assert ruleset is not None


def test_the_shipped_packs_have_manifests_and_every_shipped_rule_a_runbook() -> None:
    ruleset = shipped()
    assert {each.name for each in ruleset.packs} == {path.name for path in PACKS.iterdir() if path.is_dir()}
    assert all(each.version for each in ruleset.packs)
    assert run_tests(ruleset) == []


def test_the_schema_for_editors_is_current() -> None:
    assert (PACKS.parent / "pack.schema.json").read_text() == packs.schema_text()
