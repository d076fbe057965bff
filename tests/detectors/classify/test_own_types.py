import json

from detectors.classify.fields import Budget, find_fields
from detectors.classify.own_types import read_own_types
from tests.detectors.classify.shipped import taxonomy
from topics.observation import Media, Part

LOYALTY = """
types:
  - id: loyalty-card
    category: user.unique_id.loyalty_card
    label: Loyalty card
    keys: [clubNo, loyalty_card]
    value: 'LC-\\d{8}'
    alone: true
    contradicts: [example]
    tests:
      finds:
        - {key: clubNo, value: LC-12345678}
        - {value: LC-87654321}
      spares:
        - {value: LC-1234}
        - {key: example, value: LC-12345678}
  - id: member-check
    category: user.unique_id
    keys: [member_check]
    value: '\\d{16}'
    validator: luhn
    tests:
      finds: [{key: memberCheck, value: '1234567812345670'}]
      spares: [{key: memberCheck, value: '1234567812345678'}]
"""


def test_own_types_are_found_by_name_and_by_value_and_shipped_ones_still_are() -> None:
    own, problems = read_own_types(LOYALTY, "types.yaml", taxonomy())
    assert own is not None, problems
    event = {"clubNo": "LC-11112222", "note": "LC-33334444", "email": "jane@example.com", "example": "LC-33334444"}
    found = find_fields(Part("", json.dumps(event).encode(), Media.JSON), Budget(), own).fields
    assert {(each.path, each.category) for each in found} == {
        ("clubNo", "user.unique_id.loyalty_card"),
        ("note", "user.unique_id.loyalty_card"),
        ("email", "user.contact.email"),
    }
    assert own.label("user.unique_id.loyalty_card") == "Loyalty card"


def test_every_mistake_of_a_file_is_told_with_its_line() -> None:
    broken = LOYALTY.replace("category: user.unique_id.loyalty_card", "category: shoes.size").replace(
        "validator: luhn", "validator: guess"
    )
    value, problems = read_own_types(broken, "types.yaml", taxonomy())
    assert value is None
    assert [(each.file, each.line, each.path) for each in problems] == [
        ("types.yaml", 4, "types.0.category"),
        ("types.yaml", 21, "types.1.validator"),
    ]


def test_an_example_that_comes_out_otherwise_is_a_mistake() -> None:
    value, problems = read_own_types(
        LOYALTY.replace("value: LC-1234}", "value: LC-12345678}"), "types.yaml", taxonomy()
    )
    assert value is None
    assert [(each.path, each.message) for each in problems] == [
        ("types.0.tests.spares.0", "this example is found as user.unique_id.loyalty_card")
    ]


def test_a_pattern_that_could_run_away_is_refused() -> None:
    for pattern in ("(a+)+b", "LC-.*", "(?=x)y", r"(\\d)\\1"):
        value, problems = read_own_types(LOYALTY.replace("LC-\\d{8}", pattern), "types.yaml", taxonomy())
        assert value is None
        assert "types.0.value" in {each.path for each in problems}


def test_a_type_without_evidence_is_refused() -> None:
    value, problems = read_own_types(LOYALTY.replace("    keys: [member_check]\n", ""), "types.yaml", taxonomy())
    assert value is None
    assert "needs keys" in problems[0].message


def test_a_mistake_is_told_with_what_to_do_about_it() -> None:
    for broken, message in (
        (("keys: [member_check]", "keys: member_check"), "needs a list: [one, two]"),
        (("value: '1234567812345670'", "value: 1234567812345670"), "needs a text; put numbers, yes and no in quotes"),
        (("validator: luhn", "validator: lunh"), "unknown validator (did you mean luhn?)"),
        (
            ("value: '1234567812345670'", "value: '1234567812345671'"),
            "the pattern takes it, the validator luhn says no",
        ),
        (("value: LC-87654321", "value: LC-8765"), "the pattern of `value` does not take all of it"),
        (("clubNo, value: LC-12345678", "example, value: LC-12345678"), "its key is none of `keys`"),
    ):
        value, problems = read_own_types(LOYALTY.replace(*broken, 1), "types.yaml", taxonomy())
        assert value is None
        assert [message in each.message for each in problems] == [True], problems
        assert problems[0].line > 1
