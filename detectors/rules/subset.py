"""Which part of CEL rules may use, and which words a comparison may name. The rest is refused with a sentence."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from detectors.rules.functions import FUNCTIONS, ZONED
from detectors.rules.names import Readable
from detectors.rules.patterns import searcher
from detectors.rules.times import zone
from detectors.rules.tree import Call, Const, ListOf, Loop, MapOf, Name, Node, Other, Select, Tree, children
from detectors.rules.values import kind_of
from detectors.spelling import suggestion

MAX_DEPTH = 64
"""Levels of nesting of an expression: it is walked by recursion."""
WORDS = tuple(sorted(each for each in FUNCTIONS if each.isalpha()))
"""Functions by name."""


class Mistake(NamedTuple):
    """A mistake in an expression."""

    offset: int
    """In characters from the start of the expression."""
    message: str


def refusals(tree: Tree, names: Mapping[str, Readable]) -> list[Mistake]:
    """Give everything in a checked expression that rules may not use; empty when it may run."""
    if _is_too_deep(tree.root):
        return [Mistake(0, f"nested deeper than {MAX_DEPTH} levels; split the rule")]
    roots = frozenset(name.partition(".")[0] for name in names)
    found: dict[int, Mistake] = {}
    for node in _walk(tree.root):
        offset = tree.offsets.get(node.id, 0)
        message = _refusal(node, tree, roots) or _unknown_word(node, names)
        if message:
            found.setdefault(offset, Mistake(offset, message))
    return [found[offset] for offset in sorted(found)]


def tested_names(parsed: Tree, names: Mapping[str, Readable]) -> list[Mistake]:
    """Give each `has(flow.x)` of an unchecked tree: the compiler reads it as the bare name once names are resolved."""
    roots = frozenset(name.partition(".")[0] for name in names)
    return [
        Mistake(
            parsed.offsets.get(node.id, 0),
            f'every name always has a value, so has() says nothing here; compare {_dotted(node)} with "" or 0',
        )
        for node in _walk(parsed.root)
        if isinstance(node, Select) and node.is_test and _dotted(node).partition(".")[0] in roots
    ]


def _refusal(node: Node, tree: Tree, roots: frozenset[str]) -> str:
    match node:
        case Other():
            return "messages are not part of the rule language"
        case MapOf():
            return _of_map(node)
        case Call():
            return _of_call(node)
        case Loop():
            return _of_loop(node, tree, roots)
        case _:
            return ""


def _of_map(node: MapOf) -> str:
    if node.message or any(key is None for key, _value in node.entries):
        return "messages are not part of the rule language"
    # The engine gives up altogether where keys clash while it runs, so a clash is found here.
    keys = [(kind_of(key.value), key.value) for key, _value in node.entries if isinstance(key, Const)]
    if len(keys) < len(node.entries):
        return "keys of a map are written out, not computed"
    if len(set(keys)) < len(keys):
        return "a map has the same key twice"
    if len({kind for kind, _value in keys}) > 1 or any(kind in {"double", "null", "bytes"} for kind, _value in keys):
        return "keys of a map are all texts, all whole numbers, or all true and false"
    return ""


def _of_call(node: Call) -> str:
    if node.function not in FUNCTIONS:
        return f"{node.function}() is not part of the rule language"
    if node.function == "matches":
        pattern = node.args[1]
        if not isinstance(pattern, Const) or not isinstance(pattern.value, str):
            return "the pattern of matches() is written out, not computed"
        if searcher(pattern.value) is None:
            return "the pattern of matches() is none that RE2 knows (no look-around, no back-references)"
    if node.function in ZONED and len(node.args) == 2:
        name = node.args[1]
        if not isinstance(name, Const) or not isinstance(name.value, str):
            return "a time zone is written out, not computed"
        if zone(name.value) is None:
            return "no such time zone; write Europe/Berlin or +02:00"
    return ""


def _of_loop(node: Loop, tree: Tree, roots: frozenset[str]) -> str:
    if node.variable in roots:
        return f"a macro's variable cannot be named {node.variable}; that is the first word of a name"
    if expand(node).name == "map" and not tree.types.get(node.items.id, "").startswith("list("):
        return "map() and filter() run over lists only: the keys of a map have no order"
    return ""


def _unknown_word(node: Node, names: Mapping[str, Readable]) -> str:
    if not isinstance(node, Call) or len(node.args) != 2:
        return ""
    pairs = [(node.args[0], node.args[1]), (node.args[1], node.args[0])]
    if node.function in {"@in", "startsWith"}:
        pairs = pairs[:1]
    elif node.function not in {"_==_", "_!=_"}:
        return ""
    for left, right in pairs:
        name = names.get(left.name) if isinstance(left, Name) else None
        if name is None or name.words is None:
            continue
        for word in _literals(right):
            if node.function == "startsWith" and not any(known.startswith(word) for known in name.words):
                return f"no value of {name.path} begins with {word!r}{suggestion(word, name.words)}"
            if node.function != "startsWith" and word not in name.words:
                return f"{name.path} is never {word!r}{suggestion(word, name.words)}"
    return ""


def _literals(node: Node) -> list[str]:
    items = node.items if isinstance(node, ListOf) else (node,)
    return [each.value for each in items if isinstance(each, Const) and isinstance(each.value, str)]


def _dotted(node: Node) -> str:
    if isinstance(node, Name):
        return node.name
    return f"{_dotted(node.operand)}.{node.field}" if isinstance(node, Select) else "?"


def _walk(node: Node) -> Iterator[Node]:
    waiting = [node]
    while waiting:
        here = waiting.pop()
        yield here
        if isinstance(here, Loop):
            waiting += [here.items, *(each for each in _bodies(here))]
        else:
            waiting += list(children(here))


def _bodies(loop: Loop) -> tuple[Node, ...]:
    macro = expand(loop)
    return (macro.body,) if macro.filter is None else (macro.filter, macro.body)


def _is_too_deep(root: Node) -> bool:
    level, depth = [root], 0
    while level:
        # Chains of && and || are balanced by the parser, and run as one level each.
        depth += 1
        if depth > MAX_DEPTH:
            return True
        level = [child for node in level for child in children(node)]
    return False


class Macro(NamedTuple):
    """What a loop was before it was expanded."""

    name: str
    """`all`, `exists`, `exists_one` or `map` (`filter` is a map that keeps the item)."""
    filter: Node | None
    body: Node


def expand(loop: Loop) -> Macro:
    """Recognise the macro behind a loop by its first value and step. Raises ValueError on any other loop."""
    step = loop.step
    if isinstance(step, Call):
        if isinstance(loop.initial, Const) and loop.initial.value is True and step.function == "_&&_":
            return Macro("all", None, step.args[1])
        if isinstance(loop.initial, Const) and loop.initial.value is False and step.function == "_||_":
            return Macro("exists", None, step.args[1])
        if isinstance(loop.initial, Const) and loop.initial.value == 0 and step.function == "_?_:_":
            return Macro("exists_one", None, step.args[0])
        if isinstance(loop.initial, ListOf) and step.function == "_?_:_":
            return Macro("map", step.args[0], _appended(step.args[1]))
        if isinstance(loop.initial, ListOf) and step.function == "_+_":
            return Macro("map", None, _appended(step))
    raise ValueError("a loop that no macro makes")


def _appended(node: Node) -> Node:
    if isinstance(node, Call) and len(node.args) == 2 and isinstance(node.args[1], ListOf):
        return node.args[1].items[0]
    raise ValueError("a loop that no macro makes")
