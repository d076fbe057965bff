"""The national and state sections of GPP as data, and their decoding (IAB Tech Lab, Global Privacy Platform, December 2025)."""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from detectors.consent.bits import Bits, UnreadableError
from detectors.consent.refusal import Reason, Remark

_NAMES = {
    "ShN": "SharingNotice",
    "PrN": "ProcessingNotice",
    "SaN": "SaleOptOutNotice",
    "SoN": "SharingOptOutNotice",
    "TaN": "TargetedAdvertisingOptOutNotice",
    "SdN": "SensitiveDataProcessingOptOutNotice",
    "SeN": "SensitiveDataOptOutNotice",
    "SlN": "SensitiveDataLimitUseNotice",
    "Sale": "SaleOptOut",
    "Share": "SharingOptOut",
    "Ta": "TargetedAdvertisingOptOut",
    "S": "SensitiveDataProcessing",
    "K": "KnownChildSensitiveDataConsents",
    "PDC": "PersonalDataConsents",
    "ADC": "AdditionalDataProcessingConsent",
    "Cov": "MspaCoveredTransaction",
    "Opt": "MspaOptOutOptionMode",
    "Svc": "MspaServiceProviderMode",
    "Mode": "MspaMode",
}
_NAT = "ShN SaN SoN TaN SdN SlN Sale Share Ta"
_MSPA = "Cov Opt Svc"
_SHARING = "ShN SaN TaN Sale Ta"
_PROCESSING = "PrN SaN TaN Sale Ta"
_SMALL = f"{_PROCESSING} S8 K1 ADC {_MSPA}"
_LATE = f"Cov Mode {_PROCESSING} K1 ADC"
_ROWS = (
    (7, "usnat", 2, f"{_NAT} S16 K3 PDC {_MSPA}", "gpc"),
    (7, "usnat", 1, f"{_NAT} S12 K2 PDC {_MSPA}", "gpc"),
    (8, "usca", 1, f"SaN SoN SlN Sale Share S9 K2 PDC {_MSPA}", "gpc"),
    (9, "usva", 1, f"{_SHARING} S8 K1 {_MSPA}", ""),
    (10, "usco", 1, f"{_SHARING} S7 K1 {_MSPA}", "gpc"),
    (11, "usut", 1, f"ShN SaN TaN SdN Sale Ta S8 K1 {_MSPA}", ""),
    (12, "usct", 1, f"{_SHARING} S8 K3 {_MSPA}", "gpc"),
    (13, "usfl", 1, f"{_PROCESSING} S8 K3 ADC {_MSPA}", ""),
    (14, "usmt", 1, f"{_SHARING} S8 K3 ADC {_MSPA}", "gpc"),
    (15, "usor", 1, f"{_PROCESSING} S11 K3 ADC {_MSPA}", "gpc"),
    (16, "ustx", 1, _SMALL, "gpc"),
    (17, "usde", 1, f"{_PROCESSING} S9 K5 ADC {_MSPA}", "gpc"),
    (18, "usia", 1, f"PrN SaN TaN SeN Sale Ta S8 K1 {_MSPA}", "gpc"),
    (19, "usne", 1, _SMALL, "gpc"),
    (20, "usnh", 1, f"{_PROCESSING} S8 K3 ADC {_MSPA}", "gpc"),
    (21, "usnj", 1, f"{_PROCESSING} S10 K5 ADC {_MSPA}", "gpc"),
    (22, "ustn", 1, _SMALL, "gpc"),
    (23, "usmn", 1, _SMALL, "gpc"),
    (24, "usmd", 1, f"Cov Mode {_PROCESSING} ADC", "gpc"),
    (25, "usin", 1, _LATE, "sensitive"),
    (26, "usky", 1, _LATE, "sensitive"),
    (27, "usri", 1, _LATE, "sensitive"),
)
_TWO_BITS = {"00": 0, "01": 1, "10": 2, "11": 3}


class _Field(NamedTuple):
    name: str
    start: int
    entries: int
    """Of two bits each."""


class _Layout(NamedTuple):
    fields: tuple[_Field, ...]
    width: int
    second: str
    """The segment that may follow: `gpc`, `sensitive` or none."""


def _layout(row: str, second: str) -> _Layout:
    at, fields = 6, []
    for word in row.split():
        short = word.rstrip("0123456789")
        count = int(word[len(short) :] or 1)
        fields.append(_Field(_NAMES[short], at, count))
        at += 2 * count
    return _Layout(tuple(fields), at, second)


_LAYOUTS = {(section, version): _layout(row, second) for section, _, version, row, second in _ROWS}
_LATEST = {section: max(v for s, _, v, _, _ in _ROWS if s == section) for section, *_ in _ROWS}
US_SECTIONS: Mapping[int, str] = {section: name for section, name, *_ in _ROWS}
"""Section ids and names."""

_USNAT = 7
_CERTAIN_BITS = 48
_FIRST_TWELVE = 12
_SENSITIVE_ENTRIES = 8


class UsSection(msgspec.Struct, frozen=True, kw_only=True):
    """A decoded national or state section."""

    name: str
    version: int
    """Version of the section; of the MSPA for Maryland, Indiana, Kentucky and Rhode Island."""
    fields: Mapping[str, int | tuple[int, ...]]
    """By the names of the standard. Opt-outs: 1 opted out, 2 did not. Notices: 1 given, 2 not. Consents: 1 no, 2 yes. 0 not applicable."""
    gpc: bool | None = None
    """None: not stated, which is not false."""
    layout: str = ""
    """`header` where the section brings a header of its own, as the drafts of 2025 have it; `v1-or-v2` where nobody can tell."""
    remarks: tuple[Remark, ...] = ()


def decode_us(section: int, text: str) -> UsSection:
    """Decode one section; raises the decoder's own error, which the GPP decoder turns into a refusal."""
    core_text, *others = text.split(".", 4)
    layout_name = ""
    if section >= 24 and core_text[:1] == "YZab"[section - 24]:
        # The drafts put a header first whose sub-section ids cannot be written (0 has no Fibonacci code); see issue 154 there.
        _check_header(section, Bits(core_text), len(others))
        core_text, *others = others
        layout_name = "header"
    bits = Bits(core_text)
    version = bits.take(6)
    remarks: list[Remark] = []
    layout = _LAYOUTS.get((section, version))
    if layout is None:
        remarks.append(Remark.UNKNOWN_SECTION_VERSION)
        layout = _LAYOUTS[section, _LATEST[section]]
    if len(bits.text) < layout.width:
        raise UnreadableError(Reason.TRUNCATED)
    if section == _USNAT and version == 1 and len(core_text) > 11:
        # Version 2 was written with the label of version 1 for a while: only what both share is certain.
        layout_name = "v1-or-v2"
        remarks.append(Remark.AMBIGUOUS_LAYOUT)
        fields = _read(layout, bits.text, _CERTAIN_BITS)
    else:
        fields = _read(layout, bits.text, layout.width)
    gpc = None
    if others:
        if len(others) > 1 or not layout.second:
            raise UnreadableError(Reason.SEGMENT)
        second = Bits(others[0])
        if layout.second == "gpc":
            gpc = _gpc(second)
        else:
            fields["SensitiveDataProcessing"] = tuple(second.take(2) for _ in range(_SENSITIVE_ENTRIES))
    if any(3 in value if isinstance(value, tuple) else value == 3 for value in fields.values()):
        remarks.append(Remark.UNDEFINED_VALUE)
    return UsSection(
        name=US_SECTIONS[section], version=version, fields=fields, gpc=gpc, layout=layout_name, remarks=tuple(remarks)
    )


def _read(layout: _Layout, text: str, end: int) -> dict[str, int | tuple[int, ...]]:
    fields: dict[str, int | tuple[int, ...]] = {}
    for name, start, count in layout.fields:
        if start >= end:
            break
        if count == 1:
            fields[name] = _TWO_BITS[text[start : start + 2]]
        else:
            stop = min(start + 2 * count, end)
            fields[name] = tuple([_TWO_BITS[text[at : at + 2]] for at in range(start, stop, 2)])
    return fields


def _gpc(bits: Bits) -> bool:
    if bits.take(2) != 1:
        raise UnreadableError(Reason.SEGMENT)
    return bits.take(1) == 1


def _check_header(section: int, bits: Bits, following: int) -> None:
    if bits.take(6) != section or bits.take(6) != 1:
        raise UnreadableError(Reason.VERSION)
    named = sum(end - start + 1 for start, end in bits.fibonacci_ranges())
    if not following or named != following:
        raise UnreadableError(Reason.SECTION_COUNT)
