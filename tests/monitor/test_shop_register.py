from collections.abc import Iterator
from datetime import date
from fnmatch import fnmatch
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
from ruamel.yaml import YAML

from monitor.shop import Piece, Shop, lawful_day

FILE = Path(__file__).parents[2] / "examples" / "register.yaml"
RECIPIENTS: list[dict[str, Any]] = YAML(typ="safe").load(FILE.read_text(encoding="utf-8"))["recipients"]
KEYS = {"id", "hosts", "names", "entity", "role", "countries", "purposes", "agreement", "mechanism"}
PRESENT = date(2026, 11, 23)
EU = {"DE", "FR"}
EEA = {"DE", "NL", "MT"}
"""Those members of the EEA that the register names."""
START_MS = 1_793_606_400_000


def entry(name: str) -> dict[str, Any] | None:
    found = [one for one in RECIPIENTS if name in one["names"] or any(fnmatch(name, host) for host in one["hosts"])]
    assert len(found) <= 1, name
    return found[0] if found else None


def disclosures(pieces: Iterator[Piece]) -> Iterator[tuple[str, str, str]]:
    """Country of the person, recipient, and the kind of plant (empty for lawful traffic)."""
    for piece in pieces:
        kind = piece.plant.kind if piece.plant else ""
        if kind == "malformed" or piece.role not in {"events", "kong"}:
            continue
        message = orjson.loads(piece.value)
        found = message if isinstance(message, list) else message.get("batch", [message])
        for index, item in enumerate(found):
            planted = kind if piece.plant and piece.plant.item == index else ""
            if piece.role == "kong":
                headers = item["request"]["headers"]
                country = headers.get("cf-ipcountry") or headers["cloudfront-viewer-country"]
                yield country, item["service"]["host"], planted
            for name, on in item.get("integrations", {}).items():
                if on:
                    yield item["context"]["location"]["country"], name, planted


def is_permitted(recipient: dict[str, Any]) -> bool:
    mechanism = recipient["mechanism"]
    return set(recipient["countries"]) <= EEA or (mechanism["kind"] != "none" and mechanism["expires"] > PRESENT)


def test_every_entry_keeps_to_the_format() -> None:
    for one in RECIPIENTS:
        assert one.keys() | {"agreement"} == KEYS
        assert one["role"] in {"own", "processor", "third-party"}
        assert ("agreement" in one) == (one["role"] != "own")
        assert one["mechanism"].keys() <= {"kind", "since", "expires"}
        assert one["mechanism"]["kind"] in {"adequacy", "scc", "bcr", "idta", "dpf", "derogation", "none"}


def test_every_recipient_but_one_is_on_the_register() -> None:
    used = {name for _, name, _ in disclosures(islice(Shop(7, START_MS).stream(), 8_000))}
    assert {name for name in used if entry(name) is None} == {"api.intercom.io"}
    registered = {found["id"] for found in map(entry, used) if found is not None}
    assert registered == {one["id"] for one in RECIPIENTS}


def test_one_mechanism_has_expired_and_every_agreement_is_in_force() -> None:
    expired = [one["id"] for one in RECIPIENTS if one["mechanism"].get("expires", date.max) < PRESENT]
    assert expired == ["freshdesk"]
    assert all(one["agreement"]["signed"] < PRESENT < one["agreement"]["expires"] for one in RECIPIENTS[1:])


def test_lawful_traffic_of_europeans_goes_only_where_the_register_permits() -> None:
    recipients = {name for country, name, _ in disclosures(lawful_day(7, 8_000)) if country in EU}
    assert len(recipients) > 8
    for name in recipients:
        found = entry(name)
        assert found is not None
        assert is_permitted(found), name


def test_lawful_traffic_from_britain_and_quebec_stays_in_the_eu() -> None:
    recipients = {name for country, name, _ in disclosures(lawful_day(7, 8_000)) if country in {"GB", "CA"}}
    assert recipients
    for name in recipients:
        found = entry(name)
        assert found is not None
        assert set(found["countries"]) <= EEA


def test_only_the_two_transfer_violations_of_europeans_lack_a_valid_entry() -> None:
    unlawful = set()
    for country, name, kind in disclosures(islice(Shop(7, START_MS).stream(), 8_000)):
        found = entry(name)
        if country in EU and (found is None or not is_permitted(found)):
            unlawful.add(kind)
    assert unlawful == {"helpdesk-not-registered", "mechanism-expired"}
