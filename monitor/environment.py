"""Settings from the environment: `PRIVMON_KAFKA__BOOTSTRAP_SERVERS` sets `kafka.bootstrap_servers`, over the file."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from detectors import documents
from detectors.documents import Problem

PREFIX = "PRIVMON_"
_BETWEEN = "__"


class Setting(NamedTuple):
    """One setting that the environment gives."""

    variable: str
    path: tuple[str, ...]
    value: Any


def settings_in(environment: Mapping[str, str]) -> tuple[list[Setting], list[Problem]]:
    """Find the settings in an environment, in the order of their names.

    A value is text as it stands; `null` is no value; one that begins with `[` or `{` is YAML.
    """
    found: list[Setting] = []
    problems: list[Problem] = []
    for variable in sorted(environment):
        if not variable.startswith(PREFIX):
            continue
        path = tuple(variable.removeprefix(PREFIX).lower().split(_BETWEEN))
        value, mistakes = _value(variable, environment[variable])
        if not all(path):
            mistakes = [Problem(variable, 0, "", "names no setting; write PRIVMON_KAFKA__GROUP for kafka.group")]
        problems += mistakes
        if not mistakes:
            found.append(Setting(variable, path, value))
    return found, problems


def overlaid(document: Any, settings: list[Setting]) -> Any:
    """Give the document with the settings in it; mappings are merged, all else is replaced."""
    result = documents.plain(document)
    for each in settings:
        change = each.value
        for key in reversed(each.path):
            change = {key: change}
        result = _merged(result, change)
    return result


def blamed(problem: Problem, settings: list[Setting]) -> Problem:
    """Give a mistake under the name of the variable that made it, where one did."""
    path = tuple(problem.path.split("."))
    for each in settings:
        shorter = min(len(path), len(each.path))
        # A key that is unknown is told at its own place, and the variable may go on below it.
        if path[:shorter] == each.path[:shorter]:
            return problem._replace(file=each.variable, line=0, column=0)
    return problem


def _value(variable: str, text: str) -> tuple[Any, list[Problem]]:
    if text == "null":
        return None, []
    if not text.startswith(("[", "{")):
        return text, []
    value, problems = documents.load(text, variable)
    return documents.plain(value), problems


def _merged(base: Any, change: Any) -> Any:
    if not isinstance(base, Mapping) or not isinstance(change, Mapping):
        return change
    return {**base, **{key: _merged(base.get(key), value) for key, value in change.items()}}
