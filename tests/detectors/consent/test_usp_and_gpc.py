from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.consent import gpc, usp
from detectors.consent.gpc import Gpc
from detectors.consent.refusal import Reason, Refusal, Remark


@given(st.sampled_from("YN-"), st.sampled_from("YN-"), st.sampled_from("YN-"))
def test_a_us_privacy_string_gives_back_its_letters(notice: str, sale: str, covered: str) -> None:
    assert usp.decode(f"1{notice}{sale}{covered}") == usp.Usp(usp.Answer(notice), usp.Answer(sale), usp.Answer(covered))


@pytest.mark.parametrize(
    ("text", "remark"),
    [
        ("1ynn", Remark.LOWER_CASE),
        (" 1YNN", Remark.STRIPPED),
        ("1YNN=", Remark.STRIPPED),
        ("1YN%2D", Remark.ENCODED_TWICE),
    ],
)
def test_a_us_privacy_string_in_odd_clothes_is_read_with_a_remark(text: str, remark: Remark) -> None:
    decoded = usp.decode(text)
    assert isinstance(decoded, usp.Usp)
    assert decoded.remark is remark


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("null", Reason.LITTER),
        ("${US_PRIVACY}", Reason.LITTER),
        ("{{us_privacy}}", Reason.LITTER),
        ("%%US_PRIVACY%%", Reason.LITTER),
        ("__US_PRIVACY__", Reason.LITTER),
        ("[US_PRIVACY]", Reason.LITTER),
        ("undefined", Reason.LITTER),
        ("", Reason.EMPTY),
        ("0YNN", Reason.VERSION),
        ("2YNN", Reason.VERSION),
        ("1XNN", Reason.FORM),
        ("1YN", Reason.FORM),
        ("1YNNY", Reason.FORM),
        ("1YNN\n1YYN", Reason.FORM),
        ("１YNN", Reason.FORM),
        pytest.param("1" * 1_000_000, Reason.TOO_LONG, id="long"),
    ],
)
def test_what_is_no_us_privacy_string_is_refused_with_its_reason(text: str, reason: Reason) -> None:
    assert usp.decode(text) == Refusal(reason)


@pytest.mark.parametrize("values", [("1",), (" 1\t",), ("1, 1",), ("1,1,1",), ("1", "1")])
def test_a_gpc_header_of_ones_is_an_opt_out(values: tuple[str, ...]) -> None:
    assert gpc.decode_header(values) is Gpc.OPT_OUT


@pytest.mark.parametrize("values", [(), ("",), ("0",), (" ",), ("0, 0",)])
def test_a_gpc_header_of_zero_or_nothing_says_nothing(values: tuple[str, ...]) -> None:
    assert gpc.decode_header(values) is Gpc.NONE


@pytest.mark.parametrize("text", ['"1"', "?1", "true", "1;1", "yes", "1, 0", "１", "\u00a01", "1" * 100, "01", "1.0"])
def test_a_gpc_header_of_anything_else_is_no_opt_out_and_does_not_conform(text: str) -> None:
    assert gpc.decode_header((text,)) is Gpc.NONCONFORMING


@pytest.mark.parametrize("value", [True, 1, "true", "1"])
def test_an_event_may_write_gpc_in_four_ways(value: Any) -> None:
    assert gpc.decode_value(value) is Gpc.OPT_OUT


@pytest.mark.parametrize("value", [None, False, 0, "0", "false", "", " "])
def test_an_event_without_gpc_says_nothing(value: Any) -> None:
    assert gpc.decode_value(value) is Gpc.NONE


@pytest.mark.parametrize(
    "value",
    ["yes", 2, -1, 1.0, [], {}, "TRUE", pytest.param("1" * 1_000_000, id="long"), pytest.param(10**5_000, id="large")],
)
def test_an_event_with_another_value_does_not_conform(value: Any) -> None:
    assert gpc.decode_value(value) is Gpc.NONCONFORMING
