"""Who receives data: well-known companies by host, by integration name, and by the shape of a first-party path."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Annotated

import msgspec
from publicsuffixlist import PublicSuffixList
from pydantic import Field as Bounded
from pydantic import field_validator, model_validator

from detectors.documents import Problem, Written, read
from topics.flow import PURPOSES, Role

Host = Annotated[str, Bounded(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$", max_length=253)]

_CACHED = 16_384
_LONGEST_HOST = 253
_LONGEST_PATH = 2_048
_LONGEST_NAME = 128


class Recipient(msgspec.Struct, frozen=True, kw_only=True):
    """A company that receives data, and what its service is for."""

    id: str
    name: str
    entity: str
    """Legal entity or group that runs it."""
    hosts: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    purpose: str = "unknown"
    role_hint: Role = Role.THIRD_PARTY
    """What it is when no agreement is on file."""
    countries: tuple[str, ...] = ()
    """ISO 3166-1 alpha-2 codes of where its public hosts are known to sit; usually empty."""
    entity_country: str = ""
    """Seat of the entity; empty where not plain."""


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


class WrittenPath(Written):
    """A path that gives a tracker away behind any host."""

    path: Annotated[str, Bounded(pattern=r"^(\*/|/)[A-Za-z0-9._/-]+(/\*)?$")]
    query: tuple[str, ...] = ()
    """Parameters that the query must have."""
    recipient: str


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
        ids = {each.id for each in self.recipients}
        wrong += [
            f"path {each.path}: unknown recipient {each.recipient}" for each in self.paths if each.recipient not in ids
        ]
        if wrong:
            raise ValueError("; ".join(wrong))
        return self


class RecipientIndex:
    """Look-ups of recipients, made once, remembered by value."""

    def __init__(self, recipients: Sequence[Recipient], paths: Sequence[WrittenPath] = ()) -> None:
        self.by_id: Mapping[str, Recipient] = {each.id: each for each in recipients}
        self.paths = tuple(paths)
        self._hosts = {host: each for each in recipients for host in each.hosts}
        self._names = {normal_name(name): each for each in recipients for name in (each.name, each.id, *each.names)}
        self._paths = [
            (
                each.path.startswith("*"),
                each.path.endswith("*"),
                each.path.strip("*").rstrip("/") + "/",
                each.query,
                self.by_id[each.recipient],
            )
            for each in paths
        ]
        self._suffixes = PublicSuffixList()
        self.lookup_host = lru_cache(_CACHED)(self._lookup_host)
        """Give the recipient behind a host name (no port), by the longest known ending; None when unknown."""
        self.lookup_name = lru_cache(_CACHED)(self._lookup_name)
        """Give the recipient that an integration name means, without regard to case and punctuation."""
        self.registrable = lru_cache(_CACHED)(self._registrable)
        """Give the registrable domain of a host name by the Public Suffix List; empty when it has none."""

    def lookup_path(self, path: str, query: str = "") -> Recipient | None:
        """Give the tracker that a path on the shop's own host gives away, or None."""
        if not path or len(path) > _LONGEST_PATH:
            return None
        whole = f"/{path.strip('/')}/"
        for floats, goes_on, needle, parameters, recipient in self._paths:
            if goes_on:
                hit = needle in whole if floats else whole.startswith(needle)
            else:
                hit = whole.endswith(needle) if floats else whole == needle
            if hit and (not parameters or _has_parameters(query, parameters)):
                return recipient
        return None

    def _lookup_host(self, host: str) -> Recipient | None:
        name = host[: _LONGEST_HOST + 2].lower().rstrip(".")
        while name:
            found = self._hosts.get(name)
            if found is not None:
                return found
            name = name.partition(".")[2]
        return None

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
        if len(name) > _LONGEST_HOST or not name.isascii():
            return ""
        return self._suffixes.privatesuffix(name) or ""


def normal_name(name: str) -> str:
    """Reduce a name to lower-case letters and digits."""
    return "".join(filter(str.isalnum, name[:_LONGEST_NAME].lower()))


def read_recipients(text: str, file: str) -> tuple[RecipientIndex | None, list[Problem]]:
    """Read the recipient list from the text of its file: the index, or every mistake."""
    written, problems = read(text, file, RecipientFile)
    if written is None:
        return None, problems
    recipients = [Recipient(**each.model_dump()) for each in written.recipients]
    return RecipientIndex(recipients, written.paths), problems


def _has_parameters(query: str, names: Sequence[str]) -> bool:
    marked = f"&{query[:_LONGEST_PATH].removeprefix('?')}"
    return all(f"&{name}=" in marked for name in names)
