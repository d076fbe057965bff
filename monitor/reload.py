"""Knowledge that changes while the worker runs: loaded anew as a whole, swapped as a whole, or left as it was."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from monitor.bundles import BrokenBundle
from monitor.config import Config
from monitor.context import Loaded, load
from monitor.files import ConfigProblems, yaml_files
from monitor.logs import log
from monitor.optional import optional_files
from topics.bundle import NO_BUNDLE, Bundle
from topics.catalog import RULES

POLL_SECONDS = 1.0
_STAND_STILL_SECONDS = 0.3
_MOST_TOLD = 20

Print = tuple[tuple[str, int, int], ...]
"""Name, time and size of every watched file."""


class Reloader:
    """Watches the files that the configuration names, in a thread of its own.

    Files that change are loaded once they stand still: an editor or a copy writes several in a row, and a half-written
    set must neither judge nor be reported. What cannot be loaded is told, and what judges goes on judging.
    The configuration file itself is read at the start alone.
    """

    def __init__(  # noqa: PLR0913 - what it watches, and whom it tells
        self,
        config: Config,
        file: str,
        loaded: Loaded,
        swap: Callable[[Loaded], None],
        count: Callable[[str], None],
        bundles: Callable[[], Bundle | BrokenBundle | None] = lambda: None,
        *,
        meanwhile: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """`swap` takes knowledge that is whole and new; `count` is told `loaded`, `unchanged` or `broken`.

        `bundles` gives the newest bundle that came since it was last asked. `meanwhile` is entered while anything is loaded.
        """
        self._config, self._file = config, file
        self._loaded = loaded
        self._swap, self._count = swap, count
        self._bundles = bundles
        self._meanwhile = meanwhile
        self._bundle = NO_BUNDLE
        """The last one that could be loaded."""
        self._asked = threading.Event()
        self._stopping = threading.Event()
        self._seen = self._look()
        self._digest = self._content()
        self._thread = threading.Thread(target=self._watch, name="reload", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    @property
    def judges_by(self) -> str:
        """The digest of what was loaded last."""
        return self._loaded.bundle

    def ask(self) -> None:
        """Load anew soon, whether or not a file changed. Safe to call from a signal handler."""
        self._asked.set()

    def stop(self) -> None:
        """End, after a load that is under way."""
        self._stopping.set()
        self._asked.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        while not self._stopping.is_set():
            asked = self._asked.wait(POLL_SECONDS)
            self._asked.clear()
            if not self._stopping.is_set():
                self.turn(asked=asked)

    def turn(self, *, asked: bool = False) -> None:
        """Look once, and load what changed."""
        self.follow(self._bundles())
        seen = self._look()
        if seen == self._seen and not asked:
            return
        while not self._stopping.wait(_STAND_STILL_SECONDS):
            before, seen = seen, self._look()
            if seen == before:
                break
        digest = self._content()
        if digest == self._digest and not asked:
            # Touched, and the same as before.
            self._seen = seen
            return
        loaded = self._load()
        if self._look() != seen:
            # Written to while it was read: it is looked at again in the next turn, and nothing is said of it now.
            return
        self._seen, self._digest = seen, digest
        self._take(loaded)

    def follow(self, bundle: Bundle | BrokenBundle | None) -> None:
        """Load a bundle over the files; one that cannot be loaded leaves the last good one in place."""
        if bundle is None:
            return
        if isinstance(bundle, BrokenBundle):
            self._take(f"{RULES.name} at offset {bundle.offset}: {bundle.reason}")
            return
        loaded = self._load(bundle)
        if self._take(loaded):
            self._bundle = bundle

    def _load(self, bundle: Bundle | None = None) -> Loaded | ConfigProblems | str:
        try:
            with self._meanwhile():
                return load(self._config, self._file, bundle or self._bundle)
        except ConfigProblems as problems:
            return problems
        except Exception as error:  # noqa: BLE001 - a fault while reading must not end what judges
            return f"a fault of the monitor itself: {type(error).__name__}"

    def _take(self, result: Loaded | ConfigProblems | str) -> bool:
        """Judge by it, or say why not; gives whether it is sound."""
        if isinstance(result, ConfigProblems):
            told = [str(each) for each in result.problems[:_MOST_TOLD]]
            log.error("rules not loaded, the last good ones go on", problems=told, mistakes=len(result.problems))
            self._count("broken")
            return False
        if isinstance(result, str) or result.key != self._loaded.key:
            reason = result if isinstance(result, str) else "the key of the subjects changed; start the monitor anew"
            log.error("rules not loaded, the last good ones go on", problems=[reason], mistakes=1)
            self._count("broken")
            return False
        if result.bundle == self._loaded.bundle:
            self._count("unchanged")
        else:
            log.info("rules loaded", bundle=result.bundle, before=self._loaded.bundle, rules=len(result.rules.rules))
            self._loaded = result
            self._swap(result)
            self._count("loaded")
        return True

    def _files(self) -> Iterator[Path]:
        config = self._config
        for folder in (*config.rules, *config.exemptions, *config.law):
            yield from yaml_files(folder)
        for named in (config.register_file, config.needs, config.types, config.baseline):
            if named is not None:
                yield named
        yield from optional_files(config)

    def _look(self) -> Print:
        found: list[tuple[str, int, int]] = []
        for file in self._files():
            try:
                known = file.stat()
            except OSError:
                # Gone between the listing and the look: the next look knows.
                continue
            found.append((str(file), known.st_mtime_ns, known.st_size))
        return tuple(sorted(found))

    def _content(self) -> str:
        digest = hashlib.sha256()
        for file in sorted(self._files()):
            digest.update(f"{file}\0".encode("utf-8", "surrogatepass"))
            try:
                with file.open("rb") as opened:
                    digest.update(hashlib.file_digest(opened, "sha256").digest())
            except OSError:
                digest.update(b"cannot be read")
        return digest.hexdigest()
