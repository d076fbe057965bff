"""What stands in traffic where a consent string should stand: unfilled macros, printed nulls, encodings on top."""

import re
from typing import NamedTuple
from urllib.parse import unquote

from detectors.consent.refusal import MAX_ESCAPES, MAX_LENGTH, Reason, Refusal, Remark

_WORDS = frozenset(
    [
        "null",
        "(null)",
        "none",
        "nil",
        "undefined",
        "nan",
        "[object object]",
        "[object]",
        "{}",
        "[]",
        "true",
        "false",
        "n/a",
        "na",
        "unknown",
        "default",
    ]
)
# Every mark but the double underscore is outside the alphabet of consent strings; that one counts at both ends only.
_MACRO = re.compile(r"\$\{|\{\{|\}\}|\[\[|%%|^__[A-Za-z_]+__$|@@|<%|##|\[[A-Z]|\{[A-Za-z]|\$[A-Z]")


class Cleaned(NamedTuple):
    """A string fit for a decoder, and what had to be done to it."""

    text: str
    remark: Remark | None = None


def clean(text: str) -> Cleaned | Refusal:
    """Undo at most two URL encodings, strip white space and `=`, and recognise what was never a signal."""
    if is_heavy(text):
        return Refusal(Reason.TOO_LONG)
    remark = None
    if "%" in text:
        once = unquote(text)
        twice = unquote(once) if "%" in once else once
        if twice != text:
            # A caller decodes its own encoding first, so one that is left was put on top.
            text, remark = twice, Remark.ENCODED_TWICE
    stripped = text.strip().rstrip("=").strip()
    if not stripped:
        return Refusal(Reason.EMPTY)
    if is_litter(stripped):
        return Refusal(Reason.LITTER)
    if stripped != text:
        remark = remark or Remark.STRIPPED
    return Cleaned(stripped, remark)


def is_heavy(text: str) -> bool:
    """Tell whether a text is longer than any signal, or holds more encoded characters: undoing those is what costs."""
    return len(text) > MAX_LENGTH or text.count("%") > MAX_ESCAPES


def is_litter(text: str) -> bool:
    """Tell whether a text is an unfilled macro or a printed nothing."""
    return text.casefold() in _WORDS or _MACRO.search(text) is not None
