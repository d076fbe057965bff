"""Finding the signals of every record of the benchmark's traffic and deciding on every disclosure in it, first seen and seen again.

Twice: as the monitor asks, of records that disclose something, and as an upper bound of every record, also of those that it tells to stay with
the shop before it opens them. Carriers are new objects each time, as they are in a worker: a text that was hashed before would be found too cheaply.
"""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from detectors.assessment import Law
from detectors.classify.flows import classify
from detectors.consent import bits, decide, gpp, tcf
from detectors.consent import signals as found_by
from detectors.consent.hearing import is_governed
from detectors.consent.ledger import Choice, Coverage
from detectors.consent.readings import read_string
from detectors.consent.signals import SignalFinder
from tests.bench import pipeline
from tests.bench.mix import Mix
from topics.flow import DataFlow, Role
from topics.observation import Media, Observation

_RECORDS = 20_000
_ROUNDS = 5


class _Asked(NamedTuple):
    """One observation, and what has to be decided about it."""

    seen: Observation
    cookies: str | None
    query: str | None
    at_ms: int
    disclosures: tuple[tuple[DataFlow, Law, Sequence[Choice]], ...]


def report(tell: Callable[[str], None]) -> None:
    """Print microseconds of CPU a record, amortised over the mix and for what is seen for the first time."""
    asked = _prepared(_RECORDS)
    speaking = [each for each in asked if each.disclosures]
    disclosures = sum(len(each.disclosures) for each in speaking)
    finder = SignalFinder()
    as_asked = min(_timed(speaking, finder) for _ in range(_ROUNDS)) / len(asked) * 1e6
    every = min(_timed(asked, finder) for _ in range(_ROUNDS)) / len(asked) * 1e6
    tell(
        f"mix of {len(asked):,} records with {disclosures:,} disclosures in {len(speaking):,}: find and decide "
        f"{as_asked:.2f} µs a record amortised (limit 2), {every:.2f} µs if every record were asked"
    )
    first = min(_first(speaking) for _ in range(_ROUNDS))
    tell(f"records with a disclosure, nothing remembered: {first * 1e6:.2f} µs each (limit 25)")


def _prepared(records: int) -> list[_Asked]:
    mix = Mix(1)
    context = pipeline.context(mix, gated=False)
    asked = []
    for batch in pipeline.batches(mix, records):
        for record in batch:
            for seen in context.adapters[record.topic].read(record):
                if not isinstance(seen, Observation):
                    continue
                flows = [flow for flow, _ in classify(seen, record.timestamp_ms, context.know).flows]
                data = next((p.data for p in seen.parts if p.path == "query" and p.media is Media.FORM), None)
                at_ms = flows[0].at_ms if flows else record.timestamp_ms
                asked.append(
                    _Asked(
                        seen,
                        seen.cookies,
                        data.decode("utf-8", "replace") if data else None,
                        at_ms,
                        tuple(
                            (
                                flow,
                                context.law.law_for(flow.origin.country, flow.origin.subdivision, at_ms),
                                context.ledger.choices(flow.subjects),
                            )
                            for flow in flows
                            if flow.role is not Role.OWN and flow.proof and is_governed(flow.purpose)
                        ),
                    )
                )
    return asked


def _timed(asked: Sequence[_Asked], finder: SignalFinder) -> float:
    """Give seconds of CPU, a hundred records at a time: the worker has just made them when it asks, so they are touched first."""
    total = 0.0
    for at in range(0, len(asked), 100):
        some = asked[at : at + 100]
        some = [_anew(each) for each in some]
        began = time.process_time()
        for each in some:
            _answer(each, finder)
        total += time.process_time() - began
    return total


def _anew(asked: _Asked) -> _Asked:
    """Give the same with texts that nobody has hashed."""
    return asked._replace(cookies=_copy(asked.cookies), query=_copy(asked.query))


def _copy(text: str | None) -> str | None:
    return text and f" {text}"[1:]


def _answer(asked: _Asked, finder: SignalFinder) -> None:
    seen = asked.seen
    finder.find(seen.headers, asked.cookies, asked.query, seen.consent, at_ms=asked.at_ms)
    for flow, law, choices in asked.disclosures:
        decide.decide(flow, law, choices, Coverage.READY)


def _first(asked: Sequence[_Asked]) -> float:
    """Give the mean of seconds where every cache is empty before each record; emptying is not counted."""
    total = 0
    for each in asked:
        finder = SignalFinder()
        for cache in (read_string, tcf.decode_cached, gpp.decode_cached, bits.positions):
            cache.cache_clear()
        decide.forget()
        found_by.forget()
        began = time.process_time_ns()
        _answer(each, finder)
        total += time.process_time_ns() - began
    return total / len(asked) / 1e9


__all__ = ["report"]
