"""Exceptions: what they cover, until when, and what is wrong with one."""

from datetime import UTC, datetime

import msgspec
import pytest

from alerts.episodes import Policy, key_of, step
from detectors.exemptions import Exemptions, read_exemptions
from detectors.rules.judge import judge
from monitor.folds import fold
from tests.detectors.rules.build import PLACE, RULE, compiled, facts
from topics.alert import Audience
from topics.finding import Finding

WRITTEN = """\
id: old-pixel
rule: acme.rule
match: {flow.recipient: meta}
owner: growth@shop.example
reason: The pixel is gone with the next release.
expires: 2026-11-30
"""
LAST_MS = int(datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC).timestamp() * 1000)


def finding(at_ms: int = LAST_MS) -> Finding:
    (found,), _ = judge(
        [facts(consent={"decision": "denied"}, flow={"recipient": "meta"})], compiled(RULE), PLACE, "bundle"
    )
    return msgspec.structs.replace(found, at_ms=at_ms)


def read(text: str = WRITTEN, name: str = "exemptions/old-pixel.yaml") -> Exemptions:
    exemptions, problems = read_exemptions({name: text}, compiled(RULE))
    assert exemptions is not None, problems
    return exemptions


def mistakes(text: str, name: str = "old-pixel.yaml") -> list[str]:
    exemptions, problems = read_exemptions({name: text}, compiled(RULE))
    assert exemptions is None
    return [str(each) for each in problems]


def test_a_covered_finding_is_kept_and_marked() -> None:
    assert read().mark([finding()]) == [msgspec.structs.replace(finding(), exemption="old-pixel")]


def test_an_exception_ends_with_its_last_day() -> None:
    assert [each.exemption for each in read().mark([finding(LAST_MS), finding(LAST_MS + 1000)])] == ["old-pixel", ""]


def test_every_name_of_the_match_must_be_equal() -> None:
    narrower = WRITTEN.replace("{flow.recipient: meta}", '{flow.recipient: meta, law.honours_gpc: "true"}')
    assert [each.exemption for each in read(narrower).mark([finding()])] == [""]
    same = WRITTEN.replace("{flow.recipient: meta}", '{flow.recipient: meta, law.honours_gpc: "false"}')
    assert [each.exemption for each in read(same).mark([finding()])] == ["old-pixel"]


def test_without_exceptions_nothing_is_marked_and_the_digest_is_empty() -> None:
    exemptions, problems = read_exemptions({}, compiled(RULE))
    assert (exemptions, problems) == (Exemptions(), [])
    assert Exemptions().mark([finding()]) == [finding()]
    assert read().digest != ""


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("expires: 2026-11-30\n", "", "old-pixel.yaml:1: expires: this key is required"),
        ("owner: growth@shop.example", "owner: ''", "old-pixel.yaml:4: owner: string should have at least 1 character"),
        ("acme.rule", "acme.rul", "old-pixel.yaml:2: rule: there is no rule acme.rul (did you mean acme.rule?)"),
        (
            "flow.recipient:",
            "flow.recipent:",
            (
                "old-pixel.yaml:3: match.flow.recipent: acme.rule is not grouped by flow.recipent (did you mean "
                "flow.recipient?); it has flow.recipient, law.honours_gpc"
            ),
        ),
        ("{flow.recipient: meta}", "{}", "old-pixel.yaml:3: match: needs at least 1, and has 0"),
        ("id: old-pixel", "id: new-pixel", "old-pixel.yaml:1: id: the file is named old-pixel; id and file name must"),
        ("2026-11-30", "soon", "old-pixel.yaml:6: expires: input should be a valid date"),
    ],
)
def test_each_mistake_is_told_with_its_line(old: str, new: str, sentence: str) -> None:
    assert old in WRITTEN
    (told,) = mistakes(WRITTEN.replace(old, new))
    assert told.startswith(sentence)


def test_an_exempted_finding_has_an_episode_of_its_own_that_calls_nobody() -> None:
    covered = read().mark([finding()])[0]
    folds = fold([covered, finding(LAST_MS + 1000)], "cluster")
    assert [each.exemption for each in folds] == ["old-pixel", ""]
    keys = [key_of(each) for each in folds]
    assert keys == [folds[0].episode_key + ":exempt", folds[1].episode_key]
    alerts = [step(None, each, LAST_MS, Policy())[1][0] for each in folds]
    assert [(each.audience, each.exemption) for each in alerts] == [
        (Audience.NOBODY, "old-pixel"),
        (Audience.ON_CALL, ""),
    ]
