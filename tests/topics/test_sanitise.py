"""Free text made fit to be told."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topics.sanitise import MAX_PATH, MAX_TEXT, sanitise, sanitise_path


@given(st.text(max_size=300))
def test_only_harmless_characters_are_left(text: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9._/ -]*", sanitise(text))
    assert len(sanitise(text)) <= MAX_TEXT
    assert len(sanitise_path(text)) <= MAX_PATH


@given(st.text(max_size=300))
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert sanitise(sanitise(text)) == sanitise(text)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Facebook Pixel", "Facebook Pixel"),
        ("ads.example.com", "ads.example.com"),
        ("jane.doe@example.com", "_"),
        ("Braze jane@example.com live", "Braze _ live"),
        ("4111 1111 1111 1111", "_"),
        ("4111-1111-1111-1111", "_"),
        ("a\x1b[31mred\nline", "a_31mred_line"),
        ("{flow.subjects}", "_flow.subjects_"),
        ("privacy.consent.v1/3/12345678", "privacy.consent.v1/3/12345678"),
        ("", ""),
    ],
)
def test_names_stay_and_personal_data_goes(text: str, clean: str) -> None:
    assert sanitise(text) == clean


def test_paths_keep_their_brackets() -> None:
    assert sanitise_path("properties.products[*].name") == "properties.products[*].name"


def test_a_huge_text_is_cut_before_it_is_read() -> None:
    assert sanitise("a" * 10_000_000) == "a" * MAX_TEXT


def test_a_hostile_text_costs_no_more_than_its_length() -> None:
    # Each differs, so that the cache helps none of them.
    for number in range(2_000):
        assert sanitise(f"a@ {number} " + "1-2.3 4x" * 200)
