"""The walk through a document: what names tell is found, what they do not explain is collected."""

from typing import Any

from detectors.classify.budget import Budget
from detectors.classify.encodings.opened import OVER_BUDGET
from detectors.classify.findings import Findings
from detectors.classify.keys import Key
from detectors.classify.place import Leaf, Place
from detectors.classify.plans import Plan, View
from detectors.classify.taxonomy import CARD, EMAIL, LOCATION, Taxonomy
from detectors.classify.values import is_coordinate, is_hash, shape, text_of

_DECIMALS = 3
"""Decimals from which a coordinate is precise: a thousandth of a degree is about 110 metres."""
_LARGE = 10**13
"""A smaller number is no card."""
_ROUNDED = float(1 << 63)

Seen = tuple[tuple[Any, ...], Plan, View, Place, int]
"""An object with texts that no name explains: its values, what its keys tell, where it stands, and the contexts beside them."""


class Walk:
    """One way through one document, under the budget of its part."""

    def __init__(self, budget: Budget, taxonomy: Taxonomy, findings: Findings, nodes: int) -> None:
        self.left = nodes
        self.members = 0
        self.strings = 0
        self.rounded = False
        """Whether a number stands there that does not fit 64 bits."""
        self.texts: list[str] = []
        """Texts of `seen`: the most frequent ones, without a place of their own."""
        self.seen: list[Seen] = []
        self.leaves: list[Leaf] = []
        """Other texts that are still to be explained."""
        self.free: list[Leaf] = []
        """Texts under a name for free text."""
        self._budget = budget
        self._taxonomy = taxonomy
        self._findings = findings

    def through(self, document: Any, root: Place) -> None:
        """Walk through a document."""
        waiting: list[tuple[Any, Place]] = [(document, root)]
        while waiting:
            value, place = waiting.pop()
            if self.left <= 0 or place.depth > self._budget.depth:
                if value:
                    self._findings.blind.add(OVER_BUDGET)
            elif isinstance(value, dict):
                self._object(value, place, waiting)
            elif isinstance(value, list):
                self._array(value, place, waiting)
            else:
                self._element(value, place)

    def _object(self, value: dict[str, Any], place: Place, waiting: list[tuple[Any, Place]]) -> None:  # noqa: C901, PLR0912 - one pass over an object: calls would cost as much again
        keys = tuple(value)
        values = tuple(value.values())
        self.members += len(keys)
        self.left -= len(keys)
        if self.left < 0:
            self._findings.blind.add(OVER_BUDGET)
            keys, values = keys[: self.left], values[: self.left]
        plan = self._taxonomy.plans.of(keys)
        types = tuple(map(type, values))
        view = plan.views.get(types) or plan.view(types)
        self.strings += view.strings
        # What stands beside a field tells as much as what stands above it: `state` beside `city` is a place.
        around = place.context
        for index, bits in plan.beside:
            member = values[index]
            if member and member is not True:
                around |= bits
        if plan.pair is not None:
            self._pair(values, plan, place)
        for index in plan.held:
            self._findings.add(
                place.path(plan.keys[index].word), EMAIL if plan.keys[index].holds == "email" else CARD, ""
            )
        for index in view.named:
            self._named(values[index], plan.keys[index], place, around, place.context)
        if view.take is not None:
            self.texts.extend(view.take(values))
            self.seen.append((values, plan, view, place, around))
        elif view.texts:
            self.texts.append(values[view.texts[0]])
            self.seen.append((values, plan, view, place, around))
        for index in view.integers:
            if values[index] >= _LARGE:
                key = plan.keys[index]
                self.leaves.append(Leaf(str(values[index]), place, key, key.word, around | key.own, place.context))
        for index in view.floats:
            if not -_ROUNDED < values[index] < _ROUNDED:
                self.rounded = True
        for index in reversed(view.containers):
            key = plan.keys[index]
            inner = place.context if key.neutral else key.inner
            below = Place(place, key.word, inner, key, around | key.own, place.context, place.depth + 1, place.layers)
            waiting.append((values[index], below))

    def _array(self, value: list[Any], place: Place, waiting: list[tuple[Any, Place]]) -> None:
        key = place.key
        numbers = value if len(value) == 2 else ()  # longitude and latitude
        inside = Place(place, "[]", place.context, key, place.around, place.above, place.depth + 1, place.layers)
        if key is not None and any(each.category == LOCATION for each in key.meanings) and _is_pair(numbers):
            self._findings.add(inside.path(), LOCATION, "")
        if len(value) > self.left:
            self._findings.blind.add(OVER_BUDGET)
            value = value[: max(self.left, 0)]
        self.left -= len(value)
        if {*map(type, value)} == {dict}:
            waiting.extend([(member, inside) for member in reversed(value)])
            return
        for member in reversed(value):
            if isinstance(member, dict | list):
                waiting.append((member, inside))
            else:
                self._element(member, inside)

    def _element(self, value: Any, place: Place) -> None:
        """Look at a scalar of an array, or one that is a whole document."""
        key = place.key
        if isinstance(value, str):
            self.strings += 1
        elif isinstance(value, float) and not -_ROUNDED < value < _ROUNDED:
            self.rounded = True
        if value is None or value is True or value is False:
            return
        if key is not None and key.meanings:
            self._named(value, key, place, place.around, place.above, of_array=True)
        elif isinstance(value, str):
            self.leaves.append(Leaf(value, place, key, "", place.around, place.above))
        elif isinstance(value, int) and value >= _LARGE:
            self.leaves.append(Leaf(str(value), place, key, "", place.around, place.above))

    def _named(self, value: Any, key: Key, place: Place, around: int, above: int, *, of_array: bool = False) -> None:
        """Find what the name tells, if the circumstances and the value agree; keep the text for others where it does not."""
        text = text_of(value)
        if not text:
            return
        context = around | key.own
        word = "" if of_array else key.word
        if explain_name(text, key, place, word, context, above, self._findings):
            return
        leaf = Leaf(text if not isinstance(value, str) else value, place, key, word, context, above)
        if isinstance(value, str):
            self.leaves.append(leaf)
            if any(not each.personal for each in key.meanings):
                self.free.append(leaf)
        elif type(value) is int and value >= _LARGE:
            self.leaves.append(leaf)

    def _pair(self, values: tuple[Any, ...], plan: Plan, place: Place) -> None:
        """Find latitude and longitude that stand side by side: one alone tells nothing."""
        assert plan.pair is not None  # noqa: S101 - said to the type checker
        north, east = plan.pair
        decimals = (is_coordinate(values[north], 90), is_coordinate(values[east], 180))
        if min(decimals) >= 0 and max(decimals) >= _DECIMALS:
            for index in plan.pair:
                self._findings.add(place.path(plan.keys[index].word), LOCATION, "")


def explain_name(  # noqa: PLR0913, PLR0917 - the hottest call
    text: str, key: Key, place: Place, word: str, context: int, above: int, findings: Findings
) -> bool:
    """Find what a name tells about a text; True when it explains it."""
    for meaning in key.meanings:
        if (meaning.near and not meaning.near & context) or meaning.not_near & context or meaning.not_in & above:
            if findings.trace is not None:
                findings.tell(
                    place.path(word),
                    meaning.category,
                    meaning.tells,
                    "the name tells it only near something else, or means something else here",
                )
            continue
        if meaning.hashed and is_hash(text):
            findings.add(place.path(word), meaning.hashed, "")
            if findings.trace is not None:
                findings.tell(place.path(word), meaning.hashed, "hash", "the name tells it, the value is a hash", 0.95)
            return True
        if not meaning.personal:
            continue
        if not meaning.check(text):
            if findings.trace is not None:
                findings.tell(
                    place.path(word),
                    meaning.category,
                    meaning.tells,
                    "the name tells it, the value does not look like it or fails its check",
                )
            continue
        path = place.path(word)
        findings.add(path, meaning.category, "" if meaning.hidden else shape(text))
        if findings.trace is not None:
            findings.tell(path, meaning.category, meaning.tells, "the name tells it and the value passes", 0.95)
        return True
    return False


def _is_pair(numbers: Any) -> bool:
    """Tell two numbers that are longitude and latitude, in either order."""
    if len(numbers) != 2:
        return False
    decimals = [is_coordinate(each, 180) for each in numbers]
    return min(decimals) >= 0 and max(decimals) >= _DECIMALS
