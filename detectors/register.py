"""The transfer register: who receives data, in which role, where, and on which documented ground."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any, NamedTuple, Self

import msgspec
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from detectors.documents import Problem, Written, line_of, load, validate
from detectors.law.fact import NOT_EMPTY, Day, Purpose, Text
from detectors.law.iso import COUNTRIES, is_place
from detectors.law.restriction import MechanismKind
from topics.flow import Place, Role

_MAX_HOST = 253


def _host(value: str) -> str:
    labels = value.removeprefix("*.").split(".")
    plain = all(label.replace("-", "a").replace("_", "a").isalnum() and label.isascii() for label in labels)
    if len(value) <= _MAX_HOST and len(labels) > 1 and plain and value == value.lower():
        return value
    raise ValueError("expected a host in lower case such as zendesk.com, or *.zendesk.com for all below it")


def _country(value: Any) -> Any:
    if value in COUNTRIES or (isinstance(value, str) and is_place(value)):
        return value
    hint = "; the United Kingdom is GB" if value == "UK" else ""
    raise ValueError(f"not an ISO 3166 code of a country, or of a state of the US or Canada, in capitals{hint}")


Host = Annotated[str, AfterValidator(_host)]
CountryCode = Annotated[str, BeforeValidator(_country)]


class RecipientRole(StrEnum):
    """What a registered recipient is to the shop."""

    OWN = Role.OWN.value
    PROCESSOR = Role.PROCESSOR.value
    THIRD_PARTY = Role.THIRD_PARTY.value


class Agreement(Written):
    """A data-processing agreement. It holds from `signed` on, and no longer on `expires`."""

    id: Text
    signed: Day
    expires: Day | None = None

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.expires is not None and self.expires <= self.signed:
            raise ValueError("expires must be later than signed: it is the first day on which the agreement is void")
        return self


class RegisteredMechanism(Written):
    """What permits the transfer. It holds from `since` on, and no longer on `expires`."""

    kind: MechanismKind
    since: Day | None = None
    """None: for as long as the register reaches back."""
    expires: Day | None = None
    module: int | None = Field(default=None, ge=1, le=4)
    """Module of the standard contractual clauses."""
    regimes: tuple[Text, ...] = ()
    """Ids of the transfer laws that it covers (`eu-gdpr`); empty: every law that accepts its kind."""
    assessment_expires: Day | None = None
    """When the transfer impact assessment behind it must be made anew; from that day on it carries nothing."""

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.kind is MechanismKind.AGREEMENT:
            raise ValueError("an agreement is written under agreement")
        if self.since is not None and self.expires is not None and self.expires <= self.since:
            raise ValueError("expires must be later than since: it is the first day on which it no longer holds")
        if self.module is not None and self.kind is not MechanismKind.SCC:
            raise ValueError("only standard contractual clauses (scc) have a module")
        if (
            self.kind in {MechanismKind.SCC, MechanismKind.BCR, MechanismKind.IDTA, MechanismKind.DPF}
            and not self.since
        ):
            raise ValueError("since is required: the day from which it holds")
        return self


class Subprocessor(Written):
    """Somebody whom the recipient passes data on to."""

    name: Text
    countries: Annotated[tuple[CountryCode, ...], NOT_EMPTY]
    mechanism: RegisteredMechanism | None = None
    """What permits that data to go on to it; without one, the recipient's own must cover it."""


class Recipient(Written):
    """One recipient, as people write it."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=64)]
    hosts: tuple[Host, ...] = ()
    names: tuple[Text, ...] = ()
    """Names of integrations and destinations, in any case."""
    entity: Text
    role: RecipientRole
    countries: Annotated[tuple[CountryCode, ...], NOT_EMPTY]
    """Where it holds or reads the data; a subdivision where that decides the law (`CA-QC`)."""
    purposes: Annotated[tuple[Purpose, ...], NOT_EMPTY]
    categories: tuple[Annotated[str, StringConstraints(pattern=r"^user(\.[a-z_]+)+$")], ...] = ()
    """Prefixes of the category taxonomy that the mechanism covers; empty: all."""
    agreement: Agreement | None = None
    mechanism: RegisteredMechanism | None = None
    subprocessors: tuple[Subprocessor, ...] = ()

    @model_validator(mode="after")
    def _can_be_found(self) -> Self:
        if not self.hosts and not self.names and self.id != "own":
            raise ValueError("give hosts or names: nothing in the traffic could be this recipient")
        return self


class OwnService(Written):
    """Where the shop's own systems run: told by the service or host of a record, or by the code of a region."""

    service: Text | None = None
    """As the sources name it."""
    host: Host | None = None
    region: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+$", max_length=64)] | None = None
    """A code of your own, or of a cloud that the shipped table does not know."""
    country: CountryCode

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if sum(each is not None for each in (self.service, self.host, self.region)) != 1:
            raise ValueError("give exactly one of service, host and region")
        return self

    @property
    def key(self) -> tuple[str, str]:
        """What it is known by: the kind of name, and the name."""
        if self.service is not None:
            return "service", self.service
        return ("host", self.host) if self.host is not None else ("region", self.region or "")


class RegisterFile(Written):
    """The file `register.yaml`."""

    recipients: tuple[Recipient, ...] = ()
    services: tuple[OwnService, ...] = ()

    @model_validator(mode="after")
    def _names_each_service_once(self) -> Self:
        keys = [each.key for each in self.services]
        twice = sorted({" ".join(key) for key in keys if keys.count(key) > 1})
        if twice:
            raise ValueError(f"services: {twice[0]} stands here twice")
        return self


class RegisterEntry(msgspec.Struct, frozen=True, eq=False):
    """One recipient, ready for look-ups. Compared and hashed by identity: a register is built once."""

    written: Recipient
    role: Role
    places: frozenset[str]
    """Countries and subdivisions of the recipient and its subprocessors."""
    onward: tuple["RegisterEntry", ...] = ()
    """Each of its subprocessors, as if it received the data itself."""

    @property
    def id(self) -> str:
        """The id that people gave it."""
        return self.written.id

    @property
    def countries(self) -> tuple[str, ...]:
        """Where the recipient itself holds or reads the data."""
        return self.written.countries

    def is_elsewhere(self, country: str) -> bool:
        """Say whether a country is none of those that the entry names, its subprocessors' included."""
        return not any(place[:2] == country for place in self.places)

    def allows_purpose(self, purpose: str) -> bool:
        """Say whether the purpose, or a prefix of it, is registered."""
        return any(purpose == each or purpose.startswith(f"{each}.") for each in self.written.purposes)

    def covers_category(self, category: str) -> bool:
        """Say whether the category, or a prefix of it, is registered; an entry without categories covers all."""
        mine = self.written.categories
        return not mine or any(category == each or category.startswith(f"{each}.") for each in mine)


class Register(msgspec.Struct, frozen=True, eq=False):
    """The register, indexed."""

    entries: tuple[RegisterEntry, ...] = ()
    ids: Mapping[str, RegisterEntry] = msgspec.field(default_factory=dict)
    names: Mapping[str, RegisterEntry] = msgspec.field(default_factory=dict)
    exact: Mapping[str, RegisterEntry] = msgspec.field(default_factory=dict)
    below: Mapping[str, RegisterEntry] = msgspec.field(default_factory=dict)
    own_places: Mapping[tuple[str, str], Place] = msgspec.field(default_factory=dict)
    """Where own systems run, by (`service` | `host` | `region`, name)."""

    def by_id(self, recipient: str) -> RegisterEntry | None:
        """Find an entry by its id."""
        return self.ids.get(recipient)

    def by_name(self, name: str) -> RegisterEntry | None:
        """Find an entry by the name of an integration, in any case."""
        return self.names.get(name) or self.names.get(name.casefold().strip())

    def by_host(self, host: str) -> RegisterEntry | None:
        """Find the entry of a host: the exact one first, then the nearest pattern above it."""
        if len(host) > _MAX_HOST:
            return None
        host = host.lower().rstrip(".")
        found = self.exact.get(host)
        while found is None and host:
            host = host.partition(".")[2]
            found = self.below.get(host)
        return found


def read_register(text: str, file: str) -> tuple[Register | None, list[Problem]]:
    """Read `register.yaml`: the register, or every mistake with its line."""
    document, problems = load(text, file)
    if problems:
        return None, problems
    written, problems = validate(document, file, RegisterFile)
    problems += [
        Problem(file, line_of(document, path), ".".join(map(str, path)), message)
        for path, message in _contradictions(_claims(document))
    ]
    return (build(written), []) if written is not None and not problems else (None, sorted(problems))


def build(file: RegisterFile) -> Register:
    """Index a register that has no contradictions."""
    entries = tuple(_entry(recipient) for recipient in file.recipients)
    hosts = [(host, entry) for entry in entries for host in entry.written.hosts]
    return Register(
        entries,
        {entry.id: entry for entry in entries},
        {name.casefold().strip(): entry for entry in entries for name in entry.written.names},
        {host: entry for host, entry in hosts if not host.startswith("*.")},
        {host[2:]: entry for host, entry in hosts if host.startswith("*.")},
        {each.key: _own(each.country) for each in file.services},
    )


def _own(country: str) -> Place:
    return Place(country[:2], country if "-" in country else "", "register")


def _entry(recipient: Recipient) -> RegisterEntry:
    others = (country for each in recipient.subprocessors for country in each.countries)
    places = frozenset((*recipient.countries, *others))
    return RegisterEntry(recipient, Role(recipient.role.value), places, tuple(_onward(recipient)))


def _onward(recipient: Recipient) -> Iterator[RegisterEntry]:
    for each in recipient.subprocessors:
        changes = {"countries": each.countries, "mechanism": each.mechanism or recipient.mechanism, "subprocessors": ()}
        yield RegisterEntry(recipient.model_copy(update=changes), Role.PROCESSOR, frozenset(each.countries))


class _Claim(NamedTuple):
    """What an entry claims for itself, read loosely: its other mistakes must not hide a contradiction."""

    id: str
    names: tuple[str, ...]
    hosts: tuple[str, ...]


_Found = Iterator[tuple[tuple[int | str, ...], str]]


def _claims(document: Any) -> list[_Claim]:
    recipients = document.get("recipients") if isinstance(document, Mapping) else None
    if not isinstance(recipients, list):
        return []
    return [
        _Claim(str(each.get("id", "")), _strings(each.get("names")), _strings(each.get("hosts")))
        if isinstance(each, Mapping)
        else _Claim("", (), ())
        for each in recipients
    ]


def _strings(node: Any) -> tuple[str, ...]:
    return tuple(map(str, node)) if isinstance(node, list) else ()


def _contradictions(claims: list[_Claim]) -> _Found:
    ids: dict[str, int] = {}
    names: dict[str, int] = {}
    hosts: dict[str, int] = {}
    for index, claim in enumerate(claims):
        at = ("recipients", index)
        if claim.id and claim.id in ids:
            yield (*at, "id"), f"the id already stands at recipients.{ids[claim.id]}"
        ids.setdefault(claim.id, index)
        for position, name in enumerate(claim.names):
            key = name.casefold().strip()
            if key in names:
                yield (*at, "names", position), f"the name already stands at recipients.{names[key]}"
            names.setdefault(key, index)
        for position, host in enumerate(claim.hosts):
            if host in hosts:
                yield (*at, "hosts", position), f"the host already stands at recipients.{hosts[host]}"
            hosts.setdefault(host, index)
    yield from _overlaps(claims, hosts)


def _overlaps(claims: list[_Claim], hosts: Mapping[str, int]) -> _Found:
    """Two recipients may not claim one host: a pattern below another's pattern would silently change its owner."""
    for index, claim in enumerate(claims):
        for position, host in enumerate(claim.hosts):
            parent = host.removeprefix("*.").partition(".")[2]
            while parent:
                owner = hosts.get(f"*.{parent}")
                if owner is not None and owner != index:
                    yield (
                        ("recipients", index, "hosts", position),
                        f"overlaps with *.{parent} of recipients.{owner}: one host would belong to two recipients",
                    )
                parent = parent.partition(".")[2]
