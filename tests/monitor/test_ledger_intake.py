"""Records that differ only in moment and subject are read by what they have in common, and mean what a decoder says."""

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.ledger_intake import ConsentIntake, Intake
from monitor.ledger_layout import ROW_BYTES, Words, pack, subject_key
from topics.consent import read as read_consent
from topics.record import RawRecord, Rejected, stretches
from topics.subject import SubjectKey

KEY = SubjectKey("k1", b"a key of the tests, longer than sixteen bytes")
TOPIC = "privacy.consent.v1"
USUAL = {"granted": ["analytics"], "refused": ["advertising"], "source": "banner"}


def intake() -> ConsentIntake:
    return ConsentIntake(KEY, Words({}), "links", record_key="subject", history=True)


def record(offset: int, value: bytes, broker_ms: int = 1_790_000_000_500) -> RawRecord:
    return RawRecord(TOPIC, 0, offset, broker_ms, None, value)


def usual(count: int, first: int = 0, **extra: Any) -> list[RawRecord]:
    """Records as one platform writes them."""
    return [
        record(
            offset,
            json.dumps(
                {"at_ms": 1_790_000_000_000 + offset, "subject": f"k1.{offset:032x}", **USUAL, **extra}
            ).encode(),
        )
        for offset in range(first, first + count)
    ]


def rows(told: Intake) -> list[bytes]:
    return sorted(each.tobytes() for each in told.rows)


def one_by_one(records: Sequence[RawRecord], words: Words) -> tuple[list[bytes], int]:
    """Read each with the decoder."""
    found: list[bytes] = []
    rejected = 0
    for each in records:
        parsed = read_consent(each, KEY)
        if isinstance(parsed, Rejected) or parsed[1].at_ms > 1 << 53:
            rejected += 1
            continue
        word = words.of_choice(parsed[1], (TOPIC, 0), history=True)
        found += [subject_key(subject, "k1.") + pack(parsed[1].at_ms, each, word) for subject in parsed[0]]
    return sorted(found), rejected


# Bytes that look like the usual ones and are not: each is put among two hundred that taught the frame.
HEAD = '{"at_ms": %s, "subject": "k1.%s", '
TAIL = json.dumps(USUAL)[1:]
some_moments = st.sampled_from(
    ("1790000000007", "0790000000007", "179000000000", "17900000000077", "-790000000007", "1790000000.07", "1.9e000000012",
     "+790000000007", "17900000000 7", "\u0661790000000007", '"79000000000"', "null,       ")
)  # fmt: skip
some_subjects = st.one_of(
    st.text("0123456789abcdef", min_size=30, max_size=34),
    st.text('0123456789abcdefABCDEF"\\ ,}', min_size=32, max_size=32),
    st.sampled_from(('a","subject":"k1.aaaaaaaaaaaaaaaa', '00000000000000","at_ms":9,"z":"00', "\\u0030" + "0" * 26)),
)
some_tails = st.sampled_from(
    (
        TAIL,
        TAIL.replace("banner", "gpc"),
        TAIL[:-1] + ', "at_ms": 5}',
        TAIL[:-1] + ', "subject": "k1.aa"}',
        TAIL[:-1],
        TAIL + "}",
    )
)


@settings(max_examples=150, deadline=None)
@given(odd=st.lists(st.tuples(some_moments, some_subjects, some_tails), min_size=1, max_size=6), at=st.integers(0, 150))
def test_whatever_is_put_into_the_places_of_a_frame_means_what_a_decoder_says(
    odd: list[tuple[str, str, str]], at: int
) -> None:
    reader, words = intake(), Words({})
    reader.read(stretches(usual(200)), 1000)
    hostile = [
        record(1000 + n, (HEAD % (moment, subject) + tail).encode()) for n, (moment, subject, tail) in enumerate(odd)
    ]
    batch = [*usual(at, 200), *hostile, *usual(150 - at, 400)]
    told = reader.read(stretches(batch), 1000)
    one_by_one(usual(1), words)
    expected, rejected = one_by_one(batch, words)
    assert (rows(told), told.rejected) == (expected, rejected)


def test_a_batch_of_the_usual_is_read_without_the_decoder() -> None:
    reader = intake()
    reader.read(stretches(usual(100)), 1000)
    frames = reader._frames[TOPIC, 0]
    assert len(frames.words) == 1
    told = reader.read(stretches(usual(300, 100)), 1000)
    assert (len(told.rows), frames.hits) == (300, 300)
    assert rows(told) == one_by_one(usual(300, 100), Words({}))[0]


def test_other_orders_of_fields_are_read_as_well() -> None:
    reader = intake()
    batch = [
        record(
            offset, json.dumps({"subject": f"k1.{offset:032x}", **USUAL, "at_ms": 1_790_000_000_000 + offset}).encode()
        )
        for offset in range(200)
    ]
    reader.read(stretches(batch), 1000)
    told = reader.read(stretches([*batch, *usual(100)]), 1000)
    assert reader._frames[TOPIC, 0].hits == 200
    assert rows(told) == one_by_one([*batch, *usual(100)], Words({}))[0]


def test_a_field_that_decides_later_in_the_record_makes_no_frame() -> None:
    reader = intake()
    overridden = [
        record(n, (HEAD % (1_790_000_000_000 + n, f"{n:032x}") + TAIL[:-1] + ', "at_ms": 7}').encode())
        for n in range(200)
    ]
    reader.read(stretches(overridden), 1000)
    assert not reader._frames[TOPIC, 0].words
    assert rows(reader.read(stretches(overridden), 1000)) == one_by_one(overridden, Words({}))[0]


def test_late_records_are_counted_in_a_batch_of_the_usual() -> None:
    reader = intake()
    reader.read(stretches(usual(100)), 1000)
    batch = [each._replace(timestamp_ms=1_790_000_000_100 + 1000) for each in usual(200)]
    assert reader.read(stretches(batch), 1000).late == 100


def test_words_that_were_not_stored_are_not_used_again() -> None:
    words = Words({})
    reader = ConsentIntake(KEY, words, "links", record_key="subject", history=True)
    reader.read(stretches(usual(100)), 1000)
    words.forgotten()
    reader.forget()
    reader.read(stretches(usual(100)), 1000)
    assert set(words.fresh.values()) == {1}


def test_rows_are_as_long_as_they_say() -> None:
    assert intake().read(stretches(usual(3)), 1000).rows.shape == (3, ROW_BYTES)


def test_records_that_share_nothing_are_decoded_and_the_usual_ones_are_known_again_after_them() -> None:
    reader = intake()
    reader.read(stretches(usual(100)), 1000)
    alone = [each for n in range(100) for each in usual(1, n, signal_digest=f"{n:032x}")]
    for _ in range(2):
        assert rows(reader.read(stretches(alone), 1000)) == one_by_one(alone, Words({}))[0]
    frames = reader._frames[TOPIC, 0]
    assert frames.resting
    for _ in range(20):
        told = reader.read(stretches(usual(100)), 1000)
    assert frames.hits == 100
    assert rows(told) == one_by_one(usual(100), Words({}))[0]
