"""The one judge: a batch of records and a snapshot of knowledge in, an outcome out. Pure.

The live loop, `inspect` and `explain` all call `process`; there is no second judge anywhere.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from detectors.assess import assess, unknowns
from detectors.assessment import Assessment
from detectors.classify.flows import Classified, Common, common_of, flows_of, parties_of
from detectors.classify.gate import Gate
from detectors.classify.knowledge import Knowledge
from detectors.classify.needs import NeedTable
from detectors.consent.decide import is_governed
from detectors.consent.ledger import LedgerView
from detectors.drift import NOTHING_APPEARED, Baseline, appeared_in
from detectors.exemptions import NO_EXEMPTIONS, Exemptions
from detectors.law.pack import LawPack
from detectors.rules.judge import RecordPlace, judge
from detectors.rules.ruleset import RuleSet
from detectors.verdicts import Verdicts
from detectors.volumes import Tally as PersonTally
from monitor.folds import fold
from monitor.tallies import NO_EVENT, Start, Tally
from topics.accounting import Accounting, DeadLetter, OffsetClass
from topics.adapters.opening import is_text
from topics.finding import Detector, Finding, Fold
from topics.links import LinkRecord, links
from topics.observation import Adapter, Glancing, Observation, Reading
from topics.record import MAX_RECORD_BYTES, Place, RawRecord, Reason, Rejected
from topics.sealing import Seal
from topics.volume import Volume

_READ = frozenset({OffsetClass.INSPECTED, OffsetClass.DEAD_LETTERED})


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
    anew: Mapping[str, str] = {}
    """What stands for the cluster in records about topics that were created anew (`topics.lineage`)."""

    def cluster_of(self, topic: str) -> str:
        """Give what stands for the cluster in records about a topic."""
        return self.anew.get(topic, self.cluster)


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
    record: RawRecord, observation: Observation, context: Context, common: Common | None = None
) -> tuple[Judged, list[Fault]]:
    """Classify, assess and judge one observation. `common` spares working it out again where that was done before."""
    if common is None:
        parties = parties_of(observation, context.know)
        if parties.targets:
            common = common_of(observation, record.timestamp_ms, context.know, parties)
    classified = Classified(()) if common is None else flows_of(observation, common)
    assessments: list[Assessment] = []
    if common is not None:
        coverage = context.ledger.coverage(record.timestamp_ms)
        teller, appeared = appeared_in(observation, common, context.baseline, context.needs)
        for (flow, entry), target in zip(classified.flows, common.targets, strict=True):
            choices = context.ledger.choices(flow.subjects) if flow.subjects and is_governed(flow.purpose) else ()
            told = appeared if target is teller else NOTHING_APPEARED
            assessments += assess(flow, entry, context, choices, coverage, told)
    place = RecordPlace(context.cluster_of(record.topic), record.topic, record.partition, record.offset)
    findings, errors = judge(assessments, context.rules, place, context.bundle)
    judged = Judged(
        observation=observation,
        classified=classified,
        assessments=assessments,
        findings=context.exemptions.mark(findings),
        unknown=tuple(dict.fromkeys(unknowns(assessments))),
        counted=tuple([each for each in assessments if each.transfer.bulk]),
    )
    faults = [
        Fault(record.topic, record.partition, record.offset, observation.item, error.kind, error.rule)
        for error in errors
    ]
    return judged, faults


class _Batch:
    """A batch under way: what it gave so far."""

    def __init__(self, context: Context, witness: Witness | None, *, shows_all: bool) -> None:
        self._outcome = Outcome()
        self._tallies: dict[Place, Tally] = {}
        self._named_together: dict[tuple[tuple[str, str], ...], None] = {}
        """Identifiers of observations that name more than one, in order of first appearance."""
        self._persons = PersonTally()
        self._context = context
        self._witness = witness
        gate, verdicts = context.gate, context.verdicts
        # Who watches wants to see every record opened.
        is_closed = witness is None or not shows_all
        self._gate = gate if is_closed and gate is not None and gate.know is context.know else None
        is_current = verdicts is not None and verdicts.are_of(context, context.rules, context.baseline)
        self._verdicts = verdicts if is_closed and is_current else None

    def tally(self, place: Place, start: Start) -> Tally:
        """Give the tally of a partition; a new one begins at `start`."""
        found = self._tallies.get(place)
        if found is None:
            found = self._tallies[place] = Tally(start)
        return found

    def judge(self, records: Sequence[RawRecord], tally: Tally) -> None:
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
            accounting = _accounting((topic, partition), tally, context)
            outcome.accounting.append(accounting)
            for kind, number in accounting.items.items():
                outcome.items[topic, kind] += number
            for length, kind in accounting.runs:
                if kind in _READ:
                    outcome.records[topic, kind.value] += length
            if tally.last_ms != NO_EVENT:
                outcome.last_event_ms[topic] = max(tally.last_ms, outcome.last_event_ms.get(topic, 0))
        outcome.folds = fold(outcome.findings, context.cluster, context.ledger.mark, context.law, context.anew)
        if self._persons.flows:
            outcome.volumes = self._persons.volumes(context.law, context.cluster, context.bundle)
            outcome.bulk_flows = self._persons.flows
        key = context.know.key
        outcome.links = tuple(dict.fromkeys([pair for named in self._named_together for pair in links(key, named)]))
        return outcome

    def _add(self, record: RawRecord, tally: Tally) -> None:
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

    def _item(self, record: RawRecord, observation: Observation, tally: Tally) -> str:
        """Judge one item. Gives the reason why that could not be done; nothing where it could."""
        outcome = self._outcome
        if len(observation.subjects) > 1:
            self._named_together[observation.subjects] = None
        try:
            common = None
            if self._verdicts is not None:
                told = self._verdicts.of(observation, record.timestamp_ms, self._context.ledger)
                if not isinstance(told, Common):
                    tally.see(observation.at_ms, record.timestamp_ms)
                    return self._not_judged(told)
                common = told
            judged, faults = _judge(record, observation, self._context, common)
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


def _accounting(place: Place, tally: Tally, context: Context) -> Accounting:
    """Close a tally."""
    topic, partition = place
    return Accounting(
        cluster=context.cluster_of(topic),
        topic=topic,
        partition=partition,
        start=tally.start,
        end=tally.next,
        runs=tally.close(),
        items=tally.items(),
        findings=tally.findings,
        ledger_mark=context.ledger.mark,
        bundle=context.bundle,
        worker=context.worker,
        delivery=context.delivery,
    )


def _dead_letter(record: RawRecord, rejected: Rejected, context: Context, digest: str) -> DeadLetter:
    """Write a letter. `digest`: of the record, when an item of it has one already; its bytes then stand there, too."""
    value = record.value or b""
    letter = DeadLetter(
        cluster=context.cluster_of(record.topic),
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
