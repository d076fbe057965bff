"""A rule goes live through its gate alone, and its file keeps every comment."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from detectors.law.pack import LawPack
from detectors.rules.names import Assessor
from detectors.rules.ruleset import compile_rules, content_digest
from monitor.config import Config
from monitor.evidence import Evidence, file_of
from monitor.files import ConfigProblems, read_config
from monitor.rules_knowledge import law_pack
from monitor.rules_new import template
from monitor.rules_promote import promote, with_mode

TEXT = template("acme.first", Assessor.TRACKING).replace(
    "severity: medium", "severity: medium  # to be looked at\ngate: {alerts_per_day: 5, hours: 24}"
)


class Shop:
    """A configuration with one own rule, and what a backtest said of it."""

    def __init__(self, folder: Path, law: LawPack) -> None:
        self.folder, self.law = folder, law
        self.file = folder / "rules" / "acme" / "acme.first.yaml"
        self.file.parent.mkdir(parents=True)
        self.file.with_suffix(".md").write_text("# acme.first\n")
        (folder / "key").write_text("a key of the tests, longer than sixteen bytes")
        (folder / "monitor.yaml").write_text(
            "kafka: {bootstrap_servers: 'localhost:1'}\nshop: {domains: [shop.example]}\n"
            "sources: [{topic: shop.events, adapter: segment}]\nsubjects: {secret: {file: key}}\nrules: [rules]\n"
        )
        self.config: Config = read_config(folder / "monitor.yaml")
        self.write(TEXT)

    def write(self, text: str) -> None:
        self.file.write_text(text)

    def keep(self, **changes: Any) -> None:
        ruleset, problems = compile_rules({str(self.file): self.file.read_text()})
        assert ruleset is not None, problems
        (rule,) = ruleset.rules
        evidence = Evidence(
            rule="acme.first",
            version="0.1.0",
            content=content_digest(rule),
            records=9,
            hours=48.0,
            findings=7,
            calls_if_live=4,
        )
        file_of(rule).write_bytes(msgspec.json.encode(msgspec.structs.replace(evidence, **changes)))

    def promote(self, canary: str = "") -> str:
        promote(self.config, "monitor.yaml", self.law, "acme.first", canary)
        return self.file.read_text()

    def refused(self) -> str:
        before = self.file.read_text()
        with pytest.raises(ConfigProblems) as caught:
            self.promote()
        assert self.file.read_text() == before
        return str(caught.value)


@pytest.fixture(scope="module")
def law() -> LawPack:
    return law_pack(None)


@pytest.fixture
def shop(tmp_path: Path, law: LawPack) -> Shop:
    return Shop(tmp_path, law)


def test_a_rule_whose_gate_holds_goes_live_and_nothing_else_in_its_file_changes(shop: Shop) -> None:
    shop.keep()
    assert shop.promote() == TEXT.replace("mode: shadow", "mode: live")
    assert "is live already" in shop.refused()


def test_a_share_can_go_live_first_and_the_rest_later(shop: Shop) -> None:
    shop.keep()
    assert shop.promote("10%") == TEXT.replace("mode: shadow", "mode: live\ncanary: 10%")
    assert shop.promote("50%") == TEXT.replace("mode: shadow", "mode: live\ncanary: 50%")
    assert shop.promote() == TEXT.replace("mode: shadow", "mode: live")


def test_a_share_that_is_none_is_refused(shop: Shop) -> None:
    shop.keep()
    with pytest.raises(ConfigProblems, match="whole percentage"):
        shop.promote("200%")
    assert shop.file.read_text() == TEXT


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"version": "0.0.9"}, "the backtest is of version 0.0.9, and the rule is 0.1.0"),
        ({"content": "other"}, "the rule was changed after its backtest"),
        ({"hours": 3.5}, "the backtest spans 3.5 hours, and the gate asks for 24"),
        ({"calls_if_live": 11}, "5.5 calls to people a day by the backtest, and the gate allows 5"),
    ],
)
def test_a_gate_that_does_not_hold_says_why(shop: Shop, changes: dict[str, Any], told: str) -> None:
    shop.keep(**changes)
    assert told in shop.refused()


def test_all_reasons_are_given_at_once(shop: Shop) -> None:
    shop.keep(version="0.0.9", hours=1.0, calls_if_live=99)
    assert len(shop.refused().splitlines()) == 3


def test_without_a_backtest_or_a_gate_nothing_goes_live(shop: Shop) -> None:
    assert "no backtest of this rule was kept" in shop.refused()
    shop.keep()
    (shop.file.with_name("acme.first.backtest.json")).write_text("{}")
    assert "is no record of a backtest" in shop.refused()
    shop.write(TEXT.replace("gate: {alerts_per_day: 5, hours: 24}\n", ""))
    assert "the rule has no gate" in shop.refused()


def test_a_changed_condition_needs_a_new_backtest_and_a_changed_comment_does_not(shop: Shop) -> None:
    shop.keep()
    shop.write(TEXT.replace('"an-id-of-a-recipient"', '"an-id-of-a-recipient" && flow.at_ms >= 0'))
    assert "changed after its backtest" in shop.refused()
    shop.write("# another comment\n" + TEXT)
    assert "mode: live" in shop.promote()


def test_a_failing_test_anywhere_promotes_nothing(shop: Shop) -> None:
    shop.keep()
    shop.write(TEXT.replace("expect: none", "expect: finding") + TEXT[TEXT.index("  - name: what must not") :])
    assert "expected a finding" in shop.refused()


def test_a_shipped_rule_is_promoted_in_a_copy_alone(shop: Shop) -> None:
    with pytest.raises(ConfigProblems, match="is shipped; copy its file"):
        promote(shop.config, "monitor.yaml", shop.law, "recipients.not-registered", "")


def test_line_ends_and_comments_on_the_line_stay() -> None:
    text = "id: a\r\nmode: 'shadow'   # for now\r\nwhen: x\r\n"
    assert with_mode(text, "") == "id: a\r\nmode: live  # for now\r\nwhen: x\r\n"
