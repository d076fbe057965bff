"""Fields that hold personal data, found by names, values, check digits and neighbours, under a fixed budget.

The search reads names first. What they do not explain is put together and passed once through databases of patterns; only where
these point at something, single values are looked at, and unwrapped where they are wrapped.
"""

import msgspec

from detectors.classify.budget import Budget
from detectors.classify.encodings.opened import OVER_BUDGET
from detectors.classify.evidence import Evidence
from detectors.classify.search import SYNTAX, Search
from detectors.classify.taxonomy import Taxonomy
from topics.flow import Field
from topics.observation import Part

__all__ = ["Budget", "FieldScan", "explain_fields", "find_fields"]

TRUNCATED = "truncated"


class FieldScan(msgspec.Struct, frozen=True):
    """What was found in one part, and why some of it could not be looked into."""

    fields: tuple[Field, ...] = ()
    uninspectable: tuple[str, ...] = ()
    """`syntax`, `over-budget`, `truncated`, `markup`, `repeated-key`, `encoded-too-deep`, `expands-too-much`,
    and of the second tier `deadline` and `second-tier-starting`; sorted, distinct."""


_NOTHING = FieldScan()
_REMEMBERED_BYTES = 2_048
"""Longest part whose result is remembered as a whole."""


def find_fields(part: Part, budget: Budget, taxonomy: Taxonomy) -> FieldScan:
    """Find the fields of a part that hold personal data. Never raises, whatever the bytes."""
    data = part.data
    if not data:
        return _NOTHING
    if len(data) > _REMEMBERED_BYTES or taxonomy.second_tier is not None:
        return _scan(part, Search(budget, taxonomy))
    # The same query, context or empty body comes again and again: 0.6 us where the search takes 20.
    memory = taxonomy.memory
    mark = hash((data, part.path, part.media, part.truncated, budget))
    scan: FieldScan | None = memory.scans.get(mark)
    if scan is None:
        scan = memory.scan(mark, _scan(part, Search(budget, taxonomy)))
    return scan


def explain_fields(part: Part, budget: Budget, taxonomy: Taxonomy) -> tuple[FieldScan, tuple[Evidence, ...]]:
    """Find the same fields, and tell what spoke for and against each, also for what was not found."""
    told: list[Evidence] = []
    scan = _scan(part, Search(budget, taxonomy, told.append)) if part.data else _NOTHING
    return scan, tuple(told)


def _scan(part: Part, search: Search) -> FieldScan:
    if len(part.data) > search.budget.bytes:
        search.findings.blind.add(OVER_BUDGET)
        search.text(part.data, part.path)
    else:
        search.part(part)
    blind = search.findings.blind
    if part.truncated:
        blind.discard(SYNTAX)
        blind.add(TRUNCATED)
    found = search.findings.found
    if not found and not blind:
        return _NOTHING
    return FieldScan(
        tuple([Field(path, category, masked) for (path, category), masked in found.items()]), tuple(sorted(blind))
    )
