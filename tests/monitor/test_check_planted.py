"""`privacy-monitor check` on a copy of the whole pack and a register, with one mistake planted at a time.

The kinds themselves are those of the tests of pack and register, which try each of them on the readers alone. Here a few
go through the command as a user runs it; `CHECK_PLANTED=all` runs every kind, and `-s` prints what was told.
"""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from monitor.cli import app
from tests.detectors.law.shipped import ROOT
from tests.detectors.law.test_pack_mistakes import PLANTED as IN_THE_PACK
from tests.detectors.law.test_pack_mistakes import Planted
from tests.detectors.test_register import PLANTED as IN_THE_REGISTER
from tests.detectors.test_register import REGISTER

EVERY = 1 if os.environ.get("CHECK_PLANTED") == "all" else 16
CONFIG = """\
kafka: {bootstrap_servers: localhost:9092}
shop: {domains: [shop.example]}
sources: [{topic: shop.events, adapter: segment}]
subjects: {secret: {file: subject.key}}
register: register.yaml
law: [law]
"""


def checked(folder: Path, *, law: dict[str, str] | None = None, register: str = REGISTER) -> tuple[int, list[str]]:
    """Run the command in a folder of its own; give its exit code and its lines without the folder's name."""
    for name, text in {"monitor.yaml": CONFIG, "register.yaml": register, **(law or {})}.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    (folder / "law").mkdir(exist_ok=True)
    (folder / "subject.key").write_text("a key of the tests, longer than sixteen bytes", encoding="utf-8")
    done = CliRunner().invoke(app, ["check", "--config", str(folder / "monitor.yaml")])
    return done.exit_code, [line.replace(f"{folder}/", "") for line in done.output.splitlines()]


def test_there_are_more_than_forty_kinds_of_each() -> None:
    kinds = {each.name for each in IN_THE_PACK}
    print(f"{len(kinds)} kinds in the pack, {len(IN_THE_REGISTER)} in the register")  # noqa: T201 - what the test is for
    assert len(kinds) > 40
    assert len(set(IN_THE_REGISTER)) > 40


def test_a_sound_copy_passes(tmp_path: Path) -> None:
    copy = {
        f"law/{name}": (ROOT / name).read_text(encoding="utf-8") for name in ("jurisdictions/de.yaml", "sources.yaml")
    }
    code, lines = checked(tmp_path, law=copy)
    assert (code, len(lines)) == (0, 1)
    assert lines[0].endswith("No mistakes.")


@pytest.mark.parametrize("planted", IN_THE_PACK[::EVERY], ids=lambda each: each.name)
def test_a_mistake_in_a_copy_of_the_pack_is_told_with_file_and_line(planted: Planted, tmp_path: Path) -> None:
    text = (ROOT / planted.file).read_text(encoding="utf-8")
    assert planted.old in text
    wrong = text.replace(planted.old, planted.new, 1)
    code, lines = checked(tmp_path, law={f"law/{planted.file}": wrong})
    print(f"{planted.name}: {lines}")  # noqa: T201 - see the docstring
    assert code == 1
    told = [line for line in lines if planted.says in line and line.startswith(f"law/{planted.file}:")]
    assert told
    numbers = {int(line.removeprefix(f"law/{planted.file}:").partition(":")[0]) for line in told}
    assert any(planted.at in wrong.splitlines(keepends=True)[number - 1] for number in numbers)


@pytest.mark.parametrize(("old", "new", "line", "says"), IN_THE_REGISTER[::EVERY])
def test_a_mistake_in_a_register_is_told_with_file_and_line(
    old: str, new: str, line: int, says: str, tmp_path: Path
) -> None:
    code, lines = checked(tmp_path, register=REGISTER.replace(old, new, 1))
    print(f"{new!r}: {lines}")  # noqa: T201 - see the docstring
    assert code == 1
    assert any(each.startswith(f"register.yaml:{line}") and says in each for each in lines), lines
