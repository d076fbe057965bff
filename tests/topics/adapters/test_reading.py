"""Values that every format spells alike."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topics.adapters.moments import milliseconds
from topics.adapters.reading import address, client_address, host, visitor_ids

AT = 1772445600250


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-03-02T10:00:00.250Z", AT),
        ("2026-03-02T10:00:00.250999999Z", AT),
        ("2026-03-02T15:30:00.250+05:30", AT),
        ("2026-03-02T10:00:00.250", AT),
        (AT, AT),
        (str(AT), AT),
        (AT / 1000, AT),
        ("1772445600.250", AT),
        (1772445600, AT - 250),
        (AT * 1000, AT),
        (AT * 1_000_000, AT),
    ],
)
def test_a_moment_is_read_in_every_spelling(value: Any, expected: int) -> None:
    assert milliseconds(value) == expected


@pytest.mark.parametrize(
    "value",
    [None, True, "", "-", "yesterday", "2026-13-45T00:00:00Z", 20260302, -5, float("nan"), float("inf"), [], "9" * 30],
)
def test_an_unreadable_moment_is_absent(value: Any) -> None:
    assert milliseconds(value) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("203.0.113.9:443", "203.0.113.9"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("unix:", None),
        ("shop.example", None),
        (5, None),
    ],
)
def test_an_address_loses_its_port(value: Any, expected: str | None) -> None:
    assert address(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Shop.Example.", "shop.example"),
        ("shop.example:443", "shop.example"),
        ("shop.example:8080", "shop.example:8080"),
        ("[2001:DB8::1]:8443", "[2001:db8::1]:8443"),
        ("a b", None),
        ("a\x1b[0m", None),
        ("-", None),
        ("x" * 400, None),
    ],
)
def test_a_host_is_lower_case_without_default_port(value: str, expected: str | None) -> None:
    assert host(value) == expected


def test_the_left_of_forwarded_for_is_never_trusted() -> None:
    assert client_address("10.0.0.1", "6.6.6.6, 203.0.113.9", 0) == "10.0.0.1"
    assert client_address("10.0.0.1", "6.6.6.6, 203.0.113.9", 1) == "203.0.113.9"
    assert client_address("10.0.0.1", "6.6.6.6", 2) == "10.0.0.1"


def test_visitor_cookies_are_unquoted_and_others_of_like_name_ignored() -> None:
    assert visitor_ids('my_visitor_id=no; ajs_user_id="u%207"; ajs_anonymous_id=%22a%22') == {
        "user_id": "u 7",
        "anonymous_id": "a",
    }


@given(st.datetimes(datetime(1973, 1, 1), datetime(5000, 1, 1)))  # noqa: DTZ001 - the zone is written below
def test_the_form_that_browsers_write_is_read_like_every_other(at: datetime) -> None:
    text = at.isoformat(timespec="milliseconds")
    moment = milliseconds(f"{text}+00:00")
    assert milliseconds(f"{text}Z") == moment
    assert moment == int(at.replace(microsecond=0, tzinfo=UTC).timestamp()) * 1000 + at.microsecond // 1000


@pytest.mark.parametrize(
    "value",
    [
        "2026-03-02T10:00:60.250Z",
        "2026-03-02T10:00:6x.250Z",
        "2026-03-02T10:61:00.250Z",
        "2026-02-30T10:00:00.250Z",
        "2026-03-02T10:00:00.\u0662\u0665\u0660Z",
        "2026-03-02T10:00x00.250Z",
        "xxxxxxxxxxxxxxxxxxx.250Z",
    ],
)
def test_what_only_looks_like_that_form_is_no_moment(value: str) -> None:
    assert milliseconds(value) is None
