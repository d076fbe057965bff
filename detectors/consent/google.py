"""Google consent mode, `gcs` and `gcd`. Not documented as a wire format: the readings on which several write-ups agree."""

import re

import msgspec

from detectors.consent.litter import clean
from detectors.consent.refusal import Reason, Refusal

_GCS = re.compile(r"G1([01-])([01-])")
_GCD = re.compile(r"1[0-9]([lpqtrmnuv])[0-9]([lpqtrmnuv])[0-9]([lpqtrmnuv])[0-9]([lpqtrmnuv])[0-9]")


class State(msgspec.Struct, frozen=True, gc=False):
    """One consent type: what it was before any act, and what an act made of it. None: nothing was set."""

    default: bool | None
    update: bool | None

    @property
    def effective(self) -> bool | None:
        return self.default if self.update is None else self.update


class Gcs(msgspec.Struct, frozen=True, gc=False):
    """A decoded `gcs`: True granted, False denied, None not required or not set. It hides whether a person acted."""

    ad_storage: bool | None
    analytics_storage: bool | None


class Gcd(msgspec.Struct, frozen=True, gc=False):
    """A decoded `gcd`."""

    ad_storage: State
    analytics_storage: State
    ad_user_data: State
    ad_personalization: State


_FLAGS = {"1": True, "0": False, "-": None}
_STATES = {
    "l": State(None, None),
    "p": State(default=False, update=None),
    "q": State(default=False, update=False),
    "t": State(default=True, update=None),
    "r": State(default=False, update=True),
    "m": State(default=None, update=False),
    "n": State(default=None, update=True),
    "u": State(default=True, update=False),
    "v": State(default=True, update=True),
}


def decode_gcs(text: str) -> Gcs | Refusal:
    """Decode `G1xy`; case matters."""
    cleaned = clean(text)
    if isinstance(cleaned, Refusal):
        return cleaned
    match = _GCS.fullmatch(cleaned.text)
    if match is None:
        return Refusal(Reason.CASE_FOLDED if cleaned.text[0] == "g" else Reason.FORM)
    return Gcs(_FLAGS[match[1]], _FLAGS[match[2]])


def decode_gcd(text: str) -> Gcd | Refusal:
    """Decode four letters between digits; the digits' meaning is not known. Case matters."""
    cleaned = clean(text)
    if isinstance(cleaned, Refusal):
        return cleaned
    match = _GCD.fullmatch(cleaned.text)
    if match is None:
        return Refusal(Reason.CASE_FOLDED if _GCD.fullmatch(cleaned.text.lower()) else Reason.FORM)
    return Gcd(*(_STATES[letter] for letter in match.groups()))
