"""The decoders against the committed vectors: every row with a trusted truth, field by field; every bad row by its outcome."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from detectors.consent import gpp, tcf, usp
from detectors.consent.bits import VendorSet
from detectors.consent.refusal import Reason, Refusal, Remark
from detectors.consent.tcf_ca import TcfCanada
from detectors.consent.us_sections import UsSection

ROWS: list[dict[str, Any]] = [
    json.loads(line) for line in Path(__file__).with_name("vectors").joinpath("public.jsonl").open(encoding="utf-8")
]
IAB: list[dict[str, Any]] = [
    json.loads(line) for line in Path(__file__).with_name("vectors").joinpath("iab.jsonl").open(encoding="utf-8")
]
NAMES = {value: key for key, value in gpp.SECTION_NAMES.items()}
# What the reference reports for segments that are not in the string, and its own bookkeeping.
FILLERS = {"GpcSegmentType", "GpcSegmentIncluded", "SensitiveDataConsentSegmentIncluded"}


def text_of(row: dict[str, Any]) -> str:
    recipe = row.get("string_recipe")
    return str(row["string"] if recipe is None else recipe["prefix"] + recipe["repeat"] * recipe["times"])


def rows(*groups: str) -> list[Any]:
    found = [pytest.param(row, id=row["id"]) for row in ROWS if row["group"] in groups]
    assert found
    return found


def ids(vendors: VendorSet | None) -> list[int] | None:
    if vendors is None:
        return None
    return [each for start, end in zip(vendors.starts, vendors.ends, strict=True) for each in range(start, end + 1)]


def iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def flags(members: frozenset[int], width: int) -> list[bool]:
    return [position in members for position in range(1, width + 1)]


def as_us(section: UsSection) -> dict[str, Any]:
    given = {name: list(value) if isinstance(value, tuple) else value for name, value in section.fields.items()}
    given["MspaVersion" if "MspaMode" in given else "Version"] = section.version
    if section.gpc is not None:
        given["Gpc"] = section.gpc
    return given


def as_usp(section: usp.Usp) -> dict[str, Any]:
    return {
        "Version": 1,
        "Notice": section.notice.value,
        "OptOutSale": section.opted_out.value,
        "LspaCovered": section.covered.value,
    }


def as_gpp_tcf(tc: tcf.TcString) -> dict[str, Any]:
    given: dict[str, Any] = {
        "Version": 2,
        "Created": iso(tc.created_ms),
        "LastUpdated": iso(tc.updated_ms),
        "CmpId": tc.cmp_id,
        "CmpVersion": tc.cmp_version,
        "ConsentScreen": tc.consent_screen,
        "ConsentLanguage": tc.language,
        "VendorListVersion": tc.vendor_list_version,
        "PolicyVersion": tc.policy_version,
        "IsServiceSpecific": tc.service_specific,
        "UseNonStandardStacks": tc.nonstandard_texts,
        "SpecialFeatureOptins": flags(tc.special_features, 12),
        "PurposeConsents": flags(tc.purposes, 24),
        "PurposeLegitimateInterests": flags(tc.purposes_li, 24),
        "PurposeOneTreatment": tc.purpose_one_treatment,
        "PublisherCountryCode": tc.publisher_country,
        "VendorConsents": ids(tc.vendors),
        "VendorLegitimateInterests": ids(tc.vendors_li),
        "PublisherRestrictions": [
            {"key": each.purpose, "type": each.kind, "ids": ids(each.vendors)} for each in tc.restrictions
        ],
    }
    if tc.disclosed is not None:
        given["VendorsDisclosed"] = ids(tc.disclosed)
    if tc.allowed is not None:
        given["VendorsAllowed"] = ids(tc.allowed)
    if tc.publisher is not None:
        given |= {
            "PublisherConsents": flags(tc.publisher.consents, 24),
            "PublisherLegitimateInterests": flags(tc.publisher.legitimate_interests, 24),
            "NumCustomPurposes": tc.publisher.custom_count,
            "PublisherCustomConsents": flags(tc.publisher.custom_consents, tc.publisher.custom_count),
            "PublisherCustomLegitimateInterests": flags(
                tc.publisher.custom_legitimate_interests, tc.publisher.custom_count
            ),
        }
    return given


def as_canada(ca: TcfCanada) -> dict[str, Any]:
    given: dict[str, Any] = {
        "Version": 1,
        "Created": iso(ca.created_ms),
        "LastUpdated": iso(ca.updated_ms),
        "CmpId": ca.cmp_id,
        "CmpVersion": ca.cmp_version,
        "ConsentScreen": ca.consent_screen,
        "ConsentLanguage": ca.language,
        "VendorListVersion": ca.vendor_list_version,
        "TcfPolicyVersion": ca.policy_version,
        "UseNonStandardStacks": bool(ca.nonstandard_stacks),
        "SpecialFeatureExpressConsent": flags(ca.special_features, 12),
        "PurposesExpressConsent": flags(ca.purposes_express, 24),
        "PurposesImpliedConsent": flags(ca.purposes_implied, 24),
        "VendorExpressConsent": ids(ca.vendors_express),
        "VendorImpliedConsent": ids(ca.vendors_implied),
        "PubRestrictions": [
            {"key": each.purpose, "type": each.kind, "ids": ids(each.vendors)} for each in ca.restrictions
        ],
    }
    if ca.disclosed is not None:
        given["DisclosedVendors"] = ids(ca.disclosed)
    if ca.publisher is not None:
        given |= {
            "PubPurposesExpressConsent": flags(ca.publisher.consents, 24),
            "PubPurposesImpliedConsent": flags(ca.publisher.legitimate_interests, 24),
            "NumCustomPurposes": ca.publisher.custom_count,
            "CustomPurposesExpressConsent": flags(ca.publisher.custom_consents, ca.publisher.custom_count),
            "CustomPurposesImpliedConsent": flags(ca.publisher.custom_legitimate_interests, ca.publisher.custom_count),
        }
    return given


def as_section(section: gpp.Section) -> dict[str, Any]:
    if isinstance(section, UsSection):
        return as_us(section)
    if isinstance(section, tcf.TcString):
        return as_gpp_tcf(section)
    if isinstance(section, TcfCanada):
        return as_canada(section)
    assert isinstance(section, usp.Usp), section
    return as_usp(section)


LATE = {"usin", "usky", "usri"}
"""Sections whose second segment holds sensitive data instead of GPC."""
SEGMENT_FIELDS = (
    {"Gpc"},
    {"PublisherPurposesSegmentType", "PublisherConsents", "PublisherLegitimateInterests", "NumCustomPurposes",
     "PublisherCustomConsents", "PublisherCustomLegitimateInterests"},
    {"VendorsAllowedSegmentType", "VendorsAllowed"},
    {"VendorsDisclosedSegmentType", "VendorsDisclosed"},
    {"PubPurposesSegmentType", "PubPurposesExpressConsent", "PubPurposesImpliedConsent", "NumCustomPurposes",
     "CustomPurposesExpressConsent", "CustomPurposesImpliedConsent"},
    {"DisclosedVendorsSegmentType", "DisclosedVendors"},
    {"SensitiveDataProcessing"},
)  # fmt: skip
"""Fields that the reference fills in where their segment is not in the string."""


def comparable(expected: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in expected.items() if name not in FILLERS and "SegmentType" not in name}
    for fields in SEGMENT_FIELDS:
        if not fields & given.keys():
            kept = {name: value for name, value in kept.items() if name not in fields}
    return kept


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


def as_tcf(tc: tcf.TcString) -> dict[str, Any]:
    publisher = tc.publisher
    restrictions = [
        {"purposeId": each.purpose, "restrictionType": each.kind, "vendorIds": ids(each.vendors)}
        for each in sorted(tc.restrictions, key=lambda each: (each.purpose, each.kind))
    ]
    return {
        "version": 2,
        "created": iso(tc.created_ms),
        "lastUpdated": iso(tc.updated_ms),
        "cmpId": tc.cmp_id,
        "cmpVersion": tc.cmp_version,
        "consentScreen": tc.consent_screen,
        "consentLanguage": tc.language,
        "vendorListVersion": tc.vendor_list_version,
        "policyVersion": tc.policy_version,
        "isServiceSpecific": tc.service_specific,
        "useNonStandardTexts": tc.nonstandard_texts,
        "purposeOneTreatment": tc.purpose_one_treatment,
        "publisherCountryCode": tc.publisher_country,
        "specialFeatureOptins": sorted(tc.special_features),
        "purposeConsents": sorted(tc.purposes),
        "purposeLegitimateInterests": sorted(tc.purposes_li),
        "vendorConsents": ids(tc.vendors),
        "vendorLegitimateInterests": ids(tc.vendors_li),
        "publisherRestrictions": restrictions,
        "segments": list(tc.segments),
        "vendorsDisclosed": ids(tc.disclosed),
        "vendorsAllowed": ids(tc.allowed),
        "publisherTC": None
        if publisher is None
        else {
            "publisherConsents": sorted(publisher.consents),
            "publisherLegitimateInterests": sorted(publisher.legitimate_interests),
            "numCustomPurposes": publisher.custom_count,
            "publisherCustomConsents": sorted(publisher.custom_consents),
            "publisherCustomLegitimateInterests": sorted(publisher.custom_legitimate_interests),
        },
    }


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
