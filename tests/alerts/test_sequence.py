"""A record that a framework loses is noticed before anything is counted beyond it."""

import pytest

from alerts.sequence import LostRecordError, Sequence


def delivered(*offsets: int) -> Sequence:
    sequence = Sequence()
    for offset in offsets:
        sequence.deliver("p0", offset)
    return sequence


def test_what_is_handled_in_order_is_no_loss_even_with_gaps_of_the_log_and_repeats() -> None:
    sequence = delivered(3, 4, 4, 9)
    for offset in (3, 4, 4, 9, 4):
        sequence.handle("p0", offset)


def test_a_record_that_did_not_come_out_of_the_queue_is_a_loss_and_stays_one() -> None:
    sequence = delivered(3, 4, 5)
    sequence.handle("p0", 3)
    for _ in range(2):
        with pytest.raises(LostRecordError, match="offset 4"):
            sequence.handle("p0", 5)


def test_partitions_are_apart_and_an_assignment_begins_anew() -> None:
    sequence = delivered(3, 4)
    sequence.handle("p1", 100)
    sequence.reset(["p0"])
    sequence.handle("p0", 4)
