"""The documentation: it builds strictly, every link in it leads somewhere, and what it says of commands is true."""

import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from typer.main import get_command

from monitor.cli import app

ROOT = Path(__file__).parents[2]
GUIDES = ("operations", "responders", "rule-authors", "alerting", "agents")


class _Links(HTMLParser):
    """Links out of a page, and the places in it that links can lead to."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.places: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.places.add(value)
            if value and (tag, name) in {("a", "href"), ("link", "href"), ("script", "src"), ("img", "src")}:
                self.links.append(value)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=ROOT,
        env={"NO_MKDOCS_2_WARNING": "1", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


@pytest.mark.slow
def test_the_site_builds_and_every_link_leads_somewhere(site: Path) -> None:
    pages: dict[Path, _Links] = {}
    for path in site.rglob("*.html"):
        pages[path] = _Links()
        pages[path].feed(path.read_text(encoding="utf-8"))
    dead = []
    for path, found in pages.items():
        for link in found.links:
            parts = urlsplit(link)
            if parts.scheme in {"http", "https"}:
                # Nothing is loaded from elsewhere; a link that a reader may follow is theirs to follow.
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if path.name == "404.html" and parts.path.startswith("/"):
                target = site / parts.path.lstrip("/")
            target = target / "index.html" if target.is_dir() else target
            lost = target in pages and parts.fragment and unquote(parts.fragment) not in pages[target].places
            if not target.exists() or lost:
                dead.append(f"{path.relative_to(site)}: {link}")
    assert dead == []
    assert len(pages) > 40
    assert all((site / f"{guide}.html").exists() for guide in GUIDES)


@pytest.mark.slow
def test_a_page_loads_nothing_from_elsewhere(site: Path) -> None:
    for path in site.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        loaded = re.findall(r"<(?:script|img|iframe)[^>]+src=\"(https?:[^\"]+)|<link[^>]+href=\"(https?:[^\"]+)", text)
        assert loaded == [], path.name


def commands(text: str) -> Iterator[tuple[str, ...]]:
    """Give the commands of ours that a text names, by their words."""
    for line in re.findall(r"privacy-monitor ((?:[a-z-]+ ?)+[^`\n]*)", text):
        yield tuple(line.split())


@pytest.mark.parametrize("guide", GUIDES)
def test_every_command_of_a_guide_is_there_and_takes_its_options(guide: str) -> None:
    text = (ROOT / "docs" / f"{guide}.md").read_text(encoding="utf-8")
    for words in commands(text):
        found: Any = get_command(app)
        used = []
        for word in words:
            known = getattr(found, "commands", {})
            if word not in known:
                break
            found = known[word]
            used.append(word)
        if not used:
            continue  # a name of the program in a sentence, and no command
        taken = {option for each in found.params for option in each.opts}
        for option in (word.rstrip(":.,;)") for word in words if word.startswith("--")):
            assert option in taken, f"{guide}: privacy-monitor {' '.join(used)} takes no {option}"


def test_the_operations_guide_answers_what_an_sre_asks() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    asked = ["How big", "Adding a topic to watch", "Rolling back a rule", "PrivacyMonitorBlind", "Rotating the key"]
    asked += ["Upgrade and roll back", "Rebuilding a ledger", "After an outage", "Topics and retention"]
    assert [each for each in asked if each not in text] == []
    settings = set(re.findall(r"\| `([a-z_.\[\]]+)` \|", (ROOT / "docs" / "configuration.md").read_text()))
    named = set(re.findall(r"`((?:kafka|consent|subjects|http|alerts|notify)\.[a-z_]+)`", text))
    assert named <= settings, named - settings
    metrics = (ROOT / "docs" / "metrics.md").read_text()
    for metric in re.findall(r"`(privacy_[a-z_]+)", text):
        assert metric.removesuffix("_sum") in metrics, metric
