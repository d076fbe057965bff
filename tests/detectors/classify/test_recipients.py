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
    assert len(known) >= 600
    assert sum(len(each.hosts) for each in known) >= 1_500
    assert {each.purpose for each in known} <= PURPOSES
    assert all(each.hosts or each.under for each in known)


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


@pytest.mark.parametrize(
    ("host", "path", "query", "purpose", "how"),
    [
        ("www.google.com", "/pagead/1p-user-list/1", "", "advertising.targeted", "host-path"),
        ("www.google.co.uk", "/ads/ga-audiences", "", "advertising.targeted", "host-path"),
        ("www.google.com", "/recaptcha/api.js", "", "security.fraud", "host-path"),
        ("www.google.com", "/search", "q=shoes", "functional", "host"),
        ("fonts.gstatic.com", "/s/a.woff2", "", "content", "host"),
        ("d1.cloudfront.net", "/b/ss/suite/1/JS/s1", "", "analytics", "path"),
        ("px.nobody.example", "/sync", "partner_uid=1&gdpr=1", "advertising.targeted", "looks"),
        ("nobody.example", "/v2/collector.php", "url=a&ref=b&sw=1", "analytics", "looks"),
    ],
)
def test_a_request_tells_its_purpose_and_how_that_is_known(
    host: str, path: str, query: str, purpose: str, how: str
) -> None:
    known = recipients().lookup_request(host, path, query)
    assert known is not None
    assert (known.purpose, known.how) == (purpose, how)
    assert (known.recipient is None) == (how == "looks")


@pytest.mark.parametrize(
    ("host", "path", "query"),
    [
        ("events.city.example", "/berlin/concert", "page=2"),
        ("cdn.nobody.example", "/img/logo.gif", ""),
        ("api.partner.example", "/v1/orders", "uid=7"),
        ("static.nobody.example", "/pixel-perfect.css", "v=3"),
        ("nobody.example", "/", ""),
        ("", "", ""),
    ],
)
def test_one_sign_alone_proves_no_purpose(host: str, path: str, query: str) -> None:
    assert recipients().lookup_request(host, path, query) is None


@pytest.mark.parametrize(
    "host",
    [
        "ads.nobody.example",
        "rtb2.nobody.example",
        "smetrics.nobody.example",
        "matomo.nobody.example",
        "nobody-adserver.example",
    ],
)
def test_a_name_that_only_trackers_bear_needs_no_second_sign(host: str) -> None:
    known = recipients().lookup_request(host, "/app.js")
    assert known is not None
    assert known.how == "looks"


@pytest.mark.parametrize(
    "host", ["downloads.example", "threads.example", "adsorb.example", "statsbooks.example", "discounter.example"]
)
def test_a_name_that_merely_holds_such_a_word_says_nothing(host: str) -> None:
    assert recipients().lookup_request(host, "/app.js") is None


def test_a_picture_that_is_asked_for_with_identifiers_is_a_pixel() -> None:
    known = recipients().lookup_request("cdn.nobody.example", "/a.gif", "uid=1&z=2&b=3")
    assert known is not None
    assert known.purpose == "analytics"
    assert recipients().lookup_request("cdn.nobody.example", "/a.gif", "width=200&format=auto") is None


def test_a_platform_is_known_by_the_list_and_its_measuring_by_its_looks() -> None:
    index = recipients()
    known = index.lookup_request("stats.wordpress.com", "/g.gif", "v=ext&blog=1")
    assert known is not None
    assert known.recipient is not None
    assert known.purpose == "analytics"
    content = index.lookup_request("fonts.gstatic.com", "/s/a.woff2")
    assert content is not None
    assert (content.purpose, content.how) == ("content", "host")


def test_looks_are_never_asked_where_a_gateway_passed_the_request_on() -> None:
    index = recipients()
    assert index.lookup_listed("ads.nobody.example", "/beacon.gif", "uid=1") is not None  # the shape of its path
    assert index.lookup_listed("ads.nobody.example", "/orders", "uid=1&url=a") is None


def test_cookies_of_an_unknown_host_are_evidence_by_name_alone() -> None:
    index = recipients()
    assert index.lookup_request("insights.nobody.example", "/x", "") is None
    known = index.lookup_request("insights.nobody.example", "/x", "", "uuid=77; theme=dark")
    assert known is not None
    assert "77" not in known.evidence


def test_an_own_host_that_only_measures_has_a_purpose_and_no_recipient() -> None:
    known = recipients().lookup_own("beacon.shop.example", "/rum.gif", "u=a&r=b")
    assert known is not None
    assert (known.purpose, known.recipient) == ("analytics", None)
    assert recipients().lookup_own("www.shop.example", "/checkout", "ref=a") is None
    assert recipients().lookup_own("api.shop.example", "/v1/t", "") is None


def test_a_mistake_in_the_compact_list_is_told() -> None:
    for companies in ("selling: {A: a.example}", "tax: {A: DE}", "tax: {A: a..example}", "tax: {A: fedex.com}"):
        value, problems = read_recipients(text("recipients.yaml"), "r.yaml", companies, "c.yaml")
        assert value is None
        assert problems[0].file == "c.yaml"
