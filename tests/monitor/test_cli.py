"""The command line as people run it: one clear line for each mistake, an exit code, and never a traceback."""

import gzip
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from monitor.context import VERSION
from tests.conftest import skip_or_fail
from tests.integration.test_whole import har_page
from tests.kafka.broker import Broker, Topics
from tests.kafka.jvm import Cluster
from tests.kafka.processes import Unavailable, free_ports

PASSWORD = "a-password-of-the-tests"
WRONG = "hunter2-hunter2"


def command(*arguments: object, data: bytes | None = None, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the program to its end; whatever happens, it shows no traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "monitor", *map(str, arguments)],
        input=data,
        capture_output=True,
        check=False,
        timeout=60,
        cwd=cwd,
    )
    told = subprocess.CompletedProcess[str](done.args, done.returncode, done.stdout.decode(), done.stderr.decode())
    assert "Traceback" not in told.stdout + told.stderr
    return told


def config(folder: Path, bootstrap: str, **more: Any) -> Path:
    (folder / "subject.key").write_text("a key of the tests, longer than sixteen bytes")
    kafka = {"bootstrap_servers": bootstrap, **more.pop("kafka", {})}
    text = {
        "kafka": kafka,
        "shop": {"domains": ["shop.example"]},
        "sources": [{"topic": "shop.events", "adapter": "segment"}],
        "subjects": {"secret": {"file": "subject.key"}},
        "http": {"port": 0},
        **more,
    }
    (folder / "monitor.yaml").write_text(json.dumps(text, indent=1))
    return folder / "monitor.yaml"


def event(**more: Any) -> bytes:
    value = {
        "type": "track",
        "event": "Order Completed",
        "userId": "u1",
        "timestamp": "2026-11-02T10:00:00Z",
        "context": {"gpc": True, "location": {"country": "US", "region": "CA"}},
        "integrations": {"Facebook Pixel": True},
        **more,
    }
    return json.dumps(value).encode()


def test_version_prints_the_version() -> None:
    done = command("version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{VERSION}\n", "")


def test_topics_list_prints_the_catalogue_without_a_broker() -> None:
    done = command("topics", "list")
    assert done.returncode == 0
    for name in ("findings", "deadletter", "accounting", "consent", "alerts"):
        assert f"privacy.{name}.v1" in done.stdout


def test_a_sound_configuration_is_called_sound(tmp_path: Path) -> None:
    done = command("check", "--config", config(tmp_path, "127.0.0.1:9092"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("No mistakes.\n")


@pytest.mark.parametrize("name", ["check", "run", "alerts", "worker", "ledger"])
def test_every_command_tells_all_mistakes_of_a_configuration(tmp_path: Path, name: str) -> None:
    file = config(tmp_path, "127.0.0.1:9092", colour="blue", delivery="twice")
    done = command(name, "--config", file)
    assert done.returncode == (1 if name == "check" else 64)
    lines = [line.removeprefix("privacy-monitor: ").replace(f"{tmp_path}/", "") for line in done.stderr.splitlines()]
    assert [line.split(": ")[1] for line in lines] == ["colour", "delivery"]
    assert all(line.startswith("monitor.yaml:") for line in lines)
    assert done.stdout == ""


def test_a_missing_configuration_is_told(tmp_path: Path) -> None:
    done = command("run", cwd=tmp_path) if (tmp_path / "monitor").exists() else command("run", "-c", tmp_path / "no")
    assert done.returncode == 64
    assert done.stderr == f"privacy-monitor: {tmp_path}/no: cannot be read (No such file or directory)\n"


@pytest.mark.slow
def test_an_unreachable_broker_is_told_within_ten_seconds(tmp_path: Path) -> None:
    commands = [
        ("run",),
        ("check", "--broker"),
        ("alerts",),
        ("agent", "hourly"),
        ("topics", "create"),
        ("send", "x", "--topic", "t"),
    ]
    (port,) = free_ports(1)
    file = config(tmp_path, f"127.0.0.1:{port}")
    began = time.monotonic()
    assert command("check", "--config", file).returncode == 0
    without_broker = time.monotonic() - began
    # They only wait, so they wait at the same time.
    with ThreadPoolExecutor(len(commands)) as together:
        told = list(together.map(lambda arguments: command(*arguments, "--config", file), commands))
    waited = time.monotonic() - began - without_broker
    allowed = 10 + 2 * len(commands) * without_broker
    assert waited < allowed, "ten seconds beside what reading the configuration takes on this machine"
    for arguments, done in zip(commands, told, strict=True):
        # Those that run for ever are started again by whatever supervises them.
        assert done.returncode == (75 if arguments[0] in {"alerts", "agent"} else 64), arguments
        assert done.stderr == (
            f"privacy-monitor: Kafka at 127.0.0.1:{port} does not answer; "
            "check kafka.bootstrap_servers and that the broker runs\n"
        )


@pytest.mark.kafka
def test_absent_topics_are_named_all_at_once(tmp_path: Path, kafka: Broker, topics: Topics) -> None:
    there = topics("source")
    sources = [{"topic": name, "adapter": "kong"} for name in (there, "absent-a", "absent-b")]
    file = config(tmp_path, kafka.bootstrap, sources=sources, consent={"topic": "absent-consent"})
    for arguments in (("check", "--broker"), ("run",)):
        done = command(*arguments, "--config", file)
        assert done.returncode == 64
        assert len(done.stderr.splitlines()) == 1
        assert "has no topic absent-a, absent-b, absent-consent" in done.stderr
        assert there not in done.stderr


@pytest.fixture(scope="module")
def guarded() -> Iterator[Cluster]:
    """Apache Kafka that lets nobody in without a name and a password."""
    try:
        cluster = Cluster(users={"monitor": PASSWORD})
    except Unavailable as reason:
        skip_or_fail(f"no Apache Kafka on the JVM with passwords: {reason}")
    yield cluster
    cluster.stop()


def with_password(folder: Path, cluster: Cluster, password: str) -> Path:
    (folder / "password").write_text(password + "\n")
    client = {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN", "sasl.username": "monitor"}
    return config(folder, cluster.guarded, kafka={"client": client, "secrets": {"sasl.password": {"file": "password"}}})


@pytest.mark.kafka
def test_a_wrong_password_is_told_within_seconds(tmp_path: Path, guarded: Cluster) -> None:
    began = time.monotonic()
    done = command("check", "--broker", "--config", with_password(tmp_path, guarded, WRONG))
    assert time.monotonic() - began < 10
    assert done.returncode == 64
    assert done.stderr == (
        f"privacy-monitor: Kafka at {guarded.guarded} refused the credentials; "
        "check sasl.username and the secret sasl.password\n"
    )
    assert WRONG not in done.stderr


@pytest.mark.kafka
def test_the_right_password_lets_topics_be_created(tmp_path: Path, guarded: Cluster) -> None:
    file = with_password(tmp_path, guarded, PASSWORD)
    done = command("topics", "create", "--config", file)
    assert (done.returncode, done.stderr) == (0, "")
    assert "privacy.findings.v1: created\n" in done.stdout
    again = command("topics", "create", "--config", file)
    assert {line.rpartition(": ")[2] for line in again.stdout.splitlines()} == {"exists"}


def lines_of(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_inspect_judges_what_stands_before_the_break_of_a_har_file(tmp_path: Path) -> None:
    page = har_page()
    page["log"]["entries"] *= 20
    text = json.dumps(page).encode()
    file = tmp_path / "broken.har"
    file.write_bytes(text[: len(text) * 3 // 4])
    done = command("inspect", "--json", file)
    lines = lines_of(done)
    (unread,) = [line for line in lines if line["type"] == "unread"]
    assert unread["file"] == str(file)
    assert unread["reason"] == "cut-short"
    whole = text[: unread["position"]].count(b'"startedDateTime"') - 1
    assert whole > 20
    assert lines[-1]["items"] == {"judged": whole} or sum(lines[-1]["items"].values()) == whole
    assert any(line["type"] == "finding" for line in lines)
    shown = command("inspect", "--fail-on", "never", file)
    assert shown.returncode == 0
    assert f"not read: {file}:1" in shown.stdout


def test_inspect_names_bad_lines_and_judges_the_others(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(event() + b"\n{broken\n\n" + event() + b"\n\xff\xfe\n")
    done = command("inspect", "--json", "--fail-on", "never", file)
    lines = lines_of(done)
    assert done.returncode == 0
    assert [(line["line"], line["reason"]) for line in lines if line["type"] == "unread"] == [
        (2, "syntax"),
        (5, "encoding"),
    ] or {line["line"] for line in lines if line["type"] == "unread"} == {2, 5}
    assert {line["line"] for line in lines if line["type"] == "finding"} == {1, 4}
    assert any(line["type"] == "recipient" and line["recipient"] for line in lines)
    shown = command("inspect", "--fail-on", "never", file)
    assert "not read: " in shown.stdout
    assert "2 not read. " in shown.stdout


def test_inspect_fails_from_the_severity_that_was_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(event())
    found = lines_of(command("inspect", "--json", "--fail-on", "never", file))
    worst = {line["severity"] for line in found if line["type"] == "finding" and line["verdict"] == "violation"}
    assert worst & {"high", "critical"}
    assert command("inspect", file).returncode == 1
    assert command("inspect", "--fail-on", "low", file).returncode == 1
    assert command("inspect", "--fail-on", "loud", file).returncode == 2
    file.write_bytes(event(integrations={}, context={}))
    assert command("inspect", "--fail-on", "low", file).returncode == 0


def test_inspect_reads_standard_input_pipes_and_gzip(tmp_path: Path) -> None:
    data = event() + b"\n" + event() + b"\n"
    packed = tmp_path / "events.jsonl.gz"
    packed.write_bytes(gzip.compress(data))
    one = lines_of(command("inspect", "--json", "-", data=data))
    two = lines_of(command("inspect", "--json", packed))
    three = lines_of(command("inspect", "--json", "/dev/stdin", data=data))
    assert one[-1] == two[-1] == three[-1]
    assert one[-1]["items"] == {"judged": 2} or sum(one[-1]["items"].values()) == 2


def test_inspect_judges_what_can_be_unpacked_of_a_broken_gzip_file(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl.gz"
    data = gzip.compress(b"".join(event(messageId=f"{n * 7919}") + b"\n" for n in range(3_000)), compresslevel=1)
    file.write_bytes(data[: len(data) // 2])
    lines = lines_of(command("inspect", "--json", "--fail-on", "never", file))
    unread = [line for line in lines if line["type"] == "unread"]
    assert [line["reason"] for line in unread][-1] == "cut-short"
    assert unread[-1]["line"] > 100
    assert sum(lines[-1]["items"].values()) >= unread[-1]["line"] - 1


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("gone.har", None, "cannot be read (No such file or directory)"),
        ("empty.har", b"", "the file is empty"),
        ("blank.har", b" \n\n", "the file is empty"),
        ("binary.har", bytes(range(256)) * 40, "unknown format; name it with --format"),
        ("binary.jsonl.gz", bytes(range(256)) * 40, "cannot be read ("),
    ],
)
def test_what_is_no_capture_is_told_in_one_line(
    tmp_path: Path, name: str, content: bytes | None, expected: str
) -> None:
    file = tmp_path / name
    if content is not None:
        file.write_bytes(content)
    done = command("inspect", file)
    assert done.returncode == 64
    assert done.stderr.startswith(f"privacy-monitor: {file}: {expected}")
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""


def test_a_folder_and_an_unknown_format_are_told(tmp_path: Path) -> None:
    assert command("inspect", tmp_path).stderr == f"privacy-monitor: {tmp_path}: cannot be read (Is a directory)\n"
    (tmp_path / "x").write_bytes(event())
    done = command("inspect", "--format", "pcap", tmp_path / "x")
    assert done.returncode == 64
    assert done.stderr.startswith("privacy-monitor: unknown format 'pcap'; there are ")


def test_binary_bytes_of_a_named_format_are_counted_and_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "binary"
    file.write_bytes(bytes(range(256)) * 4)
    done = command("inspect", "--format", "kong", file)
    assert done.returncode == 64
    assert "not a clean result" in done.stderr
    assert "0 judged" in done.stdout
    assert "\x00" not in done.stdout


def test_a_place_that_does_not_exist_is_refused_and_not_taken_for_nowhere(tmp_path: Path) -> None:
    file = tmp_path / "event.jsonl"
    file.write_text('{"type": "track", "event": "Product Viewed", "anonymousId": "a-1"}\n')
    done = command("inspect", file, "--from", "usca")
    assert done.returncode == 64
    assert "not an ISO 3166 code" in done.stderr
