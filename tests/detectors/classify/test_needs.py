from detectors.classify.needs import Need, read_needs
from tests.detectors.classify.shipped import needs, taxonomy, text
from topics.flow import Step

EMAIL, BIRTH, CVV = "user.contact.email", "user.demographic.date_of_birth", "user.financial.credit_card.security_code"
PURCHASE = [step for step in Step if step is not Step.NONE]


def kinds(step: Step, purpose: str, *categories: str, own: bool = False) -> dict[str, Need]:
    return {each.category: each.kind for each in needs().assess(step, purpose, categories, own=own)}


def test_shipping_needs_an_address_and_no_date_of_birth() -> None:
    assert kinds(Step.SHIPPING, "unknown", "user.name", "user.contact.address.street", BIRTH, own=True) == {
        BIRTH: Need.UNNEEDED
    }


def test_a_tax_service_needs_no_mail_address() -> None:
    assert kinds(Step.PAYMENT, "tax", EMAIL, "user.contact.address.postal_code") == {EMAIL: Need.UNNEEDED}


def test_a_security_code_belongs_to_the_payment_alone() -> None:
    assert kinds(Step.PAYMENT, "unknown", CVV, own=True) == {}
    assert kinds(Step.ORDER, "payment", CVV) == {}
    for step in PURCHASE:
        assert kinds(step, "analytics", CVV) == {CVV: Need.PROHIBITED}
        if step is not Step.PAYMENT:
            assert kinds(step, "unknown", CVV, own=True) == {CVV: Need.PROHIBITED}


def test_health_and_belief_are_needed_nowhere() -> None:
    for step in PURCHASE:
        for own in (True, False):
            assert set(
                kinds(step, "payment", "user.health_and_medical", "user.demographic.religious_belief", own=own).values()
            ) == {Need.UNNEEDED}


def test_what_travels_with_every_request_is_never_too_much() -> None:
    travelling = (
        "user.device.ip_address",
        "user.device",
        "user.device.cookie_id",
        "user.unique_id.click_id",
        "user.device.advertising_id",
        "user.account.username",
    )
    for step in Step:
        assert kinds(step, "advertising.targeted", *travelling) == kinds(step, "unknown", *travelling, own=True) == {}


def test_outside_of_the_purchase_nothing_is_judged() -> None:
    assert kinds(Step.NONE, "analytics", BIRTH, CVV) == {}


def test_every_reason_says_why_and_what_is_enough() -> None:
    for step in PURCHASE:
        for excess in needs().assess(step, "tax", taxonomy().categories):
            assert " Enough: " in excess.reason


def test_a_category_that_the_taxonomy_lacks_is_a_mistake() -> None:
    value, problems = read_needs(text("needs.yaml").replace("  user.name:\n", "  user.nam:\n"), "n.yaml", taxonomy())
    assert value is None
    assert problems[0].path == "categories.user.nam"
