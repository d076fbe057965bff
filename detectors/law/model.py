"""The law as people write it: one file for each jurisdiction, each duty with its dates, its source and our confidence."""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from detectors.documents import Written
from detectors.law.fact import NOT_EMPTY, Fact, Purpose, Text
from detectors.law.iso import BLOCS, is_place

DUTY_ID = r"^[a-z]{2,3}(-[a-z0-9]+)+$"


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


class ProcessorAgreement(DutyOf):
    """Whoever processes data for somebody else does so under a written agreement."""

    kind: Literal["processor-agreement"]


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
    | ProcessorAgreement
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
