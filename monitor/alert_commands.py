"""Commands about alerts and generated files: export, notify, top, declare, docs."""

import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
import orjson
import typer
from ruamel.yaml import YAML

from alerts import table
from alerts.ocsf import compliance_finding
from alerts.sinks.spool import SpoolProblem
from monitor.alert_log import AlertFileProblem, from_file, from_topic, newest
from monitor.context import VERSION
from monitor.declare_command import declare
from monitor.files import client_settings, read_config
from monitor.notify import notify_until_stopped
from monitor.processes import EXIT_USAGE
from monitor.top import show
from topics.alert import Alert, EpisodeState

ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="Configuration file.")]
_DEFAULT_CONFIG = Path("monitor.yaml")


class Form(StrEnum):
    """What an export is written as."""

    OCSF = "ocsf"
    CSV = "csv"
    JSON = "json"


def export(
    *,
    config: ConfigOption = _DEFAULT_CONFIG,
    file: Annotated[Path | None, typer.Option(help="JSON Lines of alerts, instead of the topic.")] = None,
    form: Annotated[Form, typer.Option("--format", help="ocsf and json are JSON Lines.")] = Form.JSON,
    unresolved: Annotated[bool, typer.Option(help="Only episodes that are not resolved.")] = False,
    history: Annotated[bool, typer.Option(help="Every alert that is kept, not only the newest of each.")] = False,
) -> None:
    """Write the episodes as OCSF 1.8 Compliance Findings, CSV or JSON to standard output."""
    try:
        read = from_file(file) if file else from_topic(client_settings(read_config(config).kafka, str(config)))
        alerts = list(read) if history else newest(read)
    except AlertFileProblem as problem:
        sys.stderr.write(f"privacy-monitor: {problem}\n")
        raise typer.Exit(EXIT_USAGE) from None
    if unresolved:
        alerts = [alert for alert in alerts if alert.state is not EpisodeState.RESOLVED]
    for line in _lines(alerts, form):
        sys.stdout.write(line)


def notify(config: ConfigOption = _DEFAULT_CONFIG) -> None:
    """Send alerts to the sinks of the configuration; what a target does not take is kept and tried again."""
    settings = read_config(config)
    try:
        notify_until_stopped(settings, client_settings(settings.kafka, str(config)), config)
    except SpoolProblem as problem:
        sys.stderr.write(f"privacy-monitor: {problem}\n")
        raise typer.Exit(EXIT_USAGE) from None


def top(
    config: ConfigOption = _DEFAULT_CONFIG,
    seconds: Annotated[float | None, typer.Option(min=1, help="End by itself after so long.")] = None,
) -> None:
    """Show episodes and health in the terminal, live from the topics."""
    settings = read_config(config)
    show(client_settings(settings.kafka, str(config)), [source.topic for source in settings.sources], seconds)


def docs(folder: Annotated[Path, typer.Option(help="Folder of the project.")] = Path()) -> None:
    """Write the generated files of the project: metrics page, schemas, AsyncAPI, rules of the objectives."""
    from monitor.chart import CHART, readme  # noqa: PLC0415 - only this command needs them
    from monitor.generated import files  # noqa: PLC0415

    values = YAML(typ="safe").load((folder / CHART / "values.yaml").read_text())
    for name, text in {**files(VERSION), f"{CHART}/README.md": readme(values)}.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists() or target.read_text() != text:
            target.write_text(text)
            typer.echo(name)


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(export)
    app.command()(notify)
    app.command()(top)
    app.command()(declare)
    app.command(hidden=True)(docs)


def _lines(alerts: list[Alert], form: Form) -> Iterator[str]:
    if form is Form.CSV:
        yield from table.lines(alerts)
        return
    for alert in alerts:
        made = compliance_finding(alert, VERSION) if form is Form.OCSF else msgspec.to_builtins(alert)
        yield orjson.dumps(made).decode() + "\n"
