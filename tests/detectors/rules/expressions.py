"""Random well-typed expressions of the rule language, and facts to run them on."""

import operator
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, TypeVar

from detectors.assessment import Assessment
from detectors.rules.language import environment
from detectors.rules.names import Assessor, Kind, assessment, readable

Choice = TypeVar("Choice")

INTS = ("0", "1", "2", "-1", "3", "7", "-7", "9223372036854775807", "-9223372036854775808", "4611686018427387904")
TEXTS = ("", "a", "b", "ab", "advertising", "é", "\U0001f600", "Z")


class Writer:
    """Writes expressions of a wanted type, from one source of randomness."""

    def __init__(self, random: Random, assessor: Assessor) -> None:
        self._random = random
        self._names = readable(assessor)
        self._variables: list[str] = []

    def condition(self) -> str:
        return self.truth(self._pick([1, 2, 2, 3, 3, 4]))

    def truth(self, depth: int) -> str:
        if depth == 0:
            return self._pick(["true", "false", self._name(Kind.BOOL)])
        less = depth - 1
        return self._any_of(
            lambda: f"({self.truth(less)} && {self.truth(less)} && {self.truth(less)})",
            lambda: f"({self.truth(less)} && {self.truth(less)})",
            lambda: f"({self.truth(less)} || {self.truth(less)})",
            lambda: f"!({self.truth(less)})",
            lambda: f"({self.truth(less)} ? {self.truth(less)} : {self.truth(less)})",
            lambda: f"({self.whole(less)} {self._comparison()} {self.whole(less)})",
            lambda: f"({self.text(less)} {self._comparison()} {self.text(less)})",
            lambda: f"({self.texts(less)} {self._pick(['==', '!='])} {self.texts(less)})",
            lambda: f"{self.text(less)}.{self._pick(['startsWith', 'endsWith', 'contains'])}({self.text(less)})",
            lambda: f"({self.text(less)} in {self.texts(less)})",
            lambda: f"({self.whole(less)} in [{self.whole(less)}, {self.whole(less)}])",
            lambda: f"({self.text(less)} in {self._map(less)})",
            lambda: f"has({self._map(less)}.{self._pick(['a', 'b', 'ab'])})",
            lambda: self._macro(less),
            self.word,
        )

    def whole(self, depth: int) -> str:
        if depth == 0:
            return self._pick([*INTS, self._name(Kind.INT)])
        less = depth - 1
        return self._any_of(
            lambda: f"({self.whole(less)} {self._pick(['+', '-', '*', '/', '%'])} {self.whole(less)})",
            lambda: f"-({self.whole(less)})",
            lambda: f"size({self.text(less)})",
            lambda: f"{self.texts(less)}.size()",
            lambda: f"{self._map(less)}[{self.text(less)}]",
            lambda: f"{self._map(less)}.{self._pick(['a', 'b'])}",
            lambda: f"({self.truth(less)} ? {self.whole(less)} : {self.whole(less)})",
        )

    def text(self, depth: int) -> str:
        if depth == 0:
            own = [self._pick(self._variables)] * 3 if self._variables else []
            return self._pick([*(f'"{each}"' for each in TEXTS), self._open_name(), *own])
        less = depth - 1
        return self._any_of(
            lambda: f"({self.text(less)} + {self.text(less)})",
            lambda: f"{self.texts(less)}[{self._pick(['0', '1', '-1', self.whole(less)])}]",
            lambda: f"({self.truth(less)} ? {self.text(less)} : {self.text(less)})",
            lambda: self.text(0),
        )

    def texts(self, depth: int) -> str:
        if depth == 0:
            return self._pick(['["a", "b"]', '["advertising"]', self._name(Kind.LIST)])
        less = depth - 1
        return self._any_of(
            lambda: f"[{self.text(less)}, {self.text(less)}]",
            lambda: f"({self.texts(less)} + {self.texts(less)})",
            lambda: self._over(less, "filter", self.truth),
            lambda: self._over(less, "map", self.text),
            lambda: self.texts(0),
        )

    def _macro(self, depth: int) -> str:
        return self._over(depth, self._pick(["all", "exists", "exists_one"]), self.truth)

    def _over(self, depth: int, macro: str, body: Callable[[int], str]) -> str:
        items = self.texts(depth)
        # The same name twice hides the outer variable.
        variable = self._pick(["x", "y"])
        self._variables.append(variable)
        inside = body(depth)
        extra = f"{self.truth(0)}, " if macro == "map" and self._random.random() < 0.3 else ""
        self._variables.pop()
        return f"{items}.{macro}({variable}, {extra}{inside})"

    def _map(self, depth: int) -> str:
        return f'{{"a": {self.whole(depth)}, "b": {self.whole(depth)}}}'

    def word(self) -> str:
        name = self._pick([each for each in self._names.values() if each.words])
        words = sorted(name.words or ())
        word = self._pick(words)
        return self._pick(
            [
                f'{name.path} == "{word}"',
                f'"{word}" == {name.path}',
                f'{name.path} != "{word}"',
                f'{name.path}.startsWith("{word[:3]}")',
                f'{name.path} in ["{word}", "{self._pick(words)}"]',
            ]
        )

    def _name(self, kind: Kind) -> str:
        return self._pick([each.path for each in self._names.values() if each.kind == kind])

    def _open_name(self) -> str:
        return self._pick([each.path for each in self._names.values() if each.kind == Kind.STRING and not each.words])

    def _comparison(self) -> str:
        return self._pick(["==", "!=", "<", "<=", ">", ">="])

    def _any_of(self, *choices: Callable[[], str]) -> str:
        return self._pick(choices)()

    def _pick(self, choices: Sequence[Choice]) -> Choice:
        return self._random.choice(choices)


def facts(random: Random, assessor: Assessor) -> Assessment:
    """Give facts at random, of every type of name."""
    given: dict[str, Any] = {}
    for name in readable(assessor).values():
        value: Any
        if name.kind == Kind.BOOL:
            value = random.random() < 0.5
        elif name.kind == Kind.INT:
            value = int(random.choice(INTS))
        elif name.kind == Kind.LIST:
            value = [random.choice(TEXTS) for _ in range(random.randrange(4))]
        else:
            value = random.choice(sorted(name.words) if name.words else TEXTS)
        node = given
        *parents, last = name.path.split(".")
        for parent in parents:
            node = node.setdefault(parent, {})
        node[last] = value
    made, wrong = assessment(assessor, given)
    assert made is not None, wrong
    return made


def activation(facts_: Assessment, assessor: Assessor) -> dict[str, Any]:
    """Give the facts as the CEL engine takes them: a flat mapping of plain values."""
    values: dict[str, Any] = {}
    for path, name in readable(assessor).items():
        value = operator.attrgetter(path)(facts_)
        values[path] = list(value) if name.kind == Kind.LIST else str(value) if name.kind == Kind.STRING else value
    return values


def interpreted(text: str, values: dict[str, Any], assessor: Assessor) -> bool | None:
    """Run an expression on the CEL engine: its value, or None for an error."""
    result = environment(assessor).compile(text).eval(data=values).value()
    return result if isinstance(result, bool) else None
