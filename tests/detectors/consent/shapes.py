"""Decoded values in the shape that the vectors write them in."""

from datetime import UTC, datetime
from typing import Any

from detectors.consent import gpp, tcf, usp
from detectors.consent.bits import VendorSet
from detectors.consent.tcf_ca import TcfCanada
from detectors.consent.us_sections import UsSection

# What the reference reports for segments that are not in the string, and its own bookkeeping.
FILLERS = {"GpcSegmentType", "GpcSegmentIncluded", "SensitiveDataConsentSegmentIncluded"}


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
