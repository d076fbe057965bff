"""The law as people write it: one file for each jurisdiction, each duty with its dates, its source and our confidence."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, field_validator, model_validator

from detectors.documents import Written
from detectors.law.iso import BLOCS, is_place
from topics.flow import PURPOSES

DUTY_ID = r"^[a-z]{2,3}(-[a-z0-9]+)+$"

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


class DutyOf(Fact):
    """What all duties share."""

    id: Annotated[str, StringConstraints(pattern=DUTY_ID, max_length=80)]


class OptedOut(StrEnum):
    """What a person can refuse, or what is forbidden, in the words of the statutes."""

    SALE = "sale"
    TARGETED_ADVERTISING = "targeted-advertising"
    PROFILING = "profiling"
    SENSITIVE_USE = "sensitive-use"


class OptOutRight(DutyOf):
    """A person may refuse it."""

    kind: Literal["opt-out-right"]
    of: OptedOut
    purposes: tuple[Purpose, ...] = ()
    """Purposes of ours that it speaks of; empty when none of the closed list is it."""


class OptOutSignal(DutyOf):
    """A refusal sent by the browser must be honoured."""

    kind: Literal["universal-opt-out-signal"]
    signals: tuple[Literal["gpc"], ...] = ("gpc",)
    purposes: Annotated[tuple[Purpose, ...], NOT_EMPTY]


class ConsentRequired(DutyOf):
    """Nothing may happen for these purposes before the person has agreed."""

    kind: Literal["consent-required"]
    purposes: Annotated[tuple[Purpose, ...], NOT_EMPTY]


class Sensitive(StrEnum):
    """The four ways in which laws treat sensitive data, strictest last."""

    NOTICE_AND_OPT_OUT = "notice_and_opt_out"
    RIGHT_TO_LIMIT = "right_to_limit"
    OPT_IN_CONSENT = "opt_in_consent"
    NECESSARY_ONLY_NO_SALE = "necessary_only_no_sale"


class SensitiveData(DutyOf):
    """How sensitive data may be used."""

    kind: Literal["sensitive-data"]
    regime: Sensitive


class SensitiveCategories(DutyOf):
    """What counts as sensitive, in the codes of the category taxonomy's legal matrix."""

    kind: Literal["sensitive-categories"]
    codes: Annotated[tuple[Text, ...], NOT_EMPTY]
    precise_geolocation_feet: int | None = Field(default=None, ge=1, le=100_000)


class Minors(DutyOf):
    """What holds for young people."""

    kind: Literal["minors"]
    below: int = Field(ge=1, le=21)
    """Age in years."""
    treatment: Literal["banned", "own-consent", "parental-consent", "sensitive", "assessment"]
    of: tuple[OptedOut, ...] = ()


class Ban(DutyOf):
    """What consent does not cure."""

    kind: Literal["ban"]
    of: Annotated[tuple[OptedOut, ...], NOT_EMPTY]
    codes: tuple[Text, ...] = ()
    """Legal codes of the data; empty: all personal data of those it protects."""
    below: int | None = Field(default=None, ge=1, le=21)


class Standard(StrEnum):
    """How much may be collected."""

    ADEQUATE = "adequate"
    """Adequate, relevant and reasonably necessary for the purposes that were disclosed."""
    REQUESTED = "requested"
    """Necessary for the product or service that the person asked for (Maryland)."""
    NECESSARY = "necessary"
    """Limited to what the purpose needs (GDPR)."""


class Minimisation(DutyOf):
    """Collection is limited."""

    kind: Literal["minimisation"]
    standard: Standard


class RequestDeadline(DutyOf):
    """How soon a person's request must be dealt with."""

    kind: Literal["request-deadline"]
    stage: Literal["response", "extension", "receipt", "revocation"]
    days: int = Field(ge=1, le=365)
    business_days: bool = False


class OptOutDeadline(DutyOf):
    """How soon an opt-out must have effect."""

    kind: Literal["opt-out-deadline"]
    days: int = Field(ge=1, le=365)
    business_days: bool = False


class Penalty(DutyOf):
    """What a violation may cost."""

    kind: Literal["penalty"]
    amount: int = Field(ge=1)
    currency: Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")]
    for_: Literal["violation", "intentional-or-minor", "repeat", "transaction", "maximum"] = Field(alias="for")


class CurePeriod(DutyOf):
    """Days in which a violation may be mended before the regulator acts."""

    kind: Literal["cure-period"]
    days: int = Field(ge=1, le=365)
    discretionary: bool = False


class BreachClock(DutyOf):
    """How soon a breach must be told."""

    kind: Literal["breach-clock"]
    to: Literal["individuals", "regulator"]
    hours: int | None = Field(default=None, ge=1)
    """Hours, or none where the law names no number."""
    days: int | None = Field(default=None, ge=1)
    business_days: bool = False
    standard: Text
    """The law's measure in our words, for people."""

    @model_validator(mode="after")
    def _has_one_number(self) -> Self:
        if self.hours is not None and self.days is not None:
            raise ValueError("give hours or days, not both")
        return self


class TransferRestriction(DutyOf):
    """Data may leave only on conditions."""

    kind: Literal["transfer-restriction"]
    regime: Text
    """Id of the file in `transfers`."""


Duty = (
    OptOutRight
    | OptOutSignal
    | ConsentRequired
    | SensitiveData
    | SensitiveCategories
    | Minors
    | Ban
    | Minimisation
    | RequestDeadline
    | OptOutDeadline
    | Penalty
    | CurePeriod
    | BreachClock
    | TransferRestriction
)

Regime = Literal["opt-in", "opt-out", "none"]


class Jurisdiction(Written):
    """A body of rules for the people of one place."""

    id: str
    """`DE`, `US-CA`, `EU`: the place, or a bloc above countries."""
    name: Text
    law: str = Field(default="", max_length=200)
    """The main privacy law; empty where there is none, or where a parent has it."""
    regime: Regime
    """What the main law is, once it is in force. Checked against the duties."""
    parent: str = ""
    """Its duties hold here too."""
    duties: tuple[Annotated[Duty, Field(discriminator="kind")], ...] = ()

    @field_validator("id", "parent")
    @classmethod
    def _is_known(cls, value: str) -> str:
        if not value or is_place(value) or value in BLOCS:
            return value
        raise ValueError("not an ISO 3166 code in capitals, nor EU or EEA")
