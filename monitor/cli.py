"""The command line. Every command ends with a clear line and an exit code; none with a traceback.

Exit codes, the same for every command (`docs/exit-codes.md`): 0 done, 1 something is wrong in what was looked at, 2 wrong use of
the command, 3 nothing is wrong but not all could be told, 64 cannot work with what it was given, 75 (children of `run`) cannot
work now and is started again.
"""

import signal
import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import orjson
import typer
from rich.console import Console
from rich.table import Table

from detectors.law.iso import COUNTRIES, is_place
from monitor import inspect as inspect_module
from monitor.agent_command import agent
from monitor.alert_commands import add_to as add_alert_commands
from monitor.alert_plane import keep_alerts
from monitor.audit_command import audit
from monitor.backtest_command import backtest
from monitor.baseline_commands import baseline_app
from monitor.canary import send_canary
from monitor.capture import Capture, CaptureProblem
from monitor.config import Config
from monitor.context import VERSION, Loaded, load, load_all, load_shipped
from monitor.data import DataProblem, data_app
from monitor.explain_command import Told, explained
from monitor.explain_text import lines
from monitor.files import ConfigProblems, Unreadable, client_settings, read_config
from monitor.judge_command import judge
from monitor.kafka import (
    DeliveryFailed,
    KafkaProblem,
    Writer,
    create_topics,
    describe,
    require_topics,
)
from monitor.law_commands import law_app
from monitor.ledger_snapshot import LedgerProblem
from monitor.letters_command import letters_app
from monitor.needs_command import needs
from monitor.pages import PagesProblem
from monitor.processes import EXIT_TRY_AGAIN, EXIT_UNTOLD, EXIT_USAGE, Child, GaveUp, Supervisor, on_stop, ourselves
from monitor.register_commands import register_app
from monitor.rules_commands import rules_app
from monitor.sinks import checked_sinks, require_known_places
from monitor.worker import work
from topics.catalog import CANARY, CATALOG
from topics.finding import SEVERITIES, Severity
from topics.flow import Place
from topics.observation import AdapterOptions
from topics.record import Outgoing

app = typer.Typer(
    name="privacy-monitor",
    help="Watch a shop's live traffic and say, with proof, where a person's privacy rights are broken.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
topics_app = typer.Typer(help="The monitor's own topics.", no_args_is_help=True)
app.add_typer(topics_app, name="topics")
add_alert_commands(app)
app.add_typer(rules_app, name="rules")
app.command()(agent)
app.command()(backtest)
app.command()(audit)
app.command()(judge)
app.add_typer(baseline_app, name="baseline")
app.command()(needs)
app.add_typer(data_app, name="data")
app.add_typer(law_app, name="law")
app.add_typer(letters_app, name="dead-letters")
app.add_typer(register_app, name="register")

ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="Configuration file.")]
_DEFAULT_CONFIG = Path("monitor.yaml")
_SEND_BATCH = 500
_WIDE = 200


class FailOn(StrEnum):
    """Severity from which a finding is a failure."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"
    NEVER = "never"


def main() -> None:
    """Run the command line; turn every expected problem into one line and an exit code."""
    try:
        app(standalone_mode=True)
    except ConfigProblems as error:
        _fail(*map(str, error.problems), code=EXIT_USAGE)
    except (DataProblem, KafkaProblem, CaptureProblem, LedgerProblem, PagesProblem, GaveUp) as error:
        _fail(str(error), code=EXIT_USAGE)
    except DeliveryFailed as error:
        _fail(f"Kafka did not take the records ({error})", code=1)
    except KeyboardInterrupt:
        sys.exit(130)


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(VERSION)


@app.command()
def demo(
    *,
    seconds: Annotated[
        float | None, typer.Option(min=5, help="End by itself after so long and print a summary.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON, and nothing else.")] = False,
    seed: Annotated[int, typer.Option(help="Seed of the simulated shop.")] = 7,
    keep: Annotated[bool, typer.Option(help="Keep the folder with logs and configuration.")] = False,
    record: Annotated[
        Path | None, typer.Option(help="Start nothing: write the shop's traffic into this folder, to try rules on.")
    ] = None,
    pieces: Annotated[int, typer.Option(min=1, help="With --record: how many pieces of traffic.")] = 20_000,
) -> None:
    """Run the whole monitor on an embedded broker, watching a simulated shop. Needs no account and no Docker."""
    from monitor.demo.record import record as record_demo  # noqa: PLC0415 - the shop, which only this command needs
    from monitor.demo.run import run as run_demo  # noqa: PLC0415

    if record is not None:
        for name, count in record_demo(record, pieces, seed).items():
            typer.echo(f"{record / name}.jsonl: {count} records")
        return
    raise typer.Exit(run_demo(seconds, as_json=as_json, seed=seed, keep=keep))


@app.command()
def run(
    config: ConfigOption = _DEFAULT_CONFIG,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Traffic workers, one process each.")] = 1,
) -> None:
    """Judge traffic: one ledger process and a number of workers, supervised. Ends cleanly on SIGTERM or Ctrl-C."""
    settings, loaded, kafka = load_all(config)
    require_topics(kafka, _topics(settings))
    children = [
        Child(name=f"worker {index}", command=ourselves("worker", "--config", str(config), "--index", str(index)))
        for index in range(workers)
    ]
    if settings.consent is not None:
        children.insert(0, Child(name="ledger", command=ourselves("ledger", "--config", str(config))))
    base = settings.http.port
    typer.echo(
        f"Judging {len(settings.sources)} topics with {workers} worker(s), bundle {loaded.bundle}. "
        f"Metrics from http://{settings.http.host}:{base + 1}/metrics on.",
        err=True,
    )
    supervise(children)


@app.command(hidden=True)
def worker(config: ConfigOption = _DEFAULT_CONFIG, index: int = 0) -> None:
    """Be one traffic worker."""
    settings, loaded, kafka = load_all(config)
    try:
        work(settings, loaded, kafka, index, str(config))
    except KafkaProblem as error:
        _fail(str(error), code=EXIT_TRY_AGAIN)


@app.command(hidden=True)
def ledger(config: ConfigOption = _DEFAULT_CONFIG) -> None:
    """Be the ledger process."""
    from monitor.ledger_process import keep_ledger  # noqa: PLC0415 - numpy, which only this process needs

    settings, loaded, kafka = load_all(config)
    try:
        keep_ledger(settings, loaded, kafka)
    except KafkaProblem as error:
        _fail(str(error), code=EXIT_TRY_AGAIN)


@app.command()
def alerts(config: ConfigOption = _DEFAULT_CONFIG) -> None:
    """Run the alert plane: findings to episodes to alerts. Several may run; they share the work by partitions."""
    settings, loaded, kafka = load_all(config)
    try:
        keep_alerts(settings, loaded, kafka)
    except KafkaProblem as error:
        _fail(str(error), code=EXIT_TRY_AGAIN)


@app.command()
def check(
    *,
    config: ConfigOption = _DEFAULT_CONFIG,
    broker: Annotated[bool, typer.Option(help="Also ask the broker whether the topics exist.")] = False,
) -> None:
    """Check the configuration and every file it names, and list all mistakes."""
    try:
        settings, loaded, kafka = load_all(config)
        if settings.notify is not None:
            checked_sinks(settings, config)
            require_known_places(settings.notify, config, loaded.law.timelines)
    except Unreadable:
        # Nothing was looked at: that is no mistake in a file.
        raise
    except ConfigProblems as error:
        _fail(*map(str, error.problems), code=1)
    if broker:
        require_topics(kafka, _topics(settings))
    typer.echo(
        f"{config}: {len(settings.sources)} sources, {len(loaded.rules.rules)} rules, "
        f"{len(loaded.law.jurisdictions)} jurisdictions; bundle {loaded.bundle}. No mistakes."
    )


@topics_app.command("list")
def topics_list(
    config: Annotated[Path | None, typer.Option("--config", "-c", help="Also ask this broker.")] = None,
) -> None:
    """List the catalogue: name, key, clean-up, retention, what it holds."""
    existing = describe(client_settings(read_config(config).kafka, str(config))).topics if config else None
    table = Table(box=None)
    for column in ("topic", "key", "clean-up", "retention", "holds", *(["partitions"] if existing is not None else [])):
        table.add_column(column, overflow="fold")
    for topic in CATALOG:
        days = "for ever" if topic.retention_ms < 0 else f"{topic.retention_ms // 86_400_000} days"
        row = [topic.name, topic.key, topic.cleanup.value, days, topic.holds]
        if existing is not None:
            row.append(str(existing.get(topic.name, "absent")))
        table.add_row(*row)
    _console().print(table)


@topics_app.command("create")
def topics_create(
    config: ConfigOption = _DEFAULT_CONFIG,
    partitions: Annotated[int, typer.Option(min=1, help="Partitions of each.")] = 4,
    replication: Annotated[int, typer.Option(min=1, help="Copies of each.")] = 1,
) -> None:
    """Create the topics of the catalogue that are missing; leave those that exist as they are."""
    results = create_topics(client_settings(read_config(config).kafka, str(config)), CATALOG, partitions, replication)
    for name, result in sorted(results.items()):
        typer.echo(f"{name}: {result}")
    if any(result.startswith("failed") for result in results.values()):
        raise typer.Exit(1)


@app.command()
def inspect(  # noqa: PLR0913 - each is a flag of the command
    files: Annotated[
        list[str], typer.Argument(help="HAR files, or JSON Lines of a source format; - is standard input.")
    ],
    *,
    config: Annotated[Path | None, typer.Option("--config", "-c", help="Judge with this configuration.")] = None,
    form: Annotated[
        str | None, typer.Option("--format", help="Adapter (docs/adapters.md lists them). Told from the file.")
    ] = None,
    register: Annotated[Path | None, typer.Option(help="Transfer register, when there is no --config.")] = None,
    domain: Annotated[list[str] | None, typer.Option(help="The shop's own domain. Told from the pages.")] = None,
    person: Annotated[str, typer.Option("--from", help="Where the person is when no record says: US-CA, DE, …")] = "",
    body: Annotated[str | None, typer.Option(help="Dotted path of the request body (Kong).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON Lines.")] = False,
    fail_on: Annotated[
        FailOn, typer.Option(help="Exit with 1 for a violation of this severity or a higher one; never: always with 0.")
    ] = FailOn.HIGH,
) -> None:
    """Judge recorded traffic with no broker: who received what, why, and which rights that breaks."""
    captures = [Capture(name, form) for name in files]
    loaded = _knowledge(config, captures, domain, register, person)
    console = Console(stderr=True)
    report = inspect_module.examine(captures, loaded, options=AdapterOptions(body=body), console=console)
    if as_json:
        for line in inspect_module.as_lines(report, loaded.law):
            sys.stdout.write(orjson.dumps(line).decode() + "\n")
    else:
        inspect_module.show(report, _console())
    read = report.judged + report.lacking
    if report.rejected and not read:
        raise CaptureProblem("nothing could be read: this is not a clean result")
    if fail_on is FailOn.NEVER:
        return
    worst = report.worst()
    if worst and SEVERITIES.index(worst) >= SEVERITIES.index(Severity(fail_on.value)):
        raise typer.Exit(1)
    if report.rejected or not read:
        sys.stderr.write(
            "privacy-monitor: not all could be read, or there was nothing to judge: this is not a clean result\n"
        )
        raise typer.Exit(EXIT_UNTOLD)


@app.command()
def explain(  # noqa: PLR0913 - each is a flag of the command
    file: Annotated[str | None, typer.Argument(help="Capture that holds the record; - is standard input.")] = None,
    *,
    topic: Annotated[str | None, typer.Option(help="Topic of the record, on the configured Kafka.")] = None,
    partition: Annotated[int, typer.Option(min=0)] = 0,
    offset: Annotated[int | None, typer.Option(min=0)] = None,
    line: Annotated[int | None, typer.Option(min=1, help="Line of the file; the first without it.")] = None,
    item: Annotated[int | None, typer.Option(min=0, help="Only this item of the record.")] = None,
    config: Annotated[Path | None, typer.Option("--config", "-c", help="Judge with this configuration.")] = None,
    consent: Annotated[Path | None, typer.Option(help="Consent records (JSON Lines) instead of the ledger.")] = None,
    form: Annotated[str | None, typer.Option("--format", help="Adapter of the file. Told from it.")] = None,
    register: Annotated[Path | None, typer.Option(help="Transfer register, when there is no --config.")] = None,
    domain: Annotated[list[str] | None, typer.Option(help="The shop's own domain. Told from the pages.")] = None,
    person: Annotated[str, typer.Option("--from", help="Where the person is when no record says: US-CA, DE, …")] = "",
    body: Annotated[str | None, typer.Option(help="Dotted path of the request body (Kong).")] = None,
    reveal: Annotated[bool, typer.Option(help="Print the personal values too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the trace as JSON.")] = False,
) -> None:
    """Show how the verdict on one record came about, and what would flip it. Prints no personal value by default."""
    options = AdapterOptions(body=body)
    if topic is not None and offset is not None and file is None:
        told = Told(topic=(topic, partition, offset), config=config or _DEFAULT_CONFIG, consent=consent)
        loaded = None
    elif file is not None and topic is None and offset is None:
        capture = Capture(file, form)
        told = Told(capture=capture, line=line, config=config, consent=consent, options=options)
        loaded = None if config is not None else _knowledge(None, [capture], domain, register, person)
    else:
        raise typer.BadParameter("give a FILE, or --topic and --offset (and --partition) of a record on Kafka")
    traces = explained(told, loaded, item=item, reveal=reveal)
    if as_json:
        sys.stdout.write(orjson.dumps(traces, option=orjson.OPT_INDENT_2).decode() + "\n")
    else:
        sys.stdout.write("\n".join(lines(traces)) + "\n")


@app.command()
def send(
    file: Annotated[str, typer.Argument(help="HAR file or JSON Lines; - is standard input.")],
    topic: Annotated[str, typer.Option(help="Topic to produce to.")],
    config: ConfigOption = _DEFAULT_CONFIG,
    rate: Annotated[float, typer.Option(min=0, help="Records a second; 0 is as quick as the broker takes them.")] = 0,
) -> None:
    """Play a capture into a topic, a record for each line (a HAR file is one record)."""
    settings = client_settings(read_config(config).kafka, str(config))
    require_topics(settings, [topic])
    capture = Capture(file, None)
    writer = Writer(settings)
    sent = 0
    began = time.monotonic()
    pending: list[Outgoing] = []
    for record in capture.records(topic):
        pending.append(Outgoing(topic, b"", record.value or b""))
        if len(pending) >= (max(1, int(rate / 10)) if rate else _SEND_BATCH):
            writer.send(pending)
            sent += len(pending)
            pending.clear()
            if rate:
                time.sleep(max(0.0, began + sent / rate - time.monotonic()))
    writer.send(pending)
    typer.echo(f"{sent + len(pending)} records sent to {topic}")


@app.command()
def canary(
    config: ConfigOption = _DEFAULT_CONFIG,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds to wait for the finding and the alert.")] = 150,
    *,
    alerts: Annotated[bool, typer.Option(help="Wait for the alert too, not for the finding alone.")] = True,
) -> None:
    """Send a made-up order that must be found, and wait for its finding and its alert: the whole path works, or not."""
    settings = read_config(config)
    if not settings.canary:
        raise KafkaProblem(f"{config}: `canary` is false, so no worker watches {CANARY.name}")
    seen = send_canary(client_settings(settings.kafka, str(config)), timeout, alerts=alerts)
    typer.echo(seen.verdict)
    if seen.finding_seconds is None or (alerts and seen.alert_seconds is None):
        raise typer.Exit(1)


def supervise(children: list[Child]) -> None:
    """Run children until SIGTERM or Ctrl-C."""
    stopping: list[bool] = []
    on_stop(lambda: stopping.append(True))
    asked: list[bool] = []
    signal.signal(signal.SIGHUP, lambda *_: asked.append(True))
    supervisor = Supervisor(children)
    supervisor.start()
    try:
        while not stopping:
            time.sleep(0.2)
            if asked:
                asked.clear()
                supervisor.signal(signal.SIGHUP, "worker")
            supervisor.watch()
    finally:
        supervisor.stop()


def _topics(settings: Config) -> list[str]:
    """Name every topic that the monitor needs."""
    names = [source.topic for source in settings.sources] + [topic.name for topic in CATALOG]
    return names if settings.consent is None else [*names, settings.consent.topic]


def _knowledge(
    config: Path | None, captures: list[Capture], domain: list[str] | None, register: Path | None, person: str
) -> Loaded:
    if config is not None:
        return load(read_config(config), str(config))
    person = person.upper()
    country, _, subdivision = person.partition("-")
    # A place that means nothing would quietly turn violations into gaps.
    if person and not (person in COUNTRIES or is_place(person)):
        raise CaptureProblem(f"--from {person[:12]}: not an ISO 3166 code of a country, or of a state such as US-CA")
    origin = Place(country=country, subdivision=person if subdivision else "", source="assumed")
    return load_shipped(
        domains=domain or inspect_module.own_domains(captures),
        register_file=register,
        assumed_origin=origin if person else Place(),
    )


def _console() -> Console:
    """Give standard output: as wide as the terminal, or wide enough that nothing is cut where another program reads."""
    return Console() if sys.stdout.isatty() else Console(width=_WIDE)


def _fail(*lines: str, code: int) -> NoReturn:
    for line in lines:
        sys.stderr.write(f"privacy-monitor: {line}\n" if code != 1 else f"{line}\n")
    sys.exit(code)
