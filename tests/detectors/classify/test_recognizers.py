import json
import re
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.classify.fields import Budget, explain_fields, find_fields
from detectors.classify.recognizers.compiled import CARRIERS, Compiled
from detectors.classify.recognizers.european_checks import EUROPEAN_CHECKS
from detectors.classify.recognizers.hyperscan_engine import AVAILABLE, HyperscanDatabase
from detectors.classify.recognizers.national_checks import NATIONAL_CHECKS
from detectors.classify.recognizers.re2_engine import Re2Database
from detectors.classify.recognizers.recognizer import SURE, Recognizer
from detectors.classify.recognizers.table import SHIPPED, VALIDATORS
from tests.detectors.classify.shipped import taxonomy
from topics.observation import Media, Part

TABLE = [each for family in SHIPPED.values() for each in family]
ALONE = [each for each in TABLE if each.alone >= SURE]
NAMED = [each for each in TABLE if each.keys]
WITHOUT_CHECK_DIGIT = {"us_ssn", "us_itin", "gb_nino", "dk_cpr", "kr_rrn", "my_nric"}
CHECK_DIGITS = {"luhn", "issued_card", "mod97", "aba"} | (
    EUROPEAN_CHECKS.keys() | NATIONAL_CHECKS.keys()
) - WITHOUT_CHECK_DIGIT
CHECKED = [each for each in TABLE if each.valid in CHECK_DIGITS]


def ids(each: Recognizer) -> str:
    return each.name


def found(key: str, value: str) -> set[str]:
    part = Part("properties", json.dumps({key: value}).encode(), Media.JSON)
    return {field.category for field in find_fields(part, Budget(), taxonomy()).fields}


def test_names_are_unique_and_categories_and_validators_exist() -> None:
    assert len({each.name for each in TABLE}) == len(TABLE)
    assert {each.category for each in TABLE} <= taxonomy().categories.keys()
    assert {each.valid for each in TABLE} <= VALIDATORS.keys()
    assert {context for each in TABLE for context in each.not_in} <= taxonomy().bits.keys()
    assert all(each.finds and each.spares for each in TABLE)
    assert all(each.keys or each.alone >= SURE for each in TABLE)


@pytest.mark.parametrize("each", TABLE, ids=ids)
def test_a_recognizer_takes_its_examples_and_spares_what_looks_alike(each: Recognizer) -> None:
    check = taxonomy().recognizers.checks[each.name]
    assert [value for value in each.finds if not check(value)] == []
    assert [value for value in each.spares if check(value)] == []


@pytest.mark.parametrize("each", NAMED, ids=ids)
def test_a_telling_name_and_a_fitting_value_are_found(each: Recognizer) -> None:
    for key in each.keys:
        assert each.category in found(key, each.finds[0]) or found(key, each.finds[0]), key


@pytest.mark.parametrize("each", ALONE, ids=ids)
def test_what_tells_itself_is_found_under_any_name(each: Recognizer) -> None:
    for value in each.finds:
        assert each.category in found("blob", value), value


@pytest.mark.parametrize("each", ALONE, ids=ids)
def test_a_word_of_the_name_that_contradicts_is_heard(each: Recognizer) -> None:
    for word in each.contradicts:
        assert each.category not in found(f"zz_{word}", each.finds[0]), word


@pytest.mark.parametrize("each", CHECKED, ids=ids)
def test_a_check_digit_that_is_off_by_one_removes_it(each: Recognizer) -> None:
    check = taxonomy().recognizers.checks[each.name]
    for value in each.finds:
        last = max(index for index, character in enumerate(value) if character.isdigit())
        changed = value[:last] + str((int(value[last]) + 1) % 10) + value[last + 1 :]
        assert not check(changed), changed


@given(text=st.text(alphabet="0123456789 -.ABXZabxz<+/()年٣", max_size=24))
@settings(max_examples=200, deadline=None)
def test_no_text_makes_a_check_raise(text: str) -> None:
    for check in taxonomy().recognizers.checks.values():
        check(text)


@pytest.mark.parametrize("each", ALONE, ids=ids)
@given(data=st.data())
@settings(max_examples=5, deadline=None)
def test_a_gate_lets_through_all_that_its_pattern_takes(each: Recognizer, data: st.DataObject) -> None:
    table = taxonomy().recognizers
    ready = next(ready for ready in table.alone if ready.recognizer is each)
    short = re.sub(r"\{(\d+),\d{2,}\}", lambda many: f"{{{many[1]},{int(many[1]) + 8}}}", each.pattern)
    value = data.draw(st.from_regex(re.compile(short), fullmatch=True))
    # A quote ends a value in the bytes that are scanned; the walk looks into texts that have one by their wrappings.
    if '"' not in value and ready.whole(value):
        assert table.open((value,)) & ready.bit


TEXTS = st.lists(
    st.one_of(
        st.sampled_from([value for each in TABLE for value in (*each.finds, *each.spares)]),
        st.text(max_size=40),
        st.from_regex(r"[A-Z]{2}[0-9]{4,20}|[0-9. +()-]{5,20}|[A-Za-z0-9+/]{8,40}={0,2}", fullmatch=True),
    ),
    max_size=6,
)


@pytest.mark.skipif(not AVAILABLE, reason="Hyperscan has no wheel for this machine")
@given(texts=TEXTS)
@settings(max_examples=300, deadline=None)
def test_both_engines_open_the_same_gates(texts: list[str]) -> None:
    assert _hyperscan().open(texts) == _re2().open(texts)


@cache
def _hyperscan() -> Compiled:
    return Compiled(SHIPPED, VALIDATORS, HyperscanDatabase)


@cache
def _re2() -> Compiled:
    return Compiled(SHIPPED, VALIDATORS, Re2Database)


def test_every_wrapping_has_a_gate_of_its_own() -> None:
    table = taxonomy().recognizers
    assert table.carriers.keys() == CARRIERS.keys()
    assert not any(ready.bit & table.carried for ready in table.alone)


def test_explain_tells_why_and_why_not_and_shows_no_value() -> None:
    event = {
        "customer": {"name": "Jane Roe"},
        "ssn": "000-12-3456",
        "blob": "4111111111111111",
        "order_id": "4111111111111111",
    }
    part = Part("properties", json.dumps(event).encode(), Media.JSON)
    scan, told = explain_fields(part, Budget(), taxonomy())
    assert scan == find_fields(part, Budget(), taxonomy())
    by_path = {(each.path, each.recognizer): each for each in told}
    assert by_path["properties.blob", "card-number"].found
    assert not by_path["properties.ssn", "us-ssn-plain"].found
    assert by_path["properties.ssn", "us-ssn-plain"].why
    assert ("properties.order_id", "card-number") not in by_path
    assert "4111" not in repr(told)
    assert "Jane" not in repr(told)
