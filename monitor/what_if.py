"""One fact changed: a record and a context as they would be if it were otherwise, for the same judge to judge again."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote_plus

import msgspec
import orjson

from detectors.classify.keys import KeyReader
from detectors.consent.ledger import Choice, Coverage, LedgerView
from topics.observation import Adapter, Media, Observation, Part, Reading
from topics.record import RawRecord

Change = Callable[[Observation], Observation]
_DEEPEST = 64


class Changed:
    """An adapter whose observations of one item are changed after reading."""

    def __init__(self, adapter: Adapter, item: int, change: Change) -> None:
        self.name = adapter.name
        self._adapter = adapter
        self._item = item
        self._change = change

    def read(self, record: RawRecord) -> Reading:
        """Read as the adapter does, and change the one item."""
        return [
            self._change(each) if isinstance(each, Observation) and each.item == self._item else each
            for each in self._adapter.read(record)
        ]


class Overlaid:
    """A ledger with one more choice, of whoever is asked about, or with fewer."""

    def __init__(
        self, ledger: LedgerView, extra: Sequence[Choice] = (), only: Callable[[Choice], bool] = lambda _: True
    ) -> None:
        self.mark = ledger.mark
        self._ledger = ledger
        self._extra = tuple(extra)
        self._only = only

    def coverage(self, broker_ms: int) -> Coverage:
        """Tell the coverage of the ledger below."""
        return self._ledger.coverage(broker_ms)

    def choices(self, subjects: Sequence[str]) -> Sequence[Choice]:
        """Give what the ledger below has, less what is left out, and the extra choice."""
        return [*filter(self._only, self._ledger.choices(subjects)), *self._extra]

    def choices_of(self, people: Sequence[Sequence[str]]) -> Sequence[Sequence[Choice]]:
        """Give the choices of each of many people."""
        return [self.choices(person) for person in people]


def without_signal(path: str) -> Change | None:
    """Give the change that takes a consent signal out of the record; None for a place that cannot be taken out."""
    place, _, name = path.partition(".")
    if place == "headers":
        return lambda seen: msgspec.structs.replace(seen, headers=_less(seen.headers or {}, name))
    if place == "cookies":
        return lambda seen: msgspec.structs.replace(seen, cookies=_without_cookie(seen.cookies or "", name))
    if place == "query":
        return lambda seen: _with_parts(seen, lambda part: _without_parameter(part, name))
    return lambda seen: msgspec.structs.replace(
        seen,
        consent={key: value for key, value in seen.consent.items() if key != path and not path.startswith(f"{key}.")},
    )


def without_fields(paths: frozenset[str], keys: KeyReader) -> Change:
    """Give the change that drops the fields at these paths."""
    return lambda seen: _with_parts(seen, lambda part: _without_fields(part, paths, keys))


def values_at(observation: Observation, paths: frozenset[str], keys: KeyReader) -> Iterator[tuple[str, str]]:
    """Give (path, value) of the fields at these paths, for those who may see them."""
    for part in observation.parts:
        document = _document(part)
        if document is None:
            if part.path in paths:
                yield part.path, part.data.decode("utf-8", "replace")
            continue
        found: list[tuple[str, str]] = []
        _pruned(document, part.path, _Search(paths, keys, found), 0)
        yield from found


def _less(members: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in members.items() if key != name}


def _without_cookie(cookies: str, name: str) -> str:
    kept = (pair for pair in cookies.split(";") if pair.partition("=")[0].strip() != name)
    return ";".join(kept)


def _with_parts(seen: Observation, change: Callable[[Part], Part]) -> Observation:
    return msgspec.structs.replace(seen, parts=tuple(map(change, seen.parts)))


def _without_parameter(part: Part, name: str) -> Part:
    if part.path != "query" or part.media is not Media.FORM:
        return part
    kept = [
        pair
        for pair in part.data.split(b"&")
        if unquote_plus(pair.partition(b"=")[0].decode("utf-8", "replace")) != name
    ]
    return msgspec.structs.replace(part, data=b"&".join(kept))


class _Search(msgspec.Struct):
    paths: frozenset[str]
    keys: KeyReader
    found: list[tuple[str, str]]


_GONE = object()


def _without_fields(part: Part, paths: frozenset[str], keys: KeyReader) -> Part:
    document = _document(part)
    if document is None:
        return msgspec.structs.replace(part, data=b"") if part.path in paths else part
    left = _pruned(document, part.path, _Search(paths, keys, []), 0)
    return msgspec.structs.replace(part, data=b"" if left is _GONE else orjson.dumps(left), media=Media.JSON)


def _document(part: Part) -> Any:
    """Open a part as field search does; None where it is searched as text."""
    if part.media is Media.FORM:
        pairs = (piece.partition("=") for piece in part.data.decode("utf-8", "replace").split("&"))
        return {unquote_plus(name): unquote_plus(value) for name, _, value in pairs}
    if part.media is Media.JSON:
        try:
            return orjson.loads(part.data)
        except orjson.JSONDecodeError:
            return None
    return None


def _pruned(value: Any, path: str, search: _Search, depth: int) -> Any:
    """Give the value without what stands at the paths, and note what stood there. Paths are those of field search."""
    if path in search.paths:
        search.found.append((path, value if isinstance(value, str) else orjson.dumps(value).decode()))
        return _GONE
    if depth > _DEEPEST:
        return value
    if isinstance(value, str) and value[:1] in {"{", "["}:
        return _pruned_text(value, path, search, depth)
    if isinstance(value, dict):
        members = (
            (name, _pruned(member, _below(path, search.keys.read(name).word), search, depth + 1))
            for name, member in value.items()
        )
        return {name: member for name, member in members if member is not _GONE}
    if isinstance(value, list):
        elements = (_pruned(element, f"{path}[]", search, depth + 1) for element in value)
        return [element for element in elements if element is not _GONE]
    return value


def _pruned_text(value: str, path: str, search: _Search, depth: int) -> Any:
    """Look into JSON inside of a string."""
    try:
        inner = orjson.loads(value)
    except orjson.JSONDecodeError:
        return value
    return _pruned(inner, path, search, depth + 1)


def _below(path: str, word: str) -> str:
    return f"{path}.{word}" if path else word
