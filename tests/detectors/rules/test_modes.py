"""Modes of a rule: live, shadow, and a share of its episodes."""

from detectors.rules.judge import is_live_share, judge
from detectors.rules.ruleset import compile_rules
from monitor.folds import fold
from monitor.pipeline import Outcome
from monitor.runner import outgoing
from tests.detectors.rules.build import PLACE, RULE, compiled, facts
from topics.finding import Finding, Mode

KEYS = [f"{number * 2654435761 % 2**32:08x}" for number in range(20_000)]


def found(text: str, *recipients: str) -> list[Finding]:
    cases = [facts(consent={"decision": "denied"}, flow={"recipient": each}) for each in recipients]
    findings, errors = judge(cases, compiled(text), PLACE, "bundle")
    assert errors == []
    return findings


def topics_of(findings: list[Finding]) -> set[str]:
    return {each.topic for each in outgoing(Outcome(folds=fold(findings, "cluster")))}


def test_findings_of_a_shadow_rule_go_to_the_shadow_topic_alone() -> None:
    assert topics_of(found(RULE, "meta")) == {"privacy.findings.v1"}
    assert topics_of(found(RULE.replace("mode: live", "mode: shadow"), "meta")) == {"privacy.shadow.v1"}


def test_a_canary_tells_of_its_share_of_episodes_and_shadows_the_others() -> None:
    text = RULE.replace("mode: live", "mode: live\ncanary: 30%").replace('flow.recipient == "meta"', "true")
    findings = found(text, *(f"recipient-{number}" for number in range(400)))
    live = {each.episode_key for each in findings if each.mode is Mode.LIVE}
    shadow = {each.episode_key for each in findings if each.mode is Mode.SHADOW}
    assert not live & shadow
    assert 80 < len(live) < 160
    assert topics_of(findings) == {"privacy.findings.v1", "privacy.shadow.v1"}
    assert found(text, "recipient-1") == found(text, "recipient-1")


def test_a_share_is_met_and_a_higher_one_holds_all_of_a_lower_one() -> None:
    for percent in (1, 10, 50, 99):
        live = {key for key in KEYS if is_live_share(key, percent)}
        assert abs(len(live) / len(KEYS) - percent / 100) < 0.01
        assert live <= {key for key in KEYS if is_live_share(key, percent + 1)}


def test_a_canary_of_a_shadow_rule_is_a_mistake() -> None:
    _, problems = compile_rules({"acme.rule.yaml": RULE.replace("mode: live", "mode: shadow\ncanary: 10%")})
    assert [str(each) for each in problems] == [
        "acme.rule.yaml:6:1: canary: a canary is a share of a live rule; set `mode: live` or remove it"
    ]


def test_a_share_is_a_whole_percentage() -> None:
    for wrong in ("0%", "100%", "10", "'10 %'", "-5%"):
        _, problems = compile_rules({"acme.rule.yaml": RULE.replace("mode: live", f"mode: live\ncanary: {wrong}")})
        assert len(problems) == 1, wrong
