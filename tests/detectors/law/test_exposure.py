"""What a violation entails: ranges and clocks of the day, never a sum."""

from datetime import date

from detectors.law.exposure import as_line, exposure
from detectors.law.timeline import date_of
from tests.detectors.law.shipped import pack


def test_the_amounts_are_those_of_the_day() -> None:
    during = {
        each.per: (each.low, each.high, each.currency)
        for each in pack().exposure_for("US-CA", date(2026, 12, 31)).amounts
    }
    assert during == {"violation": (0, 2663, "USD"), "intentional-or-minor": (0, 7988, "USD")}
    # Adjusted every odd year, and the next figures are not known: then the pack names none instead of old ones.
    assert pack().exposure_for("US-CA", date(2027, 1, 1)).amounts == ()
    assert pack().exposure_for("US-CA", date(2024, 12, 31)).amounts == ()


def test_every_amount_names_its_assumption_its_law_and_its_source() -> None:
    for name in pack().jurisdictions:
        told = pack().exposure_for(name, date(2026, 11, 23))
        for amount in told.amounts:
            assert amount.assumptions
            assert amount.citations
            assert amount.sources
            assert amount.low <= amount.high
        assert len({(each.per, each.currency) for each in told.amounts}) == len(told.amounts)


def test_what_is_only_recalled_is_shown_on_request_and_says_so() -> None:
    assert pack().exposure_for("CA-QC", date(2026, 11, 23)).amounts == ()
    (fine,) = pack().exposure_for("CA-QC", date(2026, 11, 23), recalled=True).amounts
    assert (fine.high, fine.currency, fine.per) == (25_000_000, "CAD", "maximum")
    assert any("memory" in each for each in fine.assumptions)


def test_clocks_are_told_by_kind() -> None:
    clocks = {(each.kind, each.detail): each for each in pack().exposure_for("US-CA", date(2026, 11, 23)).clocks}
    assert (clocks["opt-out", ""].days, clocks["opt-out", ""].business_days) == (15, True)
    assert clocks["request", "response"].days == 45
    regulator = {
        each.hours for each in pack().exposure_for("DE", date(2026, 11, 23)).clocks if each.detail == "regulator"
    }
    assert regulator == {72}


def test_a_law_in_force_names_the_duties_that_its_exposure_is_made_of() -> None:
    for name in ("US-CA", "US-TX", "DE"):
        told = pack().exposure_for(name, date(2026, 11, 23))
        ids = {duty for each in told.amounts for duty in each.duties} | {each.duty for each in told.clocks}
        assert set(pack().law_for(name[:2], name, date(2026, 11, 23)).exposure) == ids


def test_a_place_that_the_pack_does_not_know_has_no_exposure() -> None:
    assert as_line(pack().exposure_for("XX", date(2026, 11, 23))) == {
        "type": "exposure",
        "jurisdiction": "XX",
        "on": "2026-11-23",
        "amounts": [],
        "clocks": [],
    }


def test_what_is_prepared_for_each_span_is_what_its_duties_say_on_every_day() -> None:
    for name, timeline in pack().timelines.items():
        for day in timeline.starts:
            on = date_of(day)
            prepared = pack().exposure_for(name, on)
            assert prepared == exposure(name, on.isoformat(), timeline.on(day).duties)
            assert {duty for each in prepared.amounts for duty in each.duties}.isdisjoint(
                duty.id for duty in timeline.on(day).warnings
            )
