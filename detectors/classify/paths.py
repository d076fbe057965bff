"""Shapes of paths that give a tracker away, whatever the host: looked up by the segments of a path."""

from collections.abc import Sequence
from typing import Annotated, NamedTuple

from pydantic import Field as Bounded
from pydantic import field_validator, model_validator

from detectors.documents import Written
from topics.flow import PURPOSES

_LONGEST_PATH = 2_048
_MOST_SEGMENTS = 32
_SHORTEST_STEM = 3


class WrittenPath(Written):
    """A path that gives a tracker away behind any host."""

    path: Annotated[str, Bounded(pattern=r"^(\*/|/)[A-Za-z0-9_-][A-Za-z0-9._/-]*(/?\*)?$")]
    query: tuple[str, ...] = ()
    """Parameters that the query must have."""
    recipient: str = ""
    purpose: str = ""
    """Purpose, where the shape does not tell whose software it is."""

    @field_validator("purpose")
    @classmethod
    def _is_known_purpose(cls, purpose: str) -> str:
        if purpose and purpose not in PURPOSES:
            raise ValueError(f"unknown purpose; one of: {', '.join(sorted(PURPOSES))}")
        return purpose

    @model_validator(mode="after")
    def _tells_one_thing(self) -> "WrittenPath":
        if bool(self.recipient) == bool(self.purpose):
            raise ValueError("needs either a recipient or a purpose")
        if self.path.endswith("*") and not self.path.endswith("/*") and len(_last(self.path)) < _SHORTEST_STEM:
            raise ValueError(f"a name that goes on needs {_SHORTEST_STEM} characters before the star")
        return self


class _Shape(NamedTuple):
    written: WrittenPath
    needle: str
    """Lower case, with a slash at both ends; of a name that goes on, without the last one."""
    floats: bool
    goes_on: bool
    """Anything may follow."""


class PathShapes:
    """All shapes, by the last segment that they fix: a path is cut once, and only shapes that can fit are tried."""

    def __init__(self, written: Sequence[WrittenPath]) -> None:
        self._whole: dict[str, list[_Shape]] = {}
        self._stems: dict[str, list[_Shape]] = {}
        for each in written:
            stem = each.path.endswith("*") and not each.path.endswith("/*")
            bare = each.path.strip("*").strip("/").lower()
            shape = _Shape(
                each, f"/{bare}" if stem else f"/{bare}/", each.path.startswith("*"), each.path.endswith("*")
            )
            last = _last(each.path)
            if stem:
                self._stems.setdefault(last[:_SHORTEST_STEM], []).append(shape)
            else:
                self._whole.setdefault(last, []).append(shape)

    def lookup(self, path: str, query: str) -> WrittenPath | None:
        """Give the first shape that a path has, or None."""
        if not path or len(path) > _LONGEST_PATH:
            return None
        whole = f"/{path.strip('/').lower()}/"
        segments = whole.split("/", _MOST_SEGMENTS)
        for segment in segments:
            for shape in self._whole.get(segment, ()):
                if _fits(shape, whole) and has_parameters(query, shape.written.query):
                    return shape.written
        for shape in self._stems.get(segments[-2][:_SHORTEST_STEM], ()):
            if f"/{segments[-2]}/".startswith(f"/{_last(shape.needle)}") and has_parameters(query, shape.written.query):
                return shape.written
        return None


def has_parameters(query: str, names: Sequence[str]) -> bool:
    """Tell whether a query has all parameters of these names."""
    if not names:
        return True
    marked = f"&{query[:_LONGEST_PATH].removeprefix('?')}"
    return all(f"&{name}=" in marked for name in names)


def _fits(shape: _Shape, whole: str) -> bool:
    if shape.goes_on:
        return shape.needle in whole if shape.floats else whole.startswith(shape.needle)
    return whole.endswith(shape.needle) if shape.floats else whole == shape.needle


def _last(path: str) -> str:
    return path.strip("*").strip("/").lower().rpartition("/")[2]
