"""The TC string of the Transparency and Consent Framework, versions 2.0 to 2.3 (IAB Europe and IAB Tech Lab)."""

from functools import lru_cache

import msgspec

from detectors.consent.bits import NOBODY, Bits, UnreadableError, VendorSet, merged, positions
from detectors.consent.litter import clean
from detectors.consent.refusal import Reason, Refusal, Remark

LEGITIMATE_INTEREST = frozenset({2, 7, 8, 9, 10, 11})
"""Purposes for which legitimate interest is still a basis (policy 2.2 took it from 3 to 6)."""

_FIELDS = (
    ("version", 6),
    ("created", 36),
    ("updated", 36),
    ("cmp_id", 12),
    ("cmp_version", 12),
    ("consent_screen", 6),
    ("language", 12),
    ("vendor_list_version", 12),
    ("policy_version", 6),
    ("service_specific", 1),
    ("nonstandard_texts", 1),
    ("special_features", 12),
    ("purposes", 24),
    ("purposes_li", 24),
    ("purpose_one_treatment", 1),
    ("publisher_country", 12),
)
_HEAD = sum(width for _, width in _FIELDS)
_AT = {name: sum(width for _, width in _FIELDS[:index]) for index, (name, _) in enumerate(_FIELDS)}
_WIDTH = dict(_FIELDS)
_SPAN = {name: slice(at, at + _WIDTH[name]) for name, at in _AT.items()}


class Restriction(msgspec.Struct, frozen=True, gc=False):
    """What a publisher forbids or demands of vendors for one purpose."""

    purpose: int
    kind: int
    """0 not allowed, 1 consent required, 2 legitimate interest required, 3 undefined."""
    vendors: VendorSet


class PublisherTc(msgspec.Struct, frozen=True, gc=False):
    """The publisher's own purposes."""

    consents: frozenset[int]
    legitimate_interests: frozenset[int]
    custom_count: int
    custom_consents: frozenset[int]
    custom_legitimate_interests: frozenset[int]


class TcString(msgspec.Struct, frozen=True, kw_only=True):
    """A decoded TC string. Times are milliseconds since the epoch, with the precision of a day since policy 4."""

    created_ms: int
    updated_ms: int
    cmp_id: int
    cmp_version: int
    consent_screen: int
    language: str
    vendor_list_version: int
    policy_version: int
    """2 for TCF 2.0 and 2.1, 4 for 2.2, 5 for 2.3."""
    service_specific: bool
    nonstandard_texts: bool
    special_features: frozenset[int]
    """1 precise location, 2 active scanning of the device."""
    purposes: frozenset[int]
    """Purposes consented to, from 1."""
    purposes_li: frozenset[int]
    """Purposes whose legitimate interest was shown and not objected to; bits for 1 and 3 to 6 mean nothing."""
    purpose_one_treatment: bool
    publisher_country: str
    vendors: VendorSet
    vendors_li: VendorSet
    restrictions: tuple[Restriction, ...] = ()
    segments: tuple[int, ...] = (0,)
    """Types of the segments in the order of the string."""
    disclosed: VendorSet | None = None
    """None: no such segment."""
    allowed: VendorSet | None = None
    publisher: PublisherTc | None = None
    remarks: tuple[Remark, ...] = ()


def decode(text: str) -> TcString | Refusal:
    """Decode a TC string as found: cleaned first, refused with a reason, cached by value where it is short."""
    if len(text) <= _CACHED_LENGTH:
        return decode_cached(text)
    return _decode(text)


def _decode(text: str) -> TcString | Refusal:
    cleaned = clean(text)
    if isinstance(cleaned, Refusal):
        return cleaned
    decoded = decode_segments(cleaned.text)
    if cleaned.remark and isinstance(decoded, TcString):
        return msgspec.structs.replace(decoded, remarks=(cleaned.remark, *decoded.remarks))
    return decoded


_CACHED_LENGTH = 2_048
decode_cached = lru_cache(maxsize=16_384)(_decode)


def decode_segments(text: str) -> TcString | Refusal:
    """Decode a TC string that is already clean."""
    first = text[:1]
    if first != "C":
        return Refusal(_not_version_two(text))
    core, *others = text.split(".", 8)
    try:
        return _core(Bits(core), others)
    except UnreadableError as error:
        return Refusal(error.reason)


def _not_version_two(text: str) -> Reason:
    if text[:1] == "B" and len(text) > 20:
        return Reason.EXPIRED_FORMAT
    if text[:1] == "c" and len(text) > 20 and text == text.lower():
        return Reason.CASE_FOLDED
    try:
        Bits(text[:1])
    except UnreadableError as error:
        return error.reason
    return Reason.VERSION


def _core(bits: Bits, others: list[str]) -> TcString:
    head = bits.slice(_HEAD)
    remarks: list[Remark] = []
    cmp_id = int(head[_SPAN["cmp_id"]], 2)
    language, country = letters(head[_SPAN["language"]]), letters(head[_SPAN["publisher_country"]])
    if cmp_id < 2 or not language or not country:
        remarks.append(Remark.NONCONFORMING)
    service_specific = head[_AT["service_specific"]] == "1"
    if not service_specific:
        remarks.append(Remark.NOT_SERVICE_SPECIFIC)
    vendors = optimized_ranges(bits, remarks)
    vendors_li = optimized_ranges(bits, remarks)
    restrictions = _restrictions(bits, remarks)
    segments = [0]
    extra: dict[int, VendorSet | PublisherTc] = {}
    for text in others:
        segment = Bits(text)
        kind = segment.take(3)
        if kind in extra or kind not in (1, 2, 3):
            raise UnreadableError(Reason.SEGMENT)
        extra[kind] = publisher_purposes(segment) if kind == 3 else optimized_ranges(segment, remarks)
        segments.append(kind)
    disclosed, allowed, publisher = extra.get(1), extra.get(2), extra.get(3)
    return TcString(
        created_ms=int(head[_SPAN["created"]], 2) * 100,
        updated_ms=int(head[_SPAN["updated"]], 2) * 100,
        cmp_id=cmp_id,
        cmp_version=int(head[_SPAN["cmp_version"]], 2),
        consent_screen=int(head[_SPAN["consent_screen"]], 2),
        language=language,
        vendor_list_version=int(head[_SPAN["vendor_list_version"]], 2),
        policy_version=int(head[_SPAN["policy_version"]], 2),
        service_specific=service_specific,
        nonstandard_texts=head[_AT["nonstandard_texts"]] == "1",
        special_features=positions(head[_SPAN["special_features"]]),
        purposes=positions(head[_SPAN["purposes"]]),
        purposes_li=positions(head[_SPAN["purposes_li"]]),
        purpose_one_treatment=head[_AT["purpose_one_treatment"]] == "1",
        publisher_country=country,
        vendors=vendors,
        vendors_li=vendors_li,
        restrictions=restrictions,
        segments=tuple(segments),
        disclosed=disclosed if isinstance(disclosed, VendorSet) else None,
        allowed=allowed if isinstance(allowed, VendorSet) else None,
        publisher=publisher if isinstance(publisher, PublisherTc) else None,
        remarks=tuple(dict.fromkeys(remarks)),
    )


def optimized_ranges(bits: Bits, remarks: list[Remark]) -> VendorSet:
    """Read OptimizedIntRange: the largest id, then a bit field or ranges."""
    largest = bits.take(16)
    if bits.take(1) == 0:
        return bits.bit_field(largest)
    pairs = bits.integer_ranges()
    if not pairs:
        return NOBODY
    vendors = merged(pairs)
    if vendors.starts[0] == 0 or vendors.ends[-1] > largest:
        remarks.append(Remark.OUT_OF_RANGE)
    return vendors


def _restrictions(bits: Bits, remarks: list[Remark]) -> tuple[Restriction, ...]:
    if len(bits.text) - bits.at < 12 and bits.is_spent():
        # Some writers leave the count out where there is none.
        return ()
    found = []
    for _ in range(bits.take(12)):
        purpose, kind = bits.take(6), bits.take(2)
        vendors = merged(bits.integer_ranges())
        if vendors.starts and vendors.starts[0] == 0:
            remarks.append(Remark.OUT_OF_RANGE)
        found.append(Restriction(purpose, kind, vendors))
    return tuple(found)


def publisher_purposes(bits: Bits) -> PublisherTc:
    """Read the publisher's segment after its type; TCF Canada's has the same form, with express and implied consent."""
    consents, legitimate = bits.members(24), bits.members(24)
    count = bits.take(6)
    return PublisherTc(consents, legitimate, count, bits.members(count), bits.members(count))


@lru_cache(maxsize=4_096)
def letters(bits: str) -> str:
    """Read two letters of six bits, A = 0; empty where they are none."""
    values = int(bits[:6], 2), int(bits[6:], 2)
    return "".join(chr(65 + value) for value in values) if max(values) < 26 else ""


_DAY_MS = 86_400_000
_MAX_AGE_MS = 396 * _DAY_MS
_DISCLOSED_VENDORS_FROM_MS = 1_772_323_200_000
"""2026-03-01: strings created from then on need DisclosedVendors (TCF 2.3)."""


def doubt(decoded: TcString, at_ms: int, max_age_ms: int = _MAX_AGE_MS) -> Remark | None:
    """Tell why a string cannot be relied on at the time of the event, or None. Thirteen months is the framework's age."""
    if not decoded.service_specific:
        return Remark.NOT_SERVICE_SPECIFIC
    if decoded.created_ms > at_ms + 2 * _DAY_MS:
        return Remark.FUTURE
    if decoded.updated_ms < at_ms - max_age_ms:
        return Remark.STALE
    # An empty segment was common in the first months of TCF 2.3: it discloses nobody, and says as little as none.
    if not decoded.disclosed and decoded.created_ms >= _DISCLOSED_VENDORS_FROM_MS:
        return Remark.WITHOUT_DISCLOSED_VENDORS
    return None
