"""The sinks of the configuration: checked, with their secrets read, and made."""

import re
from collections.abc import Callable, Collection, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from alerts.sinks.apprise import AppriseSender, AppriseText
from alerts.sinks.forms import Alertmanager, Form, SignedWebhook
from alerts.sinks.pagerduty import ROUTING_KEY, PagerDuty
from alerts.sinks.post import post
from alerts.sinks.route import Route, Team
from alerts.sinks.schedule import Digest, QuietHours, Schedule
from alerts.sinks.sink import Deliver, Limits, Sink
from alerts.sinks.spool import Spool
from alerts.sinks.target import TargetProblem, check
from alerts.text import Links
from detectors.documents import Problem
from detectors.spelling import suggestion
from monitor.config import Config
from monitor.files import ConfigProblems, mistake, read_secret
from monitor.notify_config import DAYS, NotifyConfig, SinkConfig, TeamConfig

_MIN_SECRET_BYTES = 16


class Checked:
    """A sink of the configuration, with its form made and its way out."""

    def __init__(
        self, config: SinkConfig, form: Form, deliver: Deliver, teams: tuple[Team, ...], close: Callable[[], None]
    ) -> None:
        self.name = config.name
        self.close = close
        self._config = config
        self._form = form
        self._deliver = deliver
        self._teams = teams

    def over(self, spool: Spool) -> Sink:
        """Give the sink, for the thread that opened the spool."""
        each = self._config
        return Sink(
            each.name,
            self._form,
            self._deliver,
            spool,
            limits=Limits(
                requests_per_minute=each.requests_per_minute,
                alerts_per_request=each.alerts_per_request,
                fold_above=each.fold_above,
                timeout_seconds=each.timeout_seconds,
            ),
            route=Route(
                audiences=each.audiences,
                severity=each.severity,
                jurisdictions=each.jurisdictions,
                services=each.services,
                detectors=tuple(detector.value for detector in each.detectors),
                teams=each.teams,
                known=self._teams,
            ),
            schedule=_schedule(each),
        )


def checked_sinks(config: Config, file: Path) -> tuple[NotifyConfig, list[Checked]]:
    """Check the sinks and read their secrets. Raises ConfigProblems with all mistakes."""
    notify = config.notify
    if notify is None:
        raise ConfigProblems([mistake(str(file), ("notify",), "is missing; it lists the sinks to send to")])
    teams = tuple(
        Team(
            name=each.name,
            services=each.services,
            jurisdictions=each.jurisdictions,
            recipients=each.recipients,
            detectors=tuple(detector.value for detector in each.detectors),
        )
        for each in notify.teams
    )
    maker = _Maker(config, notify, file)
    sinks = []
    for index, each in enumerate(notify.sinks):
        made = maker.make(each, ("notify", "sinks", index))
        if made is not None:
            form, deliver, close = made
            sinks.append(Checked(each, form, deliver, teams, close))
    if maker.problems:
        raise ConfigProblems(maker.problems)
    return notify, sinks


def require_known_places(notify: NotifyConfig, file: Path, known: Collection[str]) -> None:
    """Check that teams and sinks ask for places of which a law is known. Raises ConfigProblems: of others comes no alert."""
    routed: dict[str, Sequence[TeamConfig | SinkConfig]] = {"teams": notify.teams, "sinks": notify.sinks}
    problems = [
        mistake(
            str(file),
            ("notify", kind, index, "jurisdictions", number),
            f"no law of `{place}` is known, so nothing of it will ever be told{suggestion(place, known)}; "
            "`privacy-monitor law list` shows all",
        )
        for kind, parts in routed.items()
        for index, each in enumerate(parts)
        for number, place in enumerate(each.jurisdictions)
        if place not in known
    ]
    if problems:
        raise ConfigProblems(problems)


Made = tuple[Form, Deliver, Callable[[], None]]


class _Maker:
    """Makes forms and ways out, and gathers mistakes."""

    def __init__(self, config: Config, notify: NotifyConfig, file: Path) -> None:
        self.problems: list[Problem] = []
        self._notify = notify
        self._file = file
        self._links = Links(runbooks=notify.runbooks)
        self._hold_seconds = config.alerts.quiet_seconds + config.alerts.resolve_seconds + 3600

    def make(self, each: SinkConfig, path: tuple[str | int, ...]) -> Made | None:
        secret = self._secret(each, path)
        if each.kind == "apprise":
            return None if secret is None else self._apprise(each, path, secret)
        deliver = self._posted(each, path)
        if secret is None or deliver is None:
            return None
        return self._form(each, secret), deliver, lambda: None

    def _posted(self, each: SinkConfig, path: tuple[str | int, ...]) -> Deliver | None:
        allowed = self._notify.allowed_hosts
        try:
            target = check(each.address, allowed, allow_http=each.allow_http, allow_private=each.allow_private)
        except TargetProblem as problem:
            self._report((*path, "url" if each.url else "kind"), str(problem))
            return None
        return partial(post, target)

    def _form(self, each: SinkConfig, secret: str) -> Form:
        if each.kind == "webhook":
            return SignedWebhook(secret.encode(), self._links)
        if each.kind == "pagerduty":
            return PagerDuty(secret, self._links)
        return Alertmanager(self._hold_seconds, self._links)

    def _apprise(self, each: SinkConfig, path: tuple[str | int, ...], address: str) -> Made | None:
        if find_spec("apprise") is None:
            self._report((*path, "kind"), "needs Apprise: pip install 'streaming-privacy-monitor[apprise]'")
            return None
        sender = AppriseSender(
            address, self._notify.allowed_hosts, allow_private=each.allow_private, allow_http=each.allow_http
        )
        problem = sender.problem()
        if problem:
            # The address is a secret, so it is not told.
            self._report((*path, "secret"), problem)
            return None
        return AppriseText(self._links), sender, sender.close

    def _secret(self, each: SinkConfig, path: tuple[str | int, ...]) -> str | None:
        """Give the secret; an empty one where the kind has none, None where it is wrong."""
        if each.secret is None:
            return ""
        kept = each.secret
        if kept.file is not None:
            kept = kept.model_copy(update={"file": self._file.parent / kept.file})
        secret = read_secret(kept, str(self._file), (*path, "secret"), self.problems)
        if secret is None:
            return None
        if each.kind == "webhook" and len(secret.encode()) < _MIN_SECRET_BYTES:
            self._report((*path, "secret"), f"has under {_MIN_SECRET_BYTES} bytes")
            return None
        if each.kind == "pagerduty" and not re.fullmatch(ROUTING_KEY, secret):
            self._report((*path, "secret"), "is no routing key of PagerDuty: those are 32 letters and digits")
            return None
        return secret

    def _report(self, path: tuple[str | int, ...], message: str) -> None:
        self.problems.append(mistake(str(self._file), path, message))


def _schedule(each: SinkConfig) -> Schedule | None:
    if not each.quiet_hours and each.digest is None:
        return None
    quiet = tuple(
        QuietHours(
            zone=span.zone,
            begins=span.begin,
            ends=span.end,
            days=tuple(DAYS.index(day) for day in span.days),
            through=span.through,
        )
        for span in each.quiet_hours
    )
    told = each.digest
    digest = None if told is None else Digest(zone=told.zone, at=told.at, hours=told.hours, upto=told.upto)
    return Schedule(quiet=quiet, digest=digest)
