"""Recipients as traffic shows them, beside what the register says: from captures, or from the monitor's own topics."""

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from detectors.assessment import AgreementStatus
from monitor.capture import Capture
from monitor.context import Loaded
from monitor.kafka import KafkaProblem, LogReader
from monitor.pipeline import Judged, process
from topics.adapters import make
from topics.catalog import FINDINGS, SHADOW
from topics.finding import Detector, Fold
from topics.observation import AdapterOptions, Via
from topics.record import RawRecord
from topics.sanitise import sanitise

_BATCH = 500
_NOT_REGISTERED = ("reason", "not-registered")
_FOLD = msgspec.json.Decoder(Fold)
_BY_NAME = frozenset({Via.INTEGRATION.value, Via.STAGE.value})
_PATIENCE = 60
"""Polls without a record after which a topic whose end is not reached counts as out of reach."""


class Observed(msgspec.Struct):
    """A recipient without an entry in the register, and what it got."""

    recipient: str
    """Id of the recipient list, or the registrable domain or name where no list knows it."""
    hosts: set[str] = msgspec.field(default_factory=set)
    """Registrable domains."""
    names: set[str] = msgspec.field(default_factory=set)
    """Names of integrations."""
    purposes: Counter[str] = msgspec.field(default_factory=Counter)
    categories: set[str] = msgspec.field(default_factory=set)
    services: set[str] = msgspec.field(default_factory=set)
    count: int = 0
    """Disclosures with personal data."""
    first_at_ms: int = 0
    last_at_ms: int = 0

    def note(self, at_ms: tuple[int, int], count: int) -> None:
        """Count disclosures between two moments."""
        self.first_at_ms = min(self.first_at_ms or at_ms[0], at_ms[0])
        self.last_at_ms = max(self.last_at_ms, at_ms[1])
        self.count += count


def from_captures(captures: Sequence[Capture], loaded: Loaded, body: str | None) -> list[Observed]:
    """Judge captures and gather the recipients that the register does not know, most disclosures first."""
    loaded = msgspec.structs.replace(loaded, know=msgspec.structs.replace(loaded.know, has_register=True))
    found: dict[str, Observed] = {}

    def witness(_record: RawRecord, judged: Judged) -> None:
        for each in judged.assessments:
            if (
                each.detector is Detector.UNDOCUMENTED_RECIPIENT
                and each.agreement.status is AgreementStatus.MISSING
                and not each.agreement.entry
            ):
                flow = each.flow
                seen = _of(found, flow.recipient, flow.recipient_host)
                (seen.names if flow.proof in _BY_NAME else seen.hosts).add(sanitise(flow.recipient_host))
                seen.purposes[flow.purpose] += 1
                seen.categories.update(flow.categories)
                seen.services.add(sanitise(flow.service))
                seen.note((flow.at_ms, flow.at_ms), 1)

    for capture in captures:
        context = loaded.context({capture.name: make(capture.adapter, AdapterOptions(body=body))}, "capture")
        records = list(capture.records(capture.name))
        for start in range(0, len(records), _BATCH):
            process(records[start : start + _BATCH], context, {}, witness)
    return _ordered(found.values())


def from_topics(settings: dict[str, object]) -> list[Observed]:
    """Gather the same from the findings that the live loop wrote. Raises KafkaProblem.

    Of each fold only its exemplars name hosts: a host that stands in no exemplar is not listed.
    """
    reader = LogReader(settings, [FINDINGS.name, SHADOW.name])
    found: dict[str, Observed] = {}
    try:
        ends = reader.ends(queried=True)
        if ends is None:
            raise KafkaProblem("the broker does not tell where the topics of findings end; try again")
        idle = 0
        while any(reader.reached.get(place, 0) < end for place, end in ends.items()):
            records = reader.poll(1000, 0.5)
            idle = 0 if records else idle + 1
            if idle > _PATIENCE:
                raise KafkaProblem("the broker stopped answering while the findings were read; try again")
            for record in records:
                take(found, record)
    finally:
        reader.close()
    return _ordered(found.values())


def take(found: dict[str, Observed], record: RawRecord) -> None:
    """Take in one record of a topic of findings; what is no finding about a missing entry is passed over."""
    try:
        fold = _FOLD.decode(record.value or b"")
    except msgspec.MsgspecError:
        return
    if fold.detector is not Detector.UNDOCUMENTED_RECIPIENT:
        return
    told = [finding for finding in fold.exemplars if _NOT_REGISTERED in finding.proof]
    if not told:
        return
    proofs = [dict(finding.proof) for finding in told]
    seen = _of(found, fold.recipient, proofs[0].get("host", ""))
    for proof in proofs:
        named = proof.get("recipient-proof") in _BY_NAME
        (seen.names if named else seen.hosts).add(proof.get("host", ""))
    seen.purposes.update(dict.fromkeys(fold.purposes, fold.count))
    seen.categories.update(fold.categories)
    seen.services.update(fold.services)
    seen.note((fold.first_at_ms, fold.last_at_ms), fold.count)


def _of(found: dict[str, Observed], recipient: str, host: str) -> Observed:
    name = sanitise(recipient if recipient != "unknown" else host) or "unknown"
    return found.setdefault(name, Observed(name))


def _ordered(found: Iterable[Observed]) -> list[Observed]:
    return sorted(found, key=lambda each: (-each.count, each.recipient))
