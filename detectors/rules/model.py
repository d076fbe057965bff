"""The rule file: what people write about what is worth telling."""

import json
import re
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, WithJsonSchema, model_validator

from detectors.documents import Written
from detectors.rules.names import Assessor
from topics.finding import Mode, Severity, Verdict, Windows


def _shaped(pattern: str, sentence: str) -> AfterValidator:
    """Refuse texts of another shape with a sentence, where a pattern would tell its author little."""

    def check(value: str) -> str:
        if len(value) > _MAX_ID or not re.fullmatch(pattern, value):
            raise ValueError(sentence)
        return value

    return AfterValidator(check)


def _for_editors(pattern: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^{pattern}$", "maxLength": _MAX_ID})


_MAX_ID = 120
_RULE_ID = r"[a-z][a-z0-9-]*\.[a-z0-9][a-z0-9-]*"
_VERSION = r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)"
_SHARE = r"[1-9][0-9]?%"
_DURATION = r"[1-9][0-9]{0,3}[mh]"
_SPAN = r"[1-9][0-9]{0,3}[smhd]"
_DUTY = r"(\*-)?[a-z0-9][a-z0-9.-]*"

RuleId = Annotated[
    str,
    _shaped(_RULE_ID, "expected pack and name in lower case, such as tracking.gpc-ignored"),
    _for_editors(_RULE_ID),
]
"""Pack and name: `tracking.gpc-ignored`."""
Version = Annotated[str, _shaped(_VERSION, "expected three numbers with dots, such as 1.0.0"), _for_editors(_VERSION)]
"""Semantic version. A new major version starts new episodes."""
DutyName = Annotated[
    str, _shaped(_DUTY, "expected the id of a duty in the law pack, or *- and how it ends"), _for_editors(_DUTY)
]
"""Id of a duty in the law pack, or `*-` and how its id ends, for the same duty in every jurisdiction."""
Share = Annotated[str, _shaped(_SHARE, "expected a whole percentage from 1% to 99%, such as 10%"), _for_editors(_SHARE)]
"""A share in whole per cent: `10%`."""
Duration = Annotated[str, _shaped(_DURATION, "expected minutes or hours, such as 10m or 2h"), _for_editors(_DURATION)]
"""A time in whole minutes or hours."""
Span = Annotated[str, _shaped(_SPAN, "expected a time such as 30s, 10m, 2h or 7d"), _for_editors(_SPAN)]
"""A time in whole seconds, minutes, hours or days."""
Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=400)]


class Status(StrEnum):
    """How far a rule has been tried."""

    EXPERIMENTAL = "experimental"
    TEST = "test"
    STABLE = "stable"
    DEPRECATED = "deprecated"


class Escalation(Written):
    """A condition under which a finding is told at another severity."""

    when: str = Field(description="Condition in CEL, over the same names as the rule's own.")
    severity: Severity


class ThresholdRule(Written):
    """How much must come together before people are told."""

    findings: int = Field(default=1, ge=1, le=1_000_000, description="Findings within the time, at least.")
    subjects: int = Field(default=1, ge=1, le=1_000_000, description="Distinct persons among them, at least.")
    within: Duration = Field(
        description="The time, from 1m to 24h: any so many minutes in a row, by the events' own time."
    )

    @property
    def minutes(self) -> int:
        """The time in minutes."""
        return int(self.within[:-1]) * (60 if self.within.endswith("h") else 1)

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if self.findings <= 1 and self.subjects <= 1:
            raise ValueError("one finding is always there; ask for more findings or more subjects")
        if not 1 <= self.minutes <= 24 * 60:
            raise ValueError("within is from 1m to 24h")
        if self.subjects > self.findings:
            raise ValueError(
                f"{self.subjects} subjects need at least as many findings; write findings: {self.subjects}"
            )
        return self


_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def _seconds(span: str | None) -> int | None:
    return None if span is None else int(span[:-1]) * _SECONDS[span[-1]]


class EpisodeRule(Written):
    """When the rule's episodes end, where it is not as the configuration says."""

    update: Span | None = Field(default=None, description="One that grows is told anew at most this often.")
    quiet: Span | None = Field(default=None, description="Nothing new for so long: it is quiet.")
    resolve: Span | None = Field(default=None, description="Nothing new for so long: it is resolved.")
    reopen: Span | None = Field(
        default=None, description="What comes so soon after it was resolved opens the same episode again."
    )

    @property
    def windows(self) -> Windows:
        """The same in seconds."""
        return Windows(
            update=_seconds(self.update),
            quiet=_seconds(self.quiet),
            resolve=_seconds(self.resolve),
            reopen=_seconds(self.reopen),
        )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        told = self.windows
        if told.quiet is not None and told.resolve is not None and told.resolve <= told.quiet:
            raise ValueError("an episode is quiet before it is resolved; give resolve more time than quiet")
        return self


class Gate(Written):
    """What must be shown before `rules promote` makes a rule live."""

    alerts_per_day: float = Field(ge=0, le=10_000, description="Calls to people a day, at most, by the backtest.")
    hours: float = Field(
        default=24, gt=0, le=8_784, description="Hours of traffic that the backtest must span, at least."
    )


class RuleTest(Written):
    """A case of a rule: what is given, and whether the rule finds something."""

    name: Sentence
    given: dict[str, Any] = Field(
        description="Facts by name, nested. What is left out has the default of its type (no proof, unknown recipient)."
    )
    expect: Literal["finding", "none"]


class RuleFile(Written):
    """One rule: which facts are worth telling, how loudly, and how they are grouped."""

    id: RuleId = Field(description="Pack and name, equal to the file's name. Public, and never used again.")
    title: Sentence = Field(description="What is wrong, in a few words.")
    version: Version = Field(description="Semantic version. A new major version starts new episodes.")
    status: Status
    mode: Mode = Field(description="live: people are told. shadow: only metrics and the shadow topic.")
    canary: Share | None = Field(
        default=None,
        description="Of a live rule: the share of its episodes that people are told of, such as 10%; the others go to "
        "shadow. An episode is wholly live or wholly in shadow, by the hash of its key.",
    )
    assessor: Assessor = Field(description="Who states the facts that the rule reads.")
    when: str = Field(
        description="Condition in CEL over the names of the assessor. The rule finds something where it holds."
    )
    verdict: Verdict = Field(
        default=Verdict.VIOLATION, description="violation: a rule is broken. gap: a fact is missing to say so."
    )
    severity: Severity
    severity_when: tuple[Escalation, ...] = Field(
        default=(), description="Other severities; the first whose condition holds is taken."
    )
    threshold: ThresholdRule | None = Field(
        default=None,
        description="Of the findings of one episode: how many must come together before people are told of it.",
    )
    episode: EpisodeRule | None = Field(
        default=None, description="When its episodes end, where it is not as the configuration says."
    )
    gate: Gate | None = Field(default=None, description="What `rules promote` asks for before the rule goes live.")
    group_by: tuple[str, ...] = Field(min_length=1, max_length=6, description="Names whose values make one episode.")
    law: tuple[DutyName, ...] = Field(
        default=(),
        description="Duties that the rule is about, by id or by its end (*-transfers). Where none of them is in force, a "
        "finding rests on policy. Empty: all duties that the assessment names.",
    )
    runbook: RuleId = Field(description="Id of the runbook.")
    why: Sentence = Field(description="One plain sentence for the responder; {flow.recipient} stands for a value.")
    description: str = Field(default="", description="What a rule author should know.")
    falsepositives: tuple[Sentence, ...] = Field(default=(), description="When the rule may speak without need.")
    tests: tuple[RuleTest, ...] = Field(
        min_length=1, description="At least one case that finds something and one that does not."
    )


def is_named(duty: str, name: str) -> bool:
    """Say whether the id of a duty is this one, or ends as this one asks."""
    return duty.endswith(name[1:]) if name.startswith("*") else duty == name


def schema_text() -> str:
    """Give the JSON Schema of a rule file, for editors: the content of `rule.schema.json`."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **RuleFile.model_json_schema()}
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
