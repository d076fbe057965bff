"""What a recognizer is: how a value of one kind looks, what proves it, and what it must not be taken for."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

SURE = 0.5
"""Confidence from which a field is found."""


class Recognizer(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of value. Evidence is its name, its look, its validator and its neighbours; together they give a confidence."""

    name: str
    """Its id, such as `us-ssn`: shown by explain, never reused."""
    category: str
    """Key of the taxonomy."""
    pattern: str
    """How the whole value looks: the part of the syntax that Python, RE2 and Hyperscan share."""
    gate: str = ""
    """A cheaper pattern over UTF-8 bytes that every such value has in it; empty: `pattern` itself. In JSON a value stands between quotes."""
    has: str = ""
    """Characters that every such value has: asked before the pattern, which takes six times as long."""
    valid: str = "any"
    """Name of its validator: a check digit, a range, an issuer."""
    keys: tuple[str, ...] = ()
    """Names of fields that tell it, in lower case without punctuation."""
    contradicts: tuple[str, ...] = ()
    """Words of a field's name under which such a value is something else."""
    not_in: tuple[str, ...] = ()
    """Contexts above (of the taxonomy) in which a telling name means something else."""
    named: float = 0.95
    """Confidence under a telling name."""
    alone: float = 0.0
    """Confidence under a name that says nothing. 0: never without a name."""
    beside: float = 0.0
    """What is added where a person, an address or a card is described above or beside."""
    within: str = ""
    """Pattern of such a value inside of a longer text; empty: only whole values count."""
    numbers: bool = False
    """Numbers count as well as strings."""
    hidden: bool = False
    """Too secret, or too telling, for even a masked shape."""
    finds: tuple[str, ...] = ()
    """Made-up values that it finds under its name."""
    spares: tuple[str, ...] = ()
    """Values that look alike and are not found, even under its name."""


Validator = Callable[[str], bool]
Table = Mapping[str, tuple[Recognizer, ...]]
"""Recognizers by family: one file, one database of patterns."""


def any_value(_: Any) -> bool:
    """Accept: the pattern says it all."""
    return True
