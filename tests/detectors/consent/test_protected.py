"""Sensitive data and known minors under the shipped law and under laws made for the point."""

from collections.abc import Sequence

import pytest

from detectors.assessment import Consent, ConsentDecision, Law
from detectors.consent.decide import decide
from detectors.consent.ledger import Choice, Coverage, Word
from detectors.consent.signals import find_signals
from tests.detectors.consent.writer import Writer, header
from tests.detectors.law.shipped import pack
from topics.flow import DataFlow, Role, Signal

ALLOWED, DENIED, UNKNOWN = ConsentDecision.ALLOWED, ConsentDecision.DENIED, ConsentDecision.UNKNOWN
CONNECTICUT = Law(jurisdiction="US-CT", regime="opt-out", sensitive="opt_in_consent", minors_below=16)
CALIFORNIA = Law(jurisdiction="US-CA", regime="opt-out", sensitive="right_to_limit", minors_below=16)
UTAH = Law(jurisdiction="US-UT", regime="opt-out", sensitive="notice_and_opt_out")
MARYLAND = Law(jurisdiction="US-MD", regime="opt-out", sensitive="necessary_only_no_sale", minors_banned_below=18)
GERMANY = Law(jurisdiction="DE", regime="opt-in", sensitive="opt_in_consent")
AT_MS = 1_000_000


def choice(at_ms: int, granted: str = "", refused: str = "") -> Choice:
    word = Word((granted,) if granted else (), (refused,) if refused else (), "", "privacy.consent.v1", 0)
    return Choice(at_ms, 0, 0, word)


def decided(
    law: Law,
    *,
    codes: tuple[str, ...] = (),
    signals: Sequence[Signal] = (),
    choices: Sequence[Choice] = (),
    coverage: Coverage = Coverage.READY,
    purpose: str = "advertising.targeted",
    role: Role = Role.THIRD_PARTY,
) -> Consent:
    flow = DataFlow(
        item=0,
        location="x",
        at_ms=AT_MS,
        purpose=purpose,
        signals=tuple(signals),
        subjects=("k1.a",),
        proof="request",
        role=role,
    )
    return decide(flow, law, choices, coverage, codes)


def connecticut(kinds: list[int], children: list[int]) -> tuple[Signal, ...]:
    writer = Writer().integer(1, 6)
    for value in (1, 1, 1, 2, 2, *kinds, *children):
        writer.integer(value, 2)
    return find_signals(None, None, f"gpp={header({12})}~{writer.integer(0, 6).text()}&gpp_sid=12", {})


NO_KINDS, NO_CHILD = [0] * 8, [0] * 3


def test_where_consent_comes_first_sensitive_data_needs_one_that_names_it() -> None:
    consent = decided(CONNECTICUT, codes=("health",))
    assert (consent.decision, consent.about, consent.signal, consent.sensitive) == (
        DENIED,
        "sensitive",
        "default",
        ("health",),
    )
    assert decided(CONNECTICUT, codes=("health",), choices=[choice(1, granted="advertising")]).decision is DENIED
    assert decided(CONNECTICUT, codes=("health",), choices=[choice(1, granted="*")]).decision is DENIED
    for grant in ("sensitive", "sensitive.health"):
        assert decided(CONNECTICUT, codes=("health",), choices=[choice(1, granted=grant)]).decision is ALLOWED


def test_a_purpose_that_is_denied_stays_denied_for_that_reason() -> None:
    consent = decided(CONNECTICUT, codes=("health",), choices=[choice(1, refused="advertising")])
    assert (consent.about, consent.signal, consent.sensitive) == ("purpose", "ledger", ("health",))


def test_a_section_speaks_of_each_kind_of_data() -> None:
    yes, no = connecticut([0, 0, 2, *[0] * 5], NO_CHILD), connecticut([0, 0, 1, *[0] * 5], NO_CHILD)
    assert decided(CONNECTICUT, codes=("health",), signals=yes).decision is ALLOWED
    consent = decided(CONNECTICUT, codes=("health",), signals=no)
    assert (consent.decision, consent.about, consent.signal, consent.path) == (
        DENIED,
        "sensitive",
        "gpp",
        "query.gpp.usct",
    )
    assert decided(CONNECTICUT, codes=("religion",), signals=yes).decision is DENIED


@pytest.mark.parametrize("law", [CALIFORNIA, UTAH], ids=["right to limit", "notice and opt-out"])
def test_where_the_person_may_refuse_only_a_refusal_denies(law: Law) -> None:
    assert decided(law, codes=("health",)).decision is ALLOWED
    consent = decided(law, codes=("health",), choices=[choice(1, refused="sensitive")])
    assert (consent.decision, consent.about, consent.seconds_since_refusal) == (DENIED, "sensitive", 999)


def test_where_only_necessity_counts_consent_is_no_cure() -> None:
    consent = decided(MARYLAND, codes=("health",), choices=[choice(1, granted="sensitive")])
    assert (consent.decision, consent.about, consent.signal) == (DENIED, "sensitive", "law")


def test_what_may_not_be_sold_may_still_be_processed_for_the_shop() -> None:
    law = Law(jurisdiction="US-VA", regime="opt-out", unsold_codes=("precise_geolocation",))
    consent = decided(law, codes=("precise_geolocation",))
    assert (consent.decision, consent.about, consent.signal, consent.reason) == (
        UNKNOWN,
        "sensitive",
        "law",
        "sale-unproved",
    )
    assert decided(law, codes=("precise_geolocation",), role=Role.PROCESSOR).decision is ALLOWED
    assert decided(law, codes=("health",)).decision is ALLOWED


def test_consent_does_not_cure_a_sale_and_its_absence_is_denied_first() -> None:
    law = Law(jurisdiction="US-VA", regime="opt-out", sensitive="opt_in_consent", unsold_codes=("precise_geolocation",))
    assert decided(law, codes=("precise_geolocation",)).decision is DENIED
    agreed = decided(law, codes=("precise_geolocation",), choices=[choice(1, granted="sensitive")])
    assert (agreed.decision, agreed.reason) == (UNKNOWN, "sale-unproved")
    assert decided(law, codes=("health",), choices=[choice(1, granted="sensitive")]).decision is ALLOWED


def test_payment_is_not_asked_about_sensitive_data() -> None:
    assert decided(CONNECTICUT, codes=("financial_account",), purpose="payment").decision is ALLOWED


@pytest.mark.parametrize("coverage", [Coverage.ABSENT, Coverage.BEHIND, Coverage.LOADING])
def test_a_ledger_that_cannot_speak_makes_the_missing_permission_unknown(coverage: Coverage) -> None:
    consent = decided(
        GERMANY,
        codes=("health",),
        coverage=coverage,
        signals=[Signal("onetrust", "allowed", "cookies.OptanonConsent", ("advertising",))],
    )
    assert (consent.decision, consent.reason) == (UNKNOWN, coverage.value)


def test_a_known_child_without_consent_is_denied_and_with_consent_judged_like_anybody() -> None:
    consent = decided(CONNECTICUT, signals=connecticut(NO_KINDS, [1, 0, 0]))
    assert (consent.decision, consent.about, consent.reason) == (DENIED, "minor", "no-consent")
    assert decided(CONNECTICUT, signals=connecticut(NO_KINDS, [2, 0, 0])).decision is ALLOWED
    assert decided(CONNECTICUT, signals=connecticut(NO_KINDS, NO_CHILD)).about == "purpose"
    assert decided(CONNECTICUT, signals=connecticut(NO_KINDS, [1, 0, 0]), purpose="analytics").decision is ALLOWED


def test_below_the_age_of_a_ban_no_consent_helps() -> None:
    banned = Law(jurisdiction="US-CT", regime="opt-out", minors_banned_below=18)
    consent = decided(banned, signals=connecticut(NO_KINDS, [2, 2, 2]))
    assert (consent.decision, consent.about, consent.reason) == (DENIED, "minor", "consent-is-no-cure")


@pytest.mark.parametrize("query", ["coppa=1", "tfcd=1", "tfua=1"])
def test_a_childs_flag_travels_with_the_data_and_makes_a_gap(query: str) -> None:
    consent = decided(CONNECTICUT, signals=find_signals(None, None, query, {}))
    assert (consent.decision, consent.about, consent.reason) == (UNKNOWN, "minor", "restricted-processing")
    assert find_signals(None, None, query.replace("1", "0"), {}) == ()


def test_the_shipped_law_says_who_is_protected_and_what_may_not_be_sold() -> None:
    noon = 1_793_448_000_000  # 2026-10-31
    law = pack().law_for("US", "US-CT", noon)
    assert law.sensitive == "opt_in_consent"
    assert "health" in law.sensitive_codes
    assert law.unsold_codes == ("precise_geolocation",)
    assert law.minors_banned_below == 18
    assert pack().law_for("US", "US-CA", noon).minors_below == 16
    assert pack().law_for("US", "US-MD", noon).sensitive == "necessary_only_no_sale"
    assert pack().law_for("US", "US-OH", noon).minors_below == 0
    # A ban that is recalled from memory does not bind.
    assert pack().law_for("US", "US-OR", noon).minors_banned_below == 0
