"""Knowledge that is not shipped and that the configuration may name: places of addresses, a second list of recipients."""

import hashlib
from importlib import import_module
from pathlib import Path

import msgspec

from detectors.classify.filter_lists import FilterList, read_hosts
from detectors.classify.origin import NoAddresses, PlaceOfAddress
from detectors.classify.places import CloudRegions
from detectors.classify.ranges import CloudRanges, RangesProblem, read_rows
from detectors.classify.recipients import Recipient
from detectors.classify.third_party_web import read_entities
from detectors.documents import Problem
from monitor.config import Config, ListConfig
from monitor.files import mistake
from monitor.geo import GeoDatabase, GeoProblem
from topics.flow import Place


class Optional(msgspec.Struct, frozen=True):
    """What was named and read, and a digest of it; empty when nothing was named."""

    addresses: PlaceOfAddress = NoAddresses()
    recipients: tuple[Recipient, ...] = ()
    lists: tuple[FilterList, ...] = ()
    ranges: CloudRanges | None = None
    digest: str = ""


def optional_files(config: Config) -> tuple[Path, ...]:
    """Name every file that `read_optional` reads, those that are not there included."""
    database = config.places.database
    named = (_entities(config), *(each.path for each in config.recipients.lists), *config.places.ranges)
    return named if database is None else (database, *named)


def _entities(config: Config) -> Path:
    return config.data / "third-party-web" / "entities.json"


def read_optional(config: Config, file: str, regions: CloudRegions, problems: list[Problem]) -> Optional:
    """Read what the configuration names beyond the shipped data, with all mistakes."""
    addresses: PlaceOfAddress = NoAddresses()
    digests: list[str] = []
    if config.places.database is not None:
        try:
            database = GeoDatabase(config.places.database)
        except GeoProblem as error:
            problems.append(mistake(file, ("places", "database"), f"{config.places.database} {error}"))
        else:
            addresses = database
            digests.append(database.digest)
    entities = _entities(config)
    wanted = config.recipients.third_party_web
    recipients: tuple[Recipient, ...] = ()
    if wanted or (wanted is None and entities.is_file()):
        recipients, digest = _second(entities, file, problems)
        digests.append(digest)
    lists: list[FilterList] = []
    for index, each in enumerate(config.recipients.lists):
        read, digest = _list(each, mistake(file, ("recipients", "lists", index), ""), problems)
        digests.append(digest)
        if read is not None:
            lists.append(read)
    ranges, seen = _ranges(config, file, regions, problems)
    digests += seen
    told = hashlib.sha256("\0".join(digests).encode()).hexdigest() if digests else ""
    return Optional(addresses, recipients, tuple(lists), ranges, told)


def _list(written: ListConfig, named: Problem, problems: list[Problem]) -> tuple[FilterList | None, str]:
    try:
        data = written.path.read_bytes()
    except OSError as error:
        problems.append(named._replace(message=f"{written.path} cannot be read ({error.strerror})"))
        return None, ""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        problems.append(Problem(str(written.path), 0, "", "is no text in UTF-8"))
        return None, ""
    found: FilterList | None
    if written.format == "hosts":
        found, wrong = read_hosts(text, str(written.path), written.purpose)
    else:
        try:
            adblock_lists = import_module("detectors.classify.adblock_lists")
        except ImportError:
            say = "lists in Adblock syntax need the extra: pip install 'streaming-privacy-monitor[adblock]'"
            problems.append(named._replace(message=say))
            return None, ""
        found, wrong = adblock_lists.read_filters(text, str(written.path), written.purpose)
    problems += wrong
    return found, hashlib.sha256(f"{written.format} {written.purpose} ".encode() + data).hexdigest()


def _ranges(
    config: Config, file: str, regions: CloudRegions, problems: list[Problem]
) -> tuple[CloudRanges | None, list[str]]:
    rows: list[tuple[str, Place]] = []
    digests: list[str] = []
    for number, path in enumerate(config.places.ranges):
        try:
            data = path.read_bytes()
            rows += read_rows(data, regions)
        except OSError as error:
            say = f"{path} cannot be read ({error.strerror})"
            problems.append(mistake(file, ("places", "ranges", number), say))
        except RangesProblem as error:
            problems.append(mistake(file, ("places", "ranges", number), f"{path} {error}"))
        else:
            digests.append(hashlib.sha256(data).hexdigest())
    return (CloudRanges(iter(rows)) if rows else None), digests


def _second(entities: Path, file: str, problems: list[Problem]) -> tuple[tuple[Recipient, ...], str]:
    try:
        data = entities.read_bytes()
    except OSError as error:
        say = f"{entities} cannot be read ({error.strerror}); `privacy-monitor data update` fetches it"
        problems.append(mistake(file, ("recipients", "third_party_web"), say))
        return (), ""
    found, wrong = read_entities(data, str(entities))
    problems += wrong
    return found or (), hashlib.sha256(data).hexdigest()
