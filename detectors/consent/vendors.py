"""What a TC string says of one recipient: its vendor bits, the publisher's restrictions, and who was shown to the person.

Ids are those of the Global Vendor List of IAB Europe, by the ids of the recipient list. Only ids that the vendors themselves publish (in the
adapters of Prebid Server) or that are otherwise plain stand here, and only of recipients that are one vendor: a wrong one would make a
violation of somebody else's bit. What a vendor declares
(consent or legitimate interest, for which purposes) changes weekly and no package carries it, so legitimate interest never allows by itself here.
"""

from collections.abc import Mapping

from detectors.consent.refusal import Remark
from detectors.consent.tcf import LEGITIMATE_INTEREST, TcString

NOBODY_IN_PARTICULAR = 0
"""No vendor id is known: the string is asked about the purposes alone."""
PUBLISHER = -1
"""The shop itself, or somebody who acts for it: the PublisherTC segment speaks, where there is one."""

VENDORS: Mapping[str, int] = {
    "adform": 50,
    "adkernel": 14,
    "amazon-ads": 793,
    "beachfront": 335,
    "criteo": 91,
    "google-ads": 755,
    "gumgum": 61,
    "improve-digital": 253,
    "index-exchange": 10,
    "magnite": 52,
    "media-net": 142,
    "onetag-exchange": 241,
    "openx": 69,
    "pubmatic": 76,
    "rtb-house": 16,
    "seedtag": 157,
    "sharethrough": 80,
    "smart-adserver": 45,
    "sonobi": 104,
    "sovrn": 13,
    "taboola": 42,
    "the-trade-desk": 21,
    "triplelift": 28,
    "unruly": 36,
    "yieldlab": 70,
}


def says(decoded: TcString, purpose: int, vendor: int) -> tuple[str, Remark | None]:
    """Tell whether a recipient may act for a purpose: `allowed`, `denied`, or `not-applicable` where nobody can tell, and why.

    TCF technical specification: a restriction of kind 0 denies; kind 1 leaves consent alone, kind 2 legitimate interest alone. Consent is the
    bit of the purpose and that of the vendor. Where the string says who was disclosed (mandatory since TCF 2.3), nobody else may act.
    """
    if vendor == PUBLISHER:
        return _of_publisher(decoded, purpose)
    if decoded.disclosed and vendor not in decoded.disclosed:
        return "denied", Remark.NOT_DISCLOSED
    kinds = {each.kind for each in decoded.restrictions if each.purpose == purpose and vendor in each.vendors}
    if 0 in kinds:
        return "denied", Remark.PUBLISHER_FORBIDS
    consented = purpose in decoded.purposes and vendor in decoded.vendors
    if consented and 2 not in kinds:
        return "allowed", None
    unopposed = purpose in LEGITIMATE_INTEREST and purpose in decoded.purposes_li and vendor in decoded.vendors_li
    if unopposed and 1 not in kinds:
        return "not-applicable", Remark.INTEREST_UNDECLARED
    if kinds & {1, 2} and (consented or unopposed):
        return "denied", Remark.PUBLISHER_FORBIDS
    return "denied", Remark.NOT_THE_VENDOR if purpose in decoded.purposes else None


def _of_publisher(decoded: TcString, purpose: int) -> tuple[str, Remark | None]:
    own = decoded.publisher
    consents = own.consents if own else decoded.purposes
    interests = own.legitimate_interests if own else decoded.purposes_li
    shown = purpose in consents or (purpose in LEGITIMATE_INTEREST and purpose in interests)
    return ("allowed" if shown else "denied"), None
