"""`privacy-monitor declare`: what only people know of an episode, and what starts or ends a clock of the law."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from alerts.wording import until_when, what_is_due
from monitor.alert_log import from_topic, newest
from monitor.files import client_settings, read_config
from monitor.kafka import KafkaProblem, Writer, require_topics
from topics.alert import Alert
from topics.catalog import TRIAGE
from topics.record import Outgoing
from topics.triage import Declaration, Declared

_MOST_BY = 80


def declare(  # noqa: PLR0913 - each is a flag of the command
    episode: Annotated[
        str, typer.Argument(help="Key of the episode, or its beginning, as `export` and `top` show it.")
    ],
    what: Annotated[
        Declared,
        typer.Argument(help="breach: its telling is due. notice: the regulator gave notice. met: a duty is met."),
    ],
    *,
    config: Annotated[Path, typer.Option("--config", "-c", help="Configuration file.")] = Path("monitor.yaml"),
    at: Annotated[str, typer.Option(help="When it happened (2026-11-25T14:00:00+01:00); now without it.")] = "",
    duty: Annotated[str, typer.Option(help="With met: id of the duty.")] = "",
    by: Annotated[str, typer.Option(help="Role or account that declares it; kept on the triage topic.")] = "",
    undo: Annotated[bool, typer.Option("--undo", help="Take an earlier declaration back.")] = False,
) -> None:
    """Declare a breach, a regulator's notice, or a duty that is met: the episode's clocks run, or stand, by it."""
    settings = client_settings(read_config(config).kafka, str(config))
    require_topics(settings, [TRIAGE.name])
    alert = _known(episode, newest(from_topic(settings)))
    if (what is Declared.MET) != bool(duty):
        raise typer.BadParameter("give --duty with met, and with nothing else")
    if duty and not undo and duty not in {each.duty for each in alert.due}:
        known = ", ".join(each.duty for each in alert.due) or "none"
        raise typer.BadParameter(f"{duty} is no duty of this episode that runs; those are: {known}")
    moment = 0 if undo else _moment(at)
    record = Declaration(episode_key=alert.episode_key, what=what, at_ms=moment, duty=duty, by=by[:_MOST_BY])
    Writer(settings).send([Outgoing(TRIAGE.name, record.key, msgspec.json.encode(record))])
    typer.echo(f"declared of {alert.episode_key}: {what.value}{' (taken back)' if undo else ''}")
    for each in alert.due:
        if each.waits_for == what.value and not undo:
            typer.echo(f"now runs: {what_is_due(each)}, {each.measure} ({each.duty})")
        elif each.duty != duty:
            typer.echo(f"{what_is_due(each)}: {until_when(each)} ({each.duty})")


def _known(episode: str, alerts: list[Alert]) -> Alert:
    found = [alert for alert in alerts if alert.episode_key.startswith(episode)]
    exact = [alert for alert in found if alert.episode_key == episode]
    if len(exact or found) != 1:
        several = "several episodes have keys that begin so" if found else "no episode has this key"
        raise KafkaProblem(f"{episode[:80]}: {several}; `privacy-monitor export --unresolved` shows the keys")
    return (exact or found)[0]


def _moment(text: str) -> int:
    """Read a moment; without a zone it is UTC. It cannot lie ahead."""
    now = datetime.now(UTC)
    if not text:
        return int(now.timestamp() * 1000)
    try:
        told = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"--at {text[:40]}: not a moment such as 2026-11-25T14:00:00+01:00") from None
    told = told if told.tzinfo else told.replace(tzinfo=UTC)
    if not datetime(2000, 1, 1, tzinfo=UTC) <= told <= now:
        raise typer.BadParameter("--at: a moment between 2000 and now")
    return int(told.timestamp() * 1000)
