"""The configuration: every mistake at once with file and line, no secret in a message, paths from the file's folder."""

from pathlib import Path
from typing import Any

import pytest

from monitor.context import load_all
from monitor.files import ConfigProblems, client_settings, read_config

SECRET = "hunter2-hunter2-hunter2-hunter2"
SOUND = """\
kafka: {bootstrap_servers: localhost:9092}
shop: {domains: [shop.example]}
sources:
  - {topic: shop.events, adapter: segment}
subjects: {secret: {file: subject.key}}
"""


def written(folder: Path, text: str, **files: str) -> Path:
    (folder / "subject.key").write_text(SECRET + "\n")
    for name, content in files.items():
        file = folder / name.replace("__", "/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    (folder / "monitor.yaml").write_text(text)
    return folder / "monitor.yaml"


def mistakes(file: Path) -> list[str]:
    """Give all mistakes as they are printed, without the folder."""
    with pytest.raises(ConfigProblems) as raised:
        load_all(file)
    lines = [str(problem) for problem in raised.value.problems]
    assert all("\n" not in line for line in lines)
    assert SECRET not in repr(lines)
    return [line.replace(f"{file.parent}/", "") for line in lines]


def test_a_sound_configuration_gives_frozen_settings(tmp_path: Path) -> None:
    settings, loaded, kafka = load_all(written(tmp_path, SOUND))
    assert kafka == {"bootstrap.servers": "localhost:9092"}
    assert loaded.key.secret == SECRET.encode(), "a trailing newline is not part of a secret"
    assert settings.sources[0].topic == "shop.events"
    with pytest.raises(ValueError, match="frozen"):
        settings.settle_seconds = 2  # type: ignore[misc]


def test_every_mistake_in_the_file_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    text = """\
kafka:
  bootstrap_servers: ""
  client: {group.id: x, sasl.password: hunter2-hunter2-hunter2-hunter2}
shop: {domains: []}
sorces: []
sources:
  - {topic: shop.events, adapter: segmnt}
  - {topic: shop.events, adapter: kong, trusted_proxies: -1}
  - {topic: privacy.findings.v1, adapter: kong}
  - {adapter: kong}
subjects: {secret: hunter2-hunter2-hunter2-hunter2, key_id: "k 1"}
delivery: twice
settle_seconds: .nan
batch_records: 0
http: {port: 99999}
"""
    told = mistakes(written(tmp_path, text))
    expected = [
        ("2", "kafka.bootstrap_servers"),
        ("3", "kafka.client"),
        ("4", "shop.domains"),
        ("5", "sorces"),
        ("7", "sources.0.adapter"),
        ("8", "sources.1.topic"),
        ("8", "sources.1.trusted_proxies"),
        ("9", "sources.2.topic"),
        ("10", "sources.3.topic"),
        ("11", "subjects.key_id"),
        ("11", "subjects.secret"),
        ("12", "delivery"),
        ("13", "settle_seconds"),
        ("14", "batch_records"),
        ("15", "http.port"),
    ]
    assert [tuple(line.split(": ")[:2]) for line in told] == [(f"monitor.yaml:{at}", path) for at, path in expected]
    assert "unknown adapter `segmnt` (did you mean segment?); there are" in told[4]
    assert "listed twice, first in line 7" in told[5]
    assert "a topic of the monitor itself" in told[7]


def test_every_mistake_in_what_the_file_names_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_SECRET", raising=False)
    text = """\
kafka:
  bootstrap_servers: localhost:9092
  secrets:
    ssl.key.password: {file: gone.key}
    sasl.password: {env: NO_SUCH_SECRET}
    ssl.key.pem: {file: empty.key}
shop: {domains: [shop.example]}
sources:
  - {topic: shop.events, adapter: segment}
subjects:
  secret: {file: short.key}
register: gone.yaml
rules: [rules, gone-rules]
law: [law]
"""
    rule = """\
id: own.rule
title: Own
version: 1.0.0
status: stable
detector: unconsented-tracking
when: consent.decison == "denied"
severity: high
"""
    told = mistakes(
        written(
            tmp_path,
            text,
            **{
                "short.key": "hunter2",
                "empty.key": "\n",
                "rules__own.yaml": rule,
                "rules__other.yml": "id: [",
                "law__xx.yaml": "nonsense: true\n",
            },
        )
    )
    where = {line.split(": ")[0] for line in told}
    assert where >= {f"monitor.yaml:{line}" for line in (4, 5, 6, 11, 12, 13)}
    for file in ("rules/own.yaml:", "rules/other.yml:", "law/xx.yaml"):
        assert any(place.startswith(file) for place in where), told
    everything = "\n".join(told)
    assert "hunter2" not in everything
    assert "`openssl rand -hex 32` makes one" in everything
    assert "the environment has no variable NO_SUCH_SECRET" in everything
    assert "there is no such folder" in everything


def test_a_register_with_a_mistake_is_told_with_its_own_line(tmp_path: Path) -> None:
    told = mistakes(
        written(tmp_path, SOUND + "register: register.yaml\n", **{"register.yaml": "# ours\nrecipiants: []\n"})
    )
    assert any(line.startswith("register.yaml:2") for line in told), told


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("{security.protocl: SSL}", "security.protocl: librdkafka says that there is no such setting"),
        ("{security.protocol: hunter2}", "security.protocol: librdkafka says that its value does not work"),
        ("{security.protocol: SASL_PLAINTEXT, sasl.mechanism: HUNTER2}", "sasl.mechanism: this build of librdkafka"),
        ("{security.protocol: SSL, ssl.ca.location: /hunter2}", "ssl.ca.location: librdkafka says"),
    ],
)
def test_what_librdkafka_does_not_take_is_named_without_its_value(tmp_path: Path, setting: str, expected: str) -> None:
    text = SOUND.replace("localhost:9092}", f"localhost:9092, client: {setting}}}")
    (line,) = mistakes(written(tmp_path, text))
    assert line.startswith("monitor.yaml:1: kafka.client: ")
    assert expected in line
    assert "hunter2" not in line.lower()


@pytest.mark.parametrize("text", ["", "7", "[]", "a: b: c", "\t", "kafka: &a [*a]", "a: 1\na: 2", "x: 2026-02-30", '"'])
def test_what_is_no_configuration_is_told_in_a_line(tmp_path: Path, text: str) -> None:
    for line in mistakes(written(tmp_path, text)):
        assert line.startswith("monitor.yaml:")


def test_a_configuration_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"shop: \xfc")
    for file, reason in (
        (tmp_path / "gone.yaml", "No such file or directory"),
        (tmp_path, "Is a directory"),
        (tmp_path / "latin.yaml", "not UTF-8"),
    ):
        with pytest.raises(ConfigProblems) as raised:
            read_config(file)
        assert str(raised.value) == f"{file}: cannot be read ({reason})"


def test_a_path_that_no_file_can_have_is_told(tmp_path: Path) -> None:
    told = mistakes(written(tmp_path, SOUND + 'register: "a\\0b"\n'))
    assert told
    assert told[0].startswith("monitor.yaml:6: register: ")


def test_paths_are_relative_to_the_folder_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    absolute = tmp_path / "absolute.key"
    text = (
        SOUND.replace("localhost:9092}", f"localhost:9092, secrets: {{sasl.password: {{file: {absolute}}}}}}}")
        + "consent: {path: deep/ledger}\nrules: [own]\nlaw: [laws]\nregister: r.yaml\n"
    )
    config = read_config(written(tmp_path, text, **{"absolute.key": "p\n"}))
    assert config.consent is not None
    assert config.consent.path == tmp_path / "deep/ledger"
    assert (config.rules, config.law, config.register_file) == (
        (tmp_path / "own",),
        (tmp_path / "laws",),
        tmp_path / "r.yaml",
    )
    assert config.subjects.secret.file == tmp_path / "subject.key"
    assert client_settings(config.kafka)["sasl.password"] == "p"


def test_also_those_deep_in_lists_are(tmp_path: Path) -> None:
    text = (
        SOUND
        + "recipients: {lists: [{path: mine.txt, format: hosts, purpose: analytics}]}\n"
        + "notify: {allowed_hosts: [a.example], sinks: [{name: one, kind: webhook, url: 'https://a.example/', "
        + "secret: {file: hook.key}}]}\n"
    )
    config = read_config(written(tmp_path, text))
    assert config.recipients.lists[0].path == tmp_path / "mine.txt"
    assert config.notify is not None
    assert config.notify.spool == tmp_path / "notify.sqlite"
    assert config.notify.sinks[0].secret is not None
    assert config.notify.sinks[0].secret.file == tmp_path / "hook.key"


def test_secrets_come_from_the_environment_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUBJECT_KEY", SECRET)
    text = SOUND.replace("{file: subject.key}", "{env: SUBJECT_KEY}")
    loaded: Any = load_all(written(tmp_path, text))[1]
    assert loaded.key.secret == SECRET.encode()
    assert SECRET not in repr(loaded.key)


def test_a_config_map_as_kubernetes_shows_it_holds_each_rule_once(tmp_path: Path) -> None:
    rule = "detectors/rules/packs/checkout/checkout.unneeded-field.yaml"
    hidden = tmp_path / "rules" / "..2026_11_25" / "checkout"
    hidden.mkdir(parents=True)
    (hidden / "checkout.unneeded-field.yaml").write_text(Path(rule).read_text())
    (tmp_path / "rules" / "..data").symlink_to("..2026_11_25")
    (tmp_path / "rules" / "checkout").symlink_to("..data/checkout")
    (hidden / "around").symlink_to(hidden)
    _, loaded, _ = load_all(written(tmp_path, SOUND + "rules: [rules]\n"))
    own = [each for each in loaded.rules.rules if each.written.id == "checkout.unneeded-field"]
    assert len(own) == 1


def test_what_has_to_be_a_list_is_told_as_one_and_an_item_at_fault_leaves_no_empty_list(tmp_path: Path) -> None:
    text = SOUND.replace("[shop.example]", "shop.example").replace("adapter: segment", "adaptor: segment")
    told = mistakes(written(tmp_path, text))
    assert told == [
        "monitor.yaml:2: shop.domains: needs a list: [one, two]",
        "monitor.yaml:4: sources.0.adapter: this key is required",
        "monitor.yaml:4: sources.0.adaptor: unknown key (did you mean adapter?); remove it or correct its spelling",
    ]
    assert "needs at least 1, and has 0" in "\n".join(
        mistakes(written(tmp_path, SOUND.replace("- {topic: shop.events, adapter: segment}", "[]")))
    )
