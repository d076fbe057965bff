"""The manifest of a pack (`<pack>/pack.yaml`): its version, and the lists and macros that its rules share.

A rule writes `lists.name` and `macros.name` in its conditions. They are put in before the condition is checked, and
every place in the longer text is known as a place in the file that a person wrote.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NamedTuple

from pydantic import Field, StringConstraints

from detectors import documents
from detectors.documents import Problem, Written, line_of
from detectors.rules.model import Sentence, Version
from detectors.rules.positions import place, with_column
from detectors.spelling import suggestion

FILE = "pack.yaml"
_MAX_ITEMS = 1_000
_MAX_DEPTH = 8
_Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]


class PackFile(Written):
    """What the rules of a folder have in common."""

    pack: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$", max_length=60)] = Field(
        description="The folder's name, with which the ids of its rules begin."
    )
    title: Sentence = Field(description="What the pack is about, in a few words.")
    version: Version = Field(description="Semantic version of the pack as a whole.")
    lists: dict[_Name, tuple[str | int, ...]] = Field(
        default={}, description="Values that several rules compare with: `flow.recipient in lists.name`."
    )
    macros: dict[_Name, str] = Field(
        default={}, description="Conditions, or parts of them, that several rules share: `macros.name && …`."
    )


class Part(NamedTuple):
    """A piece of an expanded condition, and where it was written."""

    text: str
    macro: str
    """The macro that it stands in; empty: the condition itself."""
    offset: int
    """Of its first character, in the macro or the condition."""
    is_verbatim: bool
    """Each of its characters stands there; otherwise it stands for the reference at `offset`."""


class Expanded(NamedTuple):
    """A condition with its lists and macros put in."""

    text: str
    parts: tuple[Part, ...]

    def origin(self, offset: int) -> tuple[str, int]:
        """Give the macro (empty: the condition) and the place in it, of a place in the expanded text."""
        for part in self.parts:
            if offset < len(part.text):
                return part.macro, part.offset + (offset if part.is_verbatim else 0)
            offset -= len(part.text)
        last = self.parts[-1] if self.parts else Part("", "", 0, is_verbatim=True)
        return last.macro, last.offset + (len(last.text) if last.is_verbatim else 0)


class Unknown(NamedTuple):
    """A reference to a list or macro that the pack does not have, or a macro that leads to itself."""

    macro: str
    offset: int
    message: str


_WORD = re.compile(
    r"""(?P<text>(?:[rRbB]{0,2})(?:\"\"\"(?:\\.|[^\\])*?\"\"\"|'''(?:\\.|[^\\])*?'''|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'))"""
    r"|(?<![\w.])(?P<kind>lists|macros)\.(?P<name>\w+)",
    re.DOTALL,
)
"""A quoted text, in which nothing is a reference, or a reference."""


class Pack(NamedTuple):
    """A manifest, ready to be used by rules."""

    file: str
    written: PackFile
    text: str
    document: Any

    def expand(self, condition: str) -> tuple[Expanded, list[Unknown]]:
        """Put lists and macros into a condition."""
        unknown: list[Unknown] = []
        parts = self._expand(condition, "", (), unknown)
        return Expanded("".join(part.text for part in parts), tuple(parts)), unknown

    def problem(self, macro: str, offset: int, message: str) -> Problem:
        """Give a mistake inside a macro with its place in the file."""
        line, column = place(self.text, self.document, ("macros", macro), self.written.macros[macro], offset)
        return Problem(self.file, line, f"macros.{macro}", message, column)

    def _expand(self, text: str, macro: str, inside: tuple[str, ...], unknown: list[Unknown]) -> list[Part]:
        parts: list[Part] = []
        done = 0
        for found in _WORD.finditer(text):
            if found["text"] is not None:
                continue
            parts.append(Part(text[done : found.start()], macro, done, is_verbatim=True))
            done = found.end()
            parts += self._referred(found, macro, inside, unknown)
        parts.append(Part(text[done:], macro, done, is_verbatim=True))
        return [part for part in parts if part.text]

    def _referred(
        self, found: re.Match[str], macro: str, inside: tuple[str, ...], unknown: list[Unknown]
    ) -> list[Part]:
        kind, name, at = found["kind"], found["name"], found.start()
        known: Mapping[str, Any] = self.written.lists if kind == "lists" else self.written.macros
        if name not in known:
            hint = suggestion(name, known) or ("" if known else f"; the pack has no {kind}")
            unknown.append(Unknown(macro, at, f"no {kind}.{name} in {self.file}{hint}"))
        elif kind == "lists":
            items = ", ".join(json.dumps(each, ensure_ascii=False) for each in self.written.lists[name])
            return [Part(f"[{items}]", macro, at, is_verbatim=False)]
        elif name in inside or len(inside) >= _MAX_DEPTH:
            unknown.append(Unknown(macro, at, f"macros.{name} leads to itself"))
        else:
            body = self._expand(self.written.macros[name], name, (*inside, name), unknown)
            return [
                Part("(", macro, at, is_verbatim=False),
                *body,
                Part(")", macro, at, is_verbatim=False),
            ]
        # Something of a fitting type, so that nothing more is said of the same place.
        return [Part("[]" if kind == "lists" else "false", macro, at, is_verbatim=False)]


def references(text: str) -> list[str]:
    """Give the lists and macros that a condition names, such as `lists.vendors`."""
    return [found[0] for found in _WORD.finditer(text) if found["text"] is None]


def pack_of(file: str) -> str:
    """Give the pack of a file: its folder's name; empty where it lies in none."""
    return file.replace("\\", "/").rpartition("/")[0].rpartition("/")[2]


def is_pack(file: str) -> bool:
    """Say whether a file is a manifest."""
    return file.replace("\\", "/").rpartition("/")[2] == FILE


def read_packs(files: Mapping[str, str]) -> tuple[dict[str, Pack], list[Problem]]:
    """Read all manifests, by the pack's name; or give every mistake in them."""
    packs: dict[str, Pack] = {}
    problems: list[Problem] = []
    for file in sorted(file for file in files if is_pack(file)):
        document, found = documents.load(files[file], file)
        written: PackFile | None = None
        if not found:
            written, found = documents.validate(document, file, PackFile)
        problems += [with_column(each, document) for each in found]
        if written is None:
            continue
        pack = Pack(file, written, files[file], document)
        problems += [with_column(each, document) for each in _mistakes(pack)]
        if written.pack in packs:
            other = packs[written.pack].file
            problems.append(Problem(file, line_of(document, ("pack",)), "pack", f"{other} is the same pack's manifest"))
        packs[written.pack] = pack
    return packs, problems


def _mistakes(pack: Pack) -> list[Problem]:
    written, problems = pack.written, list[Problem]()

    def say(path: Sequence[int | str], message: str) -> None:
        problems.append(Problem(pack.file, line_of(pack.document, path), ".".join(map(str, path)), message))

    folder = pack_of(pack.file)
    if folder and written.pack != folder:
        say(("pack",), f"the folder is named {folder}; a pack has its folder's name")
    for name, items in written.lists.items():
        if not items:
            say(("lists", name), "an empty list; remove it, or put something in")
        elif len({type(each) for each in items}) > 1:
            say(("lists", name), "texts and numbers do not mix in one list")
        elif len(items) > _MAX_ITEMS:
            say(("lists", name), f"more than {_MAX_ITEMS} items")
        elif len(set(items)) < len(items):
            say(("lists", name), "an item stands here twice")
    for name in written.macros:
        _expanded, unknown = pack.expand(f"macros.{name}")
        # What a macro inside this one gets wrong is told of that macro itself.
        problems += [pack.problem(each.macro, each.offset, each.message) for each in unknown if each.macro == name]
    return problems


def schema_text() -> str:
    """Give the JSON Schema of a manifest, for editors: the content of `pack.schema.json`."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **PackFile.model_json_schema()}
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
