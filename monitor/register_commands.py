"""`privacy-monitor register`: is the register right, what does it lack, what runs out."""

import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import orjson
import typer
from rich.table import Table
from rich.text import Text

from detectors.documents import Problem
from detectors.register import Register, read_register
from detectors.register_views import Draft, draft, expiring
from monitor.capture import Capture
from monitor.context import Loaded, load, load_shipped
from monitor.files import ConfigProblems, Unreadable, client_settings, read_config, read_text
from monitor.inspect import own_domains
from monitor.law_commands import console, day
from monitor.observed import Observed, from_captures, from_topics

register_app = typer.Typer(help="The register of recipients: mistakes, gaps, what runs out.", no_args_is_help=True)

ConfigOption = Annotated[Path | None, typer.Option("--config", "-c", help="Configuration that names the register.")]
RegisterOption = Annotated[Path | None, typer.Option("--register", help="The register, when there is no --config.")]
RegisterArgument = Annotated[
    Path | None, typer.Argument(metavar="[REGISTER]", help="The register. Without it, that of --config.")
]
FilesArgument = Annotated[
    list[str] | None,
    typer.Argument(help="Captures. Without them, and with --config, the monitor's own topics are read."),
]
DomainOption = Annotated[list[str] | None, typer.Option("--domain", help="The shop's own domain. Told from the pages.")]
FormatOption = Annotated[str | None, typer.Option("--format", help="Adapter of the captures. Told from the file.")]
BodyOption = Annotated[str | None, typer.Option("--body", help="Dotted path of the request body (Kong).")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON Lines.")]


@register_app.command("check")
def register_check(
    named: RegisterArgument = None,
    *,
    config: ConfigOption = None,
    register: RegisterOption = None,
    as_json: JsonOption = False,
) -> None:
    """List every mistake in the register, with file and line. Exits with 1 when there is one."""
    file = _file(config, named or register)
    try:
        text = read_text(file)
    except OSError as error:
        raise Unreadable([Problem(str(file), 0, "", f"cannot be read ({error.strerror})")]) from None
    found, problems = read_register(text, str(file))
    if as_json:
        _lines(problem._asdict() for problem in problems)
    elif found is not None:
        typer.echo(f"{file}: {len(found.entries)} recipients. No mistakes.")
    else:
        for problem in problems:
            typer.echo(str(problem))
    if problems:
        raise typer.Exit(1)


@register_app.command("missing")
def register_missing(  # noqa: PLR0913 - each is a flag of the command
    files: FilesArgument = None,
    *,
    config: ConfigOption = None,
    register: RegisterOption = None,
    domain: DomainOption = None,
    form: FormatOption = None,
    body: BodyOption = None,
    as_json: JsonOption = False,
) -> None:
    """List live recipients of personal data that have no entry. Exits with 1 when there is one."""
    seen, _loaded = _observed(files, config, register, domain, form, body)
    if as_json:
        _lines(_line(each) for each in seen)
    elif not seen:
        typer.echo("Every recipient that was seen has an entry.")
    else:
        table = _table(
            "Recipients without an entry", "recipient", "disclosures", "first", "purposes", "categories", "seen at"
        )
        for each in seen:
            table.add_row(
                each.recipient,
                str(each.count),
                _moment(each.first_at_ms),
                ", ".join(sorted(each.purposes)),
                ", ".join(sorted(each.categories)),
                ", ".join(sorted(filter(None, each.hosts | each.names))),
            )
        console().print(table)
    if seen:
        raise typer.Exit(1)


@register_app.command("expiring")
def register_expiring(
    named: RegisterArgument = None,
    *,
    config: ConfigOption = None,
    register: RegisterOption = None,
    days: Annotated[int, typer.Option(min=0, max=36_500, help="What ends in so many days.")] = 90,
    on: Annotated[str, typer.Option("--on", help="Counted from this day. Today without it.")] = "",
    as_json: JsonOption = False,
) -> None:
    """List agreements, mechanisms and assessments that have ended or end soon. Exits with 1 when one has ended."""
    when = day(on)
    rows = expiring(_register(_file(config, named or register)), when, days)
    if as_json:
        _lines(row._asdict() for row in rows)
    elif not rows:
        typer.echo(f"Nothing ends in the {days} days from {when}.")
    else:
        table = _table(f"Ends within {days} days of {when}", "ends on", "days left", "entry", "what", "detail")
        for row in rows:
            left = str(row.days_left) if row.days_left > 0 else "ended"
            table.add_row(row.ends_on, left, row.entry, row.what, Text(row.detail))
        console().print(table)
    if any(row.days_left <= 0 for row in rows):
        raise typer.Exit(1)


@register_app.command("suggest")
def register_suggest(  # noqa: PLR0913 - each is a flag of the command
    files: FilesArgument = None,
    *,
    config: ConfigOption = None,
    register: RegisterOption = None,
    domain: DomainOption = None,
    form: FormatOption = None,
    body: BodyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draft entries (YAML) for recipients that have none; what traffic cannot tell is left blank, and `check` refuses it."""
    seen, loaded = _observed(files, config, register, domain, form, body)
    if as_json:
        _lines(_line(each) for each in seen)
        return
    drafts = [
        Draft(
            each.recipient, sorted(each.hosts), sorted(each.names), each.purposes, sorted(each.categories), each.count
        )
        for each in seen
    ]
    sys.stdout.write(draft(drafts, loaded.know.recipients))


def _observed(
    files: Sequence[str] | None,
    config: Path | None,
    register: Path | None,
    domain: Sequence[str] | None,
    form: str | None,
    body: str | None,
) -> tuple[list[Observed], Loaded]:
    if files:
        captures = [Capture(name, form) for name in files]
        loaded = (
            load(read_config(config), str(config))
            if config is not None
            else load_shipped(domains=domain or own_domains(captures), register_file=register)
        )
        return from_captures(captures, loaded, body), loaded
    if config is None:
        _refuse("give captures, or --config to read the monitor's own topics")
    settings = read_config(config)
    loaded = load(settings, str(config))
    return from_topics(client_settings(settings.kafka, str(config))), loaded


def _file(config: Path | None, register: Path | None) -> Path:
    if register is not None:
        return register
    if config is None:
        _refuse("name the register, or give --config FILE")
    file = read_config(config).register_file
    if file is None:
        _refuse(f"{config}: names no register; add `register: register.yaml`")
    return file


def _register(file: Path) -> Register:
    try:
        text = read_text(file)
    except OSError as error:
        raise Unreadable([Problem(str(file), 0, "", f"cannot be read ({error.strerror})")]) from None
    register, problems = read_register(text, str(file))
    if register is None:
        raise ConfigProblems(problems)
    return register


def _line(each: Observed) -> dict[str, Any]:
    return {
        "type": "recipient",
        "recipient": each.recipient,
        "hosts": sorted(each.hosts),
        "names": sorted(each.names),
        "purposes": dict(each.purposes),
        "categories": sorted(each.categories),
        "services": sorted(filter(None, each.services)),
        "disclosures": each.count,
        "first_at_ms": each.first_at_ms,
        "last_at_ms": each.last_at_ms,
    }


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M") if at_ms > 0 else ""


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=None)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _lines(rows: Iterable[dict[str, Any]]) -> None:
    for row in rows:
        sys.stdout.write(orjson.dumps(row).decode() + "\n")


def _refuse(message: str) -> NoReturn:
    sys.stderr.write(f"privacy-monitor: {message}\n")
    raise typer.Exit(2)
