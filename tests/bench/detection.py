"""Precision and recall of detection on a folder of labelled traffic, and false alarms on a lawful day.

    make bench-detection ARGS="--traffic DIR [--entities entities.json] [--lawful 200000]"

The folder holds other projects' test data: it is read from where it lies, and nothing of it is kept. Only counts are printed.
"""

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from detectors.classify.recipients import RecipientIndex, read_recipients
from detectors.classify.third_party_web import behind, read_entities
from tests.bench import clean, detection_fields, requests, structured
from tests.bench.lawful import false_alarms

Row = Mapping[str, Any]
Classifier = Callable[[str, str, str, str, bool], str]
"""Host, path, query, cookies, whether the host is the shop's own; gives a purpose, empty when nothing is known."""

PACKAGE = Path(__file__).parents[2] / "detectors" / "classify"
TRACKING = ("advertising", "analytics", "social", "tag_management", "marketing", "support")
"""Beginnings of our purposes that stand for the labels advertising, analytics, social, tag_manager and customer_engagement."""
LABELS = {
    "advertising": "advertising",
    "analytics": "analytics",
    "social": "social",
    "tag_management": "tag_manager",
    "marketing": "customer_engagement",
    "support": "customer_engagement",
}


def main() -> None:
    """Print the tables; skip what is not there."""
    parser = argparse.ArgumentParser(prog="make bench-detection", description=__doc__)
    parser.add_argument("--traffic", type=Path, help="folder with har_pages.jsonl and the other labelled files")
    parser.add_argument("--entities", type=Path, help="dist/entities.json of the npm package third-party-web")
    parser.add_argument("--lawful", type=int, default=200_000, help="pieces of a lawful day (0: none)")
    parser.add_argument("--personal", type=Path, help="labelled shop events (pii_structured_public.ndjson)")
    parser.add_argument("--presidio", type=int, default=0, help="of these, how many Presidio's expressions read too")
    parser.add_argument("--clean", type=int, default=100_000, help="generated events without personal data (0: none)")
    arguments = parser.parse_args()
    if arguments.personal is not None and arguments.personal.is_file():
        structured.report(arguments.personal, arguments.presidio)
    if arguments.clean:
        clean.report(arguments.clean)
    requests.report()
    if arguments.traffic is None or not arguments.traffic.is_dir():
        print("no folder of labelled traffic: skipped (give one with --traffic)")  # noqa: T201 - a benchmark reports
    else:
        index = shipped_index()
        browser_requests(arguments.traffic / "har_pages.jsonl", index, arguments.entities)
        detection_fields.report(arguments.traffic)
    if arguments.lawful:
        false_alarms(arguments.lawful)


def shipped_index() -> RecipientIndex:
    """Read the lists that the package ships."""
    names = ("recipients.yaml", "companies.yaml")
    first, second = (PACKAGE.joinpath(name).read_text(encoding="utf-8") for name in names)
    index, problems = read_recipients(first, names[0], second, names[1])
    if index is None:
        raise SystemExit("\n".join(map(str, problems)))
    print(f"built-in list: {len(index.by_id):,} companies, {sum(len(r.hosts) for r in index.by_id.values()):,} hosts")  # noqa: T201 - a benchmark reports
    return index


def browser_requests(file: Path, index: RecipientIndex, entities: Path | None) -> None:
    """Print how well requests of browsers are told to be tracking or not."""
    if not file.is_file():
        print(f"{file.name}: not there, skipped")  # noqa: T201 - a benchmark reports
        return
    rows = list(read_rows(file))
    shops = _shops(rows, index)
    classifiers = {"built-in list": by_lists(index)}
    if entities is not None and entities.is_file():
        classifiers["with third-party-web"] = by_lists(with_entities(index, entities))
    sets: dict[str, Callable[[Row], bool]] = {
        "high confidence": lambda row: row["labels"]["confidence"] == "high",
        "labelled by hand": lambda row: row["labels"]["labelled_by"].startswith("hand"),
        "all": lambda _: True,
    }
    print(  # noqa: T201 - a benchmark reports
        f"\n{'requests':<18} {'lists':<22} {'rows':>5} {'track':>5} {'hit':>5} {'other':>5} {'prec.':>6} {'recall':>6}"
    )
    for name, wanted in sets.items():
        chosen = [row for row in rows if wanted(row)]
        for which, classify in classifiers.items():
            told = [(row, purpose_of(row, classify, shops)) for row in chosen]
            positive = sum(row["labels"]["tracking"] for row, _ in told)
            hits = sum(row["labels"]["tracking"] and is_tracking(purpose) for row, purpose in told)
            others = sum(not row["labels"]["tracking"] and is_tracking(purpose) for row, purpose in told)
            print(  # noqa: T201 - a benchmark reports
                f"{name:<18} {which:<22} {len(chosen):>5} {positive:>5} {hits:>5} {others:>5} "
                f"{hits / max(hits + others, 1):>6.3f} {hits / max(positive, 1):>6.3f}"
            )
    _own(rows, index, shops)
    for which, classify in classifiers.items():
        _confusion(which, rows, classify, shops)


def by_lists(index: RecipientIndex) -> Classifier:
    """Classify as the monitor does."""

    def classify(host: str, path: str, query: str, cookies: str, own: bool) -> str:  # noqa: FBT001 - of a call made here alone
        if own:
            measured = index.lookup_own(host, path, query)
            return measured.purpose if measured else ""
        known = index.lookup_request(host, path, query, cookies)
        return known.purpose if known else ""

    return classify


def with_entities(index: RecipientIndex, file: Path) -> RecipientIndex:
    """Put the entities of third-party-web behind the shipped lists, as the monitor does where they are configured."""
    entities, problems = read_entities(file.read_bytes(), file.name)
    if entities is None:
        raise SystemExit("\n".join(map(str, problems)))
    return behind(index, entities)


def read_rows(file: Path) -> Iterator[Row]:
    """Read the records of a file of JSON lines."""
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def purpose_of(row: Row, classify: Classifier, shops: Mapping[str, frozenset[str]]) -> str:
    """Give the purpose of a row's request."""
    url = urlsplit(row["url"])
    own = bool(_names_of(url.hostname or "") & shops[row["src"]["path"]])
    return classify(url.hostname or "", url.path, url.query, row["cookie"] or "", own)


def is_tracking(purpose: str) -> bool:
    """Tell whether a purpose counts as tracking in the labels' sense."""
    return purpose.startswith(TRACKING)


def _names_of(host: str) -> set[str]:
    parts = host.split(".")
    return {".".join(parts[start:]) for start in range(len(parts))}


def _shops(rows: Sequence[Row], index: RecipientIndex) -> dict[str, frozenset[str]]:
    """Give the own domains of each recording's shop: the page of its first request, and its company's other hosts."""
    pages: dict[str, str] = {}
    for row in sorted(rows, key=lambda row: str(row["ts"])):
        pages.setdefault(row["src"]["path"], urlsplit(row["page_url"] or "").hostname or "")
    shops: dict[str, frozenset[str]] = {}
    for recording, host in pages.items():
        company = index.lookup_host(host)
        own = {index.registrable(host) or host, *(company.hosts if company else ())}
        shops[recording] = frozenset(own)
    return shops


def _own(rows: Sequence[Row], index: RecipientIndex, shops: Mapping[str, frozenset[str]]) -> None:
    """Print how many hits are the site's own measuring, for which the monitor knows a purpose and no recipient."""
    ways: Counter[str] = Counter()
    for row in rows:
        url = urlsplit(row["url"])
        if row["labels"]["tracking"] and _names_of(url.hostname or "") & shops[row["src"]["path"]]:
            known = index.lookup_own(url.hostname or "", url.path, url.query)
            ways["recipient known" if known and known.recipient else "purpose alone" if known else "nothing"] += 1
    print(f"tracking on the site's own hosts: {dict(ways)}")  # noqa: T201 - a benchmark reports


def _confusion(which: str, rows: Sequence[Row], classify: Classifier, shops: Mapping[str, frozenset[str]]) -> None:
    columns = sorted({*LABELS.values(), "other purpose", "nothing"})
    table: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        purpose = purpose_of(row, classify, shops)
        told = LABELS.get(purpose.partition(".")[0], "other purpose") if purpose else "nothing"
        table[row["labels"]["purpose"]][told] += 1
    print(f"\npurposes, {which}: label down, answer across")  # noqa: T201 - a benchmark reports
    print(f"{'':<20}" + "".join(f"{column:>21}" for column in columns))  # noqa: T201 - a benchmark reports
    for label in sorted(table):
        print(f"{label:<20}" + "".join(f"{table[label][column]:>21}" for column in columns))  # noqa: T201 - a benchmark reports


if __name__ == "__main__":
    main()
