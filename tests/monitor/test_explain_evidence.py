import json

from monitor.explain_evidence import evidence, evidence_lines
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
