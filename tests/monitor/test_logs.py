"""The logs of libraries."""

import logging

from monitor.logs import Seldom


def line(text: str, *arguments: object, logger: str = "aiokafka") -> logging.LogRecord:
    return logging.LogRecord(logger, logging.ERROR, "", 0, text, arguments, None)


def test_a_line_that_a_library_repeats_is_written_once_in_ten_seconds_with_how_many_were_left_out() -> None:
    now = [0.0]
    seldom = Seldom(clock=lambda: now[0])
    written = []
    for step in range(250):
        now[0] = step / 10
        record = line("Unable connect to node with id %s: %s", step, "refused")
        if seldom.filter(record):
            written.append((now[0], record.__dict__["left_out"]))
    assert written == [(0.0, 0), (10.0, 99), (20.0, 99)]
    assert seldom.filter(line("Something else"))
    assert seldom.filter(line("Something else", logger="faust"))


def test_as_many_kinds_as_one_likes_take_no_more_memory_than_a_thousand() -> None:
    seldom = Seldom(clock=lambda: 0.0)
    assert all(seldom.filter(line(f"kind {number}")) for number in range(5_000))
    assert len(seldom._passed) <= 1_000
