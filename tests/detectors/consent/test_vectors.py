"""The decoders against the committed vectors: every row with a trusted truth, field by field; every bad row by its outcome."""

import json
from pathlib import Path
from typing import Any

import pytest

from detectors.consent import gpp, tcf, usp
from detectors.consent.refusal import Reason, Refusal, Remark
from detectors.consent.tcf_ca import TcfCanada
from detectors.consent.us_sections import UsSection
from tests.detectors.consent.shapes import LATE, as_section, as_tcf, as_us, as_usp, comparable

ROWS: list[dict[str, Any]] = [
    json.loads(line) for line in Path(__file__).with_name("vectors").joinpath("public.jsonl").open(encoding="utf-8")
]
IAB: list[dict[str, Any]] = [
    json.loads(line) for line in Path(__file__).with_name("vectors").joinpath("iab.jsonl").open(encoding="utf-8")
]
NAMES = {value: key for key, value in gpp.SECTION_NAMES.items()}


def text_of(row: dict[str, Any]) -> str:
    recipe = row.get("string_recipe")
    return str(row["string"] if recipe is None else recipe["prefix"] + recipe["repeat"] * recipe["times"])


def rows(*groups: str) -> list[Any]:
    found = [pytest.param(row, id=row["id"]) for row in ROWS if row["group"] in groups]
    assert found
    return found


def has_segment(text: str, index: int) -> bool:
    return len(text.split("~")[index + 1].split(".")) > 1


@pytest.mark.parametrize(
    "row",
    rows(
        "us_single", "gpp_multi", "tcf_eu_in_gpp", "gpp_unknown_section", "usnat_v1", "tcf_ca", "tcf_ca_legacy_fixed",
        "us_spec_header_variant",
    ),
)  # fmt: skip
def test_a_trusted_gpp_string_decodes_field_by_field(row: dict[str, Any]) -> None:
    compare_gpp(row)


def compare_gpp(row: dict[str, Any]) -> None:
    decoded = gpp.decode(row["string"])
    assert isinstance(decoded, gpp.Gpp)
    expected = row["expect"]
    if expected.get("headerSectionIds") is not None:
        assert list(decoded.ids) == expected["headerSectionIds"]
        assert list(decoded.sections) == expected["decodedSectionIds"]
    for name, fields in expected["sections"].items():
        section = decoded.sections[NAMES[name]]
        given = as_section(section)
        if isinstance(section, UsSection) and not section.layout:
            place = list(decoded.ids).index(NAMES[name])
            assert has_segment(row["string"], place) == (
                section.gpc is not None or (section.name in LATE and "SensitiveDataProcessing" in given)
            )
        wanted = comparable(fields, given)
        if "Version" not in wanted and "MspaVersion" not in wanted:
            given = {key: value for key, value in given.items() if "Version" not in key}
        if isinstance(section, UsSection) and Remark.AMBIGUOUS_LAYOUT in section.remarks:
            wanted = {key: value for key, value in wanted.items() if key in given}
        if row["group"] == "us_spec_header_variant":
            wanted.pop("Gpc", None)
            given.pop("Gpc", None)
        assert given == wanted, name


@pytest.mark.parametrize("row", rows("usnat_v1_ambiguous"))
def test_an_ambiguous_national_section_gives_only_what_is_certain(row: dict[str, Any]) -> None:
    decoded = gpp.decode(row["string"])
    assert isinstance(decoded, gpp.Gpp)
    section = decoded.sections[7]
    assert isinstance(section, UsSection)
    expected = dict(row["expect"]["sections"]["usnat"])
    expected["SensitiveDataProcessing"] = expected.pop("SensitiveDataProcessing_first12")
    assert as_us(section) == expected
    assert Remark.AMBIGUOUS_LAYOUT in section.remarks


@pytest.mark.parametrize("row", rows("tcf_v2"))
def test_a_trusted_tc_string_decodes_field_by_field(row: dict[str, Any]) -> None:
    decoded = tcf.decode(row["string"])
    assert isinstance(decoded, tcf.TcString)
    assert as_tcf(decoded) == row["expect"]


@pytest.mark.parametrize("row", rows("gpp_header"))
def test_a_header_gives_its_section_ids(row: dict[str, Any]) -> None:
    intervals = gpp.decode_header(row["string"])
    assert not isinstance(intervals, Refusal)
    assert [each for start, end in intervals for each in range(start, end + 1)] == row["expect"]["sectionIds"]


@pytest.mark.parametrize("row", rows("usp"))
def test_a_us_privacy_string_decodes(row: dict[str, Any]) -> None:
    decoded = usp.decode(row["string"])
    assert isinstance(decoded, usp.Usp)
    assert as_usp(decoded) == row["expect"]


@pytest.mark.parametrize("row", rows("tcf_v1_old"))
def test_a_tc_string_of_version_1_is_an_expired_format(row: dict[str, Any]) -> None:
    assert tcf.decode(row["string"]) == Refusal(Reason.EXPIRED_FORMAT)


@pytest.mark.parametrize("row", rows("tcf_ca_spec_literal"))
def test_a_canadian_string_written_to_the_letter_of_the_text_is_read(row: dict[str, Any]) -> None:
    decoded = gpp.decode(row["string"])
    assert isinstance(decoded, gpp.Gpp)
    section = decoded.sections[5]
    assert isinstance(section, TcfCanada)
    assert section.layout == "literal" or Remark.AMBIGUOUS_LAYOUT in section.remarks


@pytest.mark.parametrize("row", rows("reference_tests"))
def test_strings_of_the_standards_own_tests_decode(row: dict[str, Any]) -> None:
    if "expect" not in row:
        decoded = tcf.decode(row["string"])
        # The reference refuses them for their CMP id of 0; they can be read, and are remarked on.
        assert isinstance(decoded, tcf.TcString)
        assert Remark.NONCONFORMING in decoded.remarks
    elif row["kind"] == "tcf":
        tc = tcf.decode(row["string"])
        assert isinstance(tc, tcf.TcString)
        assert as_tcf(tc) == row["expect"]
    else:
        compare_gpp(row)


@pytest.mark.parametrize("row", [pytest.param(row, id=row["id"]) for row in IAB[1:]])
def test_what_the_standards_own_software_wrote_decodes_field_by_field(row: dict[str, Any]) -> None:
    if row["kind"] == "gpp":
        compare_gpp(row)
    else:
        decoded = tcf.decode(row["string"])
        assert isinstance(decoded, tcf.TcString)
        assert as_tcf(decoded) == row["expect"]


# Bad by origin and legal by chance, or readable with a remark.
READABLE = {
    "malformed-0195": "cut or encoded where nothing needed escaping",
    "malformed-0327": "a range above the announced largest id",
    "malformed-0328": "a vendor id of 0",
    "malformed-0341": "undefined values",
    "malformed-0336": "a header without sections",
    "malformed-0358": "unknown version",
    "malformed-0360": "unknown version",
    "malformed-0361": "unknown version",
    "malformed-0362": "unknown version",
    "malformed-0364": "unknown version",
    "malformed-0369": "unknown version",
    "malformed-0175": "padding taken off",
    "malformed-0400": "a bare TC string",
}


@pytest.mark.parametrize("row", rows("malformed", "usp_malformed"))
def test_a_malformed_string_is_refused_or_remarked_on(row: dict[str, Any]) -> None:
    text = text_of(row)
    decoded = {"gpp": gpp.decode, "tcf": tcf.decode, "usp": usp.decode}[row["kind"]](text)
    refused = isinstance(decoded, Refusal) or (
        isinstance(decoded, gpp.Gpp) and any(isinstance(each, Refusal) for each in decoded.sections.values())
    )
    assert refused == (row["id"] not in READABLE), row.get("why")
    if READABLE.get(row["id"]) == "unknown version":
        assert isinstance(decoded, gpp.Gpp)
        assert all(Remark.UNKNOWN_SECTION_VERSION in getattr(each, "remarks", ()) for each in decoded.sections.values())
