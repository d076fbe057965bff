"""A checked expression compiled to Python closures, with the semantics of CEL.

No text is evaluated: each node of the tree becomes a function made from operators and constants.
A closure takes the assessment and, inside a macro, the values of the macros' variables, innermost last.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from detectors.rules.functions import ZONED, is_plain, kind_in, resolve
from detectors.rules.patterns import searcher
from detectors.rules.subset import expand
from detectors.rules.times import PARTS, part_of, zone
from detectors.rules.tree import Call, Const, ListOf, Loop, MapOf, Name, Node, Select
from detectors.rules.values import (
    MISSING,
    TYPE_NAMES,
    EvaluationError,
    FaultKind,
    contains,
    equal,
    kind_of,
    lookup,
)

Closure: TypeAlias = Callable[..., Any]

_TYPES = {str(name): name for name in TYPE_NAMES.values()}
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "_==_": operator.eq,
    "_!=_": operator.ne,
    "_<_": operator.lt,
    "_<=_": operator.le,
    "_>_": operator.gt,
    "_>=_": operator.ge,
    "startsWith": str.startswith,
    "endsWith": str.endswith,
    "contains": operator.contains,
}


def close(root: Node, types: Mapping[int, str]) -> Callable[[Any], Any]:
    """Compile a tree that `subset.refusals` has nothing against. The closure raises EvaluationError where CEL gives an error.

    `types` are the static types of its nodes by id.
    """
    return _Closing(types).close(root, {})


def joined(parts: Sequence[Node], types: Mapping[int, str]) -> Callable[[Any], bool]:
    """Compile operands of one `&&` that are true or false each, as `close` would the whole."""
    closing = _Closing(types)
    return closing.truth(parts[0], {}) if len(parts) == 1 else closing.conjunction(parts, {})


def flat(node: Node, function: str) -> list[Node]:
    """Give the operands of a chain of `_&&_` or `_||_`, left to right."""
    if isinstance(node, Call) and node.function == function:
        return [part for each in node.args for part in flat(each, function)]
    return [node]


def constants(node: Node) -> list[Any] | None:
    """Give the values of a list that is written out; None for anything else."""
    if isinstance(node, ListOf) and all(isinstance(each, Const) for each in node.items):
        return [each.value for each in node.items if isinstance(each, Const)]
    return None


_SURE = frozenset({"_||_", "_&&_", "!_", "_==_", "_!=_", "@in", "size", *_COMPARE})


def is_total(node: Node, types: Mapping[int, str]) -> bool:
    """Say whether an expression has a value whatever the facts are."""
    match node:
        case Const() | Name():
            return True
        case ListOf():
            return constants(node) is not None
        case Call():
            typed = all(types.get(each.id, "dyn") != "dyn" for each in node.args)
            return node.function in _SURE and typed and all(is_total(each, types) for each in node.args)
        case _:
            return False


class _Closing:
    """One tree on its way to a closure. A scope gives the place of each macro's variable."""

    def __init__(self, types: Mapping[int, str]) -> None:
        self._types = types

    def close(self, node: Node, scope: Mapping[str, int]) -> Closure:
        match node:
            case Const():
                return _constant(node.value)
            case Name():
                return _name(node.name, scope)
            case Select():
                return self._select(node, scope)
            case ListOf():
                return self._list(node, scope)
            case MapOf():
                return self._map(node, scope)
            case Loop():
                return self._loop(node, scope)
            case Call():
                return self._call(node, scope)
            case _:
                raise TypeError("a node outside of the rule language")

    def _type(self, node: Node) -> str:
        return self._types.get(node.id, "dyn")

    def truth(self, node: Node, scope: Mapping[str, int]) -> Closure:
        """Close an operand that must be true or false."""
        run = self.close(node, scope)
        return run if self._type(node) == "bool" else _checked(run)

    def conjunction(self, parts: Sequence[Node], scope: Mapping[str, int]) -> Closure:
        """Close operands of one `&&`."""
        runs = [self.truth(each, scope) for each in parts]
        return (_every if all(map(self.is_total, parts)) else _conjunction)(runs)

    def is_total(self, node: Node) -> bool:
        """Say whether an expression has a value whatever the facts are."""
        return is_total(node, self._types)

    def _select(self, node: Select, scope: Mapping[str, int]) -> Closure:
        operand, field = self.close(node.operand, scope), node.field
        take = _test if node.is_test else _take
        return lambda facts, variables=(): take(operand(facts, variables), field)

    def _list(self, node: ListOf, scope: Mapping[str, int]) -> Closure:
        values = constants(node)
        if values is not None:
            return _constant(tuple(values))
        items = [self.close(each, scope) for each in node.items]
        return lambda facts, variables=(): tuple([item(facts, variables) for item in items])

    def _map(self, node: MapOf, scope: Mapping[str, int]) -> Closure:
        entries = [(key.value, self.close(value, scope)) for key, value in node.entries if isinstance(key, Const)]
        return lambda facts, variables=(): {key: value(facts, variables) for key, value in entries}

    def _call(self, node: Call, scope: Mapping[str, int]) -> Closure:
        function = node.function
        if function == "_&&_":
            return self.conjunction(flat(node, function), scope)
        if function == "_||_":
            parts = flat(node, function)
            runs = [self.truth(each, scope) for each in parts]
            return (_any if all(map(self.is_total, parts)) else _disjunction)(runs)
        if function == "_?_:_":
            test = self.truth(node.args[0], scope)
            then, otherwise = (self.close(each, scope) for each in node.args[1:])
            return lambda facts, variables=(): (then if test(facts, variables) else otherwise)(facts, variables)
        quick = self._against_constant(node, scope)
        if quick is not None:
            return quick
        args = [self.close(each, scope) for each in node.args]
        if len(args) == 1:
            (operand,), apply = args, self._function(node)
            if isinstance(node.args[0], Name) and node.args[0].name not in scope:
                get = operator.attrgetter(node.args[0].name)
                return lambda facts, _locals=(): apply(get(facts))
            return lambda facts, variables=(): apply(operand(facts, variables))
        (left, right), apply = args, self._function(node)
        if isinstance(node.args[1], Const):
            value = node.args[1].value
            return lambda facts, variables=(): apply(left(facts, variables), value)
        return lambda facts, variables=(): apply(left(facts, variables), right(facts, variables))

    def _function(self, node: Call) -> Callable[..., Any]:
        """Choose what computes a call from the values of its operands."""
        function = node.function
        types = [self._type(each) for each in node.args]
        if function in {"_==_", "_!=_"}:
            if all(map(is_plain, types)) and types[0] == types[1]:
                return _COMPARE[function]
            return equal if function == "_==_" else lambda left, right: not equal(left, right)
        if function == "@in":
            if all(map(is_plain, types)):
                return lambda item, container: item in container
            return _held if types[1].startswith(("list(", "map(")) else _held_by_any
        if function == "matches" and isinstance(node.args[1], Const):
            return _matching(str(node.args[1].value), is_text=types[0] == "string")
        if function in ZONED and len(node.args) == 2 and isinstance(node.args[1], Const):
            take = part_of(PARTS[function], zone(str(node.args[1].value)))
            return lambda moment, _zone: take(_timestamp(moment))
        return resolve(function, tuple(map(kind_in, types)))

    def _against_constant(self, node: Call, scope: Mapping[str, int]) -> Closure | None:
        """Compile `name == "word"` and its like, which most rules are made of, to one call each."""
        if len(node.args) != 2 or self._type(node.args[0]) not in {"string", "int", "bool"}:
            return None
        left, right = node.args
        if not isinstance(left, Name) or left.name in scope:
            return None
        get = operator.attrgetter(left.name)
        if node.function == "@in":
            values = constants(right)
            return None if values is None or not is_plain(self._type(right)) else _among(get, frozenset(values))
        if not isinstance(right, Const) or node.function not in _COMPARE or not is_plain(self._type(right)):
            return None
        value = right.value
        if node.function == "_==_":
            return lambda facts, _locals=(): get(facts) == value
        if node.function == "_!=_":
            return lambda facts, _locals=(): get(facts) != value
        apply = _COMPARE[node.function]
        return lambda facts, _locals=(): apply(get(facts), value)

    def _loop(self, node: Loop, scope: Mapping[str, int]) -> Closure:
        macro = expand(node)
        items = self.close(node.items, scope)
        if not self._type(node.items).startswith(("list(", "map(")):
            items = _iterable(items)
        # Every macro adds one value at the end, so that its place is the number of macros around it. A variable that
        # hides an outer one of the same name takes the new place.
        depth = scope.get("", 0)
        inner = {**scope, node.variable: depth, "": depth + 1}
        if macro.name == "map":
            body = self.close(macro.body, inner)
            if macro.filter is None:
                return lambda facts, local=(): tuple([body(facts, (*local, item)) for item in items(facts, local)])
            keep = self.truth(macro.filter, inner)
            return lambda facts, local=(): tuple(
                [body(facts, (*local, item)) for item in items(facts, local) if keep(facts, (*local, item))]
            )
        body = self.truth(macro.body, inner)
        if macro.name == "exists_one":
            return lambda facts, local=(): sum([body(facts, (*local, item)) for item in items(facts, local)]) == 1
        return _quantified(items, body, decisive=macro.name == "exists")


def _constant(value: Any) -> Closure:
    return lambda _facts, _locals=(): value


def _name(name: str, scope: Mapping[str, int]) -> Closure:
    if name in scope:
        position = scope[name]
        return lambda _facts, variables=(): variables[position]
    if name in _TYPES:
        return _constant(_TYPES[name])
    get = operator.attrgetter(name)
    return lambda facts, _locals=(): get(facts)


def _take(container: Any, field: str) -> Any:
    if not isinstance(container, dict):
        raise EvaluationError(FaultKind.NO_OVERLOAD)
    found = lookup(container, field)
    if found is MISSING:
        raise EvaluationError(FaultKind.NO_SUCH_KEY)
    return found


def _test(container: Any, field: str) -> bool:
    if not isinstance(container, dict):
        raise EvaluationError(FaultKind.NO_OVERLOAD)
    return lookup(container, field) is not MISSING


def _held(item: Any, container: Any) -> bool:
    return contains(container, item)


def _held_by_any(item: Any, container: Any) -> bool:
    if not isinstance(container, dict | tuple):
        raise EvaluationError(FaultKind.NO_OVERLOAD)
    return contains(container, item)


def _matching(pattern: str, *, is_text: bool) -> Callable[[Any, Any], bool]:
    search = searcher(pattern)
    if search is None:
        raise TypeError("a pattern outside of the rule language")
    if is_text:
        return lambda text, _pattern: search(text)

    def apply(text: Any, _pattern: Any) -> bool:
        if kind_of(text) != "string":
            raise EvaluationError(FaultKind.NO_OVERLOAD)
        return search(text)

    return apply


def _timestamp(value: Any) -> Any:
    if kind_of(value) != "timestamp":
        raise EvaluationError(FaultKind.NO_OVERLOAD)
    return value


def _among(get: Callable[[Any], Any], allowed: frozenset[Any]) -> Closure:
    return lambda facts, _locals=(): get(facts) in allowed


def _checked(run: Closure) -> Closure:
    def check(facts: Any, variables: tuple[Any, ...] = ()) -> bool:
        value = run(facts, variables)
        if value is True or value is False:
            return value
        raise EvaluationError(FaultKind.NO_OVERLOAD)

    return check


def _iterable(run: Closure) -> Closure:
    def check(facts: Any, variables: tuple[Any, ...] = ()) -> Any:
        value = run(facts, variables)
        if isinstance(value, tuple | dict):
            return value
        raise EvaluationError(FaultKind.NO_OVERLOAD)

    return check


def _every(parts: Sequence[Closure]) -> Closure:
    """Join conditions that cannot fail by `&&`. Written out for few, since a loop costs as much as one of them."""
    if len(parts) == 2:
        first, second = parts
        return lambda facts, variables=(): first(facts, variables) and second(facts, variables)
    if len(parts) == 3:
        first, second, third = parts
        return lambda facts, variables=(): (
            first(facts, variables) and second(facts, variables) and third(facts, variables)
        )
    half = len(parts) // 2
    return _every([parts[0] if half == 1 else _every(parts[:half]), _every(parts[half:])])


def _any(parts: Sequence[Closure]) -> Closure:
    """Join conditions that cannot fail by `||`."""
    if len(parts) == 2:
        first, second = parts
        return lambda facts, variables=(): first(facts, variables) or second(facts, variables)
    return _any([parts[0], _any(parts[1:])])


def _conjunction(parts: Sequence[Closure]) -> Closure:
    """Join conditions by `&&`: a false operand decides, on whichever side of an error it stands."""

    def run(facts: Any, variables: tuple[Any, ...] = ()) -> bool:
        fault: EvaluationError | None = None
        for part in parts:
            try:
                if not part(facts, variables):
                    return False
            except EvaluationError as raised:
                fault = raised
        if fault is not None:
            raise fault
        return True

    return run


def _disjunction(parts: Sequence[Closure]) -> Closure:
    def run(facts: Any, variables: tuple[Any, ...] = ()) -> bool:
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


def _quantified(items: Closure, body: Closure, *, decisive: bool) -> Closure:
    def run(facts: Any, variables: tuple[Any, ...] = ()) -> bool:
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
