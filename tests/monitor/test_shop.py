import ast
import ipaddress
import json
import re
from collections.abc import Iterator
from functools import cache
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import pytest

from monitor.shop import KINDS, Piece, Shop, lawful_day

START_MS = 1_793_606_400_000
SOURCE = Path(__file__).parents[2] / "monitor" / "shop"
TEST_CARDS = {
    *("4242424242424242", "4000056655665556", "4111111111111111"),
    *("5555555555554444", "6011111111111117", "378282246310005"),
}
DOCUMENTATION = [
    ipaddress.ip_network(block) for block in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
]
OWN_NETWORK = ipaddress.ip_network("10.20.0.0/24")
ADVERTISING = {"Facebook Pixel", "Google Ads", "TikTok Pixel"}
OPT_IN = {"DE", "FR", "GB", "CA"}
LEAD_MS = 5_000
OUTSIDE_NEED = {
    *("date_of_birth", "birthday", "dateOfBirth", "dob", "cvv", "security_code", "latitude", "longitude"),
    *("allergies", "medication", "diagnosis", "religion"),
}


@cache
def played(seed: int, *, planted: bool = True, pieces: int = 4_000) -> tuple[Piece, ...]:
    return tuple(islice(Shop(seed, START_MS, planted=planted).stream(), pieces))


def items(piece: Piece) -> list[dict[str, Any]]:
    message = json.loads(piece.value)
    if piece.role == "events" and "batch" in message:
        message = message["batch"]
    opened = message if isinstance(message, list) else [message]
    assert all(isinstance(item, dict) for item in opened)
    return opened


def is_sound(piece: Piece) -> bool:
    return piece.plant is None or piece.plant.kind != "malformed"


def strings(value: Any) -> Iterator[str]:
    """Every string in a value, and in the JSON that a string may hold."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)
    elif isinstance(value, str):
        yield value
        if value.startswith(("{", "[")):
            yield from strings(json.loads(value))


def body_of(item: dict[str, Any]) -> dict[str, Any]:
    text = item["request"].get("body") if "request" in item else item.get("request_body")
    return dict(json.loads(text)) if text and text != "-" else {}


def advertised(item: dict[str, Any]) -> bool:
    return any(on is True and name in ADVERTISING for name, on in item.get("integrations", {}).items())


def passes_luhn(digits: str) -> bool:
    total = 0
    for index, digit in enumerate(reversed(digits)):
        number = int(digit) * (1 + index % 2)
        total += number - 9 if number > 9 else number
    return total % 10 == 0


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert played(7) == tuple(islice(Shop(7, START_MS).stream(), 4_000))


def test_another_seed_gives_other_traffic() -> None:
    assert [piece.value for piece in played(7)[:50]] != [piece.value for piece in played(8)[:50]]


@pytest.mark.parametrize("seed", [1, 7, 2026])
def test_every_kind_is_planted_within_the_first_4000_pieces(seed: int) -> None:
    planted = {piece.plant.kind for piece in played(seed) if piece.plant}
    assert planted == set(KINDS)


@pytest.mark.parametrize("seed", range(5))
def test_the_first_plant_comes_within_two_seconds(seed: int) -> None:
    first = next(piece for piece in played(seed) if piece.plant)
    assert first.at_ms - START_MS <= 2_000


def test_scenes_are_40_to_80_pieces_apart() -> None:
    places = [number for number, piece in enumerate(played(7)) if piece.plant and piece.plant.expected == "violation"]
    assert 40 <= (places[-1] - places[0]) / (len(places) - 1) <= 80


def test_each_violation_has_a_near_miss_beside_it() -> None:
    violations = {kind for kind, truth in KINDS.items() if truth.expected == "violation"}
    assert violations == {truth.beside for truth in KINDS.values() if truth.expected == "near-miss"}


def test_each_near_miss_tests_the_detector_of_its_violation() -> None:
    near = [truth for truth in KINDS.values() if truth.beside]
    assert near
    assert all(truth.detector == KINDS[truth.beside].detector for truth in near)


def test_a_plant_repeats_the_truth_of_its_kind() -> None:
    for piece in played(7):
        if piece.plant:
            truth = KINDS[piece.plant.kind]
            assert (piece.plant.detector, piece.plant.expected) == (truth.detector, truth.expected)
            assert piece.plant.explanation.endswith(".")


def test_every_sound_value_is_json_of_its_format() -> None:
    required = {
        "kong": {"client_ip", "started_at", "request", "service", "route"},
        "nginx": {"time_iso8601", "remote_addr", "request_method", "host", "request_uri", "http_cookie"},
        "consent": {"at_ms", "ids", "granted", "refused", "source", "jurisdiction", "banner_version"},
        "events": {"type", "timestamp", "messageId"},
    }
    for piece in filter(is_sound, played(7)):
        for item in items(piece):
            assert required[piece.role] <= item.keys()
            assert piece.role != "events" or item["type"] in {"track", "page", "identify", "alias"}


def test_single_records_and_batches_of_both_formats_occur() -> None:
    shapes = {(piece.role, len(items(piece)) > 1) for piece in filter(is_sound, played(7))}
    assert {("events", True), ("events", False), ("kong", True), ("kong", False)} <= shapes


def test_all_types_of_event_occur() -> None:
    kinds = {item["type"] for piece in filter(is_sound, played(7)) if piece.role == "events" for item in items(piece)}
    assert kinds == {"track", "page", "identify", "alias"}


def test_the_item_index_points_at_what_was_planted() -> None:
    indices = set()
    for piece in played(7) + played(1):
        indices.add(piece.plant.item if piece.plant else 0)
        if piece.plant and piece.plant.kind in {"gpc-in-event", "birth-date-at-shipping"}:
            item = items(piece)[piece.plant.item]
            if piece.role == "events":
                assert item["context"]["gpc"] is True
                assert advertised(item)
            else:
                assert OUTSIDE_NEED & body_of(item)["shipping_address"].keys()
    assert len(indices) > 1


def test_bad_input_is_no_record_of_any_format() -> None:
    values = [piece.value for seed in range(3) for piece in played(seed) if not is_sound(piece)]
    assert values
    for value in values:
        with pytest.raises((ValueError, AssertionError, TypeError, RecursionError)):
            items(Piece("kong", 0, None, value, None))
    assert {b"", b"null"} <= set(values)
    assert any(value.startswith((b"[" * 5_000, b'{"a":' * 5_000)) for value in values)
    assert any(value and not _is_utf8(value) and value.startswith(b"{") for value in values)


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def test_only_reserved_or_made_up_personal_data_occurs() -> None:
    for piece in filter(is_sound, played(7)):
        for text in strings(items(piece)):
            for host in re.findall(r"[\w.+-]+@([\w.-]+)", text):
                assert host in {"example.com", "example.org", "example.net"}
            if re.fullmatch(r"\d{13,19}", text) and passes_luhn(text):
                assert text in TEST_CARDS
            try:
                address = ipaddress.ip_address(text.removesuffix(":8080"))
            except ValueError:
                continue
            assert any(address in network for network in [*DOCUMENTATION, OWN_NETWORK])


def test_cards_are_sent_and_only_to_a_payment_provider() -> None:
    paid = 0
    for piece in played(7, planted=False):
        for item in items(piece):
            if "number" in body_of(item).get("card", {}) if piece.role in {"kong", "nginx"} else False:
                paid += 1
                assert body_of(item)["card"]["number"] in TEST_CARDS
                assert item["service"]["host"] in {"api.stripe.com", "checkout-live.adyen.com"}
    assert paid > 0


def test_pieces_carry_the_time_of_the_clock_that_is_passed() -> None:
    ticks = iter(range(START_MS, START_MS + 10_000 * 1_000, 17))
    pieces = list(islice(Shop(7, 0, now_ms=lambda: next(ticks)).stream(), 500))
    assert [piece.at_ms for piece in pieces] == list(range(START_MS, START_MS + 500 * 17, 17))
    for piece in filter(is_sound, pieces):
        for item in items(piece):
            assert piece.role != "kong" or item["started_at"] == piece.at_ms
            assert piece.role != "consent" or item["at_ms"] == piece.at_ms


def test_time_never_runs_backwards() -> None:
    assert all(before.at_ms <= after.at_ms for before, after in pairwise(played(7)))


@pytest.mark.parametrize("step_ms", [5, 400, 1_500])
def test_consent_is_relied_on_only_when_it_is_five_seconds_old_at_any_pace(step_ms: int) -> None:
    ticks = iter(range(START_MS, START_MS + 5_000 * step_ms, step_ms))
    granted: dict[str, int] = {}
    refused: dict[str, int] = {}
    relied = broken = 0
    for piece in filter(is_sound, islice(Shop(7, 0, now_ms=lambda: next(ticks)).stream(), 4_000)):
        for index, item in enumerate(items(piece)):
            if piece.role == "consent":
                for purposes, ledger, other in (("granted", granted, refused), ("refused", refused, granted)):
                    if "advertising" in item[purposes]:
                        ledger[item["ids"]["anonymous_id"]] = piece.at_ms
                        other.pop(item["ids"]["anonymous_id"], None)
            elif piece.role == "events" and advertised(item):
                person = item["anonymousId"]
                kind = piece.plant.kind if piece.plant and piece.plant.item == index else ""
                if kind == "refusal-on-record":
                    broken += 1
                    assert piece.at_ms - refused[person] >= LEAD_MS
                elif kind == "opt-in-missing":
                    assert person not in granted
                else:
                    assert person not in refused
                    if item["context"]["location"]["country"] in OPT_IN or kind in {
                        "grant-on-record",
                        "refusal-taken-back",
                    }:
                        relied += 1
                        assert piece.at_ms - granted[person] >= LEAD_MS
    assert relied > 0
    assert broken > 0


def test_a_refusal_that_comes_afterwards_does_come() -> None:
    pieces = played(7)
    early = next(piece for piece in pieces if piece.plant and piece.plant.kind == "refusal-afterwards")
    assert any(
        piece.role == "consent" and piece.key == early.key and piece.at_ms > early.at_ms and items(piece)[0]["refused"]
        for piece in pieces
    )


def test_a_lawful_day_has_no_plant_and_honours_every_signal() -> None:
    signals = refusals = 0
    refused: set[str] = set()
    for piece in lawful_day(7, 4_000):
        assert piece.plant is None
        for item in items(piece):
            if piece.role == "consent" and "advertising" in item["refused"]:
                refusals += 1
                refused.add(item["ids"]["anonymous_id"])
            if piece.role == "events" and (item.get("context", {}).get("gpc") or item.get("anonymousId") in refused):
                signals += 1
                assert not advertised(item)
            if piece.role == "kong" and "sec-gpc" in item["request"]["headers"]:
                assert item["service"]["host"] != "graph.facebook.com"
    assert refusals > 0
    assert signals > 0


def test_a_lawful_day_collects_nothing_that_the_purchase_does_not_need() -> None:
    for piece in lawful_day(7, 4_000):
        assert not OUTSIDE_NEED & set(strings(items(piece)))


def test_the_stream_goes_on_when_the_clock_stands_still() -> None:
    pieces = list(islice(Shop(7, 0, now_ms=lambda: START_MS).stream(), 3_000))
    assert {piece.at_ms for piece in pieces} == {START_MS}


def test_the_shop_shares_no_code_with_what_it_judges() -> None:
    imported = set()
    for file in SOURCE.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0
                imported.add(node.module or "")
    assert "monitor.shop.pieces" in imported
    assert not {name for name in imported if name.split(".")[0] in {"topics", "detectors", "alerts"}}
    assert all(name.startswith("monitor.shop") for name in imported if name.split(".")[0] == "monitor")
