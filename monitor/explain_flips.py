"""What would flip a verdict: the same judge on the same record with one fact changed, once for each fact."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from detectors.assessment import TransferStatus
from detectors.consent.decide import is_governed
from detectors.consent.ledger import Choice, Word
from detectors.law.restriction import MechanismKind
from detectors.register import Recipient, RecipientRole, RegisterFile, build
from monitor.pipeline import Context, Judged, process
from monitor.what_if import Change, Changed, Overlaid, without_fields, without_signal
from topics.finding import Detector
from topics.flow import DataFlow, Role
from topics.record import RawRecord
from topics.sanitise import sanitise, sanitise_path

_A_SECOND_MS = 1000
_MOST_FIELDS = 50
"""Fields whose absence is tried, each with a judgement of its own."""
_WHOLE_YEARS = ("1970-01-01", "9999-12-31")


class Flip(NamedTuple):
    """A fact that, were it otherwise, changes the findings."""

    fact: str
    appear: tuple[str, ...]
    """Rules and locations that would then speak."""
    vanish: tuple[str, ...]


class _Trial(NamedTuple):
    fact: str
    context: Context


def judged_items(record: RawRecord, context: Context) -> dict[int, Judged]:
    """Judge a record and give what the witness saw, by item."""
    seen: dict[int, Judged] = {}

    def note(_record: RawRecord, judged: Judged) -> None:
        seen[judged.observation.item] = judged

    process([record], context, {}, note)
    return seen


def flips(record: RawRecord, context: Context, judged: Judged) -> list[Flip]:
    """Try each fact that a person could change, and give those that change the findings of this item."""
    before = _spoken(judged)
    item = judged.observation.item
    found: list[Flip] = []
    for trial in _trials(record, context, judged):
        after = judged_items(record, trial.context).get(item)
        spoken = _spoken(after) if after is not None else frozenset()
        if spoken != before:
            found.append(Flip(trial.fact, tuple(sorted(spoken - before)), tuple(sorted(before - spoken))))
    return found


def _spoken(judged: Judged) -> frozenset[str]:
    return frozenset(f"{each.rule} at {each.location}" for each in judged.findings)


def _trials(record: RawRecord, context: Context, judged: Judged) -> Iterator[_Trial]:
    flows = [flow for flow, _ in judged.classified.flows]
    disclosed = [flow for flow in flows if flow.role is not Role.OWN and flow.proof]
    yield from _of_choices(context, [flow for flow in disclosed if is_governed(flow.purpose)])
    yield from _of_signals(record, context, judged)
    yield from _of_register(context, judged)
    yield from _of_fields(record, context, judged)


def _of_choices(context: Context, flows: list[DataFlow]) -> Iterator[_Trial]:
    for purpose in dict.fromkeys(flow.purpose for flow in flows):
        at_ms = min(flow.at_ms for flow in flows) - _A_SECOND_MS
        granted = Choice(at_ms, 0, 0, Word((purpose,), (), "", "what-if", 0))
        told = Choice(at_ms, 0, 0, Word((purpose,), (), "", "what-if", 0, after_gpc_notice=True))
        refused = Choice(at_ms, 0, 0, Word((), (purpose,), "", "what-if", 0))
        for fact, choice in (
            (f"a grant of {purpose} on record a second before the event", granted),
            (f"a grant of {purpose} on record before the event, given after a notice of the conflict with GPC", told),
            (f"a refusal of {purpose} on record a second before the event", refused),
        ):
            yield _Trial(fact, msgspec.structs.replace(context, ledger=Overlaid(context.ledger, [choice])))
    if flows:
        none = Overlaid(context.ledger, only=lambda _: False)
        yield _Trial("no choice of the person on record", msgspec.structs.replace(context, ledger=none))


def _of_signals(record: RawRecord, context: Context, judged: Judged) -> Iterator[_Trial]:
    signals = {signal.path: signal for flow, _ in judged.classified.flows for signal in flow.signals}
    for path in signals:
        change = without_signal(path)
        if change is not None:
            yield _Trial(f"no signal at {sanitise_path(path)}", _changed(record, context, judged, change))
    if len(signals) > 1:

        def bare(seen: Any) -> Any:
            for path in signals:
                change = without_signal(path)
                seen = change(seen) if change is not None else seen
            return seen

        yield _Trial("no consent signal on the record at all", _changed(record, context, judged, bare))


def _of_register(context: Context, judged: Judged) -> Iterator[_Trial]:
    entries = {flow.location: entry for flow, entry in judged.classified.flows}
    tried: set[str] = set()
    for each in judged.assessments:
        lacking = each.detector is Detector.CROSS_JURISDICTION_TRANSFER and each.transfer.status in {
            TransferStatus.MISSING,
            TransferStatus.EXPIRED,
            TransferStatus.UNKNOWN,
        }
        undocumented = each.detector is Detector.UNDOCUMENTED_RECIPIENT
        if not (lacking or undocumented) or each.flow.location in tried:
            continue
        tried.add(each.flow.location)
        for kind in (MechanismKind.SCC, MechanismKind.IDTA, MechanismKind.DPF, MechanismKind.BCR):
            written = _entry(each.flow, entries.get(each.flow.location), kind)
            if written is None:
                break
            known = context.know.register
            others = tuple(entry.written for entry in known.entries if entry.id != written.id)
            register = build(RegisterFile(recipients=(*others, written)))
            know = msgspec.structs.replace(context.know, register=register, has_register=True)
            name = sanitise(written.id)
            fact = f"a register entry for {name} with an agreement and the mechanism {kind.value}, both in force"
            yield _Trial(fact, msgspec.structs.replace(context, know=know))


def _entry(flow: DataFlow, entry: Any, kind: MechanismKind) -> Recipient | None:
    """Give the entry as it would be with everything in force; None where nothing says how to find the recipient."""
    since, until = _WHOLE_YEARS
    agreement = {"id": "what-if", "signed": since, "expires": until}
    mechanism = {"kind": kind.value, "since": since, "expires": until}
    if entry is not None:
        written = entry.written.model_dump(mode="json")
        changed = {**written, "agreement": agreement, "mechanism": mechanism}
        changed["purposes"] = sorted({*written["purposes"], flow.purpose} - {"unknown"})
        changed["categories"] = []
        return Recipient.model_validate(changed)
    by_name = flow.proof in {"integration", "stage"}
    country = flow.destination.country
    if not flow.recipient_host or not country or flow.purpose == "unknown":
        return None
    try:
        return Recipient.model_validate(
            {
                "id": "what-if",
                "hosts": [] if by_name else [flow.recipient_host, f"*.{flow.recipient_host}"],
                "names": [flow.recipient_host] if by_name else [],
                "entity": "what-if",
                "role": RecipientRole.PROCESSOR.value,
                "countries": [country],
                "purposes": [flow.purpose],
                "agreement": agreement,
                "mechanism": mechanism,
            }
        )
    except ValueError:
        # A name that no register could hold: an address, or letters that no host has.
        return None


def _of_fields(record: RawRecord, context: Context, judged: Judged) -> Iterator[_Trial]:
    keys = context.know.taxonomy.keys
    flagged = [
        path
        for each in judged.assessments
        if each.detector is Detector.CHECKOUT_OVER_COLLECTION
        for path in each.checkout.paths
    ]
    paths = list(dict.fromkeys(flagged))[:_MOST_FIELDS]
    for path in paths:
        change = without_fields(frozenset([path]), keys)
        yield _Trial(f"the field {sanitise_path(path)} dropped", _changed(record, context, judged, change))
    if len(paths) > 1:
        change = without_fields(frozenset(flagged), keys)
        yield _Trial("all fields dropped that the step does not need", _changed(record, context, judged, change))


def _changed(record: RawRecord, context: Context, judged: Judged, change: Change) -> Context:
    adapter = Changed(context.adapters[record.topic], judged.observation.item, change)
    return msgspec.structs.replace(context, adapters={record.topic: adapter})
