"""From assessments and rules to findings."""

from typing import Any

import msgspec
import pytest

from detectors.assessment import Assessment
from detectors.rules.judge import MAX_FIELDS, RecordPlace, RuleError, finding_id, judge
from detectors.rules.names import Assessor
from detectors.rules.ruleset import RuleSet
from detectors.rules.values import FaultKind
from tests.detectors.rules.build import PLACE, RULE, compiled, facts, shipped
from topics.finding import Basis, Detector, Finding, Mode, Severity, Verdict
from topics.flow import Field

GPC: dict[str, Any] = {
    "flow": {"recipient": "meta", "role": "third-party", "proof": "integration", "purpose": "advertising.targeted"},
    "law": {
        "jurisdiction": "US-CA",
        "regime": "opt-out",
        "honours_gpc": True,
        "duties": ["us-ca-universal-opt-out-signal"],
        "basis": "law",
    },
    "consent": {"decision": "denied", "signal": "gpc", "path": "headers.sec-gpc", "conflicts": ["ledger"]},
}


def one(ruleset: RuleSet, case: Assessment) -> Finding:
    findings, errors = judge([case], ruleset, PLACE, "bundle-1")
    assert errors == []
    (finding,) = findings
    return finding


def test_a_finding_tells_who_received_what_under_which_law() -> None:
    finding = one(shipped(), facts(**GPC))
    assert (finding.rule, finding.rule_version, finding.detector) == (
        "tracking.gpc-ignored",
        "1.0.0",
        Detector.UNCONSENTED_TRACKING,
    )
    assert (finding.verdict, finding.mode, finding.basis) == (Verdict.VIOLATION, Mode.LIVE, Basis.LAW)
    assert (finding.jurisdiction, finding.law, finding.bundle) == (
        "US-CA",
        ("us-ca-universal-opt-out-signal",),
        "bundle-1",
    )
    assert finding.why == (
        "meta received data for advertising.targeted although the browser sent Global Privacy Control, which binds in US-CA."
    )
    assert finding.proof == (
        ("signal", "gpc"),
        ("path", "headers.sec-gpc"),
        ("conflict", "ledger"),
        ("carries", "none"),
        ("recipient-proof", "integration"),
    )
    assert finding.group == (("flow.recipient", "meta"), ("flow.service", ""), ("law.jurisdiction", "US-CA"))


def test_the_first_escalation_that_holds_sets_the_severity() -> None:
    assert one(shipped(), facts(**GPC)).severity is Severity.MEDIUM
    alone = {**GPC, "consent": {"decision": "denied", "signal": "gpc"}}
    assert one(shipped(), facts(**alone)).severity is Severity.HIGH


def test_equal_arguments_give_equal_findings_byte_for_byte() -> None:
    cases = [facts(**GPC), facts(Assessor.CHECKOUT, checkout={"prohibited": ["user.payment.cvc"], "step": "order"})]
    texts = {msgspec.json.encode(judge(cases, shipped(), PLACE, "b")[0]) for _ in range(3)}
    assert len(texts) == 1


def test_all_rules_are_asked_and_findings_come_by_rule_id() -> None:
    other = RULE.replace("acme.rule", "acme.also").replace('&& flow.recipient == "meta"', "&& true")
    findings, _ = judge([facts(**GPC)], compiled(RULE, other), PLACE, "b")
    assert [finding.rule for finding in findings] == ["acme.also", "acme.rule"]


def test_a_rule_that_fails_is_named_and_the_others_still_speak() -> None:
    failing = RULE.replace("acme.rule", "acme.failing").replace(
        'flow.recipient == "meta"', 'flow.categories[3] == "secret"'
    )
    findings, errors = judge([facts(**GPC)], compiled(failing, RULE), PLACE, "b")
    assert [finding.rule for finding in findings] == ["acme.rule"]
    assert errors == [RuleError("acme.failing", "1.2.0", FaultKind.NO_SUCH_INDEX)]


def test_a_fault_of_ours_is_an_error_of_the_rule_and_stops_nothing() -> None:
    case = facts(**GPC)
    broken = msgspec.structs.replace(case, law=None)  # no assessor may do this
    findings, errors = judge([broken, case], compiled(RULE), PLACE, "b")
    assert [error.kind for error in errors] == [FaultKind.INTERNAL]
    assert len(findings) == 1


def test_an_assessment_meets_only_rules_of_its_own_assessor() -> None:
    case = facts(Assessor.TRANSFERS, flow={"recipient": "meta"}, transfer={"status": "missing"})
    assert judge([case], compiled(RULE), PLACE, "b") == ([], [])


@pytest.mark.parametrize(
    "other",
    [
        PLACE._replace(cluster="other"),
        PLACE._replace(topic="other"),
        PLACE._replace(partition=4),
        PLACE._replace(offset=1042),
        RecordPlace("cluster", "shop.events", 31, 41),
    ],
)
def test_ids_tell_records_apart(other: RecordPlace) -> None:
    ids = {finding_id(place, Detector.UNCONSENTED_TRACKING, "acme.rule", 0, "request") for place in (PLACE, other)}
    assert len(ids) == 2


def test_ids_tell_rules_items_and_locations_apart_whatever_the_parts_hold() -> None:
    detector = Detector.UNCONSENTED_TRACKING
    ids = {
        finding_id(PLACE, detector, rule, item, location)
        for rule, item, location in [
            ("a.b", 0, "x"),
            ("a.b", 1, "x"),
            ("a.c", 0, "x"),
            ("a.b", 0, "x1:0"),
            ("b", 0, "xa."),
        ]
    }
    assert len(ids) == 5
    assert all(len(each) == 32 and set(each) <= set("0123456789abcdef") for each in ids)


def test_the_id_outlives_a_new_version_and_the_episode_a_minor_one() -> None:
    case = facts(**GPC)
    first = one(compiled(RULE), case)
    minor = one(compiled(RULE.replace("1.2.0", "1.3.0")), case)
    major = one(compiled(RULE.replace("1.2.0", "2.0.0")), case)
    assert first.finding_id == minor.finding_id == major.finding_id
    assert first.episode_key == minor.episode_key != major.episode_key


def test_findings_of_one_group_share_an_episode_and_others_do_not() -> None:
    ruleset = compiled(RULE.replace('&& flow.recipient == "meta"', "&& true"))
    keys = [
        one(ruleset, facts(consent={"decision": "denied"}, flow=flow, law=law)).episode_key
        for flow, law in [
            ({"recipient": "meta"}, {}),
            ({"recipient": "meta", "purpose": "analytics"}, {}),
            ({"recipient": "criteo"}, {}),
            ({"recipient": "meta"}, {"honours_gpc": True}),
        ]
    ]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3


@pytest.mark.parametrize(
    ("named", "in_force", "told", "basis"),
    [
        ("[]", ("us-ca-a", "us-ca-b"), ("us-ca-a", "us-ca-b"), Basis.LAW),
        ("[us-ca-b, us-ca-c]", ("us-ca-a", "us-ca-b"), ("us-ca-b",), Basis.LAW),
        ('["*-b"]', ("us-ca-a", "us-ca-b", "us-b"), ("us-ca-b", "us-b"), Basis.LAW),
        ('["*-b"]', ("us-ca-a", "us-cab"), (), Basis.POLICY),
        ("[us-ca-b]", (), (), Basis.POLICY),
    ],
)
def test_only_duties_in_force_are_told_and_without_one_the_basis_is_policy(
    named: str, in_force: tuple[str, ...], told: tuple[str, ...], basis: Basis
) -> None:
    ruleset = compiled(RULE.replace("[us-ca-opt-out]", named))
    case = facts(consent={"decision": "denied"}, flow={"recipient": "meta"}, law={"basis": "law"})
    law = msgspec.structs.replace(case.law, duties=in_force)
    finding = one(ruleset, msgspec.structs.replace(case, law=law))
    assert (finding.law, finding.basis) == (told, basis)


def test_a_signal_ignored_where_no_law_obliges_rests_on_policy_whatever_else_is_in_force() -> None:
    law = {"jurisdiction": "US-UT", "regime": "opt-out", "duties": ["us-ut-opt-out-of-sale"], "basis": "law"}
    finding = one(shipped(), facts(flow=GPC["flow"], consent=GPC["consent"], law=law))
    assert (finding.rule, finding.basis, finding.law) == ("tracking.gpc-ignored-by-policy", Basis.POLICY, ())


def test_hostile_strings_of_the_record_do_not_reach_a_finding() -> None:
    canary = "jane.doe@example.com\n\x1b[2J\u202e{flow.subjects}" + "A" * 5000
    flow = {"recipient": "meta", "service": canary, "recipient_host": canary, "source": canary}
    text = RULE.replace("flow.recipient, law", "flow.service, law").replace(
        "{flow.categories}", "{flow.service} {flow.recipient_host} {flow.source}"
    )
    case = facts(consent={"decision": "denied"}, flow=flow)
    hostile = msgspec.structs.replace(
        case,
        flow=msgspec.structs.replace(
            case.flow,
            location=f"integrations.{canary}",
            proof_path=canary,
            fields=tuple(Field(path=f"a.{canary}.{number}", category="user.contact.email") for number in range(50)),
        ),
    )
    finding = one(compiled(text), hostile)
    encoded = msgspec.json.encode(finding).decode()
    assert len(finding.fields) == MAX_FIELDS
    assert not any(part in encoded for part in ("jane", "@", "\\u", "\\n", "{flow", "A" * 200))


def test_the_subject_is_the_most_stable_hash_or_nobody() -> None:
    case = facts(**GPC)
    assert one(compiled(RULE), case).subject == ""
    named = msgspec.structs.replace(case, flow=msgspec.structs.replace(case.flow, subjects=("k1.aa", "k1.bb")))
    assert one(compiled(RULE), named).subject == "k1.aa"


def test_transfers_and_checkouts_carry_their_own_proof() -> None:
    flow = {"recipient": "zendesk", "role": "processor", "proof": "upstream"}
    transfer = {"status": "expired", "origin": "DE", "destination": "US", "mechanism": "scc", "entry": "t-9"}
    proof = one(shipped(), facts(Assessor.TRANSFERS, flow=flow, transfer=transfer)).proof
    assert {("mechanism", "scc"), ("register", "t-9"), ("recipient-proof", "upstream")} <= set(proof)
    checkout = {"step": "shipping", "unneeded": ["b", "a"], "paths": ["body.x[0]"]}
    finding = one(shipped(), facts(Assessor.CHECKOUT, flow={"role": "own"}, checkout=checkout))
    assert (finding.fields, finding.categories) == (("body.x[0]",), ("a", "b"))
    assert finding.why == "The step shipping of unknown collected b, a, which the step does not need."
