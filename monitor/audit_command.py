"""`privacy-monitor audit`: the independent checker, asked about the sources of a configuration."""

import json
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from detectors.documents import Problem
from monitor.audit.read import AuditProblem
from monitor.audit.report import as_data, exit_code, lines
from monitor.audit.run import Wanted
from monitor.audit.run import audit as check_topics
from monitor.backtest_command import moment
from monitor.files import ConfigProblems, client_settings, read_config
from monitor.processes import ourselves


def audit(  # noqa: PLR0913 - each is a flag of the command
    *,
    config: Annotated[Path, typer.Option("--config", "-c", help="Configuration file.")] = Path("monitor.yaml"),
    topic: Annotated[list[str] | None, typer.Option(help="Only these source topics.")] = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--from", help="2026-11-02, 2026-11-02T10:00:00Z, or an age such as 2h; else all that is accounted."
        ),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", help="A moment as for --from, or now: all before it must be accounted for.")
    ] = None,
    judge: Annotated[
        bool, typer.Option(help="Judge the records again in another process, and hold the findings against it.")
    ] = True,
    settle_seconds: Annotated[
        float, typer.Option(min=0, help="On a live cluster: leave out accounting younger than this.")
    ] = 5.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Recompute from topics alone that every offset is accounted for and that no finding is missing or invented.

    Exit code 0: so it is. 1: something is wrong. 3: nothing is wrong, and some of it can no longer be told.
    """
    settings = read_config(config)
    known = [source.topic for source in settings.sources]
    unknown = [name for name in topic or [] if name not in known]
    if unknown:
        raise ConfigProblems(
            [
                Problem(str(config), 0, "sources", f"{name} is none of the sources ({', '.join(known)})")
                for name in unknown
            ]
        )
    now_ms = time.time_ns() // 1_000_000
    wanted = Wanted(
        topic or known,
        moment(since, now_ms) if since is not None else None,
        moment(until, now_ms) if until is not None else None,
        settle_seconds,
        ourselves("judge", "--config", str(config)) if judge else (),
    )
    try:
        done = check_topics(
            client_settings(settings.kafka, str(config)),
            wanted,
            lambda line: typer.echo(line, err=True) if sys.stderr.isatty() else None,
        )
    except AuditProblem as problem:
        typer.echo(str(problem), err=True)
        raise typer.Exit(64) from None
    typer.echo(json.dumps(as_data(done), indent=2) if as_json else "\n".join(lines(done)))
    raise typer.Exit(exit_code(done))
