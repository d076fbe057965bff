"""What holds for every signal, whatever a record carries."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.consent.signals import find_signals
from tests.detectors.consent.asking import (
    of_cookies,
    of_event,
    of_query,
    said,
)
from topics.flow import PURPOSES

CASES = Path(__file__).with_name("vectors")


def test_no_key_of_the_traffic_gets_into_a_path() -> None:
    secret = "jane@example.com"
    consent = {
        "context.consent": {secret: {"us_privacy": "1YYN"}, "categoryPreferences": {secret: False, "Social": False}}
    }
    found = find_signals(
        {"sec-gpc": (secret,)}, f"usprivacy={secret}; {secret}=1", f"us_privacy={secret}&{secret}=gpp", consent
    )
    assert found
    assert secret not in repr(found)


def vectors() -> list[str]:
    rows = [json.loads(line) for line in CASES.joinpath("public.jsonl").open(encoding="utf-8")]
    return [row["string"] for row in rows if "string" in row]


@pytest.mark.parametrize("key", ["gpp", "gdpr_consent", "us_privacy", "gcd"])
def test_every_vector_in_every_place_gives_closed_words(key: str) -> None:
    for text in vectors():
        for signal in (*of_query(f"{key}={quote(text)}"), *of_event(**{key: text})):
            assert signal.says in {"denied", "allowed", "not-applicable", "unreadable"}
            assert all(
                prefix.startswith(("sensitive.", "minor.")) or any(each.startswith(prefix) for each in PURPOSES)
                for prefix in signal.purposes
            )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["gpc", "gpp", "gpp_sid", "gdpr", "consents", "consent", "regs", "ext", "x"]), inner
        )
    ),
    max_leaves=10,
)
WORDS = st.sampled_from(
    [
        "us_privacy=",
        "gpp=",
        "gdpr=",
        "gcd=",
        "gpp_sid=",
        "OptanonConsent=",
        "CookieConsent=",
        "&",
        ";",
        "%26",
        "%3D",
        "1YYN",
        "\x00",
        "é",
        "{",
    ]
)
TEXTS = st.lists(WORDS, max_size=12).map("".join) | st.text(max_size=30)


@given(TEXTS, TEXTS, TEXTS, JSON)
def test_nothing_makes_it_raise_and_a_second_look_says_the_same(
    text: str, cookies: str, query: str, value: Any
) -> None:
    consent = {"context.gpc": value, "context.consent": value, "context.gpp_sid": value, "": value}
    first = find_signals({"sec-gpc": (text,), "dnt": (text,)}, cookies, query, consent)
    assert find_signals({"sec-gpc": (text,), "dnt": (text,)}, cookies, query, consent) == first


def test_a_text_of_megabytes_is_bounded_in_what_it_gives() -> None:
    assert len(of_query("us_privacy=1YYN&gpp=x&" * 60_000)) <= 64
    assert len(of_cookies("usprivacy=1YYN;" * 60_000)) == 1
    assert said(of_query("us_privacy=" + "Y" * 1_000_000)) == [("usp", "unreadable", "too_long")]
    assert said(of_event(gpp="DBAB" + "A" * 1_000_000)) == [("gpp", "unreadable", "too_long")]


@pytest.mark.parametrize("piece", ["%", "%25", "%2525", "&", "; ", "a=b&", "\u2028"])
def test_a_megabyte_of_anything_is_refused_before_anything_is_undone(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    for found in (
        of_query(f"x=1&gdpr_consent={text}"),
        find_signals(None, f"euconsent-v2={text}; OptanonConsent={text}; didomi_token={text}", None, {}),
        find_signals({"sec-gpc": (text,), "dnt": (text,)}, None, None, {}),
        of_event(tcString=text, consent={"categoryPreferences": {text: False}}),
    ):
        assert {signal.says for signal in found} <= {"unreadable"}


def test_what_the_bounds_of_a_carrier_cut_is_not_read_as_if_it_were_whole() -> None:
    padding = "p=" + "x" * 131_060
    assert of_query(f"us_privacy=1YYN&{padding}") != ()
    assert of_query(f"{padding}&us_privacy=1YYN&a=1") == ()
    assert find_signals(None, f"{padding}; usprivacy=1YYN; a=1", None, {}) == ()


def test_a_value_with_more_escapes_than_any_signal_needs_is_too_long() -> None:
    assert said(of_query("gdpr_consent=" + "%41" * 1_025)) == [("tcf", "unreadable", "too_long")]
