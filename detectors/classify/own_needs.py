"""A shop's own decisions on what a purchase needs to know, read and held against the table that they change."""

from collections.abc import Iterable, Mapping, Sequence

from detectors import documents
from detectors.classify.need_files import OverrideFile, WrittenOverride
from detectors.classify.needs import TOO_MUCH, NeedTable
from detectors.documents import Problem, line_of


def read_overrides(
    text: str, file: str, table: NeedTable, categories: Mapping[str, object]
) -> tuple[tuple[WrittenOverride, ...] | None, list[Problem]]:
    """Read a shop's own decisions: in the order of the file, of which the first that fits counts; or every mistake."""
    document, problems = documents.load(text, file)
    if problems:
        return None, problems
    written, problems = documents.validate(document, file, OverrideFile)
    if written is None:
        return None, problems
    for index, each in enumerate(written.overrides):
        for message, key in _mistakes(each, written.overrides[:index], table, categories):
            path = ("overrides", index, key)
            problems.append(Problem(file, line_of(document, path), ".".join(map(str, path)), message))
    return (None, problems) if problems else (written.overrides, [])


def _mistakes(
    each: WrittenOverride, before: Sequence[WrittenOverride], table: NeedTable, categories: Mapping[str, object]
) -> Iterable[tuple[str, str]]:
    if each.category not in categories and not any(name.startswith(f"{each.category}.") for name in categories):
        yield f"the taxonomy has no category {each.category}; docs/checkout.md lists them", "category"
    if each.need not in TOO_MUCH:
        bound = [name for name in categories if name == each.category or name.startswith(f"{each.category}.")]
        never = next((name for name in bound if table.never_allowed(name)), None)
        if never is not None:
            yield (
                f"{never} is prohibited outside of where the table needs it; no decision of a shop's allows it",
                "need",
            )
    for earlier in before:
        same = earlier.category == each.category and set(earlier.goods) == set(each.goods)
        if same and (set(earlier.steps) & set(each.steps) or set(earlier.recipients) & set(each.recipients)):
            yield (
                "an earlier decision says something of the same data, place and goods already; the first counts",
                "category",
            )
            break
