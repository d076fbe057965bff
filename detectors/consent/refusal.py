"""Why a consent string was not read, and what an engineer should know about one that was."""

from enum import StrEnum

import msgspec

MAX_LENGTH = 16_384
"""Characters of the longest string that is looked at. A cookie holds 4,096; the rest is room for encodings."""


class Reason(StrEnum):
    """Why there is no value. A closed list; it never repeats the string, because a consent string points to a person."""

    EMPTY = "empty"
    """Nothing was written: no signal."""
    LITTER = "litter"
    """A macro nobody filled in, `null`, `undefined`, `[object Object]`: no signal, and a broken tag."""
    TOO_LONG = "too_long"
    TYPE = "type"
    """Not the type of value that this place holds."""
    ALPHABET = "alphabet"
    """A character that the standard's alphabet does not have."""
    CASE_FOLDED = "case_folded"
    """Something on the way lowered or raised the letters: the bits are lost."""
    TRUNCATED = "truncated"
    """The string ends before its required fields do."""
    FORM = "form"
    """The overall form is not that of the standard."""
    VERSION = "version"
    EXPIRED_FORMAT = "expired_format"
    """TCF version 1, which ended in 2020."""
    SECTION_COUNT = "section_count"
    """The header names more or fewer sections than follow."""
    RANGE = "range"
    """A range that ends before it starts, or an id above the cap."""
    SEGMENT = "segment"
    """A segment that the standard does not have there, or has twice."""
    LAYOUT = "layout"
    """None of the known layouts fits."""
    VALUE = "value"
    """A field holds what the standard does not allow."""


class Refusal(msgspec.Struct, frozen=True, gc=False):
    """A string that could not be read."""

    reason: Reason


class Remark(StrEnum):
    """What an engineer should know about a signal. A closed list."""

    NONCONFORMING = "nonconforming"
    LOWER_CASE = "lower_case"
    STRIPPED = "stripped"
    """White space or `=` had to be taken off."""
    ENCODED_TWICE = "encoded_twice"
    NO_NOTICE = "no_notice"
    """A choice, or the lack of one, of a person who was given no notice."""
    NO_CHOICE = "no_choice"
    """The signal is there and holds no choice."""
    DEFAULT_GRANTED = "default_granted"
    """A state before any act of the person: never a choice."""
    DEFAULT_DENIED = "default_denied"
    IMPLIED = "implied"
    """Consent taken from silence: never a choice."""
    ACT_UNKNOWN = "act_unknown"
    """A state of which the standard does not tell whether the person made it."""
    AMBIGUOUS_LAYOUT = "ambiguous_layout"
    UNKNOWN_SECTION_VERSION = "unknown_section_version"
    UNDEFINED_VALUE = "undefined_value"
    """A two-bit field holds 3, which no section defines: read as 0."""
    GPC = "gpc"
    """Denied by the GPC flag inside the string."""
    GPC_VS_FIELD = "gpc_vs_field"
    """The GPC flag inside the string denies what its fields allow."""
    NOT_IN_FORCE = "not_in_force"
    """`gpp_sid` does not name this section."""
    GDPR_0 = "gdpr_0"
    """`gdpr=0` came with it: whoever sent it says that the GDPR does not apply."""
    NOT_SERVICE_SPECIFIC = "not_service_specific"
    """A global-scope string, invalid since TCF 2.2."""
    PURPOSE_ONE_TREATMENT = "purpose_one_treatment"
    """Purpose 1 was not disclosed to the person."""
    RESTRICTIONS = "restrictions"
    """Publisher restrictions may deny single vendors what the summary allows."""
    OUT_OF_RANGE = "out_of_range"
    """A vendor id of 0, or above the largest id that the string announces."""
    WITHOUT_DISCLOSED_VENDORS = "without_disclosed_vendors"
    FUTURE = "future"
    STALE = "stale"
    CONFLICT = "conflict"
    """The same signal stands in one place twice, with different values."""
    REPEATED = "repeated"
    INFORMATION = "information"
    """No law gives it force; shown, never decided on."""
