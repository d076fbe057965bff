"""Which law holds for whom on which day."""

from datetime import UTC, date, datetime, timedelta

import pytest

from detectors.assessment import Law
from detectors.law.checks import inherited
from detectors.law.fact import Confidence
from detectors.law.iso import BLOCS, COUNTRIES, SUBDIVISIONS
from detectors.law.pack import read_pack
from detectors.law.timeline import GROUNDS, day_of
from tests.detectors.law.shipped import pack, small
from topics.finding import Basis

DAY = timedelta(days=1)
AUGUST = date(2026, 8, 22)
SIGNAL_STATES = {"CA", "CO", "CT", "DE", "MD", "MN", "MT", "NE", "NH", "NJ", "OR", "TX"}
LAW_STATES = SIGNAL_STATES | {"VA", "UT", "FL", "IA", "TN", "IN", "KY", "RI"}
STATES = sorted(code for code in SUBDIVISIONS if code.startswith("US-"))


def millis(day: date, hour: int = 0) -> int:
    return int(datetime(day.year, day.month, day.day, hour, tzinfo=UTC).timestamp() * 1000)


def ids(jurisdiction: str, day: date) -> set[str]:
    span = pack().timelines[jurisdiction].on(day_of(day))
    return {duty.id for duty in (*span.duties, *span.warnings)}


@pytest.mark.parametrize("name", sorted(pack().jurisdictions))
def test_each_duty_holds_from_its_first_day_until_the_day_before_its_end(name: str) -> None:
    jurisdiction = pack().jurisdictions[name]
    for duty in inherited(jurisdiction, pack().jurisdictions):
        assert duty.id not in ids(name, duty.since - DAY)
        assert duty.id in ids(name, duty.since)
        if duty.until is not None:
            assert duty.id in ids(name, duty.until - DAY)
            assert duty.id not in ids(name, duty.until)
        else:
            assert duty.id in ids(name, date(2099, 1, 1))


@pytest.mark.parametrize("name", sorted(pack().jurisdictions))
def test_a_recalled_duty_is_a_warning_and_nothing_else(name: str) -> None:
    days = {day for duty in inherited(pack().jurisdictions[name], pack().jurisdictions) for day in (duty.since,)}
    for day in days:
        span = pack().timelines[name].on(day_of(day))
        assert all(duty.confidence is Confidence.VERIFIED for duty in span.duties)
        assert all(duty.confidence is Confidence.RECALLED for duty in span.warnings)
        assert span.law.duties == tuple(sorted(duty.id for duty in span.duties))
        assert (span.law.basis is Basis.LAW) == any(duty.kind in GROUNDS for duty in span.duties)


@pytest.mark.parametrize("state", STATES)
def test_a_state_has_the_regime_of_the_table_on_the_day_of_the_table(state: str) -> None:
    law = pack().law_for("US", state, AUGUST)
    code = state.removeprefix("US-")
    assert law.jurisdiction == state
    assert law.regime == ("opt-out" if code in LAW_STATES else "none")
    assert law.honours_gpc == (code in SIGNAL_STATES)
    assert law.basis is (Basis.LAW if code in LAW_STATES else Basis.POLICY)


@pytest.mark.parametrize(
    ("state", "first"),
    [
        ("CA", date(2023, 3, 29)),
        ("CO", date(2024, 7, 1)),
        ("CT", date(2025, 1, 1)),
        ("DE", date(2026, 1, 1)),
        ("MD", date(2025, 10, 1)),
        ("NH", date(2025, 1, 1)),
        ("NJ", date(2025, 7, 15)),
        ("OR", date(2026, 1, 1)),
        ("VT", date(2028, 1, 1)),
        # Here only the day of the source is sure, not the first day of the duty.
        ("MN", date(2026, 3, 31)),
        ("MT", date(2025, 10, 31)),
        ("NE", date(2026, 3, 31)),
        ("TX", date(2025, 10, 31)),
    ],
)
def test_the_signal_binds_from_its_first_verified_day(state: str, first: date) -> None:
    assert not pack().law_for("US", f"US-{state}", first - DAY).honours_gpc
    assert pack().law_for("US", f"US-{state}", first).honours_gpc


@pytest.mark.parametrize(
    ("state", "day"), [("AL", date(2027, 5, 1)), ("LA", date(2027, 1, 1)), ("TX", date(2025, 1, 1))]
)
def test_an_ambiguous_or_recalled_signal_duty_only_warns(state: str, day: date) -> None:
    assert not pack().law_for("US", f"US-{state}", day).honours_gpc
    warnings = {duty.kind for duty in pack().warnings_for("US", f"US-{state}", day)}
    assert "universal-opt-out-signal" in warnings
    earlier = {duty.kind for duty in pack().warnings_for("US", f"US-{state}", day - DAY)}
    assert "universal-opt-out-signal" not in earlier


@pytest.mark.parametrize(
    ("state", "sensitive"),
    [
        ("US-CA", "right_to_limit"),
        ("US-MD", "necessary_only_no_sale"),
        ("US-UT", "notice_and_opt_out"),
        ("US-IA", "notice_and_opt_out"),
        ("US-VA", "opt_in_consent"),
        ("US-OH", "none"),
    ],
)
def test_sensitive_data_has_the_regime_of_the_state(state: str, sensitive: str) -> None:
    assert pack().law_for("US", state, AUGUST).sensitive == sensitive


def test_only_maryland_limits_collection_to_what_was_asked_for() -> None:
    strict = {state for state in STATES if pack().law_for("US", state, AUGUST).strict_minimisation}
    assert strict == {"US-MD"}
    assert not pack().law_for("US", "US-MD", date(2025, 9, 30)).strict_minimisation


def test_a_member_state_has_the_law_of_the_union() -> None:
    law = pack().law_for("DE", "DE-BY", AUGUST)
    assert (law.jurisdiction, law.regime, law.basis) == ("DE", "opt-in", Basis.LAW)
    assert {"eu-consent", "eu-transfers"} <= set(law.duties)
    assert pack().law_for("NO", "", AUGUST).duties == law.duties


def test_british_analytics_need_no_consent_since_the_act_of_2025() -> None:
    before = pack().duties_for("GB", "", date(2026, 2, 4), ["consent-required"])
    after = pack().duties_for("GB", "", date(2026, 2, 5), ["consent-required"])
    assert [duty.id for duty in before] == ["gb-consent", "gb-consent-for-analytics"]
    assert [duty.id for duty in after] == ["gb-consent"]


@pytest.mark.parametrize(
    ("country", "subdivision", "jurisdiction"),
    [
        ("US", "", "US"),
        ("US", "US-PR", "US"),
        ("US", "DE-BY", "US"),
        ("", "US-CA", "US-CA"),
        ("CA", "CA-QC", "CA-QC"),
        ("CA", "CA-ON", "CA"),
        ("DE", "US-CA", "DE"),
        ("PE", "", ""),
        ("", "", ""),
        ("us", "us-ca", ""),
        ("\x00", "US-\x00" * 1000, ""),
    ],
)
def test_a_place_has_the_nearest_law_that_the_pack_knows(country: str, subdivision: str, jurisdiction: str) -> None:
    law = pack().law_for(country, subdivision, AUGUST)
    assert law.jurisdiction == jurisdiction
    if not jurisdiction:
        assert law == Law()


def test_a_day_and_any_moment_of_it_give_the_same_law() -> None:
    for day in (date(2025, 9, 30), date(2025, 10, 1), date(1969, 12, 31)):
        for hour in (0, 23):
            assert pack().law_for("US", "US-MD", millis(day, hour)) is pack().law_for("US", "US-MD", day)


def test_the_basis_is_asked_for_the_kinds_that_a_verdict_rests_on() -> None:
    assert pack().basis_for("US", "US-VA", AUGUST, ["universal-opt-out-signal"]) is Basis.POLICY
    assert pack().basis_for("US", "US-VA", AUGUST, ["opt-out-right"]) is Basis.LAW
    assert pack().basis_for("PE", "", AUGUST, ["opt-out-right"]) is Basis.POLICY


def test_the_californian_amounts_end_before_the_next_adjustment() -> None:
    amounts = {getattr(duty, "amount", 0) for duty in pack().duties_for("US", "US-CA", date(2026, 12, 31), ["penalty"])}
    assert amounts == {2663, 7988}
    assert pack().duties_for("US", "US-CA", date(2027, 1, 1), ["penalty"]) == ()


def test_every_place_of_the_pack_has_a_code() -> None:
    assert set(pack().jurisdictions) <= COUNTRIES | SUBDIVISIONS | BLOCS
    assert len(COUNTRIES) == 249
    assert len(STATES) == 51
    assert set(STATES) <= set(pack().jurisdictions)


def test_the_digest_follows_every_byte() -> None:
    same, _ = read_pack(small())
    changed, _ = read_pack({**small(), "sources.yaml": small()["sources.yaml"] + "\n"})
    again, _ = read_pack(small())
    assert same is not None
    assert changed is not None
    assert again is not None
    assert again.digest == same.digest != changed.digest
    assert len(pack().digest) == 64


def test_an_operators_file_replaces_the_shipped_one_and_adds_its_sources() -> None:
    name = "jurisdictions/us-ca.yaml"
    ours = (
        small()[name].replace("amount: 2663", "amount: 2700").replace("source: [KUK, BAS, IIJ]", "source: [COUNSEL]", 1)
    )
    sources = "sources: {COUNSEL: {what: Letter of our counsel, kind: law-firm}}"
    read, problems = read_pack({**small(), f"/etc/law/{name}": ours, "/etc/law/sources.yaml": sources})
    assert problems == []
    assert read is not None
    amounts = [getattr(duty, "amount", 0) for duty in read.duties_for("US", "US-CA", AUGUST, ["penalty"])]
    assert amounts == [2700, 7988]
    assert {"COUNSEL", "KUK"} <= read.sources.sources.keys()
    moved, _ = read_pack({f"/elsewhere/{each}": text for each, text in reversed(small().items())})
    plain, _ = read_pack(small())
    assert moved is not None
    assert plain is not None
    assert moved.digest == plain.digest != read.digest
