"""The US Privacy string, deprecated in 2024 and still sent (IAB Tech Lab, USPrivacy, version 1)."""

import re
from enum import StrEnum

import msgspec

from detectors.consent.litter import clean
from detectors.consent.refusal import Reason, Refusal, Remark

_FORM = re.compile(r"1[YNyn-]{3}")
_TEXTS = {
    f"1{notice}{sale}{covered}": (notice, sale, covered) for notice in "YN-" for sale in "YN-" for covered in "YN-"
}


class Answer(StrEnum):
    """One position of the string."""

    YES = "Y"
    NO = "N"
    NOT_APPLICABLE = "-"


class Usp(msgspec.Struct, frozen=True, gc=False):
    """A decoded US Privacy string."""

    notice: Answer
    """Whether notice and the chance to opt out were given."""
    opted_out: Answer
    """YES is the only refusal."""
    covered: Answer
    """Whether the Limited Service Provider Agreement covers it."""
    remark: Remark | None = None


def decode(text: str) -> Usp | Refusal:
    """Decode `1YNN` and its like. Lower case is accepted with a remark; version 1 is the only one."""
    known = _DECODED.get(text)
    if known is not None:
        return known
    cleaned = clean(text)
    if isinstance(cleaned, Refusal):
        return cleaned
    upper = cleaned.text.upper()
    if _FORM.fullmatch(cleaned.text) is None:
        version = len(cleaned.text) == 4 and re.fullmatch(r"[02-9][YN-]{3}", upper) is not None
        return Refusal(Reason.VERSION if version else Reason.FORM)
    remark = cleaned.remark if upper == cleaned.text else Remark.LOWER_CASE
    return msgspec.structs.replace(_DECODED[upper], remark=remark)


_DECODED = {text: Usp(Answer(a), Answer(b), Answer(c)) for text, (a, b, c) in _TEXTS.items()}
