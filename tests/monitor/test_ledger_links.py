"""Identifiers of one person that traffic named together speak for each other in the ledger, within bounds."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.consent.ledger import Choice
from monitor.ledger import MAX_LINKS, LedgerWriter
from topics.catalog import CONSENT, LINKS
from topics.consent import ConsentRecord
from topics.links import LinkRecord, links
from topics.links import read as read_link
from topics.record import RawRecord, Rejected
from topics.subject import SubjectKey

KEY = SubjectKey("k1", b"a key of the tests, longer than sixteen bytes")
USER, VISITOR, EMAIL = ("user_id", "u1"), ("anonymous_id", "a1"), ("email", "mara@example.org")
_ENCODE = msgspec.json.encode


class Ledger:
    """A ledger in a folder, and the records that were written to it so far."""

    def __init__(self, folder: Path) -> None:
        self.writer = LedgerWriter(folder, KEY, 16, CONSENT.name)
        self._offset = 0

    def link(self, *identifiers: tuple[str, str]) -> None:
        self._apply([(LINKS.name, _ENCODE(link)) for link in links(KEY, identifiers)])

    def refuse(self, identifier: tuple[str, str], at_ms: int = 1000) -> None:
        record = ConsentRecord(at_ms=at_ms, ids=dict([identifier]), refused=("advertising",))
        self._apply([(CONSENT.name, _ENCODE(record))])

    def choices(self, *identifiers: tuple[str, str]) -> Sequence[Choice]:
        view = self.writer.view()
        try:
            return view.choices([KEY.hash(*each) for each in identifiers])
        finally:
            view.close()

    def _apply(self, values: Sequence[tuple[str, bytes]]) -> None:
        for topic, value in values:
            self.writer.apply([RawRecord(topic, 0, self._offset, 5000, None, value)], 1000)
            self._offset += 1

    def close(self) -> None:
        self.writer.close()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger(tmp_path / "ledger")
    yield made
    made.close()


def test_a_choice_of_the_visitor_speaks_for_the_user_and_the_other_way_round(ledger: Ledger) -> None:
    ledger.refuse(VISITOR)
    assert not ledger.choices(USER)
    ledger.link(USER, VISITOR)
    assert len(ledger.choices(USER)) == 1
    ledger.refuse(USER, 2000)
    assert len(ledger.choices(VISITOR)) == 2


def test_links_are_followed_one_level_and_no_further(ledger: Ledger) -> None:
    ledger.refuse(EMAIL)
    ledger.link(VISITOR, USER)
    ledger.link(USER, EMAIL)
    assert len(ledger.choices(USER)) == 1
    assert not ledger.choices(VISITOR)


def test_an_identifier_with_too_many_links_has_none(ledger: Ledger) -> None:
    for number in range(MAX_LINKS):
        ledger.link(USER, ("anonymous_id", str(number)))
    ledger.refuse(("anonymous_id", "3"))
    assert len(ledger.choices(USER)) == 1
    ledger.link(USER, ("anonymous_id", "one more"))
    assert not ledger.choices(USER)


def test_links_beyond_the_bound_are_counted_once_and_not_stored(tmp_path: Path) -> None:
    writer = LedgerWriter(tmp_path, KEY, 16, CONSENT.name)
    pairs = [each for number in range(200) for each in links(KEY, (USER, ("anonymous_id", str(number))))]
    records = [RawRecord(LINKS.name, 0, number, 5000, None, _ENCODE(pair)) for number, pair in enumerate(pairs)]
    before = writer.size_bytes()
    assert writer.apply(records, 1000).overflowed == 1
    assert writer.apply(records, 1000).overflowed == 0
    assert writer.size_bytes() - before < 200_000
    writer.close()


def test_users_of_a_shared_device_do_not_speak_for_each_other(ledger: Ledger) -> None:
    ledger.refuse(("user_id", "u2"))
    ledger.link(USER, VISITOR)
    ledger.link(("user_id", "u2"), VISITOR)
    assert not ledger.choices(VISITOR)
    assert not ledger.choices(USER, VISITOR)
    assert len(ledger.choices(("user_id", "u2"), VISITOR)) == 1


def test_a_link_read_twice_is_one_link(ledger: Ledger) -> None:
    for _ in range(3):
        ledger.link(USER, VISITOR)
    ledger.refuse(VISITOR)
    assert len(ledger.choices(USER)) == 1


def test_the_mark_names_both_topics_apart(ledger: Ledger) -> None:
    ledger.refuse(VISITOR)
    ledger.link(USER, VISITOR)
    view = ledger.writer.view()
    assert view.mark == "0:1|0:2"
    view.close()


def test_a_pair_has_no_order() -> None:
    assert list(links(KEY, (USER, VISITOR))) == list(links(KEY, (VISITOR, USER)))


def test_identifiers_of_unknown_kinds_and_equal_ones_make_no_pair() -> None:
    assert not list(links(KEY, (USER, ("shoe_size", "44"), USER)))


@given(st.binary(max_size=2000))
def test_any_bytes_are_a_link_or_a_refusal(value: bytes) -> None:
    assert isinstance(read_link(RawRecord(LINKS.name, 0, 0, 0, None, value)), Rejected | LinkRecord)


def test_a_link_to_oneself_or_of_an_unknown_kind_is_refused() -> None:
    good = links(KEY, (USER, VISITOR))[0]
    for bad in (
        msgspec.structs.replace(good, second=good.first),
        msgspec.structs.replace(good, first_kind="shoe_size"),
        msgspec.structs.replace(good, first="x" * 500),
        msgspec.structs.replace(good, first=""),
    ):
        assert isinstance(read_link(RawRecord(LINKS.name, 0, 0, 0, None, _ENCODE(bad))), Rejected)


def test_many_people_at_once_are_told_of_as_one_by_one(ledger: Ledger) -> None:
    ledger.refuse(VISITOR)
    ledger.refuse(EMAIL, 2000)
    ledger.refuse(("user_id", "u9"))
    ledger.link(USER, VISITOR)
    for number in range(MAX_LINKS + 1):
        ledger.link(EMAIL, ("anonymous_id", str(number)))
    named = [(USER,), (VISITOR,), (EMAIL, USER), (("user_id", "u9"),), (("user_id", "nobody"),), (), (USER,)]
    people = [tuple(KEY.hash(*each) for each in person) for person in named]
    view = ledger.writer.view()
    try:
        told = [list(each) for each in view.choices_of(people)]
        assert told == [list(view.choices(person)) for person in people]
        assert list(map(len, told)) == [1, 1, 2, 1, 0, 0, 1]
    finally:
        view.close()
