"""The second list of recipients stands behind the project's own."""

from collections.abc import Mapping

import orjson
import pytest

from detectors.classify.third_party_web import PURPOSES_OF, behind, read_entities
from tests.detectors.classify.shipped import recipients
from topics.flow import PURPOSES


def data(*entities: Mapping[str, object]) -> bytes:
    return orjson.dumps(list(entities))


ACME = {"name": "Acme Ads", "company": "Acme", "category": "ad", "domains": ["*.acme-ads.example", "px.acme.test"]}


def test_a_host_that_our_list_does_not_know_is_found_by_its_ending() -> None:
    found, problems = read_entities(data(ACME), "entities.json")
    assert found is not None, problems
    index = behind(recipients(), found)
    known = index.lookup_host("cdn.acme-ads.example")
    assert known is not None
    assert (known.id, known.entity, known.purpose) == ("acme-ads", "Acme", "advertising.targeted")
    assert index.lookup_host("acme-ads.example") == index.lookup_host("px.acme.test") == known
    assert index.lookup_host("acme.test") is None


def test_our_own_list_is_never_changed() -> None:
    own = recipients()
    claims = {
        "name": "Somebody",
        "category": "utility",
        "domains": ["*.facebook.com", "graph.facebook.com", "*.google-analytics.com", "somebody.example"],
    }
    found, _ = read_entities(data(claims, {"name": "Stripe", "category": "ad", "domains": ["stripe.example"]}), "e")
    index = behind(own, found or ())
    for host in ("graph.facebook.com", "www.google-analytics.com", "api.stripe.com"):
        assert index.lookup_host(host) == own.lookup_host(host)
    assert index.lookup_name("Stripe") == own.lookup_name("Stripe")
    somebody = index.lookup_host("somebody.example")
    assert somebody is not None
    assert somebody.hosts == ("somebody.example",)


def test_every_category_has_a_purpose_of_the_closed_list() -> None:
    assert len(PURPOSES_OF) == 13
    assert set(PURPOSES_OF.values()) <= PURPOSES


@pytest.mark.parametrize(
    "text",
    [b"", b"{}", b"[1]", b'[{"name": 5}]', b"\xff", b"[" * 5000, data({**ACME, "category": "mind-control"})],
)
def test_a_file_that_is_something_else_is_a_mistake_and_no_crash(text: bytes) -> None:
    found, problems = read_entities(text, "entities.json")
    assert found is None
    assert [problem.file for problem in problems] == ["entities.json"]


def test_two_entities_that_claim_one_host_or_one_id_do_not_break_the_index() -> None:
    twin = {**ACME, "name": "Acme-Ads!", "domains": ["other.example"]}
    again = {**ACME, "name": "Copy", "domains": ["px.acme.test"]}
    strange = {"name": "…", "category": "ad", "domains": ["*", "", "nodots", "a b.example", "ok.example"]}
    found, _ = read_entities(data(ACME, twin, again, strange), "e")
    index = behind(recipients(), found or ())
    first = index.lookup_host("px.acme.test")
    assert first is not None
    assert first.id == "acme-ads"
    assert index.lookup_host("ok.example") is not None
