"""Counts of distinct persons: the same however batches are cut, read again, or spread over workers."""

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.assessment import Assessment, Law, Transfer, TransferStatus
from detectors.volumes import Tally, Volumes, month_of
from tests.detectors.law.shipped import pack
from topics.distinct import Distinct
from topics.finding import Detector
from topics.flow import DataFlow, Place, Role
from topics.volume import Volume


def millis(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


NOVEMBER = millis("2026-11-10T12:00")


def marked(
    subject: str, *, at_ms: int = NOVEMBER, recipient: str = "maps", bulk: tuple[str, ...] = ("precise-geolocation",)
) -> Assessment:
    flow = DataFlow(
        item=0,
        location="request",
        at_ms=at_ms,
        subjects=(subject, "second-identifier") if subject else (),
        service="web",
        recipient=recipient,
        role=Role.THIRD_PARTY,
        destination=Place("CN", "", "host"),
        categories=("user.contact.email", "user.location.precise"),
    )
    transfer = Transfer(
        status=TransferStatus.UNKNOWN,
        origin="US-CA",
        destination="CN",
        regime="us-doj",
        reason="bulk-candidate",
        bulk=bulk,
    )
    return Assessment(detector=Detector.CROSS_JURISDICTION_TRANSFER, flow=flow, law=Law(), transfer=transfer)


def batch(*marks: Assessment) -> tuple[Volume, ...]:
    tally = Tally()
    for each in marks:
        tally.add(each)
    return tally.volumes(pack(), "c1", "b1")


def persons(volume: Volume) -> int:
    return len(Distinct.decode(volume.subjects))


def last(written: list[Volume]) -> dict[str, Volume]:
    """Give what compaction leaves."""
    return {each.key: each for each in written}


def test_a_count_says_who_counts_what_and_from_which_number_on() -> None:
    (found,) = batch(marked("a"), marked("b"), marked("a"))
    assert persons(found) == 2
    assert (found.regime, found.group, found.recipient, found.month) == (
        "us-doj",
        "precise-geolocation",
        "maps",
        "2026-11",
    )
    assert (found.threshold, found.recalled, found.jurisdiction) == (1000, False, "US")
    assert (found.law, found.role, found.destinations) == (("us-bulk-data-rule",), Role.THIRD_PARTY, ("CN",))
    assert (found.categories, found.services) == (("user.location.precise",), ("web",))
    assert (found.first_at_ms, found.last_at_ms) == (NOVEMBER, NOVEMBER)


def test_a_figure_that_nobody_checked_is_marked_so() -> None:
    (found,) = batch(marked("a", bulk=("covered-identifiers",)))
    assert (found.threshold, found.recalled) == (100_000, True)


def test_months_kinds_of_data_and_recipients_are_counted_apart() -> None:
    found = batch(
        marked("a"),
        marked("a", recipient="mail"),
        marked("a", at_ms=millis("2026-12-01T00:00")),
        marked("a", bulk=("human-genomic", "personal-health")),
    )
    assert [(each.group, each.recipient, each.month) for each in found] == [
        ("precise-geolocation", "maps", "2026-11"),
        ("precise-geolocation", "mail", "2026-11"),
        ("precise-geolocation", "maps", "2026-12"),
        ("human-genomic", "maps", "2026-11"),
        ("personal-health", "maps", "2026-11"),
    ]


def test_whom_no_record_names_nobody_counts_and_everybody_can_see_that() -> None:
    tally = Tally()
    tally.add(marked(""))
    tally.add(marked("a"))
    assert tally.flows == {("precise-geolocation", "nobody"): 1, ("precise-geolocation", "person"): 1}
    assert [persons(each) for each in tally.volumes(pack(), "c1", "b1")] == [1]


@pytest.mark.parametrize(
    ("at", "month"),
    [("2026-11-30T23:59:59.999", "2026-11"), ("2026-12-01T00:00", "2026-12"), ("2027-01-01", "2027-01")],
)
def test_a_month_ends_at_midnight_utc(at: str, month: str) -> None:
    assert month_of(millis(at)) == month


@given(st.integers(-(2**63), 2**63 - 1))
def test_no_moment_makes_it_fail(at_ms: int) -> None:
    assert len(month_of(at_ms).split("-")) == 2


def test_what_adds_nobody_is_not_written_again() -> None:
    mine = Volumes("w1")
    first = mine.grown(batch(marked("a")))
    mine.remember(first)
    assert mine.grown(batch(marked("a"))) == ()
    (second,) = mine.grown(batch(marked("b")))
    assert (persons(second), second.key) == (2, first[0].key)


def test_data_that_goes_on_flowing_is_told_every_ten_minutes() -> None:
    mine = Volumes("w1")
    mine.remember(mine.grown(batch(marked("a"))))
    assert mine.grown(batch(marked("a", at_ms=NOVEMBER + 599_999))) == ()
    (again,) = mine.grown(batch(marked("a", at_ms=NOVEMBER + 600_000)))
    assert (again.first_at_ms, again.last_at_ms) == (NOVEMBER, NOVEMBER + 600_000)


def test_what_was_not_delivered_is_given_again() -> None:
    mine = Volumes("w1")
    assert mine.grown(batch(marked("a"))) == mine.grown(batch(marked("a")))


def test_what_was_forgotten_is_never_overwritten_by_less() -> None:
    mine, written = Volumes("w1", most=1), list[Volume]()
    for who, recipient in (("a", "maps"), ("b", "mail"), ("c", "maps")):
        grown = mine.grown(batch(marked(who, recipient=recipient)))
        mine.remember(grown)
        written += grown
    left = [each for each in last(written).values() if each.recipient == "maps"]
    assert sorted(each.subjects for each in left) == ["e:a", "e:c"]


_People = st.lists(st.integers(0, 300), max_size=200)


@given(_People, st.data())
def test_cuts_repetitions_and_workers_change_no_number(people: list[int], data: st.DataObject) -> None:
    """Spread persons over two workers that restart, in batches cut anywhere, some of them read twice or never remembered."""
    written: list[Volume] = []
    workers = [Volumes("w1-0"), Volumes("w2-0")]
    at = 0
    while at < len(people):
        size = data.draw(st.integers(1, 50))
        given_ = batch(*(marked(f"p{each:04d}") for each in people[at : at + size]))
        who = data.draw(st.integers(0, 1))
        match data.draw(st.sampled_from(("well", "well", "crash", "twice"))):
            case "crash":  # written, and the worker is gone before it remembers: another start reads the batch again
                written += workers[who].grown(given_)
                workers[who] = Volumes(f"w{who}-{at + 1}")
                continue
            case "twice":
                for worker in workers:
                    grown = worker.grown(given_)
                    worker.remember(grown)
                    written += grown
            case _:
                grown = workers[who].grown(given_)
                workers[who].remember(grown)
                written += grown
        at += size
    everybody = Distinct()
    for each in last(written).values():
        everybody.merge(Distinct.decode(each.subjects))
    truth = len(set(people))
    if everybody.is_exact:
        assert len(everybody) == truth
    else:
        assert abs(len(everybody) - truth) <= 0.08 * truth


def test_a_record_goes_through_json_unchanged() -> None:
    (found,) = batch(marked("a"))
    assert msgspec.json.decode(msgspec.json.encode(found), type=Volume) == found
