"""Findings by hour, rule, recipient and service, as rows for a warehouse or a spreadsheet. Counts only, no person.

Every minute it writes what came since, a row for each that has something new, to `privacy.hourly.v1`. To count: keep the
newest row of each `id`, and add up `findings`.

It counts at least once, and not exactly. After a kill folds are read again; their rows mostly come again under the same ids,
and where the minutes were cut differently some findings count twice. Folds that Faust itself drops are missing. Findings
that a worker wrote twice (`delivery: at_least_once`) count twice. Exact counts are those of episodes.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple, cast

import msgspec

from alerts.agent import FindingsApp, Stream
from topics.canary import CANARY_RULE
from topics.finding import Detector, Fold, Verdict

TOPIC = "privacy.hourly.v1"
EVERY_SECONDS = 60.0
_KEPT_SECONDS = 400 * 24 * 60 * 60.0
_HOUR_MS = 3_600_000
_MOST_FOLDS = 4_000
"""So many are one batch although the minute is not over."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """Findings of one hour that a batch of folds brought: the record of `privacy.hourly.v1`, with `id` as its key."""

    schema: str = "privacy.hourly.v1"
    id: str
    """Partition and offset of the first fold in it, and the hour: the same folds give the same id."""
    hour: str
    """Its beginning by the events' own clock, in UTC: `2026-11-25T22:00:00Z`."""
    detector: Detector
    rule: str
    verdict: Verdict
    exempted: bool
    """An exception covers them."""
    jurisdiction: str
    recipient: str
    service: str
    """The shop's own; several of one fold, whose findings it does not tell apart, are joined by `, `."""
    findings: int


class Read(NamedTuple):
    """A fold, and where it stands on the findings topic."""

    partition: int
    offset: int
    fold: Fold


class _Kind(NamedTuple):
    """What is counted apart. By partition too: each may be another process's tomorrow."""

    partition: int
    hour: int
    detector: Detector
    rule: str
    verdict: Verdict
    exempted: bool
    jurisdiction: str
    recipient: str
    service: str


def rows(batch: Iterable[Read]) -> list[Row]:
    """Count findings by what a row tells apart, in order of first appearance.

    A fold that was read twice counts once. The canary's are no traffic of the shop.
    """
    counts: defaultdict[_Kind, int] = defaultdict(int)
    first: dict[_Kind, int] = {}
    known: set[tuple[int, int]] = set()
    for partition, offset, fold in batch:
        if (partition, offset) in known or fold.rule == CANARY_RULE:
            continue
        known.add((partition, offset))
        earliest, latest = fold.first_at_ms // _HOUR_MS, fold.last_at_ms // _HOUR_MS
        for _, minute, count in fold.offsets:
            kind = _Kind(
                partition,
                # The minutes of a fold that somebody else wrote can be any numbers; its times were checked.
                min(max(minute // 60, earliest), latest),
                fold.detector,
                fold.rule,
                fold.verdict,
                bool(fold.exemption),
                fold.jurisdiction,
                fold.recipient,
                ", ".join(fold.services),
            )
            counts[kind] += count
            first.setdefault(kind, offset)
    return [_row(kind, first[kind], count) for kind, count in counts.items()]


def hourly(app: FindingsApp, *, topic: str = TOPIC, every_seconds: float = EVERY_SECONDS) -> None:
    """Add the agent to an application. It makes its topic where that is missing."""
    written = app.topic(
        topic,
        key_serializer="raw",
        value_serializer="raw",
        retention=_KEPT_SECONDS,
        compacting=True,
        deleting=True,
    )

    async def count(folds: Stream[Fold]) -> None:
        await written.declare()
        async for events in folds.take_events(_MOST_FOLDS, within=every_seconds):  # type: ignore[attr-defined] # Faust's
            # After partitions moved, those that stayed are read again from the last commit, and those that went by others.
            ours = app.consumer.assignment()
            batch = [
                Read(each.message.partition, each.message.offset, cast("Fold", each.value))
                for each in events
                if each.message.tp in ours
            ]
            sent = [await written.send(key=row.id.encode(), value=msgspec.json.encode(row)) for row in rows(batch)]
            # Faust acknowledges the folds when the next are asked for: not before the broker has their rows.
            await asyncio.gather(*sent)

    app.agent(app.findings, name="hourly")(count)


def _row(kind: _Kind, offset: int, count: int) -> Row:
    hour = datetime.fromtimestamp(kind.hour * 3600, UTC).strftime("%Y-%m-%dT%H:00:00Z")
    return Row(
        id=f"{kind.partition}/{offset}/{hour}",
        hour=hour,
        detector=kind.detector,
        rule=kind.rule,
        verdict=kind.verdict,
        exempted=kind.exempted,
        jurisdiction=kind.jurisdiction,
        recipient=kind.recipient,
        service=kind.service,
        findings=count,
    )
