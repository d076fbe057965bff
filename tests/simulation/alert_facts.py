"""What was put into the topics of the alert plane, and what plain counting says of it. It imports nothing that it judges."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from tests.alerts.traffic import Seen, batches, traffic
from topics.finding import Fold
from topics.flow import Role
from topics.triage import Declaration, Declared
from topics.volume import Volume

KEYS = [f"episode-{number:02d}" for number in range(20)]
_INPUTS = 2
_FINDINGS = 60
_THRESHOLD = 10
_PEOPLE = 30
_YEAR = ("2026-01", "2026-02", "2026-12")
_MONTHS = (*_YEAR, "2020-06")
"""All but the last lie within twelve months."""


@dataclass
class Facts:
    """Everything true about one seed's traffic."""

    rng: random.Random
    seen: list[Seen] = field(default_factory=list)
    inputs: list[Iterator[list[Fold]]] = field(default_factory=list)
    declared: defaultdict[str, list[Declaration]] = field(default_factory=lambda: defaultdict(list))
    states: defaultdict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(lambda: [_NOTHING]))
    """What is declared of a key after each of its declarations that changed anything; first of all, nothing."""
    volumes: list[Volume] = field(default_factory=list)
    _counted: defaultdict[tuple[str, str, str], set[str]] = field(default_factory=lambda: defaultdict(set))

    def __post_init__(self) -> None:
        for partition in range(_INPUTS):
            items = traffic(self.rng, partition, _FINDINGS, KEYS)
            self.seen += items
            self.inputs.append(batches(self.rng, items, largest=10, again=0.25))

    def bogus(self) -> list[Fold]:
        """Folds that must never count: each would raise a mark above all that comes."""
        items = [replace(each, offset=each.offset + 1_000_000) for each in traffic(self.rng, 0, 5, KEYS)]
        return next(batches(self.rng, items))

    def declare(self, key: str) -> Declaration:
        """Somebody declares something; half of the time the opposite of what stands."""
        number = len(self.declared[key]) + 1
        what = self.rng.choice(list(Declared))
        duty = "xx-duty" if what is Declared.MET else ""
        state = self.states[key][-1]
        stands = duty in state["met"] if duty else what.value in state["declared"]
        at_ms = 0 if stands and self.rng.random() < 0.5 else 1_000 + number
        said = Declaration(episode_key=key, what=what, at_ms=at_ms, duty=duty)
        self.declared[key].append(said)
        declared, met = dict(state["declared"]), set(state["met"])
        if duty:
            met = met | {duty} if at_ms else met - {duty}
        elif at_ms:
            declared[what.value] = at_ms
        else:
            declared.pop(what.value, None)
        after = {"declared": declared, "met": sorted(met)}
        if after != state:
            self.states[key].append(after)
        return said

    def volume(self) -> Volume:
        """A worker tells its whole count of a month again, with a few persons more."""
        writer, recipient, month = (
            self.rng.choice(("worker-0", "worker-1")),
            self.rng.choice(("ads.example", "cdn.example")),
            self.rng.choice(_MONTHS),
        )
        known = self._counted[writer, recipient, month]
        known |= {f"{self.rng.randrange(_PEOPLE):08x}" for _ in range(self.rng.randint(0, 3))}
        said = Volume(
            cluster="c1",
            writer=writer,
            regime="us-doj",
            group="precise-geolocation",
            recipient=recipient,
            month=month,
            subjects="e:" + ",".join(sorted(known)),
            role=Role.PROCESSOR,
            destinations=("CN",),
            categories=("location",),
            services=("shop",),
            threshold=_THRESHOLD,
            recalled=False,
            jurisdiction="US",
            law=("us-doj",),
            first_at_ms=1_000,
            last_at_ms=2_000 + len(self.volumes),
            bundle="b1",
        )
        self.volumes.append(said)
        return said

    def counts(self) -> dict[str, dict[str, int]]:
        """Count without folds, marks or episodes."""
        grouped: defaultdict[str, list[Seen]] = defaultdict(list)
        for one in self.seen:
            grouped[one.key].append(one)
        return {
            key: {
                "findings": sum(one.count for one in group),
                "first_at_ms": min(one.at_ms for one in group),
                "last_at_ms": max(one.at_ms for one in group),
                "subjects": len({one.subject for one in group}),
            }
            for key, group in grouped.items()
        }

    def months(self) -> dict[tuple[str, str], set[str]]:
        """Give who was counted, by recipient and month."""
        found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        for said in self.volumes:
            found[said.recipient, said.month] |= people(said.subjects)
        return dict(found)

    def reached(self) -> Counter[tuple[str, str]]:
        """Give how many volumes came near a threshold or above it, by recipient and verdict."""
        found: Counter[tuple[str, str]] = Counter()
        so_far: defaultdict[tuple[str, bool], set[str]] = defaultdict(set)
        for said in self.volumes:
            persons = so_far[said.recipient, said.month in _YEAR]
            persons |= people(said.subjects)
            if len(persons) > said.threshold:
                found[said.recipient, "violation"] += 1
            elif len(persons) * 10 >= said.threshold * 8:
                found[said.recipient, "gap"] += 1
        return found


_NOTHING: dict[str, Any] = {"declared": {}, "met": []}


def people(subjects: str) -> set[str]:
    """Take a set of persons apart that is small enough to be told one by one."""
    assert subjects.startswith("e:")
    return {each for each in subjects[2:].split(",") if each}
