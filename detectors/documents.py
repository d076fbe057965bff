"""What people write (YAML): read with positions, validated, all mistakes at once."""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from detectors.plain_yaml import load_plain
from detectors.spelling import suggestion

Model = TypeVar("Model", bound=BaseModel)


class Problem(NamedTuple):
    """A mistake in a file that a person wrote."""

    file: str
    line: int
    """1-based; 0 when it belongs to no line."""
    path: str
    """Dotted path in the document, or empty."""
    message: str
    column: int = 0
    """1-based; 0 when it belongs to no column."""

    def __str__(self) -> str:
        place = self.file
        if self.line:
            place += f":{self.line}"
        if self.column:
            place += f":{self.column}"
        return f"{place}: {self.path}: {self.message}" if self.path else f"{place}: {self.message}"


class Written(BaseModel):
    """Base of every model of a file that people write: unknown keys are mistakes, values do not change later."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


def load(text: str, file: str) -> tuple[Any, list[Problem]]:
    """Parse YAML 1.2 (`NO` stays a string, duplicate keys are mistakes). Gives None with the problems when it fails."""
    quick = load_plain(text)
    if quick is not None:
        return quick, []
    parser = YAML(typ="rt")
    parser.allow_duplicate_keys = False
    try:
        return parser.load(text), []
    except DuplicateKeyError as error:
        mark = error.problem_mark
        return None, [Problem(file, mark.line + 1, "", "the same key stands here twice", mark.column + 1)]
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        return None, [Problem(file, line, "", f"not YAML: {error.problem or error.context}", column)]
    except YAMLError:
        return None, [Problem(file, 0, "", "not YAML")]
    except ValueError:
        # The parser builds days itself, and lets the 30th of February fall through.
        return None, [
            Problem(file, _impossible_day(text), "", "a day or number that does not exist, such as 2026-02-30")
        ]
    except RecursionError:
        return None, [Problem(file, 0, "", "nested too deeply")]
    except NotImplementedError:
        # The parser keeps comments, and has no place for some of them.
        return None, [Problem(file, 0, "", "comments between a key and its value; give them lines above the key")]


_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)


def _impossible_day(text: str) -> int:
    """Find the first line with a day that no calendar has; 0 when there is none."""
    for number, line in enumerate(text.splitlines(), 1):
        for year, month, day in _DAY.findall(line):
            try:
                date(int(year), int(month), int(day))
            except ValueError:
                return number
    return 0


def validate(document: Any, file: str, model: type[Model], changed: Any = None) -> tuple[Model | None, list[Problem]]:
    """Check a loaded document against its model: the value, or every mistake with its line.

    What is checked is `changed`, where the document was changed after it was read; its lines are the document's.
    """
    if not isinstance(document, Mapping):
        return None, [Problem(file, 1, "", "expected a mapping of keys to values")]
    try:
        return model.model_validate(plain(document) if changed is None else changed), []
    except ValidationError as error:
        return None, [
            Problem(file, line_of(document, each["loc"]), ".".join(map(str, each["loc"])), _message(each, model))
            for each in _told(error)
        ]
    except RecursionError:
        return None, [Problem(file, 0, "", "nested too deeply")]


def _told(error: ValidationError) -> list[Any]:
    """Leave out that a list has too few items where mistakes in its items are told: those are why."""
    errors = error.errors(include_url=False, include_context=True)
    return [
        each
        for each in errors
        if each["type"] != "too_short"
        or not any(
            len(other["loc"]) > len(each["loc"]) and other["loc"][: len(each["loc"])] == each["loc"] for other in errors
        )
    ]


def read(text: str, file: str, model: type[Model]) -> tuple[Model | None, list[Problem]]:
    """Load and validate in one go."""
    document, problems = load(text, file)
    if problems:
        return None, problems
    return validate(document, file, model)


def line_of(document: Any, path: Sequence[int | str]) -> int:
    """Find the line (1-based) of a path; of its nearest parent where the key itself is missing."""
    line, node = 1, document
    if isinstance(node, CommentedMap | CommentedSeq):
        line = node.lc.line + 1
    for key in path:
        if isinstance(node, CommentedMap) and key in node:
            line = node.lc.key(key)[0] + 1
            node = node[key]
        elif isinstance(node, CommentedSeq) and isinstance(key, int) and key < len(node):
            line = node.lc.item(key)[0] + 1
            node = node[key]
        else:
            break
    return line


def plain(node: Any) -> Any:
    """Give the same data without positions, in built-in types."""
    if isinstance(node, Mapping):
        return {str(key): plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [plain(value) for value in node]
    if isinstance(node, bool):
        return node
    for builtin in (str, int, float):
        if isinstance(node, builtin):
            return builtin(node)
    return node


_HINTS = {
    "missing": "this key is required",
    "tuple_type": "needs a list: [one, two]",
    "string_type": "needs a text; put numbers, yes and no in quotes",
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "needs a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "needs a number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "needs true or false"),
}


def _message(error: Any, model: type[BaseModel]) -> str:
    kind, loc = error["type"], error["loc"]
    known = _HINTS.get(kind)
    if known:
        return known
    if kind == "extra_forbidden":
        return f"unknown key{suggestion(str(loc[-1]), _keys_beside(model, loc))}; remove it or correct its spelling"
    if kind == "too_short":
        return f"needs at least {error['ctx']['min_length']}, and has {error['ctx']['actual_length']}"
    message = str(error["msg"]).removeprefix("Value error, ")
    return message[0].lower() + message[1:]


def _keys_beside(model: type[BaseModel], loc: Sequence[int | str]) -> Collection[str]:
    """Give the keys that may stand where a path ends; none where the model leaves that open."""
    schema = model.model_json_schema()
    part: Any = schema
    for step in (*loc[:-1], None):
        options = [part, *part.get("anyOf", ())]
        objects = [schema["$defs"][each["$ref"].rpartition("/")[2]] if "$ref" in each else each for each in options]
        part = next((each for each in objects if "properties" in each or "items" in each), {})
        if step is not None:
            part = part.get("items", {}) if isinstance(step, int) else part.get("properties", {}).get(step, {})
    return tuple(part.get("properties", ()))
