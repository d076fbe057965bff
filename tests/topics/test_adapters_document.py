"""The document that tells users what each adapter carries."""

import re
from pathlib import Path

from topics.adapters import ADAPTERS

DOCUMENT = Path(__file__).parents[2] / "docs" / "adapters.md"


def test_the_document_lists_every_adapter_once() -> None:
    rows = re.findall(r"^\| `([a-z0-9-]+)` \|", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(rows) == sorted(ADAPTERS)
