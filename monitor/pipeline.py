"""The one judge: a batch of records and a snapshot of knowledge in, an outcome out. Pure.

The live loop, `inspect` and `explain` all call `process`; there is no second judge anywhere.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from detectors import checkout, recipients, tracking, transfers
from detectors.assessment import Assessment, ConsentDecision, TransferStatus
from detectors.classify.flows import Classified, Knowledge, classify
from detectors.classify.needs import NeedTable
from detectors.consent.decide import is_governed
from detectors.consent.ledger import LedgerView
from detectors.doubt import at_rival, is_doubtful, settled_tracking, settled_transfer, without_register
from detectors.exemptions import NO_EXEMPTIONS, Exemptions
from detectors.law.pack import LawPack
from detectors.rules.judge import RecordPlace, judge
from detectors.rules.ruleset import RuleSet
from topics.accounting import Accounting, DeadLetter, OffsetClass
from topics.distinct import Distinct
from topics.finding import MAX_EXEMPLARS, SEVERITIES, Detector, Finding, Fold
from topics.links import LinkRecord, links
from topics.observation import Adapter, Observation, Reading
from topics.record import Place, RawRecord, Reason, Rejected

_FULL_CARRIER = 64
"""Services, purposes and categories that one fold names at most."""


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a batch is judged by: one frozen snapshot."""

    cluster: str
    know: Knowledge
    law: LawPack
    needs: NeedTable
    rules: RuleSet
    ledger: LedgerView
    adapters: Mapping[str, Adapter]
    """By source topic."""
    bundle: str
    """Digest of rules, law pack and register: equal digests and ledger marks give equal verdicts."""
    exemptions: Exemptions = NO_EXEMPTIONS
    worker: str = ""
    delivery: str = "at_least_once"


class Start(msgspec.Struct, frozen=True):
    """Where the accounting of a partition goes on."""

    offset: int
    """Next offset that belongs to no range yet."""
    expired: int
    """Offsets from `offset` up to this one were removed by retention before they were read."""


class Fault(msgspec.Struct, frozen=True):
    """An error of ours while judging a record: its place and kind, never its text."""

    topic: str
    partition: int
    offset: int
    item: int
    kind: str
    rule: str = ""


class Judged(msgspec.Struct, kw_only=True):
    """What was said of one item."""

    observation: Observation
    classified: Classified
    assessments: list[Assessment]
    findings: list[Finding]
    unknown: tuple[tuple[Detector, str], ...]
    """Per detector the reason why it could not decide; empty: judged by all."""


Witness = Callable[[RawRecord, Judged], None]
"""Somebody who is shown each judged item."""


class Outcome(msgspec.Struct, kw_only=True):
    """All that one batch gives: what to deliver, and what to count."""

    findings: list[Finding] = msgspec.field(default_factory=list)
    folds: list[Fold] = msgspec.field(default_factory=list)
    dead_letters: list[DeadLetter] = msgspec.field(default_factory=list)
    accounting: list[Accounting] = msgspec.field(default_factory=list)
    faults: list[Fault] = msgspec.field(default_factory=list)
    records: Counter[tuple[str, str]] = msgspec.field(default_factory=Counter)
    """(topic, offset class) -> records."""
    items: Counter[tuple[str, str]] = msgspec.field(default_factory=Counter)
    """(topic, `judged` | `unknown:<reason>` | `rejected:<reason>`) -> items."""
    gaps: Counter[tuple[str, str]] = msgspec.field(default_factory=Counter)
    """(detector, reason) -> assessments that lacked a fact."""
    last_event_ms: dict[str, int] = msgspec.field(default_factory=dict)
    links: tuple[LinkRecord, ...] = ()
    """Pairs of identifiers that observations named together, each once, in order of first appearance."""


def process(
    batch: Sequence[RawRecord],
    context: Context,
    starts: Mapping[Place, Start],
    witness: Witness | None = None,
) -> Outcome:
    """Judge a batch. `starts` says where the accounting of each partition goes on, so that holes are seen as holes.

    Records of one partition come in offset order. Never raises for what a record holds. A `witness` is shown each
    judged item on the way: what `inspect` and `explain` print is what the live loop did.
    """
    work = _Batch(context, witness)
    for record in batch:
        work.add(record, starts.get((record.topic, record.partition)))
    outcome = work.outcome
    for (topic, partition), tally in work.tallies.items():
        outcome.accounting.append(tally.close(topic, partition, context))
    outcome.folds = fold(outcome.findings, context.cluster)
    outcome.links = tuple(
        dict.fromkeys(pair for identifiers in work.named_together for pair in links(context.know.key, identifiers))
    )
    return outcome


def _judge(record: RawRecord, observation: Observation, context: Context) -> tuple[Judged, list[Fault]]:
    """Classify, assess and judge one observation."""
    classified = classify(observation, record.timestamp_ms, context.know)
    coverage = context.ledger.coverage(record.timestamp_ms)
    assessments: list[Assessment] = []
    for flow, entry in classified.flows:
        law = context.law.law_for(flow.origin.country, flow.origin.subdivision, flow.at_ms)
        choices = context.ledger.choices(flow.subjects) if flow.subjects and is_governed(flow.purpose) else ()
        doubtful = is_doubtful(flow)
        rival = at_rival(flow) if doubtful else None
        tracked = tracking.assess(flow, law, choices, coverage)
        if tracked is not None:
            transfer = transfers.assess(flow, entry, context.law, flow.at_ms)
            if doubtful:
                elsewhere = None
                if rival is not None:
                    other = context.law.law_for(rival.origin.country, rival.origin.subdivision, flow.at_ms)
                    elsewhere = tracking.assess(rival, other, choices, coverage)
                tracked = settled_tracking(tracked, elsewhere)
                there = transfers.assess(rival, entry, context.law, flow.at_ms) if rival is not None else None
                transfer = settled_transfer(transfer, there)
            if not context.know.has_register:
                transfer = without_register(transfer)
            assessments.append(tracked)
            assessments.append(
                Assessment(detector=Detector.CROSS_JURISDICTION_TRANSFER, flow=flow, law=law, transfer=transfer)
            )
        if context.know.has_register:
            agreement = recipients.assess(flow, entry, flow.at_ms)
            if agreement is not None:
                assessments.append(
                    Assessment(detector=Detector.UNDOCUMENTED_RECIPIENT, flow=flow, law=law, agreement=agreement)
                )
        if flow.step:
            assessments.append(
                Assessment(
                    detector=Detector.CHECKOUT_OVER_COLLECTION,
                    flow=flow,
                    law=law,
                    checkout=checkout.assess(flow, law, context.needs, context.know.taxonomy),
                )
            )
    place = RecordPlace(context.cluster, record.topic, record.partition, record.offset)
    findings, errors = judge(assessments, context.rules, place, context.bundle)
    findings = context.exemptions.mark(findings)
    judged = Judged(
        observation=observation,
        classified=classified,
        assessments=assessments,
        findings=findings,
        unknown=tuple(dict.fromkeys(_unknowns(assessments))),
    )
    faults = [
        Fault(record.topic, record.partition, record.offset, observation.item, error.kind, error.rule)
        for error in errors
    ]
    return judged, faults


def fold(findings: Iterable[Finding], cluster: str) -> list[Fold]:
    """Put findings of one input partition and episode key into one record each, in order of first appearance."""
    groups: defaultdict[tuple[str, str, str, int], list[Finding]] = defaultdict(list)
    for finding in findings:
        # What an exception covers is kept apart: a covered finding must not hide in a fold that calls somebody.
        groups[finding.episode_key, finding.exemption, finding.topic, finding.partition].append(finding)
    return [_fold(group, cluster) for group in groups.values()]


class _Tally:
    """Classes and counts of one input partition in a batch."""

    __slots__ = ("findings", "items", "next", "runs", "start")

    def __init__(self, start: Start) -> None:
        self.start = start.offset
        self.next = start.offset
        self.runs: list[tuple[int, OffsetClass]] = []
        if start.expired > start.offset:
            self._run(start.expired - start.offset, OffsetClass.EXPIRED)
            self.next = start.expired
        self.items: Counter[str] = Counter()
        self.findings = 0

    def add(self, offset: int, kind: OffsetClass) -> None:
        if offset > self.next:
            self._run(offset - self.next, OffsetClass.NOT_A_RECORD)
        self._run(1, kind)
        self.next = offset + 1

    def _run(self, length: int, kind: OffsetClass) -> None:
        if self.runs and self.runs[-1][1] is kind:
            self.runs[-1] = self.runs[-1][0] + length, kind
        else:
            self.runs.append((length, kind))

    def close(self, topic: str, partition: int, context: Context) -> Accounting:
        return Accounting(
            cluster=context.cluster,
            topic=topic,
            partition=partition,
            start=self.start,
            end=self.next,
            runs=tuple(self.runs),
            items=dict(sorted(self.items.items())),
            findings=self.findings,
            ledger_mark=context.ledger.mark,
            bundle=context.bundle,
            worker=context.worker,
            delivery=context.delivery,
        )


class _Batch:
    """A batch under way: what it gave so far."""

    def __init__(self, context: Context, witness: Witness | None) -> None:
        self.outcome = Outcome()
        self.tallies: dict[Place, _Tally] = {}
        self.named_together: dict[tuple[tuple[str, str], ...], None] = {}
        """Identifiers of observations that name more than one, in order of first appearance."""
        self._context = context
        self._witness = witness

    def add(self, record: RawRecord, start: Start | None) -> None:
        """Read one record and judge its items."""
        place = record.topic, record.partition
        tally = self.tallies.get(place)
        if tally is None:
            tally = self.tallies[place] = _Tally(start or Start(record.offset, record.offset))
        reading = self._read(record)
        digest = ""
        unread = True
        for entry in reading:
            if isinstance(entry, Rejected):
                digest = digest or self._context.know.key.digest(record.value or b"")
                self.outcome.dead_letters.append(_dead_letter(record, entry, self._context.cluster, digest))
                counted = f"rejected:{entry.reason.value}"
            else:
                unread = False
                counted = self._item(record, entry, tally)
            tally.items[counted] += 1
            self.outcome.items[record.topic, counted] += 1
        # A message of which no item could be read was not inspected; an empty batch was: there is nothing in it.
        kind = OffsetClass.DEAD_LETTERED if reading and unread else OffsetClass.INSPECTED
        tally.add(record.offset, kind)
        self.outcome.records[record.topic, kind.value] += 1

    def _read(self, record: RawRecord) -> Reading:
        try:
            return self._context.adapters[record.topic].read(record)
        except Exception as error:  # noqa: BLE001 - adapters promise not to raise; one that does harms one record
            self.outcome.faults.append(Fault(record.topic, record.partition, record.offset, 0, type(error).__name__))
            return [Rejected(Reason.INTERNAL)]

    def _item(self, record: RawRecord, observation: Observation, tally: _Tally) -> str:
        outcome = self.outcome
        if len(observation.subjects) > 1:
            self.named_together[observation.subjects] = None
        try:
            judged, faults = _judge(record, observation, self._context)
        except Exception as error:  # noqa: BLE001 - one record may harm only itself; it is counted as not judged
            outcome.faults.append(
                Fault(record.topic, record.partition, record.offset, observation.item, type(error).__name__)
            )
            return f"unknown:{Reason.INTERNAL.value}"
        if self._witness is not None:
            self._witness(record, judged)
        outcome.faults.extend(faults)
        outcome.findings.extend(judged.findings)
        tally.findings += len(judged.findings)
        at_ms = observation.at_ms or record.timestamp_ms
        if record.timestamp_ms >= 0:
            # What an event claims of the future is not how far we have seen.
            at_ms = min(at_ms, record.timestamp_ms)
        outcome.last_event_ms[record.topic] = max(at_ms, outcome.last_event_ms.get(record.topic, 0))
        for detector, reason in judged.unknown:
            outcome.gaps[detector.value, reason] += 1
        if faults:
            return "unknown:rule-error"
        return f"unknown:{judged.unknown[0][1]}" if judged.unknown else "judged"


def _unknowns(assessments: Iterable[Assessment]) -> Iterable[tuple[Detector, str]]:
    for each in assessments:
        if each.detector is Detector.UNCONSENTED_TRACKING and each.consent.decision is ConsentDecision.UNKNOWN:
            yield each.detector, each.consent.reason or "unknown"
        elif each.detector is Detector.CROSS_JURISDICTION_TRANSFER and each.transfer.status is TransferStatus.UNKNOWN:
            yield each.detector, each.transfer.reason or "unknown"
        elif each.detector is Detector.CHECKOUT_OVER_COLLECTION and each.flow.uninspectable:
            yield each.detector, f"uninspectable-{each.flow.uninspectable[0]}"


def _dead_letter(record: RawRecord, rejected: Rejected, cluster: str, digest: str) -> DeadLetter:
    return DeadLetter(
        cluster=cluster,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        item=rejected.item,
        reason=rejected.reason.value,
        position=rejected.position,
        size_bytes=len(record.value or b""),
        digest=digest,
        timestamp_ms=record.timestamp_ms,
    )


def _fold(group: Sequence[Finding], cluster: str) -> Fold:
    first = group[0]
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
        exemption=first.exemption,
    )


def _names(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({value for value in values if value})[:_FULL_CARRIER])


__all__ = ["Context", "Fault", "Judged", "Outcome", "Start", "fold", "process"]
