"""Texts that are made to take long: twice as much of them takes about twice as many steps. Steps are lines and calls, not seconds."""

import json
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from detectors.classify.fields import Budget, find_fields
from tests.detectors.classify.shipped import taxonomy
from topics.observation import Media, Part

HOSTILE: dict[str, Callable[[int], str]] = {
    "at signs": lambda n: "@" * n,
    "addresses without an end": lambda n: "a@b." * (n // 4),
    "users of addresses": lambda n: "https://a@b.co/" * (n // 15),
    "digits": lambda n: "4" * n,
    "digits with spaces": lambda n: "4111 1111 " * (n // 10),
    "almost cards": lambda n: "4111111111111112 " * (n // 17),
    "almost accounts": lambda n: "GB82WEST12345698765433 " * (n // 23),
    "plus signs": lambda n: "+49 " * (n // 4),
    "commas and numbers": lambda n: "1 a, " * (n // 5) + "IL 6270",
    "streets": lambda n: "Hauptstraße 5, " * (n // 15),
    "colons": lambda n: "1:" * (n // 2),
    "dots": lambda n: "1." * (n // 2),
    "percent": lambda n: "%25" * (n // 3) + "40",
    "ampersands": lambda n: "&#64" * (n // 4),
    "pairs": lambda n: "a=b&" * (n // 4),
    "questions": lambda n: "?a=b" * (n // 4),
    "base64": lambda n: "QUJD" * (n // 4),
    "hexadecimal": lambda n: "41" * (n // 2),
    "braces": lambda n: "[" * n,
    "tags": lambda n: "<a>" * (n // 3),
    "names in text": lambda n: "email: " * (n // 7),
    "quotes": lambda n: '"a":' * (n // 4),
    "tokens": lambda n: "eyJhbGci.eyJh." * (n // 14),
    "Japanese": lambda n: "東京都市" * (n // 4),
    "letters of names": lambda n: "Jane " * (n // 5),
    "filler of passports": lambda n: "P<A" + "A<" * (n // 2),
}


def steps(data: bytes, media: Media) -> int:
    """Count the lines that a search runs."""
    count = 0

    def trace(_frame: FrameType, _event: str, _argument: Any) -> Any:
        nonlocal count
        count += 1
        return trace

    find_fields(Part("", data, media), Budget(), taxonomy())
    fresh = taxonomy().memory
    fresh.names.clear()
    fresh.points.clear()
    fresh.quiet.clear()
    fresh.scans.clear()
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        find_fields(Part("", data, media), Budget(), taxonomy())
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("kind", HOSTILE)
def test_twice_as_much_takes_about_twice_the_steps(kind: str) -> None:
    for key in ("blob", "email", "address", "name"):
        few, many = (steps(json.dumps({key: HOSTILE[kind](size)}).encode(), Media.JSON) for size in (4_000, 8_000))
        assert many <= 2.5 * few + 2_000, key
    few, many = (steps(HOSTILE[kind](size).encode(), Media.TEXT) for size in (4_000, 8_000))
    assert many <= 2.5 * few + 2_000


def test_many_members_take_their_share_and_no_more() -> None:
    few, many = (
        steps(json.dumps({f"k{index}": f"v{index}@" for index in range(size)}).encode(), Media.JSON)
        for size in (1_000, 2_000)
    )
    assert many <= 2.5 * few
