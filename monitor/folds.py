"""Findings of a batch that belong to one episode, as one record: what travels to the alert plane. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from detectors.law.exposure import NO_EXPOSURE
from detectors.law.pack import LawPack
from topics.distinct import Distinct
from topics.finding import MAX_EXEMPLARS, SEVERITIES, Finding, Fold

_FULL_CARRIER = 64
"""Services, purposes and categories that one fold names at most."""


def fold(
    findings: Iterable[Finding],
    cluster: str,
    ledger_mark: str = "",
    law: LawPack | None = None,
    anew: Mapping[str, str] | None = None,
) -> list[Fold]:
    """Put findings of one input partition and episode key into one record each, in order of first appearance.

    With the law pack, the records say in figures what the duties of `exposure` entail.
    """
    groups: defaultdict[tuple[str, str, str, int], list[Finding]] = defaultdict(list)
    for finding in findings:
        # What an exception covers is kept apart: a covered finding must not hide in a fold that calls somebody.
        groups[finding.episode_key, finding.exemption, finding.topic, finding.partition].append(finding)
    named = anew or {}
    return [_fold(group, named.get(group[0].topic, cluster), ledger_mark, law) for group in groups.values()]


def _fold(group: Sequence[Finding], cluster: str, ledger_mark: str, law: LawPack | None) -> Fold:
    first = group[0]
    entails = law.exposure_for(first.jurisdiction, first.at_ms) if law is not None and first.exposure else NO_EXPOSURE
    per_offset: dict[int, tuple[int, int]] = {}
    for finding in group:
        minute, count = per_offset.get(finding.offset, (finding.at_ms // 60_000, 0))
        per_offset[finding.offset] = minute, count + 1
    deltas: list[tuple[int, int, int]] = []
    before = 0
    for offset in sorted(per_offset):
        deltas.append((offset - before, *per_offset[offset]))
        before = offset
    return Fold(
        episode_key=first.episode_key,
        detector=first.detector,
        rule=first.rule,
        rule_version=first.rule_version,
        verdict=first.verdict,
        severity=max((finding.severity for finding in group), key=SEVERITIES.index),
        mode=first.mode,
        basis=first.basis,
        jurisdiction=first.jurisdiction,
        law=first.law,
        recipient=first.recipient,
        group=first.group,
        cluster=cluster,
        topic=first.topic,
        partition=first.partition,
        offsets=tuple(deltas),
        count=len(group),
        first_at_ms=min(finding.at_ms for finding in group),
        last_at_ms=max(finding.at_ms for finding in group),
        subjects=Distinct(finding.subject for finding in group).encode(),
        services=_names(finding.service for finding in group),
        purposes=_names(finding.purpose for finding in group),
        categories=_names(category for finding in group for category in finding.categories),
        exemplars=tuple(group[:MAX_EXEMPLARS]),
        bundle=first.bundle,
        exposure=first.exposure,
        amounts=entails.amounts,
        clocks=entails.clocks,
        exemption=first.exemption,
        ledger_mark=ledger_mark,
        threshold=first.threshold,
        minutes=_minutes(group) if first.threshold is not None else (),
        windows=first.windows,
        runbook=first.runbook,
    )


def _minutes(group: Sequence[Finding]) -> tuple[tuple[int, str], ...]:
    """Give the persons of each event minute: a threshold is about those of a few minutes."""
    persons: defaultdict[int, Distinct] = defaultdict(Distinct)
    for finding in group:
        persons[finding.at_ms // 60_000].add(finding.subject)
    return tuple((minute, who.encode()) for minute, who in sorted(persons.items()))


def _names(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({value for value in values if value})[:_FULL_CARRIER])
