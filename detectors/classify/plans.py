"""What the keys of an object tell, worked out once for each set of keys and remembered by its hash.

Objects of the same kind come again and again: knowing which of their members are named, which are text and which hold more leaves
little to do for each one.
"""

from collections.abc import Callable
from operator import itemgetter
from typing import Any

from detectors.classify.keys import Key, KeyReader, words

_REMEMBERED = 4_096
_VIEWS = 64
_BOTH_AXES = 3


class View:
    """An object's members by the types of their values and the contexts around them: indexes only, no key and no value."""

    __slots__ = ("containers", "floats", "integers", "named", "strings", "take", "texts")

    def __init__(self, keys: tuple[Key, ...], types: tuple[type, ...], context: int, around: int) -> None:
        scalars = [index for index, kind in enumerate(types) if kind is str or kind is int or kind is float]
        telling = frozenset(index for index in scalars if _can_tell(keys[index], around | keys[index].own, context))
        self.named = tuple(
            (
                index,
                keys[index],
                around | keys[index].own,
                hash((keys[index].ident, around | keys[index].own, context, types[index])),
            )
            for index in scalars
            if index in telling
        )
        """Members whose name tells something here: their index, key, contexts, and a hash of all that speaks beside the value."""
        self.texts = tuple(index for index in scalars if types[index] is str and index not in telling)
        self.take: Callable[[tuple[Any, ...]], tuple[Any, ...]] | None = None
        """Takes all texts out of the values at once (two and more)."""
        if len(self.texts) > 1:
            self.take = itemgetter(*self.texts)
        self.integers = tuple(index for index in scalars if types[index] is int and index not in telling)
        self.floats = tuple(index for index in scalars if types[index] is float)
        self.containers = tuple(
            (index, keys[index], keys[index].within(context), around | keys[index].own)
            for index, kind in reversed([*enumerate(types)])
            if kind is dict or kind is list
        )
        """From the last to the first: the walk takes the last that was put down."""
        self.strings = sum(kind is str for kind in types)


def _can_tell(key: Key, context: int, above: int) -> bool:
    """Tell whether the circumstances let a name tell anything, whatever the value."""
    return any(
        not (meaning.near and not meaning.near & context)
        and not meaning.not_near & context
        and not meaning.not_in & (above | key.over)
        for meaning in key.meanings
    )


class Plan:
    """What the keys of an object tell, whatever its values."""

    __slots__ = ("beside", "held", "keys", "named_value", "pair", "rare", "value", "views")

    def __init__(self, keys: tuple[Key, ...]) -> None:
        self.keys = keys
        self.beside = tuple((index, key.beside) for index, key in enumerate(keys) if key.beside)
        """Members that give their siblings a context, with its bits."""
        self.held = tuple(index for index, key in enumerate(keys) if key.holds)
        """Members whose key itself is personal data."""
        axes = [key.axis for key in keys]
        self.pair = (axes.index(1), axes.index(2)) if sum({*axes}) == _BOTH_AXES else None
        """Where latitude and longitude stand."""
        self.value = _only(keys, _VALUES)
        """Where the value stands of an object that is a value with something beside it: `{value: Jane, updatedAt: ...}`; -1: nowhere."""
        self.named_value = _only(keys, _NAMES) if self.value >= 0 and len(keys) <= _MOST_BESIDE else -1
        """Where the name stands of `{name: firstname, value: Jane}`; -1: nowhere."""
        self.rare = bool(self.held) or self.pair is not None or self.value >= 0
        self.views: dict[tuple[tuple[type, ...], int, int], View] = {}
        """By types, contexts above, and contexts around."""

    def view(self, types: tuple[type, ...], context: int, around: int) -> View:
        """Work out the view for these types of values."""
        if len(self.views) >= _VIEWS:
            self.views.clear()
        view = self.views[types, context, around] = View(self.keys, types, context, around)
        return view


_VALUES = frozenset({"value", "fieldvalue", "attributevalue", "settingvalue", "idvalue", "text"})
_NAMES = frozenset(
    {
        "idtype",
        "name",
        "key",
        "field",
        "fieldname",
        "fieldid",
        "attribute",
        "attributecode",
        "attributename",
        "property",
        "propertyname",
        "settingname",
        "code",
        "id",
    }
)
_MOST_BESIDE = 6
"""Members of the largest object that is read as a name and its value."""


def _only(keys: tuple[Key, ...], wanted: frozenset[str]) -> int:
    """Give the first of the keys whose words are wanted; -1 where none is."""
    return next((index for index, key in enumerate(keys) if "".join(words(key.word)) in wanted), -1)


class Plans:
    """Plans by Python's own hash of the keys, which is salted anew in every process: no key is kept."""

    def __init__(self, keys: KeyReader) -> None:
        self._read = keys.read
        self.known: dict[int, Plan] = {}
        """To be asked first, by the hash of the tuple of keys."""

    def of(self, keys: tuple[str, ...]) -> Plan:
        """Give the plan for these keys."""
        ident = hash(keys)
        plan = self.known.get(ident)
        if plan is None:
            plan = Plan(tuple(map(self._read, keys)))
            if len(keys) <= _LARGEST:
                if len(self.known) >= _REMEMBERED:
                    self.known.clear()
                self.known[ident] = plan
        return plan


_LARGEST = 64
"""Members of the largest object that is remembered."""
