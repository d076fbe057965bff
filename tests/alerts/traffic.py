"""Findings as a traffic plane would fold them, with the truth beside: batches cut anywhere, and read again from earlier."""

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from topics.distinct import Distinct
from topics.finding import MAX_EXEMPLARS, Basis, Detector, Finding, Fold, Mode, Severity, Verdict

START_MS = 1_700_000_000_000


@dataclass(frozen=True)
class Seen:
    """Findings of one record of the traffic."""

    key: str
    partition: int
    offset: int
    at_ms: int
    count: int
    subject: str
    severity: Severity = Severity.MEDIUM
    verdict: Verdict = Verdict.VIOLATION


def finding(seen: Seen, item: int = 0) -> Finding:
    return Finding(
        finding_id=f"{seen.key}-{seen.partition}-{seen.offset}-{item}",
        detector=Detector.UNCONSENTED_TRACKING,
        rule="tracking.gpc-ignored",
        rule_version="1.0.0",
        verdict=seen.verdict,
        severity=seen.severity,
        mode=Mode.LIVE,
        basis=Basis.LAW,
        why="An order was sent to an advertising network after an opt-out.",
        jurisdiction="US-CA",
        law=("us-ca-opt-out-of-sale",),
        recipient="ads.example",
        service="checkout",
        purpose="advertising.targeted",
        step="",
        categories=("order",),
        fields=("body.order",),
        subject=seen.subject,
        at_ms=seen.at_ms,
        topic="events",
        partition=seen.partition,
        offset=seen.offset,
        item=item,
        location=f"tracking.gpc-ignored/{item}",
        proof=(("signal", "gpc"),),
        group=(("flow.recipient", "ads.example"),),
        episode_key=seen.key,
        bundle="b1",
    )


def fold(seen: list[Seen]) -> Fold:
    """Fold records of one partition and one key, in the order of their offsets."""
    first = seen[0]
    offsets = []
    before = 0
    for one in seen:
        offsets.append((one.offset - before, one.at_ms // 60_000, one.count))
        before = one.offset
    exemplar = finding(first)
    return Fold(
        episode_key=first.key,
        detector=exemplar.detector,
        rule=exemplar.rule,
        rule_version=exemplar.rule_version,
        verdict=first.verdict,
        severity=max((one.severity for one in seen), key=list(Severity).index),
        mode=exemplar.mode,
        basis=exemplar.basis,
        jurisdiction=exemplar.jurisdiction,
        law=exemplar.law,
        recipient=exemplar.recipient,
        group=exemplar.group,
        cluster="c1",
        topic="events",
        partition=first.partition,
        offsets=tuple(offsets),
        count=sum(one.count for one in seen),
        first_at_ms=min(one.at_ms for one in seen),
        last_at_ms=max(one.at_ms for one in seen),
        subjects=Distinct(one.subject for one in seen).encode(),
        services=(exemplar.service,),
        purposes=(exemplar.purpose,),
        categories=exemplar.categories,
        exemplars=tuple(finding(one) for one in seen[:MAX_EXEMPLARS]),
        bundle=exemplar.bundle,
    )


def traffic(random_: random.Random, partition: int, findings: int, keys: list[str]) -> list[Seen]:
    """Make one input partition with at least so many findings."""
    offset = random_.randrange(3)
    made: list[Seen] = []
    total = 0
    while total < findings:
        count = random_.choice((1, 1, 1, 2, 5))
        made.append(
            Seen(
                key=random_.choice(keys),
                partition=partition,
                offset=offset,
                at_ms=START_MS + offset * 700 + random_.randrange(-5_000, 5_000),
                count=count,
                subject=f"{random_.randrange(40):08x}",
            )
        )
        total += count
        offset += random_.choice((1, 1, 2, 7))
    return made


def batches(
    random_: random.Random, items: list[Seen], *, largest: int = 30, again: float = 0.15
) -> Iterator[list[Fold]]:
    """Cut a partition into batches of folds; now and then go back and read a part again, cut differently."""
    at = 0
    while at < len(items):
        upto = min(len(items), at + random_.randint(1, largest))
        by_key: defaultdict[tuple[str, Verdict], list[Seen]] = defaultdict(list)
        for one in items[at:upto]:
            by_key[one.key, one.verdict].append(one)
        yield [fold(group) for group in by_key.values()]
        at = max(0, upto - random_.randint(1, 2 * largest)) if random_.random() < again else upto
