import re

from hypothesis import given
from hypothesis import strategies as st

from detectors.classify.values import find_card, find_email, is_luhn, looks_like_card, shape


def test_a_shape_keeps_form_and_no_content() -> None:
    assert shape("Jane.Roe+x@example.com") == "a{4}.a{3}+a@a{7}.a{3}"
    assert shape("+1 415-555-0100") == "+9_9{3}-9{3}-9{4}"
    assert shape("Jörg 東") == "a{4}_a"


@given(st.text())
def test_a_shape_is_short_and_made_of_marks(value: str) -> None:
    assert len(shape(value)) <= 32
    assert re.fullmatch(r"(?:[a9_](?:\{\d+\})?|[@.+-])*", shape(value))


def test_an_address_is_found_in_a_text_and_a_lookalike_is_not() -> None:
    assert find_email("write to <jane.roe@mail.example.co.uk>, please") == "jane.roe@mail.example.co.uk"
    for text in ("a@b", "@handle", "image@2x.png", "https://key@host.example/x", "x@.com", "a @ b.com", "@@@@"):
        assert find_email(text) == ""


def test_an_address_after_a_lookalike_is_still_found() -> None:
    assert find_email("icon@2x.png https://k@h.example/ jane@example.com") == "jane@example.com"


def test_a_card_needs_scheme_length_and_check_digit() -> None:
    assert looks_like_card("5555 5555 5555 4444")
    assert looks_like_card("378282246310005")
    for number in ("4111111111111112", "9999999999999995", "411111111111111", "x111111111111111"):
        assert not looks_like_card(number)
    assert find_card("paid with 4111-1111-1111-1111 today") == "4111-1111-1111-1111"
    assert find_card("0" * 5_000) == ""


@given(st.integers(min_value=1, max_value=10**17))
def test_exactly_one_check_digit_fits(number: int) -> None:
    assert sum(is_luhn(f"{number}{digit}") for digit in range(10)) == 1
