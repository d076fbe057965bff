"""The rule language: a typed subset of CEL, checked by the CEL compiler and run as Python closures.

The compiler gets every name of the schema as a dotted variable with its type. A misspelt field is then an undeclared
reference with a position, and no description in protobuf has to be kept beside the types.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

from cel_expr_python import cel

from detectors.assessment import Assessment
from detectors.rules.closures import close
from detectors.rules.conjuncts import Conjunct, conjuncts
from detectors.rules.names import Assessor, Kind, readable
from detectors.rules.subset import WORDS, Mistake, refusals, tested_names
from detectors.rules.tree import decode
from detectors.spelling import suggestion

MAX_EXPRESSION = 4_000
"""Characters that a person writes of an expression, at most."""
MAX_EXPANDED = 60_000
"""Characters of an expression with its lists and macros put in, at most."""


class Expression(NamedTuple):
    """A condition, ready to run."""

    text: str
    holds: Callable[[Assessment], bool]
    """Raises `arithmetic.EvaluationError` where CEL gives an error."""
    conjuncts: tuple[Conjunct, ...]
    """What must all hold, for the index of rules."""
    types: Mapping[int, str]
    """Static types of the tree's nodes."""


def compile_expression(text: str, assessor: Assessor) -> tuple[Expression | None, list[Mistake]]:
    """Check a condition against the names of its assessor and compile it; or give all its mistakes, in order."""
    if not text.strip():
        return None, [Mistake(0, "write a condition in CEL")]
    if len(text) > MAX_EXPANDED:
        return None, [Mistake(0, f"longer than {MAX_EXPANDED} characters with its lists and macros; split the rule")]
    if not text.isascii() and any(0xD800 <= ord(each) <= 0xDFFF for each in text):
        return None, [Mistake(0, "not Unicode text: a lone surrogate stands in it")]
    names, engine = readable(assessor), environment(assessor)
    try:
        compiled = engine.compile(text)
        tree = decode(compiled.serialize())
        parsed = decode(engine.compile(text, disable_check=True).serialize())
        mistakes = refusals(tree, names) + tested_names(parsed, names)
        if mistakes:
            return None, sorted(mistakes)
        kind = tree.types.get(tree.root.id, "unknown")
        if kind != "bool":
            return None, [Mistake(0, f"a condition is true or false, and this is {kind}")]
        return Expression(text, close(tree.root, tree.types), conjuncts(tree.root, tree.types, names), tree.types), []
    except RecursionError:
        return None, [Mistake(0, "nested too deeply; split the rule")]
    except RuntimeError as error:
        return None, _mistakes(str(error), text, frozenset(names))


@cache
def environment(assessor: Assessor) -> Any:
    """Give the CEL environment in which rules of this assessor are checked."""
    kinds = {
        Kind.BOOL: cel.Type.BOOL,
        Kind.INT: cel.Type.INT,
        Kind.STRING: cel.Type.STRING,
        Kind.LIST: cel.Type.List(cel.Type.STRING),
    }
    return cel.NewEnv(variables={each.path: kinds[each.kind] for each in readable(assessor).values()})


_ERROR = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*)")
_UNDECLARED = re.compile(r"undeclared reference to '([^']*)'")
_OVERLOAD = re.compile(r"found no matching overload for '([^']*)' applied to '\((.*)\)'")
_OPERATORS = {"@in": "in", "_?_:_": "? :", "_[_]": "[ ]"}


def _mistakes(report: str, text: str, names: frozenset[str]) -> list[Mistake]:
    found = []
    for line, column, message in _ERROR.findall(report):
        offset = _offset(text, int(line), int(column))
        undeclared = _UNDECLARED.match(message)
        if undeclared:
            word = undeclared[1]
            # The compiler points at the last dot of the name.
            before = word.rpartition(".")[0]
            if before and text[:offset].endswith(before):
                offset -= len(before)
            found.append(Mistake(offset, _unknown(word, names, is_function=text[offset : offset + 1] == "(")))
        else:
            found.append(Mistake(offset, _plain(message)))
    if found:
        return found
    is_deep = "recursion" in report
    return [Mistake(0, "nested too deeply; split the rule" if is_deep else "not an expression of the rule language")]


def _unknown(word: str, names: frozenset[str], *, is_function: bool) -> str:
    if is_function:
        return f"no function {word}{suggestion(word, WORDS)}; there are {', '.join(WORDS)}"
    return f"no name {word} for rules of this assessor{suggestion(word, names)}"


def _plain(message: str) -> str:
    overload = _OVERLOAD.match(message)
    if overload:
        operator = _OPERATORS.get(overload[1], overload[1].strip("_"))
        return f"`{operator}` cannot be used with ({overload[2]})"
    if message.startswith("Syntax error"):
        message = message.partition(" expecting ")[0].replace("'<EOF>'", "the end of the expression")
        hint = "; compare with ==" if "'= '" in message or "'='" in message else ""
        return message[0].lower() + message[1:] + hint
    return message.partition(" (in container")[0]


def _offset(text: str, line: int, column: int) -> int:
    lines = text.split("\n")
    return min(sum(len(each) + 1 for each in lines[: line - 1]) + column - 1, len(text))
