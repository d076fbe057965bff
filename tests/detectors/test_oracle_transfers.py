"""The transfers detector against an independent judge, on random disclosures around every date that decides.

`TRANSFER_CASES=100000` runs more cases, `TRANSFER_SEED` others.
"""

import os
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from detectors.register import RegisterEntry, RegisterFile, build
from detectors.transfers import assess
from tests.detectors import facts_of_transfers as facts
from tests.detectors.law.shipped import pack
from tests.detectors.oracle_transfers import Case, expected
from topics.flow import DataFlow, Place, Role

CASES = int(os.environ.get("TRANSFER_CASES", "5000"))
SEED = int(os.environ.get("TRANSFER_SEED", "1"))
DAY = timedelta(days=1)

ORIGINS = (
    *facts.codes(
        "DE FR AT SE IS LI NO GB CH BR CN IN KR JP RU US US-CA US-CT US-MD US-VA CA CA-QC CA-ON AU SG ZA GG RE"
    ),
    "",
)
DESTINATIONS = (
    *facts.EU_ADEQUATE,
    *facts.US_COUNTRIES_OF_CONCERN,
    *facts.codes("DE MT NO US US US US-CA IN AU SG GI MC RE AX CA-QC CA-ON TR ZA"),
    "",
)
CATEGORIES = (
    "user.contact.email",
    "user.contact.address.street",
    "user.device.ip_address",
    "user.location.precise",
    "user.location.imprecise",
    "user.health_and_medical",
    "user.health_and_medical.genetic",
    "user.biometric",
    "user.financial.bank_account",
    "user.financial.credit_card.security_code",
    "user.name",
    "user.demographic.gender",
    "user.government_id.passport_number",
)
KINDS = ("adequacy", "scc", "bcr", "idta", "dpf", "derogation", "none")
ROLES = ("own", "processor", "third-party")
EDGES = sorted({value for value in vars(facts).values() if isinstance(value, date)}) + sorted(
    {
        day
        for table in vars(facts).values()
        if isinstance(table, dict)
        for day in table.values()
        if isinstance(day, date)
    }
)

DAYS = sorted({edge + shift * DAY for edge in EDGES for shift in (-1, 0, 1)})


def some_day(of: random.Random) -> date:
    if of.random() < 0.5:
        return of.choice(EDGES) + of.randint(-1, 1) * DAY
    return date(2018, 1, 1) + of.randrange(5200) * DAY


def some_term(of: random.Random) -> tuple[date, date | None]:
    since = some_day(of)
    return since, since + of.choice((1, 30, 365, 1096)) * DAY if of.random() < 0.8 else None


def some_entry(of: random.Random, destination: str) -> dict[str, Any]:
    kind = of.choice(KINDS)
    since, expires = some_term(of)
    mechanism: dict[str, Any] = {"kind": kind}
    if kind != "none":
        mechanism |= {"since": since, "expires": expires}
        if of.random() < 0.2:
            mechanism["assessment_expires"] = some_day(of)
        if of.random() < 0.2:
            mechanism["regimes"] = of.sample(sorted(facts.IDS.values()), of.randint(1, 3))
    countries = [each for each in of.sample(DESTINATIONS, 2) if each]
    if destination and of.random() < 0.85:
        countries = [destination, *countries[: of.randint(0, 1)]]
    entry: dict[str, Any] = {
        "id": "helpdesk",
        "role": of.choice(ROLES),
        "countries": list(dict.fromkeys(countries)) or ["US"],
        "mechanism": mechanism,
        "agreement": None,
        "categories": of.sample(
            ("user.contact", "user.health_and_medical", "user.location", "user.financial"), of.randint(1, 3)
        )
        if of.random() < 0.3
        else [],
        "subprocessors": [{"name": "Cloud", "countries": [of.choice([d for d in DESTINATIONS if d])]}]
        if of.random() < 0.2
        else [],
    }
    if of.random() < 0.7:
        signed, ends = some_term(of)
        entry["agreement"] = {"signed": signed, "expires": ends}
    return entry


def edges_of(entry: Mapping[str, Any] | None) -> list[date]:
    if entry is None:
        return []
    terms = [entry["mechanism"], entry["agreement"] or {}]
    return [
        day for term in terms for key in ("since", "signed", "expires", "assessment_expires") if (day := term.get(key))
    ]


def some_case(of: random.Random) -> Case:
    origin, destination = of.choice(ORIGINS), of.choice(DESTINATIONS)
    entry = some_entry(of, destination) if of.random() < 0.8 else None
    mine = edges_of(entry)
    day = of.choice(mine) + of.randint(-1, 1) * DAY if mine and of.random() < 0.5 else some_day(of)
    known = entry is not None or of.random() < 0.6
    return Case(
        origin=origin[:2],
        origin_subdivision=origin if "-" in origin else "",
        destination=destination[:2],
        destination_subdivision=destination if "-" in destination else "",
        categories=tuple(sorted(of.sample(CATEGORIES, of.choice((0, 1, 1, 1, 2))))),
        role=entry["role"] if entry else of.choice((*ROLES, "unknown")) if known else "unknown",
        recipient="helpdesk" if known else "unknown",
        entry=entry,
        day=day,
    )


def cases(seed: int, number: int) -> Iterator[Case]:
    of = random.Random(seed)
    for _ in range(number):
        yield some_case(of)


def built(entry: Mapping[str, Any] | None) -> RegisterEntry | None:
    if entry is None:
        return None
    agreement = entry["agreement"]
    written = dict(entry) | {
        "hosts": ["helpdesk.example"],
        "entity": "Helpdesk Inc.",
        "purposes": ["support"],
        "agreement": agreement and {"id": "A-1", **agreement},
    }
    return build(RegisterFile.model_validate({"recipients": [written]})).entries[0]


def detected(case: Case, entry: RegisterEntry | None) -> tuple[str, str]:
    flow = DataFlow(
        item=0,
        location="request",
        at_ms=0,
        origin=Place(case.origin, case.origin_subdivision, "gateway-geo"),
        destination=Place(case.destination, case.destination_subdivision, "host"),
        categories=case.categories,
        role=Role(case.role),
        recipient=case.recipient,
    )
    noon = datetime(case.day.year, case.day.month, case.day.day, 12, tzinfo=UTC)
    transfer = assess(flow, entry, pack(), int(noon.timestamp() * 1000))
    return transfer.status.value, transfer.reason


def test_the_detector_and_an_independent_judge_agree_on_every_status() -> None:
    differences: Counter[tuple[object, ...]] = Counter()
    first: dict[tuple[object, ...], Case] = {}
    for case in cases(SEED, CASES):
        wanted, got = expected(case), detected(case, built(case.entry))
        if wanted[0] != got[0]:
            kind = (case.origin, *wanted, *got)
            differences[kind] += 1
            first.setdefault(kind, case)
    assert not differences, "\n".join(f"{n} {kind}: {first[kind]}" for kind, n in differences.most_common())


def test_on_the_days_that_decide_every_border_is_judged_alike() -> None:
    """Walk each law's people to every place, on each edge and its neighbours, with nothing, clauses and a certification on file."""
    judged = 0
    for place in dict.fromkeys(DESTINATIONS):
        held = [None, *(plain(kind, place) for kind in ("scc", "dpf"))]
        entries = [(each, built(each)) for each in held]
        for origin in facts.codes("DE IS GB CH CA-QC CN BR KR JP IN RU US"):
            for day in DAYS:
                for written, entry in entries:
                    case = Case(
                        origin=origin[:2],
                        origin_subdivision=origin if "-" in origin else "",
                        destination=place[:2],
                        destination_subdivision=place if "-" in place else "",
                        categories=("user.health_and_medical",),
                        role=written["role"] if written else "third-party",
                        recipient="helpdesk",
                        entry=written,
                        day=day,
                    )
                    assert detected(case, entry)[0] == expected(case)[0], case
                    judged += 1
    assert judged > 50_000


def plain(kind: str, place: str) -> dict[str, Any]:
    return {
        "id": "helpdesk",
        "role": "processor",
        "countries": [place or "US"],
        "mechanism": {"kind": kind, "since": date(2016, 1, 1)},
        "agreement": None,
    }
