"""The one judge: a batch of records and a snapshot of knowledge in, an outcome out. Pure.

The live loop, `inspect` and `explain` all call `process`; there is no second judge anywhere.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from detectors.assess import NOTHING_APPEARED, assess, unknowns
from detectors.assessment import Assessment
from detectors.classify.flows import Classified, Knowledge, Scan, classify
from detectors.classify.gate import Gate
from detectors.classify.needs import NeedTable
from detectors.consent.decide import is_governed
from detectors.consent.ledger import LedgerView
from detectors.drift import Appeared, Baseline, told_by
from detectors.exemptions import NO_EXEMPTIONS, Exemptions
from detectors.law.exposure import NO_EXPOSURE
from detectors.law.pack import LawPack
from detectors.rules.judge import RecordPlace, judge
from detectors.rules.ruleset import RuleSet
from detectors.verdicts import Verdicts
from detectors.volumes import Tally as PersonTally
from topics.accounting import Accounting, DeadLetter, OffsetClass
from topics.adapters.opening import is_text
from topics.distinct import Distinct
from topics.finding import MAX_EXEMPLARS, SEVERITIES, Detector, Finding, Fold
from topics.flow import DataFlow
from topics.links import LinkRecord, links
from topics.observation import Adapter, Glancing, Observation, Reading
from topics.record import MAX_RECORD_BYTES, Place, RawRecord, Reason, Rejected
from topics.sealing import Seal
from topics.volume import Volume

_READ = frozenset({OffsetClass.INSPECTED, OffsetClass.DEAD_LETTERED})
_NO_EVENT = -1 << 63
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
    seal: Seal | None = None
    """Under which the bytes of what cannot be read are kept. None: they are not."""
    gate: Gate | None = None
    """Made of `know`; without it, or with one that was made of other knowledge, every record is read whole."""
    baseline: Baseline | None = None
    """What each endpoint had before; None where nothing was learned."""
    verdicts: Verdicts | None = None
    """What was said of equal facts before; without it every observation is judged whole."""
    worker: str = ""
    delivery: str = "at_least_once"


class Start(msgspec.Struct, frozen=True):
    """Where the accounting of a partition goes on."""

    offset: int
    """Next offset that belongs to no range yet."""
    expired: tuple[tuple[int, int], ...] = ()
    """Half-open spans of offsets, ascending, that retention removed before they were read."""


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
    counted: tuple[Assessment, ...] = ()
    """Those whose persons count towards the threshold of a law."""


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
    volumes: tuple[Volume, ...] = ()
    """Persons of this batch by recipient, kind of data and month, where a law counts them."""
    bulk_flows: dict[tuple[str, str], int] = msgspec.field(default_factory=dict)
    """(kind of data, `person` | `nobody`) -> flows whose persons a law counts."""


def process(
    batch: Sequence[RawRecord],
    context: Context,
    starts: Mapping[Place, Start],
    witness: Witness | None = None,
    *,
    shows_all: bool = True,
) -> Outcome:
    """Judge a batch. `starts` says where the accounting of each partition goes on, so that holes are seen as holes.

    Records of one partition come in offset order. Never raises for what a record holds. A `witness` is shown each
    judged item on the way: what `inspect` and `explain` print is what the live loop did. Without `shows_all` it is not
    shown what was told at a glance, in which no rule can find anything.
    """
    work = _Batch(context, witness, shows_all=shows_all)
    for place, records in _by_place(batch):
        work.judge(records, work.tally(place, starts.get(place) or Start(records[0].offset)))
    return work.outcome()


def _by_place(batch: Sequence[RawRecord]) -> Iterable[tuple[Place, Sequence[RawRecord]]]:
    """Cut a batch where the partition changes."""
    start = 0
    topic, partition = (batch[0].topic, batch[0].partition) if batch else ("", 0)
    for at, record in enumerate(batch):
        if record.partition != partition or record.topic != topic:
            yield (topic, partition), batch[start:at]
            start, topic, partition = at, record.topic, record.partition
    if batch:
        yield (topic, partition), batch[start:]


def _judge(
    record: RawRecord, observation: Observation, context: Context, scan: Scan | None = None
) -> tuple[Judged, list[Fault]]:
    """Classify, assess and judge one observation."""
    classified = classify(observation, record.timestamp_ms, context.know, scan)
    coverage = context.ledger.coverage(record.timestamp_ms)
    teller, appeared = _appeared(observation, classified, context)
    assessments: list[Assessment] = []
    for flow, entry in classified.flows:
        choices = context.ledger.choices(flow.subjects) if flow.subjects and is_governed(flow.purpose) else ()
        told = appeared if flow is teller else NOTHING_APPEARED
        assessments += assess(flow, entry, context, choices, coverage, told)
    place = RecordPlace(context.cluster, record.topic, record.partition, record.offset)
    findings, errors = judge(assessments, context.rules, place, context.bundle)
    findings = context.exemptions.mark(findings)
    judged = Judged(
        observation=observation,
        classified=classified,
        assessments=assessments,
        findings=findings,
        unknown=tuple(dict.fromkeys(unknowns(assessments))),
        counted=tuple([each for each in assessments if each.transfer.bulk]),
    )
    faults = [
        Fault(record.topic, record.partition, record.offset, observation.item, error.kind, error.rule)
        for error in errors
    ]
    return judged, faults


def _appeared(observation: Observation, classified: Classified, context: Context) -> tuple[DataFlow | None, Appeared]:
    """Give what appeared on the endpoint of an observation, and the one of its flows that tells of it."""
    teller = told_by([flow for flow, _ in classified.flows]) if context.baseline is not None else None
    if teller is None or context.baseline is None:
        return None, NOTHING_APPEARED
    categories = [field.category for field in teller.fields if not context.needs.is_ambient(field.path)]
    return teller, context.baseline.appeared(observation, teller, categories)


def fold(findings: Iterable[Finding], cluster: str, ledger_mark: str = "", law: LawPack | None = None) -> list[Fold]:
    """Put findings of one input partition and episode key into one record each, in order of first appearance.

    With the law pack, the records say in figures what the duties of `exposure` entail.
    """
    groups: defaultdict[tuple[str, str, str, int], list[Finding]] = defaultdict(list)
    for finding in findings:
        # What an exception covers is kept apart: a covered finding must not hide in a fold that calls somebody.
        groups[finding.episode_key, finding.exemption, finding.topic, finding.partition].append(finding)
    return [_fold(group, cluster, ledger_mark, law) for group in groups.values()]


class _Tally:
    """Classes and counts of one input partition in a batch."""

    __slots__ = ("expired", "findings", "judged", "last_ms", "next", "others", "runs", "since", "start")

    def __init__(self, start: Start) -> None:
        self.start = start.offset
        self.expired = start.expired
        self.next = self.since = start.offset
        """Next offset; those from `since` to it were inspected."""
        self.runs: list[tuple[int, OffsetClass]] = []
        """What lies before `since`."""
        self.judged = 0
        self.others: Counter[str] = Counter()
        """Items that were not judged, by how they are counted."""
        self.findings = 0
        self.last_ms = _NO_EVENT
        """Time of the newest event."""

    def inspected(self, offset: int) -> None:
        if offset != self.next:
            self._gap(offset)
        self.next = offset + 1

    def dead_lettered(self, offset: int) -> None:
        if offset != self.next:
            self._gap(offset)
        self._close_run()
        self._run(1, OffsetClass.DEAD_LETTERED)
        self.next = self.since = offset + 1

    def see(self, event_ms: int | None, broker_ms: int) -> None:
        """Note an event's time. What it claims of the future is not how far we have seen."""
        at_ms = event_ms or broker_ms
        if at_ms > broker_ms >= 0:
            at_ms = broker_ms
        self.last_ms = max(self.last_ms, at_ms)

    def _gap(self, offset: int) -> None:
        self._close_run()
        at = self.next
        for first, end in self.expired:
            if first < offset and end > at:
                self._hole(at, first)
                at = max(at, first)
                self._run(min(end, offset) - at, OffsetClass.EXPIRED)
                at = min(end, offset)
        self._hole(at, offset)
        self.since = offset

    def _hole(self, first: int, end: int) -> None:
        if end > first:
            self._run(end - first, OffsetClass.NOT_A_RECORD)

    def _close_run(self) -> None:
        if self.next > self.since:
            self._run(self.next - self.since, OffsetClass.INSPECTED)

    def _run(self, length: int, kind: OffsetClass) -> None:
        if self.runs and self.runs[-1][1] is kind:
            self.runs[-1] = self.runs[-1][0] + length, kind
        else:
            self.runs.append((length, kind))

    def close(self, topic: str, partition: int, context: Context) -> Accounting:
        self._close_run()
        self.since = self.next
        items = {**({"judged": self.judged} if self.judged else {}), **self.others}
        return Accounting(
            cluster=context.cluster,
            topic=topic,
            partition=partition,
            start=self.start,
            end=self.next,
            runs=tuple(self.runs),
            items=dict(sorted(items.items())),
            findings=self.findings,
            ledger_mark=context.ledger.mark,
            bundle=context.bundle,
            worker=context.worker,
            delivery=context.delivery,
        )


class _Batch:
    """A batch under way: what it gave so far."""

    def __init__(self, context: Context, witness: Witness | None, *, shows_all: bool) -> None:
        self._outcome = Outcome()
        self._tallies: dict[Place, _Tally] = {}
        self._named_together: dict[tuple[tuple[str, str], ...], None] = {}
        """Identifiers of observations that name more than one, in order of first appearance."""
        self._persons = PersonTally()
        self._context = context
        self._witness = witness
        gate, verdicts = context.gate, context.verdicts
        # Who watches wants to see every record opened. What the gate lets by has no flow, so a baseline says nothing of it;
        # of what has one, the facts that verdicts are remembered by do not hold the endpoint.
        is_closed = witness is None or not shows_all
        self._gate = gate if is_closed and gate is not None and gate.know is context.know else None
        is_current = verdicts is not None and verdicts.are_of(context, context.rules)
        self._verdicts = verdicts if is_closed and is_current and context.baseline is None else None

    def tally(self, place: Place, start: Start) -> _Tally:
        """Give the tally of a partition; a new one begins at `start`."""
        found = self._tallies.get(place)
        if found is None:
            found = self._tallies[place] = _Tally(start)
        return found

    def judge(self, records: Sequence[RawRecord], tally: _Tally) -> None:
        """Judge records of one partition in their order: those that concern nobody else at a glance, the others whole."""
        adapter = self._context.adapters[records[0].topic]
        if self._gate is None or not isinstance(adapter, Glancing):
            for record in records:
                self._add(record, tally)
            return
        glance, is_ours_alone, named_together = adapter.glance, self._gate.is_ours_alone, self._named_together
        for record in records:
            _, _, offset, broker_ms, _, value, _ = record
            if value is None or not (value.isascii() or is_text(value)) or len(value) > MAX_RECORD_BYTES:
                self._add(record, tally)
                continue
            seen = glance(value)
            if seen is None or not is_ours_alone(seen):
                self._add(record, tally)
                continue
            if offset == tally.next:
                tally.next = offset + 1
            else:
                tally.inspected(offset)
            tally.judged += 1
            if seen.subjects:
                named_together[seen.subjects] = None
            if seen.at_ms is None or seen.at_ms > tally.last_ms:
                tally.see(seen.at_ms, broker_ms)

    def outcome(self) -> Outcome:
        """Close all tallies."""
        outcome, context = self._outcome, self._context
        for (topic, partition), tally in self._tallies.items():
            accounting = tally.close(topic, partition, context)
            outcome.accounting.append(accounting)
            for kind, number in accounting.items.items():
                outcome.items[topic, kind] += number
            for length, kind in accounting.runs:
                if kind in _READ:
                    outcome.records[topic, kind.value] += length
            if tally.last_ms != _NO_EVENT:
                outcome.last_event_ms[topic] = max(tally.last_ms, outcome.last_event_ms.get(topic, 0))
        outcome.folds = fold(outcome.findings, context.cluster, context.ledger.mark, context.law)
        if self._persons.flows:
            outcome.volumes = self._persons.volumes(context.law, context.cluster, context.bundle)
            outcome.bulk_flows = self._persons.flows
        key = context.know.key
        outcome.links = tuple(dict.fromkeys([pair for named in self._named_together for pair in links(key, named)]))
        return outcome

    def _add(self, record: RawRecord, tally: _Tally) -> None:
        """Read one record and judge its items."""
        reading = self._read(record)
        digest = ""
        unread = True
        for entry in reading:
            if isinstance(entry, Rejected):
                letter = _dead_letter(record, entry, self._context, digest)
                digest = letter.digest
                self._outcome.dead_letters.append(letter)
                tally.others[f"rejected:{entry.reason.value}"] += 1
                continue
            unread = False
            why_not = self._item(record, entry, tally)
            if why_not:
                tally.others[f"unknown:{why_not}"] += 1
            else:
                tally.judged += 1
        # A message of which no item could be read was not inspected; an empty batch was: there is nothing in it.
        if reading and unread:
            tally.dead_lettered(record.offset)
        else:
            tally.inspected(record.offset)

    def _read(self, record: RawRecord) -> Reading:
        try:
            return self._context.adapters[record.topic].read(record)
        except Exception as error:  # noqa: BLE001 - adapters promise not to raise; one that does harms one record
            self._outcome.faults.append(Fault(record.topic, record.partition, record.offset, 0, type(error).__name__))
            return [Rejected(Reason.INTERNAL)]

    def _item(self, record: RawRecord, observation: Observation, tally: _Tally) -> str:
        """Judge one item. Gives the reason why that could not be done; nothing where it could."""
        outcome = self._outcome
        if len(observation.subjects) > 1:
            self._named_together[observation.subjects] = None
        try:
            scan = None
            if self._verdicts is not None:
                told = self._verdicts.of(observation, record.timestamp_ms, self._context.ledger)
                if not isinstance(told, Scan):
                    tally.see(observation.at_ms, record.timestamp_ms)
                    return self._not_judged(told)
                scan = told
            judged, faults = _judge(record, observation, self._context, scan)
        except Exception as error:  # noqa: BLE001 - one record may harm only itself; it is counted as not judged
            outcome.faults.append(
                Fault(record.topic, record.partition, record.offset, observation.item, type(error).__name__)
            )
            return Reason.INTERNAL.value
        if self._witness is not None:
            self._witness(record, judged)
        outcome.faults.extend(faults)
        outcome.findings.extend(judged.findings)
        for assessment in judged.counted:
            self._persons.add(assessment)
        tally.findings += len(judged.findings)
        tally.see(observation.at_ms, record.timestamp_ms)
        why_not = self._not_judged(judged.unknown)
        return "rule-error" if faults else why_not

    def _not_judged(self, unknown: Sequence[tuple[Detector, str]]) -> str:
        """Count what could not be decided, and give the first reason."""
        for detector, reason in unknown:
            self._outcome.gaps[detector.value, reason] += 1
        if not unknown:
            return ""
        # A silent ledger is told before what else was missing: what was found then is not what would be found with it.
        return next((reason for _, reason in unknown if reason.startswith("ledger-")), unknown[0][1])


def _dead_letter(record: RawRecord, rejected: Rejected, context: Context, digest: str) -> DeadLetter:
    """Write a letter. `digest`: of the record, when an item of it has one already; its bytes then stand there, too."""
    value = record.value or b""
    letter = DeadLetter(
        cluster=context.cluster,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        item=rejected.item,
        reason=rejected.reason.value,
        position=rejected.position,
        size_bytes=len(value),
        digest=digest or context.know.key.digest(value),
        timestamp_ms=record.timestamp_ms,
    )
    if context.seal is None or digest:
        return letter
    return msgspec.structs.replace(letter, sealed=context.seal.close(value, letter.place))


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


__all__ = ["Context", "Fault", "Judged", "Outcome", "Start", "fold", "process"]
