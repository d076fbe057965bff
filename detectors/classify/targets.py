"""Who received the data of an observation, and what is known of them: looked up once for each way of being named."""

import ipaddress
from functools import lru_cache

import msgspec

from detectors.classify.knowledge import Knowledge
from detectors.classify.places import CloudRegions
from detectors.classify.recipients import Known, Recipient, RecipientIndex
from detectors.register import Register, RegisterEntry
from topics.flow import Place, Role
from topics.observation import Destination, Kind, Media, Observation, Via

_LONGEST_QUERY = 4_096
_CACHED = 16_384
_LONGEST_CACHED = 1_024
"""Characters of a host, or of a path with its query, that are remembered; hostile ones are longer, and looked up anew."""
INGRESS = frozenset(
    {"aws-alb", "aws-apigw-access", "aws-cloudfront", "aws-lambda-proxy", "aws-waf", "azure-gateway", "gcp-lb"}
)
"""Formats of what stands before the shop and nowhere else: the host that was called is the shop's, whatever a client wrote
into the Host header. Other gateways also log what leaves."""
_OWN_SUFFIXES = (".internal", ".local", ".localhost", ".svc", ".cluster.local", ".lan")


class Target(msgspec.Struct, frozen=True, kw_only=True, cache_hash=True):
    """Somebody who received the data of an observation, and what is known of them."""

    location: str
    role: Role
    id: str = "unknown"
    host: str = ""
    purpose: str = "unknown"
    known_by: str = ""
    proof: str = ""
    proof_path: str = ""
    destination: Place = Place()
    entry: RegisterEntry | None = None


COLLECTION = Target(location="collection", role=Role.OWN, id="own")
"""The shop itself, where a step of a purchase names nobody."""


def targets_of(observation: Observation, know: Knowledge) -> list[Target]:
    """Give everybody who received the data, each disclosure once, in the order in which the record names them."""
    destinations = observation.destinations
    # A request to a host that is not ours is a disclosure to it (an egress gateway names no other).
    if observation.kind is Kind.REQUEST and observation.source not in INGRESS:
        host = host_without_port(observation.host or "")
        if not is_own_host(host, know) and not any(each.name == host for each in destinations):
            destinations = (*destinations, Destination(host, Via.REQUEST, "host"))
    if not destinations:
        return []
    targets: dict[str, Target] = {}
    for destination in destinations:
        target = _target(destination, observation, know)
        if target is not None:
            targets.setdefault(target.location, target)
    return list(targets.values())


def is_ours(observation: Observation, know: Knowledge) -> bool:
    """Tell a record of the shop's own collection: an event, or a request that came to a host of ours."""
    if observation.kind is Kind.EVENT or observation.source in INGRESS:
        return True
    return is_own_host(host_without_port(observation.host or ""), know)


def is_own_host(host: str, know: Knowledge) -> bool:
    """Tell whether a host (no port) is the shop's own: its domains, private addresses, names that only its network knows."""
    told = _is_own if len(host) <= _LONGEST_CACHED else _is_own.__wrapped__
    return told(host, know.domains, know.recipients)


def host_without_port(host: str) -> str:
    """Give a host (`name:port`, `[v6]:port`) without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


@lru_cache(_CACHED)
def _is_own(host: str, domains: frozenset[str], index: RecipientIndex) -> bool:
    if not host:
        return True
    name = host.lower().rstrip(".")
    if "." not in name or name.endswith(_OWN_SUFFIXES):
        return True
    if name in domains or index.registrable(name) in domains:
        return True
    try:
        return not ipaddress.ip_address(name).is_global
    except ValueError:
        return False


def _target(destination: Destination, observation: Observation, know: Knowledge) -> Target | None:
    via = destination.via
    if via is Via.INTEGRATION or via is Via.STAGE:
        return _named(destination, know.register, know.recipients, know.regions)
    is_own = is_own_host(destination.name, know)
    if via is Via.REQUEST:
        return _called(destination, observation, know, is_own=is_own)
    path = observation.path or ""
    query = _query(observation) if is_own else ""
    told = _passed_on if len(path) + len(query) <= _LONGEST_CACHED else _passed_on.__wrapped__
    return told(destination, path, query, is_own, know.register, know.recipients, know.regions)


@lru_cache(_CACHED)
def _named(destination: Destination, register: Register, index: RecipientIndex, regions: CloudRegions) -> Target:
    """Look up a recipient that is told by its name alone: an event of a shop names the same few every time."""
    entry, recipient = register.by_name(destination.name), index.lookup_name(destination.name)
    known = Known(recipient.purpose, recipient, "name", "") if recipient else None
    return _received(destination, entry, known, destination.name, regions)


@lru_cache(_CACHED)
def _passed_on(  # noqa: PLR0913, PLR0917 - all that it rests on, to be remembered by
    destination: Destination,
    path: str,
    query: str,
    is_own: bool,  # noqa: FBT001
    register: Register,
    index: RecipientIndex,
    regions: CloudRegions,
) -> Target | None:
    """Tell to whom a gateway passed a request on: it has the shop's own path and cookies, so that its looks say nothing."""
    name = destination.name
    entry = register.by_host(name)
    if entry is None and is_own:
        known = _tracker(index, path, query)
        if known is None:
            return None
    else:
        known = index.lookup_listed(name, path)
        if known is not None and known.recipient is None:
            known = None
    return _received(destination, entry, known, index.registrable(name) or name, regions)


def _called(destination: Destination, observation: Observation, know: Knowledge, *, is_own: bool) -> Target | None:
    """Tell to whom a request went that was made to a host directly."""
    name, path, query = destination.name, observation.path or "", _query(observation)
    index = know.recipients
    entry = know.register.by_host(name)
    if entry is None and is_own:
        known = _tracker(index, path, query)
        if known is None:
            return None
    else:
        known = index.lookup_request(name, path, query, observation.cookies or "", observation.page_host or "")
        if entry is not None and known is not None and known.recipient is None:
            known = None
    return _received(destination, entry, known, index.registrable(name) or name, know.regions)


def _tracker(index: RecipientIndex, path: str, query: str) -> Known | None:
    """Tell a tracker behind a name of the shop's own by the shape of its path; looks prove no recipient."""
    recipient = index.lookup_path(path, query)
    return Known(recipient.purpose, recipient, "path", "") if recipient is not None else None


def _received(
    destination: Destination, entry: RegisterEntry | None, known: Known | None, host: str, regions: CloudRegions
) -> Target:
    by_name = destination.via is Via.INTEGRATION or destination.via is Via.STAGE
    recipient = known.recipient if known else None
    return Target(
        location=destination.path or destination.via.value,
        role=_role(entry, recipient),
        id=entry.id if entry else recipient.id if recipient else "unknown",
        host=host,
        purpose=_purpose(entry, known),
        known_by=known.how if known else "register" if entry else "",
        proof=destination.via.value,
        proof_path=destination.path,
        destination=_destination(entry, recipient, None if by_name else destination, regions),
        entry=entry,
    )


def _query(observation: Observation) -> str:
    query = next((part.data for part in observation.parts if part.path == "query" and part.media is Media.FORM), b"")
    return query[:_LONGEST_QUERY].decode("utf-8", "replace")


def _role(entry: RegisterEntry | None, known: Recipient | None) -> Role:
    if entry is not None:
        return Role(entry.role)
    return Role.THIRD_PARTY if known is not None else Role.UNKNOWN


def _purpose(entry: RegisterEntry | None, known: Known | None) -> str:
    """Tell the purpose. Our own knowledge of a company comes first: a register cannot rename what a recipient does.

    Only where the list says nothing, or says one of several purposes that the register narrows, the register speaks.
    """
    if known is not None and known.purpose != "unknown":
        return known.purpose
    if entry is not None and entry.written.purposes:
        return entry.written.purposes[0]
    return "unknown"


def _destination(
    entry: RegisterEntry | None, known: Recipient | None, called: Destination | None, regions: CloudRegions
) -> Place:
    """Tell where the data goes: as the register says, unless the traffic shows a country that it does not name."""
    seen = Place()
    if called is not None:
        seen = regions.place_of_host(called.name)
        if not seen.country:
            place = regions.place_of_address(called.address or called.name)
            seen = Place(place.country, place.subdivision, "cloud-range") if place.country else seen
    if entry is not None and entry.countries and not (seen.country and entry.is_elsewhere(seen.country)):
        return Place(country=entry.countries[0], source="register")
    if seen.country:
        return seen
    if known is not None and known.entity_country:
        return Place(country=known.entity_country, source="recipient-list")
    return Place()
