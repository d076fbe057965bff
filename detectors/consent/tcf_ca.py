"""TCF Canada version 1, section 5 of GPP, of which three encodings are in use under one version number."""

from collections.abc import Callable

import msgspec

from detectors.consent.bits import NOBODY, Bits, UnreadableError, VendorSet, merged
from detectors.consent.refusal import Reason, Remark
from detectors.consent.tcf import PublisherTc, Restriction, letters, publisher_purposes


class TcfCanada(msgspec.Struct, frozen=True, kw_only=True):
    """A decoded TCF Canada section. Times are milliseconds since the epoch."""

    created_ms: int
    updated_ms: int
    cmp_id: int
    cmp_version: int
    consent_screen: int
    language: str
    vendor_list_version: int
    policy_version: int
    nonstandard_stacks: bool
    special_features: frozenset[int]
    purposes_express: frozenset[int]
    purposes_implied: frozenset[int]
    vendors_express: VendorSet
    vendors_implied: VendorSet
    restrictions: tuple[Restriction, ...] = ()
    disclosed: VendorSet | None = None
    publisher: PublisherTc | None = None
    """Express consent stands where the European form has consent, implied where it has legitimate interest."""
    segments: tuple[int, ...] = (0,)
    layout: str = ""
    """`fibonacci` (since iabgpp 3.2.0), `fixed` (before) or `literal` (as the text of the standard has it)."""
    remarks: tuple[Remark, ...] = ()


_Ranges = Callable[[Bits], VendorSet]


def decode_ca(text: str) -> TcfCanada:
    """Decode by trying each encoding: it must use up every segment. Raises the decoder's own error.

    Where several fit with different values the remark `ambiguous_layout` says that nothing in it can be relied on.
    """
    cores = text.split(".", 4)
    first = Bits(cores[0])
    if first.take(6) != 1:
        raise UnreadableError(Reason.VERSION)
    if len(first.text) < _SHORTEST:
        raise UnreadableError(Reason.TRUNCATED)
    fitting: list[TcfCanada] = []
    for name, ranges, restricted in _LAYOUTS:
        try:
            decoded = _try(name, cores, ranges, restricted)
        except UnreadableError:
            continue
        fitting.append(decoded)
    if not fitting:
        raise UnreadableError(Reason.LAYOUT)
    best = fitting[0]
    if any(msgspec.structs.replace(other, layout=best.layout) != best for other in fitting[1:]):
        return msgspec.structs.replace(best, remarks=(*best.remarks, Remark.AMBIGUOUS_LAYOUT))
    return best


_SHORTEST = 6 + 72 + 30 + 12 + 12 + 6 + 1 + 12 + 24 + 24


def _try(name: str, texts: list[str], ranges: _Ranges, restricted: _Ranges) -> TcfCanada:
    bits = Bits(texts[0])
    bits.take(6)
    created, updated, cmp_id, cmp_version, screen = (bits.take(width) for width in (36, 36, 12, 12, 6))
    language = letters(bits.slice(12))
    vendor_list, policy, stacks = (bits.take(width) for width in (12, 6, 1))
    features, express, implied = (bits.members(width) for width in (12, 24, 24))
    vendors_express, vendors_implied = ranges(bits), ranges(bits)
    restrictions: tuple[Restriction, ...] = ()
    if len(bits.text) - bits.at >= 12:
        restrictions = tuple([Restriction(bits.take(6), bits.take(2), restricted(bits)) for _ in range(bits.take(12))])
    _must_be_spent(bits)
    segments = [0]
    disclosed: VendorSet | None = None
    publisher: PublisherTc | None = None
    for text in texts[1:]:
        segment = Bits(text)
        kind = segment.take(3)
        if kind == 1 and disclosed is None:
            disclosed = ranges(segment)
        elif kind == 3 and publisher is None:
            publisher = publisher_purposes(segment)
        else:
            raise UnreadableError(Reason.SEGMENT)
        _must_be_spent(segment)
        segments.append(kind)
    return TcfCanada(
        created_ms=created * 100,
        updated_ms=updated * 100,
        cmp_id=cmp_id,
        cmp_version=cmp_version,
        consent_screen=screen,
        language=language,
        vendor_list_version=vendor_list,
        policy_version=policy,
        nonstandard_stacks=bool(stacks),
        special_features=features,
        purposes_express=express,
        purposes_implied=implied,
        vendors_express=vendors_express,
        vendors_implied=vendors_implied,
        restrictions=restrictions,
        disclosed=disclosed,
        publisher=publisher,
        segments=tuple(segments),
        layout=name,
        remarks=() if language else (Remark.NONCONFORMING,),
    )


def _must_be_spent(bits: Bits) -> None:
    if not bits.is_spent():
        raise UnreadableError(Reason.LAYOUT)


def _largest_first(bits: Bits, read: Callable[[Bits], list[tuple[int, int]]]) -> VendorSet:
    largest = bits.take(16)
    if bits.take(1) == 0:
        return bits.bit_field(largest)
    vendors = merged(read(bits))
    if vendors.ends and vendors.ends[-1] > largest:
        # A trial in the wrong encoding shows itself here; no writer in use does it.
        raise UnreadableError(Reason.RANGE)
    return vendors


def _fibonacci(bits: Bits) -> VendorSet:
    return _largest_first(bits, Bits.fibonacci_ranges)


def _fixed(bits: Bits) -> VendorSet:
    return _largest_first(bits, Bits.integer_ranges)


def _fixed_ranges_only(bits: Bits) -> VendorSet:
    return merged(bits.integer_ranges())


def _literal(bits: Bits) -> VendorSet:
    if bits.take(1):
        return merged(bits.fibonacci_ranges())
    width = bits.take(16)
    return bits.bit_field(width) if width else NOBODY


_LAYOUTS: tuple[tuple[str, _Ranges, _Ranges], ...] = (
    ("fibonacci", _fibonacci, _fibonacci),
    ("fixed", _fixed, _fixed_ranges_only),
    ("literal", _literal, _literal),
)
