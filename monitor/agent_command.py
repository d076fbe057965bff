"""`privacy-monitor agent`: an agent on the findings topic, shipped or a shop's own, with the configuration's Kafka."""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.files import client_settings, read_config
from monitor.kafka import KafkaProblem, require_topics
from monitor.logs import log, take_over_libraries
from monitor.processes import EXIT_TRY_AGAIN, EXIT_USAGE
from topics.catalog import FINDINGS

if TYPE_CHECKING:
    from alerts.agent import FindingsApp


def agent(
    name: Annotated[
        str, typer.Argument(help="`hourly`, or `module:function` of your own, found in this folder or installed.")
    ],
    config: Annotated[Path, typer.Option("--config", "-c", help="Configuration file.")] = Path("monitor.yaml"),
) -> None:
    """Run an agent on the findings until SIGTERM. Several may run; they share the partitions. See docs/agents.md."""
    # Faust costs 0.4 s of CPU, and no other command needs it.
    from alerts.agent import AgentProblem, make_app, run  # noqa: PLC0415

    settings = read_config(config)
    kafka = client_settings(settings.kafka, str(config))
    take_over_libraries()
    try:
        add = _find(name)
        partitions = require_topics(kafka, [FINDINGS.name]).topics[FINDINGS.name]
        app = make_app(
            f"{settings.kafka.group}-agent-{name.replace(':', '.')}",
            kafka,
            partitions=partitions,
            replication=settings.alerts.replication,
        )
        _add(name, add, app)
    except AgentProblem as problem:
        _fail(str(problem), EXIT_USAGE)
    except KafkaProblem as problem:
        _fail(str(problem), EXIT_TRY_AGAIN)
    log.info("agent started", agent=name, group=app.conf.id)
    if not run(app):
        _fail(f"Faust ended agent {name}; the log says why", EXIT_TRY_AGAIN)
    log.info("agent stopped", agent=name, unreadable=app.unreadable)


def _find(name: str) -> "Callable[[FindingsApp], Any]":
    """Give the function that adds an agent to an application. Raises AgentProblem."""
    from alerts.agent import AgentProblem  # noqa: PLC0415 - as above
    from alerts.agents import AGENTS  # noqa: PLC0415

    module, own, function = name.partition(":")
    if not own:
        if name not in AGENTS:
            raise AgentProblem(f"no agent {name} is shipped ({', '.join(AGENTS)}); name your own as module:function")
        return AGENTS[name]
    sys.path.insert(0, str(Path.cwd()))
    try:
        found = getattr(importlib.import_module(module), function)
    except ModuleNotFoundError as error:
        raise AgentProblem(f"{name}: there is no module {error.name}, here or installed") from None
    except Exception as error:  # noqa: BLE001 - whatever it was: it is their code, and one line for them
        raise AgentProblem(f"{name} cannot be loaded ({type(error).__name__}: {error})") from None
    return found  # type: ignore[no-any-return]


def _add(name: str, add: "Callable[[FindingsApp], Any]", app: "FindingsApp") -> None:
    """Let a function add its agents. Raises AgentProblem."""
    from alerts.agent import AgentProblem  # noqa: PLC0415 - as above

    try:
        add(app)
    except Exception as error:  # noqa: BLE001 - as above
        raise AgentProblem(f"{name} adds no agent ({type(error).__name__}: {error})") from None


def _fail(message: str, code: int) -> None:
    sys.stderr.write(f"privacy-monitor: {message}\n")
    raise typer.Exit(code)
