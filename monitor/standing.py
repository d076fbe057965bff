"""Watches what a worker may do and which topics it has, in a thread of its own: what is lost is told, and what comes back."""

import threading
from collections.abc import Callable, Iterable, Mapping

from monitor.kafka.standing import Asker, Loss, Standing
from monitor.logs import log

EVERY_SECONDS = 5.0


class Watch:
    """Asks the broker every few seconds. A worker goes on with what is left; what was created anew needs a new start."""

    def __init__(
        self,
        asker: Asker,
        ids: Mapping[str, str],
        tell: Callable[[Loss, bool], None],
        start_anew: Callable[[str], None],
        others: Callable[[], Iterable[Loss]],
    ) -> None:
        """`ids`: by topic, as of the start. `tell` is told each loss, and that it has ended. `others` gives what is lost beside topics."""
        self._asker = asker
        self._ids = dict(ids)
        self._tell = tell
        self._start_anew = start_anew
        self._others = others
        self._lost: frozenset[Loss] = frozenset()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="standing", daemon=True)

    def start(self) -> None:
        """Look once, and go on looking."""
        self.look()
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopping.set()

    def not_ready(self) -> str:
        """Say what is lost, or nothing."""
        return "; ".join(sorted(map(str, self._lost)))

    def look(self) -> None:
        """Look once. What cannot be asked stays as it was."""
        standing = self._asker.ask()
        if standing is None:
            return
        lost = standing.lost | frozenset(self._others())
        for loss in sorted(lost - self._lost):
            log.error("access lost, going on with the rest", kind=loss.kind, name=loss.name, why=loss.why.value)
            self._tell(loss, True)
        for loss in sorted(self._lost - lost):
            log.info("access is back", kind=loss.kind, name=loss.name, why=loss.why.value)
            self._tell(loss, False)
        self._lost = lost
        self._see_creations(standing)

    def _see_creations(self, standing: Standing) -> None:
        for topic, topic_id in standing.ids.items():
            if self._ids.get(topic) != topic_id:
                self._start_anew(f"topic {topic} is another one than at the start; this worker starts anew")
                return

    def _run(self) -> None:
        while not self._stopping.wait(EVERY_SECONDS):
            self.look()
