"""Fields that hold personal data, found by name and by look of the value, under a fixed budget.

A JSON object may repeat a key; the last one counts, as for most readers. XML and other markup are searched as text.
"""

from itertools import islice
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

import msgspec
import orjson

from detectors.classify.checks import CHECKS
from detectors.classify.keys import Key
from detectors.classify.taxonomy import CARD, EMAIL, HASHED, LOCATION, Taxonomy
from detectors.classify.values import (
    find_card,
    find_email,
    is_coordinate,
    is_hash,
    looks_like_card,
    shape,
    text_of,
)
from topics.flow import Field
from topics.observation import Media, Part

SYNTAX = "syntax"
OVER_BUDGET = "over-budget"
TRUNCATED = "truncated"
MARKUP = "markup"
"""XML or HTML: its names are not read."""

_DECIMALS = 3
"""Decimals from which a coordinate is precise: a thousandth of a degree is about 110 metres."""
_SMALLEST_CARD = 10**13
_BOTH_AXES = 1 | 2
_OPENINGS = 2
"""How often JSON inside of a string is opened."""
_SHAPELESS = frozenset({"adid", "agent", "coordinates", "cvv", "hash", "id", "ip", "secret"})
"""Checks whose values are too secret for even a shape, or whose shape would tell a responder nothing."""


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """How much of one part is looked at. Counts, not time, so that the same bytes always give the same answer."""

    bytes: int = 1 << 20
    text_bytes: int = 1 << 16
    """Of a part that is searched as text."""
    nodes: int = 20_000
    depth: int = 64
    fields: int = 512


class FieldScan(msgspec.Struct, frozen=True):
    """What was found in one part, and why some of it could not be looked into."""

    fields: tuple[Field, ...] = ()
    uninspectable: tuple[str, ...] = ()
    """`syntax`, `over-budget`, `truncated`; sorted, distinct."""


def find_fields(part: Part, budget: Budget, taxonomy: Taxonomy) -> FieldScan:
    """Find the fields of a part that hold personal data. Never raises, whatever the bytes."""
    if not part.data:
        return FieldScan()
    search = _Search(budget, taxonomy)
    if len(part.data) > budget.bytes:
        search.blind.add(OVER_BUDGET)
        search.text(part.data, part.path)
    else:
        search.any(part)
    if part.truncated:
        search.blind.discard(SYNTAX)
        search.blind.add(TRUNCATED)
    return FieldScan(
        tuple(Field(path, category, masked) for (path, category), masked in search.found.items()),
        tuple(sorted(search.blind)),
    )


class _Node(NamedTuple):
    """Something still to be looked into."""

    value: Any
    path: str
    context: int
    depth: int
    openings: int
    key: Key | None = None
    """The key that an array stands under: its elements are read as its values."""
    around: int = 0
    """Contexts that hold for such elements: of what stands above and beside the array, and of its own name."""
    above: int = 0
    """Contexts of what stands above the array."""


class _Search:
    def __init__(self, budget: Budget, taxonomy: Taxonomy) -> None:
        self.budget = budget
        self.taxonomy = taxonomy
        self.keys = taxonomy.keys
        self.found: dict[tuple[str, str], str] = {}
        self.blind: set[str] = set()
        self.left = budget.nodes
        self.waiting: list[_Node] = []

    def any(self, part: Part) -> None:
        """Search by what the bytes are; what the sender calls them is believed only where they could be it."""
        start = part.data[:64].lstrip()[:1]
        if start == b"<":
            # Markup has names that we do not read: what has a telling value is found, the rest is not called clean.
            self.blind.add(MARKUP)
            self.text(part.data, part.path)
        elif part.media is Media.FORM and start not in {b"{", b"["}:
            self.form(part)
        elif (part.media is Media.TEXT and start not in {b"{", b"["}) or not self.json(part):
            self.text(part.data, part.path)

    def json(self, part: Part) -> bool:
        """Search JSON; False when it does not parse."""
        try:
            document = orjson.loads(part.data)
        except orjson.JSONDecodeError as error:
            self.blind.add(OVER_BUDGET if "depth" in str(error) else SYNTAX)
            return False
        self._walk(_Node(document, part.path, self._root(part.path), 0, 0))
        return True

    def form(self, part: Part) -> None:
        """Search names and values of a form or a query."""
        pairs: dict[str, list[str]] = {}
        text = part.data.decode("utf-8", "replace")
        pieces = text.split("&", self.left)
        if len(pieces) > self.left:
            self.blind.add(OVER_BUDGET)
            pieces.pop()
        for piece in pieces:
            name, _, value = piece.partition("=")
            pairs.setdefault(unquote_plus(name), []).append(unquote_plus(value))
        document = {name: values[0] if len(values) == 1 else values for name, values in pairs.items()}
        self._walk(_Node(document, part.path, self._root(part.path), 0, 0))

    def text(self, data: bytes, path: str) -> None:
        """Search a text for e-mail addresses and card numbers; it is one field, so one of each is enough."""
        if len(data) > self.budget.text_bytes:
            self.blind.add(OVER_BUDGET)
        self._text(data[: self.budget.text_bytes].decode("utf-8", "replace"), path)

    def _root(self, path: str) -> int:
        return self.keys.read(path.rpartition(".")[2]).inner if path else 0

    def _walk(self, root: _Node) -> None:
        self.waiting.append(root)
        while self.waiting:
            node = self.waiting.pop()
            value = node.value
            if isinstance(value, dict | list):
                self._enter(value, node)
            else:
                self._leaf(value, node, node.key, node.around, node.path)

    def _enter(self, value: Any, node: _Node) -> None:
        if self.left <= 0 or node.depth > self.budget.depth:
            if value:
                self.blind.add(OVER_BUDGET)
        elif isinstance(value, dict):
            self._object(value, node)
        else:
            self._array(value, node)

    def _object(self, value: dict[str, Any], node: _Node) -> None:
        read = self.keys.read
        members = [(read(raw), member) for raw, member in islice(value.items(), self.left)]
        self._spend(len(value))
        # What stands beside a field tells as much as what stands above it: `state` beside `city` is a place.
        context, axes = node.context, 0
        for key, member in members:
            axes |= key.axis
            if key.beside and member and member is not True:
                context |= key.beside
        if axes == _BOTH_AXES:
            self._location(members, node.path)
        inside: list[_Node] = []
        for key, member in members:
            path = f"{node.path}.{key.word}" if node.path else key.word
            if key.holds:
                self._add(path, EMAIL if key.holds == "email" else CARD, "")
            if isinstance(member, dict | list):
                inner = node.context if key.neutral else key.inner
                around = context | key.own
                inside.append(_Node(member, path, inner, node.depth + 1, node.openings, key, around, node.context))
            elif member is not None and member is not True and member is not False:
                self._leaf(member, node, key, context | key.own, path)
        self.waiting.extend(reversed(inside))

    def _array(self, value: list[Any], node: _Node) -> None:
        path = f"{node.path}[]"
        key = node.key
        depth = node.depth + 1
        numbers = value if len(value) == 2 else ()  # longitude and latitude
        if key and any(each.category == LOCATION for each in key.meanings) and _is_pair(numbers):
            self._add(path, LOCATION, "")
        inside: list[_Node] = []
        for member in islice(value, self.left):
            if isinstance(member, dict | list):
                inside.append(_Node(member, path, node.context, depth, node.openings, key, node.around, node.above))
            else:
                self._leaf(member, node, key, node.around, path)
        self._spend(len(value))
        self.waiting.extend(reversed(inside))

    def _spend(self, nodes: int) -> None:
        self.left -= nodes
        if self.left < 0:
            self.blind.add(OVER_BUDGET)

    def _leaf(self, value: Any, node: _Node, key: Key | None, context: int, path: str) -> None:
        above = node.context if isinstance(node.value, dict) else node.above
        if (
            isinstance(value, str)
            and len(value) > 1
            and value[0] in "{["
            and value[-1] in "}]"
            and self._open(value, node, key, context, path)
        ):
            return
        if key and key.meanings and self._named(value, key, context, above, path):
            return
        if isinstance(value, str):
            if "@" in value or "%40" in value:
                mail = find_email(value[: self.budget.text_bytes].replace("%40", "@"))
                if mail and text_of(mail):
                    self._add(path, EMAIL, shape(mail))
            elif (
                14 <= len(value) <= 23 and not (key and key.reference) and looks_like_card(value)
            ):  # digits and separators
                self._add(path, CARD, shape(value))
        elif (
            type(value) is int
            and value >= _SMALLEST_CARD
            and not (key and key.reference)
            and looks_like_card(str(value))
        ):
            self._add(path, CARD, shape(str(value)))

    def _named(self, value: Any, key: Key, context: int, above: int, path: str) -> bool:
        """Find what the name tells, if the circumstances and the value agree."""
        text = text_of(value)
        if not text:
            return False
        for meaning in key.meanings:
            if (meaning.near and not meaning.near & context) or meaning.not_near & context or meaning.not_in & above:
                continue
            hashed = HASHED.get(meaning.category)
            if hashed and is_hash(text):
                self._add(path, hashed, "")
                return True
            if not CHECKS[meaning.check](text):
                continue
            if not self.taxonomy.categories[meaning.category].personal:
                self._text(text, path)
                return True
            self._add(path, meaning.category, "" if meaning.check in _SHAPELESS else shape(text))
            return True
        return False

    def _location(self, members: list[tuple[Key, Any]], path: str) -> None:
        """Find latitude and longitude that stand side by side: one alone tells nothing."""
        north = next(((key.word, member) for key, member in members if key.axis == 1), None)
        east = next(((key.word, member) for key, member in members if key.axis == 2), None)
        if north is None or east is None:
            return
        decimals = (is_coordinate(north[1], 90), is_coordinate(east[1], 180))
        if min(decimals) >= 0 and max(decimals) >= _DECIMALS:
            for word in (north[0], east[0]):
                self._add(f"{path}.{word}" if path else word, LOCATION, "")

    def _open(self, value: str, node: _Node, key: Key | None, context: int, path: str) -> bool:
        """Look into JSON that stands inside of a string; False when it is none, or stands too deep."""
        if node.openings >= _OPENINGS:
            self.blind.add(OVER_BUDGET)
            return False
        try:
            document = orjson.loads(value)
        except ValueError:
            return False
        inner = key.inner if key and not key.neutral else node.context
        self.waiting.append(_Node(document, path, inner, node.depth + 1, node.openings + 1, key, context, node.context))
        return True

    def _text(self, text: str, path: str) -> None:
        mail = find_email(text)
        if mail and text_of(mail):
            self._add(path, EMAIL, shape(mail))
        card = find_card(text)
        if card:
            self._add(path, CARD, shape(card))

    def _add(self, path: str, category: str, masked: str) -> None:
        if len(self.found) >= self.budget.fields and (path, category) not in self.found:
            self.blind.add(OVER_BUDGET)
            return
        self.found.setdefault((path, category), masked)


def _is_pair(numbers: Any) -> bool:
    """Tell two numbers that are longitude and latitude, in either order."""
    if len(numbers) != 2:
        return False
    decimals = [is_coordinate(each, 180) for each in numbers]
    return min(decimals) >= 0 and max(decimals) >= _DECIMALS
