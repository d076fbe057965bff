"""What a body asks for, as far as it tells the step of a purchase: read lazily, and only where a path says so."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote_plus

import msgspec

from topics.flow import Step
from topics.observation import Media, Observation

_MOST_BYTES = 1 << 20
_MOST_TEXT = 16_384
"""Characters of a GraphQL document that are looked at: root fields stand at its beginning."""
_MOST_ITEMS = 50
_LONGEST_QUERY = 4_096
_WORD = re.compile(r"[A-Za-z_]\w*", re.ASCII)


class _Operation(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    query: str | None = None
    operation_name: str | None = None


class _Action(msgspec.Struct, frozen=True, gc=False):
    action: str | None = None


class _Update(msgspec.Struct, frozen=True, gc=False):
    actions: list[_Action] = msgspec.field(default_factory=list)


_OPERATIONS = msgspec.json.Decoder(_Operation | list[_Operation])
_UPDATE = msgspec.json.Decoder(_Update)
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])


class BodySteps:
    """Steps by what bodies ask for. Of several the furthest counts."""

    def __init__(
        self,
        *,
        operations: Mapping[str, Step],
        actions: Mapping[str, Step],
        members: Mapping[str, Step],
        wrappers: frozenset[str],
        rank: Mapping[Step, int],
    ) -> None:
        self._operations = operations
        self._actions = actions
        self._members = members
        self._wrappers = wrappers
        self._rank = rank

    def of_operations(self, body: bytes) -> Step:
        """Tell the step of a GraphQL request, by the names in its document, else by the name of its operation."""
        found = _decoded(_OPERATIONS, body)
        if found is None:
            return Step.NONE
        step = Step.NONE
        for each in found[:_MOST_ITEMS] if isinstance(found, list) else [found]:
            words = _WORD.findall(each.query[:_MOST_TEXT]) if each.query else [each.operation_name or ""]
            step = self._furthest(step, words, self._operations)
        return step

    def of_actions(self, body: bytes) -> Step:
        """Tell the step of an update by its actions."""
        found = _decoded(_UPDATE, body)
        if found is None:
            return Step.NONE
        return self._furthest(Step.NONE, [each.action or "" for each in found.actions[:_MOST_ITEMS]], self._actions)

    def of_members(self, body: bytes) -> Step:
        """Tell how far a checkout has come, by the members that an update has, or that stand in its wrapper."""
        members = _decoded(_OBJECT, body)
        if members is None:
            return Step.NONE
        step = self._furthest(Step.NONE, members, self._members)
        for name in self._wrappers & members.keys():
            inner = _decoded(_OBJECT, members[name])
            if inner is not None:
                step = self._furthest(step, inner, self._members)
        return step

    def _furthest(self, step: Step, words: Any, known: Mapping[str, Step]) -> Step:
        for word in words:
            other = known.get(word)
            if other is not None and self._rank[other] > self._rank[step]:
                step = other
        return step


def body_of(observation: Observation) -> bytes | None:
    """Give the body of a request as JSON, if it has one within the budget."""
    for part in observation.parts:
        if part.path != "query" and part.media is not Media.FORM and len(part.data) <= _MOST_BYTES:
            return part.data
    return None


def parameters_of(observation: Observation, marks: tuple[bytes, ...]) -> Iterator[tuple[str, str]]:
    """Give the parameters of the query, if one of the marks stands in it."""
    for part in observation.parts:
        if part.path == "query" and part.media is Media.FORM and any(mark in part.data for mark in marks):
            for piece in part.data[:_LONGEST_QUERY].decode("utf-8", "replace").split("&"):
                name, _, value = piece.partition("=")
                yield unquote_plus(name), unquote_plus(value)


def _decoded(decoder: Any, data: bytes | msgspec.Raw) -> Any:
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
