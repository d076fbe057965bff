"""Where the facts of a law pack were read."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import StringConstraints

from detectors.documents import Written
from detectors.law.fact import Text


class Source(Written):
    """A page, a text or a repository."""

    what: Text
    kind: Literal[
        "official", "regulator", "statute", "law-firm", "secondary", "tracker", "vendor", "press", "vocabulary"
    ]
    """How near to the law it is, nearest first: `statute` and `secondary` quote it."""
    url: Annotated[str, StringConstraints(pattern=r"^(https?://\S+)?$")] = ""


class SourcesFile(Written):
    """All sources, by the key that facts name."""

    sources: Mapping[str, Source]
