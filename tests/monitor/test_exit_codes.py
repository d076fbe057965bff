"""Alike mistakes end alike, whichever command meets them, as docs/exit-codes.md says."""

import json
import re
import sys
from pathlib import Path

import pytest

from monitor.cli import main
from monitor.processes import EXIT_TRY_AGAIN, EXIT_UNTOLD, EXIT_USAGE

_PAGE = Path(__file__).parents[2] / "docs" / "exit-codes.md"


def ended(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr(sys, "argv", ["privacy-monitor", *map(str, words)])
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0)


def har(tmp_path: Path, entries: int) -> Path:
    request = {
        "method": "GET",
        "url": "https://www.facebook.com/tr?id=1&ev=PageView",
        "headers": [{"name": "Referer", "value": "https://www.shop.example/"}],
    }
    entry = {"startedDateTime": "2026-11-01T12:00:00Z", "request": request, "response": {"status": 200}}
    file = tmp_path / "page.har"
    file.write_text(json.dumps({"log": {"version": "1.2", "pages": [], "entries": [entry] * entries}}))
    return file


@pytest.mark.parametrize(
    "words",
    [
        ("check", "--config"),
        ("run", "--config"),
        ("alerts", "--config"),
        ("notify", "--config"),
        ("top", "--config"),
        ("topics", "create", "--config"),
        ("canary", "--config"),
        ("audit", "--config"),
        ("inspect",),
        ("explain",),
        ("export", "--file"),
        ("register", "check"),
        ("register", "expiring"),
        ("rules", "lint"),
        ("rules", "test"),
        ("law", "show", "US-CA", "--law"),
    ],
    ids=" ".join,
)
def test_a_file_that_is_named_and_absent_is_told_in_one_line_and_ends_with_64(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(monkeypatch, *words, tmp_path / "absent") == EXIT_USAGE
    told = capsys.readouterr()
    assert told.out == ""
    assert len(told.err.splitlines()) == 1
    assert told.err.startswith("privacy-monitor: ")
    assert "absent" in told.err


def test_an_unknown_option_is_wrong_use_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for words in (("check",), ("inspect", "x"), ("rules", "lint"), ("law", "show", "US-CA"), ("export",)):
        assert ended(monkeypatch, *words, "--no-such-option") == 2


def test_a_capture_that_was_read_to_its_end_is_judged_by_what_was_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ended(monkeypatch, "inspect", har(tmp_path, 3), "--fail-on", "critical") == 0


def test_a_capture_that_breaks_off_is_no_clean_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = har(tmp_path, 3)
    file.write_text(file.read_text()[:-40])
    assert ended(monkeypatch, "inspect", file, "--fail-on", "critical") == EXIT_UNTOLD
    assert "not a clean result" in capsys.readouterr().err
    assert ended(monkeypatch, "inspect", file, "--fail-on", "never") == 0


def test_a_capture_without_anything_to_judge_is_no_clean_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ended(monkeypatch, "inspect", har(tmp_path, 0), "--fail-on", "critical") == EXIT_UNTOLD


def test_the_page_lists_each_code_of_the_program() -> None:
    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", _PAGE.read_text(encoding="utf-8"), re.MULTILINE)}
    assert listed == {0, 1, 2, EXIT_UNTOLD, EXIT_USAGE, EXIT_TRY_AGAIN, 130}
