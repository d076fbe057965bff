"""Random well-typed expressions of CEL's whole standard grammar: every operator, macro, literal and standard function.

Nothing here knows which part of it the rule language takes: what it refuses is counted.
"""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Final, TypeVar

from detectors.rules.names import Assessor, Kind, readable

Choice = TypeVar("Choice")

INTS = (
    "0",
    "1",
    "2",
    "-1",
    "3",
    "7",
    "-7",
    "0x10",
    "9223372036854775807",
    "-9223372036854775808",
    "4611686018427387904",
)
UINTS = ("0u", "1u", "2u", "7u", "0x10u", "18446744073709551615u", "9223372036854775808u")
DOUBLES = (
    "0.0",
    "1.0",
    "-1.5",
    "2.5",
    "1e3",
    "1.0e-7",
    "1e300",
    "123456789.125",
    ".5",
    "9223372036854775807.0",
    "-0.0",
)
TEXTS = ("", "a", "b", "ab", "advertising", "é", "\U0001f600", "Z")
TEXT_LITERALS = (*(f'"{each}"' for each in TEXTS), "'a'", '"""ab"""', r'r"\d"', r'"é"', r'"\x41\n"', "'\"'")
BYTES = ("b'a'", "b'ab'", "b''", r"b'\xff'", 'b"é"', r"br'\x'")
NUMBER_TEXTS = (
    "12",
    "-3",
    "+5",
    " 7 ",
    "",
    "x",
    "1.5",
    "1e2",
    "0x10",
    "9223372036854775808",
    "nan",
    "-inf",
    "1_0",
    "12u",
)
TRUTH_TEXTS = ("true", "True", "TRUE", "t", "1", "false", "f", "0", "yes", "", "tRUE")
MOMENT_TEXTS = (
    "2026-11-02T10:00:00Z",
    "2024-02-29T23:59:59.5Z",
    "1969-12-31T23:59:59.999Z",
    "2026-11-02T10:00:00+02:00",
    "2026-03-29T00:59:59.123456789-05:30",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999999Z",
    "2023-02-29T00:00:00Z",
    "2026-11-02",
    "2016-12-31T23:59:60Z",
    "2026-11-02t10:00:00z",
)
SPAN_TEXTS = (
    "1s",
    "1h30m",
    "-1.5s",
    "250ms",
    "1us",
    "1ns",
    "-90m",
    "87660000h",
    "2562047h",
    "0",
    "1d",
    "",
    "1.0015s",
    "0.5h",
)
ZONES = ("Europe/Berlin", "UTC", "America/New_York", "+02:00", "-05:30", "Nowhere/Land", "Asia/Kolkata")
PATTERNS = ("a", "^a$", "^ad.*g$", "[ab]+", "(?i)Z", "é|.", "", "[", "(a)(?=b)", r"\pL")
PARTS = (
    "getFullYear",
    "getMonth",
    "getDate",
    "getDayOfMonth",
    "getDayOfWeek",
    "getDayOfYear",
    "getHours",
    "getMinutes",
    "getSeconds",
    "getMilliseconds",
)
SCALARS = ("bool", "int", "uint", "double", "string", "bytes", "timestamp", "duration")
KEYS: Mapping[str, Sequence[str]] = {
    "string": ('"a"', '"b"', '"ab"', '"é"'),
    "int": ("0", "1", "-1"),
    "uint": ("0u", "1u"),
    "bool": ("true", "false"),
}
_DEPTHS: Final = (1, 2, 2, 3, 3, 4)


class Writer:
    """Writes expressions of a wanted type, from one source of randomness."""

    def __init__(self, random: Random, assessor: Assessor) -> None:
        self._random = random
        self._names = readable(assessor)
        self._variables: list[tuple[str, str]] = []

    def condition(self) -> str:
        """Write an expression that is true or false."""
        return self.of("bool", self._pick(_DEPTHS))

    def of(self, kind: str, depth: int) -> str:
        """Write an expression of a type: `int`, `list(string)`, `map(int, bool)`, `dyn`, …"""
        if kind.startswith("list("):
            return self._list(kind[5:-1], depth)
        if kind.startswith("map("):
            key, _, value = kind[4:-1].partition(", ")
            return self._map(key, value, depth)
        if depth <= 0:
            return self._leaf(kind)
        if self._random.random() < 0.1:
            return self._general(kind, depth - 1)
        choices: Mapping[str, Callable[[int], str]] = {
            "bool": self._truth,
            "int": self._whole,
            "uint": self._unsigned,
            "double": self._fraction,
            "string": self._text,
            "bytes": self._bytes,
            "timestamp": self._moment,
            "duration": self._span,
            "type": self._type,
            "null": lambda _less: "null",
            "dyn": self._dyn,
        }
        return choices[kind](depth - 1)

    def word(self) -> str:
        """Write a test of a name that has a list of words."""
        name = self._pick([each for each in self._names.values() if each.words])
        words = sorted(name.words or ())
        word = self._pick(words)
        return self._pick(
            [
                f'({name.path} == "{word}")',
                f'("{word}" == {name.path})',
                f'({name.path} != "{word}")',
                f'{name.path}.startsWith("{word[:3]}")',
                f'({name.path} in ["{word}", "{self._pick(words)}"])',
                f'({name.path} == "{word}" || {name.path} == "{self._pick(words)}")',
                f'!({name.path} == "{word}")',
            ]
        )

    def _leaf(self, kind: str) -> str:
        own = [name for name, of in self._variables if of == kind]
        if own and self._random.random() < 0.6:
            return self._pick(own)
        leaves: Mapping[str, Sequence[str]] = {
            "bool": ("true", "false", self._name(Kind.BOOL)),
            "int": (*INTS, self._name(Kind.INT)),
            "uint": UINTS,
            "double": DOUBLES,
            "string": (*TEXT_LITERALS, self._open_name(), self._open_name()),
            "bytes": BYTES,
            "timestamp": tuple(f'timestamp("{each}")' for each in MOMENT_TEXTS),
            "duration": tuple(f'duration("{each}")' for each in SPAN_TEXTS),
            "type": (*SCALARS[:6], "list", "map", "null_type", "google.protobuf.Timestamp", "google.protobuf.Duration"),
            "null": ("null",),
            "dyn": ("dyn(1)", 'dyn("a")', "dyn(1.0)", "dyn(true)", "dyn(1u)", "dyn(null)", "dyn([1])"),
        }
        return self._pick(leaves[kind])

    def _general(self, kind: str, less: int) -> str:
        """Write what gives any type: a choice, an item of a list, a value of a map."""
        key = self._pick(list(KEYS))
        return self._any_of(
            lambda: f"({self.of('bool', less)} ? {self.of(kind, less)} : {self.of(kind, less)})",
            lambda: f"{self._list(kind, less)}[{self._pick(['0', '1', '-1', self.of('int', less)])}]",
            lambda: f"{self._map(key, kind, less)}[{self.of(key, 0)}]",
            lambda: f"{self._map('string', kind, less)}.{self._pick(['a', 'b', 'ab'])}",
        )

    def _truth(self, less: int) -> str:
        scalar, any_kind = self._pick(SCALARS), self._kind()
        key = self._pick(list(KEYS))
        return self._any_of(
            lambda: f"({self.of('bool', less)} && {self.of('bool', less)} && {self.of('bool', less)})",
            lambda: f"({self.of('bool', less)} && {self.of('bool', less)})",
            lambda: f"({self.of('bool', less)} || {self.of('bool', less)})",
            lambda: f"!({self.of('bool', less)})",
            lambda: f"({self.of(scalar, less)} {self._comparison()} {self.of(scalar, less)})",
            lambda: f"({self.of(scalar, less)} {self._comparison()} {self.of(scalar, less)})",
            lambda: f"({self.of(any_kind, less)} {self._pick(['==', '!='])} {self.of(any_kind, less)})",
            lambda: f"({self.of('dyn', less)} {self._comparison()} {self.of(self._pick([*SCALARS, 'dyn']), less)})",
            lambda: (
                f"{self.of('string', less)}.{self._pick(['startsWith', 'endsWith', 'contains'])}({self.of('string', less)})"
            ),
            lambda: f"({self.of(scalar, less)} in {self._list(scalar, less)})",
            lambda: f"({self.of(key, less)} in {self._map(key, self._pick(SCALARS), less)})",
            lambda: f"has({self._map('string', self._pick(SCALARS), less)}.{self._pick(['a', 'b', 'ab'])})",
            lambda: self._macro(less),
            lambda: self._macro(less),
            lambda: f"{self.of('string', less)}.matches({self._pattern(less)})",
            lambda: f"bool({self._quoted(TRUTH_TEXTS)})",
            lambda: f"({self.of('type', less)} == {self.of('type', less)})",
            lambda: f"({self.of('dyn', less)} == null)",
            self._message if self._random.random() < 0.3 else self.word,
            self.word,
            self.word,
        )

    def _whole(self, less: int) -> str:
        sized = self._pick(["string", "bytes", "list(int)", "list(string)", "map(string, int)"])
        source = self._pick(["int", "uint", "double", "timestamp", "string"])
        return self._any_of(
            lambda: f"({self.of('int', less)} {self._pick(['+', '-', '*', '/', '%'])} {self.of('int', less)})",
            lambda: f"-({self.of('int', less)})",
            lambda: f"size({self.of(sized, less)})",
            lambda: f"{self.of(sized, less)}.size()",
            lambda: f"int({self.of(source, less)})",
            lambda: f"int({self._quoted(NUMBER_TEXTS)})",
            lambda: f"{self.of('timestamp', less)}.{self._pick(PARTS)}()",
            lambda: f"{self.of('timestamp', less)}.{self._pick(PARTS)}({self._quoted(ZONES)})",
            lambda: f"{self.of('duration', less)}.{self._pick(PARTS[6:])}()",
        )

    def _unsigned(self, less: int) -> str:
        source = self._pick(["int", "uint", "double"])
        return self._any_of(
            lambda: f"({self.of('uint', less)} {self._pick(['+', '-', '*', '/', '%'])} {self.of('uint', less)})",
            lambda: f"uint({self.of(source, less)})",
            lambda: f"uint({self._quoted(NUMBER_TEXTS)})",
        )

    def _fraction(self, less: int) -> str:
        source = self._pick(["int", "uint", "double"])
        return self._any_of(
            lambda: f"({self.of('double', less)} {self._pick(['+', '-', '*', '/'])} {self.of('double', less)})",
            lambda: f"-({self.of('double', less)})",
            lambda: f"double({self.of(source, less)})",
            lambda: f"double({self._quoted(NUMBER_TEXTS)})",
        )

    def _text(self, less: int) -> str:
        source = self._pick([*SCALARS])
        return self._any_of(
            lambda: f"({self.of('string', less)} + {self.of('string', less)})",
            lambda: f"string({self.of(source, less)})",
            lambda: self._leaf("string"),
        )

    def _bytes(self, less: int) -> str:
        return self._any_of(
            lambda: f"({self.of('bytes', less)} + {self.of('bytes', less)})",
            lambda: f"bytes({self.of(self._pick(['string', 'bytes']), less)})",
        )

    def _moment(self, less: int) -> str:
        return self._any_of(
            lambda: f"({self.of('timestamp', less)} {self._pick(['+', '-'])} {self.of('duration', less)})",
            lambda: f"({self.of('duration', less)} + {self.of('timestamp', less)})",
            lambda: f"timestamp({self.of(self._pick(['int', 'timestamp']), less)})",
            lambda: self._leaf("timestamp"),
        )

    def _span(self, less: int) -> str:
        return self._any_of(
            lambda: f"({self.of('duration', less)} {self._pick(['+', '-'])} {self.of('duration', less)})",
            lambda: f"({self.of('timestamp', less)} - {self.of('timestamp', less)})",
            lambda: self._leaf("duration"),
        )

    def _type(self, less: int) -> str:
        return f"type({self.of(self._kind(), less)})"

    def _dyn(self, less: int) -> str:
        kind = self._kind()
        return self._any_of(
            lambda: f"dyn({self.of(kind, less)})",
            lambda: f"dyn({self.of(kind, less)})",
            lambda: f"[{self.of(self._kind(), less)}, dyn({self.of(self._kind(), less)}), null][0]",
            lambda: f"dyn({self.of('dyn', less)} + {self.of(self._pick(['int', 'double', 'string', 'dyn']), less)})",
        )

    def _list(self, of: str, depth: int) -> str:
        less = depth - 1
        named = [self._name(Kind.LIST)] if of == "string" else []
        if depth <= 0:
            items = [self.of(of, 0) for _ in range(self._random.randrange(1, 3))]
            return self._pick([f"[{', '.join(items)}]", *named])
        return self._any_of(
            lambda: f"[{self.of(of, less)}, {self.of(of, less)}]",
            lambda: f"({self._list(of, less)} + {self._list(of, less)})",
            lambda: self._over(less, of, "filter", "bool"),
            lambda: self._over(less, self._pick(SCALARS), "map", of),
        )

    def _map(self, key: str, value: str, depth: int) -> str:
        less = max(depth - 1, 0)
        keys = self._random.sample(KEYS[key], 2)
        if self._random.random() < 0.02:
            keys[0] = self.of(key, 1)
        return f"{{{', '.join(f'{each}: {self.of(value, less)}' for each in keys)}}}"

    def _macro(self, less: int) -> str:
        name = self._pick(["all", "exists", "exists_one"])
        if self._random.random() < 0.15:
            key = self._pick(list(KEYS))
            return self._called(self._map(key, "int", less), key, less, name, "bool")
        return self._over(less, self._pick([*SCALARS, "string", "string"]), name, "bool")

    def _over(self, depth: int, of: str, macro: str, body: str) -> str:
        items = self._list(of, depth)
        if self._random.random() < 0.03:
            items = f"dyn({items})"
            of = "dyn"
        return self._called(items, of, depth, macro, body)

    def _called(self, items: str, of: str, depth: int, macro: str, body: str) -> str:
        # The same name twice hides the outer variable.
        variable = self._pick(["x", "y"])
        outer = self._variables
        self._variables = [each for each in outer if each[0] != variable] + [(variable, of)]
        inside = self.of(body, depth)
        extra = f"{self.of('bool', 0)}, " if macro == "map" and self._random.random() < 0.3 else ""
        self._variables = outer
        return f"{items}.{macro}({variable}, {extra}{inside})"

    def _pattern(self, less: int) -> str:
        if self._random.random() < 0.9:
            return f"r'{self._pick(PATTERNS)}'"
        return self.of("string", less)

    def _message(self) -> str:
        number = self._pick(INTS)
        return self._pick(
            [
                f"(google.protobuf.Int64Value{{value: {number}}} == {number})",
                "(google.protobuf.Timestamp{seconds: 1} == timestamp(1))",
            ]
        )

    def _kind(self) -> str:
        return self._pick(
            [
                *SCALARS,
                "null",
                "list(int)",
                "list(string)",
                "list(double)",
                "map(string, int)",
                "map(int, double)",
                "dyn",
            ]
        )

    def _name(self, kind: Kind) -> str:
        return self._pick([each.path for each in self._names.values() if each.kind == kind])

    def _open_name(self) -> str:
        return self._pick([each.path for each in self._names.values() if each.kind == Kind.STRING and not each.words])

    def _comparison(self) -> str:
        return self._pick(["==", "!=", "<", "<=", ">", ">="])

    def _quoted(self, texts: Sequence[str]) -> str:
        return f'"{self._pick(texts)}"'

    def _any_of(self, *choices: Callable[[], str]) -> str:
        return self._pick(choices)()

    def _pick(self, choices: Sequence[Choice]) -> Choice:
        return self._random.choice(choices)
