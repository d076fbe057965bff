"""Interleavings of consent, links and traffic through the real ledger, against a model written separately.

`PRIVACY_MONITOR_INTERLEAVINGS=100000` tries so many.
"""

import os
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from detectors import tracking
from detectors.assessment import Law
from monitor.ledger import LedgerWriter
from tests.detectors.consent.reference import Chosen, Disclosed, Erased, Identifier, Linked, verdict
from topics.catalog import CONSENT, LINKS
from topics.consent import ConsentRecord
from topics.flow import DataFlow, Role, Signal
from topics.links import links
from topics.record import RawRecord
from topics.subject import KINDS, SubjectKey

INTERLEAVINGS = int(os.environ.get("PRIVACY_MONITOR_INTERLEAVINGS", "1000"))
KEY = SubjectKey("k1", b"a key of the tests, longer than sixteen bytes")
SETTLE_MS = 4
LAWS = {
    "DE": Law(jurisdiction="DE", regime="opt-in"),
    "US-CA": Law(jurisdiction="US-CA", regime="opt-out", honours_gpc=True),
    "BR-none": Law(jurisdiction="BR-none", regime="none"),
    "": Law(),
}
PEOPLE: tuple[Identifier, ...] = (
    ("user_id", "u1"),
    ("user_id", "u2"),
    ("anonymous_id", "a1"),
    ("anonymous_id", "a2"),
    ("email", "e1"),
)
WORDS = ("advertising", "advertising.targeted", "analytics", "social", "*", "advert")
PURPOSES = ("advertising.targeted", "analytics", "social", "payment")

moments = st.integers(10, 24)
identifiers = st.lists(st.sampled_from(PEOPLE), max_size=3, unique_by=lambda each: each[0]).map(frozenset)
words = st.frozensets(st.sampled_from(WORDS), max_size=2)
# A choice is heard of soon after it was made, or much later; or its clock is ahead of the broker's.
delays = st.sampled_from((0, 0, 1, 2, 3, 8, -3))

chosen = st.builds(
    lambda made, delay, by, granted, refused, notice: Chosen(made, made + delay, by, granted, refused, notice, 0),
    moments,
    delays,
    identifiers.filter(bool),
    words,
    words,
    st.booleans(),
).filter(lambda each: bool(each.granted or each.refused))
linked = st.builds(Linked, moments, st.sampled_from(PEOPLE), st.sampled_from(PEOPLE)).filter(
    lambda each: each.one[0] != each.other[0]
)
erased = st.builds(Erased, moments, st.sampled_from(PEOPLE), st.just(0))
disclosed = st.builds(
    lambda at, delay, of, purpose, place, gpc, string: Disclosed(
        at, at + delay + SETTLE_MS, of, purpose, place, gpc, string
    ),
    moments,
    st.sampled_from((0, 0, 1, 6)),
    identifiers,
    st.sampled_from(PURPOSES),
    st.sampled_from(sorted(LAWS)),
    st.booleans(),
    st.sampled_from(("", "", "denied", "allowed")),
)
stories = st.lists(
    st.one_of(chosen, chosen, chosen, linked, linked, erased, disclosed, disclosed, disclosed), min_size=1, max_size=12
)

_salts = count()


class Play:
    """The real parts: records go into a ledger on disk as the broker hears of them, disclosures are judged when settled.

    The ledger is one for all examples; each has people of its own.
    """

    def __init__(self, writer: LedgerWriter) -> None:
        self._writer = writer
        self._salt = next(_salts)
        self.offset = 0

    def put(self, at_ms: int, topic: str, values: list[Any]) -> None:
        records = [
            RawRecord(topic, 0, self.offset + number, at_ms, None, msgspec.json.encode(value))
            for number, value in enumerate(values)
        ]
        self.offset += len(records)
        self._writer.apply(records, SETTLE_MS)

    def choose(self, choice: Chosen) -> None:
        record = ConsentRecord(
            at_ms=choice.made_at,
            ids=dict(self._salted(choice.by)),
            granted=tuple(choice.granted),
            refused=tuple(choice.refused),
            after_gpc_notice=choice.after_notice,
        )
        self.put(choice.heard_at, CONSENT.name, [record])

    def link(self, link: Linked) -> None:
        self.put(link.heard_at, LINKS.name, list(links(KEY, tuple(self._salted({link.one, link.other})))))

    def erase(self, erasure: Erased) -> None:
        ((kind, value),) = self._salted({erasure.of})
        record = RawRecord(CONSENT.name, 0, self.offset, erasure.heard_at, KEY.hash(kind, value).encode(), None)
        self.offset += 1
        self._writer.apply([record], SETTLE_MS)

    def judge(self, event: Disclosed) -> tuple[str, str]:
        signals = [Signal("gpc", "denied", "headers.sec-gpc", ("advertising", "social"))] if event.sent_gpc else []
        if event.string:
            signals.append(Signal("usp", event.string, "query.us_privacy"))
        flow = DataFlow(
            item=0,
            location="request",
            at_ms=event.happened_at,
            subjects=tuple(KEY.hash(*each) for each in self._salted(event.of)),
            role=Role.THIRD_PARTY,
            proof="request",
            purpose=event.purpose,
            signals=tuple(signals),
        )
        self._writer.mark_fresh(event.judged_at)
        view = self._writer.view()
        try:
            law, coverage = LAWS[event.place], view.coverage(event.judged_at - SETTLE_MS)
            assessed = tracking.assess(flow, law, view.choices(flow.subjects), coverage)
        finally:
            view.close()
        assert assessed is not None
        return assessed.consent.decision.value, assessed.consent.signal

    def _salted(self, people: Any) -> list[Identifier]:
        named = [(kind, f"{value} of {self._salt}") for kind, value in people]
        return sorted(named, key=lambda each: KINDS.index(each[0]))


@pytest.fixture(scope="module")
def writer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LedgerWriter]:
    made = LedgerWriter(tmp_path_factory.mktemp("ledger"), KEY, 1024, CONSENT.name)
    yield made
    made.close()


@settings(
    max_examples=INTERLEAVINGS,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)
@pytest.mark.timeout(600 + INTERLEAVINGS)
@given(story=stories)
def test_every_interleaving_gives_the_verdicts_of_the_reference(
    writer: LedgerWriter, story: list[Chosen | Linked | Erased | Disclosed]
) -> None:
    play = Play(writer)
    # In the order in which it comes about: what is heard of at the moment of a judgement counts for it.
    told = sorted(story, key=lambda each: (_moment(each), isinstance(each, Disclosed)))
    told = [
        replace(each, number=number) if isinstance(each, Chosen | Erased) else each for number, each in enumerate(told)
    ]
    everything_chosen = [each for each in told if isinstance(each, Chosen)]
    every_link = [each for each in told if isinstance(each, Linked)]
    every_erasure = [each for each in told if isinstance(each, Erased)]
    for each in told:
        if isinstance(each, Chosen):
            play.choose(each)
        elif isinstance(each, Erased):
            play.erase(each)
        elif isinstance(each, Linked):
            play.link(each)
        else:
            assert play.judge(each) == verdict(everything_chosen, every_link, every_erasure, each)


def _moment(each: Chosen | Linked | Erased | Disclosed) -> int:
    return each.judged_at if isinstance(each, Disclosed) else each.heard_at
