"""The law pack that the project ships, read once."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from detectors.law.pack import LawPack, read_pack

ROOT = Path(__file__).parents[3] / "detectors" / "law"


@cache
def files() -> Mapping[str, str]:
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in ROOT.rglob("*.yaml")}


@cache
def pack() -> LawPack:
    read, problems = read_pack(files())
    assert problems == []
    assert read is not None
    return read


SMALL = (
    "sources.yaml",
    "jurisdictions/us.yaml",
    "jurisdictions/us-ca.yaml",
    "jurisdictions/eu.yaml",
    "jurisdictions/de.yaml",
    "transfers/eu-gdpr.yaml",
    "transfers/us-doj.yaml",
)
"""A few files that make a whole pack: quick to read many times."""


def small() -> dict[str, str]:
    return {name: files()[name] for name in SMALL}
