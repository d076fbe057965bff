"""Which alerts a sink gets: by who should act, severity, place, service, detector and team. Pure."""

import msgspec

from topics.alert import Alert, Audience
from topics.finding import SEVERITIES, Severity

NOBODYS = "none"
"""In place of a team: alerts that no team answers for."""


class Team(msgspec.Struct, frozen=True, kw_only=True):
    """A team and what it answers for: an alert that fits every list that is not empty."""

    name: str
    services: tuple[str, ...] = ()
    jurisdictions: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    detectors: tuple[str, ...] = ()

    def answers_for(self, alert: Alert) -> bool:
        """Tell whether an alert is this team's."""
        return (
            (not self.services or not set(self.services).isdisjoint(alert.services))
            and (not self.jurisdictions or is_within(alert.jurisdiction, self.jurisdictions))
            and (not self.recipients or alert.recipient in self.recipients)
            and (not self.detectors or alert.detector.value in self.detectors)
        )


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """Which alerts a sink gets. An empty list lets all pass; what an exception covers passes only where `none` is listed."""

    audiences: tuple[Audience, ...] = ()
    severity: Severity = Severity.LOW
    """The least severe that passes."""
    jurisdictions: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    detectors: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    known: tuple[Team, ...] = ()
    """All teams that there are."""

    def wants(self, alert: Alert) -> bool:
        """Tell whether an alert passes."""
        return (
            SEVERITIES.index(alert.severity) >= SEVERITIES.index(self.severity)
            and (alert.audience in self.audiences if self.audiences else alert.audience is not Audience.NOBODY)
            and (not self.jurisdictions or is_within(alert.jurisdiction, self.jurisdictions))
            and (not self.services or not set(self.services).isdisjoint(alert.services))
            and (not self.detectors or alert.detector.value in self.detectors)
            and (not self.teams or not set(self.teams).isdisjoint(teams_of(alert, self.known)))
        )


def teams_of(alert: Alert, known: tuple[Team, ...]) -> tuple[str, ...]:
    """Give the teams that answer for an alert; `none` where there is no such team."""
    return tuple(team.name for team in known if team.answers_for(alert)) or (NOBODYS,)


def is_within(place: str, wanted: tuple[str, ...]) -> bool:
    """Tell whether a place is one of those wanted, or a part of one: `US-CA` lies within `US`."""
    return any(place == each or place.startswith(f"{each}-") for each in wanted)
