"""Where in a YAML file a character of one of its texts stands."""

from collections.abc import Sequence
from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from detectors.documents import Problem, line_of


def with_column(problem: Problem, document: Any) -> Problem:
    """Give a mistake its column: where its key or item begins, or that of the nearest parent that is there."""
    if problem.column or not problem.line:
        return problem
    node, column = document, 1
    for word in problem.path.split("."):
        key: int | str = int(word) if word.isdigit() else word
        if isinstance(node, CommentedMap) and key in node:
            column = node.lc.key(key)[1] + 1
        elif isinstance(node, CommentedSeq) and isinstance(key, int) and key < len(node):
            column = node.lc.item(key)[1] + 1
        else:
            break
        node = node[key]
    return problem._replace(column=column)


def place(source: str, document: Any, path: Sequence[int | str], value: str, offset: int) -> tuple[int, int]:
    """Give line and column (1-based) of the character at `offset` of the text at `path`.

    Folding changes nothing but white space, so the n-th other character of the value is the n-th in the file. Where
    that does not hold (escapes in quotes) the line of the value is given, with column 0.
    """
    lines = source.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    start = _start(document, path)
    if start is None:
        return line_of(document, path), 0
    line, column = start
    opening = lines[line][column : column + 1]
    if opening and opening in "|>":
        line, column = line + 1, 0
    elif opening and opening in "\"'":
        column += 1
    ahead = sum(not each.isspace() for each in value[:offset])
    wanted = [each for each in value if not each.isspace()]
    seen = 0
    last = (line + 1, column + 1)
    while line < len(lines) and seen <= ahead:
        for at in range(column, len(lines[line])):
            character = lines[line][at]
            if character.isspace():
                continue
            if seen == ahead and seen < len(wanted):
                return (line + 1, at + 1) if character == wanted[seen] else (start[0] + 1, 0)
            if seen >= len(wanted):
                return last
            if character != wanted[seen]:
                return start[0] + 1, 0
            seen += 1
            last = (line + 1, at + 2)
        line, column = line + 1, 0
    return last


def _start(document: Any, path: Sequence[int | str]) -> tuple[int, int] | None:
    node = document
    for key in path[:-1]:
        try:
            node = node[key]
        except (KeyError, IndexError, TypeError):
            return None
    if isinstance(node, CommentedMap) and path and path[-1] in node:
        line, column = node.lc.value(path[-1])
        return int(line), int(column)
    return None
