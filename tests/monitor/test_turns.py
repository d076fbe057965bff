"""A worker's turns are timed without what they wait for, and told of where they meet a reload."""

import threading
import time

from monitor.turns import Turns


class Clock:
    """A clock that is moved by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_longest_turn_of_a_reload_and_the_first_after_it_are_told_without_waits() -> None:
    clock, told = Clock(), list[float]()
    turns = Turns(told.append, clock)
    with turns.turn():
        clock.now += 9
    assert told == [], "no reload went on"
    with turns.reload():
        for work in (1, 3, 2):
            with turns.turn():
                clock.now += work
                with turns.waiting():
                    clock.now += 50
    assert told == [3]
    with turns.turn():
        turns.swapped()
        clock.now += 4
    with turns.turn():
        clock.now += 5
    assert told == [3, 4]


def test_a_turn_meets_a_reload_while_it_goes_on_and_when_it_is_the_first_to_judge_by_it() -> None:
    turns = Turns(list[float]().append, Clock())
    met = []
    with turns.turn():
        met.append(turns.meets_reload)
    with turns.reload(), turns.turn():
        met.append(turns.meets_reload)
    with turns.turn():
        met.append(turns.meets_reload)
        turns.swapped()
        met.append(turns.meets_reload)
    with turns.turn():
        met.append(turns.meets_reload)
    assert met == [False, True, False, True, False]


def test_a_reload_begins_when_the_turn_under_way_is_over() -> None:
    turns, order = Turns(lambda _seconds: None), list[str]()

    def reload() -> None:
        with turns.reload():
            order.append("reload")

    thread = threading.Thread(target=reload)
    with turns.turn():
        thread.start()
        while not turns.meets_reload:
            time.sleep(0.001)
        order.append("turn")
    thread.join(5)
    assert order == ["turn", "reload"]


def test_what_a_wait_takes_beyond_its_bound_counts() -> None:
    clock, told = Clock(), list[float]()
    turns = Turns(told.append, clock)
    with turns.reload(), turns.turn(), turns.waiting(0.5):
        clock.now += 2
    assert told == [1.5]
