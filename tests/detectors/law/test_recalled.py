"""What nobody checked may warn and never accuses: in the law of every place and day, in every rule, in every transfer."""

import random
from collections.abc import Iterator

import msgspec
import pytest

from detectors.assessment import Assessment, TransferStatus
from detectors.grounds import decide
from detectors.law.fact import Confidence
from detectors.law.pack import LawPack
from detectors.law.timeline import Timeline, day_of, timeline
from detectors.rules.judge import judge
from detectors.rules.names import Assessor
from detectors.rules.ruleset import compile_rules
from monitor.rule_files import compile_checked, recalled_ids
from tests.detectors.law.shipped import pack
from tests.detectors.rules.build import PLACE, RULE, shipped
from tests.detectors.test_oracle_transfers import CATEGORIES, DESTINATIONS, ORIGINS, built, some_day, some_entry
from topics.finding import Basis, Severity, Verdict
from topics.flow import Role

RECALLED = recalled_ids(pack())
RAISING = frozenset({TransferStatus.MISSING, TransferStatus.EXPIRED, TransferStatus.PROHIBITED})


def edges(of: Timeline) -> Iterator[int]:
    """Give each day on which the law changes, its eve and its morrow, and a day long after."""
    for day in of.starts:
        yield from (day - 1, day, day + 1)
    yield day_of(0) + 40_000


def test_there_is_something_to_hold_the_promise_against() -> None:
    assert len(RECALLED) > 80


def test_every_place_has_the_same_law_on_every_day_as_if_nothing_were_recalled() -> None:
    compared = 0
    for name, whole in pack().timelines.items():
        every = {duty.id: duty for span in whole.spans for duty in (*span.duties, *span.warnings)}
        checked = [duty for duty in every.values() if duty.confidence is Confidence.VERIFIED]
        without = timeline(pack().jurisdictions[name], checked)
        for day in edges(whole):
            assert whole.on(day).law == without.on(day).law, (name, day)
            compared += 1
    assert compared > 500


def test_no_finding_under_any_rule_in_any_place_on_any_day_rests_on_a_recalled_duty() -> None:
    """Ask every rule about each of its own cases, with the law of every place and edge in place of the case's law."""
    ruleset = shipped()
    laws = {whole.on(day).law for whole in pack().timelines.values() for day in edges(whole)}
    accused = warned = 0
    for rule in ruleset.rules:
        for trial in rule.trials:
            for law in laws:
                facts: Assessment = msgspec.structs.replace(trial.facts, law=law)
                findings, errors = judge([facts], ruleset, PLACE, "bundle-1")
                assert errors == []
                for finding in findings:
                    assert RECALLED.isdisjoint((*finding.law, *finding.exposure)), finding.rule
                    if finding.verdict is Verdict.GAP:
                        warned += 1
                        assert finding.severity is Severity.LOW, finding.rule
                    elif finding.basis is Basis.LAW:
                        accused += 1
                        assert finding.law, finding.rule
                        assert set(finding.law) <= set(law.duties)
    assert accused > 500
    assert warned > 500


def without_recalled(whole: LawPack) -> LawPack:
    """Give the pack without what is only recalled in its transfer laws.

    Recalled mechanisms stay: that a law knows a kind of ground accuses nobody, and what has run out is a fact of the register.
    """
    regimes = {}
    for name, regime in whole.regimes.items():
        groups = tuple(
            each for each in (regime.concern.groups if regime.concern else ()) if each.confidence is Confidence.VERIFIED
        )
        regimes[name] = regime.model_copy(
            update={
                "adequacy": tuple(
                    each
                    for each in regime.adequacy
                    if Confidence.RECALLED not in (each.confidence, each.since_confidence)
                ),
                "concern": regime.concern and regime.concern.model_copy(update={"groups": groups}),
            }
        )
    regime_of = {exporter: regime for regime in regimes.values() for exporter in regime.exporters}
    return msgspec.structs.replace(whole, regimes=regimes, regime_of=regime_of)


def test_no_transfer_is_accused_on_recalled_facts_that_would_not_be_without_them() -> None:
    of, whole, bare = random.Random(4), pack(), without_recalled(pack())
    accused = 0
    for _ in range(4_000):
        origin, destination = of.choice(ORIGINS), of.choice(DESTINATIONS)
        if not origin or not destination:
            continue
        entry = built(some_entry(of, destination)) if of.random() < 0.8 else None
        categories = tuple(sorted(of.sample(CATEGORIES, of.choice((1, 1, 2)))))
        asked = ((origin, destination), entry, entry.role if entry else Role.UNKNOWN, categories, day_of(some_day(of)))
        if decide(whole, *asked).status in RAISING:
            accused += 1
            assert decide(bare, *asked).status in RAISING, asked
    assert accused > 300


def test_a_law_on_transfers_that_is_only_recalled_raises_for_nobody() -> None:
    laws = [each for each in pack().regimes.values() if each.confidence is Confidence.RECALLED]
    assert laws
    assert all(each.without_ground != "missing" and each.concern is None for each in laws)


def loud(duty: str, *, verdict: str = "violation", severity: str = "high") -> str:
    return RULE.replace("[us-ca-opt-out]", f"[{duty}]").replace(
        "severity: high", f"verdict: {verdict}\nseverity: {severity}"
    )


@pytest.mark.parametrize(
    ("verdict", "severity", "refused"),
    [("violation", "high", True), ("violation", "low", True), ("gap", "high", True), ("gap", "low", False)],
)
def test_a_rule_about_nothing_but_recalled_duties_must_be_a_quiet_gap(
    verdict: str, severity: str, *, refused: bool
) -> None:
    duty = min(RECALLED)
    rules, problems = compile_checked({"acme.rule.yaml": loud(duty, verdict=verdict, severity=severity)}, pack())
    assert (rules is None) == refused
    if refused:
        (problem,) = problems
        assert (problem.file, problem.path) == ("acme.rule.yaml", "law")
        assert problem.line == 16
        assert "only recalled" in problem.message


def test_a_rule_about_a_verified_duty_beside_a_recalled_one_may_accuse() -> None:
    files = {"acme.rule.yaml": loud(f"{min(RECALLED)}, us-bulk-data-rule")}
    rules, problems = compile_rules(files, duties=[*RECALLED, "us-bulk-data-rule"], recalled=RECALLED)
    assert rules is not None, problems


@pytest.mark.parametrize("assessor", Assessor)
def test_no_shipped_rule_of_an_assessor_names_only_recalled_duties(assessor: Assessor) -> None:
    known = {duty.id for each in pack().jurisdictions.values() for duty in each.duties}
    for rule in shipped().of(assessor):
        if rule.written.law and rule.written.verdict is Verdict.VIOLATION:
            ends = [each.removeprefix("*") for each in rule.written.law]
            named = {duty for duty in known if duty.endswith(tuple(ends))}
            assert named - RECALLED, rule.written.id
