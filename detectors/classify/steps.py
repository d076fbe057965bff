"""Which step of the purchase a record belongs to, by event name or path."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Annotated, NamedTuple

from pydantic import Field as Bounded

from detectors.classify.recipients import normal_name
from detectors.documents import Problem, Written, read
from topics.flow import Step

Pattern = Annotated[str, Bounded(pattern=r"^(\*\*|)/[^*/]+|^(\*\*|)/\*/", max_length=200)]

_LONGEST_PATH = 1_024
_MOST_SEGMENTS = 24
_CACHED = 8_192
_NO_STEP_METHODS = frozenset({"OPTIONS", "HEAD", "TRACE", "CONNECT"})


class WrittenPattern(Written):
    """A path pattern and its step."""

    path: Pattern
    step: Step


class StepFile(Written):
    """What stands in steps.yaml."""

    events: dict[Step, tuple[str, ...]]
    paths: tuple[WrittenPattern, ...]


class _Path(NamedTuple):
    order: int
    segments: tuple[str, ...]
    floats: bool
    """Anything may stand before it."""
    goes_on: bool
    """Anything may stand behind it."""
    step: Step


class StepMap:
    """Steps by event name and by path."""

    def __init__(self, events: Mapping[str, Step], paths: Iterable[tuple[str, Step]]) -> None:
        self._events = {normal_name(name): step for name, step in events.items()}
        self._listed = tuple(paths)
        # A path is compared only with the patterns whose rarest word it has.
        self._by_word: dict[str, list[_Path]] = {}
        for order, (pattern, step) in enumerate(self._listed):
            path = _compile(order, pattern, step)
            word = next((each for each in reversed(path.segments) if each != "*"), "*")
            self._by_word.setdefault(word, []).append(path)
        self._of_name = lru_cache(_CACHED)(self._step_of_name)

    def with_paths(self, paths: Mapping[str, Step]) -> "StepMap":
        """Give a map in which a shop's own patterns come first; a step of NONE takes a path out of the purchase."""
        own = StepMap({}, (*paths.items(), *self._listed))
        own._events = self._events
        return own

    def step_of(self, name: str | None, method: str | None, path: str | None) -> Step:
        """Tell the step of an event name or route, and of a path. NONE: no part of a purchase."""
        if method and method.upper() in _NO_STEP_METHODS:
            return Step.NONE
        if name:
            step = self._of_name(name[:_LONGEST_PATH])
            if step is not None:
                return step
        return self._step_of_path(path) or Step.NONE if path else Step.NONE

    def _step_of_name(self, name: str) -> Step | None:
        step = self._events.get(normal_name(name))
        if step is None and "/" in name:
            # A route template, perhaps with its method: `POST /checkout/{id}/payment`.
            step = self._step_of_path(name[name.index("/") :])
        return step

    def _step_of_path(self, path: str) -> Step | None:
        segments = [each for each in path[:_LONGEST_PATH].lower().split("/", _MOST_SEGMENTS) if each]
        best: _Path | None = None
        for word in ("*", *dict.fromkeys(segments)):
            for pattern in self._by_word.get(word, ()):
                if (best is None or pattern.order < best.order) and _fits(pattern, segments):
                    best = pattern
        return best.step if best else None


def _compile(order: int, pattern: str, step: Step) -> _Path:
    segments = [each for each in pattern.lower().split("/") if each]
    floats, goes_on = segments[:1] == ["**"], len(segments) > 1 and segments[-1] == "**"
    return _Path(order, tuple(segments[floats : len(segments) - goes_on]), floats, goes_on, step)


def _fits(pattern: _Path, segments: list[str]) -> bool:
    wanted = pattern.segments
    room = len(segments) - len(wanted)
    if room < 0 or (room and not pattern.floats and not pattern.goes_on):
        return False
    first, last = (0 if pattern.goes_on else room), (room if pattern.floats else 0)
    return any(
        all(want in ("*", segment) for want, segment in zip(wanted, segments[start:], strict=False))
        for start in range(first, last + 1)
    )


def read_steps(text: str, file: str) -> tuple[StepMap | None, list[Problem]]:
    """Read the step map from the text of its file: the map, or every mistake."""
    written, problems = read(text, file, StepFile)
    if written is None:
        return None, problems
    events = {name: step for step, names in written.events.items() for name in names}
    return StepMap(events, [(each.path, each.step) for each in written.paths]), problems
