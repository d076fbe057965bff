"""The commands for people who write rules, as they type them."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from detectors.rules.names import Assessor
from monitor.cli import app
from monitor.demo.record import record
from monitor.files import ConfigProblems

ROOT = Path(__file__).parents[2]
WRONG = """\
id: acme.wrong
title: A rule with mistakes
version: 1.0
status: stable
mode: live
assessor: tracking
when: flow.recipent == "meta" && consent.decision == "refused"
severity: loud
group_by: [flow.recipient]
runbook: tracking.consent-missing
why: "{flow.recipient} received data."
tests:
  - {name: found, given: {flow: {recipient: meta}}, expect: finding}
"""


def run(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["rules", *arguments])
    assert result.exit_code == code, result.output
    return result.stdout


def refused(*arguments: str) -> str:
    """Give what a command says that cannot do as it is told (`main` turns it into lines and an exit code)."""
    result = CliRunner().invoke(app, ["rules", *arguments])
    assert isinstance(result.exception, ConfigProblems)
    return str(result.exception)


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    (tmp_path / "acme").mkdir()
    file = tmp_path / "acme" / "acme.wrong.yaml"
    file.write_text(WRONG)
    return file


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    record(folder, 1_500, 7)
    return folder


def captures(shop: Path) -> list[str]:
    files = [str(shop / f"shop.{name}.jsonl") for name in ("events", "kong", "nginx")]
    return [*files, "--config", str(shop / "monitor.yaml"), "--consent", str(shop / "privacy.consent.v1.jsonl")]


def test_the_shipped_rules_have_no_mistakes_and_their_tests_pass() -> None:
    assert "no mistakes" in run("lint")
    assert run("test").rstrip().endswith(" 0 failed.")


def test_every_mistake_is_told_at_once_with_its_place(wrong: Path) -> None:
    told = run("lint", str(wrong), code=1).splitlines()
    assert any(line.startswith(f"{wrong}:7:7: when: ") and "did you mean flow.recipient?" in line for line in told)
    assert any(line.startswith(f"{wrong}:3:1: version: ") for line in told)
    assert any(line.startswith(f"{wrong}:8:1: severity: ") for line in told)


def test_mistakes_come_as_json_sarif_and_annotations(wrong: Path) -> None:
    plain: list[dict[str, Any]] = orjson.loads(run("lint", str(wrong), "--format", "json", code=1))
    sarif = orjson.loads(run("lint", str(wrong), "--format", "sarif", code=1))
    results = sarif["runs"][0]["results"]
    assert sarif["version"] == "2.1.0"
    places = [each["locations"][0]["physicalLocation"] for each in results]
    assert [each["region"]["startLine"] for each in places] == [each["line"] for each in plain]
    assert {each["artifactLocation"]["uri"] for each in places} == {wrong.as_posix()}
    annotations = run("lint", str(wrong), "--format", "github", code=1).splitlines()
    assert len(annotations) == len(plain) == len(results) > 2
    assert any(line.startswith(f"::error file={wrong},line=7,col=7::when: ") for line in annotations)


def test_without_mistakes_the_machine_forms_are_empty_lists() -> None:
    assert orjson.loads(run("lint", "--format", "json")) == []
    assert orjson.loads(run("lint", "--format", "sarif"))["runs"][0]["results"] == []
    assert run("lint", "--format", "github") == ""


@pytest.mark.parametrize("assessor", list(Assessor))
def test_a_new_rule_passes_every_check_as_it_stands(tmp_path: Path, assessor: Assessor) -> None:
    run("new", "acme.first", "--folder", str(tmp_path), "--assessor", assessor.value)
    assert "1 rules, no mistakes." in run("lint", str(tmp_path))
    assert "2 tests of 1 rules, 0 failed." in run("test", str(tmp_path))
    file = tmp_path / "acme" / "acme.first.yaml"
    schema = file.read_text().splitlines()[0].partition("$schema=")[2]
    assert (file.parent / schema).resolve().is_file()
    assert "there is a rule of this name already" in refused("new", "acme.first", "--folder", str(tmp_path))


def test_a_failing_test_is_named_with_its_line(tmp_path: Path) -> None:
    run("new", "acme.first", "--folder", str(tmp_path))
    file = tmp_path / "acme" / "acme.first.yaml"
    file.write_text(
        file.read_text().replace("expect: none", "expect: finding").replace("expect: finding", "expect: none", 1)
    )
    results = orjson.loads(run("test", str(tmp_path), "--json", code=1))
    assert [each["test"] for each in results] == ["what must be found", "what must not be found"]
    assert all(each["problem"] and each["line"] > 10 for each in results)
    assert run("test", str(tmp_path), code=1).count("FAILED") == 2


def test_explain_names_what_a_rule_reads_with_its_types() -> None:
    told = run("explain", "tracking.gpc-ignored")
    assert 'consent.decision: string, one of "allowed", "denied", "unknown"' in told
    assert "law.honours_gpc: bool" in told
    assert "us-ca-universal-opt-out-signal" in told
    assert "did you mean tracking.gpc-ignored?" in refused("explain", "tracking.gpc-ignord")


def test_list_shows_every_rule() -> None:
    listed = orjson.loads(run("list", "--json"))
    assert len(listed) >= 20
    assert all(each["id"] in run("list") for each in listed[:3])


def test_bench_measures_every_rule_beside_the_engine() -> None:
    costs = orjson.loads(run("bench", "--seconds", "0.5", "--json"))
    assert len(costs) == len(orjson.loads(run("list", "--json")))
    assert all(first["ours_us"] >= second["ours_us"] > 0 for first, second in pairwise(costs))
    assert sum(each["engine_us"] for each in costs) > sum(each["ours_us"] for each in costs)


def test_overlap_tells_who_speaks_together_and_who_never(shop: Path) -> None:
    told = orjson.loads(run("overlap", *captures(shop), "--json"))
    assert told["items"]["tracking.gpc-ignored"] > 0
    assert {rule for rule, count in told["items"].items() if not count} == set(told["never"])
    for pair in told["together"]:
        assert pair["items"] <= min(told["items"][rule] for rule in pair["rules"])
        assert all(told["items"][rule] == pair["items"] for rule in pair["never_alone"])


def test_an_exception_is_previewed_and_then_marks_what_it_covers(shop: Path, tmp_path: Path) -> None:
    file = tmp_path / "known.yaml"
    file.write_text(
        "id: known\nrule: checkout.card-security-code\nmatch: {flow.service: web-shop}\nowner: o@shop.example\n"
        "reason: Known and going away.\nexpires: 2030-01-01\n"
    )
    told = orjson.loads(run("exempt", "--preview", str(file), *captures(shop), "--json"))
    assert told["covered"] > 0
    assert len(told["examples"]) == min(20, told["covered"])
    file.write_text(file.read_text().replace("2030-01-01", "2020-01-01"))
    ended = orjson.loads(run("exempt", "--preview", str(file), *captures(shop), "--json"))
    assert (ended["covered"], ended["not_covered"]) == (0, told["covered"] + told["not_covered"])


def test_the_reference_page_is_current() -> None:
    assert (ROOT / "docs" / "rules.md").read_text() == run("doc"), (
        "write it anew: privacy-monitor rules doc --output docs/rules.md"
    )
