"""What is read quickly is read as ruamel.yaml reads it: the same values in the same places, or it is left to it."""

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from detectors.documents import load, plain
from detectors.plain_yaml import load_plain

_ROOT = Path(__file__).parents[2]
_SHIPPED = sorted(
    path
    for folder in ("detectors", "alerts", "monitor", "examples", "tests")
    for path in (_ROOT / folder).rglob("*.yaml")
)
_PIECES = [
    *(
        "a",
        "b: ",
        "b:",
        "c:1",
        "- ",
        "-",
        "? ",
        ": ",
        ":",
        ", ",
        ",",
        "{",
        "}",
        "[",
        "]",
        "#",
        " #",
        "# x",
        "\n",
        "\n  ",
        "\n    ",
    ),
    *(
        "'",
        '"',
        "''",
        "'a'",
        '"b"',
        "\\",
        "\\n",
        "\\x41",
        "\\/",
        "|",
        "|-",
        ">",
        ">+",
        "|2",
        "\n\n",
        " ",
        "  ",
        "\t",
        "\r\n",
    ),
    *(
        "&x ",
        "*x",
        "<<: ",
        "!t ",
        "!!str ",
        "---",
        "...",
        "\n---\n",
        "\n...\n",
        "%YAML 1.1\n",
        "%",
        "@",
        "`",
        "=",
        "~",
        "null",
    ),
    *(
        "NO",
        "yes",
        "on",
        "true",
        "True",
        "FALSE",
        "1",
        "-1",
        "+1",
        "01",
        "0o17",
        "0x1F",
        "0b1",
        "1_000",
        "1.5",
        "1.",
        ".5",
        "1e3",
    ),
    *(
        "1.5e3",
        ".inf",
        "-.INF",
        ".nan",
        "2026-01-31",
        "2026-02-30",
        "2026-1-1",
        "2026-01-31T10:00:00Z",
        "12:30:45",
        "-0",
        "-0.0",
    ),
    *(
        "é",
        "\u0085",
        "\u2028",
        "\ufeff",
        "\x07",
        "\U0001f600",
        "http://a.b/c?d=e",
        "a: b",
        "\n- a",
        "\na: 1",
        "\nb:\n  - c\n  - d",
    ),
]


def placed(node: Any) -> Any:
    """Give values and the places of all keys, values and items."""
    if isinstance(node, CommentedMap):
        return node.lc.line, node.lc.col, [(key, node.lc.data[key], placed(each)) for key, each in node.items()]
    if isinstance(node, CommentedSeq):
        return node.lc.line, node.lc.col, [(node.lc.data[index], placed(each)) for index, each in enumerate(node)]
    value = plain(node)
    return type(value), repr(value)


def same_or_left(text: str) -> bool:
    """Hold the quick reading against ruamel.yaml's. Tells whether there was one."""
    quick = load_plain(text)
    if quick is None:
        return False
    try:
        slow = YAML(typ="rt").load(text)
    except NotImplementedError:
        # It has no place for some comments. Without them there are no positions either.
        assert plain(quick) == plain(YAML(typ="safe", pure=True).load(text))
        return True
    assert placed(quick) == placed(slow)
    return True


@pytest.mark.parametrize("path", _SHIPPED, ids=lambda path: str(path.relative_to(_ROOT)))
def test_every_shipped_file_is_read_alike(path: Path) -> None:
    same_or_left(path.read_text(encoding="utf-8"))


def test_nothing_that_each_process_reads_is_left_to_the_slow_reader() -> None:
    packaged = [path for path in _SHIPPED if path.is_relative_to(_ROOT / "detectors")]
    assert len(packaged) > 100
    assert [path for path in packaged if load_plain(path.read_text(encoding="utf-8")) is None] == []


@given(some.lists(some.sampled_from(_PIECES), max_size=30).map("".join))
def test_whatever_is_composed_is_read_alike(text: str) -> None:
    same_or_left(text)


@given(some.sampled_from(_SHIPPED), some.lists(some.sampled_from(_PIECES), min_size=1, max_size=3), some.randoms())
def test_whatever_is_typed_into_a_file_is_read_alike(path: Path, typed: list[str], chance: random.Random) -> None:
    text = path.read_text(encoding="utf-8")
    # One passage: enough to change its meaning, and quick to read.
    lines = text.split("\n")
    first = chance.randrange(len(lines))
    text = "\n".join(lines[first : first + 12])
    for each in typed:
        at = chance.randrange(len(text) + 1)
        text = text[:at] + each + text[at + chance.randrange(3) :]
    same_or_left(text)


def test_a_comment_that_the_slow_reader_has_no_place_for_is_told() -> None:
    document, problems = load("a:  #:<<: \n  0x1F.nan%-\n\nb:\n", "f.yaml")
    assert document is None
    assert [str(each) for each in problems] == [
        "f.yaml: comments between a key and its value; give them lines above the key"
    ]
