"""A checked expression compiled to Python closures, with the semantics of CEL.

No text is evaluated: each node of the tree becomes a function made from operators and constants.
A closure takes the assessment and the values of the macros' variables, innermost last.
"""

import operator
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from detectors.rules.arithmetic import BINARY, EvaluationError, negate
from detectors.rules.subset import expand
from detectors.rules.tree import Call, Const, ListOf, Loop, MapOf, Name, Node, Select

Closure: TypeAlias = Callable[[Any, tuple[Any, ...]], Any]

_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "_==_": operator.eq,
    "_!=_": operator.ne,
    "_<_": operator.lt,
    "_<=_": operator.le,
    "_>_": operator.gt,
    "_>=_": operator.ge,
}
_ON_TEXT: Mapping[str, Callable[[str, str], bool]] = {
    "startsWith": str.startswith,
    "endsWith": str.endswith,
    "contains": operator.contains,
}


def close(root: Node) -> Callable[[Any], Any]:
    """Compile a tree that `subset.refusals` has nothing against. The closure raises EvaluationError where CEL gives an error."""
    run = _close(root, {})
    return lambda facts: run(facts, ())


def requirements(root: Node) -> dict[str, frozenset[str]]:
    """Give the words that a name must have for the expression to hold: `name == "a"` and `name in ["a", "b"]`.

    Taken from the outermost conjunction only. Where one of them fails, the whole is false whatever the rest does,
    errors included, so that the expression need not be run.
    """
    found: dict[str, frozenset[str]] = {}
    for part in _flat(root, "_&&_"):
        if not isinstance(part, Call) or part.function not in {"_==_", "@in"}:
            continue
        left, right = part.args
        if isinstance(left, Const):
            left, right = right, left
        # A list on the right of == is a value to be equal to, not a choice of words.
        values = _constants(right) if part.function == "@in" else [right.value] if isinstance(right, Const) else None
        if isinstance(left, Name) and values and all(isinstance(each, str) for each in values):
            words = frozenset(values)
            found[left.name] = found.get(left.name, words) & words
    return found


def _close(node: Node, scope: Mapping[str, int]) -> Closure:
    match node:
        case Const():
            return _constant(node.value)
        case Name():
            return _name(node.name, scope)
        case Select():
            return _select(node, scope)
        case ListOf():
            return _list(node, scope)
        case MapOf():
            return _map(node, scope)
        case Loop():
            return _loop(node, scope)
        case Call():
            return _call(node, scope)
        case _:
            raise TypeError("a node outside of the rule language")


def _constant(value: Any) -> Closure:
    return lambda _facts, _locals: value


def _name(name: str, scope: Mapping[str, int]) -> Closure:
    if name in scope:
        position = scope[name]
        return lambda _facts, variables: variables[position]
    get = operator.attrgetter(name)
    return lambda facts, _locals: get(facts)


def _select(node: Select, scope: Mapping[str, int]) -> Closure:
    operand, field = _close(node.operand, scope), node.field
    if node.is_test:
        return lambda facts, variables: field in operand(facts, variables)
    take = BINARY["_[_]"]
    return lambda facts, variables: take(operand(facts, variables), field)


def _constants(node: Node) -> list[Any] | None:
    if isinstance(node, ListOf) and all(isinstance(each, Const) for each in node.items):
        return [each.value for each in node.items if isinstance(each, Const)]
    return None


def _list(node: ListOf, scope: Mapping[str, int]) -> Closure:
    values = _constants(node)
    if values is not None:
        return _constant(tuple(values))
    items = [_close(each, scope) for each in node.items]
    return lambda facts, variables: tuple([item(facts, variables) for item in items])


def _map(node: MapOf, scope: Mapping[str, int]) -> Closure:
    entries = [(key.value, _close(value, scope)) for key, value in node.entries if isinstance(key, Const)]
    return lambda facts, variables: {key: value(facts, variables) for key, value in entries}


def _call(node: Call, scope: Mapping[str, int]) -> Closure:
    function = node.function
    if function == "_&&_":
        return _conjunction([_close(each, scope) for each in _flat(node, function)])
    if function == "_||_":
        return _disjunction([_close(each, scope) for each in _flat(node, function)])
    if function in _COMPARE or function in _ON_TEXT or function == "@in":
        quick = _against_constant(node, scope)
        if quick is not None:
            return quick
    args = [_close(each, scope) for each in node.args]
    if function == "_?_:_":
        test, then, otherwise = args
        return lambda facts, variables: (then if test(facts, variables) else otherwise)(facts, variables)
    if function == "!_":
        (operand,) = args
        return lambda facts, variables: not operand(facts, variables)
    if function == "-_":
        (operand,) = args
        return lambda facts, variables: negate(operand(facts, variables))
    if function == "size":
        (operand,) = args
        return lambda facts, variables: len(operand(facts, variables))
    left, right = args
    if function == "@in":
        return lambda facts, variables: left(facts, variables) in right(facts, variables)
    apply = _COMPARE.get(function) or _ON_TEXT.get(function) or BINARY[function]
    return lambda facts, variables: apply(left(facts, variables), right(facts, variables))


def _against_constant(node: Call, scope: Mapping[str, int]) -> Closure | None:
    """Compile `name == "word"` and its like, which most rules are made of, to one call each."""
    left, right = node.args
    if not isinstance(left, Name) or left.name in scope:
        return None
    get = operator.attrgetter(left.name)
    if node.function == "@in":
        values = _constants(right)
        if values is None:
            return None
        return _among(get, frozenset(values))
    if not isinstance(right, Const):
        return None
    value = right.value
    if node.function == "_==_":
        return lambda facts, _locals: get(facts) == value
    if node.function == "_!=_":
        return lambda facts, _locals: get(facts) != value
    apply: Callable[[Any, Any], bool] = _COMPARE.get(node.function) or _ON_TEXT[node.function]
    return lambda facts, _locals: apply(get(facts), value)


def _among(get: Callable[[Any], Any], allowed: frozenset[Any]) -> Closure:
    return lambda facts, _locals: get(facts) in allowed


def _flat(node: Node, function: str) -> list[Node]:
    if isinstance(node, Call) and node.function == function:
        return [part for each in node.args for part in _flat(each, function)]
    return [node]


def _conjunction(parts: list[Closure]) -> Closure:
    def run(facts: Any, variables: tuple[Any, ...]) -> bool:
        fault: EvaluationError | None = None
        for part in parts:
            try:
                if not part(facts, variables):
                    return False
            except EvaluationError as raised:
                # A false operand decides, on whichever side of an error it stands.
                fault = raised
        if fault is not None:
            raise fault
        return True

    return run


def _disjunction(parts: list[Closure]) -> Closure:
    def run(facts: Any, variables: tuple[Any, ...]) -> bool:
        fault: EvaluationError | None = None
        for part in parts:
            try:
                if part(facts, variables):
                    return True
            except EvaluationError as raised:
                fault = raised
        if fault is not None:
            raise fault
        return False

    return run


def _loop(node: Loop, scope: Mapping[str, int]) -> Closure:
    macro = expand(node)
    items = _close(node.items, scope)
    # Every macro adds one value at the end, so that its place is the number of macros around it. A variable that
    # hides an outer one of the same name takes the new place.
    depth = scope.get("", 0)
    inner = {**scope, node.variable: depth, "": depth + 1}
    body = _close(macro.body, inner)
    if macro.name in {"all", "exists"}:
        return _quantified(items, body, decisive=macro.name == "exists")
    if macro.name == "exists_one":
        return lambda facts, variables: sum([body(facts, (*variables, item)) for item in items(facts, variables)]) == 1
    if macro.filter is None:
        return lambda facts, variables: tuple([body(facts, (*variables, item)) for item in items(facts, variables)])
    keep = _close(macro.filter, inner)
    return lambda facts, variables: tuple(
        [body(facts, (*variables, item)) for item in items(facts, variables) if keep(facts, (*variables, item))]
    )


def _quantified(items: Closure, body: Closure, *, decisive: bool) -> Closure:
    def run(facts: Any, variables: tuple[Any, ...]) -> bool:
        fault: EvaluationError | None = None
        for item in items(facts, variables):
            try:
                found: bool = body(facts, (*variables, item))
                if found is decisive:
                    return decisive
            except EvaluationError as raised:
                fault = raised
        if fault is not None:
            raise fault
        return not decisive

    return run
