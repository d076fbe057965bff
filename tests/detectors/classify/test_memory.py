import json
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.classify.fields import Budget, find_fields
from detectors.classify.taxonomy import read_taxonomy
from tests.detectors.classify.shipped import taxonomy, text
from topics.observation import Media, Part

MEMBERS = st.dictionaries(
    st.sampled_from(
        ["name", "city", "state", "sku", "card", "number", "email", "note", "ip", "blob", "user", "price", "items"]
    ),
    st.one_of(
        st.sampled_from(
            [
                "Jane Roe",
                "Ottawa",
                "ON",
                "4111111111111111",
                "jane@example.com",
                "198.51.100.77",
                "?a=b&email=jo%40example.com",
                "REDACTED",
                "",
            ]
        ),
        st.integers(),
        st.booleans(),
    ),
    max_size=6,
)
EVENTS = st.one_of(
    MEMBERS,
    st.dictionaries(st.sampled_from(["user", "items", "card", "address", "data", "order"]), MEMBERS, max_size=3),
)


@given(st.lists(EVENTS, min_size=1, max_size=6))
@settings(max_examples=40, deadline=None)
def test_what_was_seen_before_changes_no_result(events: list[object]) -> None:
    parts = [Part("properties", json.dumps(event).encode(), Media.JSON) for event in events]
    warm = [find_fields(part, Budget(), taxonomy()) for part in (*parts, *parts)][len(parts) :]
    memory = taxonomy().memory
    for part, before in zip(parts, warm, strict=True):
        for kept in (memory.names, memory.points, memory.quiet, memory.scans):
            kept.clear()
        assert find_fields(part, Budget(), taxonomy()) == before


@pytest.mark.parametrize("name", ["number", "value", "code"])
def test_what_was_no_card_below_an_order_is_one_elsewhere(name: str) -> None:
    fresh, problems = read_taxonomy(text("taxonomy.yaml"), "taxonomy.yaml", text("words.yaml"), "words.yaml")
    assert fresh is not None, problems
    harmless, card = (
        find_fields(Part("", json.dumps({above: {name: "4111111111111111"}}).encode(), Media.JSON), Budget(), fresh)
        for above in ("order", "blob")
    )
    assert not harmless.fields
    assert [field.category for field in card.fields] == ["user.financial.credit_card.number"]


def test_nothing_of_a_value_is_kept() -> None:
    fresh, problems = read_taxonomy(text("taxonomy.yaml"), "taxonomy.yaml", text("words.yaml"), "words.yaml")
    assert fresh is not None, problems
    secrets = ("Seline Quirrenbach", "seline@quirrenbach.example", "GB82WEST12345698765432")
    event = {
        "customer": {"name": secrets[0], "email": secrets[1], secrets[1]: 1},
        "blob": secrets[2],
        "note": f"call {secrets[0]}",
    }
    find_fields(Part("", json.dumps(event).encode(), Media.JSON), Budget(), fresh)
    kept = repr(
        [fresh.memory.names, fresh.memory.points, fresh.memory.quiet, fresh.memory.scans, list(fresh.plans.known)]
    )
    assert not any(secret in kept for secret in secrets)
    assert fresh.memory.names
    assert fresh.memory.points


@pytest.mark.parametrize(("name", "value"), [("phone", 4_915_112_345_678), ("zip", 90_210)])
def test_a_number_made_to_share_a_hash_blinds_nobody(name: str, value: int) -> None:
    fresh, problems = read_taxonomy(text("taxonomy.yaml"), "taxonomy.yaml", text("words.yaml"), "words.yaml")
    assert fresh is not None, problems
    plain, made = ({"shipping": {name: each, "city": "Ottawa"}} for each in (value, value + sys.hash_info.modulus))
    alone = find_fields(Part("", json.dumps(plain).encode(), Media.JSON), Budget(), taxonomy())
    find_fields(Part("", json.dumps(made).encode(), Media.JSON), Budget(), fresh)
    assert find_fields(Part("", json.dumps(plain).encode(), Media.JSON), Budget(), fresh) == alone
