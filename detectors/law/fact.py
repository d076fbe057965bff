"""What every fact of the law carries: its days, its source and how well it is known; and the words that facts are written in."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from detectors.documents import Written
from detectors.law.iso import is_place
from topics.flow import PURPOSES

Text = Annotated[str, StringConstraints(min_length=1, max_length=600, strip_whitespace=True)]


def _not_empty(value: tuple[Any, ...]) -> tuple[Any, ...]:
    if value:
        return value
    raise ValueError("give at least one")


NOT_EMPTY = AfterValidator(_not_empty)
"""Unlike a minimal length it says nothing where the items themselves are wrong."""


def _day(value: Any) -> Any:
    """Refuse numbers and times: pydantic would read 2026 as two thousand seconds after the epoch."""
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise ValueError("expected a day such as 2026-01-31") from None
    if type(value) is not date:
        raise ValueError("expected a day such as 2026-01-31")
    return value


Day = Annotated[date, BeforeValidator(_day)]
"""A calendar day. The day that an epoch time falls on is taken in UTC."""


def _purpose(value: str) -> str:
    if value in PURPOSES or any(known.startswith(f"{value}.") for known in PURPOSES):
        return value
    raise ValueError(f"unknown purpose; known are {', '.join(sorted(PURPOSES - {'unknown'}))} and their prefixes")


Purpose = Annotated[str, Field(max_length=64), BeforeValidator(lambda value: _purpose(str(value)))]
"""A purpose, or a prefix that covers several (`advertising`)."""


def place_code(value: Any) -> str:
    """Check a country (`DE`) or subdivision (`CA-QC`)."""
    if isinstance(value, str) and is_place(value):
        return value
    raise ValueError("not an ISO 3166 code of a country or of a state of the US or Canada, in capitals")


PlaceCode = Annotated[str, BeforeValidator(place_code)]


class Confidence(StrEnum):
    """How well a fact is known."""

    VERIFIED = "verified"
    """Read in the source that is named."""
    RECALLED = "recalled"
    """Not checked: it may warn, and never raises a finding."""


class SinceIs(StrEnum):
    """What the first day of a duty means."""

    ENACTED = "enacted"
    """The day from which it applies."""
    OBSERVED = "observed"
    """The source says that it applies, not since when: the day is the source's own, and the duty may be older."""


class Fact(Written):
    """Something that is so from one day to another, and where it is written.

    Days are half open: it holds from `since` on, and no longer on `until`.
    """

    since: Day
    since_is: SinceIs = SinceIs.ENACTED
    until: Day | None = None
    """The first day on which it no longer holds."""
    citation: Text
    """The law itself."""
    source: tuple[Text, ...] = ()
    """Where it was read, by key of `sources.yaml`. A recalled fact has none."""
    confidence: Confidence
    checked_on: Day
    note: str = Field(default="", max_length=600)

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.until is not None and self.until <= self.since:
            raise ValueError("until must be later than since: it is the first day on which this no longer holds")
        if self.confidence is Confidence.VERIFIED and not self.source:
            raise ValueError("a verified fact names its source; without one it is recalled")
        if self.since_is is SinceIs.OBSERVED and self.since > self.checked_on:
            raise ValueError("an observed fact cannot have been observed after it was checked")
        return self
