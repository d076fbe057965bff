"""The compact list of companies: one line each, with the hosts that browsers and servers send data to."""

import re
from typing import NamedTuple

from pydantic import RootModel, model_validator

from topics.flow import PURPOSES

_COUNTRY = re.compile(r"[A-Z]{2}\Z")
_HOST = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+\Z")
_UNDER = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+(?:/[A-Za-z0-9._-]+)+\Z")
_NOT_IN_IDS = re.compile(r"[^a-z0-9]+")


class Company(NamedTuple):
    """One line of companies.yaml."""

    id: str
    name: str
    entity: str
    purpose: str
    country: str
    hosts: tuple[str, ...]
    under: tuple[str, ...]
    """Hosts with a path: only what is below that path is meant."""


class CompanyFile(RootModel[dict[str, dict[str, str]]]):
    """What stands in companies.yaml: purpose, then name, then `[country] host... [| entity]`."""

    @model_validator(mode="after")
    def _is_read(self) -> "CompanyFile":
        wrong = [f"unknown purpose {purpose}" for purpose in self.root if purpose not in PURPOSES]
        for company in self.companies():
            name = f"{company.purpose}: {company.name}"
            wrong += [f"{name}: not a host: {host}" for host in company.hosts if not _HOST.match(host)]
            wrong += [f"{name}: not a host and path: {each}" for each in company.under if not _UNDER.match(each)]
            if not company.hosts and not company.under:
                wrong.append(f"{name}: it has no host")
            if not company.id:
                wrong.append(f"{name}: its name has no letter of a to z")
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    def companies(self) -> list[Company]:
        """Give every company in the order of the file."""
        return [_company(purpose, name, line) for purpose, lines in self.root.items() for name, line in lines.items()]


def _company(purpose: str, name: str, line: str) -> Company:
    listed, _, entity = line.partition("|")
    words = listed.split()
    country = words.pop(0) if words and _COUNTRY.match(words[0]) else ""
    return Company(
        id=_NOT_IN_IDS.sub("-", name.lower()).strip("-"),
        name=name,
        entity=entity.strip() or name,
        purpose=purpose,
        country=country,
        hosts=tuple(word for word in words if "/" not in word),
        under=tuple(word for word in words if "/" in word),
    )
