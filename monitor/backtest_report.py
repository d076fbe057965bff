"""The report of a backtest, in the terminal and as a page that needs nothing else."""

from collections.abc import Iterator
from html import escape
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b;background:#fff}
table{border-collapse:collapse;margin:1rem 0;width:100%}
th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #ccc;vertical-align:top}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
code{font-family:ui-monospace,monospace;font-size:.9em}
"""


def show(data: dict[str, Any], console: Console) -> None:
    """Print the report."""
    for line in summary(data):
        console.print(Text(line))
    if data["rules"]:
        table = Table(title="Findings", title_justify="left", box=None)
        for column in ("rule", "before", "after", "change", "findings", "persons", "examples"):
            table.add_column(column, justify="right" if column in {"before", "after", "findings"} else "left")
        for row in rows(data):
            table.add_row(*map(Text, row))
        console.print(table)
    for title, key in (("New episodes", "new"), ("Lost episodes", "lost")):
        if data["episodes"][key]:
            table = Table(title=title, title_justify="left", box=None)
            for column in ("rule", "severity", "mode", "findings", "persons", "group"):
                table.add_column(column, justify="right" if column in {"findings", "persons"} else "left")
            for row in episodes(data, key):
                table.add_row(*map(Text, row))
            console.print(table)


def summary(data: dict[str, Any]) -> Iterator[str]:
    """Give the lines that say it all in short."""
    traffic, calls, kept = data["traffic"], data["calls"], data["episodes"]
    yield f"{traffic['records']} records judged by {data['bundles']['before']} and by {data['bundles']['after']}."
    if data["is_empty"]:
        yield "No difference: both say the same of every record."
    changed = ", ".join(f"{number} {kind}" for kind, number in data["changes"].items() if number)
    if changed:
        yield f"Findings: {changed}."
    yield f"Episodes: {kept['before']} before, {kept['after']} after; {kept['new_count']} new, {kept['lost_count']} lost."
    if_live = "" if calls["after_if_live"] == calls["after"] else f" ({calls['after_if_live']} with every rule live)"
    yield f"Calls to people: {calls['before']} before, {calls['after']} after{if_live}."
    if calls["per_day_before"] is not None:
        yield f"Calls a day: {calls['per_day_before']} before, {calls['per_day_after']} after."
    if kept["left_out_folds"]:
        yield f"{kept['left_out_folds']} folds belong to episodes beyond those that are kept, and are not in these counts."
    if any(data["faults"].values()):
        yield f"Faults while judging: {data['faults']['before']} before, {data['faults']['after']} after."


def rows(data: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """Give a row for each rule and kind of change."""
    for rule in data["rules"]:
        for kind, change in rule["changes"].items():
            about = "" if change["persons_exact"] else "about "
            places = (
                f"{each['topic']}/{each['partition']}/{each['offset']}"
                + (f" ({each['was']} → {each['now']})" if each["was"] and each["now"] else "")
                for each in change["examples"]
            )
            yield (
                rule["rule"],
                str(rule["before"]),
                str(rule["after"]),
                kind,
                str(change["findings"]),
                f"{about}{change['persons']}",
                ", ".join(places),
            )


def episodes(data: dict[str, Any], key: str) -> Iterator[tuple[str, ...]]:
    """Give a row for each new or lost episode that is listed."""
    for each in data["episodes"][key]:
        group = ", ".join(f"{name} {value}" for name, value in each["group"].items())
        mode = f"{each['mode']}, exempted" if each["exemption"] else each["mode"]
        yield each["rule"], each["severity"], mode, str(each["findings"]), str(each["persons"]), group


def page(data: dict[str, Any]) -> str:
    """Give the report as one HTML page with no script and nothing to fetch."""
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Backtest</title>',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        f"<style>{_STYLE}</style></head><body><h1>Backtest</h1>",
        *(f"<p>{escape(line)}</p>" for line in summary(data)),
    ]
    if data["rules"]:
        head = ("rule", "before", "after", "change", "findings", "persons", "examples")
        parts.append(_table("Findings", head, rows(data), {"before", "after", "findings", "persons"}))
    kept = ("rule", "severity", "mode", "findings", "persons", "group")
    for title, key in (("New episodes", "new"), ("Lost episodes", "lost")):
        if data["episodes"][key]:
            parts.append(_table(title, kept, episodes(data, key), {"findings", "persons"}))
    return "".join(parts) + "</body></html>\n"


def _table(title: str, head: tuple[str, ...], body: Iterator[tuple[str, ...]], numbers: set[str]) -> str:
    classes = [' class="n"' if name in numbers else "" for name in head]
    top = "".join(f'<th scope="col"{kind}>{escape(name)}</th>' for name, kind in zip(head, classes, strict=True))
    lines = "".join(
        "<tr>" + "".join(f"<td{kind}>{escape(cell)}</td>" for cell, kind in zip(row, classes, strict=True)) + "</tr>"
        for row in body
    )
    return f"<h2>{escape(title)}</h2><table><thead><tr>{top}</tr></thead><tbody>{lines}</tbody></table>"
