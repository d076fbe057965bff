"""From an observation to its flows: who receives whose data, which categories, why, from where to where."""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import msgspec

from detectors.classify.cookies import categories_in
from detectors.classify.fields import Budget, find_fields
from detectors.classify.goods import GoodsReader
from detectors.classify.needs import PURCHASE
from detectors.classify.origin import NoAddresses, Origin, PlaceOfAddress, origin_of
from detectors.classify.own_places import own_place
from detectors.classify.places import CloudRegions
from detectors.classify.recipients import Known, Recipient, RecipientIndex
from detectors.classify.route import route_of
from detectors.classify.steps import StepMap
from detectors.classify.taxonomy import Taxonomy
from detectors.consent.signals import find_signals
from detectors.consent.vendors import NOBODY_IN_PARTICULAR, PUBLISHER, VENDORS
from detectors.register import Register, RegisterEntry
from topics.flow import DataFlow, Field, Place, Role, Signal, Step
from topics.observation import Destination, Kind, Media, Observation, Via
from topics.subject import SubjectKey

_LONGEST_QUERY = 4_096
_CACHED = 8_192
INGRESS = frozenset(
    {"aws-alb", "aws-apigw-access", "aws-cloudfront", "aws-lambda-proxy", "aws-waf", "azure-gateway", "gcp-lb"}
)
"""Formats of what stands before the shop and nowhere else: the host that was called is the shop's, whatever a client wrote
into the Host header. Other gateways also log what leaves."""
_OWN_SUFFIXES = (".internal", ".local", ".localhost", ".svc", ".cluster.local", ".lan")


class Knowledge(msgspec.Struct, frozen=True, kw_only=True):
    """What classification knows of the shop and the world. Made once for each snapshot."""

    key: SubjectKey
    domains: frozenset[str]
    """The shop's own registrable domains and host names."""
    recipients: RecipientIndex
    register: Register
    has_register: bool = False
    """Whether the shop keeps one at all: without it no recipient can be told to be missing from it."""
    taxonomy: Taxonomy
    steps: StepMap
    goods: GoodsReader
    regions: CloudRegions
    addresses: PlaceOfAddress = NoAddresses()
    """Tells the place of an IP address."""
    assumed_origin: Place = Place()
    """Where a person is whom no record places: for captures of one's own browser."""
    skew_ms: int = 300_000
    """How far an event may claim to be ahead of the broker's clock."""


class Classified(msgspec.Struct, frozen=True):
    """The flows of one observation, with the register entry of each where there is one."""

    flows: tuple[tuple[DataFlow, RegisterEntry | None], ...]


class Scan(NamedTuple):
    """What the bodies of an observation hold."""

    fields: tuple[Field, ...] = ()
    uninspectable: tuple[str, ...] = ()


def classify(observation: Observation, broker_ms: int, know: Knowledge, scan: Scan | None = None) -> Classified:
    """Give every flow of an observation: one for each recipient, and the shop's own collection on a purchase step.

    `scan` spares looking into its bodies again where that was done before.
    """
    step = know.steps.of(observation)
    targets = targets_of(observation, know)
    if not targets and step is Step.NONE:
        return Classified(())
    common = common_of(observation, broker_ms, know, scan or scan_of(observation, know), step, targets)
    flows: list[tuple[DataFlow, RegisterEntry | None]] = [
        (flow_to(observation, common, target), target.entry) for target in targets
    ]
    if step is not Step.NONE and not any(target.role is Role.OWN for target in targets) and is_ours(observation, know):
        flows.append((flow_to(observation, common, COLLECTION), None))
    return Classified(tuple(flows))


def is_ours(observation: Observation, know: Knowledge) -> bool:
    """Tell a record of the shop's own collection: an event, or a request that came to a host of ours."""
    if observation.kind is Kind.EVENT or observation.source in INGRESS:
        return True
    return is_own_host(host_without_port(observation.host or ""), know)


def _is_partner(targets: "Iterable[Target]") -> bool:
    """Tell whether one of those gets paid, delivers or taxes."""
    return any(target.purpose in PURCHASE for target in targets)


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


class Common(msgspec.Struct, frozen=True, kw_only=True):
    """What all flows of one observation share."""

    at_ms: int
    broker_ms: int
    subjects: tuple[str, ...]
    origin: Origin
    step: Step
    goods: tuple[str, ...]
    signals: tuple[Signal, ...]
    fields: tuple[Field, ...]
    categories: tuple[str, ...]
    uninspectable: tuple[str, ...]
    own_place: Place
    """Where the shop itself received it."""


def is_own_host(host: str, know: Knowledge) -> bool:
    """Tell whether a host (no port) is the shop's own: its domains, private addresses, names that only its network knows."""
    if not host:
        return True
    name = host.lower().rstrip(".")
    if "." not in name or name.endswith(_OWN_SUFFIXES):
        return True
    if name in know.domains or know.recipients.registrable(name) in know.domains:
        return True
    try:
        return not ipaddress.ip_address(name).is_global
    except ValueError:
        return False


def host_without_port(host: str) -> str:
    """Give a host (`name:port`, `[v6]:port`) without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def targets_of(observation: Observation, know: Knowledge) -> list[Target]:
    """Give everybody who received the data, each disclosure once, in the order in which the record names them."""
    destinations: Iterable[Destination] = observation.destinations
    # A request to a host that is not ours is a disclosure to it (an egress gateway names no other).
    host = host_without_port(observation.host or "")
    if (
        observation.kind is Kind.REQUEST
        and observation.source not in INGRESS
        and not is_own_host(host, know)
        and not any(each.name == host for each in destinations)
    ):
        destinations = (*destinations, Destination(host, Via.REQUEST, "host"))
    targets: dict[str, Target] = {}
    for destination in destinations:
        target = _target(destination, observation, know)
        if target is not None:
            targets.setdefault(target.location, target)
    return list(targets.values())


def _target(destination: Destination, observation: Observation, know: Knowledge) -> Target | None:
    if destination.via is Via.INTEGRATION or destination.via is Via.STAGE:
        return _named(destination, know.register, know.recipients, know.regions)
    name = destination.name
    known: Known | None
    entry = know.register.by_host(name)
    if entry is None and is_own_host(name, know):
        # A tracker behind a first-party name is known by the shape of its path; looks prove no recipient.
        recipient = know.recipients.lookup_path(observation.path or "", _query(observation))
        if recipient is None:
            return None
        known = Known(recipient.purpose, recipient, "path", "")
    else:
        known = _known_of_request(destination, observation, know)
        if entry is not None and known is not None and known.recipient is None:
            known = None
    host = know.recipients.registrable(name) or name
    return _received(destination, entry, known, host, know.regions)


@lru_cache(_CACHED)
def _named(destination: Destination, register: Register, index: RecipientIndex, regions: CloudRegions) -> Target:
    """Look up a recipient that is told by its name alone: an event of a shop names the same few every time."""
    entry, recipient = register.by_name(destination.name), index.lookup_name(destination.name)
    known = Known(recipient.purpose, recipient, "name", "") if recipient else None
    return _received(destination, entry, known, destination.name, regions)


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


def _known_of_request(destination: Destination, observation: Observation, know: Knowledge) -> Known | None:
    """Tell what a request to somebody else's host was for. What a gateway passed on has the shop's own path and cookies."""
    if destination.via is Via.REQUEST:
        return know.recipients.lookup_request(
            destination.name,
            observation.path or "",
            _query(observation),
            observation.cookies or "",
            observation.page_host or "",
        )
    known = know.recipients.lookup_listed(destination.name, observation.path or "")
    return None if known is not None and known.recipient is None else known


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


def flow_to(observation: Observation, common: Common, target: Target) -> DataFlow:
    """Give the flow to one of those who received it."""
    return DataFlow(
        item=observation.item,
        location=target.location,
        at_ms=common.at_ms,
        subjects=common.subjects,
        service=observation.service,
        source=observation.source,
        recipient=target.id,
        recipient_host=target.host,
        role=target.role,
        proof=target.proof,
        proof_path=target.proof_path,
        route=route_of(observation, target.proof, common.at_ms, common.broker_ms),
        purpose=target.purpose,
        known_by=target.known_by,
        origin=common.origin.place,
        origin_conflict=common.origin.conflict,
        origin_rival=common.origin.rival,
        destination=common.own_place if target is COLLECTION else target.destination,
        fields=common.fields,
        categories=common.categories,
        step=common.step,
        signals=_signals_for(target, observation, common),
        goods=common.goods,
        headers_seen=observation.headers is not None,
        uninspectable=common.uninspectable,
    )


def _event_time(at_ms: int | None, broker_ms: int, skew_ms: int) -> int:
    """Clamp the event's own time: a clock that runs ahead must not reach into consent that was given later."""
    if at_ms is None or at_ms <= 0:
        return broker_ms
    return min(at_ms, broker_ms + skew_ms) if broker_ms > 0 else at_ms


def _subjects_of(observation: Observation, key: SubjectKey) -> tuple[str, ...]:
    """Give the keyed hashes of the person's identifiers, most stable first."""
    return tuple(key.hash(kind, value) for kind, value in observation.subjects)


def _signals_for(target: Target, observation: Observation, common: Common) -> tuple[Signal, ...]:
    """Give the signals as they speak of one recipient: a TC string has a bit for each vendor."""
    if not any(signal.kind == "tcf" for signal in common.signals):
        return common.signals
    vendor = VENDORS.get(target.id, PUBLISHER if target.role is Role.PROCESSOR else NOBODY_IN_PARTICULAR)
    return _signals_of(observation, common.at_ms, vendor) if vendor else common.signals


def _signals_of(observation: Observation, at_ms: int, vendor: int = NOBODY_IN_PARTICULAR) -> tuple[Signal, ...]:
    """Give every consent signal on the record, as it speaks of a vendor."""
    query = next((part.data for part in observation.parts if part.path == "query" and part.media is Media.FORM), None)
    text = query.decode("utf-8", "replace") if query else None
    return find_signals(observation.headers, observation.cookies, text, observation.consent, at_ms=at_ms, vendor=vendor)


def scan_of(observation: Observation, know: Knowledge) -> Scan:
    """Look into the bodies of an observation."""
    found: list[Field] = []
    uninspectable: set[str] = set()
    budget = Budget()
    for part in observation.parts:
        scan = find_fields(part, budget, know.taxonomy)
        found.extend(scan.fields)
        uninspectable.update(scan.uninspectable)
        if part.truncated:
            uninspectable.add("truncated")
    return Scan(tuple(found), tuple(sorted(uninspectable)))


def common_of(
    observation: Observation, broker_ms: int, know: Knowledge, scan: Scan, step: Step, targets: Sequence[Target]
) -> Common:
    """Give what all flows of an observation share."""
    at_ms = _event_time(observation.at_ms, broker_ms, know.skew_ms)
    return Common(
        at_ms=at_ms,
        broker_ms=broker_ms,
        subjects=_subjects_of(observation, know.key),
        origin=origin_of(observation, know.addresses, know.assumed_origin),
        step=step,
        goods=know.goods.of(observation) if step is not Step.NONE or _is_partner(targets) else (),
        signals=_signals_of(observation, at_ms),
        fields=scan.fields,
        categories=_categories_of(observation, scan.fields),
        uninspectable=scan.uninspectable,
        own_place=own_place(observation, know.register, know.regions),
    )


_IDENTIFIER_CATEGORIES: Mapping[str, str] = {
    "user_id": "user.unique_id",
    "anonymous_id": "user.device.cookie_id",
    "device_id": "user.device.device_id",
    "email": "user.contact.email",
}


def _categories_of(observation: Observation, fields: tuple[Field, ...]) -> tuple[str, ...]:
    """Give the categories of the fields, and of what travels with every request: address, cookies, identifiers."""
    found = {field.category for field in fields}
    # Whom a page calls sees the browser's address, whether or not the record says it.
    calls = observation.page_host and any(each.via is Via.REQUEST for each in observation.destinations)
    if observation.client_ip or calls:
        found.add("user.device.ip_address")
    if observation.cookies:
        found |= categories_in(observation.cookies)
    found.update(_IDENTIFIER_CATEGORIES[kind] for kind, _ in observation.subjects if kind in _IDENTIFIER_CATEGORIES)
    return tuple(sorted(found))
