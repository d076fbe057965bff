"""`privacy-monitor law`: what the law pack says, on which day, and what changes when it changes."""

import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Any, NoReturn

import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from detectors.documents import Problem
from detectors.law import views
from detectors.law.exposure import Exposure, as_line
from detectors.law.iso import BLOCS, is_place
from detectors.law.pack import LawPack, read_pack
from monitor.files import ConfigProblems, Unreadable, folders, package_files
from monitor.rejudge import Difference, Judgement, differences, rejudged

_WIDE = 200

law_app = typer.Typer(help="The law pack: what holds where, since when, on which source.", no_args_is_help=True)

LawOption = Annotated[
    list[Path] | None,
    typer.Option("--law", help="Folder of own jurisdictions, beside the shipped ones; may be repeated."),
]
OnOption = Annotated[str, typer.Option("--on", help="Day, such as 2026-11-23. Today without it.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON Lines.")]


@law_app.command("list")
def law_list(*, on: OnOption = "", law: LawOption = None, as_json: JsonOption = False) -> None:
    """List all jurisdictions as they stand on a day."""
    when = day(on)
    rows = views.summary(read_law(law or ()), when)
    _print(rows, as_json=as_json, title=f"Law on {when}", hide={"basis", "law"})


@law_app.command("show")
def law_show(
    jurisdiction: Annotated[str, typer.Argument(help="US-CA, DE, EU, …, or a law on transfers such as eu-gdpr.")],
    *,
    on: OnOption = "",
    law: LawOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the duties of one jurisdiction and its parents on a day, and what a violation entails."""
    when, name = day(on), jurisdiction.upper()
    pack = read_law(law or ())
    of_transfers = views.transfer_rows(pack, name.lower(), when)
    if of_transfers:
        title = f"{pack.regimes[name.lower()].name} on {when}"
        _print(
            of_transfers, as_json=as_json, title=title, hide={"note", "since_is", "checked_on", "kind", "jurisdiction"}
        )
        return
    if name not in pack.jurisdictions:
        known = is_place(name) or name in BLOCS
        _refuse(f"{name}: the law pack has no such jurisdiction" if known else f"{name!a}: not an ISO 3166 code")
    rows = views.duty_rows(pack, name, when)
    exposure = pack.exposure_for(name, when, recalled=True)
    if as_json:
        _lines([{"type": "duty", **row._asdict()} for row in rows])
        _lines([as_line(exposure)])
        return
    _print(
        rows,
        as_json=False,
        title=f"{pack.jurisdictions[name].name} on {when}",
        hide={"note", "since_is", "checked_on", "kind", "jurisdiction"},
    )
    show_exposure(exposure)


@law_app.command("diff")
def law_diff(  # noqa: PLR0913 - each is a flag of the command
    old: Annotated[
        str, typer.Argument(help="A day, or a folder of law files that add to or override the shipped ones.")
    ],
    new: Annotated[str, typer.Argument(help="The other day or folder.")],
    *,
    capture: Annotated[
        list[str] | None,
        typer.Option("--capture", help="Also judge this capture under both and say which findings differ."),
    ] = None,
    register: Annotated[Path | None, typer.Option(help="Transfer register for the capture.")] = None,
    person: Annotated[str, typer.Option("--from", help="Where the person is when no record says.")] = "",
    law: LawOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what changes between two days, or between two packs; with a capture, also which findings."""
    folders_given = [Path(each).is_dir() for each in (old, new)]
    if any(folders_given) and not all(folders_given):
        missing = new if folders_given[0] else old
        raise Unreadable([Problem(str(missing), 0, "", "no such folder; give two days, or two folders")])
    if all(folders_given):
        before, after = read_law([*(law or ()), Path(old)]), read_law([*(law or ()), Path(new)])
        today = day("")
        rows = views.diff(before, today, today, other=after)
        pair = Judgement(before, None), Judgement(after, None)
    else:
        first, second = day(old), day(new)
        if second < first:
            _refuse(f"{new} is before {old}; give the earlier day first")
        pack = read_law(law or ())
        rows = views.diff(pack, first, second)
        pair = Judgement(pack, first), Judgement(pack, second)
    changed: list[Difference] = []
    if capture:
        changed = differences(*rejudged(capture, pair, register=register, person=person))
    if as_json:
        _lines([{"type": "duty", **row._asdict()} for row in rows])
        _lines([{"type": "finding", **each._asdict()} for each in changed])
        return
    _print(rows, as_json=False, title=f"From {old} to {new}")
    if capture:
        _print(changed, as_json=False, title="Findings")


@law_app.command("review")
def law_review(
    *,
    on: OnOption = "",
    days: Annotated[int, typer.Option(min=1, help="A check is good for so many days.")] = 180,
    law: LawOption = None,
    as_json: JsonOption = False,
    fail: Annotated[bool, typer.Option("--fail", help="Exit with 1 when a check is too old.")] = False,
) -> None:
    """List what needs a person: facts from memory, checks that are too old, facts that end soon, unknown first days."""
    when = day(on)
    rows = views.review(read_law(law or ()), when, max_age_days=days)
    _print(rows, as_json=as_json, title=f"To look at on {when}")
    if fail and any(row.why == "stale" for row in rows):
        raise typer.Exit(1)


def read_law(own: Sequence[Path]) -> LawPack:
    """Read the shipped pack and folders beside it. Raises ConfigProblems with all mistakes."""
    problems: list[Problem] = []
    missing = [Problem(str(folder), 0, "", "there is no such folder") for folder in own if not folder.is_dir()]
    if missing:
        raise Unreadable(missing)
    more = folders(own, "--law", "law", problems)
    pack, found = read_pack({**package_files("detectors.law", ".yaml"), **more}) if own else _shipped_law()
    if pack is None or problems:
        raise ConfigProblems(sorted([*problems, *found]))
    return pack


@cache
def _shipped_law() -> tuple[LawPack | None, list[Problem]]:
    return read_pack(package_files("detectors.law", ".yaml"))


def day(text: str) -> date:
    """Read a day; today (UTC) for an empty text. Ends the command when it is none."""
    if not text:
        return datetime.now(UTC).date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        _refuse(f"{text!a}: expected a day such as 2026-11-23")


def show_exposure(exposure: Exposure) -> None:
    """Print amounts and clocks with what they rest on."""
    if not exposure.amounts and not exposure.clocks:
        typer.echo("What a violation entails: the pack names no amount and no clock.")
        return
    table = Table(
        title="What a violation entails (the law's own units; never multiplied here)", title_justify="left", box=None
    )
    for column in ("what", "how much or how long", "on which assumption", "citation"):
        table.add_column(column, overflow="fold")
    for amount in exposure.amounts:
        table.add_row(
            f"penalty per {amount.per}",
            f"{amount.low:,} to {amount.high:,} {amount.currency}",
            Text("; ".join(amount.assumptions)),
            Text("; ".join(amount.citations)),
        )
    for clock in exposure.clocks:
        count = f"{clock.hours} hours" if clock.hours else f"{clock.days} days" if clock.days else "no number"
        length = (
            count + (" (business)" if clock.business_days else "") + (f": {clock.measure}" if clock.measure else "")
        )
        what = f"{clock.kind} {clock.detail}".strip()
        table.add_row(what, Text(length), Text("; ".join(clock.assumptions)), Text(clock.citation))
    console().print(table)


def console() -> Console:
    """Give the console of tables: as wide as the terminal, and wide where there is none."""
    return Console() if sys.stdout.isatty() else Console(width=_WIDE)


def _print(rows: Sequence[Any], *, as_json: bool, title: str, hide: Iterable[str] = ()) -> None:
    if as_json:
        _lines([row._asdict() for row in rows])
        return
    if not rows:
        typer.echo(f"{title}: nothing.")
        return
    hidden = frozenset(hide)
    table = Table(title=Text(title), title_justify="left", box=None)
    names = [name for name in rows[0]._fields if name not in hidden]
    for name in names:
        # A name that is cut in the middle cannot be searched for.
        table.add_column(_HEADERS.get(name, name), overflow="fold", no_wrap=name in _WHOLE)
    for row in rows:
        table.add_row(*(Text(_cell(getattr(row, name))) for name in names))
    console().print(table)


_HEADERS = {
    "honours_gpc": "GPC",
    "strict_minimisation": "strict",
    "since_is": "since is",
    "confidence": "known",
}
_WHOLE = frozenset({"jurisdiction", "id", "since", "until", "on", "state", "regime", "due"})


def _cell(value: object) -> str:
    return ("yes" if value else "") if isinstance(value, bool) else str(value)


def _lines(rows: Iterable[dict[str, Any]]) -> None:
    for row in rows:
        sys.stdout.write(orjson.dumps(row).decode() + "\n")


def _refuse(message: str) -> NoReturn:
    sys.stderr.write(f"privacy-monitor: {message}\n")
    raise typer.Exit(2)
