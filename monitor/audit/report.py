"""What the check tells people and machines."""

from collections.abc import Iterable
from typing import Any

from monitor.audit.evidence import CLASSES
from monitor.audit.run import Audit

MOST_FAULTS = 50
"""Faults that the text names one by one; the JSON names all."""


def exit_code(done: Audit) -> int:
    """0: all is accounted for. 1: something is wrong. 3: nothing is wrong, and some of it can no longer be told."""
    if not done.is_fine:
        return 1
    return 3 if done.total.unverifiable else 0


def as_data(done: Audit) -> dict[str, Any]:
    """Give the report for machines."""
    total = done.total
    return {
        "schema": "privacy.audit.v1",
        "cluster": done.cluster,
        "bundle": done.bundle,
        "verdict": {0: "accounted-for", 1: "wrong", 3: "unverifiable"}[exit_code(done)],
        "offsets": {kind: total.offsets[kind] for kind in CLASSES},
        "findings": total.findings,
        "findings_delivered_again": total.duplicates,
        "dead_letters": total.letters,
        "waiting": total.waiting,
        "unwatched": total.unwatched,
        "unverifiable": dict(sorted(total.unverifiable.items())),
        "faults": [
            {
                "kind": each.kind.value,
                "topic": each.topic,
                "partition": each.partition,
                "first": each.first,
                "end": each.end,
                "detail": each.detail,
            }
            for each in total.faults
        ],
        "unreadable": [{"at": each.at, "why": each.why} for each in done.unreadable],
        "partitions": [
            {"topic": topic, "partition": partition, "offsets": dict(result.offsets), "faults": len(result.faults)}
            for (topic, partition), result in done.partitions.items()
        ],
    }


def lines(done: Audit) -> Iterable[str]:
    """Give the report for people."""
    total = done.total
    code = exit_code(done)
    head = {
        0: "Every offset is accounted for, and every finding stands.",
        1: f"WRONG: {len(total.faults)} faults, {len(done.unreadable)} unreadable records of ours.",
        3: "Nothing is wrong, but not all of it can be told any more.",
    }[code]
    yield head
    yield f"cluster {done.cluster}, {len(done.partitions)} partitions" + (
        f", judged again by bundle {done.bundle}" if done.bundle else ", not judged again"
    )
    yield "offsets: " + ", ".join(f"{total.offsets[kind]} {kind}" for kind in CLASSES if total.offsets[kind])
    yield f"findings: {total.findings}, and {total.duplicates} of them delivered again with equal ids; dead letters: {total.letters}"
    if total.waiting:
        yield f"waiting: {total.waiting} offsets behind the last accounted one"
    if total.unwatched:
        yield f"unwatched: {total.unwatched} offsets before the first accounted one"
    for reason, count in sorted(total.unverifiable.items()):
        yield f"unverifiable: {count} offsets, {reason}"
    for fault in total.faults[:MOST_FAULTS]:
        span = str(fault.first) if fault.end == fault.first + 1 else f"{fault.first}-{fault.end - 1}"
        yield f"  {fault.kind.value}: {fault.topic}/{fault.partition} {span}" + (
            f": {fault.detail}" if fault.detail else ""
        )
    if len(total.faults) > MOST_FAULTS:
        yield f"  and {len(total.faults) - MOST_FAULTS} more; --json names all"
    for each in done.unreadable[:MOST_FAULTS]:
        yield f"  unreadable: {each.at}: {each.why}"
