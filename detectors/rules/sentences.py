"""The sentence that tells a responder why a rule spoke, made from a template and sanitised values."""

import operator
import string
from collections.abc import Callable
from typing import Any

from detectors.assessment import Assessment
from detectors.rules.names import Assessor, readable
from detectors.spelling import suggestion
from topics.sanitise import sanitise

_LISTED = 5


def compile_sentence(template: str, assessor: Assessor) -> tuple[Callable[[Assessment], str] | None, list[str]]:
    """Check a template against the names of its assessor and compile it; or give all its mistakes."""
    names = readable(assessor)
    parts: list[tuple[str, Callable[[Any], Any] | None]] = []
    mistakes: list[str] = []
    try:
        pieces = list(string.Formatter().parse(" ".join(template.split())))
    except ValueError:
        return None, ["a brace stands alone; write {flow.recipient} for a value, and {{ for a brace"]
    for text, name, layout, conversion in pieces:
        if name is None:
            parts.append((text, None))
        elif layout or conversion:
            mistakes.append(f"{{{name}}} takes no format")
        elif name not in names:
            mistakes.append(f"no name {name or '{}'} for rules of this assessor{suggestion(name, names)}")
        else:
            parts.append((text, operator.attrgetter(name)))
    if mistakes:
        return None, mistakes

    def write(facts: Assessment) -> str:
        return "".join([text if get is None else text + words(get(facts)) for text, get in parts])

    return write, []


def words(value: Any) -> str:
    """Put a value of a name into safe words: lists with commas, an empty text as `unknown`."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return sanitise(value) or "unknown"
    if isinstance(value, int):
        return str(value)
    if not value:
        return "none"
    listed = ", ".join(sanitise(each) or "unknown" for each in value[:_LISTED])
    return listed if len(value) <= _LISTED else f"{listed} and {len(value) - _LISTED} more"
