"""`privacy-monitor backtest`: what changed rules would have said of recorded traffic."""

import re
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console

from alerts.episodes import Policy
from detectors.documents import Problem
from monitor import backtest_report
from monitor.backtest_data import as_data
from monitor.backtest_run import Judges, Ranges, of_captures, of_topics
from monitor.config import Config
from monitor.context import Loaded, load, other_law
from monitor.evidence import write_evidence
from monitor.files import ConfigProblems, client_settings, read_config
from monitor.replay import CaptureReplay, TopicReplay
from monitor.rule_files import compile_checked, is_rule, overlaid, read_rules, rule_texts

_AGO = re.compile(r"(\d+)([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_WIDE = 240


class Form(StrEnum):
    """How the report is printed."""

    TEXT = "text"
    JSON = "json"


def backtest(  # noqa: PLR0913 - each is a flag of the command
    files: Annotated[
        list[str] | None, typer.Argument(help="Captures: HAR, or JSON Lines named as their topic (shop.events.jsonl).")
    ] = None,
    *,
    config: Annotated[Path, typer.Option("--config", "-c", help="Configuration file.")] = Path("monitor.yaml"),
    rules: Annotated[
        list[Path] | None,
        typer.Option(
            help="Rule files or folders to try: they add to the configured ones, or replace those of the same id."
        ),
    ] = None,
    without: Annotated[list[str] | None, typer.Option(help="Id of a rule to leave out.")] = None,
    against: Annotated[
        list[Path] | None, typer.Option(help="Compare with these over the configured rules, instead of those alone.")
    ] = None,
    topic: Annotated[
        list[str] | None, typer.Option(help="Read these source topics instead of captures; no group's offsets move.")
    ] = None,
    since: Annotated[
        str, typer.Option("--from", help="With --topic: 2026-11-02, 2026-11-02T10:00:00Z, or an age such as 2h or 7d.")
    ] = "1d",
    until: Annotated[str, typer.Option("--to", help="With --topic: a moment as for --from, or now.")] = "now",
    consent: Annotated[
        str | None, typer.Option(help="With captures: JSON Lines of the consent topic, for what people had chosen.")
    ] = None,
    form: Annotated[Form, typer.Option("--format", help="text or json.")] = Form.TEXT,
    html: Annotated[Path | None, typer.Option(help="Also write the report as one page.")] = None,
    law: Annotated[
        list[Path] | None, typer.Option(help="Law files or folders to try over the configured law pack.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="With --topic: processes that share the partitions.")] = 1,
    resume: Annotated[
        Path | None, typer.Option(help="With --topic: keep the state in this file, and go on from it when it is there.")
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Write what `rules promote` asks for beside each rule of --rules.")
    ] = False,
) -> None:
    """Judge recorded traffic by two rule sets and tell how they differ: findings, episodes, calls to people."""
    if bool(files) == bool(topic):
        raise ConfigProblems([Problem("backtest", 0, "", "name captures, or topics with --topic")])
    if keep and not rules:
        raise ConfigProblems([Problem("backtest", 0, "", "--keep writes beside the rules of --rules; name some")])
    settings = read_config(config)
    loaded = load(settings, str(config))
    before = _judging(settings, loaded, str(config), against or [], [])
    after = _judging(settings, loaded, str(config), rules or [], without or [], law or [])
    policy = Policy(quiet_seconds=settings.alerts.quiet_seconds, resolve_seconds=settings.alerts.resolve_seconds)
    judges = Judges(before, after, policy)
    if topic:
        diff, seconds = of_topics(_ranges(settings, str(config), topic, since, until), judges, jobs, resume)
    else:
        began = time.process_time()
        with CaptureReplay(files or [], loaded, settings, consent) as replay:
            diff = of_captures(replay, judges)
        seconds = time.process_time() - began
    seconds = max(seconds, 1e-9)
    data = as_data(diff)
    if html is not None:
        html.write_text(backtest_report.page(data), encoding="utf-8")
    if keep:
        write_evidence(rules or [], after.rules, diff)
    if form is Form.JSON:
        sys.stdout.write(orjson.dumps(data, option=orjson.OPT_INDENT_2).decode() + "\n")
        return
    backtest_report.show(data, Console() if sys.stdout.isatty() else Console(width=_WIDE))
    typer.echo(
        f"{diff.records / seconds:,.0f} records ({diff.bytes / seconds / 1e6:.1f} MB) for each second of processor time.",
        err=True,
    )


def _judging(
    config: Config, loaded: Loaded, file: str, paths: list[Path], without: list[str], law: Sequence[Path] = ()
) -> Loaded:
    """Give the knowledge with other rules or another law over the configured ones. Raises ConfigProblems with all mistakes."""
    if not paths and not without and not law:
        return loaded
    problems: list[Problem] = []
    tried = loaded.under(other_law(config, file, law, problems)) if law else loaded
    files = overlaid(rule_texts(config, file, problems), read_rules(paths, problems))
    known = {Path(name).stem for name in files if is_rule(name)}
    problems += [Problem(name, 0, "", "there is no such rule to leave out") for name in without if name not in known]
    kept = {name: text for name, text in files.items() if not (is_rule(name) and Path(name).stem in without)}
    ruleset, found = compile_checked(kept, tried.law)
    if ruleset is None or problems:
        raise ConfigProblems(sorted([*problems, *found]))
    return tried.judged_by(ruleset, loaded.exemptions)


def _ranges(config: Config, file: str, topics: list[str], since: str, until: str) -> Ranges:
    """Read what of topics is meant. Raises ConfigProblems."""
    known = [source.topic for source in config.sources]
    unknown = [name for name in topics if name not in known]
    if unknown:
        raise ConfigProblems(
            [Problem(file, 0, "sources", f"{name} is none of the sources ({', '.join(known)})") for name in unknown]
        )
    now_ms = time.time_ns() // 1_000_000
    return Ranges(config, client_settings(config.kafka, file), topics, moment(since, now_ms), moment(until, now_ms))


def topic_replay(config: Config, file: str, topics: list[str], since: str, until: str) -> TopicReplay:
    """Open source topics between two moments as people write them. Raises ConfigProblems and KafkaProblem."""
    return _ranges(config, file, topics, since, until).replay()


def moment(text: str, now_ms: int) -> int:
    """Read a moment: `now`, an age (`90s`, `15m`, `2h`, `7d`), or a date or time in ISO 8601 (UTC when it names no zone)."""
    if text == "now":
        return now_ms
    age = _AGO.fullmatch(text)
    if age:
        return now_ms - int(age[1]) * _SECONDS[age[2]] * 1000
    try:
        at = datetime.fromisoformat(text)
        return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        message = f"{text!r} is no moment; write 2026-11-02, 2026-11-02T10:00:00Z, an age such as 2h, or now"
        raise ConfigProblems([Problem("backtest", 0, "", message)]) from None
