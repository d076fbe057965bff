"""What the keys of an object tell, worked out once for each set of keys and remembered by its hash.

Objects of the same kind come again and again: knowing which of their members are named, which are text and which hold more leaves
little to do for each one.
"""

from collections.abc import Callable
from operator import itemgetter
from typing import Any

from detectors.classify.keys import Key, KeyReader

_REMEMBERED = 4_096
_VIEWS = 16
_BOTH_AXES = 3


class View:
    """An object's members by the types of their values: indexes only, no key and no value."""

    __slots__ = ("containers", "floats", "integers", "named", "strings", "take", "texts")

    def __init__(self, keys: tuple[Key, ...], types: tuple[type, ...]) -> None:
        scalars = [index for index, kind in enumerate(types) if kind is str or kind is int or kind is float]
        self.named = tuple(index for index in scalars if keys[index].meanings)
        self.texts = tuple(index for index in scalars if types[index] is str and not keys[index].meanings)
        self.take: Callable[[tuple[Any, ...]], tuple[Any, ...]] | None = None
        """Takes all texts out of the values at once (two and more)."""
        if len(self.texts) > 1:
            self.take = itemgetter(*self.texts)
        self.integers = tuple(index for index in scalars if types[index] is int and not keys[index].meanings)
        self.floats = tuple(index for index in scalars if types[index] is float)
        self.containers = tuple(index for index, kind in enumerate(types) if kind is dict or kind is list)
        self.strings = sum(kind is str for kind in types)


class Plan:
    """What the keys of an object tell, whatever its values."""

    __slots__ = ("beside", "held", "keys", "pair", "views")

    def __init__(self, keys: tuple[Key, ...]) -> None:
        self.keys = keys
        self.beside = tuple((index, key.beside) for index, key in enumerate(keys) if key.beside)
        """Members that give their siblings a context, with its bits."""
        self.held = tuple(index for index, key in enumerate(keys) if key.holds)
        """Members whose key itself is personal data."""
        axes = [key.axis for key in keys]
        self.pair = (axes.index(1), axes.index(2)) if sum({*axes}) == _BOTH_AXES else None
        """Where latitude and longitude stand."""
        self.views: dict[tuple[type, ...], View] = {}

    def view(self, types: tuple[type, ...]) -> View:
        """Work out the view for these types of values."""
        if len(self.views) >= _VIEWS:
            self.views.clear()
        view = self.views[types] = View(self.keys, types)
        return view


class Plans:
    """Plans by Python's own hash of the keys, which is salted anew in every process: no key is kept."""

    def __init__(self, keys: KeyReader) -> None:
        self._read = keys.read
        self._known: dict[int, Plan] = {}

    def of(self, keys: tuple[str, ...]) -> Plan:
        """Give the plan for these keys."""
        ident = hash(keys)
        plan = self._known.get(ident)
        if plan is None:
            plan = Plan(tuple(map(self._read, keys)))
            if len(keys) <= _LARGEST:
                if len(self._known) >= _REMEMBERED:
                    self._known.clear()
                self._known[ident] = plan
        return plan


_LARGEST = 256
"""Members of the largest object that is remembered."""
