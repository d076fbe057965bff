"""Mistakes in the sinks of a configuration are all told at once, with their places, and tell no secret."""

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from monitor.files import ConfigProblems, read_config
from monitor.sinks import checked_sinks, require_known_places

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
    (folder / "routing.key").write_text("0123456789abcdef0123456789abcdef\n")
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


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        (
            {"kind": "pagerduty", "secret": {"file": "short.key"}, "url": "https://hooks.shop.example/"},
            "32 letters and digits",
        ),
        (
            {"kind": "pagerduty", "url": "", "secret": {"file": "routing.key"}},
            "events.pagerduty.com is not in the list",
        ),
        ({"kind": "pagerduty", "digest": {"zone": "UTC"}}, "takes no digest"),
        ({"kind": "apprise"}, "put it into a file"),
        ({"kind": "apprise", "url": "", "secret": {"file": "short.key"}}, "no address that Apprise knows"),
        ({"url": ""}, "needs `url`"),
        ({"teams": ["checkout"]}, "`notify.teams` does not list it"),
        ({"digest": {"zone": "Europe/Berln"}}, "no time zone Europe/Berln"),
        ({"digest": {"zone": "UTC", "hours": 5}}, "hours"),
        ({"quiet_hours": [{"zone": "UTC", "begin": 79200, "end": "07:00"}]}, "in quotes, such as '22:00'"),
        ({"quiet_hours": [{"zone": "UTC", "begin": "22:00", "end": "07:00", "days": ["monday"]}]}, "days"),
    ],
)
def test_a_mistake_in_a_route_a_schedule_or_a_kind_says_what_to_do(
    tmp_path: Path, changes: dict[str, Any], complaint: str
) -> None:
    told = problems(write(tmp_path, sink("hook", **changes)))
    assert any(complaint in text for text in told), told
    assert len(told) == 1, "one mistake is told once"
    assert all(re.match(rf"{re.escape(str(tmp_path))}/monitor.yaml:[1-9]\d*: ", text) for text in told), told


def test_routes_quiet_hours_and_digests_that_are_right_are_made(tmp_path: Path) -> None:
    (tmp_path / "chat.url").write_text("mmosts://hooks.shop.example/3ccdd113474722377935511fc85d3dd4")
    night = {"zone": "Europe/Berlin", "begin": "22:00", "end": "07:00", "days": ["fri"], "through": "high"}
    digest = {"zone": "Europe/Berlin", "at": "09:30", "hours": 12, "upto": "medium"}
    chat = sink("chat", kind="apprise", secret={"file": "chat.url"}, quiet_hours=[night], digest=digest, teams=["none"])
    pager = sink("pager", kind="pagerduty", secret={"file": "routing.key"}, quiet_hours=[night], teams=["checkout"])
    del chat["url"], pager["url"]
    file = write(tmp_path, chat, pager)
    document = YAML(typ="safe").load(file.read_text())
    document["notify"] |= {
        "allowed_hosts": ["hooks.shop.example", "events.pagerduty.com"],
        "teams": [{"name": "checkout", "services": ["web-shop"]}],
        "runbooks": "https://docs.shop.example/runbooks",
    }
    with file.open("w") as stream:
        YAML().dump(document, stream)
    _, sinks = checked_sinks(read_config(file), file)
    assert [each.name for each in sinks] == ["chat", "pager"]


def test_a_list_without_a_sink_is_a_mistake(tmp_path: Path) -> None:
    assert any("at least one sink" in text for text in problems(write(tmp_path)))


def test_a_place_without_a_known_law_is_a_mistake(tmp_path: Path) -> None:
    config = read_config(write(tmp_path, sink("hook", jurisdictions=["US-CA", "US-CQ", "Germany"])))
    assert config.notify is not None
    with pytest.raises(ConfigProblems) as told:
        require_known_places(config.notify, tmp_path / "monitor.yaml", ("US", "US-CA", "DE"))
    first, second = map(str, told.value.problems)
    assert "notify.sinks.0.jurisdictions.1: no law of `US-CQ` is known" in first
    assert "(did you mean US-CA?)" in first
    assert "no law of `Germany` is known" in second
