"""What spoke for and against a field: for `explain`, and for whoever tunes names and types. Holds no value."""

from collections.abc import Callable

import msgspec


class Evidence(msgspec.Struct, frozen=True):
    """One recognizer's word on one field."""

    path: str
    category: str
    recognizer: str
    """Its name, or the check of the category."""
    found: bool
    confidence: float
    """From 0 to 1; a field is found from 0.5."""
    why: str
    """In plain words: what its name, its value and its neighbours said."""


Trace = Callable[[Evidence], None]
"""Told every word; None where nobody asks, which is the rule."""
