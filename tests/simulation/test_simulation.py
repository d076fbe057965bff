"""Thousands of schedules of faults on the model broker: nothing lost, nothing invented, everything judged in the end.

The runner is the one that runs on Kafka, unchanged. `SIMULATION_SEEDS=100000 pytest tests/simulation` plays more schedules.
A seed that ever failed stands in `seeds.txt` with what it found, and is played for ever.
"""

import os
from collections import Counter
from itertools import islice
from pathlib import Path

import msgspec
import pytest

from monitor.audit.verdict import Result
from monitor.context import Loaded, load_shipped
from monitor.shop import Shop
from tests.integration.system import REGISTER
from tests.simulation.world import FAULTS, SOURCES, Piece, World
from topics.adapters import make
from topics.observation import Adapter, AdapterOptions
from topics.subject import SubjectKey

SEEDS = int(os.environ.get("SIMULATION_SEEDS", "2000"))
FIRST = int(os.environ.get("SIMULATION_FIRST", "0"))
STEPS = 120
START_MS = 1_795_000_000_000
_TOPICS = {"events": "shop.events", "kong": "shop.kong", "consent": "privacy.consent.v1"}
_KNOWN = [
    int(line.split()[0])
    for line in Path(__file__).with_name("seeds.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]
ADAPTERS: dict[str, Adapter] = {
    "shop.events": make("segment", AdapterOptions(service="web-shop")),
    "shop.kong": make("kong", AdapterOptions(service="api-gateway", body="request.body")),
}


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    shipped = load_shipped(domains=["shop.example"], register_file=REGISTER)
    # A key that is known: a seed must give the same schedule on every machine.
    know = msgspec.structs.replace(shipped.know, key=SubjectKey("k1", b"a key of the simulation"))
    return msgspec.structs.replace(shipped, know=know)


@pytest.fixture(scope="module")
def pool() -> list[Piece]:
    pieces = islice(Shop(23, START_MS).stream(), 1_500)
    return [Piece(_TOPICS[each.role], each.key, each.value) for each in pieces if each.role in _TOPICS]


def played(seed: int, loaded: Loaded, pool: list[Piece], hits: Counter[str]) -> Result:
    world = World(seed, loaded, ADAPTERS, pool, exactly_once=seed % 2 == 1, start_ms=START_MS + 60_000, hits=hits)
    result = world.run(STEPS)
    assert not result.faults, f"seed {seed}: {result.faults[:5]}"
    if world.exactly_once:
        assert result.duplicates == 0, f"seed {seed}: delivered twice in transactions"
    return result


@pytest.mark.timeout(0 if SEEDS > 5_000 else 600)
def test_no_schedule_of_faults_loses_or_invents_anything(loaded: Loaded, pool: list[Piece]) -> None:
    hits: Counter[str] = Counter()
    total = Result()
    for seed in range(FIRST, FIRST + SEEDS):
        total.add(played(seed, loaded, pool, hits))
    # A run in which a fault was never met, or which found nothing to find, proves nothing.
    assert {name: hits[name] for name in FAULTS if not hits[name]} == {}
    for name in ("worker replaced", "polite stop", "frozen", "killed", "retention overtook", "aborted traffic"):
        assert hits[name], name
    assert total.duplicates > 0
    assert total.findings > 0
    assert total.letters > 0
    assert {kind for kind, count in total.offsets.items() if count} == {
        "inspected",
        "dead-lettered",
        "expired-before-read",
        "not-a-record",
    }
    print(f"{SEEDS} seeds: {dict(total.offsets)}, {total.findings} findings, {total.duplicates} again; {dict(hits)}")  # noqa: T201 - the count is the evidence


@pytest.mark.parametrize("seed", _KNOWN)
def test_a_seed_that_ever_failed_fails_no_more(seed: int, loaded: Loaded, pool: list[Piece]) -> None:
    played(seed, loaded, pool, Counter())


def test_a_seed_gives_the_same_schedule_each_time(loaded: Loaded, pool: list[Piece]) -> None:
    one, other = Counter[str](), Counter[str]()
    assert played(5, loaded, pool, one) == played(5, loaded, pool, other)
    assert one == other
    assert {each.topic for each in pool} == {*SOURCES, "privacy.consent.v1"}
