"""What `privacy-monitor register` shows of a register: what ends when, and a draft of an entry that is missing."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from detectors.classify.recipients import RecipientIndex
from detectors.register import Register, RegisterEntry

_ID = re.compile(r"[^a-z0-9]+")
_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)+", re.ASCII)
_CATEGORY = re.compile(r"user(\.[a-z_]+)+", re.ASCII)


class ExpiryRow(NamedTuple):
    """Something in the register that ends."""

    ends_on: str
    days_left: int
    """Negative or zero when it has ended."""
    entry: str
    what: str
    """`agreement`, `mechanism` or `assessment`."""
    detail: str


def expiring(register: Register, on: date, within_days: int) -> list[ExpiryRow]:
    """List what has ended, and what ends in so many days, soonest first."""
    rows = (
        ExpiryRow(day.isoformat(), (day - on).days, entry.id, what, detail)
        for entry in register.entries
        for day, what, detail in _ends(entry)
        if (day - on).days <= within_days
    )
    return sorted(rows)


def _ends(entry: RegisterEntry) -> Iterator[tuple[date, str, str]]:
    agreement, mechanism = entry.written.agreement, entry.written.mechanism
    if agreement is not None and agreement.expires is not None:
        yield agreement.expires, "agreement", agreement.id
    if mechanism is not None and mechanism.expires is not None:
        yield mechanism.expires, "mechanism", mechanism.kind.value
    if mechanism is not None and mechanism.assessment_expires is not None:
        yield mechanism.assessment_expires, "assessment", mechanism.kind.value
    for behind in entry.written.subprocessors:
        if behind.mechanism is not None and behind.mechanism.expires is not None:
            yield behind.mechanism.expires, "mechanism", f"{behind.mechanism.kind.value} of {behind.name}"


class Draft(NamedTuple):
    """What traffic shows of a recipient, to draft its entry from."""

    recipient: str
    hosts: Sequence[str]
    names: Sequence[str]
    purposes: Mapping[str, int]
    categories: Sequence[str]
    disclosures: int


def draft(seen: Iterable[Draft], recipients: RecipientIndex) -> str:
    """Write entries for people to complete. Where the data is kept stays blank, and the register refuses the entry until then."""
    entries = [_entry(each, recipients) for each in seen]
    if not entries:
        return "recipients: []\n"
    return "# Drafted from observed traffic. FILL IN marks what traffic cannot tell.\nrecipients:\n" + "\n".join(
        entries
    )


def _entry(seen: Draft, recipients: RecipientIndex) -> str:
    known = recipients.by_id.get(seen.recipient)
    hosts = sorted({host for host in seen.hosts if _HOST.fullmatch(host)})
    purposes = sorted(purpose for purpose in seen.purposes if purpose != "unknown")
    categories = sorted(category for category in seen.categories if _CATEGORY.fullmatch(category))
    lines = [
        f"  - id: {_ID.sub('-', seen.recipient.lower()).strip('-')[:64] or 'unnamed'}",
        f"    hosts: {_list([pattern for host in hosts for pattern in (host, f'*.{host}')])}",
        f"    names: {_list(sorted(filter(None, seen.names)))}",
        f"    entity: {_quoted(known.entity)}" if known else '    entity: ""  # FILL IN: the legal entity',
        "    role: third-party  # FILL IN: processor, third-party or own",
        "    countries: []  # FILL IN: where it holds or reads the data, such as [DE]",
        f"    purposes: {_list(purposes)}" + ("" if purposes else "  # FILL IN: no list knows what it is for"),
        f"    categories: {_list(categories)}",
        '    # agreement: {id: "", signed: 2026-01-31, expires: 2028-01-31}',
        "    # mechanism: {kind: scc, since: 2026-01-31}",
        f"    # Seen in {seen.disclosures} disclosures.",
    ]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return json.dumps(text)  # a JSON string is a YAML string


def _list(texts: Sequence[str]) -> str:
    return "[" + ", ".join(map(_quoted, texts)) + "]"
