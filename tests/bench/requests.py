"""Precision and recall on requests that were composed for this project, over distinct (request, path, category).

    python -m tests.bench.requests [--show]

`tests/requests` holds them: names of fields from the public documentation of many services, values invented, every personal field labelled.
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML

from detectors.classify.fields import Budget, find_fields
from tests.bench.detection_fields import shipped_taxonomy
from topics.observation import Media, Part

FOLDER = Path(__file__).parents[1] / "requests"
Unit = tuple[str, str]
"""Path as a finding shows it, and category."""


class Request(NamedTuple):
    """One composed request with all that is personal in it."""

    file: str
    name: str
    part: Part
    personal: frozenset[Unit]
    either: frozenset[str]
    """Paths about which readers may differ: not counted."""
    unfound: frozenset[str]
    """Paths that are labelled and known not to be found."""
    mistaken: frozenset[str]
    """Paths that are known to be found wrongly."""


class Score(NamedTuple):
    """What was labelled, what of it was found, and what else was."""

    labelled: frozenset[Unit]
    hit: frozenset[Unit]
    wrong: frozenset[Unit]


@cache
def requests() -> tuple[Request, ...]:
    """Read all files, in the order of their names."""
    return tuple(_request(file.stem, each) for file in sorted(FOLDER.glob("*.yaml")) for each in _rows(file))


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    with file.open(encoding="utf-8") as lines:
        yield from YAML(typ="safe", pure=True).load(lines)


def _request(file: str, row: dict[str, Any]) -> Request:
    if "form" in row:
        part = Part("", row["form"].encode(), Media.FORM)
    elif "text" in row:
        part = Part("", row["text"].encode(), Media.TEXT)
    else:
        part = Part("", json.dumps(row["body"], default=str, ensure_ascii=False).encode(), Media.JSON)
    return Request(
        file,
        row["name"],
        part,
        frozenset(
            (shown(path), key if key.startswith("system.") else f"user.{key}")
            for key, paths in row["personal"].items()
            for path in paths
        ),
        frozenset(shown(path) for path in row.get("either", ())),
        frozenset(shown(path) for path in row.get("unfound", ())),
        frozenset(shown(path) for path in row.get("mistaken", ())),
    )


def shown(path: str) -> str:
    """Hide the names of a written path as findings hide them."""
    read = shipped_taxonomy().keys.read
    words = (word.partition("[]") for word in path.split("."))
    return ".".join((read(name).word if name else "") + fold + rest for name, fold, rest in words)


def score(request: Request) -> Score:
    """Search a request and hold what is found against its labels."""
    found = frozenset(
        (field.path, field.category)
        for field in find_fields(request.part, Budget(), shipped_taxonomy()).fields
        if field.path not in request.either
    )
    return Score(request.personal, found & request.personal, found - request.personal)


def report(*, show: bool = False) -> None:
    """Print the figures of each file, and recall by category."""
    _say(f"\n{'composed requests':<28} {'labels':>7} {'found':>7} {'hit':>6} {'prec.':>6} {'recall':>6}")
    hits: Counter[str] = Counter()
    labels: Counter[str] = Counter()
    totals: dict[str, list[int]] = {}
    for request in requests():
        told = score(request)
        labels.update(category for _, category in told.labelled)
        hits.update(category for _, category in told.hit)
        for name in (request.file, "all"):
            sums = totals.setdefault(name, [0, 0, 0])
            for index, units in enumerate((told.labelled, told.hit, told.wrong)):
                sums[index] += len(units)
        if show:
            for sign, units in (("missed", told.labelled - told.hit), ("wrong", told.wrong)):
                for path, category in sorted(units):
                    _say(f"  {sign:<7} {request.name}: {path} {category}")
    for name in [*sorted(totals.keys() - {"all"}), "all"]:
        labelled, hit, wrong = totals[name]
        _say(
            f"{name:<28} {labelled:>7} {hit + wrong:>7} {hit:>6} {hit / max(hit + wrong, 1):>6.3f} {hit / max(labelled, 1):>6.3f}"
        )
    _say("by category (hit/labelled): " + ", ".join(f"{k} {hits[k]}/{n}" for k, n in labels.most_common()))


def _say(line: str) -> None:
    print(line)  # noqa: T201 - a benchmark reports


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.bench.requests", description=__doc__)
    parser.add_argument("--show", action="store_true", help="tell every miss and every field that is not labelled")
    report(show=parser.parse_args().show)
