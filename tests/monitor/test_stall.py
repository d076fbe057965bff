"""A turn that does not end ends the process; one that takes long within its time-outs does not."""

import subprocess
import sys
import threading

from monitor.processes import EXIT_TRY_AGAIN
from monitor.stall import Stall
from monitor.turns import Turns


def test_only_a_turn_that_takes_longer_than_it_may_ends_the_process() -> None:
    now, ended = [0.0], list[bool]()
    turns = Turns(lambda _seconds: None, lambda: now[0])
    stall = Stall((lambda: 0.0, 60.0), (turns.seconds, 180.0), end=lambda: ended.append(True))
    now[0] = 1_000.0
    stall.look()
    assert ended == [], "no turn is under way"
    with turns.turn():
        now[0] = 1_180.0
        stall.look()
        assert ended == []
        now[0] = 1_181.0
        stall.look()
        assert ended == [True]
    now[0] = 9_000.0
    stall.look()
    assert ended == [True], "the turn is over"


def test_the_process_ends_though_its_main_thread_never_comes_back() -> None:
    code = "import time; from monitor.stall import Stall; Stall((time.monotonic, 0.1)).start(); time.sleep(60)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, timeout=30)
    assert done.returncode == EXIT_TRY_AGAIN
    assert b"hangs" in done.stdout + done.stderr


def test_whoever_is_stopped_looks_no_more() -> None:
    asked = threading.Event()

    def seconds() -> float:
        asked.set()
        return 1e9

    stall = Stall((seconds, 36.0), end=lambda: None)
    stall.start()
    stall.stop()
    assert not asked.wait(1.5)
