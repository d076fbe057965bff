from collections.abc import Sequence

import pytest

from detectors.assessment import Consent, ConsentDecision, Law
from detectors.consent.decide import decide
from detectors.consent.ledger import Choice, Coverage, Word
from topics.finding import Basis
from topics.flow import DataFlow, Role, Signal

ALLOWED, DENIED, UNKNOWN = ConsentDecision.ALLOWED, ConsentDecision.DENIED, ConsentDecision.UNKNOWN
CALIFORNIA = Law(jurisdiction="US-CA", regime="opt-out", honours_gpc=True, basis=Basis.LAW)
COLORADO = Law(jurisdiction="US-CO", regime="opt-out", honours_gpc=True, basis=Basis.LAW)
OHIO = Law(jurisdiction="US-OH")
GERMANY = Law(jurisdiction="DE", regime="opt-in", basis=Basis.LAW)
NOWHERE = Law()

AT_MS = 1_000_000
GPC = Signal(kind="gpc", says="denied", path="headers.sec-gpc", purposes=("advertising", "social"))
USP = Signal(kind="usp", says="denied", path="cookies.usprivacy")
LDU = Signal(kind="ldu", says="denied", path="properties.data_processing_options", remark="restricted_processing")


def choice(
    at_ms: int, *, granted: str = "", refused: str = "", after_gpc_notice: bool = False, offset: int = 0
) -> Choice:
    given, withheld = (granted,) if granted else (), (refused,) if refused else ()
    return Choice(at_ms, offset, 0, Word(given, withheld, "", "privacy.consent.v1", 0, after_gpc_notice))


def decided(
    law: Law,
    *,
    signals: Sequence[Signal] = (),
    choices: Sequence[Choice] = (),
    coverage: Coverage = Coverage.READY,
    purpose: str = "advertising.targeted",
    subjects: tuple[str, ...] = ("k1.a",),
    role: Role = Role.UNKNOWN,
    at_ms: int = AT_MS,
) -> Consent:
    flow = DataFlow(
        item=0,
        location="x",
        at_ms=at_ms,
        purpose=purpose,
        signals=tuple(signals),
        subjects=subjects,
        proof="request",
        role=role,
    )
    return decide(flow, law, choices, coverage)


def test_gpc_on_the_record_denies_advertising_in_every_state_that_does_not_ask_first() -> None:
    for law in (CALIFORNIA, OHIO, NOWHERE):
        consent = decided(law, signals=[GPC])
        assert (consent.decision, consent.signal, consent.path) == (DENIED, "gpc", "headers.sec-gpc")


def test_gpc_says_nothing_of_payment_or_analytics() -> None:
    assert decided(CALIFORNIA, signals=[GPC], purpose="payment").decision is ALLOWED
    assert decided(CALIFORNIA, signals=[GPC], purpose="analytics").decision is ALLOWED


def test_a_stored_grant_stands_above_gpc_only_when_given_after_notice_of_the_conflict() -> None:
    plain = decided(CALIFORNIA, signals=[GPC], choices=[choice(10, granted="advertising")])
    assert (plain.decision, plain.conflicts) == (DENIED, ("ledger",))
    told = decided(CALIFORNIA, signals=[GPC], choices=[choice(10, granted="advertising", after_gpc_notice=True)])
    assert (told.decision, told.signal, told.conflicts) == (ALLOWED, "ledger", ("gpc",))


def test_in_an_opt_in_regime_gpc_does_not_stand_in_for_the_missing_consent() -> None:
    assert decided(GERMANY, signals=[GPC]).signal == "default"
    granted = decided(GERMANY, signals=[GPC], choices=[choice(10, granted="advertising")])
    assert (granted.decision, granted.conflicts) == (ALLOWED, ("gpc",))


def test_the_latest_choice_at_or_before_the_event_is_in_force() -> None:
    choices = [choice(10, refused="advertising"), choice(20, granted="advertising", offset=1)]
    assert decided(CALIFORNIA, choices=choices).decision is ALLOWED
    assert decided(CALIFORNIA, choices=choices[:1]).decision is DENIED
    at_once = choice(AT_MS, refused="advertising")
    assert decided(CALIFORNIA, choices=[at_once]).seconds_since_refusal == 0


def test_a_choice_after_the_event_changes_nothing() -> None:
    assert decided(GERMANY, choices=[choice(AT_MS + 1, granted="advertising")]).decision is DENIED
    assert decided(CALIFORNIA, choices=[choice(AT_MS + 1, refused="advertising")]).decision is ALLOWED


def test_of_two_choices_at_one_moment_the_refusal_counts() -> None:
    for order in (1, -1):
        both = [choice(10, granted="advertising"), choice(10, refused="advertising", offset=1)][::order]
        assert decided(CALIFORNIA, choices=both).decision is DENIED


def test_a_choice_about_another_purpose_says_nothing() -> None:
    assert decided(GERMANY, choices=[choice(10, granted="analytics")]).signal == "default"
    assert decided(GERMANY, choices=[choice(10, granted="advert")]).signal == "default"


def test_a_denial_that_travelled_wins_over_a_grant_on_record_and_the_conflict_is_kept() -> None:
    consent = decided(CALIFORNIA, signals=[USP], choices=[choice(10, granted="advertising")])
    assert (consent.decision, consent.signal, consent.conflicts) == (DENIED, "usp", ("ledger",))


def test_a_refusal_on_record_wins_over_a_string_that_allows() -> None:
    stale = Signal(kind="gpp", says="allowed", path="query.gpp.usca", purposes=("advertising",))
    consent = decided(CALIFORNIA, signals=[stale], choices=[choice(10, refused="advertising")])
    assert (consent.decision, consent.signal, consent.conflicts) == (DENIED, "ledger", ("gpp",))


@pytest.mark.parametrize(
    ("law", "signal"),
    [
        (COLORADO, USP),
        (COLORADO, Signal(kind="gpp", says="denied", path="query.gpp.usca", purposes=("advertising",))),
        (CALIFORNIA, Signal(kind="tcf", says="denied", path="query.gdpr_consent", purposes=("advertising",))),
        (CALIFORNIA, Signal(kind="dnt", says="denied", path="headers.dnt", purposes=("advertising",))),
    ],
    ids=["usp outside California", "another state's section", "a TC string in the US", "do not track"],
)
def test_a_signal_that_means_nothing_there_is_not_heard(law: Law, signal: Signal) -> None:
    assert decided(law, signals=[signal]).signal == "default"


def test_the_national_section_speaks_in_every_state() -> None:
    national = Signal(kind="gpp", says="denied", path="query.gpp.usnat", purposes=("advertising",))
    assert decided(COLORADO, signals=[national]).signal == "gpp"


def test_what_a_tag_was_told_is_heard_only_when_nobody_else_speaks() -> None:
    evidence = Signal(kind="gcs", says="denied", path="query.gcs", purposes=("advertising",))
    assert decided(CALIFORNIA, signals=[evidence]).signal == "gcs"
    assert decided(CALIFORNIA, signals=[evidence], choices=[choice(10, granted="advertising")]).decision is ALLOWED


def test_an_opt_out_that_was_passed_on_as_limited_data_use_is_a_gap_and_no_violation() -> None:
    consent = decided(CALIFORNIA, signals=[GPC, LDU])
    assert (consent.decision, consent.signal, consent.reason) == (UNKNOWN, "gpc", "restricted-processing")


def test_without_any_signal_the_regime_decides() -> None:
    assert decided(GERMANY).decision is DENIED
    assert decided(CALIFORNIA).decision is ALLOWED
    assert decided(OHIO).decision is ALLOWED
    assert decided(NOWHERE).reason == "no-jurisdiction"


@pytest.mark.parametrize("coverage", [Coverage.LOADING, Coverage.BEHIND, Coverage.ABSENT])
def test_a_ledger_that_cannot_speak_makes_the_missing_consent_unknown(coverage: Coverage) -> None:
    consent = decided(GERMANY, coverage=coverage)
    assert (consent.decision, consent.reason) == (UNKNOWN, coverage.value)


@pytest.mark.parametrize("coverage", [Coverage.LOADING, Coverage.BEHIND])
def test_a_grant_in_a_ledger_that_is_behind_is_not_the_last_word_but_a_refusal_on_the_record_is(
    coverage: Coverage,
) -> None:
    grant = [choice(10, granted="advertising")]
    assert decided(CALIFORNIA, choices=grant, coverage=coverage).reason == coverage.value
    assert decided(CALIFORNIA, signals=[GPC], coverage=coverage).decision is DENIED


def test_a_person_whom_the_record_does_not_name_cannot_be_looked_up() -> None:
    assert decided(GERMANY, subjects=()).reason == "no-subject"


def test_litter_in_place_of_a_signal_is_neither_consent_nor_opt_out() -> None:
    litter = Signal(kind="tcf", says="unreadable", path="query.gdpr_consent", remark="macro")
    assert decided(GERMANY, signals=[litter]).reason == "unreadable"
    assert decided(OHIO, signals=[litter]).decision is ALLOWED


def tcf_of(says: str, at_ms: int, purposes: tuple[str, ...] = ("advertising",)) -> Signal:
    return Signal("tcf", says, "cookies.euconsent-v2", purposes, "", at_ms)


def test_a_denial_on_the_record_falls_to_a_later_grant_for_a_processor_and_stands_for_third_parties() -> None:
    day = 86_400_000
    denied, grant = tcf_of("denied", 10 * day), choice(12 * day, granted="advertising")
    for role, expected in ((Role.PROCESSOR, ALLOWED), (Role.THIRD_PARTY, DENIED), (Role.UNKNOWN, DENIED)):
        consent = decided(GERMANY, signals=[denied], choices=[grant], role=role, at_ms=20 * day)
        assert (consent.decision, consent.remarks) == (expected, ("string_denies",))


def test_a_grant_of_the_same_day_as_a_string_that_denies_cannot_be_put_in_order() -> None:
    day = 86_400_000
    grant = choice(10 * day + 3_600_000, granted="advertising")
    consent = decided(
        GERMANY, signals=[tcf_of("denied", 10 * day)], choices=[grant], role=Role.PROCESSOR, at_ms=20 * day
    )
    assert (consent.decision, consent.remarks) == (DENIED, ("unordered_conflict",))


def test_of_two_choices_on_one_record_the_later_counts_and_what_has_no_time_goes_to_the_denial() -> None:
    day = 86_400_000
    banner = Signal("onetrust", "allowed", "cookies.OptanonConsent", ("advertising",), "", 12 * day)
    later = decided(GERMANY, signals=[tcf_of("denied", 10 * day), banner], at_ms=20 * day)
    assert (later.decision, later.signal) == (ALLOWED, "onetrust")
    earlier = decided(GERMANY, signals=[tcf_of("denied", 14 * day), banner], at_ms=20 * day)
    assert (earlier.decision, earlier.remarks) == (DENIED, ())
    unknown = decided(GERMANY, signals=[tcf_of("denied", 0), banner], at_ms=20 * day)
    assert (unknown.decision, unknown.remarks, unknown.conflicts) == (DENIED, ("unordered_conflict",), ("onetrust",))


def test_a_string_that_allows_against_a_refusal_on_record_is_called_stale() -> None:
    consent = decided(GERMANY, signals=[tcf_of("allowed", 5)], choices=[choice(10, refused="advertising")])
    assert (consent.decision, consent.remarks) == (DENIED, ("stale_string",))


def test_what_a_tag_was_told_is_held_against_the_choice() -> None:
    told = Signal("gcd", "allowed", "query.gcd", ("advertising",))
    consent = decided(GERMANY, signals=[told], choices=[choice(10, refused="advertising")])
    assert (consent.decision, consent.remarks) == (DENIED, ("enforcement_mismatch",))
    agreeing = decided(GERMANY, signals=[told], choices=[choice(10, granted="advertising")])
    assert (agreeing.decision, agreeing.remarks) == (ALLOWED, ())


def test_a_grant_of_everything_does_not_stand_above_gpc() -> None:
    grant = choice(10, granted="*", after_gpc_notice=True)
    assert decided(CALIFORNIA, signals=[GPC], choices=[grant]).decision is DENIED


def test_a_grant_soon_after_a_refusal_is_remarked_on_in_california() -> None:
    choices = [choice(10, refused="advertising"), choice(20, granted="advertising", offset=1)]
    assert decided(CALIFORNIA, choices=choices).remarks == ("asked_again",)
    assert decided(COLORADO, choices=choices).remarks == ()


def section(name: str, says: str, remark: str = "") -> Signal:
    return Signal("gpp", says, f"query.gpp.{name}", ("advertising",), remark)


@pytest.mark.parametrize(
    ("signals", "expected"),
    [
        ([section("usco", "allowed"), section("usnat", "denied", "not_in_force")], ALLOWED),
        ([section("usco", "denied"), section("usnat", "allowed")], DENIED),
        ([section("usca", "denied"), section("usco", "allowed", "not_in_force")], ALLOWED),
        ([section("usco", "allowed", "not_in_force"), section("usnat", "denied", "not_in_force")], ALLOWED),
        ([section("usnat", "denied", "not_in_force")], DENIED),
    ],
    ids=[
        "named before unnamed",
        "either denies",
        "what is named does not fit",
        "the state before the nation",
        "only the nation",
    ],
)
def test_the_section_is_picked_by_what_is_in_force_and_by_the_place(
    signals: list[Signal], expected: ConsentDecision
) -> None:
    assert decided(COLORADO, signals=signals).decision is expected


def test_where_consent_does_not_come_first_for_a_purpose_only_a_refusal_denies_it() -> None:
    law = Law(jurisdiction="GB", regime="opt-in", consent_for=("advertising", "analytics.session_replay"))
    assert decided(law, purpose="analytics").decision is ALLOWED
    assert decided(law, purpose="analytics.session_replay").decision is DENIED
    assert decided(law, purpose="analytics", choices=[choice(10, refused="analytics")]).decision is DENIED


@pytest.mark.parametrize("remark", ["interest_undeclared", "purpose_one_treatment"])
def test_a_string_that_leaves_the_question_open_makes_a_gap(remark: str) -> None:
    open_ = Signal("tcf", "not-applicable", "cookies.euconsent-v2", ("advertising",), remark)
    consent = decided(GERMANY, signals=[open_])
    assert (consent.decision, consent.reason) == (UNKNOWN, remark.replace("_", "-"))


def test_what_is_allowed_without_a_choice_tells_why() -> None:
    silent = section("usco", "not-applicable", "no_notice")
    assert decided(COLORADO, signals=[silent]).reason == "no-notice"
    assert decided(COLORADO).reason == "no-signal"


@pytest.mark.parametrize("law", [CALIFORNIA, GERMANY, OHIO])
@pytest.mark.parametrize("coverage", [Coverage.LOADING, Coverage.BEHIND])
def test_where_nothing_is_on_record_a_refusal_may_still_be_on_its_way(law: Law, coverage: Coverage) -> None:
    assert decided(law, coverage=coverage).reason == coverage.value
    assert decided(law, coverage=coverage, choices=[choice(10, refused="advertising")]).decision is DENIED


def test_the_same_signals_under_the_same_law_decide_alike_however_often_they_are_asked() -> None:
    for signals, law in (((GPC,), CALIFORNIA), ((GPC,), GERMANY), ((USP,), CALIFORNIA), ((USP,), COLORADO)):
        assert decided(law, signals=signals) == decided(law, signals=signals)
    assert decided(CALIFORNIA, signals=(GPC,)).decision is DENIED
    assert decided(CALIFORNIA, signals=(GPC,), purpose="analytics").decision is ALLOWED
    assert decided(GERMANY, subjects=()).reason == "no-subject"
    assert decided(GERMANY).reason == "no-signal"


def test_what_is_no_choice_is_told_beside_what_holds_without_one() -> None:
    said = Signal("usp", "not-applicable", "cookies.usprivacy", ("advertising",), "said_not_to_apply")
    consent = decided(CALIFORNIA, signals=[said])
    assert (consent.decision, consent.signal, consent.reason) == (ALLOWED, "default", "said-not-to-apply")
    default = Signal("onetrust", "not-applicable", "cookies.OptanonConsent", ("advertising",), "default_denied")
    assert decided(COLORADO, signals=[default]).remarks == ("default_denied",)
    assert decided(GERMANY, signals=[default]).decision is DENIED


def test_under_opt_in_a_browsers_signal_is_kept_as_a_conflict_beside_a_string_that_allows() -> None:
    consent = decided(GERMANY, signals=[GPC, tcf_of("allowed", 5)])
    assert (consent.decision, consent.conflicts) == (ALLOWED, ("gpc",))
