"""What is shown of the law pack."""

from datetime import date

from detectors.law.pack import read_pack
from detectors.law.views import diff, duty_rows, review, summary, transfer_rows
from tests.detectors.law.shipped import files, pack, small

AUGUST = date(2026, 8, 22)


def test_the_summary_has_a_row_for_each_jurisdiction() -> None:
    rows = {row.jurisdiction: row for row in summary(pack(), AUGUST)}
    assert rows.keys() == pack().jurisdictions.keys()
    assert rows["US-CA"].honours_gpc
    assert (rows["DE"].regime, rows["DE"].law) == ("opt-in", "General Data Protection Regulation")
    assert (rows["US-OH"].regime, rows["US-OH"].law, rows["US-OH"].basis) == ("none", "", "policy")
    assert rows["US-VT"].coming > 0


def test_duties_are_shown_with_their_state_and_their_owner() -> None:
    rows = {row.id: row for row in duty_rows(pack(), "US-CO", AUGUST)}
    assert rows["us-co-cure-period"].state == "ended"
    assert rows["us-co-cure-period"].says == "days=60"
    assert rows["us-co-opt-out-of-sale"].says == "of=sale; purposes=advertising,social"
    assert rows["us-bulk-data-rule"].jurisdiction == "US"
    assert duty_rows(pack(), "PE", AUGUST) == []
    states = [row.state for row in duty_rows(pack(), "US-VT", AUGUST)]
    assert states == sorted(states, key=["in-force", "coming", "ended"].index)


def test_what_changes_between_two_days_includes_the_second_and_not_the_first() -> None:
    days = {row.on for row in diff(pack(), date(2026, 9, 30), date(2027, 1, 1))}
    assert days == {"2026-10-01", "2027-01-01"}
    assert "2026-10-01" not in {row.on for row in diff(pack(), date(2026, 10, 1), date(2027, 1, 1))}
    changes = {(row.duty, row.change) for row in diff(pack(), date(2026, 12, 31), date(2027, 1, 1))}
    assert ("us-ca-penalty", "ends") in changes
    assert ("us-ok-opt-out-of-sale", "begins") in changes


def test_two_packs_are_compared_by_their_facts() -> None:
    name = "jurisdictions/us-ca.yaml"
    before, _ = read_pack(small())
    after, problems = read_pack({**small(), name: small()[name].replace("amount: 2663", "amount: 2700")})
    assert problems == []
    assert before is not None
    assert after is not None
    rows = diff(before, AUGUST, AUGUST, other=after)
    assert [(row.duty, row.change) for row in rows] == [("us-ca-penalty", "changes")]
    assert "amount=2700" in rows[0].says
    assert diff(before, AUGUST, AUGUST, other=before) == []


def test_the_review_names_what_is_recalled_old_ending_or_without_a_first_day() -> None:
    rows = review(pack(), date(2026, 11, 23))
    found = {(row.fact, row.why) for row in rows}
    assert ("us-tx-minimisation", "recalled") in found
    assert ("us-ca-penalty", "ending") in found
    assert ("us-tx-universal-opt-out-signal", "start-unknown") in found
    assert not any(row.why == "stale" for row in rows)
    # An ended fact needs nobody any more.
    assert not any(row.fact == "us-co-cure-period" for row in rows)


def test_a_check_is_stale_after_its_days_and_not_on_the_last() -> None:
    assert not any(row.why == "stale" for row in review(pack(), date(2027, 2, 18)))
    assert any(row.why == "stale" and row.due == "2027-02-18" for row in review(pack(), date(2027, 2, 19)))


def test_the_laws_on_transfers_are_part_of_what_changes() -> None:
    rows = diff(pack(), date(2023, 1, 1), date(2023, 12, 31))
    begins = {(each.jurisdiction, each.duty, each.on) for each in rows if each.change == "begins"}
    assert ("eu-gdpr", "eu-gdpr: adequacy of US", "2023-07-10") in begins
    assert ("CA-QC", "ca-qc-law25", "2023-09-22") in begins


def test_a_threshold_that_an_operator_lowers_is_a_change_between_two_packs() -> None:
    copy = dict(files())
    copy["transfers/us-doj.yaml"] = copy["transfers/us-doj.yaml"].replace("threshold: 1000\n", "threshold: 5\n", 1)
    lowered, problems = read_pack(copy)
    assert lowered is not None, problems
    (row,) = diff(pack(), date(2026, 1, 1), date(2026, 1, 1), other=lowered)
    assert (row.duty, row.change, row.says) == ("us-doj: biometric-identifiers", "changes", "above=5")
    assert diff(pack(), date(2026, 1, 1), date(2026, 1, 1), other=pack()) == []


def test_a_law_on_transfers_is_shown_with_its_grounds() -> None:
    rows = transfer_rows(pack(), "eu-gdpr", date(2026, 11, 23))
    assert {each.state for each in rows} <= {"in-force", "coming", "ended"}
    assert any(each.id == "eu-gdpr: scc" and each.state == "in-force" for each in rows)
    bulk = [each for each in transfer_rows(pack(), "us-doj", date(2026, 11, 23)) if each.kind == "bulk"]
    assert len(bulk) == 6
    assert transfer_rows(pack(), "nothing", date(2026, 11, 23)) == []
