import json

import pytest

from monitor.explain_evidence import evidence, evidence_lines, words_of
from tests.detectors.classify.shipped import taxonomy
from topics.observation import Kind, Media, Observation, Part


def test_explain_tells_what_spoke_for_and_against_each_field_and_shows_no_value() -> None:
    body = {"email": "jane@example.com", "card_number": "4111111111111112", "blob": "GB82WEST12345698765432"}
    seen = Observation(
        item=0, kind=Kind.EVENT, source="segment", parts=(Part("properties", json.dumps(body).encode(), Media.JSON),)
    )
    told = evidence(seen, taxonomy())
    by_path = {(each["path"], each["by"]): each for each in told}
    assert by_path["properties.email", "email"]["found"]
    assert by_path["properties.blob", "iban"]["found"]
    card = by_path["properties.card_number", "card"]
    assert (card["found"], card["why"]) == (
        False,
        "the name tells it, the value does not look like it or fails its check",
    )
    text = "\n".join(evidence_lines(told))
    assert "properties.card_number: user.financial.credit_card.number not found by card" in text
    assert "jane" not in text
    assert "4111" not in text


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Order Completed", "Order Completed"),
        ("checkout_started v2", "checkout_started v2"),
        ("POST /api/v2/orders/{order_id}/items", "POST /api/v2/orders/_order_id_/items"),
        ("Invite Kruppert", "Invite *"),
        ("Frau Kruppert called jane.kruppert@example.com", "* * * _"),
        ("POST /customers/ada-kruppert/orders", "POST /customers/*/orders"),
        ("Paid with 4111111111111111", "Paid with *"),
        ("Заказ Смирновой", "* *"),
    ],
)
def test_the_name_of_an_event_is_shown_in_words_of_schemas_alone(name: str, shown: str) -> None:
    assert words_of(name, taxonomy()) == shown
