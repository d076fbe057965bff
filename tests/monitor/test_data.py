"""Fetched sets: checked before they are used, switched over at once, and never run."""

import io
import json
import tarfile
from pathlib import Path

import pytest

from monitor.data import SETS, DataProblem, DataSet, install

TPW: DataSet = SETS[0]
LICENCE = "The MIT License (MIT)\nCopyright (c) Patrick Hulce\n"
ENTITIES = json.dumps([{"name": "Acme", "category": "ad", "domains": ["acme.example"]}])


def archive(folder: Path, name: str = "a.tgz", **changed: str | None) -> Path:
    members: dict[str, str | None] = {
        "package/package.json": json.dumps({"version": "1.2.3", "license": "MIT", "scripts": {"install": "exit 9"}}),
        "package/LICENSE": LICENCE,
        "package/dist/entities.json": ENTITIES,
        "package/../../evil.txt": "never unpacked",
    }
    by_key = {
        "manifest": "package/package.json",
        "licence": "package/LICENSE",
        "entities": "package/dist/entities.json",
    }
    members.update({by_key[key]: text for key, text in changed.items()})
    path = folder / name
    with tarfile.open(path, "w:gz") as packed:
        for member, text in members.items():
            if text is not None:
                info = tarfile.TarInfo(member)
                info.size = len(text.encode())
                packed.addfile(info, io.BytesIO(text.encode()))
    return path


def test_data_licence_and_attribution_stand_side_by_side(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    done = install(TPW, archive(tmp_path), data)
    assert done.version == "1.2.3"
    assert done.file.read_text() == ENTITIES
    assert (done.file.parent / "LICENSE").read_text() == LICENCE
    assert "Patrick Hulce" in (done.file.parent / "ATTRIBUTION.txt").read_text()
    assert not list(tmp_path.rglob("evil.txt"))


def test_a_newer_release_replaces_the_older_and_leaves_nothing_behind(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    install(TPW, archive(tmp_path), data)
    newer = json.dumps({"version": "2.0.0", "license": "MIT"})
    done = install(TPW, archive(tmp_path, "b.tgz", manifest=newer), data)
    assert done.version == "2.0.0"
    assert "2.0.0" in (done.file.parent / "ATTRIBUTION.txt").read_text()
    assert len(list(data.iterdir())) == 2  # the folder and the name that points to it


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"licence": "All rights reserved"}, "licence"),
        ({"manifest": json.dumps({"version": "1.2.4", "license": "CC-BY-NC-4.0"})}, "licence"),
        ({"manifest": "not json"}, "package.json"),
        ({"manifest": "[]"}, "package.json"),
        ({"manifest": json.dumps({"version": "../../x", "license": "MIT"})}, "version"),
        ({"entities": "[1]"}, "third-party-web"),
        ({"entities": None}, "entities.json"),
        ({"licence": None}, "LICENSE"),
    ],
)
def test_whatever_is_wrong_the_set_that_was_there_stays(
    tmp_path: Path, changed: dict[str, str | None], told: str
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    before = install(TPW, archive(tmp_path), data)
    with pytest.raises(DataProblem, match=told):
        install(TPW, archive(tmp_path, "b.tgz", **changed), data)
    assert before.file.read_text() == ENTITIES
    assert len(list(data.iterdir())) == 2


def test_a_broken_archive_and_a_foreign_folder_are_told(tmp_path: Path) -> None:
    broken = tmp_path / "broken.tgz"
    broken.write_bytes(b"\x1f\x8b broken")
    with pytest.raises(DataProblem, match="not an archive"):
        install(TPW, broken, tmp_path)
    (tmp_path / TPW.name).mkdir()
    with pytest.raises(DataProblem, match="in the way"):
        install(TPW, archive(tmp_path), tmp_path)


def test_every_set_has_a_licence_that_permits_use_and_says_whom_to_name() -> None:
    for each in SETS:
        assert each.licence == "MIT" or "CC-BY-4.0" in each.licence
        assert each.licence_words
        assert each.attribution
