"""Who receives data: well-known companies by host, by integration name, and by the shape of a first-party path."""

from collections import Counter
from collections.abc import Mapping, Sequence
from copy import copy
from functools import lru_cache
from typing import Annotated, NamedTuple

import msgspec
from publicsuffixlist import PublicSuffixList
from pydantic import Field as Bounded
from pydantic import field_validator, model_validator

from detectors.classify.companies import Company, CompanyFile
from detectors.classify.filter_lists import FilterList, purpose_of
from detectors.classify.paths import PathShapes, WrittenPath
from detectors.classify.pixels import look
from detectors.documents import Problem, Written, read
from topics.flow import PURPOSES, Role

Host = Annotated[str, Bounded(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$", max_length=253)]

_CACHED = 16_384
_LONGEST_HOST = 253
_LONGEST_NAME = 128
_LONGEST_GOOGLE = len("google.com.xx")
_CARRIERS = frozenset({"content", "functional"})
"""Purposes of platforms that carry other people's software: there the path is asked too."""


class Recipient(msgspec.Struct, frozen=True, kw_only=True):
    """A company that receives data, and what its service is for."""

    id: str
    name: str
    entity: str
    """Legal entity or group that runs it."""
    hosts: tuple[str, ...] = ()
    under: tuple[str, ...] = ()
    """Hosts with a path: only what is below that path is meant."""
    names: tuple[str, ...] = ()
    purpose: str = "unknown"
    role_hint: Role = Role.THIRD_PARTY
    """What it is when no agreement is on file."""
    countries: tuple[str, ...] = ()
    """ISO 3166-1 alpha-2 codes of where its public hosts are known to sit; usually empty."""
    entity_country: str = ""
    """Seat of the entity; empty where not plain."""


class Known(NamedTuple):
    """What is known of where a request went, and how."""

    purpose: str
    recipient: Recipient | None
    """None: the purpose is told by the looks of the request; who receives it is not known."""
    how: str
    """`host`, `host-path`, `path`, `list` or `looks`, from the surest to the least sure."""
    evidence: str
    """Entry of the list that matched, or the kinds of signs, joined by `+`."""


class _Behind(NamedTuple):
    """What the endings of one host name lead to."""

    recipient: Recipient | None
    host: str
    """The ending that was listed."""
    under: tuple[tuple[str, Recipient], ...]
    """Paths (`/pagead/`) on it, or on an ending as long, that belong to somebody else; the longest first."""


class WrittenRecipient(Written):
    """One company of recipients.yaml."""

    id: Annotated[str, Bounded(pattern=r"^[a-z0-9-]+$", max_length=64)]
    name: str
    entity: str
    purpose: str
    entity_country: Annotated[str, Bounded(pattern=r"^([A-Z]{2})?$")] = ""
    countries: tuple[Annotated[str, Bounded(pattern=r"^[A-Z]{2}$")], ...] = ()
    hosts: tuple[Host, ...] = ()
    names: tuple[str, ...] = ()

    @field_validator("purpose")
    @classmethod
    def _is_known_purpose(cls, purpose: str) -> str:
        if purpose not in PURPOSES:
            raise ValueError(f"unknown purpose; one of: {', '.join(sorted(PURPOSES))}")
        return purpose


class RecipientFile(Written):
    """What stands in recipients.yaml."""

    recipients: tuple[WrittenRecipient, ...]
    paths: tuple[WrittenPath, ...] = ()

    @model_validator(mode="after")
    def _is_unambiguous(self) -> "RecipientFile":
        wrong: list[str] = []
        for what, values in (
            ("id", [each.id for each in self.recipients]),
            ("host", [host for each in self.recipients for host in each.hosts]),
            (
                "name",
                [name for each in self.recipients for name in {normal_name(name) for name in (each.name, *each.names)}],
            ),
        ):
            wrong += [f"{what} {value} stands twice" for value in sorted({v for v in values if values.count(v) > 1})]
        if wrong:
            raise ValueError("; ".join(wrong))
        return self


class RecipientIndex:
    """Look-ups of recipients, made once, remembered by value."""

    def __init__(self, recipients: Sequence[Recipient], paths: Sequence[WrittenPath] = ()) -> None:
        self.by_id: Mapping[str, Recipient] = {each.id: each for each in recipients}
        self.paths = tuple(paths)
        self.lists: tuple[FilterList, ...] = ()
        self._hosts = {host: each for each in recipients for host in each.hosts}
        self._under: dict[str, list[tuple[str, Recipient]]] = {}
        for each in recipients:
            for place in each.under:
                host, _, path = place.partition("/")
                self._under.setdefault(host, []).append((f"/{path.lower()}/", each))
        self._names = {normal_name(name): each for each in recipients for name in (each.name, each.id, *each.names)}
        self._shapes = PathShapes(paths)
        self._suffixes = PublicSuffixList()
        self._behind = lru_cache(_CACHED)(self._walk)
        self.lookup_name = lru_cache(_CACHED)(self._lookup_name)
        """Give the recipient that an integration name means, without regard to case and punctuation."""
        self.registrable = lru_cache(_CACHED)(self._registrable)
        """Give the registrable domain of a host name by the Public Suffix List; empty when it has none."""

    def lookup_host(self, host: str) -> Recipient | None:
        """Give the recipient behind a host name (no port), by the longest known ending; None when unknown."""
        return self._behind(host).recipient

    def lookup_path(self, path: str, query: str = "") -> Recipient | None:
        """Give the tracker that a path on the shop's own host gives away, or None."""
        shape = self._shapes.lookup(path, query)
        return self.by_id.get(shape.recipient) if shape else None

    def with_lists(self, lists: Sequence[FilterList]) -> "RecipientIndex":
        """Give the same index with lists of the operator's behind it."""
        other = copy(self)
        other.lists = tuple(lists)
        return other

    def lookup_request(
        self, host: str, path: str, query: str = "", cookies: str = "", page_host: str = ""
    ) -> Known | None:
        """Tell who receives a request to a host that is not the shop's own, why, and how that is known.

        A listed host comes first, with the paths on it that serve another purpose; then the shape of the path, where the
        host is a platform that carries other people's software or is not listed; then the operator's lists, then the looks of host,
        path and query, which tell of a platform only what this request was for.
        """
        known = self.lookup_listed(host, path, query)
        if known is not None and (known.how != "host" or known.purpose not in _CARRIERS):
            return known
        if known is None and self.lists:
            purpose, name = purpose_of(self.lists, host, path, query, page_host)
            if purpose:
                return Known(purpose, None, "list", name)
        # What stands before a listed name was chosen for the service: `stats` of a shop's platform measures.
        left = host.lower().removesuffix(known.evidence) if known else host.rpartition(".")[0]
        told = _looks(left, path, query, cookies)
        if known is None or told is None:
            return known or told
        return known._replace(purpose=told.purpose, how=told.how, evidence=told.evidence)

    def lookup_listed(self, host: str, path: str, query: str = "") -> Known | None:
        """Tell who receives a request by the list and the shapes of paths alone, or None."""
        behind = self._behind(host)
        if behind.under and path:
            place = f"{path[:_LONGEST_NAME].lower()}/"
            for prefix, recipient in behind.under:
                if place.startswith(prefix):
                    return Known(recipient.purpose, recipient, "host-path", f"{behind.host}{prefix}")
        known = behind.recipient
        if known is not None and known.purpose not in _CARRIERS:
            return Known(known.purpose, known, "host", behind.host)
        shape = self._shapes.lookup(path, query)
        if shape is not None:
            recipient_of_shape = self.by_id.get(shape.recipient)
            purpose = recipient_of_shape.purpose if recipient_of_shape else shape.purpose
            return Known(purpose, recipient_of_shape, "path", shape.path)
        return None if known is None else Known(known.purpose, known, "host", behind.host)

    def lookup_own(self, host: str, path: str, query: str = "") -> Known | None:
        """Tell the purpose of a request to a host of the shop's own that measures people, or None.

        A tracker behind a name of the shop's own is given away by the shape of the path. Looks tell the purpose only: it
        may well be the shop itself that measures, so without a recipient nothing is known to be disclosed.
        """
        shape = self._shapes.lookup(path, query)
        if shape is not None:
            recipient = self.by_id.get(shape.recipient)
            return Known(recipient.purpose if recipient else shape.purpose, recipient, "path", shape.path)
        return _looks(host.lower().removesuffix(self.registrable(host)), path, query)

    def _walk(self, host: str) -> _Behind:
        name = _as_listed(host[: _LONGEST_HOST + 2].lower().rstrip("."))
        under: list[tuple[str, Recipient]] = []
        while name:
            under += self._under.get(name, ())
            found = self._hosts.get(name)
            if found is not None or under:
                under.sort(key=lambda each: -len(each[0]))
                return _Behind(found or self._above(name), name, tuple(under))
            name = name.partition(".")[2]
        return _Behind(None, "", ())

    def _above(self, name: str) -> Recipient | None:
        return None if not name else self._hosts.get(name) or self._above(name.partition(".")[2])

    def _lookup_name(self, name: str) -> Recipient | None:
        normal = normal_name(name)
        found = self._names.get(normal)
        if found is None:
            # `Actions Braze Web`, `Mixpanel (Actions)`: what a platform adds to the company's name.
            bare = normal.removeprefix("actions")
            for ending in ("actions", "cloudmode", "webmode", "devicemode", "cloud", "web", "audiences", "classic"):
                bare = bare.removesuffix(ending)
            found = self._names.get(bare)
        return found

    def _registrable(self, host: str) -> str:
        name = host.lower().rstrip(".")
        # An IP address has no registrable domain.
        if len(name) > _LONGEST_HOST or not name.isascii() or name.rpartition(".")[2].isdigit():
            return ""
        return self._suffixes.privatesuffix(name) or ""


def _looks(host: str, path: str, query: str, cookies: str = "") -> Known | None:
    found = look(host.lower(), path, query, cookies)
    return None if found is None else Known(found.purpose, None, "looks", "+".join(found.signs))


def _as_listed(host: str) -> str:
    """Give Google's pages in other countries the name that the list knows: `www.google.co.uk` serves what `google.com` does."""
    bare = host.removeprefix("www.")
    return "google.com" if bare.startswith("google.") and len(bare) <= _LONGEST_GOOGLE else host


def normal_name(name: str) -> str:
    """Reduce a name to lower-case letters and digits."""
    return "".join(filter(str.isalnum, name[:_LONGEST_NAME].lower()))


def read_recipients(
    text: str, file: str, companies: str = "", companies_file: str = ""
) -> tuple[RecipientIndex | None, list[Problem]]:
    """Read the recipient list, and the compact list of further companies: the index, or every mistake of both files."""
    written, problems = read(text, file, RecipientFile)
    further: tuple[Company, ...] = ()
    if companies:
        compact, mistakes = read(companies, companies_file, CompanyFile)
        problems += mistakes
        further = tuple(compact.companies()) if compact else ()
    if written is None or problems:
        return None, problems
    recipients = [Recipient(**each.model_dump()) for each in written.recipients]
    recipients += [
        Recipient(
            id=each.id,
            name=each.name,
            entity=each.entity,
            hosts=each.hosts,
            under=each.under,
            purpose=each.purpose,
            entity_country=each.country,
        )
        for each in further
    ]
    problems = [
        Problem(companies_file, 0, "", f"{what} {value} stands twice, in this file or in {file}")
        for what, values in (
            ("id", [each.id for each in recipients]),
            ("host", [host for each in recipients for host in (*each.hosts, *each.under)]),
            ("name", [name for each in recipients for name in {normal_name(n) for n in (each.name, *each.names)}]),
        )
        for value, times in Counter(values).items()
        if times > 1
    ]
    ids = {each.id for each in recipients}
    problems += [
        Problem(file, 0, f"paths.{index}", f"unknown recipient {each.recipient}")
        for index, each in enumerate(written.paths)
        if each.recipient and each.recipient not in ids
    ]
    return (None if problems else RecipientIndex(recipients, written.paths)), problems
