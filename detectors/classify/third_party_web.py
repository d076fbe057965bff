"""A second list of recipients: the entities of `third-party-web` (MIT, © Patrick Hulce), read from the package's own JSON.

It stands behind the project's list: what that one knows by host, by an ending of it or by name, this one never changes.
"""

from collections.abc import Mapping, Sequence

import msgspec

from detectors.classify.recipients import Recipient, RecipientIndex, normal_name
from detectors.documents import Problem

PURPOSES_OF: Mapping[str, str] = {
    "ad": "advertising.targeted",
    "analytics": "analytics",
    "social": "social",
    "video": "content",
    "utility": "functional",
    "hosting": "functional",
    "marketing": "marketing.email",
    "customer-success": "support",
    "content": "content",
    "cdn": "content",
    "tag-manager": "tag_management",
    "consent-provider": "consent",
    "other": "unknown",
}
"""Purpose of each category of the package. A category is one word for a company with many services: where that word says
less than the traffic, the register or the project's own list should say it instead."""

_MAX_HOST = 253
_HOST = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-._")


class _Entity(msgspec.Struct, frozen=True):
    name: str
    domains: tuple[str, ...] = ()
    company: str = ""
    category: str = "other"


_ENTITIES = msgspec.json.Decoder(list[_Entity])


def read_entities(data: bytes, file: str) -> tuple[tuple[Recipient, ...] | None, list[Problem]]:
    """Read `dist/entities.json`: the recipients, or what is wrong with the file."""
    try:
        entities = _ENTITIES.decode(data)
    except msgspec.MsgspecError:
        return None, [Problem(file, 0, "", "not the list of entities of third-party-web (dist/entities.json)")]
    unknown = sorted({each.category for each in entities} - PURPOSES_OF.keys())
    if unknown:
        words = ", ".join(f"{each[:40]!a}" for each in unknown[:5])
        return None, [Problem(file, 0, "", f"categories that no purpose is known for: {words}; use another release")]
    return tuple(_recipient(each) for each in entities), []


def _recipient(entity: _Entity) -> Recipient:
    hosts = (domain.lower().removeprefix("*.") for domain in entity.domains)
    return Recipient(
        id="-".join("".join(letter if letter.isalnum() else " " for letter in entity.name.lower()).split())[:64],
        name=entity.name,
        entity=entity.company or entity.name,
        hosts=tuple(host for host in hosts if "." in host and len(host) <= _MAX_HOST and _HOST.issuperset(host)),
        purpose=PURPOSES_OF[entity.category],
    )


def behind(own: RecipientIndex, more: Sequence[Recipient]) -> RecipientIndex:
    """Give an index that knows the second list where the first knows nothing. The first one met keeps a host or a name."""
    hosts: set[str] = set()
    names: set[str] = set()
    ids = set(own.by_id)
    kept: list[Recipient] = []
    for each in more:
        mine = tuple(dict.fromkeys(host for host in each.hosts if host not in hosts and own.lookup_host(host) is None))
        key = normal_name(each.name)
        name_id = each.id if each.id and each.id not in ids else f"{each.id}-{len(kept)}"
        if not mine or key in names or own.lookup_name(each.name) is not None or name_id in ids:
            continue
        hosts.update(mine)
        names.add(key)
        ids.add(name_id)
        kept.append(msgspec.structs.replace(each, id=name_id, hosts=mine))
    return RecipientIndex([*own.by_id.values(), *kept], own.paths)
