"""The tutorial for rules, run as it is written: its files, its edits, its commands."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "tutorial-rules.md"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.timeout(900)
def test_the_tutorial_does_what_it_says(tmp_path: Path) -> None:
    said: list[str] = []
    for language, text in _BLOCK.findall(PAGE.read_text()):
        if language == "yaml":
            write(tmp_path, text)
        said += [run(tmp_path, line) for line in text.splitlines() if language == "sh"]
    joined = "\n".join(said)
    assert "3 tests of 1 rules, 0 failed." in joined
    first, second, third = (each for each in said if "records judged by" in each)
    assert "No difference" in first
    assert re.search(r"Findings: \d+ new\.", second)
    assert "1 new, 0 lost" in second
    # By then the rule is among the configured ones.
    assert "No difference" in third
    assert "acme.session-replay is live for 10% of its episodes." in joined
    assert "acme.session-replay is live." in joined
    rule = (tmp_path / "try" / "rules" / "acme" / "acme.session-replay.yaml").read_text()
    draft = (tmp_path / "draft" / "acme" / "acme.session-replay.yaml").read_text()
    assert rule == draft.replace("mode: shadow", "mode: live")
    (preview,) = (each for each in said if each.startswith("hotjar-in-the-cart covers"))
    covered, total = map(int, re.findall(r"covers (\d+) of (\d+) findings", preview)[0])
    assert covered == total > 0
    page = (tmp_path / "try" / "report.html").read_text()
    assert "acme.session-replay" in page


def write(folder: Path, text: str) -> None:
    """Do what the first comment of a block says: write a file, or change a piece of one."""
    verb, _, name = text.splitlines()[0].removeprefix("# ").partition(": ")
    file = folder / name
    if verb == "file":
        file.write_text(text.partition("\n")[2])
        return
    old, new = (line.partition(": ")[2].replace("\\n", "\n") for line in text.splitlines()[1:3])
    content = file.read_text()
    assert verb == "edit"
    assert content.count(old) == 1
    file.write_text(content.replace(old, new))


def run(folder: Path, line: str) -> str:
    words = shlex.split(line)
    if words[0] == "privacy-monitor":
        words[:1] = [sys.executable, "-m", "monitor"]
    done = subprocess.run(words, cwd=folder, capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, f"{line}\n{done.stdout.decode()}{done.stderr.decode()}"
    return done.stdout.decode()
