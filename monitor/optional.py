"""Knowledge that is not shipped and that the configuration may name: places of addresses, a second list of recipients."""

import hashlib
from pathlib import Path

import msgspec

from detectors.classify.origin import NoAddresses, PlaceOfAddress
from detectors.classify.recipients import Recipient
from detectors.classify.third_party_web import read_entities
from detectors.documents import Problem
from monitor.config import Config
from monitor.files import mistake
from monitor.geo import GeoDatabase, GeoProblem


class Optional(msgspec.Struct, frozen=True):
    """What was named and read, and a digest of it; empty when nothing was named."""

    addresses: PlaceOfAddress = NoAddresses()
    recipients: tuple[Recipient, ...] = ()
    digest: str = ""


def read_optional(config: Config, file: str, problems: list[Problem]) -> Optional:
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
    entities = config.data / "third-party-web" / "entities.json"
    wanted = config.recipients.third_party_web
    recipients: tuple[Recipient, ...] = ()
    if wanted or (wanted is None and entities.is_file()):
        recipients, digest = _second(entities, file, problems)
        digests.append(digest)
    told = hashlib.sha256("\0".join(digests).encode()).hexdigest() if digests else ""
    return Optional(addresses, recipients, told)


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
