import pytest

from detectors.classify.recipients import Recipient, read_recipients
from tests.detectors.classify.shipped import recipients, text
from topics.flow import PURPOSES


def id_of(recipient: Recipient | None) -> str | None:
    return recipient.id if recipient else None


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("facebook.com", "meta"),
        ("graph.facebook.com", "meta"),
        ("API.Stripe.com.", "stripe"),
        ("region1.google-analytics.com", "google-analytics"),
        ("stats.g.doubleclick.net", "google-analytics"),
        ("ad.doubleclick.net", "google-ads"),
        ("notfacebook.com", None),
        ("facebook.com.evil.example", None),
        ("", None),
        ("." * 5_000, None),
    ],
)
def test_a_host_is_known_by_its_longest_ending(host: str, expected: str | None) -> None:
    assert id_of(recipients().lookup_host(host)) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Facebook Pixel", "meta"),
        ("facebook-pixel", "meta"),
        ("actions-braze-cloud", "braze"),
        ("TikTok Ads", "tiktok"),
        ("Somebody", None),
        ("", None),
    ],
)
def test_an_integration_is_known_by_name(name: str, expected: str | None) -> None:
    assert id_of(recipients().lookup_name(name)) == expected


def test_a_tracker_behind_an_own_host_is_known_by_its_path() -> None:
    index = recipients()
    assert id_of(index.lookup_path("/metrics/g/collect")) == "google-analytics"
    assert id_of(index.lookup_path("/b/ss/suite/1/JS-2/s1")) == "adobe-analytics"
    assert id_of(index.lookup_path("/com.snowplowanalytics.snowplow/tp2")) == "snowplow"
    assert id_of(index.lookup_path("/tr/", "id=1&ev=PageView")) == "meta"
    assert [
        index.lookup_path(path) for path in ("/tr", "/tr/produkte", "/collect", "/blog/collecting", "", "/" * 5_000)
    ] == [None] * 6


def test_the_registrable_domain_follows_the_public_suffix_list() -> None:
    assert [recipients().registrable(host) for host in ("a.b.shop.co.uk", "co.uk", "shop.example.com", "")] == [
        "shop.co.uk",
        "",
        "example.com",
        "",
    ]


def test_the_shipped_list_is_broad_and_speaks_in_known_purposes() -> None:
    known = recipients().by_id.values()
    assert len(known) >= 120
    assert {each.purpose for each in known} <= PURPOSES
    assert all(each.hosts for each in known)


def test_a_host_that_two_companies_claim_is_a_mistake() -> None:
    value, problems = read_recipients(
        text("recipients.yaml").replace("hosts: [shippo.com", "hosts: [fedex.com").replace("goshippo.com", "fedex.com"),
        "r.yaml",
    )
    assert value is None
    assert "host fedex.com stands twice" in problems[0].message


def test_an_unknown_purpose_is_a_mistake_with_its_line() -> None:
    value, problems = read_recipients(text("recipients.yaml").replace("purpose: tax,", "purpose: taxes,", 1), "r.yaml")
    assert value is None
    assert problems[0].line > 1
    assert problems[0].path.endswith("purpose")
