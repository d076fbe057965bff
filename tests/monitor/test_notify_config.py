"""Mistakes in the sinks of a configuration are all told at once, with their places, and tell no secret."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from monitor.files import ConfigProblems, read_config
from monitor.notify import checked_sinks

BASE: dict[str, Any] = {
    "kafka": {"bootstrap_servers": "127.0.0.1:1"},
    "shop": {"domains": ["shop.example"]},
    "sources": [{"topic": "events", "adapter": "segment"}],
    "subjects": {"secret": {"env": "NO_MATTER"}},
}


def sink(name: str, **changes: Any) -> dict[str, Any]:
    return {
        "name": name,
        "kind": "webhook",
        "url": "https://hooks.shop.example/t0ken",
        "secret": {"file": "hook.key"},
        **changes,
    }


def write(folder: Path, *sinks: dict[str, Any]) -> Path:
    (folder / "hook.key").write_text("a key of the tests, long enough\n")
    (folder / "short.key").write_text("short")
    file = folder / "monitor.yaml"
    with file.open("w") as stream:
        YAML().dump({**BASE, "notify": {"allowed_hosts": ["hooks.shop.example"], "sinks": list(sinks)}}, stream)
    return file


def problems(file: Path) -> list[str]:
    with pytest.raises(ConfigProblems) as raised:
        checked_sinks(read_config(file), file)
    return [str(each) for each in raised.value.problems]


def test_sinks_that_are_right_are_made(tmp_path: Path) -> None:
    alertmanager = sink("am", kind="alertmanager")
    del alertmanager["secret"]
    file = write(tmp_path, sink("hook"), alertmanager)
    _, sinks = checked_sinks(read_config(file), file)
    assert [each.name for each in sinks] == ["hook", "am"]


def test_all_mistakes_are_told_at_once_with_lines_and_without_secrets(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        sink("elsewhere", url="https://evil.example/t0ken"),
        sink("clear", url="http://hooks.shop.example/t0ken"),
        sink("absent", secret={"file": "none.key"}),
        sink("short", secret={"file": "short.key"}),
    )
    told = problems(file)
    assert len(told) == 4
    for text, part in zip(told, ("not in the list", "clear text", "none.key", "under 16 bytes"), strict=True):
        assert part in text
        assert text.startswith(f"{file}:")
        assert not text.startswith(f"{file}:0")
        assert "t0ken" not in text


def test_a_sink_listed_twice_and_a_webhook_without_a_secret_are_mistakes(tmp_path: Path) -> None:
    file = write(tmp_path, sink("hook"), sink("hook"))
    assert any("listed twice" in text for text in problems(file))
    unsigned = sink("hook")
    del unsigned["secret"]
    assert any("needs `secret`" in text for text in problems(write(tmp_path, unsigned)))


def test_notify_without_sinks_says_what_is_missing(tmp_path: Path) -> None:
    file = tmp_path / "monitor.yaml"
    with file.open("w") as stream:
        YAML().dump(BASE, stream)
    assert any("lists the sinks" in text for text in problems(file))
