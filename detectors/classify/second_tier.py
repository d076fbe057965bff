"""What may read free text after the search: slower, with a language model where there is one, and never in its way."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

DEADLINE = "deadline"
"""The second tier did not answer in time, or its share of time was used up: the outcome is `unknown`, never clean."""
STARTING = "second-tier-starting"
"""The second tier is not ready yet."""


class Answer(NamedTuple):
    """What the second tier found."""

    found: tuple[tuple[int, str], ...] = ()
    """Index of the text, and a category of the taxonomy."""
    unknown: str = ""
    """Why it did not answer; empty when it did."""


class SecondTier(Protocol):
    """Reads texts under a deadline of its own."""

    def read(self, texts: Sequence[str]) -> Answer:
        """Read texts. Never raises, and never takes longer than its deadline."""
        ...
