"""The difference between two rule sets, held against a plain comparison of all that each set finds."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest
from typer.testing import CliRunner

from alerts.episodes import Policy
from monitor import backtest_report
from monitor.backtest import Diff, Kind, SavedDiff
from monitor.backtest_command import moment
from monitor.backtest_data import as_data
from monitor.backtest_run import Judges, of_captures
from monitor.cli import app
from monitor.context import Loaded, load
from monitor.demo.record import record
from monitor.files import ConfigProblems, read_config
from monitor.pipeline import process
from monitor.replay import CaptureReplay
from monitor.rule_files import compile_checked
from topics.finding import Finding

NEW = """\
id: acme.replay
title: A session-replay vendor is there during the purchase
version: 0.1.0
status: test
mode: shadow
assessor: tracking
when: flow.role != "own" && flow.purpose == "analytics.session_replay"
severity: high
group_by: [flow.recipient]
runbook: tracking.consent-missing
why: "{flow.recipient} watched."
tests:
  - {name: there, given: {flow: {purpose: analytics.session_replay}}, expect: finding}
  - {name: not there, given: {flow: {purpose: analytics}}, expect: none}
"""
Change = Callable[[dict[str, str]], dict[str, str]]


class Shop:
    """A recording of the demo shop, and what judges it."""

    def __init__(self, folder: Path) -> None:
        record(folder, 2_500, 7)
        self.folder = folder
        self.config = read_config(folder / "monitor.yaml")
        self.loaded = load(self.config)
        self.files = [str(folder / f"shop.{name}.jsonl") for name in ("events", "kong", "nginx")]
        self.consent = str(folder / "privacy.consent.v1.jsonl")

    def changed(self, change: Change) -> Loaded:
        texts = {rule.file: _text(rule.file) for rule in self.loaded.rules.rules}
        ruleset, problems = compile_checked(change(texts), self.loaded.law)
        assert ruleset is not None, problems
        return self.loaded.judged_by(ruleset, self.loaded.exemptions)

    def diff(self, after: Loaded) -> Diff:
        with CaptureReplay(self.files, self.loaded, self.config, self.consent) as replay:
            return of_captures(replay, Judges(self.loaded, after, Policy()))

    def all_findings(self, loaded: Loaded) -> dict[str, Finding]:
        """Judge everything in one batch for each file, and keep it all."""
        found: list[Finding] = []
        with CaptureReplay(self.files, self.loaded, self.config, self.consent) as replay:
            context = loaded.context(replay.adapters, replay.cluster)
            for records, ledger in replay.batches(lambda _: None):
                found += process(records, msgspec.structs.replace(context, ledger=ledger), {}).findings
        by_id = {each.finding_id: each for each in found}
        assert len(by_id) == len(found) > 20
        return by_id


def _text(file: str) -> str:
    return (Path(__file__).parents[2] / file).read_text()


def edited(rule: str, old: str, new: str) -> Change:
    def change(texts: dict[str, str]) -> dict[str, str]:
        (file,) = (name for name in texts if name.endswith(f"/{rule}.yaml"))
        assert old in texts[file]
        return {**texts, file: texts[file].replace(old, new)}

    return change


CHANGES: dict[str, tuple[Change, Kind]] = {
    "a rule is added": (lambda texts: {**texts, "acme/acme.replay.yaml": NEW}, Kind.NEW),
    "a rule is removed": (
        lambda texts: {name: text for name, text in texts.items() if "tracking.gpc-ignored.yaml" not in name},
        Kind.LOST,
    ),
    "a severity": (edited("checkout.sensitive-field", "severity: high", "severity: critical"), Kind.SEVERITY),
    "a grouping": (
        edited("checkout.card-security-code", "group_by: [", "group_by: [law.regime, "),
        Kind.REGROUPED,
    ),
    "a mode": (edited("checkout.unneeded-field", "mode: live", "mode: shadow"), Kind.MODE),
    "a verdict": (
        edited("checkout.unneeded-field", "severity: medium", "verdict: gap\nseverity: medium"),
        Kind.VERDICT,
    ),
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return Shop(tmp_path_factory.mktemp("shop"))


def test_the_unchanged_rules_give_an_empty_difference(shop: Shop) -> None:
    diff = shop.diff(shop.changed(dict))
    assert diff.is_empty
    assert diff.records == sum(Path(name).read_bytes().count(b"\n") for name in shop.files) - _blank_lines(shop)
    assert sum(each.before for each in diff.rules.values()) == len(shop.all_findings(shop.loaded))
    assert "No difference" in "\n".join(backtest_report.summary(as_data(diff)))


def _blank_lines(shop: Shop) -> int:
    return sum(not line.strip() for name in shop.files for line in Path(name).read_bytes().splitlines())


@pytest.mark.parametrize("name", CHANGES)
def test_the_difference_equals_a_comparison_of_everything(shop: Shop, name: str) -> None:
    change, kind = CHANGES[name]
    after = shop.changed(change)
    old, new = shop.all_findings(shop.loaded), shop.all_findings(after)
    expected: Counter[Kind] = Counter()
    persons: set[str] = set()
    for each in old.keys() | new.keys():
        was, now = old.get(each), new.get(each)
        kinds = []
        if was is None or now is None:
            kinds.append(Kind.NEW if was is None else Kind.LOST)
        else:
            kinds += [Kind.SEVERITY] if was.severity != now.severity else []
            kinds += [Kind.MODE] if was.mode != now.mode else []
            kinds += [Kind.VERDICT] if was.verdict != now.verdict else []
            kinds += [Kind.REGROUPED] if was.episode_key != now.episode_key else []
        expected.update(kinds)
        some = now or was
        if kind in kinds and some is not None and some.subject:
            persons.add(some.subject)
    assert expected[kind] > 0
    diff = shop.diff(after)
    assert diff.changes == expected
    (rule,) = [each for each in diff.rules.values() if each.changes]
    assert len(rule.persons[kind]) == len(persons)
    gone = {each.episode_key for each in old.values()} - {each.episode_key for each in new.values()}
    fresh = {each.episode_key for each in new.values()} - {each.episode_key for each in old.values()}
    if kind is not Kind.VERDICT:
        assert {each.episode_key for each in diff.opened} == fresh
        assert {each.episode_key for each in diff.closed} == gone


def test_a_rule_in_shadow_calls_nobody_and_the_report_says_what_live_would_mean(shop: Shop) -> None:
    diff = shop.diff(shop.changed(CHANGES["a rule is added"][0]))
    assert diff.after.calls["acme.replay"] == 0
    assert diff.after.calls_if_live["acme.replay"] >= 1
    assert diff.after.calls == diff.before.calls


def test_examples_are_few_and_point_at_records_of_the_capture(shop: Shop) -> None:
    wide = NEW.replace('== "analytics.session_replay"\n', '.startsWith("analytics") && flow.recipient == "mixpanel"\n')
    wide = wide.replace("{purpose: analytics.session_replay}", "{purpose: analytics, recipient: mixpanel}")
    data = as_data(shop.diff(shop.changed(lambda texts: {**texts, "acme/acme.replay.yaml": wide})))
    (rule,) = data["rules"]
    examples = rule["changes"]["new"]["examples"]
    assert len(examples) == 5 < rule["changes"]["new"]["findings"]
    lines = (shop.folder / "shop.events.jsonl").read_bytes().splitlines()
    assert all(b"Mixpanel" in lines[each["offset"]] for each in examples)


def test_the_page_needs_nothing_else_and_escapes_what_it_shows(shop: Shop) -> None:
    data = as_data(shop.diff(shop.changed(CHANGES["a rule is added"][0])))
    data["episodes"]["new"][0]["group"]["flow.recipient"] = "<script>alert(1)</script>"
    page = backtest_report.page(data)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert not any(word in page for word in ("http://", "https://", "src=", "@import"))


def test_the_command_prints_text_json_and_a_page(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "acme").mkdir()
    rule = tmp_path / "acme" / "acme.replay.yaml"
    rule.write_text(NEW)
    command = ["backtest", "--config", str(shop.folder / "monitor.yaml"), "--consent", shop.consent, *shop.files]
    tried = [*command, "--rules", str(rule), "--html", str(tmp_path / "report.html")]
    runner = CliRunner()
    text = runner.invoke(app, tried)
    assert text.exit_code == 0, text.output
    assert "acme.replay" in text.output
    assert "acme.replay" in (tmp_path / "report.html").read_text()
    told: dict[str, Any] = orjson.loads(runner.invoke(app, [*tried, "--format", "json"]).stdout)
    assert [each["rule"] for each in told["rules"]] == ["acme.replay"]
    same: dict[str, Any] = orjson.loads(runner.invoke(app, [*command, "--format", "json"]).stdout)
    assert same["is_empty"]
    against = [*tried, "--against", str(rule), "--format", "json"]
    assert orjson.loads(runner.invoke(app, against).stdout)["is_empty"]


NOW_MS = 1_793_606_400_000


@pytest.mark.parametrize(
    ("text", "at_ms"),
    [
        ("now", NOW_MS),
        ("90s", NOW_MS - 90_000),
        ("2h", NOW_MS - 7_200_000),
        ("1970-01-02", 86_400_000),
        ("1970-01-01T00:00:01Z", 1000),
        ("1970-01-01T01:00:00+01:00", 0),
    ],
)
def test_moments_are_read(text: str, at_ms: int) -> None:
    assert moment(text, NOW_MS) == at_ms


@pytest.mark.parametrize("text", ["", "soon", "2h30m", "2026-02-30", "-1d"])
def test_what_is_no_moment_is_told(text: str) -> None:
    with pytest.raises(ConfigProblems, match="is no moment; write"):
        moment(text, NOW_MS)


def test_a_saved_difference_goes_on_as_if_it_had_never_stopped(shop: Shop) -> None:
    after = shop.changed(CHANGES["a rule is added"][0])
    judges = Judges(shop.loaded, after, Policy())
    whole, resumed = judges.diff(), judges.diff()
    with CaptureReplay(shop.files, shop.loaded, shop.config, shop.consent) as replay:
        comparison = judges.comparison(replay)
        for records, ledger in replay.batches(lambda _: None):
            part = comparison.part(records, ledger)
            whole.add(part)
            resumed.add(part)
            saved = msgspec.msgpack.decode(msgspec.msgpack.encode(resumed.save()), type=SavedDiff)
            resumed = judges.diff()
            resumed.restore(saved)
    assert whole.changes[Kind.NEW] > 0
    assert as_data(resumed) == as_data(whole)


def test_another_law_alone_can_be_tried(shop: Shop, tmp_path: Path) -> None:
    law = Path(__file__).parents[2] / "detectors" / "law"
    (file,) = [each for each in law.rglob("*.yaml") if each.name == "us-ca.yaml"]
    tried = tmp_path / "jurisdictions" / "us-ca.yaml"
    tried.parent.mkdir()
    tried.write_text(file.read_text())
    command = ["backtest", "--config", str(shop.folder / "monitor.yaml"), "--consent", shop.consent, *shop.files]
    same = CliRunner().invoke(app, [*command, "--law", str(tmp_path)])
    assert same.exit_code == 0, same.output
    assert "No difference" in same.output
    before = file.read_text()
    signal = before.index("id: us-ca-universal-opt-out-signal")
    day = before.index("since: ", signal)
    tried.write_text(before[:day] + "since: 2090-01-01" + before[before.index("\n", day) :])
    other = CliRunner().invoke(app, [*command, "--law", str(tmp_path), "--format", "json"])
    assert other.exit_code == 0, other.output
    assert orjson.loads(other.stdout)["changes"]["lost"] > 0
