"""What the ledger keeps, what it lets go, and that it knows what it let go."""

import json
from collections.abc import Callable, Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.assessment import ConsentDecision, Law
from detectors.consent.decide import decide
from detectors.consent.ledger import Choice, Coverage, Forgets, Word
from monitor.ledger import LedgerWriter
from monitor.ledger_layout import VERSION_BYTES, Words, pack, settled
from topics.consent import ConsentRecord, read
from topics.flow import DataFlow, Role
from topics.record import RawRecord, Rejected
from topics.subject import SubjectKey

KEY = SubjectKey("k1", b"a key of the tests, longer than sixteen bytes")
TOPIC = "privacy.consent.v1"
PERSON = f"k1.{7:032x}"
OPT_IN = Law(jurisdiction="DE", regime="opt-in")


@pytest.fixture
def making(tmp_path: Path) -> Iterator[Callable[..., LedgerWriter]]:
    made: list[LedgerWriter] = []

    def make(**settings: Any) -> LedgerWriter:
        made.append(LedgerWriter(tmp_path / str(len(made)), KEY, 16, TOPIC, **settings))
        return made[-1]

    yield make
    for each in made:
        each.close()


def said(at_ms: int, offset: int, *, granted: Sequence[str] = (), refused: Sequence[str] = ()) -> RawRecord:
    record = ConsentRecord(at_ms=at_ms, subject=PERSON, granted=tuple(granted), refused=tuple(refused))
    return RawRecord(TOPIC, 0, offset, at_ms, PERSON.encode(), msgspec.json.encode(record))


def tombstone(at_ms: int, offset: int, key: bytes | None = PERSON.encode()) -> RawRecord:
    return RawRecord(TOPIC, 0, offset, at_ms, key, None)


def verdicts(writer: LedgerWriter, *moments: int, purpose: str = "analytics") -> list[str]:
    """Decide for events of one person at these moments, where consent comes first."""
    view = writer.view()
    try:
        told = []
        for at_ms in moments:
            flow = DataFlow(
                item=0, location="request", at_ms=at_ms, subjects=(PERSON,), role=Role.THIRD_PARTY, proof="request",
                purpose=purpose,
            )  # fmt: skip
            consent = decide(flow, OPT_IN, view.choices(flow.subjects), Coverage.READY)
            told.append(consent.reason if consent.decision is ConsentDecision.UNKNOWN else consent.decision.value)
        return told
    finally:
        view.close()


def test_a_tombstone_takes_out_what_was_chosen_until_then(making: Callable[..., LedgerWriter]) -> None:
    writer = making()
    writer.apply([said(100, 0, granted=["analytics"])], 1000)
    assert verdicts(writer, 150) == ["allowed"]
    writer.apply([tombstone(200, 1)], 1000)
    # Before it, nobody knows any more; after it, nothing is on record.
    assert verdicts(writer, 150, 250) == ["ledger-forgot", "denied"]
    writer.apply([said(300, 2, granted=["analytics"])], 1000)
    assert verdicts(writer, 150, 250, 350) == ["ledger-forgot", "denied", "allowed"]
    view = writer.view()
    assert [(each.at_ms, each.forgets) for each in view.choices([PERSON])] == [
        (200, Forgets.ERASED),
        (300, Forgets.NOTHING),
    ]
    view.close()


def test_a_tombstone_of_a_topic_that_is_keyed_by_user_id_finds_the_person(making: Callable[..., LedgerWriter]) -> None:
    writer = making(record_key="user_id")
    record = ConsentRecord(at_ms=100, ids={"user_id": "u1"}, granted=("analytics",))
    writer.apply([RawRecord(TOPIC, 0, 0, 100, b"u1", msgspec.json.encode(record)), tombstone(200, 1, b"u1")], 1000)
    view = writer.view()
    assert [each.forgets for each in view.choices([KEY.hash("user_id", "u1")])] == [Forgets.ERASED]
    view.close()


def test_a_tombstone_without_a_key_or_a_time_is_refused(making: Callable[..., LedgerWriter]) -> None:
    writer = making()
    assert writer.apply([tombstone(200, 0, None), tombstone(200, 1, b""), tombstone(-1, 2)], 1000).rejected == 3


def test_before_the_first_version_from_a_compacted_topic_consent_is_unknown(
    making: Callable[..., LedgerWriter],
) -> None:
    for history, before in ((True, "denied"), (False, "ledger-forgot")):
        writer = making(history=history)
        writer.apply([said(100, 0, granted=["analytics"])], 1000)
        writer.apply([said(200, 1, refused=["analytics"])], 1000)
        # From the first version on, each change was seen.
        assert verdicts(writer, 99, 100, 199, 200) == [before, "allowed", "allowed", "denied"]


def test_of_more_versions_than_are_kept_the_newest_stay_and_the_others_are_known_to_be_gone(
    making: Callable[..., LedgerWriter],
) -> None:
    writer = making(versions=2)
    writer.apply([said(100, 0, granted=["advertising"])], 1000)
    for number in range(1, 5):
        writer.apply([said(100 + number, number, granted=["analytics"])], 1000)
    assert verdicts(writer, 104, 103) == ["allowed", "allowed"]
    assert verdicts(writer, 102, 101, 99) == ["ledger-forgot"] * 3
    # What no newer version speaks of may have been spoken of by one that is gone.
    assert verdicts(writer, 110, purpose="advertising.targeted") == ["ledger-forgot"]


def test_fewer_versions_than_are_kept_forget_nothing(making: Callable[..., LedgerWriter]) -> None:
    writer = making(versions=2)
    writer.apply([said(100, 0, granted=["advertising"]), said(101, 1, granted=["analytics"])], 1000)
    assert verdicts(writer, 110, purpose="advertising.targeted") == ["allowed"]
    assert verdicts(writer, 99) == ["denied"]


some_versions = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 50), st.booleans()), min_size=1, max_size=14)


@settings(max_examples=200, deadline=None)
@given(versions=some_versions, most=st.integers(1, 5), shuffled=st.randoms(), cut=st.integers(0, 14))
def test_what_is_kept_depends_neither_on_the_order_nor_on_the_batches(
    versions: list[tuple[int, int, bool]], most: int, shuffled: Any, cut: int
) -> None:
    words = Words({})
    place = TOPIC, 0
    choice = words.of_choice(ConsentRecord(at_ms=0, granted=("analytics",)), place, history=True)
    erased = words.of_tombstone(place)
    packed = [
        pack(at_ms, RawRecord(TOPIC, 0, offset, 0, None, None), erased if is_tombstone else choice)
        for at_ms, offset, is_tombstone in versions
    ]
    at_once = settled(b"".join(packed), words, most)
    shuffled.shuffle(packed)
    earlier = settled(b"".join(packed[:cut]), words, most)
    assert settled(earlier + b"".join(packed[cut:]), words, most) == at_once
    assert settled(at_once + b"".join(packed), words, most) == at_once
    assert len(at_once) // VERSION_BYTES <= most + 1


def test_a_choice_says_where_it_was_recorded_even_when_it_is_forgotten(making: Callable[..., LedgerWriter]) -> None:
    writer = making(versions=1)
    writer.apply([said(100 + number, number, granted=["analytics"]) for number in range(3)], 1000)
    view = writer.view()
    assert view.choices([PERSON]) == [
        Choice(101, 1, 101, Word((), (), "", TOPIC, 0, forgets=Forgets.OLDER)),
        Choice(102, 2, 102, Word(("analytics",), (), "", TOPIC, 0)),
    ]
    view.close()


def test_a_consent_record_holds_its_proof_and_the_ledger_leads_to_it(making: Callable[..., LedgerWriter]) -> None:
    proof = {
        "source": "banner",
        "jurisdiction": "DE",
        "banner_version": "2026-10-01",
        "ip_country": "DE",
        "signal_digest": "sha256:00ff",
    }
    value = msgspec.json.encode({"at_ms": 100, "subject": PERSON, "granted": ["analytics"], **proof})
    record = RawRecord(TOPIC, 3, 41, 120, None, value)
    parsed = read(record, KEY)
    assert not isinstance(parsed, Rejected)
    assert {name: getattr(parsed[1], name) for name in proof} == proof
    schema = json.loads(resources.files("topics").joinpath("schemas/privacy.consent.v1.json").read_text())
    assert proof.keys() < schema["properties"].keys()
    writer = making()
    writer.apply([record], 1000)
    view = writer.view()
    assert [each.place for each in view.choices([PERSON])] == [f"{TOPIC}/3/41"]
    view.close()
