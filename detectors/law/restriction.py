"""Laws that restrict where data may go, as people write them: one file for each regime of exporters."""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from detectors.documents import Written
from detectors.law.fact import NOT_EMPTY, Confidence, Day, Fact, PlaceCode, Text


class MechanismKind(StrEnum):
    """What can permit a transfer."""

    ADEQUACY = "adequacy"
    SCC = "scc"
    """Standard contractual clauses; for exporters in the United Kingdom, with its Addendum."""
    BCR = "bcr"
    IDTA = "idta"
    DPF = "dpf"
    """Certified to the Data Privacy Framework, with the extension of the exporter's country."""
    AGREEMENT = "agreement"
    """The written agreement that a law asks for. In the register it is `agreement`, not a mechanism."""
    DEROGATION = "derogation"
    """For one occasion only: it never carries a stream."""
    NONE = "none"


class Scope(StrEnum):
    """Whom a finding of adequacy covers."""

    FULL = "full"
    COMMERCIAL = "commercial"
    """Commercial organisations (Canada). A recipient of a shop's data is taken for one."""
    LAW_COVERED = "law-covered"
    """Those whom the country's own law covers (Brazil, Japan, Korea). Likewise presumed."""
    CERTIFIED = "certified"
    """Only those whose register entry names the certification."""


class Adequacy(Fact):
    """Places that an exporter's law holds to be adequate."""

    places: Annotated[tuple[PlaceCode, ...], NOT_EMPTY]
    scope: Scope = Scope.FULL
    since_confidence: Confidence = Confidence.VERIFIED
    """A recalled first day accuses nobody: before it, the answer is unknown."""
    pending_for: tuple[PlaceCode, ...] = ()
    """Exporters for whom it is not known to hold yet: without another ground the answer is unknown."""

    @model_validator(mode="after")
    def _has_one_place_a_time(self) -> Self:
        if len(set(self.places)) != len(self.places):
            raise ValueError("a place stands here twice")
        return self


class Mechanism(Fact):
    """A ground other than adequacy that this law accepts."""

    kind: MechanismKind
    own_text: bool = False
    """The law has a text of its own: an entry of the register counts only if it names this law under `regimes`."""

    @model_validator(mode="after")
    def _is_a_ground(self) -> Self:
        if self.kind in {MechanismKind.NONE, MechanismKind.ADEQUACY, MechanismKind.DEROGATION}:
            raise ValueError("adequacy has its own list, and neither none nor a derogation carries a stream")
        return self


class Unsettled(Written):
    """Places of which nobody has established whether data may go there: without a ground the answer is unknown."""

    places: Annotated[tuple[PlaceCode, ...], NOT_EMPTY]
    checked_on: Day
    note: Text


class BulkGroup(Written):
    """Data whose bulk transfer to a place of concern is forbidden or restricted."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z-]*$")]
    categories: Annotated[tuple[Annotated[str, StringConstraints(pattern=r"^user(\.[a-z_]+)+$")], ...], NOT_EMPTY]
    """Prefixes of the category taxonomy."""
    threshold: int = Field(ge=0)
    """The way is closed from one more than so many distinct persons or devices in twelve months on; 0: from the first."""
    citation: Text
    source: tuple[Text, ...] = ()
    confidence: Confidence

    @model_validator(mode="after")
    def _names_its_source(self) -> Self:
        if self.confidence is Confidence.VERIFIED and not self.source:
            raise ValueError("a verified fact names its source; without one it is recalled")
        return self


class Concern(Written):
    """Places where data of people from here may not go, whatever the register says (28 CFR 202)."""

    destinations: Annotated[tuple[PlaceCode, ...], NOT_EMPTY]
    groups: Annotated[tuple[BulkGroup, ...], NOT_EMPTY]


class TransferRegime(Fact):
    """One law on transfers: whose people, what counts as inside, and what permits leaving."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z]+(-[a-z0-9]+)+$")]
    name: Text
    exporters: Annotated[tuple[PlaceCode, ...], NOT_EMPTY]
    area: Annotated[tuple[PlaceCode, ...], NOT_EMPTY]
    """Within it nothing is transferred."""
    without_ground: Literal["missing", "unknown", "permitted"]
    """What a transfer without a ground is: `missing` raises; `unknown` where exemptions cannot be seen from here."""
    adequacy: tuple[Adequacy, ...] = ()
    mechanisms: tuple[Mechanism, ...] = ()
    mechanisms_complete: bool = True
    """Whether the list is known to be all there is; if not, a mechanism that is not on it gives unknown."""
    unsettled: tuple[Unsettled, ...] = ()
    concern: Concern | None = None

    @model_validator(mode="after")
    def _raises_only_what_is_verified(self) -> Self:
        if self.confidence is Confidence.RECALLED and (self.without_ground == "missing" or self.concern):
            raise ValueError(
                "a recalled law may not raise: without_ground must be unknown or permitted, and no concern"
            )
        if self.concern and self.without_ground != "permitted":
            raise ValueError("a law of concerned places permits all other ones: without_ground must be permitted")
        if not set(self.exporters) <= set(self.area):
            raise ValueError("every exporter lies inside the area")
        return self
