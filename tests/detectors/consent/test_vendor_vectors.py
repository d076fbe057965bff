"""The readers of platforms' cookies, consent mode, GPC and event objects against the committed vectors."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from detectors.consent import cookies, google, gpc, objects
from detectors.consent.refusal import Refusal

ROWS: list[dict[str, Any]] = [
    json.loads(line)
    for line in Path(__file__).with_name("vectors").joinpath("vendor_public.jsonl").open(encoding="utf-8")
]


WORDS: dict[bool | None, str] = {True: "granted", False: "denied"}


def gcs(text: str) -> Any:
    decoded = google.decode_gcs(text)
    if isinstance(decoded, Refusal):
        return None
    return {
        "ad_storage": WORDS.get(decoded.ad_storage, "not_required"),
        "analytics_storage": WORDS.get(decoded.analytics_storage, "not_required"),
    }


def gcd(text: str) -> Any:
    decoded = google.decode_gcd(text)
    if isinstance(decoded, Refusal):
        return None
    states = {
        name: getattr(decoded, name)
        for name in ("ad_storage", "analytics_storage", "ad_user_data", "ad_personalization")
    }
    return {
        name: {
            "default": WORDS.get(state.default),
            "update": WORDS.get(state.update),
            "effective": WORDS.get(state.effective),
        }
        for name, state in states.items()
    }


def onetrust(text: str) -> Any:
    decoded = cookies.decode_onetrust(text)
    return None if isinstance(decoded, Refusal) else {"groups": decoded.groups, "gpc": decoded.gpc}


def cookiebot(text: str) -> Any:
    decoded = cookies.decode_cookiebot(text)
    if isinstance(decoded, Refusal):
        return None
    if isinstance(decoded, cookies.CookiebotOutside):
        return {"user_outside_banner_region": decoded.outside_region}
    names = ("necessary", "preferences", "statistics", "marketing", "method")
    return {name: getattr(decoded, name) for name in names} | {"utc": decoded.utc_ms}


def trustarc(text: str) -> Any:
    decoded = cookies.decode_trustarc_prefs(text)
    return None if isinstance(decoded, Refusal) else {"levels": list(decoded.levels)}


def categories(decoded: dict[str, bool] | Refusal) -> Any:
    return None if isinstance(decoded, Refusal) else {"categories": decoded}


READERS: dict[str, Callable[[Any], Any]] = {
    "gcs": gcs,
    "gcd": gcd,
    "optanon": onetrust,
    "cookiebot": cookiebot,
    "trustarc_notice_gdpr_prefs": trustarc,
    "segment": lambda event: categories(objects.decode_segment(event["context"]["consent"])),
    "rudderstack": lambda event: categories(objects.decode_rudderstack(event["context"]["consentManagement"])),
    "snowplow": lambda event: {"state": objects.decode_snowplow(event)},
    "gpc_header": lambda text: {"gpc": gpc.decode_header((text,)) is gpc.Gpc.OPT_OUT},
}


@pytest.mark.parametrize("row", [pytest.param(row, id=row["id"]) for row in ROWS])
def test_a_vendors_value_decodes_as_its_construction_says(row: dict[str, Any]) -> None:
    assert READERS[row["kind"]](row["input"]) == row["expect"]


def test_every_kind_of_row_has_a_reader() -> None:
    assert {row["kind"] for row in ROWS} == READERS.keys()
