"""The parts of a condition that must all hold: what an index of rules is made from."""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from detectors.assessment import Assessment
from detectors.rules.closures import constants, flat, is_total, joined
from detectors.rules.names import Kind, Readable
from detectors.rules.tree import Call, Const, ListOf, Loop, MapOf, Name, Node, Other, Select

_TRUTHS: frozenset[Any] = frozenset({True, False})
_ON_TEXT: Mapping[str, Callable[[str, str], bool]] = {
    "startsWith": str.startswith,
    "endsWith": str.endswith,
    "contains": str.__contains__,
}


class Conjunct(NamedTuple):
    """One operand of a condition's outermost `&&`. Where one is false the whole is false, errors elsewhere included."""

    shape: str
    """Equal for equal expressions, so that what several rules ask is asked once."""
    node: Node
    name: str
    """The one name that it reads, where `values` are known; `name.size()` for the question whether a list has items."""
    values: frozenset[Any] | None
    """Values of that name for which it holds; None when it asks more than that."""
    is_total: bool
    """It has a value whatever the facts are."""


class Choice(NamedTuple):
    """A name, and the values of it for which an expression holds."""

    name: str
    values: frozenset[Any]


def conjuncts(root: Node, types: Mapping[int, str], names: Mapping[str, Readable]) -> tuple[Conjunct, ...]:
    """Take a checked condition apart."""
    found = []
    for node in flat(root, "_&&_"):
        choice = _choice(node, names)
        name, values = choice if choice is not None else ("", None)
        found.append(Conjunct(_shape(node), node, name, values, is_total(node, types)))
    return tuple(found)


def holding(parts: Sequence[Conjunct], types: Mapping[int, str]) -> Callable[[Assessment], bool]:
    """Compile conjuncts of one condition to what says whether all hold. Raises EvaluationError where CEL gives an error."""
    if not parts:
        return lambda _facts: True
    return joined([each.node for each in parts], types)


def _choice(node: Node, names: Mapping[str, Readable]) -> Choice | None:
    """Give the values of one name for which an expression holds, where it asks for nothing else and cannot fail."""
    if isinstance(node, Name):
        is_truth = node.name in names and names[node.name].kind is Kind.BOOL
        return Choice(node.name, frozenset({True})) if is_truth else None
    if not isinstance(node, Call):
        return None
    if node.function in {"_||_", "_&&_"}:
        return _joint([_choice(each, names) for each in flat(node, node.function)], is_any=node.function == "_||_")
    if node.function in {"!_", "_!=_"}:
        inner = node.args[0] if node.function == "!_" else Call(node.id, "_==_", node.args)
        held = _choice(inner, names)
        closed = _closed(held.name, names) if held is not None else None
        return Choice(held.name, closed - held.values) if held is not None and closed is not None else None
    return _compared(node, names)


def _joint(choices: Sequence[Choice | None], *, is_any: bool) -> Choice | None:
    found = [each for each in choices if each is not None]
    if len(found) < len(choices) or len({each.name for each in found}) > 1:
        return None
    values = found[0].values
    for each in found[1:]:
        values = values | each.values if is_any else values & each.values
    return Choice(found[0].name, values)


def _compared(node: Call, names: Mapping[str, Readable]) -> Choice | None:
    if len(node.args) != 2:
        return None
    left, right = node.args
    if isinstance(left, Call):
        return _filled(node.function, left, right)
    if node.function == "_==_" and isinstance(left, Const):
        left, right = right, left
    name = names.get(left.name) if isinstance(left, Name) else None
    if name is None or name.kind not in {Kind.STRING, Kind.BOOL}:
        return None
    if node.function == "_==_" and isinstance(right, Const):
        return Choice(name.path, frozenset({right.value}))
    # A list on the right of == is a value to be equal to, not a choice of words.
    values = constants(right) if node.function == "@in" else None
    if values is not None:
        return Choice(name.path, frozenset(values))
    if node.function in _ON_TEXT and name.words is not None and isinstance(right, Const):
        text, test = str(right.value), _ON_TEXT[node.function]
        return Choice(name.path, frozenset(word for word in name.words if test(word, text)))
    return None


_SIZE = ".size()"
_COMPARISONS: Mapping[str, Callable[[int, int], bool]] = {
    "_==_": operator.eq,
    "_<_": operator.lt,
    "_<=_": operator.le,
    "_>_": operator.gt,
    "_>=_": operator.ge,
}


def _filled(function: str, left: Call, right: Node) -> Choice | None:
    """Read `name.size() > 0` and its like as a choice between a list with items and one without."""
    compare = _COMPARISONS.get(function)
    if compare is None or left.function != "size" or not isinstance(left.args[0], Name):
        return None
    if not isinstance(right, Const) or not isinstance(right.value, int):
        return None
    limit = int(right.value)
    outcomes = {compare(count, limit) for count in (1, 2, max(1, limit), max(1, limit + 1))}
    if len(outcomes) > 1:
        return None
    values = {False} if compare(0, limit) else set[bool]()
    return Choice(left.args[0].name + _SIZE, frozenset(values | ({True} if outcomes == {True} else set[bool]())))


def selector(name: str) -> Callable[[Any], Any]:
    """Give what takes the value of a conjunct's name from an assessment."""
    get = operator.attrgetter(name.removesuffix(_SIZE))
    return (lambda facts: bool(get(facts))) if name.endswith(_SIZE) else get


def _closed(path: str, names: Mapping[str, Readable]) -> frozenset[Any] | None:
    # "Not this word" becomes "one of the others" only where a type, and not a list alone, says that there are no more.
    name = names.get(path)
    if path.endswith(_SIZE) or (name is not None and name.kind is Kind.BOOL):
        return _TRUTHS
    return name.words if name is not None and name.is_enumerated else None


def _shape(node: Node) -> str:
    """Write a tree without its ids."""
    match node:
        case Const():
            return f"{type(node.value).__name__}:{node.value!r}"
        case Name():
            return node.name
        case Select():
            return f"{'has' if node.is_test else 'of'}({_shape(node.operand)},{node.field!r})"
        case ListOf():
            return f"[{','.join(map(_shape, node.items))}]"
        case Call():
            return f"{node.function}({','.join(map(_shape, node.args))})"
        case MapOf():
            entries = (f"{'' if key is None else _shape(key)}:{_shape(value)}" for key, value in node.entries)
            return f"{{{','.join(entries)}}}"
        case Loop():
            return f"for({node.variable},{_shape(node.items)},{_shape(node.initial)},{_shape(node.step)})"
        case Other():
            return "?"
