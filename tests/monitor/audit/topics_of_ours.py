"""Made-up topics of ours that are right, as the records' published description has them, and what a judge would say of them."""

import json
import random
from dataclasses import dataclass, field
from typing import Any

from monitor.audit.evidence import Collector, Evidence, Source
from monitor.audit.verdict import Said

PLACE = ("shop.events", 0)
CLUSTER, BUNDLE = "cluster", "bundle"
RULES = ("tracking.gpc-ignored", "checkout.sensitive", "transfers.missing")


@dataclass
class Topics:
    """Records of ours as JSON objects, the source partition, and the judge's word."""

    source: Source = field(default_factory=Source)
    accounting: list[dict[str, Any]] = field(default_factory=list)
    folds: list[dict[str, Any]] = field(default_factory=list)
    letters: list[dict[str, Any]] = field(default_factory=list)
    words: dict[tuple[str, int], Said] = field(default_factory=dict)
    unreadable: int = 0
    """Records of ours that the checker could make nothing of, when the evidence was last taken."""

    def evidence(self) -> Evidence:
        collector = Collector(CLUSTER, [PLACE])
        for index, each in enumerate(self.accounting):
            collector.accounting(f"accounting/0/{index}", json.dumps(each).encode())
        for index, each in enumerate(self.folds):
            collector.fold(f"findings/0/{index}", json.dumps(each).encode())
        for index, each in enumerate(self.letters):
            collector.letter(f"letters/0/{index}", json.dumps(each).encode())
        self.unreadable = len(collector.unreadable)
        evidence = collector.evidence[PLACE]
        evidence.source = self.source
        return evidence


def made(seed: int) -> Topics:
    """Make a partition that was judged without a fault: batches, holes, dead letters, retention, and deliveries that came twice."""
    rng = random.Random(seed)
    topics = Topics()
    source = topics.source
    start = at = rng.randrange(1000)
    for index in range(rng.randint(3, 8)):
        first, findings = at, 0
        runs: list[tuple[int, str]] = []
        items: dict[str, int] = {}
        length = rng.randint(1, 12)
        if index == 0 and rng.random() < 0.5:
            expired = rng.randint(1, 30)
            runs.append((expired, "expired-before-read"))
            at += expired
        mark = f"0:{index}"
        folds: dict[tuple[str, str], list[tuple[int, int]]] = {}
        for _ in range(length):
            kind = rng.choices(("inspected", "dead-lettered", "not-a-record"), (8, 2, 1))[0]
            runs.append((1, kind))
            if kind != "not-a-record":
                source.sizes[at] = rng.randint(10, 999)
                findings += _record(rng, topics, (at, kind, mark), items, folds)
            at += 1
        accounting = {
            "cluster": CLUSTER,
            "topic": PLACE[0],
            "partition": PLACE[1],
            "start": first,
            "end": at,
            "runs": _merged(runs),
            "items": items,
            "findings": findings,
            "ledger_mark": mark,
            "bundle": BUNDLE,
            "worker": "w",
            "delivery": "at_least_once",
        }
        topics.accounting.append(accounting)
        ours = [_fold(rule, key, mark, counts) for (rule, key), counts in folds.items()]
        topics.folds += ours
        if rng.random() < 0.3:
            # Delivered, and not committed: the same again.
            topics.accounting.append(accounting)
            topics.folds += ours
            topics.letters += [each for each in topics.letters if first <= each["offset"] < at]
    source.low = start + sum(length for length, kind in topics.accounting[0]["runs"] if kind == "expired-before-read")
    source.high = at + rng.randrange(3)
    return topics


def _record(
    rng: random.Random,
    topics: Topics,
    at: tuple[int, str, str],
    items: dict[str, int],
    folds: dict[tuple[str, str], list[tuple[int, int]]],
) -> int:
    offset, kind, mark = at
    found: list[tuple[str, str, str, str, str]] = []
    rejected: list[tuple[int | None, str]] = []
    if kind == "dead-lettered":
        rejected.append((None, rng.choice(("syntax", "encoding"))))
    elif rng.random() < 0.2:
        rejected.append((1, "shape"))
    judged = 0 if kind == "dead-lettered" else rng.randint(1, 3)
    if judged:
        items["judged"] = items.get("judged", 0) + judged
        for rule in rng.sample(RULES, rng.choice((0, 0, 1, 2))):
            key = f"{rule}-{rng.randrange(2)}"
            count = rng.randint(1, 2)
            folds.setdefault((rule, key), []).append((offset, count))
            found += [(f"{offset}-{rule}-{number}", "live", rule, key, "") for number in range(count)]
    for item, reason in rejected:
        items[f"rejected:{reason}"] = items.get(f"rejected:{reason}", 0) + 1
        topics.letters.append(
            {
                "cluster": CLUSTER,
                "topic": PLACE[0],
                "partition": PLACE[1],
                "offset": offset,
                "item": item,
                "reason": reason,
                "size_bytes": topics.source.sizes[offset],
            }
        )
    topics.words[mark, offset] = Said(tuple(found), (), tuple(rejected), judged + len(rejected))
    return len(found)


def _merged(runs: list[tuple[int, str]]) -> list[list[Any]]:
    merged: list[list[Any]] = []
    for length, kind in runs:
        if merged and merged[-1][1] == kind:
            merged[-1][0] += length
        else:
            merged.append([length, kind])
    return merged


def _fold(rule: str, key: str, mark: str, counts: list[tuple[int, int]]) -> dict[str, Any]:
    deltas, before = [], 0
    for offset, count in counts:
        deltas.append([offset - before, 29_000_000, count])
        before = offset
    return {
        "cluster": CLUSTER,
        "topic": PLACE[0],
        "partition": PLACE[1],
        "mode": "live",
        "rule": rule,
        "episode_key": key,
        "exemption": "",
        "ledger_mark": mark,
        "bundle": BUNDLE,
        "offsets": deltas,
        "count": sum(count for _, count in counts),
        "exemplars": [
            {"finding_id": f"{offset}-{rule}-0", "offset": offset, "rule": rule, "item": 0, "location": "request"}
            for offset, _ in counts[:5]
        ],
    }
