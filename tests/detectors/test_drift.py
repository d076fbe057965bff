from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.drift import Appeared, Baseline, EndpointNames, read_baseline, told_by
from tests.detectors.classify.shipped import steps, taxonomy
from topics.flow import DataFlow, Role, Step
from topics.observation import Kind, Observation

MAIL, NAME, BIRTH = "user.contact.email", "user.name", "user.demographic.date_of_birth"
TEXT = """\
learned: {records: 900, first: 2026-11-01T00:00:00Z, last: 2026-11-15T00:00:00Z, least: 100}
endpoints:
  - {service: checkout, endpoint: POST /checkout/*/shipping, records: 700, categories: {user.name: 700, user.contact.address: 0}}
  - {service: shop, endpoint: event order_completed, records: 200, categories: {user.contact.email: 200}}
"""


def names() -> EndpointNames:
    return EndpointNames(taxonomy().keys, steps().words)


def request(path: str, name: str | None = None, method: str = "POST") -> Observation:
    return Observation(item=0, kind=Kind.REQUEST, source="test", name=name, method=method, path=path)


def event(name: str) -> Observation:
    return Observation(item=0, kind=Kind.EVENT, source="test", name=name)


def flow(service: str = "checkout", role: Role = Role.OWN, step: Step = Step.NONE) -> DataFlow:
    return DataFlow(item=0, location="collection", at_ms=0, service=service, role=role, step=step)


def baseline(text: str = TEXT) -> Baseline:
    value, problems = read_baseline(text, "baseline.yaml", names(), taxonomy().categories)
    assert value is not None, problems
    return value


def appeared(observation: Observation, categories: Sequence[str], service: str = "checkout") -> Appeared:
    return baseline().appeared(msgspec.structs.replace(observation, service=service), Step.NONE, categories)


def test_a_kind_of_data_that_an_endpoint_never_had_appears() -> None:
    assert appeared(request("/checkout/17/shipping"), [NAME, BIRTH]) == Appeared((BIRTH,), "POST /checkout/*/shipping")
    assert appeared(event("Order Completed"), [MAIL, NAME], "shop").categories == (NAME,)


def test_what_it_had_and_what_is_below_that_appears_not() -> None:
    assert appeared(request("/checkout/17/shipping"), [NAME, "user.contact.address.street"]) == Appeared()


def test_of_an_endpoint_that_nobody_learned_nothing_is_said() -> None:
    assert appeared(request("/checkout/17/payment"), [BIRTH]) == Appeared()
    assert appeared(request("/checkout/17/shipping", method="GET"), [BIRTH]) == Appeared()
    assert appeared(request("/checkout/17/shipping"), [BIRTH], "another") == Appeared()


@pytest.mark.parametrize(
    ("observation", "name"),
    [
        (request("/checkout/4411/shipping"), "POST /checkout/*/shipping"),
        (request("/checkout/9f1c2b3a-77aa-4b1e-9d55-0b2f5b0f6a11/shipping"), "POST /checkout/*/shipping"),
        (request("/rest/V1/guest-carts/hK3yq0Zp7/shipping-information"), "POST /rest/V1/guest-carts/*/shipping-information"),
        (request("/orders/ilka.brandt@mailbox.example"), "POST /orders/*"),
        (request("/x", name="POST /checkout/{id}/shipping"), "POST /checkout/*/shipping"),
        (request("/a/" * 60, method="BREW"), "OTHER /" + "/".join("a" * 12) + "/**"),
        (request("/"), "POST /"),
        (event("Order Completed"), "event order_completed"),
        (event("Order of Ilka Brandt"), "event *"),
    ],
)  # fmt: skip
def test_an_endpoint_is_named_in_words_of_schemas_alone(observation: Observation, name: str) -> None:
    assert names().of(observation) == name


def test_requests_to_one_address_of_graphql_are_told_apart_by_their_step() -> None:
    assert names().of(request("/graphql"), Step.SHIPPING) == "POST /graphql (shipping)"
    assert names().of(request("/checkout/shipping"), Step.SHIPPING) == "POST /checkout/shipping"


@given(st.text(max_size=600), st.text(max_size=100))
def test_any_path_and_name_give_a_short_name_without_numbers(path: str, name: str) -> None:
    for observation in (request(path, name), event(name)):
        told = names().of(observation)
        assert len(told) <= 600
        assert not any(len(digits) > 2 for digits in "".join(c if c.isdigit() else " " for c in told).split())


def test_the_shops_own_collection_tells_and_otherwise_the_first_recipient() -> None:
    sent, own = flow(role=Role.PROCESSOR), flow()
    assert told_by([sent, own]) is own
    assert told_by([sent]) is sent
    assert told_by([]) is None


def test_every_mistake_of_a_baseline_has_its_line() -> None:
    wrong = TEXT.replace("user.contact.email", "user.contact.mail") + (
        "  - {service: shop, endpoint: event order_completed, categories: {}}\n"
    )
    value, problems = read_baseline(wrong, "baseline.yaml", names(), taxonomy().categories)
    assert value is None
    assert [(each.line, each.path) for each in problems] == [(4, "endpoints.1.categories"), (5, "endpoints.2.endpoint")]
    assert "learn it anew" in problems[0].message
