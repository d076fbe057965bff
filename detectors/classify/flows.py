"""From an observation to its flows: who receives whose data, which categories, why, from where to where."""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from detectors.classify.cookies import categories_in
from detectors.classify.fields import Budget, find_fields
from detectors.classify.knowledge import Knowledge
from detectors.classify.needs import PURCHASE
from detectors.classify.origin import Origin, origin_of
from detectors.classify.own_places import own_place
from detectors.classify.route import route_of
from detectors.classify.targets import COLLECTION, Target, is_ours, targets_of
from detectors.consent.signals import find_signals
from detectors.consent.vendors import NOBODY_IN_PARTICULAR, PUBLISHER, VENDORS
from detectors.register import RegisterEntry
from topics.flow import DataFlow, Field, Place, Role, Signal, Step
from topics.observation import Media, Observation, Via
from topics.subject import SubjectKey

_BUDGET = Budget()


class Classified(msgspec.Struct, frozen=True):
    """The flows of one observation, with the register entry of each where there is one."""

    flows: tuple[tuple[DataFlow, RegisterEntry | None], ...]


class Scan(NamedTuple):
    """What the bodies of an observation hold."""

    fields: tuple[Field, ...] = ()
    uninspectable: tuple[str, ...] = ()


class Parties(NamedTuple):
    """Who gets the data of an observation, and at which step of a purchase. None at no step: there is no flow."""

    step: Step
    targets: tuple[Target, ...]
    """Everybody who received it, each once, and the shop itself where a step of a purchase names it nowhere."""


def parties_of(observation: Observation, know: Knowledge) -> Parties:
    """Tell the step, and who gets the data. Looks into no body but where a path says that it tells the step."""
    step = know.steps.of(observation)
    targets = targets_of(observation, know)
    if step is not Step.NONE and Role.OWN not in [each.role for each in targets] and is_ours(observation, know):
        targets.append(COLLECTION)
    return Parties(step, tuple(targets))


def classify(observation: Observation, broker_ms: int, know: Knowledge) -> Classified:
    """Give every flow of an observation: one for each recipient, and the shop's own collection on a purchase step."""
    parties = parties_of(observation, know)
    if not parties.targets:
        return Classified(())
    return flows_of(observation, common_of(observation, broker_ms, know, parties))


class Common(msgspec.Struct, frozen=True, kw_only=True):
    """What all flows of one observation share."""

    at_ms: int
    broker_ms: int
    targets: tuple[Target, ...]
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


def flows_of(observation: Observation, common: Common) -> Classified:
    """Give the flow to each of those who received it."""
    return Classified(tuple([(flow_to(observation, common, each), each.entry) for each in common.targets]))


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
        signals=signals_for(target, observation, common),
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
    return tuple([key.hash(kind, value) for kind, value in observation.subjects])


def signals_for(target: Target, observation: Observation, common: Common) -> tuple[Signal, ...]:
    """Give the signals as they speak of one recipient: a TC string has a bit for each vendor."""
    if not common.signals or "tcf" not in [signal.kind for signal in common.signals]:
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
    for part in observation.parts:
        scan = find_fields(part, _BUDGET, know.taxonomy)
        found.extend(scan.fields)
        uninspectable.update(scan.uninspectable)
        if part.truncated:
            uninspectable.add("truncated")
    return Scan(tuple(found), tuple(sorted(uninspectable)))


def common_of(observation: Observation, broker_ms: int, know: Knowledge, parties: Parties) -> Common:
    """Give what all flows of an observation share."""
    step, targets = parties
    scan = scan_of(observation, know)
    at_ms = _event_time(observation.at_ms, broker_ms, know.skew_ms)
    # Who gets paid, delivers or taxes is told what is bought, whatever the step.
    tells_goods = step is not Step.NONE or not PURCHASE.isdisjoint([each.purpose for each in targets])
    return Common(
        at_ms=at_ms,
        broker_ms=broker_ms,
        targets=targets,
        subjects=_subjects_of(observation, know.key),
        origin=origin_of(observation, know.addresses, know.assumed_origin),
        step=step,
        goods=know.goods.of(observation) if tells_goods else (),
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
    calls = observation.page_host and Via.REQUEST in [each.via for each in observation.destinations]
    if observation.client_ip or calls:
        found.add("user.device.ip_address")
    if observation.cookies:
        found |= categories_in(observation.cookies)
    found.update([_IDENTIFIER_CATEGORIES[kind] for kind, _ in observation.subjects if kind in _IDENTIFIER_CATEGORIES])
    return tuple(sorted(found))
