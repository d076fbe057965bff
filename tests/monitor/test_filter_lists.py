"""Lists that an operator brings, from the configuration to what is known of a request."""

import sys
from pathlib import Path

import pytest

from monitor.files import ConfigProblems
from tests.monitor.test_optional import loaded


def lists(folder: Path, text: str, kind: str = "hosts") -> dict[str, object]:
    (folder / "list.txt").write_text(text, encoding="utf-8")
    return {"lists": [{"path": str(folder / "list.txt"), "format": kind, "purpose": "analytics"}]}


@pytest.mark.parametrize(
    ("kind", "text"), [("hosts", "0.0.0.0 spy.example\n"), ("adblock", "||spy.example^$third-party\n")]
)
def test_a_list_tells_the_purpose_of_what_it_means(tmp_path: Path, kind: str, text: str) -> None:
    index = loaded(tmp_path, recipients=lists(tmp_path, text, kind)).know.recipients
    known = index.lookup_request("cdn.spy.example", "/app.js", "", "", "shop.example")
    assert known is not None
    assert (known.purpose, known.how) == ("analytics", "list")
    assert loaded(tmp_path).know.recipients.lookup_request("cdn.spy.example", "/app.js") is None


def test_another_list_is_another_bundle(tmp_path: Path) -> None:
    first = loaded(tmp_path, recipients=lists(tmp_path, "spy.example\n"))
    second = loaded(tmp_path, recipients=lists(tmp_path, "spy.example\nother.example\n"))
    assert len({first.bundle, second.bundle, loaded(tmp_path).bundle}) == 3


@pytest.mark.parametrize(
    ("kind", "text", "told"),
    [
        ("hosts", "spy.example\nno host\n", "list.txt:2"),
        ("hosts", "# nothing\n", "holds no host name"),
        ("adblock", "<html>", "Adblock syntax"),
    ],
)
def test_a_mistake_in_a_list_is_told(tmp_path: Path, kind: str, text: str, told: str) -> None:
    with pytest.raises(ConfigProblems) as caught:
        loaded(tmp_path, recipients=lists(tmp_path, text, kind))
    assert told in str(caught.value)


def test_a_list_that_is_not_there_is_told_with_the_line_that_names_it(tmp_path: Path) -> None:
    absent = {"lists": [{"path": str(tmp_path / "no.txt"), "format": "hosts", "purpose": "analytics"}]}
    with pytest.raises(ConfigProblems) as caught:
        loaded(tmp_path, recipients=absent)
    assert "no.txt cannot be read" in str(caught.value)


def test_without_the_extra_only_a_list_that_needs_it_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "adblock", None)
    monkeypatch.delitem(sys.modules, "detectors.classify.adblock_lists", raising=False)
    assert loaded(tmp_path, recipients=lists(tmp_path, "spy.example\n")).know.recipients.lists
    with pytest.raises(ConfigProblems) as caught:
        loaded(tmp_path, recipients=lists(tmp_path, "||spy.example^\n", "adblock"))
    assert "[adblock]" in str(caught.value)
