"""Mistakes in rule files, in the forms that people, editors and continuous integration read."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import orjson

from detectors.documents import Problem
from monitor.context import VERSION

_RULE = "rule-file"


class Form(StrEnum):
    """How mistakes are written."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"


def written(problems: Sequence[Problem], form: Form) -> str:
    """Give all mistakes in one of the forms, without a line end; text is empty where there are none."""
    if form is Form.JSON:
        return _json([each._asdict() for each in problems])
    if form is Form.SARIF:
        return _json(_sarif(problems))
    return "\n".join(map(str if form is Form.TEXT else _annotation, problems))


def _json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def _sarif(problems: Sequence[Problem]) -> dict[str, Any]:
    """Follow SARIF 2.1.0 (OASIS): lines and columns count from 1, and what has none is left out."""
    return {
        "version": "2.1.0",
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "privacy-monitor rules lint",
                        "version": VERSION,
                        "rules": [{"id": _RULE, "shortDescription": {"text": "A rule file must be valid"}}],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(each) for each in problems],
            }
        ],
    }


def _result(problem: Problem) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": Path(problem.file).as_posix()}}
    if problem.line:
        place["region"] = {"startLine": problem.line}
        if problem.column:
            place["region"]["startColumn"] = problem.column
    text = f"{problem.path}: {problem.message}" if problem.path else problem.message
    return {
        "ruleId": _RULE,
        "level": "error",
        "message": {"text": text},
        "locations": [{"physicalLocation": place}],
    }


def _annotation(problem: Problem) -> str:
    """Write a workflow command of GitHub Actions; its characters of structure are percent-encoded in values."""
    parts = [f"file={_property(problem.file)}"]
    if problem.line:
        parts.append(f"line={problem.line}")
    if problem.column:
        parts.append(f"col={problem.column}")
    text = f"{problem.path}: {problem.message}" if problem.path else problem.message
    return f"::error {','.join(parts)}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
