"""What the site has beside `docs/`: runbooks, changelog and the chart's README stay where they are used, and are pages too."""

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
_ELSEWHERE = {
    "changelog.md": "CHANGELOG.md",
    "chart.md": "helm/privacy-monitor/README.md",
    **{f"runbooks/{path.name}": f"alerts/runbooks/{path.name}" for path in (ROOT / "alerts" / "runbooks").glob("*.md")},
}
"""Page to file."""
_PAGES = {file: page for page, file in _ELSEWHERE.items()} | {
    f"docs/{path.relative_to(ROOT / 'docs')}": str(path.relative_to(ROOT / "docs"))
    for path in (ROOT / "docs").rglob("*.md")
}
"""File to page."""
_LINK = re.compile(r"\[([^\]]*)\]\(([^)\s#:]+)(#[^)\s]*)?\)")


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that lie elsewhere, and a list of decisions."""
    for page, file in _ELSEWHERE.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / file)))
    decisions = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    titles = [(path.name, path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")) for path in decisions]
    text = "# Decisions\n\n" + "".join(f"- [{title}]({name})\n" for name, title in titles)
    files.append(File.generated(config, "decisions/README.md", content=text))
    return files


def on_page_markdown(markdown: str, *, page: Any, config: Any, files: Files) -> str:
    """Let links to files be links to their pages; a file that is no page is named and not linked."""
    del config, files
    uri = page.file.src_uri
    own = ROOT / _ELSEWHERE.get(uri, f"docs/{uri}")

    def replace(found: re.Match[str]) -> str:
        text, target, anchor = found[1], found[2], found[3] or ""
        aimed = (own.parent / target).resolve()
        if not aimed.exists() or not aimed.is_relative_to(ROOT):
            return found[0]
        other = _PAGES.get(str(aimed.relative_to(ROOT)))
        if other is None:
            return text
        up = "../" * uri.count("/")
        return f"[{text}]({up}{other}{anchor})"

    return _LINK.sub(replace, markdown)
