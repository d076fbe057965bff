"""`privacy-monitor rules`: write, check, try, measure and explain rules, with no broker."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec
import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from detectors.documents import Problem
from detectors.exemptions import read_exemptions
from detectors.rules.names import Assessor
from detectors.rules.ruleset import outcome_of
from monitor.bundles import gathered, publish
from monitor.context import Loaded
from monitor.files import ConfigProblems, client_settings, read_config, read_text
from monitor.pipeline import Outcome, process
from monitor.replay import CaptureReplay, played
from monitor.rule_files import compile_checked, is_rule
from monitor.rules_knowledge import (
    compiled_rules,
    exemptions_of,
    knowledge_for,
    law_pack,
    rule_files_of,
    rule_of,
)
from monitor.rules_measure import Overlap, costs
from monitor.rules_new import new_rule
from monitor.rules_page import explained, page
from monitor.rules_promote import promote
from monitor.rules_report import Form, written

rules_app = typer.Typer(help="Write, check, try, measure and explain rules. Needs no broker.", no_args_is_help=True)

Paths = Annotated[
    list[Path] | None, typer.Argument(help="Rule files, or folders of them. Without any: all that judge.")
]
ConfigOption = Annotated[
    Path | None, typer.Option("--config", "-c", help="Configuration that names own rules; without it the shipped ones.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Captures = Annotated[list[str], typer.Argument(help="HAR files, or JSON Lines of a source format.")]
Consent = Annotated[str | None, typer.Option(help="JSON Lines of the consent topic, for what people chose.")]
_FEW = 20
_WIDE = 240
"""Columns where no terminal says how many: nothing is cut or broken then."""


@rules_app.command()
def lint(
    paths: Paths = None,
    *,
    config: ConfigOption = None,
    form: Annotated[Form, typer.Option("--format", help="How mistakes are written.")] = Form.TEXT,
) -> None:
    """Check rule files and exceptions, their tests included, and list all mistakes. Ends with 1 when there are any."""
    files, problems = rule_files_of(paths, config)
    ruleset, found = compile_checked(files, law_pack(config))
    problems += found
    if ruleset is not None and config is not None and not paths:
        try:
            exemptions_of(config, ruleset)
        except ConfigProblems as error:
            problems += error.problems
    text = written(sorted(problems), form)
    if text:
        typer.echo(text)
    if problems:
        raise typer.Exit(1)
    if form is Form.TEXT:
        typer.echo(f"{sum(map(is_rule, files))} rules, no mistakes.")


@rules_app.command("test")
def run_trials(paths: Paths = None, *, config: ConfigOption = None, as_json: AsJson = False) -> None:
    """Run the tests inside rules: each by its name with its result. Ends with 1 when one fails."""
    ruleset = compiled_rules(paths, config)
    results = [
        {"rule": rule.written.id, "test": trial.name, "file": rule.file, "line": trial.line, "problem": outcome}
        for rule in ruleset.rules
        for trial in rule.trials
        for outcome in [outcome_of(rule, trial)]
    ]
    failed = sum(bool(each["problem"]) for each in results)
    if as_json:
        _print_json(results)
    else:
        for each in results:
            typer.echo(f"{'FAILED' if each['problem'] else 'ok    '}  {each['rule']}: {each['test']}")
            if each["problem"]:
                typer.echo(f"        {each['file']}:{each['line']}: {each['problem']}")
        typer.echo(f"{len(results)} tests of {len(ruleset.rules)} rules, {failed} failed.")
    if failed:
        raise typer.Exit(1)


@rules_app.command()
def new(
    name: Annotated[str, typer.Argument(metavar="ID", help="Pack and name: acme.session-replay.")],
    folder: Annotated[Path, typer.Option(help="Folder of own rules, one that the configuration lists under `rules`.")],
    assessor: Annotated[Assessor, typer.Option(help="Whose facts the rule reads.")] = Assessor.TRACKING,
) -> None:
    """Write a rule to begin with: valid, with a test that finds and one that does not, in shadow."""
    typer.echo(f"{new_rule(folder, name, assessor)}: written; edit it, then run `privacy-monitor rules lint {folder}`")


@rules_app.command("promote")
def make_live(
    name: Annotated[str, typer.Argument(metavar="ID", help="Id of a rule in a folder of own rules.")],
    *,
    config: Annotated[Path, typer.Option("--config", "-c", help="Configuration file.")] = Path("monitor.yaml"),
    canary: Annotated[str, typer.Option(help="Only for this share of its episodes, such as 10%.")] = "",
) -> None:
    """Make a rule live, if the gate in its file holds: a kept backtest of this version, few enough calls, tests green."""
    file = promote(read_config(config), str(config), law_pack(config), name, canary)
    typer.echo(f"{file}: {name} is live{f' for {canary} of its episodes' if canary else ''}.")


@rules_app.command("publish")
def publish_bundle(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Rule files or folders, over those that the configuration names.")
    ] = None,
    *,
    config: Annotated[Path, typer.Option("--config", "-c", help="Configuration file.")] = Path("monitor.yaml"),
    name: Annotated[str, typer.Option(help="Name of the bundle; without it that of `rules_bundle`.")] = "",
) -> None:
    """Publish own rules and exceptions as one bundle: workers that follow its name judge by it within seconds."""
    settings = read_config(config)
    called = name or settings.rules_bundle
    if not called:
        raise ConfigProblems([Problem(str(config), 0, "rules_bundle", "names no bundle; set it, or give --name")])
    bundle = gathered(settings, str(config), law_pack(config), called, paths or [])
    publish(client_settings(settings.kafka, str(config)), bundle)
    typer.echo(
        f"{called}: {sum(map(is_rule, bundle.rules))} rules, {len(bundle.exemptions)} exceptions, {bundle.digest}"
    )


@rules_app.command("list")
def list_rules(*, config: ConfigOption = None, as_json: AsJson = False) -> None:
    """List the rules that judge, and the exceptions to them."""
    ruleset = compiled_rules(None, config)
    exemptions = exemptions_of(config, ruleset)
    rules = ruleset.rules
    if as_json:
        _print_json([{**each.written.model_dump(mode="json", exclude={"tests"}), "file": each.file} for each in rules])
        return
    table = Table(box=None)
    for column in ("rule", "version", "status", "mode", "severity", "what is wrong"):
        table.add_column(column, no_wrap=column == "rule")
    for each in (rule.written for rule in rules):
        mode = f"{each.mode.value} {each.canary}" if each.canary else each.mode.value
        table.add_row(each.id, each.version, each.status.value, mode, each.severity.value, Text(each.title))
    _console().print(table)
    for pack in ruleset.packs:
        typer.echo(f"pack {pack.name} {pack.version or '(no manifest)'}: {pack.rules} rules, digest {pack.digest[:16]}")
    for exemption in (each for some in exemptions.by_rule.values() for each in some):
        what = exemption.written
        match = ", ".join(f"{name} {value}" for name, value in what.match.items())
        typer.echo(f"exception {what.id}: {what.rule} for {match} until {what.expires}, {what.owner}: {what.reason}")


@rules_app.command()
def explain(
    name: Annotated[str, typer.Argument(metavar="ID", help="Id of the rule.")], *, config: ConfigOption = None
) -> None:
    """Explain a rule: what it asks in which words and types, on which duties it rests, and its tests."""
    for line in explained(rule_of(compiled_rules(None, config), name), law_pack(config)):
        typer.echo(line)


@rules_app.command()
def bench(
    paths: Paths = None,
    *,
    config: ConfigOption = None,
    seconds: Annotated[float, typer.Option(min=0.1, help="Time for all of it.")] = 5.0,
    as_json: AsJson = False,
) -> None:
    """Measure what each rule costs, beside the CEL engine on the same facts in the same run."""
    found = costs(compiled_rules(paths, config), seconds)
    if as_json:
        _print_json([{**each._asdict(), "ratio": each.ratio} for each in found])
        return
    table = Table(box=None)
    for column in ("rule", "µs", "CEL engine µs", "ratio"):
        table.add_column(column, justify="left" if column == "rule" else "right")
    for each in found:
        table.add_row(each.rule, f"{each.ours_us:.2f}", f"{each.engine_us:.2f}", f"{each.ratio:.0f}")
    _console().print(table)


@rules_app.command()
def overlap(files: Captures, *, config: ConfigOption = None, consent: Consent = None, as_json: AsJson = False) -> None:
    """Tell which rules speak together on captures, which never alone, and which never at all."""
    settings, loaded = knowledge_for(config, files)
    found = Overlap(rule.written.id for rule in loaded.rules.rules)
    with CaptureReplay(files, loaded, settings, consent) as replay:
        _play(replay, loaded, lambda outcome: found.take(outcome.findings))
    rows = found.rows()
    if as_json:
        _print_json({"items": found.items, "together": rows, "never": found.never})
        return
    table = Table(box=None)
    for column in ("rules", "", "items together", "never alone"):
        table.add_column(column, justify="right" if column == "items together" else "left")
    for row in rows:
        table.add_row(*row["rules"], str(row["items"]), ", ".join(row["never_alone"]))
    _console().print(table)
    for rule, count in sorted(found.items.items(), key=lambda each: (-each[1], each[0])):
        if count:
            typer.echo(f"{count} items: {rule}")
    typer.echo(f"never: {', '.join(found.never) or 'none'}")


@rules_app.command()
def doc(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write it there instead of printing it.")
    ] = None,
) -> None:
    """Write the reference page: the language, the names with their types, and every shipped rule."""
    text = page(compiled_rules(None, None), law_pack(None))
    if output is None:
        sys.stdout.write(text)
    else:
        output.write_text(text, encoding="utf-8")


@rules_app.command()
def exempt(
    preview: Annotated[Path, typer.Option(help="File of the exception. It need not be in the folder yet.")],
    files: Captures,
    *,
    config: ConfigOption = None,
    consent: Consent = None,
    as_json: AsJson = False,
) -> None:
    """Tell what an exception would have covered on captures, before it is put into its folder."""
    settings, loaded = knowledge_for(config, files)
    try:
        text = read_text(preview)
    except OSError as error:
        raise ConfigProblems([Problem(str(preview), 0, "", f"cannot be read ({error.strerror})")]) from None
    exemptions, problems = read_exemptions({str(preview): text}, loaded.rules)
    if exemptions is None:
        raise ConfigProblems(problems)
    ((rule, (only,)),) = exemptions.by_rule.items()
    covered: list[str] = []
    counts = {"covered": 0, "not_covered": 0}

    def take(outcome: Outcome) -> None:
        for each in outcome.findings:
            if each.rule != rule:
                continue
            counts["covered" if each.exemption else "not_covered"] += 1
            if each.exemption and len(covered) < _FEW:
                covered.append(f"{each.topic}/{each.partition}/{each.offset}")

    with CaptureReplay(files, loaded, settings, consent) as replay:
        _play(replay, loaded.judged_by(loaded.rules, exemptions), take)
    if as_json:
        _print_json({"exemption": only.written.id, "rule": rule, **counts, "examples": covered})
        return
    typer.echo(
        f"{only.written.id} covers {counts['covered']} of {sum(counts.values())} findings of {rule} "
        f"until {only.written.expires}."
    )
    for place in covered:
        typer.echo(f"  {place}")


def _play(replay: CaptureReplay, loaded: Loaded, take: Callable[[Outcome], None]) -> None:
    context = loaded.context(replay.adapters, replay.cluster)
    for batch, ledger in played(replay, Console(stderr=True)):
        take(process(batch, msgspec.structs.replace(context, ledger=ledger), {}))


def _console() -> Console:
    return Console() if sys.stdout.isatty() else Console(width=_WIDE)


def _print_json(value: object) -> None:
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() + "\n")
