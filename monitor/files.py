"""Files that people write and files that are shipped: read, checked for what can be told at once, and anchored."""

import os
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import BaseModel

from detectors import documents
from detectors.documents import Problem
from detectors.spelling import suggestion
from monitor import environment
from monitor.config import Config, KafkaConfig
from monitor.secret import Secret
from topics.adapters import ADAPTERS

Value = TypeVar("Value")


class ConfigProblems(Exception):
    """Mistakes in what people wrote: all that were found, each in one line."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = list(problems)


class Unreadable(ConfigProblems):
    """A file that was named is not there or cannot be read, so there was nothing to look at."""


def read_config(file: Path) -> Config:
    """Read the configuration, and over it the environment; paths are relative to the file's folder. Raises ConfigProblems."""
    try:
        text = read_text(file)
    except OSError as error:
        raise Unreadable([Problem(str(file), 0, "", f"cannot be read ({error.strerror})")]) from None
    document, problems = documents.load(text, str(file))
    settings, more = environment.settings_in(os.environ)
    if problems or more:
        raise ConfigProblems([*problems, *more])
    values = environment.overlaid(document, settings)
    config, problems = documents.validate(document, str(file), Config, values)
    problems += _source_mistakes(document, values, str(file))
    if config is None or problems:
        told = [environment.blamed(each, settings) for each in problems]
        raise ConfigProblems(sorted({*told, *_absent(document, file)}))
    return _anchored(config, file.parent)


def _absent(document: Any, file: Path) -> list[Problem]:
    """Find what a document names and is not there, when the document itself is too wrong to be followed."""
    if not isinstance(document, Mapping):
        return []
    named: list[tuple[tuple[str | int, ...], Any]] = [
        ((key,), document.get(key)) for key in ("register", "needs", "baseline")
    ]
    for key in ("rules", "law", "exemptions"):
        folders_named = document.get(key)
        if isinstance(folders_named, list):
            named += [((key, index), each) for index, each in enumerate(folders_named)]
    return [
        mistake(str(file), path, f"{file.parent / name}: there is no such file or folder")
        for path, name in named
        if isinstance(name, str) and not (file.parent / name).exists()
    ]


def client_settings(config: KafkaConfig, file: str = "monitor.yaml") -> dict[str, Any]:
    """Give librdkafka's settings with the secrets filled in. Raises ConfigProblems."""
    problems: list[Problem] = []
    settings: dict[str, Any] = {"bootstrap.servers": config.bootstrap_servers, **config.client}
    for name, secret in config.secrets.items():
        settings[name] = read_secret(secret, file, ("kafka", "secrets", name), problems)
    if problems:
        raise ConfigProblems(problems)
    return settings


def mistake(file: str, path: tuple[str | int, ...], message: str) -> Problem:
    """Give a mistake in a configuration that was read before, with the line of the path in it."""
    try:
        document, _ = documents.load(read_text(Path(file)), file)
    except OSError:
        document = None
    line = documents.line_of(document, path) if document is not None else 0
    return Problem(file, line, ".".join(map(str, path)), message)


def read_secret(secret: Secret, file: str, path: tuple[str | int, ...], problems: list[Problem]) -> str | None:
    """Read a secret from where the configuration says it is kept; its text is in no message."""
    if secret.env is not None:
        value = os.environ.get(secret.env)
        if not value:
            problems.append(mistake(file, (*path, "env"), f"the environment has no variable {secret.env}"))
        return value or None
    try:
        value = read_text(Path(secret.file or "")).rstrip("\r\n")
    except OSError as error:
        problems.append(mistake(file, (*path, "file"), f"{secret.file} cannot be read ({error.strerror})"))
        return None
    if not value:
        problems.append(mistake(file, (*path, "file"), f"{secret.file} is empty"))
    return value or None


def folders(paths: Sequence[Path], file: str, key: str, problems: list[Problem]) -> dict[str, str]:
    """Read the YAML files of folders that a key of the configuration lists, and of the folders in them."""
    found: dict[str, str] = {}
    for index, folder in enumerate(paths):
        if not folder.is_dir():
            problems.append(mistake(file, (key, index), f"{folder}: there is no such folder"))
            continue
        for each in yaml_files(folder):
            try:
                found[str(each)] = read_text(each)
            except OSError as error:
                problems.append(Problem(str(each), 0, "", f"cannot be read ({error.strerror})"))
    return found


def yaml_files(folder: Path) -> list[Path]:
    """List the YAML files of a folder and of those in it, links followed, but for hidden ones.

    Kubernetes shows a ConfigMap as links into a hidden folder beside them: there each file would be found again.
    """
    found: list[Path] = []
    walked: set[str] = set()
    for where, names, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(where)
        again = real in walked
        walked.add(real)
        names[:] = [name for name in names if not again and not name.startswith(".")]
        found += [Path(where, name) for name in files if not again and name.endswith((".yaml", ".yml"))]
    return sorted(found)


def package_files(package: str, suffix: str) -> dict[str, str]:
    """Read the data files of a package and its folders, by path from the top level."""
    found: dict[str, str] = {}
    pending = [(package.replace(".", "/"), resources.files(package))]
    while pending:
        path, folder = pending.pop()
        for entry in folder.iterdir():
            if entry.is_dir():
                pending.append((f"{path}/{entry.name}", entry))
            elif entry.name.endswith(suffix):
                found[f"{path}/{entry.name}"] = entry.read_text(encoding="utf-8")
    return found


def shipped_text(name: str) -> tuple[str, str]:
    """Give the text of a table that classifies, and its path from the top level."""
    file = resources.files("detectors.classify").joinpath(name)
    return file.read_text(encoding="utf-8"), f"detectors/classify/{name}"


def read_text(file: Path) -> str:
    """Read a text file. Raises OSError whose `strerror` says in words why it cannot be read."""
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise OSError(0, "not UTF-8") from None
    except ValueError:
        raise OSError(0, "no path can have this name") from None


def _source_mistakes(document: Any, values: Any, file: str) -> list[Problem]:
    """Find what is wrong with sources beyond their shape: unknown adapters, and topics that cannot be sources."""
    sources = values.get("sources") if isinstance(values, Mapping) else None
    problems: list[Problem] = []
    seen: dict[str, int] = {}
    for index, source in enumerate(sources if isinstance(sources, list) else ()):
        if not isinstance(source, Mapping):
            continue

        def say(key: str, message: str, index: int = index) -> None:
            path = ("sources", index, key)
            problems.append(Problem(file, documents.line_of(document, path), ".".join(map(str, path)), message))

        adapter, topic = source.get("adapter"), source.get("topic")
        if isinstance(adapter, str) and adapter not in ADAPTERS:
            say(
                "adapter",
                f"unknown adapter `{adapter}`{suggestion(str(adapter), ADAPTERS)}; there are {', '.join(sorted(ADAPTERS))}",
            )
        if not isinstance(topic, str):
            continue
        if topic in seen:
            say("topic", f"topic {topic} is listed twice, first in line {seen[topic]}")
        if topic.startswith("privacy."):
            say("topic", f"{topic} is a topic of the monitor itself, not a source")
        seen.setdefault(topic, documents.line_of(document, ("sources", index, "topic")))
    return problems


def _anchored(value: Value, folder: Path) -> Value:
    """Give a value of the configuration with every path in it, however deep, beginning at a folder."""
    anchored: Any = value
    if isinstance(value, Path):
        anchored = folder / value
    elif isinstance(value, BaseModel):
        anchored = value.model_copy(
            update={name: _anchored(getattr(value, name), folder) for name in type(value).model_fields}
        )
    elif isinstance(value, tuple):
        anchored = tuple(_anchored(each, folder) for each in value)
    elif isinstance(value, dict):
        anchored = {key: _anchored(each, folder) for key, each in value.items()}
    return cast("Value", anchored)
