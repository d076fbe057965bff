"""Settings from the environment: over the file, typed as the file is, and blamed by their own names."""

from pathlib import Path

import pytest

from monitor.files import ConfigProblems, read_config

SOUND = """\
kafka: {bootstrap_servers: localhost:9092, client: {client.id: privacy}}
shop: {domains: [shop.example]}
sources:
  - {topic: shop.events, adapter: segment}
subjects: {secret: {file: subject.key}}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "monitor.yaml").write_text(SOUND)
    return tmp_path / "monitor.yaml"


def problems(file: Path) -> list[str]:
    with pytest.raises(ConfigProblems) as raised:
        read_config(file)
    return [str(each).replace(f"{file.parent}/", "") for each in raised.value.problems]


def test_a_variable_stands_over_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRIVMON_KAFKA__BOOTSTRAP_SERVERS", "kafka:9093")
    monkeypatch.setenv("PRIVMON_HTTP__PORT", "9000")
    monkeypatch.setenv("PRIVMON_FROM_BEGINNING", "false")
    monkeypatch.setenv("PRIVMON_REGISTER", "register.yaml")
    monkeypatch.setenv("PRIVMON_CONSENT", "null")
    settings = read_config(file)
    assert settings.kafka.bootstrap_servers == "kafka:9093"
    assert settings.kafka.client == {"client.id": "privacy"}, "what no variable names stays"
    assert settings.http.port == 9000
    assert settings.from_beginning is False
    assert settings.register_file == file.parent / "register.yaml"
    assert settings.consent is None


def test_a_mapping_is_merged_and_a_list_is_replaced(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRIVMON_KAFKA__CLIENT", "{security.protocol: SSL}")
    monkeypatch.setenv("PRIVMON_SOURCES", "[{topic: shop.kong, adapter: kong}]")
    settings = read_config(file)
    assert settings.kafka.client == {"client.id": "privacy", "security.protocol": "SSL"}
    assert [each.topic for each in settings.sources] == ["shop.kong"]


def test_every_mistake_names_its_variable(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRIVMON_KAFAK__GROUP", "x")
    monkeypatch.setenv("PRIVMON_HTTP__PORT", "many")
    monkeypatch.setenv("PRIVMON_SOURCES", "[{topic: shop.kong, adapter: kon}]")
    told = problems(file)
    assert "PRIVMON_KAFAK__GROUP: kafak: unknown key (did you mean kafka?); remove it or correct its spelling" in told
    assert any(each.startswith("PRIVMON_HTTP__PORT: http.port: needs a whole number") for each in told)
    assert any(each.startswith("PRIVMON_SOURCES: sources.0.adapter: unknown adapter `kon`") for each in told)
    assert len(told) == 3


def test_what_is_no_yaml_and_what_names_nothing_is_told(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRIVMON_SOURCES", "[{topic")
    monkeypatch.setenv("PRIVMON_KAFKA__", "x")
    told = problems(file)
    assert any(each.startswith("PRIVMON_SOURCES:1:") and "not YAML" in each for each in told)
    assert "PRIVMON_KAFKA__: names no setting; write PRIVMON_KAFKA__GROUP for kafka.group" in told


def test_mistakes_of_the_file_keep_their_lines(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text(SOUND + "settle_seconds: 90\n")
    monkeypatch.setenv("PRIVMON_HTTP__PORT", "9000")
    assert problems(file) == ["monitor.yaml:6: settle_seconds: input should be less than or equal to 60"]


def test_no_value_of_a_variable_is_in_a_message(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRIVMON_KAFKA__CLIENT", "{sasl.password: hunter2}")
    monkeypatch.setenv("PRIVMON_SUBJECTS__SECRET", "hunter2")
    assert "hunter2" not in "\n".join(problems(file))
