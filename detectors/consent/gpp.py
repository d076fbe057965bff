"""The GPP string: a header that names sections, and the sections (IAB Tech Lab, Global Privacy Platform, version 1)."""

from functools import lru_cache

import msgspec

from detectors.consent import tcf, usp
from detectors.consent.bits import Bits, UnreadableError
from detectors.consent.litter import clean
from detectors.consent.refusal import Reason, Refusal, Remark
from detectors.consent.tcf_ca import TcfCanada, decode_ca
from detectors.consent.us_sections import US_SECTIONS, UsSection, decode_us

Section = UsSection | tcf.TcString | TcfCanada | usp.Usp | Refusal

SECTION_NAMES = {1: "tcfeuv1", 2: "tcfeuv2", 5: "tcfcav1", 6: "uspv1", **US_SECTIONS}
_MAX_SECTIONS = 64


class Gpp(msgspec.Struct, frozen=True, kw_only=True):
    """A decoded GPP string."""

    ids: tuple[int, ...]
    """Sections the header names, in order; unassigned ones too. Empty for a bare TC or US Privacy string."""
    sections: dict[int, Section]
    """By id. A section that cannot be read is a refusal of its own: its neighbours stand. Unassigned ids are left out."""
    remark: Remark | None = None


def decode(text: str) -> Gpp | Refusal:
    """Decode a GPP string as found: cleaned first, refused with a reason, cached by value where it is short."""
    return decode_cached(text) if len(text) <= _CACHED_LENGTH else decode_uncached(text)


def decode_header(text: str) -> tuple[tuple[int, int], ...] | Refusal:
    """Decode a header alone: the section ids as inclusive intervals, ascending."""
    if text[:1] != "D":
        folded = text[:1] == "d" and len(text) > 3 and text == text.lower()
        return Refusal(Reason.CASE_FOLDED if folded else Reason.FORM)
    if len(text) > 1_024:
        return Refusal(Reason.TOO_LONG)
    try:
        bits = Bits(text)
        bits.take(6)
        if bits.take(6) != 1:
            return Refusal(Reason.VERSION)
        return tuple(bits.fibonacci_ranges())
    except UnreadableError as error:
        return Refusal(error.reason)


def decode_uncached(text: str) -> Gpp | Refusal:
    """Decode a GPP string anew."""
    cleaned = clean(text)
    if isinstance(cleaned, Refusal):
        return cleaned
    bare = _bare(cleaned.text)
    if bare is not None:
        return bare if isinstance(bare, Refusal) else msgspec.structs.replace(bare, remark=cleaned.remark)
    header, *texts = cleaned.text.split("~", _MAX_SECTIONS + 1)
    intervals = _header_cached(header)
    if isinstance(intervals, Refusal):
        # A folded string shows it in its whole, a short header alone does not.
        return intervals
    if sum(end - start + 1 for start, end in intervals) > _MAX_SECTIONS:
        return Refusal(Reason.RANGE)
    ids = tuple(each for start, end in intervals for each in range(start, end + 1))
    if len(ids) != len(texts) or "" in texts:
        return Refusal(Reason.SECTION_COUNT)
    return Gpp(
        ids=ids,
        sections={each: _section(each, part) for each, part in zip(ids, texts, strict=True) if each in SECTION_NAMES},
        remark=cleaned.remark,
    )


_CACHED_LENGTH = 2_048
decode_cached = lru_cache(maxsize=16_384)(decode_uncached)
_header_cached = lru_cache(maxsize=4_096)(decode_header)


def _bare(text: str) -> Gpp | Refusal | None:
    """Read a TC or US Privacy string that stands where a GPP string should."""
    if text[0] == "C" and "~" not in text:
        tc = tcf.decode_segments(text)
        return tc if isinstance(tc, Refusal) else Gpp(ids=(), sections={2: tc})
    if text[0] == "B" and len(text) > 20 and "~" not in text:
        return Refusal(Reason.EXPIRED_FORMAT)
    if text[0].isdigit() and len(text) == 4:
        us = usp.decode(text)
        return us if isinstance(us, Refusal) else Gpp(ids=(), sections={6: us})
    return None


def _section(section: int, text: str) -> Section:
    try:
        if section in US_SECTIONS:
            return decode_us(section, text)
        if section == 2:
            return tcf.decode_segments(text)
        if section == 5:
            return decode_ca(text)
    except UnreadableError as error:
        return Refusal(error.reason)
    if section == 1:
        return Refusal(Reason.EXPIRED_FORMAT)
    return usp.decode(text)
