"""Which of several choices is in force."""

from itertools import permutations

from detectors.consent.ledger import Choice, Word, as_of


def grant(offset: int, *, at_ms: int = 1000, notice: bool = False) -> Choice:
    return Choice(at_ms, offset, 2000 + offset, Word(("advertising",), (), "", "t", 0, notice))


def refusal(offset: int, *, at_ms: int = 1000) -> Choice:
    return Choice(at_ms, offset, 2000 + offset, Word((), ("advertising",), "", "t", 0))


def test_of_two_grants_at_the_same_moment_the_one_recorded_last_counts_in_any_order() -> None:
    choices = [grant(1, notice=True), grant(2), refusal(0, at_ms=500)]
    for order in permutations(choices):
        assert as_of(order, "advertising.targeted", 1000) == (grant(2), True)


def test_of_a_grant_and_a_refusal_at_the_same_moment_the_refusal_counts_in_any_order() -> None:
    for order in permutations([grant(1), refusal(0), grant(2)]):
        assert as_of(order, "advertising.targeted", 1000) == (refusal(0), False)


def test_what_comes_after_the_moment_does_not_count() -> None:
    assert as_of([grant(1, at_ms=1001)], "advertising", 1000) is None
