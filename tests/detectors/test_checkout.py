import pytest

from detectors import checkout
from detectors.assessment import Checkout, Law
from tests.detectors.classify.shipped import needs, taxonomy
from topics.flow import DataFlow, Field, Role, Step

STREET = Field("request.body.address.street1", "user.contact.address.street")
BIRTH = Field("request.body.dob", "user.demographic.date_of_birth", "9{4}-9{2}-9{2}")
LAT = Field("request.body.address.latitude", "user.location.precise")
LNG = Field("request.body.address.longitude", "user.location.precise")
CVV = Field("request.body.card.cvc", "user.financial.credit_card.security_code")


def assess(
    *fields: Field,
    step: Step = Step.SHIPPING,
    role: Role = Role.OWN,
    purpose: str = "unknown",
    jurisdiction: str = "US-CA",
) -> Checkout:
    flow = DataFlow(item=0, location="collection", at_ms=0, role=role, purpose=purpose, step=step, fields=fields)
    return checkout.assess(flow, Law(jurisdiction=jurisdiction), needs(), taxonomy())


def test_a_shipping_step_that_asks_for_a_birthday_asks_too_much() -> None:
    found = assess(STREET, BIRTH)
    assert (found.step, found.unneeded, found.sensitive, found.prohibited, found.paths) == (
        "shipping",
        ("user.demographic.date_of_birth",),
        (),
        (),
        ("request.body.dob",),
    )
    ((category, reason, enough),) = found.evidence
    assert category == "user.demographic.date_of_birth"
    assert "born" in reason
    assert "yes or no" in enough


def test_coordinates_in_an_address_are_sensitive_where_the_law_says_so() -> None:
    assert assess(STREET, LAT, LNG).sensitive == ("user.location.precise",)
    assert assess(STREET, LAT, LNG, jurisdiction="DE").sensitive == ()
    assert assess(STREET, LAT, LNG, jurisdiction="DE").paths == (
        "request.body.address.latitude",
        "request.body.address.longitude",
    )


def test_a_security_code_outside_of_the_payment_is_prohibited() -> None:
    found = assess(CVV, step=Step.PAYMENT, role=Role.THIRD_PARTY, purpose="analytics")
    assert (found.unneeded, found.prohibited) == ((), ("user.financial.credit_card.security_code",))
    assert assess(CVV, step=Step.PAYMENT, role=Role.PROCESSOR, purpose="payment").prohibited == ()


def test_a_step_that_gets_what_it_needs_is_clean() -> None:
    assert assess(STREET) == Checkout(step="shipping")


def test_what_a_library_attaches_to_every_event_is_no_collection() -> None:
    ambient = (Field("context.location.latitude", LAT.category), Field("context.location.longitude", LNG.category))
    assert assess(*ambient, step=Step.ORDER) == Checkout(step="order")


def test_a_flow_outside_of_a_purchase_is_not_judged() -> None:
    assert assess(BIRTH, CVV, step=Step.NONE) == Checkout()


@pytest.mark.parametrize("heading", ["## What it finds", "## Why it matters", "## Example", "## What it cannot see"])
def test_the_module_documents_the_detector(heading: str) -> None:
    assert checkout.__doc__
    assert heading in checkout.__doc__.splitlines()
