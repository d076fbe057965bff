"""How long the turns of a worker's loop take while other knowledge is read and swapped: whether that makes it pause."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_SWITCH_SECONDS = 0.0002
_TURN_SECONDS = 2.0


class Turns:
    """Times the turns of a loop, without what they wait for the broker, and tells of those that meet a reload.

    `tell` is given seconds: for each reload the longest turn that went on meanwhile, and the first turn that judges by
    what was loaded.
    """

    def __init__(self, tell: Callable[[float], None], clock: Callable[[], float] = time.perf_counter) -> None:
        self._tell = tell
        self._clock = clock
        self._began: float | None = None
        self._waited = 0.0
        self._longest = 0.0
        self._swapped = False
        self._is_reloading = False
        self._is_over = threading.Event()
        self._is_over.set()

    @property
    def meets_reload(self) -> bool:
        """Whether other knowledge is read meanwhile, or the turn under way is the first that judges by it."""
        return self._is_reloading or self._swapped

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Time one turn."""
        self._is_over.clear()
        began = self._began = self._clock()
        self._waited, self._swapped = 0.0, False
        try:
            yield
        finally:
            self._began = None
            self._is_over.set()
        took = self._clock() - began - self._waited
        self._longest = max(self._longest, took)
        if self._swapped:
            self._tell(took)

    def seconds(self) -> float:
        """Give how long the turn under way takes already, waits included; 0 between turns. Safe from other threads."""
        began = self._began
        return 0.0 if began is None else self._clock() - began

    @contextmanager
    def waiting(self, most: float = float("inf")) -> Iterator[None]:
        """Leave out a wait of the turn under way. What it takes beyond `most` seconds was not waited for: it counts."""
        began = self._clock()
        yield
        self._waited += min(self._clock() - began, most)

    def swapped(self) -> None:
        """Note that the turn under way is the first that judges by other knowledge."""
        self._swapped = True

    @contextmanager
    def reload(self) -> Iterator[None]:
        """Tell of the longest turn that goes on meanwhile. For the thread that reads what changed."""
        self._longest = 0.0
        self._is_reloading = True
        # The turn under way took its batch before it could know.
        self._is_over.wait(_TURN_SECONDS)
        # The loop lets go of the interpreter at each look into the ledger and each scan, a hundred times in a turn, and would
        # wait as often for as long as a thread that reads may keep it.
        usual = sys.getswitchinterval()
        sys.setswitchinterval(_SWITCH_SECONDS)
        try:
            yield
        finally:
            sys.setswitchinterval(usual)
            self._is_reloading = False
            self._tell(self._longest)
