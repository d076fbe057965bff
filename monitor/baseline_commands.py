"""`privacy-monitor baseline`: learn which kinds of personal data each endpoint has, from recorded traffic, for people to review."""

import sys
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from ruamel.yaml import YAML

from detectors.documents import Problem, read
from detectors.drift import BaselineFile, EndpointNames, told_by
from monitor.backtest_command import topic_replay
from monitor.config import Config
from monitor.context import Loaded, load
from monitor.files import ConfigProblems, read_config, read_text
from monitor.pipeline import Judged, process
from monitor.replay import CaptureReplay, TopicReplay, played
from topics.record import RawRecord

baseline_app = typer.Typer(help="What each endpoint had: learned, reviewed, and held against.", no_args_is_help=True)

MOST_ENDPOINTS = 5_000
"""Endpoints that are learned, at most: more of them are counted and left out."""

_HEAD = """\
# Kinds of personal data that each endpoint had, with the number of records that held each. Learned by `privacy-monitor baseline learn`.
# Review it: what should not be there is to be mended at its source and taken out here. What you add by hand has the number 0.
# Name the file under `baseline` in the configuration: what appears on one of these endpoints beyond it is told.
"""

Endpoint = tuple[str, str]


class Learner:
    """What was seen so far. Bounded: names of endpoints are made of words of schemas, and counted up to a most."""

    def __init__(self, loaded: Loaded) -> None:
        self._names = EndpointNames(loaded.know.taxonomy.keys, loaded.know.steps.words)
        self._needs = loaded.needs
        self.records: Counter[Endpoint] = Counter()
        self.categories: dict[Endpoint, Counter[str]] = {}
        self.left_out = 0
        """Records of endpoints beyond the most."""
        self.first_ms: int | None = None
        self.last_ms: int | None = None

    def see(self, _record: RawRecord, judged: Judged) -> None:
        """Take in one judged item: a witness of `process`, so that what is learned is what will be judged."""
        flow = told_by([each for each, _ in judged.classified.flows])
        if flow is None:
            return
        key = flow.service, self._names.of(judged.observation, flow.step)
        if key not in self.records and len(self.records) >= MOST_ENDPOINTS:
            self.left_out += 1
            return
        self.records[key] += 1
        found = {field.category for field in flow.fields if not self._needs.is_ambient(field.path)}
        self.categories.setdefault(key, Counter()).update(found)
        self.first_ms = flow.at_ms if self.first_ms is None else min(self.first_ms, flow.at_ms)
        self.last_ms = flow.at_ms if self.last_ms is None else max(self.last_ms, flow.at_ms)

    def add(self, before: BaselineFile) -> None:
        """Add what an earlier baseline holds, what people wrote into it among that."""
        for each in before.endpoints:
            key = each.service, each.endpoint
            self.records[key] += each.records
            self.categories.setdefault(key, Counter()).update(each.categories)
        for at in (before.learned.first, before.learned.last):
            if at is not None:
                at_ms = int(at.timestamp() * 1000)
                self.first_ms = at_ms if self.first_ms is None else min(self.first_ms, at_ms)
                self.last_ms = at_ms if self.last_ms is None else max(self.last_ms, at_ms)


class Kept(msgspec.Struct):
    """A baseline as text, and what was not written into it."""

    text: str
    endpoints: int
    thin: int
    """Endpoints with too few records."""
    seldom: list[tuple[Endpoint, str, int]]
    """Kinds of data that too few records held: somebody may have sent them to be learned."""


def kept(learner: Learner, *, least: int, seldom: int, by_hand: Mapping[Endpoint, frozenset[str]]) -> Kept:
    """Write what was learned, sorted; what people wrote by hand stays, however seldom."""
    endpoints: list[dict[str, object]] = []
    rare: list[tuple[Endpoint, str, int]] = []
    thin = 0
    for key in sorted(learner.records):
        manual = by_hand.get(key, frozenset())
        if learner.records[key] < least and key not in by_hand:
            thin += 1
            continue
        counts = learner.categories[key]
        rare += [(key, name, count) for name, count in sorted(counts.items()) if count < seldom and name not in manual]
        categories = {name: counts[name] for name in sorted(counts) if counts[name] >= seldom or name in manual}
        endpoints.append(
            {"service": key[0], "endpoint": key[1], "records": learner.records[key], "categories": categories}
        )
    document = {
        "learned": {
            "records": sum(learner.records.values()),
            "first": _time(learner.first_ms),
            "last": _time(learner.last_ms),
            "least": least,
        },
        "endpoints": endpoints,
    }
    out = StringIO()
    writer = YAML()
    writer.width = 160
    writer.dump(document, out)
    return Kept(_HEAD + out.getvalue(), len(endpoints), thin, rare)


@baseline_app.command("learn")
def learn(  # noqa: PLR0913 - each is a flag of the command
    files: Annotated[
        list[str] | None, typer.Argument(help="Captures: HAR, or JSON Lines named as their topic (shop.events.jsonl).")
    ] = None,
    *,
    config: Annotated[Path, typer.Option("--config", "-c", help="Configuration file.")] = Path("monitor.yaml"),
    topic: Annotated[
        list[str] | None, typer.Option(help="Read these source topics instead of captures; no group's offsets move.")
    ] = None,
    since: Annotated[
        str, typer.Option("--from", help="With --topic: 2026-11-02, 2026-11-02T10:00:00Z, or an age such as 2h or 7d.")
    ] = "7d",
    until: Annotated[str, typer.Option("--to", help="With --topic: a moment as for --from, or now.")] = "now",
    least: Annotated[int, typer.Option(min=1, help="Leave endpoints with fewer records out.")] = 100,
    seldom: Annotated[
        int, typer.Option(min=1, help="Leave kinds of data out that fewer records of an endpoint held.")
    ] = 3,
    over: Annotated[
        Path | None, typer.Option(help="Add to this earlier baseline; what people wrote into it stays.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="File to write; standard output without it.")] = None,
) -> None:
    """Learn which kinds of personal data each endpoint has. What it writes is a file that people review."""
    if bool(files) == bool(topic):
        raise ConfigProblems([Problem("baseline learn", 0, "", "name captures, or topics with --topic")])
    settings = read_config(config)
    loaded = load(settings.model_copy(update={"baseline": None}), str(config))
    learner = Learner(loaded)
    by_hand = _earlier(over, learner) if over is not None else {}
    with _traffic(files, topic, settings, loaded, (str(config), since, until)) as replay:
        context = loaded.context(replay.adapters, replay.cluster)
        for records, ledger in played(replay, Console(stderr=True)):
            process(records, msgspec.structs.replace(context, ledger=ledger), {}, learner.see)
    result = kept(learner, least=least, seldom=seldom, by_hand=by_hand)
    _write(result.text, out)
    typer.echo(
        f"{result.endpoints} endpoints from {sum(learner.records.values()):,} records; left out: {result.thin} endpoints with fewer "
        f"than {least} records, {learner.left_out} records beyond {MOST_ENDPOINTS:,} endpoints.",
        err=True,
    )
    for (service, endpoint), category, count in result.seldom:
        typer.echo(
            f"seldom, and left out: {category} in {count} records of {endpoint} ({service or 'no service'})", err=True
        )


def _traffic(
    files: list[str] | None, topics: list[str] | None, config: Config, loaded: Loaded, span: tuple[str, str, str]
) -> CaptureReplay | TopicReplay:
    if topics:
        return topic_replay(config, span[0], topics, span[1], span[2])
    return CaptureReplay(files or [], loaded, config, None)


def _earlier(file: Path, learner: Learner) -> dict[Endpoint, frozenset[str]]:
    """Add an earlier baseline, and give what people wrote into it by hand."""
    try:
        text = read_text(file)
    except OSError as error:
        raise ConfigProblems([Problem(str(file), 0, "", f"cannot be read ({error.strerror})")]) from None
    before, problems = read(text, str(file), BaselineFile)
    if before is None:
        raise ConfigProblems(problems)
    learner.add(before)
    return {
        (each.service, each.endpoint): frozenset(name for name, count in each.categories.items() if not count)
        for each in before.endpoints
    }


def _write(text: str, out: Path | None) -> None:
    if out is None:
        sys.stdout.write(text)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigProblems([Problem(str(out), 0, "", f"cannot be written ({error.strerror})")]) from None


def _time(at_ms: int | None) -> str | None:
    return None if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds")
