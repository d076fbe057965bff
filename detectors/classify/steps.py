"""Which step of the purchase a record belongs to: by event name, path, query, and what its body asks for."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, NamedTuple

from pydantic import Field as Bounded
from pydantic import model_validator

from detectors.classify.recipients import normal_name
from detectors.classify.step_bodies import BodySteps, body_of, parameters_of
from detectors.documents import Problem, Written, read
from topics.flow import Step
from topics.observation import Kind, Observation

Pattern = Annotated[str, Bounded(pattern=r"^(\*\*|)/[^*/]+|^(\*\*|)/\*/", max_length=200)]
Names = dict[Step, tuple[str, ...]]

_LONGEST_PATH = 1_024
_MOST_SEGMENTS = 24
_CACHED = 8_192
_REMEMBERED = 128
"""Characters of a path whose pattern is remembered."""
_NO_STEP_METHODS = frozenset({"OPTIONS", "HEAD", "TRACE", "CONNECT"})


class Reads(StrEnum):
    """What of a body tells the step."""

    NOTHING = ""
    OPERATIONS = "operations"
    """The operation or the root fields of GraphQL."""
    ACTIONS = "actions"
    """The actions of an update."""
    MEMBERS = "members"
    """Which members the object has."""


class WrittenPattern(Written):
    """A path pattern, its step, and whether the body may tell a further one."""

    path: Pattern
    step: Step = Step.NONE
    reads: Reads = Reads.NOTHING


class WrittenPlatform(Written):
    """The names of one platform."""

    name: str
    source: Annotated[str, Bounded(min_length=8)]
    events: Names = Bounded(default_factory=dict)
    operations: Names = Bounded(default_factory=dict)
    actions: Names = Bounded(default_factory=dict)
    parameters: dict[str, dict[str, Step]] = Bounded(default_factory=dict)
    paths: tuple[WrittenPattern, ...] = ()


class StepFile(Written):
    """What stands in steps.yaml."""

    order: tuple[Step, ...]
    members: Names
    wrappers: tuple[str, ...]
    platforms: tuple[WrittenPlatform, ...]

    @model_validator(mode="after")
    def _says_each_thing_once(self) -> "StepFile":
        wrong = [f"order lacks {step.value}" for step in Step if step is not Step.NONE and step not in self.order]
        for group in ("events", "operations", "actions"):
            first: dict[str, tuple[Step, str]] = {}
            for platform in self.platforms:
                for step, names in getattr(platform, group).items():
                    for name in names:
                        key = normal_name(name) if group == "events" else name
                        earlier = first.setdefault(key, (step, platform.name))
                        if earlier[0] is not step:
                            wrong.append(f"{platform.name}: {group}: {name} is {earlier[0].value} of {earlier[1]}")
        if wrong:
            raise ValueError("; ".join(wrong))
        return self


class _Path(NamedTuple):
    order: int
    segments: tuple[str, ...]
    floats: bool
    """Anything may stand before it."""
    goes_on: bool
    """Anything may stand behind it."""
    step: Step
    reads: Reads


class _Paths:
    """Patterns in order: the first that fits counts."""

    def __init__(self, listed: Iterable[tuple[str, Step, Reads]]) -> None:
        # A path is compared only with the patterns whose rarest word it has.
        self._by_word: dict[str, list[_Path]] = {}
        for order, (pattern, step, reads) in enumerate(listed):
            path = _compile(order, pattern, step, reads)
            word = next((each for each in reversed(path.segments) if each != "*"), "*")
            self._by_word.setdefault(word, []).append(path)
        # Most paths are those of a shop's pages, over and over; long ones are hostile or of one person alone.
        self._remembered = lru_cache(_CACHED)(self._first)

    def first(self, path: str) -> _Path | None:
        """Give the first pattern that a path fits."""
        return self._remembered(path) if len(path) <= _REMEMBERED else self._first(path)

    def _first(self, path: str) -> _Path | None:
        segments = [each for each in path[:_LONGEST_PATH].lower().split("/", _MOST_SEGMENTS) if each]
        best: _Path | None = None
        for word in ("*", *dict.fromkeys(segments)):
            for pattern in self._by_word.get(word, ()):
                if (best is None or pattern.order < best.order) and _fits(pattern, segments):
                    best = pattern
        return best


class StepMap:
    """Steps by all that tells them, in the order that steps.yaml states. Values do not change."""

    def __init__(self, file: StepFile, own: Mapping[str, Step] | None = None) -> None:
        self._file = file
        own = own or {}
        patterns = {each: step for each, step in own.items() if _is_pattern(each)}
        self._own = _Paths([(pattern, step, Reads.NOTHING) for pattern, step in patterns.items()]) if patterns else None
        self._events = {
            normal_name(name): step
            for platform in file.platforms
            for step, names in platform.events.items()
            for name in names
        } | {normal_name(name): step for name, step in own.items() if name not in patterns}
        self._paths = _Paths(
            [(each.path, each.step, each.reads) for platform in file.platforms for each in platform.paths]
        )
        listed = (each for platform in file.platforms for each in platform.paths)
        self.words = frozenset(
            word
            for pattern in (*patterns, *(each.path for each in listed))
            for word in pattern.lower().split("/")
            if "*" not in word and word
        )
        """Segments of paths that the patterns name."""
        self._parameters: dict[str, dict[str, Step]] = {}
        for platform in file.platforms:
            for name, values in platform.parameters.items():
                self._parameters.setdefault(name, {}).update(values)
        self.marks = tuple(f"{name}=" for name in self._parameters)
        """What stands in every query that may tell a step."""
        self._marks = tuple(mark.encode() for mark in self.marks)
        self._rank = {step: rank for rank, step in enumerate(file.order, 1)} | {Step.NONE: 0}
        self._bodies = BodySteps(
            operations=_merged(platform.operations for platform in file.platforms),
            actions=_merged(platform.actions for platform in file.platforms),
            members=_merged([file.members]),
            wrappers=frozenset(file.wrappers),
            rank=self._rank,
        )
        self._of_name = lru_cache(_CACHED)(self._step_of_name)

    def with_own(self, own: Mapping[str, Step]) -> "StepMap":
        """Give a map in which a shop's own patterns of paths and names of events come first.

        A step of NONE takes a path or an event out of the purchase.
        """
        return StepMap(self._file, own)

    def of(self, observation: Observation) -> Step:
        """Tell the step of a record. NONE: no part of a purchase."""
        name, method, path = observation.name, observation.method, observation.path
        if method and method.upper() in _NO_STEP_METHODS:
            return Step.NONE
        own = self._own.first(path) if self._own is not None and path else None
        # The page of an event is where it happened; its name says what did.
        if own is not None and observation.kind is Kind.REQUEST:
            return own.step
        if name:
            step = self._of_name(name[:_LONGEST_PATH])
            if step is not None:
                return step
        if own is not None or not path:
            return own.step if own is not None else Step.NONE
        pattern = self._paths.first(path)
        if pattern is not None and pattern.reads is not Reads.NOTHING:
            read = self._of_body(pattern.reads, observation)
            # Members only show how far it has come; an operation or an action says what was asked for.
            if read is not Step.NONE:
                return max(read, pattern.step, key=self._rank.__getitem__)
        asked = self._of_query(observation)
        if asked is not None:
            return asked
        return pattern.step if pattern is not None else Step.NONE

    def step_of(self, name: str | None, method: str | None, path: str | None) -> Step:
        """Tell the step of an event name or route, and of a path, without query and body."""
        return self.of(Observation(item=0, kind=Kind.REQUEST, source="", name=name, method=method, path=path))

    def may_be(self, name: str | None, method: str | None, path: str) -> bool:
        """Tell whether a record may be part of a purchase, whatever its kind and its body; `marks` tell of its query."""
        if method and method.upper() in _NO_STEP_METHODS:
            return False
        pattern = self._paths.first(path) if path else None
        if pattern is not None and pattern.reads is not Reads.NOTHING:
            return True
        own = self._own.first(path) if self._own is not None and path else None
        if own is not None and own.step is not Step.NONE:
            return True
        named = self._of_name(name[:_LONGEST_PATH]) if name else None
        if named is not None:
            return named is not Step.NONE
        return own is None and pattern is not None and pattern.step is not Step.NONE

    def _of_body(self, reads: Reads, observation: Observation) -> Step:
        body = body_of(observation)
        if body is None:
            return Step.NONE
        if reads is Reads.OPERATIONS:
            return self._bodies.of_operations(body)
        return self._bodies.of_actions(body) if reads is Reads.ACTIONS else self._bodies.of_members(body)

    def _of_query(self, observation: Observation) -> Step | None:
        for name, value in parameters_of(observation, self._marks):
            step = self._parameters.get(name, {}).get(value)
            if step is not None:
                return step
        return None

    def _step_of_name(self, name: str) -> Step | None:
        step = self._events.get(normal_name(name))
        if step is None and "/" in name:
            # A route template, perhaps with its method: `POST /checkout/{id}/payment`.
            template = name[name.index("/") :]
            own = self._own.first(template) if self._own is not None else None
            found = own or self._paths.first(template)
            # Where the body may tell more, the path is asked again with the record at hand.
            step = found.step if found is not None and found.reads is Reads.NOTHING else None
        return step


def _is_pattern(name: str) -> bool:
    return name.startswith(("/", "**/"))


def _merged(groups: Iterable[Names]) -> dict[str, Step]:
    return {name: step for group in groups for step, names in group.items() for name in names}


def _compile(order: int, pattern: str, step: Step, reads: Reads) -> _Path:
    segments = [each for each in pattern.lower().split("/") if each]
    floats, goes_on = segments[:1] == ["**"], len(segments) > 1 and segments[-1] == "**"
    return _Path(order, tuple(segments[floats : len(segments) - goes_on]), floats, goes_on, step, reads)


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
    return (None, problems) if written is None else (StepMap(written), problems)
