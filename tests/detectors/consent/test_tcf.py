import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.consent import tcf
from detectors.consent.bits import VendorSet
from detectors.consent.refusal import Reason, Refusal, Remark
from tests.detectors.consent.writer import Writer, publisher_segment, tc_core, vendor_segment

PURPOSES = st.sets(st.integers(1, 24))
VENDORS = st.sets(st.integers(1, 700), max_size=120) | st.sets(st.integers(1, 65_535), max_size=6)
DAY_MS = 86_400_000
CREATED_MS = 1_700_000_000_000


def read(text: str) -> tcf.TcString:
    decoded = tcf.decode(text)
    assert isinstance(decoded, tcf.TcString)
    return decoded


def refusal(text: str) -> Reason:
    decoded = tcf.decode(text)
    assert isinstance(decoded, Refusal)
    return decoded.reason


def ids(vendors: VendorSet | None) -> set[int]:
    assert vendors is not None
    pairs = zip(vendors.starts, vendors.ends, strict=True)
    return {each for start, end in pairs for each in range(start, end + 1)}


@given(PURPOSES, PURPOSES, VENDORS, VENDORS, st.booleans(), st.sets(st.integers(1, 300), max_size=9))
def test_what_was_written_is_read(
    purposes: set[int],
    interests: set[int],
    vendors: set[int],
    vendors_li: set[int],
    ranges: bool,  # noqa: FBT001 - drawn
    restricted: set[int],
) -> None:
    text = tc_core(
        purposes, interests, vendors, vendors_li, as_ranges=ranges, restrictions=((2, 1, restricted), (7, 0, vendors))
    )
    decoded = read(text)
    assert decoded.purposes == frozenset(purposes)
    assert decoded.purposes_li == frozenset(interests)
    assert (ids(decoded.vendors), ids(decoded.vendors_li)) == (vendors, vendors_li)
    assert [(each.purpose, each.kind, ids(each.vendors)) for each in decoded.restrictions] == [
        (2, 1, restricted),
        (7, 0, vendors),
    ]
    assert (decoded.cmp_id, decoded.language, decoded.publisher_country) == (31, "DE", "FR")
    assert decoded.created_ms == CREATED_MS
    assert decoded.remarks == ()


@given(VENDORS, VENDORS, st.lists(st.booleans(), max_size=63), st.permutations([0, 1, 2]), st.booleans())
def test_segments_are_read_in_any_order(
    disclosed: set[int],
    allowed: set[int],
    custom: list[bool],
    order: list[int],
    ranges: bool,  # noqa: FBT001
) -> None:
    segments = [
        vendor_segment(1, disclosed, as_ranges=ranges),
        vendor_segment(2, allowed, as_ranges=ranges),
        publisher_segment({1, 3}, {2}, custom),
    ]
    decoded = read(".".join([tc_core({1}, set(), {5}, set()), *(segments[each] for each in order)]))
    assert (ids(decoded.disclosed), ids(decoded.allowed)) == (disclosed, allowed)
    assert decoded.publisher is not None
    assert decoded.publisher.custom_consents == {at for at, flag in enumerate(custom, 1) if flag}
    assert decoded.segments == (0, *(each + 1 for each in order))


@given(VENDORS, st.integers(0, 65_535))
def test_membership_is_that_of_the_set(vendors: set[int], vendor: int) -> None:
    decoded = read(tc_core(set(), set(), vendors, set(), as_ranges=True)).vendors
    assert (vendor in decoded) == (vendor in vendors)
    assert decoded.count() == len(vendors)


def test_an_absent_segment_is_none_and_an_empty_one_is_empty() -> None:
    core = tc_core({1}, set(), set(), set())
    assert read(core).disclosed is None
    assert read(f"{core}.{vendor_segment(1, set())}").disclosed == VendorSet()


def test_no_bit_of_an_odd_tail_is_lost() -> None:
    # 3 + 16 + 1 bits and a field of 22 make 7 characters, of which a base64 decoder alone drops the last bits.
    assert ids(read(f"{tc_core({1}, set(), set(), set())}.{vendor_segment(1, {22})}").disclosed) == {22}
    text = vendor_segment(1, {34_304}, as_ranges=True)
    assert ids(read(f"{tc_core({1}, set(), set(), set())}.{text}").disclosed) == {34_304}


def test_ranges_may_come_unsorted_and_overlap() -> None:
    writer = Writer().integer(1, 3).integer(90, 16).integer(1, 1).integer(3, 12)
    writer.integer(1, 1).integer(50, 16).integer(90, 16)
    writer.integer(0, 1).integer(7, 16)
    writer.integer(1, 1).integer(40, 16).integer(60, 16)
    decoded = read(f"{tc_core({1}, set(), set(), set())}.{writer.text()}").disclosed
    assert decoded == VendorSet(starts=(7, 40), ends=(7, 90))


def test_a_range_that_ends_before_it_starts_is_refused() -> None:
    writer = (
        Writer().integer(1, 3).integer(90, 16).integer(1, 1).integer(1, 12).integer(1, 1).integer(9, 16).integer(8, 16)
    )
    assert refusal(f"{tc_core({1}, set(), set(), set())}.{writer.text()}") is Reason.RANGE


def test_vendor_zero_and_an_id_above_the_largest_are_remarked_on() -> None:
    for vendor in (0, 91):
        writer = Writer().integer(1, 3).integer(90, 16).integer(1, 1).integer(1, 12).integer(0, 1).integer(vendor, 16)
        assert Remark.OUT_OF_RANGE in read(f"{tc_core({1}, set(), set(), set())}.{writer.text()}").remarks


def test_a_core_without_a_count_of_restrictions_is_read() -> None:
    text = tc_core({1, 2}, set(), set(), set())
    # 213 bits, two empty vendor fields of 17: 247 bits; the count of 12 ends in the 44th character.
    assert read(text[:42]).purposes == {1, 2}


@pytest.mark.parametrize("length", [1, 2, 20, 35, 40])
def test_a_core_cut_short_is_refused(length: int) -> None:
    assert refusal(tc_core({1, 2}, set(), {3}, set())[:length]) is Reason.TRUNCATED


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", Reason.EMPTY),
        ("  ", Reason.EMPTY),
        ("${GDPR_CONSENT_123}", Reason.LITTER),
        ("%24%7BGDPR_CONSENT_755%7D", Reason.LITTER),
        ("undefined", Reason.LITTER),
        ("[object Object]", Reason.LITTER),
        ("BOEFEAyOEFEAyAHABDENAI4AAAB9vABAASA", Reason.EXPIRED_FORMAT),
        ("DBABMA", Reason.VERSION),
        pytest.param("C" + "A" * 20_000, Reason.TOO_LONG, id="long"),
        ("CPXx" + "~" * 40, Reason.ALPHABET),
        ("CPXxé" + "A" * 60, Reason.ALPHABET),
    ],
)
def test_what_is_no_tc_string_is_refused_with_its_reason(text: str, reason: Reason) -> None:
    assert refusal(text) is reason


def test_folded_letters_are_told_apart_from_another_version() -> None:
    assert refusal(tc_core({1}, set(), {3}, set()).lower()) is Reason.CASE_FOLDED


@pytest.mark.parametrize("extra", ["", "AAAA", "gAAA", "IAAA.IAAA"])
def test_a_segment_that_is_blank_unknown_or_there_twice_is_refused(extra: str) -> None:
    assert refusal(f"{tc_core({1}, set(), {3}, set())}.{extra}") is Reason.SEGMENT


def test_padding_and_white_space_are_taken_off_with_a_remark() -> None:
    text = tc_core({1}, set(), {3}, set())
    assert read(f" {text}== ").remarks == (Remark.STRIPPED,)
    assert read(f"{text}%3D").remarks == (Remark.ENCODED_TWICE,)


def test_a_global_scope_string_and_an_invalid_cmp_are_remarked_on() -> None:
    decoded = read(tc_core({1}, set(), {3}, set(), service_specific=False, cmp_id=1))
    assert set(decoded.remarks) == {Remark.NOT_SERVICE_SPECIFIC, Remark.NONCONFORMING}
    assert tcf.doubt(decoded, CREATED_MS) is Remark.NOT_SERVICE_SPECIFIC


def test_doubt_grows_with_age_and_stands_against_the_future() -> None:
    decoded = read(tc_core({1}, set(), {3}, set()))
    assert tcf.doubt(decoded, CREATED_MS) is None
    assert tcf.doubt(decoded, CREATED_MS - DAY_MS) is None
    assert tcf.doubt(decoded, CREATED_MS - 3 * DAY_MS) is Remark.FUTURE
    assert tcf.doubt(decoded, CREATED_MS + 390 * DAY_MS) is None
    assert tcf.doubt(decoded, CREATED_MS + 400 * DAY_MS) is Remark.STALE


def test_a_string_of_march_2026_needs_disclosed_vendors() -> None:
    created = 17_723_232_000
    core = tc_core({1}, set(), {3}, set(), created=created)
    assert tcf.doubt(read(core), created * 100) is Remark.WITHOUT_DISCLOSED_VENDORS
    assert tcf.doubt(read(f"{core}.{vendor_segment(1, {3})}"), created * 100) is None
    assert tcf.doubt(read(tc_core({1}, set(), {3}, set(), created=created - 1)), created * 100) is None


@given(st.text(max_size=80) | st.text(alphabet="ABCQIYeg.-_019", max_size=200).map(lambda text: "CP" + text))
def test_no_text_makes_the_decoder_raise(text: str) -> None:
    assert isinstance(tcf.decode(text), tcf.TcString | Refusal)


@given(VENDORS, st.data())
def test_a_cut_or_changed_string_is_a_value_or_a_refusal(vendors: set[int], data: st.DataObject) -> None:
    text = tc_core({1, 3}, {7}, vendors, vendors, as_ranges=True)
    at = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from("AZaz09-_.~"))
    for changed in (text[:at], text[:at] + letter + text[at + 1 :]):
        assert isinstance(tcf.decode(changed), tcf.TcString | Refusal)
