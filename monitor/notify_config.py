"""What can be set of `privacy-monitor notify`: sinks, whom they tell of what, and when."""

from datetime import time
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from alerts.sinks.pagerduty import ADDRESS
from alerts.sinks.route import NOBODYS
from detectors.documents import Written
from monitor.secret import Secret
from topics.alert import Audience
from topics.finding import Detector, Severity

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"there is no time zone {name[:60]}; give one as Europe/Berlin, America/Los_Angeles or UTC"
        ) from None
    return name


def _clock(written: object) -> object:
    # YAML reads 22:00 as it stands; what is no text would be taken for seconds.
    if not isinstance(written, str) or len(written) != 5 or written[2] != ":":
        raise ValueError("give a time of day in quotes, such as '22:00'")
    return written


Zone = Annotated[str, AfterValidator(_zone)]
Clock = Annotated[
    time, BeforeValidator(_clock), WithJsonSchema({"type": "string", "pattern": "^[0-2][0-9]:[0-5][0-9]$"})
]
Team = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")]


class QuietHoursConfig(Written):
    """A daily span in which people are left alone. What comes meanwhile is kept and told afterwards."""

    zone: Zone = Field(description="Time zone of the IANA database, such as Europe/Berlin.")
    begin: Clock = Field(description="Time of day at which it begins, such as '22:00'.")
    end: Clock = Field(description="Time of day at which it ends; not after `begin`: on the next day.")
    days: tuple[Day, ...] = Field(DAYS, description="Days on which it begins.", json_schema_extra={"minItems": 1})
    through: Severity = Field(Severity.CRITICAL, description="From this severity on, people are called all the same.")

    @field_validator("days")
    @classmethod
    def _some_day(cls, days: tuple[Day, ...]) -> tuple[Day, ...]:
        if not days:
            raise ValueError("name at least one day, or leave it out for all")
        return days


class DigestConfig(Written):
    """One message for a period, for what is not severe."""

    zone: Zone = Field(description="Time zone of the IANA database.")
    at: Clock = Field(time(9), description="Time of day of the first one.")
    hours: Literal[1, 2, 3, 4, 6, 8, 12, 24] = Field(24, description="Hours from one to the next.")
    upto: Severity = Field(
        Severity.LOW, description="What is more severe is told at once. Gaps are always of severity low."
    )


class TeamConfig(Written):
    """What a team answers for: an alert that fits every list that is not empty."""

    name: Team = Field(description="Name that sinks list in `teams`.")
    services: tuple[str, ...] = Field((), description="Services that the episode touches.")
    jurisdictions: tuple[str, ...] = Field((), description="Places; US means every state too.")
    recipients: tuple[str, ...] = Field((), description="Who receives the data.")
    detectors: tuple[Detector, ...] = Field((), description="Detectors.")

    @model_validator(mode="after")
    def _answers_for_something(self) -> "TeamConfig":
        if self.name == NOBODYS:
            raise ValueError(f"`{NOBODYS}` stands for alerts that no team answers for; give the team another name")
        if not (self.services or self.jurisdictions or self.recipients or self.detectors):
            raise ValueError("a team answers for something; give services, jurisdictions, recipients or detectors")
        return self


class SinkConfig(Written):
    """A target that is told of alerts."""

    name: str = Field(pattern=r"^[a-z0-9-]{1,40}$", description="Name of the sink, in metrics and logs.")
    kind: Literal["webhook", "alertmanager", "pagerduty", "apprise"] = Field(
        description="webhook: signed JSON (Standard Webhooks); alertmanager: its API v2; pagerduty: Events API v2; apprise: Slack "
        "and others (extra `apprise`)."
    )
    url: str = Field(
        "",
        description="Where to send; its host must be among `allowed_hosts`. For pagerduty its own address without it; for "
        "apprise the secret is the address.",
    )
    secret: Secret | None = Field(
        None,
        description="webhook: key that signs, at least 16 bytes. pagerduty: routing key. apprise: the address, such as "
        "slack://token/token/token.",
    )
    allow_http: bool = Field(default=False, description="Allow an address without TLS.")
    allow_private: bool = Field(default=False, description="Allow an address that is not reachable for everybody.")
    audiences: tuple[Audience, ...] = Field((), description="on-call, engineers; empty: both.")
    severity: Severity = Field(Severity.LOW, description="The least severe that is sent.")
    jurisdictions: tuple[str, ...] = Field((), description="Only these; US means every state too. Empty: all.")
    services: tuple[str, ...] = Field((), description="Only episodes that touch one of these; empty: all.")
    detectors: tuple[Detector, ...] = Field((), description="Only these; empty: all.")
    teams: tuple[Team, ...] = Field(
        (), description="Only alerts of these teams; `none`: those that no team answers for. Empty: all."
    )
    quiet_hours: tuple[QuietHoursConfig, ...] = Field((), description="Spans in which people are left alone.")
    digest: DigestConfig | None = Field(None, description="One message for a period, for what is not severe.")
    requests_per_minute: float = Field(20.0, gt=0, le=6000, description="More than that waits, and then folds.")
    alerts_per_request: int = Field(100, ge=1, le=1000, description="Alerts of one request, at most.")
    fold_above: int = Field(1000, ge=1, description="With more waiting, alerts of one episode become its newest.")
    timeout_seconds: float = Field(10.0, gt=0, le=60, description="How long to wait for a connection or an answer.")

    @property
    def address(self) -> str:
        """Where to send."""
        return self.url or (ADDRESS if self.kind == "pagerduty" else "")

    @model_validator(mode="after")
    def _fits_its_kind(self) -> "SinkConfig":
        needs_secret = self.kind != "alertmanager"
        if needs_secret != (self.secret is not None):
            raise ValueError(
                "an alertmanager takes no `secret`" if self.secret else f"a sink of kind {self.kind} needs `secret`"
            )
        if self.kind == "apprise" and self.url:
            raise ValueError(
                "the address of an apprise sink holds secrets; put it into a file and name that as `secret`"
            )
        if self.kind != "apprise" and not self.address:
            raise ValueError(f"a {self.kind} needs `url`")
        if self.digest is not None and self.kind in {"pagerduty", "alertmanager"}:
            raise ValueError(
                f"a {self.kind} keeps one state for each episode and takes no digest; use `severity` instead"
            )
        return self


class NotifyConfig(Written):
    """What `privacy-monitor notify` does."""

    spool: Path = Field(Path("notify.sqlite"), description="File that keeps what waits; on a disk that stays.")
    group: str = Field("privacy-monitor-notify", description="Consumer group on the alerts topic.")
    port: int = Field(9664, ge=0, le=65535, description="Port of metrics and health pages.")
    allowed_hosts: tuple[str, ...] = Field((), description="Hosts that alerts may be sent to; no others are.")
    runbooks: str = Field(
        "",
        pattern=r"^(https?://\S+)?$",
        description="Address in front of NAME.md in links to runbooks, such as that of your copy of the site.",
    )
    teams: tuple[TeamConfig, ...] = Field((), description="Teams, and what each answers for.")
    # Its least length is checked below: pydantic would count only those without a mistake.
    sinks: tuple[SinkConfig, ...] = Field(description="Targets.", json_schema_extra={"minItems": 1})

    @field_validator("sinks", "teams")
    @classmethod
    def _named_once(
        cls, listed: tuple[SinkConfig, ...] | tuple[TeamConfig, ...], info: ValidationInfo
    ) -> tuple[SinkConfig, ...] | tuple[TeamConfig, ...]:
        if info.field_name == "sinks" and not listed:
            raise ValueError("list at least one sink")
        names = [each.name for each in listed]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} is listed twice")
        return listed

    @model_validator(mode="after")
    def _teams_are_known(self) -> "NotifyConfig":
        known = {team.name for team in self.teams} | {NOBODYS}
        unknown = sorted({name for sink in self.sinks for name in sink.teams if name not in known})
        if unknown:
            raise ValueError(f"`teams` of a sink names {', '.join(unknown)}, and `notify.teams` does not list it")
        return self
