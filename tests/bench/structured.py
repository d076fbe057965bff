"""Precision and recall on labelled shop events, per (event, path, class), with the regular expressions of Presidio beside them.

The set is not part of the project: it is read from where it lies. Only counts are printed.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from detectors.classify.fields import Budget, find_fields
from tests.bench.detection_fields import shipped_taxonomy
from topics.observation import Media, Part

CLASSES: Mapping[str, str] = {
    "user.contact.email": "EMAIL_ADDRESS",
    "user.contact.phone_number": "PHONE_NUMBER",
    "user.name": "PERSON",
    "user.contact.address.street": "LOCATION",
    "user.financial.credit_card.number": "CREDIT_CARD",
    "user.government_id": "US_SSN",
    "user.government_id.national_identification_number": "US_SSN",
    "user.device.ip_address": "IP_ADDRESS",
    "user.financial.bank_account": "IBAN_CODE",
    "user.demographic.date_of_birth": "DATE_OF_BIRTH",
}
CARRIERS = ("url", "payload", "blob")
"""What a label names for an encoded value: our paths go on inside of it."""
NO_EVIDENCE = frozenset({("DATE_OF_BIRTH", "base64"), ("PERSON", "base64")})
"""Bare dates, and names without a name of a field."""
Unit = tuple[str, str]


def _say(line: str) -> None:
    print(line)  # noqa: T201 - a benchmark reports


def ours(event: Mapping[str, Any]) -> set[Unit]:
    """Find (path, class) as the monitor does."""
    part = Part("", json.dumps(event).encode(), Media.JSON)
    units = set()
    for field in find_fields(part, Budget(), shipped_taxonomy()).fields:
        name = CLASSES.get(field.category)
        if name:
            carrier = field.path.partition(".")[0]
            units.add((carrier if carrier in CARRIERS else field.path, name))
    return units


def report(file: Path, most: int = 0) -> None:
    """Print the figures of the monitor over the whole set, and of Presidio over a part of it."""
    with file.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    _say(f"\n{file.name}: {len(rows):,} events, {sum(len(row['labels']) for row in rows):,} labels")
    score("monitor", rows, ours)
    if most:
        presidio = presidio_finder()
        if presidio is None:
            _say("Presidio is not installed: skipped")
        else:
            score("presidio", rows[:most], presidio)
            score("monitor", rows[:most], ours)


def score(name: str, rows: list[dict[str, Any]], find: Callable[[Mapping[str, Any]], set[Unit]]) -> None:
    """Print precision, recall and F2 over all and by class, and recall by encoding."""
    hit: Counter[str] = Counter()
    labelled: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    by_encoding: Counter[tuple[str, bool]] = Counter()
    flagged = clean = 0
    started = time.process_time()
    for row in rows:
        found = find(row["event"])
        truth = {(each["path"], each["entity"]): each["encoding"] for each in row["labels"]}
        wrong.update(name for _, name in found - truth.keys())
        if not truth:
            clean += 1
            flagged += bool(found)
        for unit, encoding in truth.items():
            labelled[unit[1]] += 1
            hit[unit[1]] += unit in found
            without = "  (no evidence)" if (unit[1], encoding) in NO_EVIDENCE else ""
            by_encoding[encoding + without, unit in found] += 1
    spent = (time.process_time() - started) / len(rows) * 1e6
    _say(
        f"{name:<10} {'labels':>7} {'hit':>6} {'wrong':>6} {'prec.':>6} {'recall':>6} {'F2':>6}   ({len(rows):,} events, {spent:,.0f} us each)"
    )
    for each in (*sorted(labelled), "all"):
        n, h, w = (sum(c.values()) if each == "all" else c[each] for c in (labelled, hit, wrong))
        precision, recall = h / max(h + w, 1), h / max(n, 1)
        f2 = 5 * precision * recall / max(4 * precision + recall, 1e-9)
        _say(f"  {each:<16} {n:>7} {h:>6} {w:>6} {precision:>6.3f} {recall:>6.3f} {f2:>6.3f}")
    for encoding in sorted({each for each, _ in by_encoding}):
        h, m = by_encoding[encoding, True], by_encoding[encoding, False]
        _say(f"  {encoding:<28} {h}/{h + m} = {h / (h + m):.3f}")
    _say(f"  clean events flagged: {flagged}/{clean}")


def presidio_finder() -> Callable[[Mapping[str, Any]], set[Unit]] | None:
    """Give a finder of Presidio's own recognizers without a language model, over every leaf of an event; None where it is absent."""
    try:
        from tests.bench.presidio_alone import analyze  # noqa: PLC0415 - an optional part
    except ImportError:
        return None

    def find(event: Mapping[str, Any]) -> set[Unit]:
        units: set[Unit] = set()
        for path, text in leaves(event, ""):
            units.update((path, each) for each in analyze(text))
        return units

    return find


def leaves(value: Any, path: str) -> list[tuple[str, str]]:
    """Give path and text of every leaf."""
    if isinstance(value, Mapping):
        return [leaf for key, member in value.items() for leaf in leaves(member, f"{path}.{key}" if path else key)]
    if isinstance(value, list):
        return [leaf for member in value for leaf in leaves(member, f"{path}[]")]
    return [(path, str(value))]
