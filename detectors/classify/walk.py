"""The walk through a document: what names tell is found, what they do not explain is collected."""

from typing import Any

from detectors.classify.budget import Budget
from detectors.classify.encodings.opened import OVER_BUDGET
from detectors.classify.findings import Findings
from detectors.classify.keys import Key
from detectors.classify.memory import NOTHING, TO_BE_READ, Told
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

    __slots__ = (
        "_budget", "_business", "_findings", "_memory", "_plans", "_read", "free", "leaves", "left", "members", "rounded", "seen", "strings", "texts",
    )  # fmt: skip

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
        self._business = taxonomy.business
        self._plans = taxonomy.plans
        self._read = taxonomy.keys.read
        self._memory = taxonomy.memory
        self._findings = findings

    def through(self, document: Any, root: Place) -> None:  # noqa: C901, PLR0912, PLR0915 - calls for each object would cost as much again
        """Walk through a document."""
        plans, known, names = self._plans, self._plans.known, self._memory.names
        tracing = self._findings.trace is not None
        left, deepest = self.left, self._budget.depth
        waiting: list[tuple[Any, Place]] = [(document, root)]
        while waiting:
            value, place = waiting.pop()
            if left <= 0 or place.depth > deepest:
                if value:
                    self._findings.blind.add(OVER_BUDGET)
                continue
            if type(value) is not dict:
                if isinstance(value, list):
                    left = self._array(value, place, waiting, left)
                    continue
                if not isinstance(value, dict):
                    self._element(value, place)
                    continue
            keys = tuple(value)
            values = tuple(value.values())
            self.members += len(keys)
            left -= len(keys)
            if left < 0:
                self._findings.blind.add(OVER_BUDGET)
                keys, values = keys[:left], values[:left]
            plan = known.get(hash(keys)) or plans.of(keys)
            types = tuple(map(type, values))
            # What stands beside a field tells as much as what stands above it: `state` beside `city` is a place.
            context = around = place.context
            for index, bits in plan.beside:
                member = values[index]
                if member and member is not True:
                    around |= bits
            view = plan.views.get((types, context, around)) or plan.view(types, context, around)
            self.strings += view.strings
            if plan.rare:
                self._rare(values, plan, place, around)
            for index, key, near, base in view.named:
                member = values[index]
                told = names.get(hash((base, member if type(member) is str else str(member))))
                if told is None or tracing:
                    told = self._decide(member, key, place, near, context, base)
                if told.category:
                    self._findings.add(place.path(key.word), told.category, told.shape)
                elif told is not NOTHING:
                    self._left(member, key, place, near, context, key.word)
            if view.take is not None:
                self.texts += view.take(values)
                self.seen.append((values, plan, view, place, around))
            elif view.texts:
                self.texts.append(values[view.texts[0]])
                self.seen.append((values, plan, view, place, around))
            for index in view.integers:
                if values[index] >= _LARGE:
                    key = plan.keys[index]
                    self.leaves.append(Leaf(str(values[index]), place, key, key.word, around | key.own, context))
            for index in view.floats:
                if not -_ROUNDED < values[index] < _ROUNDED:
                    self.rounded = True
            for index, key, inner, near in view.containers:
                member = values[index]
                if member:
                    waiting.append(
                        (member, Place(place, key.word, inner, key, near, context, place.depth + 1, place.layers))
                    )
        self.left = left

    def _array(self, value: list[Any], place: Place, waiting: list[tuple[Any, Place]], left: int) -> int:
        key = place.key
        numbers = value if len(value) == 2 else ()  # longitude and latitude
        inside = Place(place, "[]", place.context, key, place.around, place.above, place.depth + 1, place.layers)
        if (
            numbers
            and key is not None
            and any(each.category == LOCATION for each in key.meanings)
            and _is_pair(numbers)
        ):
            self._findings.add(inside.path(), LOCATION, "")
        if len(value) > left:
            self._findings.blind.add(OVER_BUDGET)
            value = value[: max(left, 0)]
        for member in reversed(value):
            if type(member) is dict or isinstance(member, dict | list):
                waiting.append((member, inside))
            else:
                self._element(member, inside)
        return left - len(value)

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
            context = place.around | key.own
            base = hash((key.ident, context, place.above, type(value)))
            told = self._memory.names.get(hash((base, value if type(value) is str else str(value))))
            if told is None or self._findings.trace is not None:
                told = self._decide(value, key, place, context, place.above, base)
            if told.category:
                self._findings.add(place.path(), told.category, told.shape)
            elif told is not NOTHING:
                self._left(value, key, place, context, place.above, "")
        elif isinstance(value, str):
            self.leaves.append(Leaf(value, place, key, "", place.around, place.above))
        elif isinstance(value, int) and value >= _LARGE:
            self.leaves.append(Leaf(str(value), place, key, "", place.around, place.above))

    def _decide(self, value: Any, key: Key, place: Place, context: int, above: int, base: int) -> Told:
        """Work out what a name tells about a value, and remember it."""
        text = text_of(value)
        told = NOTHING
        if text:
            told = what_is_told(text, key, context, above, self._findings, place)
            if told is NOTHING and (key.free or isinstance(value, str) or value >= _LARGE):
                told = TO_BE_READ
        # Not by the hash of a number: it has no salt, so that a sender could make two that share it.
        return self._memory.tell(hash((base, value if type(value) is str else str(value))), told)

    def _left(self, value: Any, key: Key, place: Place, context: int, above: int, word: str) -> None:
        """Keep a value that its name does not explain for others."""
        text = value if isinstance(value, str) else str(value)
        if self._memory.points.get(hash(text), 1):
            self.leaves.append(Leaf(text, place, key, word, context, above))
        if key.free:
            self.free.append(Leaf(text, place, key, word, context, above))

    def _rare(self, values: tuple[Any, ...], plan: Plan, place: Place, around: int) -> None:
        """Find keys that are personal data, values whose name stands elsewhere, and latitude and longitude side by side: one alone tells nothing."""
        for index in plan.held:
            self._findings.add(
                place.path(plan.keys[index].word), EMAIL if plan.keys[index].holds == "email" else CARD, ""
            )
        if 0 <= plan.value < len(values):
            self._value(values, plan, place, around)
        if plan.pair is None or max(plan.pair) >= len(values) or place.context & self._business:
            return
        north, east = plan.pair
        decimals = (is_coordinate(values[north], 90), is_coordinate(values[east], 180))
        if min(decimals) >= 0 and max(decimals) >= _DECIMALS:
            for index in plan.pair:
                self._findings.add(place.path(plan.keys[index].word), LOCATION, "")

    def _value(self, values: tuple[Any, ...], plan: Plan, place: Place, around: int) -> None:
        """Find what the name of a value tells that stands beside it, or above the object that it is in."""
        value = values[plan.value]
        text = text_of(value)
        if not text:
            return
        key, beside = place.key, values[plan.named_value] if 0 <= plan.named_value < len(values) else None
        context, above = place.around, place.above
        if isinstance(beside, str) and self._read(beside).meanings:
            key = self._read(beside)
            context, above = around | key.own, place.context
        if key is None or not key.meanings:
            return
        told = what_is_told(text, key, context, above, self._findings, place)
        if told.category:
            self._findings.add(place.path(plan.keys[plan.value].word), told.category, told.shape)


def what_is_told(text: str, key: Key, context: int, above: int, findings: Findings, place: Place) -> Told:
    """Give what a name tells about a text, or nothing."""
    told = NOTHING
    for meaning in key.meanings:
        category, why, sure = meaning.category, "the name tells it and the value passes", 0.95
        if (
            (meaning.near and not meaning.near & context)
            or meaning.not_near & context
            or meaning.not_in & (above | key.over)
        ):
            why, sure = "the name tells it only near something else, or means something else here", 0.0
        elif meaning.hashed and is_hash(text):
            category, why = meaning.hashed, "the name tells it, the value is a hash"
            told = Told(category)
        elif not meaning.personal:
            why, sure = "a name for free text: what stands in it decides", 0.0
        elif meaning.check(text):
            told = Told(category, "" if meaning.hidden else shape(text))
        else:
            why, sure = "the name tells it, the value does not look like it or fails its check", 0.0
        if findings.trace is not None:
            findings.tell(place.path(key.word), category, meaning.tells, why, sure)
        if told is not NOTHING:
            break
    return told


def _is_pair(numbers: Any) -> bool:
    """Tell two numbers that are longitude and latitude, in either order."""
    decimals = [is_coordinate(each, 180) for each in numbers]
    return min(decimals) >= 0 and max(decimals) >= _DECIMALS
