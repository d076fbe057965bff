"""Why fields were found or not: what names, values and neighbours said, for `privacy-monitor explain`. Holds no value."""

import re
from collections.abc import Iterator
from typing import Any

from detectors.classify.fields import Budget, explain_fields
from detectors.classify.taxonomy import Taxonomy
from topics.observation import Observation
from topics.sanitise import sanitise_path

_MOST = 200
_WORD = re.compile(r"[$\w-]+")
_LONGEST_NAME = 256


def words_of(name: str, taxonomy: Taxonomy) -> str:
    """Give the name of an event or a route with `*` for each word that schemas do not have: it may name a person (`Invite Kruppert`)."""
    read = taxonomy.keys.read
    return sanitise_path(_WORD.sub(lambda match: read(match.group()).word, name[:_LONGEST_NAME]))


def evidence(seen: Observation, taxonomy: Taxonomy) -> list[dict[str, Any]]:
    """Give every word that was said on a field, what was found first."""
    told = [each for part in seen.parts for each in explain_fields(part, Budget(), taxonomy)[1]]
    return [
        {
            "path": sanitise_path(each.path),
            "category": each.category,
            "by": each.recognizer,
            "found": each.found,
            "confidence": each.confidence,
            "why": each.why,
        }
        for each in sorted(told, key=lambda each: not each.found)[:_MOST]
    ]


def evidence_lines(told: list[dict[str, Any]]) -> Iterator[str]:
    """Write it for people."""
    if told:
        yield "EVIDENCE"
    for each in told:
        outcome = "found" if each["found"] else "not found"
        yield f"  {each['path']}: {each['category']} {outcome} by {each['by']} ({each['why']})"
