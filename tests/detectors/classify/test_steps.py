import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.classify.steps import read_steps
from tests.detectors.classify.shipped import steps
from topics.flow import Step


@pytest.mark.parametrize(
    ("name", "step"),
    [("Order Completed", Step.ORDER), ("  order_completed ", Step.ORDER), ("begin_checkout", Step.CONTACT), ("Payment Info Entered", Step.PAYMENT),
     ("Product Added", Step.CART), ("Product Viewed", Step.NONE), ("POST /checkout/{id}/payment", Step.PAYMENT), (None, Step.NONE), ("", Step.NONE)],
)  # fmt: skip
def test_names_of_events_and_routes_tell_the_step(name: str | None, step: Step) -> None:
    assert steps().step_of(name, None, None) is step


@pytest.mark.parametrize(
    ("path", "step"),
    [("/checkout/shipping", Step.SHIPPING), ("/de-de/checkout/payment/", Step.PAYMENT), ("/checkouts/c1-abc/payment", Step.PAYMENT), ("/cart", Step.CART),
     ("/rest/V1/guest-carts/abc/shipping-information", Step.SHIPPING), ("/wp-json/wc/store/v1/checkout", Step.ORDER), ("/orders/17", Step.ORDER),
     ("/api/v3/checkouts/abc/billing-address", Step.PAYMENT), ("/checkout", Step.CONTACT), ("/products/cart-bag", Step.NONE), ("/blog/checkout-tips", Step.NONE),
     ("/", Step.NONE), (None, Step.NONE)],
)  # fmt: skip
def test_paths_of_common_shops_tell_the_step(path: str | None, step: Step) -> None:
    assert steps().step_of(None, "POST", path) is step


def test_a_preflight_is_no_step() -> None:
    assert steps().step_of(None, "OPTIONS", "/checkout/payment") is Step.NONE


def test_a_shops_own_patterns_come_first() -> None:
    own = steps().with_paths({"/kasse/*/adresse": Step.SHIPPING, "/orders/export": Step.NONE})
    assert own.step_of(None, None, "/kasse/42/adresse") is Step.SHIPPING
    assert own.step_of(None, None, "/kasse/42/adresse/neu") is Step.NONE
    assert own.step_of(None, None, "/orders/export") is Step.NONE
    assert own.step_of("Order Completed", None, None) is Step.ORDER


@given(st.text(), st.text())
def test_any_name_and_path_give_a_step(name: str, path: str) -> None:
    assert isinstance(steps().step_of(name, "GET", path), Step)


def test_an_unknown_step_is_a_mistake_with_its_line() -> None:
    value, problems = read_steps("events: {}\npaths:\n  - {path: /x, step: dance}\n", "s.yaml")
    assert value is None
    assert (problems[0].line, problems[0].path) == (3, "paths.0.step")
