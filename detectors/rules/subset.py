"""Which part of CEL rules may use, and which words a comparison may name. The rest is refused with a sentence."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from detectors.rules.names import Readable, suggestion
from detectors.rules.tree import Call, Const, ListOf, Loop, MapOf, Name, Node, Other, Select, Tree, children

MAX_DEPTH = 64
"""Levels of nesting of an expression: it is walked by recursion."""

FUNCTIONS = frozenset(
    {
        "_&&_",
        "_||_",
        "!_",
        "_?_:_",
        "_==_",
        "_!=_",
        "_<_",
        "_<=_",
        "_>_",
        "_>=_",
        "_+_",
        "_-_",
        "_*_",
        "_/_",
        "_%_",
        "-_",
        "_[_]",
        "@in",
        "size",
        "startsWith",
        "endsWith",
        "contains",
    }
)
"""Operators and functions of the rule language, by CEL's names."""

_INSTEAD = {
    "matches": "matches() is not part of the rule language; use startsWith, endsWith, contains or `in`",
    "timestamp": "timestamps are not part of the rule language; flow.at_ms is a whole number of milliseconds",
    "duration": "durations are not part of the rule language; compare whole numbers",
}
_KINDS = {
    "double": "numbers with a fraction are not part of the rule language; use whole numbers",
    "uint": "unsigned numbers are not part of the rule language; leave out the `u`",
    "bytes": "bytes are not part of the rule language; leave out the `b`",
    "dyn": "values of mixed or open type are not part of the rule language; use one type in a list or map",
}


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


def is_within(kind: str) -> bool:
    """Say whether a static type belongs to the rule language."""
    if kind in {"bool", "int", "string"}:
        return True
    if kind.startswith("list("):
        return is_within(kind[5:-1])
    if kind.startswith("map("):
        key, _, value = kind[4:-1].partition(", ")
        return key in {"bool", "int", "string"} and is_within(value)
    return False


def _refusal(node: Node, tree: Tree, roots: frozenset[str]) -> str:
    if isinstance(node, Other) or (
        isinstance(node, MapOf) and (node.message or any(k is None for k, _ in node.entries))
    ):
        return "messages are not part of the rule language"
    if isinstance(node, MapOf):
        # The engine gives up altogether where keys clash while it runs, so a clash is found here.
        keys = [key.value for key, _value in node.entries if isinstance(key, Const)]
        if len(keys) < len(node.entries):
            return "keys of a map are written out, not computed"
        if len(set(keys)) < len(keys):
            return "a map has the same key twice"
    if isinstance(node, Call) and node.function not in FUNCTIONS:
        return _INSTEAD.get(node.function, f"{node.function}() is not part of the rule language")
    if isinstance(node, Loop):
        if node.variable in roots:
            return f"a macro's variable cannot be named {node.variable}; that is the first word of a name"
        if not tree.types.get(node.items.id, "").startswith("list("):
            return "macros (all, exists, …) run over lists only"
    kind = tree.types.get(node.id, "bool")
    is_empty_literal = isinstance(node, ListOf | MapOf) and not any(True for _ in children(node))
    if is_within(kind) or is_empty_literal:
        return ""
    return next((text for word, text in _KINDS.items() if word in kind), "this type is not part of the rule language")


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
