"""Where the shop itself receives data."""

import pytest

from detectors.classify.own_places import own_place
from detectors.classify.targets import is_ours, targets_of
from detectors.register import Register, read_register
from monitor.context import load_shipped
from tests.detectors.law.shipped import pack
from topics.observation import Kind, Observation

REGISTER = """\
recipients: []
services:
  - {service: checkout, country: CA-QC}
  - {host: api.us.shop.example, country: US}
  - {region: fra-dc2, country: DE}
"""


def register(text: str = REGISTER) -> Register:
    read, problems = read_register(text, "register.yaml")
    assert read is not None, problems
    return read


def told(region: str | None = None, host: str | None = None, service: str = "") -> tuple[str, str, str]:
    seen = Observation(item=0, kind=Kind.REQUEST, source="gcp-lb", region=region, host=host, service=service)
    place = own_place(seen, register(), pack().regions)
    return place.country, place.subdivision, place.source


@pytest.mark.parametrize(
    ("region", "country"),
    [
        ("eu-central-1", "DE"),
        ("europe-west3-a", "DE"),
        ("East US", "US"),
        ("fra-dc2", "DE"),
        ("mars-1", ""),
        ("x" * 999, ""),
    ],
)
def test_the_region_that_answered_comes_first(region: str, country: str) -> None:
    assert told(region)[0] == country
    if country:
        assert told(region, "api.us.shop.example", "checkout")[2] == "cloud-region"


def test_then_the_register_tells_it_by_host_and_then_by_service() -> None:
    assert told(None, "API.us.shop.example:8443", "checkout") == ("US", "", "register")
    assert told("mars-1", None, "checkout") == ("CA", "CA-QC", "register")
    assert told(None, "www.shop.example", "search") == ("", "", "")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{country: DE}", "exactly one of"),
        ("{service: a, host: a.example, country: DE}", "exactly one of"),
        ("{service: a, country: UK}", "the United Kingdom is GB"),
        ("{region: FRA, country: DE}", "pattern"),
        ("{host: shop, country: DE}", "expected a host"),
        ("{service: a, country: DE}, {service: a, country: US}", "service a stands here twice"),
    ],
)
def test_a_mistake_is_told_with_its_line(line: str, says: str) -> None:
    read, problems = read_register(f"recipients: []\nservices: [{line}]\n", "register.yaml")
    assert read is None
    assert any(says in each.message and each.line >= 1 for each in problems), problems


@pytest.mark.parametrize(("source", "recipients"), [("aws-alb", []), ("kong", ["elsewhere.example"])])
def test_what_stands_before_the_shop_tells_of_nobody_by_a_host_header(source: str, recipients: list[str]) -> None:
    know = load_shipped(domains=["shop.example"]).know
    seen = Observation(item=0, kind=Kind.REQUEST, source=source, host="elsewhere.example", path="/login")
    assert [each.host for each in targets_of(seen, know)] == recipients
    assert is_ours(seen, know) == (not recipients)
