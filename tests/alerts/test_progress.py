"""A partition with records of which none is handled ends the process, and nothing else does."""

import logging

import pytest

from alerts.progress import Progress


class Scene:
    def __init__(self) -> None:
        self.now = 1_000.0
        self.told = 0
        self.ended = 0
        self.progress = Progress(60.0, clock=lambda: self.now, end=self._end)

    def look(self, after: float, **waiting: tuple[int, int]) -> None:
        self.now += after
        self.progress.look(waiting, self._tell)

    def _tell(self) -> None:
        assert not self.ended, "told after the end"
        self.told += 1

    def _end(self) -> None:
        self.ended += 1


def test_a_partition_that_stands_is_told_and_ends_the_process(caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene()
    scene.look(0.0, findings_2=(40, 90))
    scene.look(30.0, findings_2=(40, 95))
    scene.look(29.9, findings_2=(40, 95))
    assert not scene.ended
    with caplog.at_level(logging.CRITICAL):
        scene.look(0.1, findings_2=(40, 99))
    assert (scene.told, scene.ended) == (1, 1)
    assert "findings_2" in caplog.text
    assert "at offset 40 of 99" in caplog.text


def test_one_standing_partition_ends_it_however_busy_the_others_are() -> None:
    scene = Scene()
    for _ in range(5):
        scene.look(15.0, busy=(1, 9), standing=(5, 6), empty=(7, 7))
        scene.progress.handled("busy")
    assert (scene.told, scene.ended) == (1, 1)


def test_a_slow_partition_and_an_empty_one_go_on() -> None:
    scene = Scene()
    for number in range(20):
        scene.look(25.0, slow=(number, 1_000), empty=(3, 3))
        scene.look(25.0, slow=(number, 1_000), empty=(3, 3))
        scene.progress.handled("slow")
    assert not scene.ended


def test_time_without_a_backlog_does_not_count() -> None:
    scene = Scene()
    scene.look(0.0, findings=(7, 7))
    for _ in range(30):
        scene.look(20.0, findings=(7, 7))
    for _ in range(3):
        scene.look(19.0, findings=(7, 8))
    assert not scene.ended


def test_recovery_a_broker_that_is_away_and_a_partition_that_moved_begin_anew() -> None:
    scene = Scene()
    scene.look(0.0, findings=(7, 8))
    scene.progress.forget()
    scene.look(30.0, findings=(7, 8))
    scene.look(29.0, findings=(7, 8))
    scene.look(20.0)  # owned by another
    scene.look(20.0, findings=(7, 8))
    scene.look(30.0, findings=(7, 8))
    scene.look(29.0, findings=(7, 8))
    assert not scene.ended
    scene.look(1.0, findings=(7, 8))
    assert scene.ended


def test_a_look_that_came_late_begins_anew() -> None:
    scene = Scene()
    scene.look(0.0, findings=(7, 8))
    scene.look(300.0, findings=(7, 8))  # the broker did not answer for so long
    assert not scene.ended
    scene.look(30.0, findings=(7, 8))
    scene.look(30.0, findings=(7, 8))
    assert scene.ended
