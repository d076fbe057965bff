"""What the entries of SensitiveDataProcessing and KnownChildSensitiveDataConsents mean, section by section.

Source: the section specifications of the Global Privacy Platform (IAB Tech Lab, December 2025). Kinds of data by the codes of the law pack; an entry of
several kinds speaks of each. Ages by our own words (`minor.<from>-<to>`); entries 1 to 3 of Delaware and New Jersey, and the single entry of the
smaller states, are read as Connecticut's and as a known child below 13.
"""

from collections.abc import Mapping

_Codes = tuple[tuple[str, ...], ...]


def _codes(words: str) -> _Codes:
    return tuple(tuple(entry.split("+")) for entry in words.split())


_SEVEN = "race_ethnicity religion health sexual_orientation+sex_life citizenship_immigration genetic biometric"
_USUAL = _codes(f"{_SEVEN} precise_geolocation")
KINDS: Mapping[str, _Codes] = {
    **dict.fromkeys(
        ("usva", "usct", "usfl", "usmt", "ustx", "usne", "usnh", "ustn", "usmn", "usin", "usky", "usri", "usia"), _USUAL
    ),
    "usco": _codes(_SEVEN),
    "usde": _codes(f"{_SEVEN} precise_geolocation trans_nonbinary"),
    "usnj": _codes(f"{_SEVEN} precise_geolocation trans_nonbinary financial_account"),
    "usor": _codes(
        "race_ethnicity religion health sexual_orientation+sex_life trans_nonbinary citizenship_immigration national_origin crime_victim genetic "
        "biometric precise_geolocation"
    ),
    "usut": _codes(
        "race_ethnicity religion sexual_orientation citizenship_immigration health genetic biometric precise_geolocation"
    ),
    "usca": _codes(
        "government_id account_credentials+financial_account precise_geolocation race_ethnicity+religion+union_membership comms_content genetic "
        "biometric health sexual_orientation+sex_life"
    ),
    "usnat": _codes(
        "race_ethnicity religion+philosophical_belief health sexual_orientation+sex_life citizenship_immigration genetic biometric "
        "precise_geolocation government_id account_credentials+financial_account union_membership comms_content consumer_health crime_victim "
        "national_origin trans_nonbinary"
    ),
}
"""By section; an entry may stand for several codes. The version 1 of the national section has the first twelve."""

_CHILD, _TEEN, _OLDER = "minor.0-12", "minor.13-15", "minor.16-17"
_CONNECTICUT = (_CHILD, _TEEN, _TEEN)
CHILDREN: Mapping[str, tuple[str, ...]] = {
    "usca": (_TEEN, _TEEN),
    **dict.fromkeys(("usct", "usmt", "usor", "usnh"), _CONNECTICUT),
    "usfl": (_CHILD, _TEEN, _OLDER),
    "usde": (*_CONNECTICUT, _OLDER, _OLDER),
    "usnj": (*_CONNECTICUT, _OLDER, _OLDER),
    "usnat": (_TEEN, _CHILD, _OLDER),
}
"""By section; a section that is not here has one entry, a known child."""
