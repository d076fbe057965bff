"""`privacy-monitor explain`: one record, and how its verdict came about, from the judge itself.

Nothing here judges. The trace is what `process` showed its witness; what would flip a verdict is found by letting the
same `process` judge again with that one fact changed. Without `reveal` no value of the record is given: paths,
categories, keyed hashes and our own words only.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from detectors.assessment import Assessment
from detectors.classify.targets import is_own_host
from detectors.consent.hearing import heard, is_governed, means_something, speaks
from detectors.consent.ledger import Choice, as_of
from detectors.law.views import says
from detectors.register import RegisterEntry
from detectors.rules.values import EvaluationError
from monitor.explain_evidence import evidence, words_of
from monitor.explain_flips import flips, judged_items
from monitor.pipeline import Context, Judged
from monitor.what_if import Overlaid, values_at
from topics.finding import Detector, Finding
from topics.flow import DataFlow, Role, Signal
from topics.record import RawRecord, Rejected
from topics.sanitise import printable, sanitise, sanitise_path

Node = dict[str, Any]


def explain(
    record: RawRecord, context: Context, *, settle_ms: int, item: int | None = None, reveal: bool = False
) -> list[Node]:
    """Give the trace of each item of a record (or of one), as plain data.

    The verdict is given as it was when the record was settled, from the choices that the broker had by then, and as
    today's ledger would give it where that differs.
    """
    known_by = record.timestamp_ms + settle_ms if record.timestamp_ms > 0 else 0
    then = msgspec.structs.replace(
        context, ledger=Overlaid(context.ledger, only=lambda each: _was_known(each, known_by))
    )
    reading = context.adapters[record.topic].read(record)
    by_item_then, by_item_now = judged_items(record, then), judged_items(record, context)
    traces: list[Node] = []
    for position, entry in enumerate(reading):
        number = position if isinstance(entry, Rejected) else entry.item
        if item is not None and number != item:
            continue
        if isinstance(entry, Rejected):
            traces.append({"item": number, "not_read": {"reason": entry.reason.value, "position": entry.position}})
        elif number not in by_item_then:
            traces.append({"item": number, "not_judged": "an error of the monitor itself; it is counted as such"})
        else:
            now = by_item_now.get(number, by_item_then[number])
            traces.append(_Trace(record, then, context, known_by, by_item_then[number], now).item(reveal=reveal))
    return traces


def _was_known(choice: Choice, known_by: int) -> bool:
    """Tell whether a choice had reached the broker when the record was judged; where nobody knows when, it had."""
    return known_by <= 0 or choice.broker_ms <= known_by


class _Trace:
    """One item on its way to words."""

    def __init__(
        self, record: RawRecord, then: Context, today: Context, known_by: int, judged: Judged, now: Judged
    ) -> None:
        self._record = record
        self._then = then
        self._today = today
        self._known_by = known_by
        self._judged = judged
        self._now = now

    def item(self, *, reveal: bool) -> Node:
        """Give the whole trace of the item."""
        judged = self._judged
        flows = [self._flow(flow, entry) for flow, entry in judged.classified.flows]
        trace: Node = {
            "item": judged.observation.item,
            "read": self._read(),
            "subjects": self._subjects(),
            "evidence": evidence(judged.observation, self._then.know.taxonomy),
            "flows": flows,
            "findings": [_finding(each) for each in judged.findings],
            "unknown": [{"detector": detector.value, "reason": reason} for detector, reason in judged.unknown],
            "flips": [
                {"fact": flip.fact, "appear": list(flip.appear), "vanish": list(flip.vanish)}
                for flip in flips(self._record, self._then, judged)
            ],
            "bundle": self._then.bundle,
        }
        if not flows:
            trace["no_flow"] = "nobody else is named who gets the data, and it is no step of a purchase"
        today = [_finding(each) for each in self._now.findings]
        if today != trace["findings"]:
            trace["findings_by_todays_ledger"] = today
        if reveal:
            trace["revealed"] = self._revealed()
        return trace

    def _read(self) -> Node:
        seen, record = self._judged.observation, self._record
        flows = self._judged.classified.flows
        at_ms = flows[0][0].at_ms if flows else seen.at_ms or record.timestamp_ms
        clock = "broker" if not seen.at_ms else "event" if at_ms == seen.at_ms else "event, held back to the broker's"
        return {
            "adapter": seen.source,
            "place": f"{sanitise(record.topic)}/{record.partition}/{record.offset}",
            "kind": seen.kind.value,
            "name": words_of(seen.name or "", self._then.know.taxonomy),
            "service": sanitise(seen.service),
            "host": sanitise(seen.host or ""),
            "page_host": sanitise(seen.page_host or ""),
            "method": sanitise(seen.method or ""),
            "step": flows[0][0].step.value if flows else "",
            "at": _time(at_ms),
            "clock": clock,
            "broker_at": _time(record.timestamp_ms),
            "headers_seen": seen.headers is not None,
        }

    def _subjects(self) -> list[Node]:
        key = self._then.know.key
        return [{"kind": kind, "hash": key.hash(kind, value)} for kind, value in self._judged.observation.subjects]

    def _flow(self, flow: DataFlow, entry: RegisterEntry | None) -> Node:
        law = self._then.law.law_for(flow.origin.country, flow.origin.subdivision, flow.at_ms)
        mine = [each for each in self._judged.assessments if each.flow.location == flow.location]
        node: Node = {
            "location": sanitise_path(flow.location),
            "recipient": sanitise(flow.recipient),
            "recipient_host": sanitise(flow.recipient_host),
            "role": flow.role.value,
            "purpose": flow.purpose,
            "disclosure_known_by": flow.proof,
            "disclosure_named_at": sanitise_path(flow.proof_path),
            "recipient_known_by": self._known_by_what(flow, entry),
            "origin": _place(flow.origin),
            "origin_rival": _place(flow.origin_rival) if flow.origin_conflict else None,
            "destination": _place(flow.destination),
            "categories": list(flow.categories),
            "fields": [{"path": sanitise_path(each.path), "category": each.category} for each in flow.fields],
            "uninspectable": list(flow.uninspectable),
            "law": self._law(flow),
        }
        if flow.role is not Role.OWN and is_governed(flow.purpose):
            node["signals"] = _signals(flow.signals, flow.purpose, law)
            node["ledger"] = self._ledger(flow)
        node["detectors"] = [self._detector(each) for each in mine]
        return node

    def _known_by_what(self, flow: DataFlow, entry: RegisterEntry | None) -> str:
        if flow.role is Role.OWN and entry is None:
            return "the shop's own hosts"
        if entry is not None:
            return f"register entry {sanitise(entry.id)}"
        if flow.role is Role.UNKNOWN:
            return "nobody knows it"
        if flow.proof in {"integration", "stage"}:
            return "recipient list, by the name of the destination"
        if is_own_host(flow.recipient_host, self._then.know):
            return "shape of the path, behind a host of the shop's own"
        return "recipient list, by host"

    def _law(self, flow: DataFlow) -> Node:
        pack, origin = self._then.law, flow.origin
        law = pack.law_for(origin.country, origin.subdivision, flow.at_ms)
        duties = pack.duties_for(origin.country, origin.subdivision, flow.at_ms)
        return {
            "on": _time(flow.at_ms)[:10],
            "jurisdiction": law.jurisdiction,
            "regime": law.regime,
            "honours_gpc": law.honours_gpc,
            "basis": law.basis.value,
            "duties": [{"id": duty.id, "citation": duty.citation, "says": says(duty)} for duty in duties],
        }

    def _ledger(self, flow: DataFlow) -> Node:
        """Tell which version was used, and what others say: earlier, too late by arrival, made after the event."""
        choices = list(dict.fromkeys(self._today.ledger.choices(flow.subjects))) if flow.subjects else []
        known = [each for each in choices if _was_known(each, self._known_by)]
        used, would = as_of(known, flow.purpose, flow.at_ms), as_of(choices, flow.purpose, flow.at_ms)
        speaking = sorted(
            (each for each in choices if each.says(flow.purpose) is not None),
            key=lambda each: (each.at_ms, each.partition, each.offset),
        )
        return {
            "coverage": self._then.ledger.coverage(self._record.timestamp_ms).value,
            "mark": self._today.ledger.mark,
            "used": _version(used[0], flow.purpose) if used else None,
            "todays": _version(would[0], flow.purpose) if would and would != used else None,
            "late": [
                _version(each, flow.purpose)
                for each in speaking
                if each.at_ms <= flow.at_ms and not _was_known(each, self._known_by)
            ],
            "afterwards": [_version(each, flow.purpose) for each in speaking if each.at_ms > flow.at_ms],
        }

    def _detector(self, facts: Assessment) -> Node:
        parts = {
            Detector.UNCONSENTED_TRACKING: facts.consent,
            Detector.CROSS_JURISDICTION_TRANSFER: facts.transfer,
            Detector.CHECKOUT_OVER_COLLECTION: facts.checkout,
            Detector.UNDOCUMENTED_RECIPIENT: facts.agreement,
        }
        stated = msgspec.to_builtins(parts[facts.detector])
        return {
            "detector": facts.detector.value,
            # The evidence is made of categories and of sentences of the need table.
            "states": {
                name: value if name == "evidence" else _clean(value)
                for name, value in stated.items()
                if value not in ("", [], (), -1, 0)
            },
            "rules": list(self._rules(facts)),
        }

    def _rules(self, facts: Assessment) -> Iterator[Node]:
        for rule in self._then.rules.rules:
            if rule.written.assessor.detector is not facts.detector:
                continue
            try:
                held: bool | None = rule.when.holds(facts)
            except EvaluationError:
                held = None
            yield {
                "rule": rule.written.id,
                "version": rule.written.version,
                "mode": rule.written.mode.value,
                "held": held,
                "when": " ".join(rule.when.text.split()),
            }

    def _revealed(self) -> Node:
        seen = self._judged.observation
        paths = frozenset(field.path for flow, _ in self._judged.classified.flows for field in flow.fields)
        keys = self._then.know.taxonomy.keys
        return {
            "subjects": [{"kind": kind, "value": printable(value, 2_000)} for kind, value in seen.subjects],
            "fields": [
                {"path": path, "value": printable(value, 2_000)} for path, value in values_at(seen, paths, keys)
            ],
        }


def _signals(signals: tuple[Signal, ...], purpose: str, law: Any) -> list[Node]:
    kept = set(map(id, heard(signals, law)))
    return [_signal(each, purpose, law, is_heard=id(each) in kept) for each in signals]


def _signal(signal: Signal, purpose: str, law: Any, *, is_heard: bool) -> Node:
    if not is_heard:
        aside = "another section of the same string is the one in force here"
    elif speaks(signal, purpose, law):
        aside = ""
    elif signal.says not in {"denied", "allowed"}:
        aside = f"{signal.says}: {signal.remark or 'it holds no choice'}"
    elif not means_something(signal, law):
        aside = f"says nothing under the law of {law.jurisdiction or 'an unknown place'}"
    elif signal.purposes and signal.purposes[0].startswith(("sensitive.", "minor.")):
        aside = "asked where the data is sensitive or the person a known minor"
    else:
        aside = "speaks of other purposes"
    return {
        "kind": signal.kind,
        "says": signal.says,
        "path": sanitise_path(signal.path),
        "of": list(signal.purposes),
        "remark": signal.remark,
        "set_aside": aside,
    }


def _version(choice: Choice, purpose: str) -> Node:
    return {
        "place": sanitise_path(choice.place),
        "at": _time(choice.at_ms),
        "received": _time(choice.broker_ms),
        "says": "granted" if choice.says(purpose) else "refused",
        "granted": list(choice.granted),
        "refused": list(choice.refused),
        "source": sanitise(choice.source),
        "after_gpc_notice": choice.after_gpc_notice,
    }


def _finding(finding: Finding) -> Node:
    return {
        "id": finding.finding_id,
        "rule": finding.rule,
        "verdict": finding.verdict.value,
        "severity": finding.severity.value,
        "mode": finding.mode.value,
        "basis": finding.basis.value,
        "law": list(finding.law),
        "location": finding.location,
        "why": finding.why,
        "proof": [list(pair) for pair in finding.proof],
    }


def _place(place: Any) -> Node:
    return {"country": place.country, "subdivision": place.subdivision, "source": place.source}


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return sanitise_path(value)
    return [_clean(each) for each in value] if isinstance(value, Sequence) else value


def _time(at_ms: int) -> str:
    if not 0 < at_ms < 1 << 47:
        return "unknown"
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
