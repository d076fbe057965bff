"""Counting distinct persons by recipient, kind of data and month, for duties that count over twelve months. Pure.

A batch gives its own counts (`Tally`); a worker adds them to what it has counted since it started (`Volumes`) and writes
the whole. A sketch is a set: whoever is counted again, by a batch that is read twice or by another worker, changes
nothing. Who is counted is only known as a keyed hash, so after the key was rotated a person counts anew.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec

from detectors.assessment import Assessment
from detectors.law.fact import Confidence
from detectors.law.model import TransferRestriction
from detectors.law.pack import LawPack
from detectors.law.restriction import BulkGroup, TransferRegime
from topics.distinct import Distinct
from topics.flow import DataFlow
from topics.sanitise import sanitise
from topics.volume import Volume

MAX_NAMES = 50
"""Destinations, categories and services that one count names at most."""
_MOST_COUNTS = 4_096
_RENEW_MS = 600_000
"""A count to which nobody is added is still written so often while data flows: silence would mean that it stopped."""
_LAST_MS = 253_402_300_799_999
"""The end of the year 9999, beyond which there is no calendar."""


class _Count:
    """One count under way."""

    __slots__ = ("categories", "destinations", "first_at_ms", "flow", "last_at_ms", "services", "subjects")

    def __init__(self, flow: DataFlow) -> None:
        self.flow = flow
        self.subjects = Distinct()
        self.destinations: set[str] = set()
        self.categories: set[str] = set()
        self.services: set[str] = set()
        self.first_at_ms = self.last_at_ms = flow.at_ms


class Tally:
    """Persons of one batch."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str, str, str], _Count] = {}
        self.flows: dict[tuple[str, str], int] = {}
        """(group, `person` | `nobody`) -> flows that were marked. Whom no record names nobody can count."""

    def add(self, assessment: Assessment) -> None:
        """Count the person of a flow that the assessor marked."""
        flow, transfer = assessment.flow, assessment.transfer
        named = "person" if flow.subjects else "nobody"
        for group in transfer.bulk:
            self.flows[group, named] = self.flows.get((group, named), 0) + 1
            if not flow.subjects:
                continue
            key = transfer.regime, group, sanitise(flow.recipient), month_of(flow.at_ms)
            count = self._counts.get(key)
            if count is None:
                count = self._counts[key] = _Count(flow)
            count.subjects.add(flow.subjects[0])
            count.destinations.add(transfer.destination)
            count.categories.update(flow.categories)
            count.services.add(sanitise(flow.service))
            count.first_at_ms = min(count.first_at_ms, flow.at_ms)
            count.last_at_ms = max(count.last_at_ms, flow.at_ms)

    def volumes(self, pack: LawPack, cluster: str, bundle: str) -> tuple[Volume, ...]:
        """Give the counts of the batch, in order of first appearance, by the pack that it was judged by."""
        return tuple(_volume(pack, cluster, bundle, key, count) for key, count in self._counts.items())


def month_of(at_ms: int) -> str:
    """Give the month of a moment, `2026-11`, in UTC."""
    return f"{datetime.fromtimestamp(min(max(at_ms, 0), _LAST_MS) / 1000, UTC):%Y-%m}"


def _volume(pack: LawPack, cluster: str, bundle: str, key: tuple[str, str, str, str], count: _Count) -> Volume:
    regime, group, recipient, month = key
    law = pack.regimes[regime]
    limit = next(each for each in _groups(law) if each.id == group)
    home = law.exporters[0]
    return Volume(
        cluster=cluster,
        writer="",
        regime=regime,
        group=group,
        recipient=recipient,
        month=month,
        subjects=count.subjects.encode(),
        role=count.flow.role,
        destinations=_names(count.destinations),
        categories=_names(each for each in count.categories if _inside(each, limit.categories)),
        services=_names(count.services),
        threshold=limit.threshold,
        recalled=limit.confidence is Confidence.RECALLED,
        jurisdiction=home,
        law=tuple(
            duty.id
            for duty in pack.duties_for(home[:2], home, count.last_at_ms, ("transfer-restriction",))
            if isinstance(duty, TransferRestriction) and duty.regime == regime
        ),
        first_at_ms=max(count.first_at_ms, 0),
        last_at_ms=max(count.last_at_ms, 0),
        bundle=bundle,
    )


def _groups(law: TransferRegime) -> tuple[BulkGroup, ...]:
    return law.concern.groups if law.concern else ()


def _inside(category: str, prefixes: Iterable[str]) -> bool:
    return any(category == each or category.startswith(f"{each}.") for each in prefixes)


def _names(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({value for value in values if value})[:MAX_NAMES])


class Volumes:
    """All that one worker has counted since it started."""

    def __init__(self, writer: str, most: int = _MOST_COUNTS) -> None:
        """`writer` is a name that no other worker has, nor this one after a restart."""
        self._writer = writer
        self._most = most
        self._known: dict[tuple[str, ...], Volume] = {}
        self._forgotten = 0

    def grown(self, batch: Iterable[Volume]) -> tuple[Volume, ...]:
        """Give the counts that a batch adds to, whole. Nothing is remembered before `remember`."""
        grown: list[Volume] = []
        for volume in batch:
            known = self._known.get((*volume.total, volume.month))
            if known is None:
                # What was forgotten under this name must not be overwritten by what is counted anew.
                grown.append(msgspec.structs.replace(volume, writer=f"{self._writer}-{self._forgotten}"))
                continue
            after = united(known, volume)
            if after.subjects != known.subjects or after.last_at_ms >= known.last_at_ms + _RENEW_MS:
                grown.append(after)
        return tuple(grown)

    def remember(self, delivered: Iterable[Volume]) -> None:
        """Note what the broker has."""
        for volume in delivered:
            key = (*volume.total, volume.month)
            self._known.pop(key, None)
            self._known[key] = volume
        while len(self._known) > self._most:
            del self._known[next(iter(self._known))]
            self._forgotten += 1


def united(known: Volume, more: Volume) -> Volume:
    """Unite two counts of one key; where they differ in what was decided, the second speaks."""
    everybody = Distinct.decode(known.subjects)
    everybody.merge(Distinct.decode(more.subjects))
    return msgspec.structs.replace(
        more,
        writer=known.writer,
        subjects=everybody.encode(),
        destinations=_names((*known.destinations, *more.destinations)),
        categories=_names((*known.categories, *more.categories)),
        services=_names((*known.services, *more.services)),
        first_at_ms=min(known.first_at_ms, more.first_at_ms),
        last_at_ms=max(known.last_at_ms, more.last_at_ms),
    )
