"""The ledger as it stood at a mark."""

from collections.abc import Sequence

import pytest

from detectors.consent.ledger import Choice, Coverage, Forgets, Word
from monitor.ledger_as_of import AsOfMark, ends_of

TOPIC = "privacy.consent.v1"


class Today:
    mark = "0:99"

    def __init__(self, *choices: Choice) -> None:
        self._choices = choices

    def coverage(self, broker_ms: int) -> Coverage:  # noqa: ARG002 - the protocol's signature
        return Coverage.READY

    def choices(self, subjects: Sequence[str]) -> Sequence[Choice]:  # noqa: ARG002 - as above
        return list(self._choices)

    def choices_of(self, people: Sequence[Sequence[str]]) -> Sequence[Sequence[Choice]]:
        return [self.choices(subjects) for subjects in people]


def choice(offset: int, forgets: Forgets = Forgets.NOTHING) -> Choice:
    return Choice(offset, offset, 0, Word(("*",), (), "", TOPIC, 0, forgets=forgets))


def test_what_was_recorded_behind_the_mark_is_not_seen() -> None:
    then = AsOfMark(Today(choice(3), choice(7)), "0:5", TOPIC, Coverage.READY)
    assert [each.offset for each in then.choices(["k1.a"])] == [3]
    assert [[each.offset for each in one] for one in then.choices_of([["k1.a"], ["k1.b"]])] == [[3], [3]]
    assert not then.has_lost


@pytest.mark.parametrize("forgets", [Forgets.ERASED, Forgets.OLDER])
def test_what_was_taken_out_since_is_said_to_be_lost(forgets: Forgets) -> None:
    then = AsOfMark(Today(choice(7, forgets)), "0:5", TOPIC, Coverage.READY)
    assert then.choices(["k1.a"]) == []
    assert then.has_lost
    before = AsOfMark(Today(choice(3, forgets)), "0:5", TOPIC, Coverage.READY)
    assert [each.offset for each in before.choices(["k1.a"])] == [3]
    assert not before.has_lost


@pytest.mark.parametrize(
    ("mark", "topic", "ends"),
    [
        ("", TOPIC, {}),
        ("0:5,1:7", TOPIC, {(TOPIC, 0): 5, (TOPIC, 1): 7}),
        ("0:5|0:9", TOPIC, {(TOPIC, 0): 5}),
        ("0:9|0:5", "shop.consent", {("shop.consent", 0): 5}),
        ("0:5|0:9", "a.consent", {("a.consent", 0): 5}),
    ],
)
def test_a_mark_names_the_next_offset_of_each_partition(
    mark: str, topic: str, ends: dict[tuple[str, int], int]
) -> None:
    assert ends_of(mark, topic) == ends
