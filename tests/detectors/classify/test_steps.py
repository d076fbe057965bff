from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.classify.steps import read_steps
from tests.detectors.classify.shipped import steps
from topics.flow import Step
from topics.observation import Kind, Media, Observation, Part

CART = "/store/carts/cart_1"
GRAPHQL = "/api/2025-07/graphql.json"


def request(
    path: str, body: Any = None, *, query: str = "", name: str | None = None, method: str = "POST"
) -> Observation:
    parts = [Part("query", query.encode(), Media.FORM)] if query else []
    if body is not None:
        parts.append(Part("request.body", body if isinstance(body, bytes) else orjson.dumps(body), Media.JSON))
    return Observation(
        item=0, kind=Kind.REQUEST, source="test", name=name, method=method, path=path, parts=tuple(parts)
    )


def event(name: str, path: str = "/") -> Observation:
    return Observation(item=0, kind=Kind.EVENT, source="test", name=name, path=path)


@pytest.mark.parametrize(
    ("name", "step"),
    [("Order Completed", Step.ORDER), ("  order_completed ", Step.ORDER), ("begin_checkout", Step.CONTACT), ("Payment Info Entered", Step.PAYMENT),
     ("Product Added", Step.CART), ("Product Viewed", Step.NONE), ("POST /checkout/{id}/payment", Step.PAYMENT), (None, Step.NONE), ("", Step.NONE),
     ("orders/create", Step.ORDER), ("checkout.session.completed", Step.ORDER), ("commerce.purchases", Step.ORDER), ("CompletePayment", Step.ORDER)],
)  # fmt: skip
def test_names_of_events_and_routes_tell_the_step(name: str | None, step: Step) -> None:
    assert steps().step_of(name, None, None) is step


@pytest.mark.parametrize(
    ("path", "step"),
    [("/checkout/shipping", Step.SHIPPING), ("/de-de/checkout/payment/", Step.PAYMENT), ("/checkouts/c1-abc/payment", Step.PAYMENT), ("/cart", Step.CART),
     ("/rest/V1/guest-carts/abc/shipping-information", Step.SHIPPING), ("/wp-json/wc/store/v1/checkout", Step.ORDER), ("/orders/17", Step.ORDER),
     ("/api/v3/checkouts/abc/billing-address", Step.PAYMENT), ("/checkout", Step.CONTACT), ("/products/cart-bag", Step.NONE), ("/blog/checkout-tips", Step.NONE),
     ("/checkouts/cn/Z2Nw/information", Step.CONTACT), ("/checkouts/cn/Z2Nw/thank-you", Step.ORDER), ("/admin/api/2025-07/orders.json", Step.ORDER),
     ("/cart/add.js", Step.CART), ("/store/payment-collections/pc_1/payment-sessions", Step.PAYMENT), ("/store/carts/c/complete", Step.ORDER),
     ("/api/v2/storefront/checkout/select_shipping_method", Step.SHIPPING), ("/api/v2/storefront/cart/add_item", Step.CART),
     ("/v1/payment_intents/pi_1/confirm", Step.PAYMENT), ("/v2/checkout/orders/5O1/capture", Step.PAYMENT), ("/v71/payments/details", Step.PAYMENT),
     ("/v71/paymentMethods", Step.PAYMENT), ("/", Step.NONE), (None, Step.NONE)],
)  # fmt: skip
def test_paths_of_common_shops_tell_the_step(path: str | None, step: Step) -> None:
    assert steps().step_of(None, "POST", path) is step


@pytest.mark.parametrize(
    ("document", "step"),
    [("mutation { checkoutEmailUpdate(id: 1) { id } }", Step.CONTACT), ("mutation { setShippingAddressesOnCart(input: {}) { cart { id } } }", Step.SHIPPING),
     ("mutation { checkout { addCheckoutBillingAddress(input: {}) { checkout { entityId } } } }", Step.PAYMENT), ("mutation { placeOrder(input: {}) { order { n } } }", Step.ORDER),
     ("mutation { setGuestEmailOnCart(input: {}) { cart { id } } setShippingAddressesOnCart(input: {}) { cart { id } } }", Step.SHIPPING),
     ("query { cart { checkoutUrl } }", Step.NONE), ("mutation { checkoutEmailUpdated }", Step.NONE), ("", Step.NONE)],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/graphql", "/graphql/", GRAPHQL])
def test_the_operation_of_graphql_tells_the_step(path: str, document: str, step: Step) -> None:
    assert steps().of(request(path, {"query": document, "variables": {"note": "placeOrder"}})) is step
    assert steps().of(request(path, [{"query": document}])) is step


def test_a_persisted_operation_is_known_by_its_name() -> None:
    path = "/checkouts/internal/graphql/persisted"
    assert steps().of(request(path, {"operationName": "SubmitForCompletion", "id": "f00"})) is Step.ORDER
    assert steps().of(request(path, {"operationName": "Proposal", "variables": {}})) is Step.REVIEW
    assert steps().of(request(path, {"operationName": "Unheard", "variables": {}})) is Step.NONE


def test_the_actions_of_an_update_tell_the_step_and_the_furthest_counts() -> None:
    path = "/demo/carts/2d7c"
    one = {"version": 1, "actions": [{"action": "setCustomerEmail", "email": "x"}]}
    several = {"version": 1, "actions": [{"action": "setBillingAddress"}, {"action": "setShippingAddress"}]}
    assert steps().of(request(path, one)) is Step.CONTACT
    assert steps().of(request(path, several)) is Step.PAYMENT
    assert steps().of(request(path, {"version": 1, "actions": [{"action": "custom"}]})) is Step.CART


def test_the_members_of_an_update_tell_how_far_it_has_come() -> None:
    assert steps().of(request(CART, {"email": "x"})) is Step.CONTACT
    assert steps().of(request(CART, {"email": "x", "shipping_address": {}})) is Step.SHIPPING
    assert steps().of(request(CART, {"metadata": {"shipping_address": {}}})) is Step.CART
    spree = {"order": {"email": "x", "ship_address_attributes": {}, "payments_attributes": []}}
    assert steps().of(request("/api/v2/storefront/checkout", spree, method="PATCH")) is Step.PAYMENT


def test_a_parameter_of_the_query_tells_the_step() -> None:
    assert steps().of(request("/", b"", query="wc-ajax=update_order_review")) is Step.SHIPPING
    assert steps().of(request("/", b"", query="utm=1&wc-ajax=checkout")) is Step.ORDER
    assert steps().of(request("/", b"", query="not-wc-ajax=checkout")) is Step.NONE


def test_a_preflight_is_no_step() -> None:
    assert steps().step_of(None, "OPTIONS", "/checkout/payment") is Step.NONE


def test_a_shops_own_patterns_come_first() -> None:
    own = steps().with_own({"/kasse/*/adresse": Step.SHIPPING, "/orders/export": Step.NONE, "/graphql": Step.REVIEW})
    assert own.step_of(None, None, "/kasse/42/adresse") is Step.SHIPPING
    assert own.step_of(None, None, "/kasse/42/adresse/neu") is Step.NONE
    assert own.step_of(None, None, "/orders/export") is Step.NONE
    assert own.step_of("Order Completed", None, None) is Step.ORDER
    assert own.of(request("/graphql", {"query": "mutation { placeOrder { id } }"})) is Step.REVIEW


def test_a_shops_own_names_of_events_come_first_and_an_event_is_told_by_its_name_before_its_page() -> None:
    own = steps().with_own({"Bestellung fertig": Step.ORDER, "Product Added": Step.NONE, "/kasse/**": Step.PAYMENT})
    assert own.of(event("bestellung_fertig")) is Step.ORDER
    assert own.of(event("Product Added")) is Step.NONE
    assert own.of(event("Order Completed", "/kasse/danke")) is Step.ORDER
    assert own.of(event("Something Else", "/kasse/danke")) is Step.PAYMENT


def test_a_route_template_whose_body_tells_more_is_asked_with_its_record() -> None:
    body = {"query": "mutation { placeOrder { id } }"}
    assert steps().of(request("/graphql", body, name="POST /graphql")) is Step.ORDER


@given(st.text(), st.text())
def test_any_name_and_path_give_a_step(name: str, path: str) -> None:
    assert isinstance(steps().step_of(name, "GET", path), Step)


@given(st.binary(max_size=300), st.sampled_from(["/graphql", CART, "/demo/carts/2", "/api/v2/storefront/checkout"]))
def test_any_body_gives_a_step(body: bytes, path: str) -> None:
    assert isinstance(steps().of(request(path, body)), Step)


def test_mistakes_of_the_file_have_their_line() -> None:
    platform = "platforms:\n  - name: x\n    source: from memory\n    paths:\n      - {path: /x, step: dance}\n"
    order = "order: [cart, contact, shipping, account, payment, review, order]\nmembers: {}\nwrappers: []\n"
    value, problems = read_steps(order + platform, "s.yaml")
    assert value is None
    assert (problems[0].line, problems[0].path) == (8, "platforms.0.paths.0.step")
    twice = "platforms:\n  - {name: x, source: from memory, operations: {cart: [go], order: [go]}}\n"
    value, problems = read_steps(order + twice, "s.yaml")
    assert value is None
    assert "go is cart of x" in problems[0].message
