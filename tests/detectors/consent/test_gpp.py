import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.consent import gpp, tcf, usp
from detectors.consent.refusal import Reason, Refusal, Remark
from detectors.consent.tcf_ca import TcfCanada
from detectors.consent.us_sections import US_SECTIONS, UsSection
from tests.detectors.consent.writer import Writer, header, tc_core

CA = "BAAAAAAA"
"""A Californian section of zeros, version 1."""


def read(text: str) -> gpp.Gpp:
    decoded = gpp.decode(text)
    assert isinstance(decoded, gpp.Gpp)
    return decoded


def us(text: str, section: int) -> UsSection:
    decoded = read(f"{header({section})}~{text}").sections[section]
    assert isinstance(decoded, UsSection)
    return decoded


def refusal_of_section(text: str, section: int) -> Reason:
    decoded = read(f"{header({section})}~{text}").sections[section]
    assert isinstance(decoded, Refusal)
    return decoded.reason


@given(st.sets(st.integers(1, 65_536), max_size=70))
def test_a_header_gives_back_its_ids(ids: set[int]) -> None:
    intervals = gpp.decode_header(header(ids))
    assert not isinstance(intervals, Refusal)
    assert {each for start, end in intervals for each in range(start, end + 1)} == ids


def test_worked_headers_of_the_standard() -> None:
    assert (header({2, 6}), header({5, 6})) == ("DBACNY", "DBABjw")
    assert gpp.decode_header("DBACNY") == ((2, 2), (6, 6))
    assert gpp.decode_header("DBABjw") == ((5, 6),)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (header({65_537}), Reason.RANGE),
        (Writer().integer(3, 6).integer(1, 6).integer(1, 12).integer(0, 60).text(), Reason.TRUNCATED),
        (Writer().integer(3, 6).integer(1, 6).integer(1, 12).integer(1, 60).integer(1, 1).text(), Reason.RANGE),
        (Writer().integer(3, 6).integer(2, 6).integer(0, 12).text(), Reason.VERSION),
        ("dbabla", Reason.CASE_FOLDED),
        ("XBABLA", Reason.FORM),
        ("DB!BLA", Reason.ALPHABET),
        ("D", Reason.TRUNCATED),
        ("D" + "A" * 2_000, Reason.TOO_LONG),
    ],
)
def test_a_bad_header_is_refused_with_its_reason(text: str, reason: Reason) -> None:
    assert gpp.decode_header(text) == Refusal(reason)


def test_a_header_that_asks_for_more_than_64_sections_is_refused() -> None:
    assert gpp.decode(header(set(range(1, 66))) + "~A" * 65) == Refusal(Reason.RANGE)


def test_a_short_header_that_asks_for_thousands_costs_nothing() -> None:
    assert gpp.decode(header(set(range(1, 60_000))) + "~A") == Refusal(Reason.RANGE)


@pytest.mark.parametrize(
    "text",
    [f"{header({7, 8})}~{CA}", f"{header({8})}~{CA}~{CA}", f"{header({8})}~", header({8}), f"{header({8})}~{CA}~"],
)
def test_sections_that_do_not_match_the_header_refuse_the_whole(text: str) -> None:
    assert gpp.decode(text) == Refusal(Reason.SECTION_COUNT)


def test_a_section_that_cannot_be_read_leaves_its_neighbours() -> None:
    decoded = read(f"{header({6, 8})}~1YYN~B")
    assert decoded.sections[8] == Refusal(Reason.TRUNCATED)
    assert decoded.sections[6] == usp.Usp(usp.Answer.YES, usp.Answer.YES, usp.Answer.NO)


def test_unassigned_sections_are_skipped_by_their_place() -> None:
    decoded = read(f"{header({8, 64})}~{CA}~whatever")
    assert decoded.ids == (8, 64)
    assert list(decoded.sections) == [8]


def test_dead_and_reserved_sections_are_no_sections_of_ours() -> None:
    assert read(f"{header({1})}~BOEFEAyO").sections == {1: Refusal(Reason.EXPIRED_FORMAT)}
    assert read(f"{header({4})}~AAAA").sections == {}


def test_bare_strings_of_other_standards_are_read() -> None:
    assert isinstance(read(tc_core({1}, set(), {3}, set())).sections[2], tcf.TcString)
    assert isinstance(read("1YNN").sections[6], usp.Usp)
    assert gpp.decode("BOEFEAyOEFEAyAHABDENAI4AAAB9vABAASA") == Refusal(Reason.EXPIRED_FORMAT)
    assert gpp.decode("9YNN") == Refusal(Reason.VERSION)


@pytest.mark.parametrize(("segment", "stated"), [("", None), (".YA", True), (".Y", True), (".QA", False)])
def test_a_missing_gpc_segment_is_not_stated_and_not_false(segment: str, stated: bool | None) -> None:  # noqa: FBT001
    assert us(CA + segment, 8).gpc is stated


@pytest.mark.parametrize("segment", [".", ".AA", ".gA", ".YA.YA"])
def test_a_second_segment_that_is_no_gpc_segment_refuses_the_section(segment: str) -> None:
    assert refusal_of_section(CA + segment, 8) is Reason.SEGMENT


@pytest.mark.parametrize("section", [9, 11, 13])
def test_sections_without_a_second_segment_refuse_one(section: int) -> None:
    assert refusal_of_section("BAAAAAAAA.YA", section) is Reason.SEGMENT


@pytest.mark.parametrize("section", sorted(US_SECTIONS))
def test_a_section_with_a_raised_version_keeps_its_value_with_a_remark(section: int) -> None:
    assert Remark.UNKNOWN_SECTION_VERSION in us("F" + "A" * 15, section).remarks


@pytest.mark.parametrize("section", sorted(US_SECTIONS))
@settings(deadline=None)
@given(data=st.data())
def test_padding_changes_nothing(section: int, data: st.DataObject) -> None:
    # The values of a section are what its fields add up to, whatever zeros follow.
    values = data.draw(st.lists(st.integers(0, 2), min_size=20, max_size=32))
    if section == 7:
        values = (values * 2)[:32]
        writer = Writer().integer(2, 6)
    else:
        values = (values * 2)[:24]
        writer = Writer().integer(1, 6)
    for value in values:
        writer.integer(value, 2)
    texts = {writer.text(multiple) for multiple in (6, 8, 24)}
    readings = [us(text, section).fields for text in texts]
    assert all(reading == readings[0] for reading in readings)
    flat = [one for value in readings[0].values() for one in (value if isinstance(value, tuple) else (value,))]
    assert flat == values[: len(flat)]


def test_a_value_of_three_is_remarked_on() -> None:
    assert Remark.UNDEFINED_VALUE in us("B_______", 8).remarks


@pytest.mark.parametrize("length", [10, 11])
def test_the_first_version_of_the_national_section_is_read_whole(length: int) -> None:
    decoded = us("BVVVVVVVVVA"[:length], 7)
    assert decoded.fields["KnownChildSensitiveDataConsents"] == (1, 1)
    assert decoded.remarks == ()


def test_a_national_section_that_fits_two_versions_gives_only_what_both_share() -> None:
    decoded = us("BVVVVVVVVVVV", 7)
    assert decoded.remarks == (Remark.AMBIGUOUS_LAYOUT,)
    assert decoded.layout == "v1-or-v2"
    assert decoded.fields["SensitiveDataProcessing"] == (1,) * 12
    assert decoded.fields["SaleOptOut"] == 1
    assert "KnownChildSensitiveDataConsents" not in decoded.fields


def test_the_late_sections_are_read_with_and_without_a_header() -> None:
    core = "BVVV"
    plain, headed = us(f"{core}.kkk", 25), us(f"ZBAB-.{core}.kkk", 25)
    assert (plain.layout, headed.layout) == ("", "header")
    assert plain.fields == headed.fields
    assert plain.fields["SensitiveDataProcessing"] == (2, 1, 0, 2, 1, 0, 2, 1)


@pytest.mark.parametrize("text", ["ZBABY.BVVV.kkk", "ZBAB-.BVVV", "ZBAB-"])
def test_a_header_within_a_section_must_match_what_follows(text: str) -> None:
    assert refusal_of_section(text, 25) is Reason.SECTION_COUNT


@pytest.mark.parametrize(
    "text",
    [
        "eyJhIjoxfQ",
        "~",
        "~~~",
        " ~",
        "-",
        "DBABTA~",
        "DBACNYA",
        "DBABB g~BAJEKBWI.YA",
        pytest.param("D" * 20_000, id="long"),
        pytest.param("DBAB" + "." * 1_048_576, id="dots"),
    ],
)
def test_what_is_no_gpp_string_is_refused(text: str) -> None:
    assert isinstance(gpp.decode(text), Refusal)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", Reason.EMPTY),
        ("${GPP_STRING_123}", Reason.LITTER),
        ("null", Reason.LITTER),
        pytest.param("x" * 16_385, Reason.TOO_LONG, id="long"),
    ],
)
def test_what_never_was_a_signal_has_its_own_reason(text: str, reason: Reason) -> None:
    assert gpp.decode(text) == Refusal(reason)


@pytest.mark.parametrize("times", [1, 2])
def test_encodings_on_top_are_undone_with_a_remark(times: int) -> None:
    text = f"{header({8})}~{CA}.YA"
    for _ in range(times):
        text = text.replace("%", "%25").replace("~", "%7E") if "%" in text else text.replace("~", "%7E")
    decoded = read(text)
    assert decoded.remark is Remark.ENCODED_TWICE
    assert isinstance(decoded.sections[8], UsSection)


def canada(layout: str, express: set[int], implied: set[int], disclosed: set[int] | None) -> str:
    def vendors(writer: Writer, ids: set[int]) -> None:
        if layout == "literal":
            writer.integer(1, 1).ranges(ids, fibonacci=True)
        else:
            writer.optimized(ids, as_ranges=True, fibonacci=layout == "fibonacci")

    writer = Writer().integer(1, 6).integer(17_000_000_000, 36).integer(17_000_000_000, 36)
    writer.integer(31, 12).integer(7, 12).integer(1, 6).letters("FR").integer(48, 12).integer(2, 6).integer(0, 1)
    writer.field({2}, 12).field({1, 2}, 24).field({3}, 24)
    vendors(writer, express)
    vendors(writer, implied)
    text = writer.integer(0, 12).text()
    if disclosed is not None:
        segment = Writer().integer(1, 3)
        vendors(segment, disclosed)
        text += "." + segment.text()
    return f"{header({5})}~{text}"


VENDORS = st.sets(st.integers(1, 2_000), max_size=40)


@pytest.mark.parametrize("layout", ["fibonacci", "fixed", "literal"])
@given(express=VENDORS, implied=VENDORS, disclosed=st.none() | VENDORS)
def test_a_canadian_string_is_read_right_or_called_ambiguous(
    layout: str, express: set[int], implied: set[int], disclosed: set[int] | None
) -> None:
    section = read(canada(layout, express, implied, disclosed)).sections[5]
    assert isinstance(section, TcfCanada)
    if Remark.AMBIGUOUS_LAYOUT in section.remarks:
        return
    spans = list(zip(section.vendors_express.starts, section.vendors_express.ends, strict=True))
    assert {each for start, end in spans for each in range(start, end + 1)} == express
    assert (section.disclosed is None) == (disclosed is None)


def test_a_canadian_string_that_fits_no_layout_is_refused() -> None:
    text = canada("fibonacci", {5, 9}, {7}, None)
    decoded = read(text + "______").sections[5]
    assert decoded == Refusal(Reason.LAYOUT)


def test_a_section_of_more_ranges_than_any_vendor_list_needs_is_refused() -> None:
    # Three bits a range: five thousand of them fit into a quarter of the allowed length.
    ranges = Writer().integer(1, 6).integer(17_000_000_000, 36).integer(17_000_000_000, 36).integer(0, 30)
    ranges.letters("FR").integer(48, 12).integer(2, 6).integer(0, 61)
    for _ in range(2):
        ranges.integer(9_000, 16).integer(1, 1).ranges(set(range(1, 6_000, 2)), fibonacci=True)
    assert read(f"{header({5})}~{ranges.integer(0, 12).text()}").sections[5] == Refusal(Reason.LAYOUT)


@given(st.text(max_size=60) | st.text(alphabet="ABDCYQbl~.-_019", max_size=120).map(lambda text: "DBA" + text))
def test_no_text_makes_the_decoder_raise(text: str) -> None:
    assert isinstance(gpp.decode(text), gpp.Gpp | Refusal)


@given(st.integers(1, 30), st.text(alphabet="ABDCYQbl.-_019", min_size=1, max_size=160))
def test_no_section_makes_the_decoder_raise(section: int, text: str) -> None:
    assert isinstance(gpp.decode(f"{header({section})}~{text}"), gpp.Gpp | Refusal)
