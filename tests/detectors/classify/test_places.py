"""Where a host is, as its name tells."""

import pytest

from detectors.classify.places import place_of_host, read_regions
from tests.detectors.law.shipped import files, pack
from topics.flow import Place


@pytest.mark.parametrize(
    ("host", "country", "subdivision"),
    [
        ("bucket.s3.eu-west-1.amazonaws.com", "IE", ""),
        ("s3-us-west-2.amazonaws.com", "US", "US-OR"),
        ("dynamodb.us-east-1.amazonaws.com", "US", "US-VA"),
        ("abc.execute-api.EU-CENTRAL-1.amazonaws.com.", "DE", ""),
        ("x.cn-north-1.amazonaws.com.cn", "CN", ""),
        # The city is sure, the province only recalled.
        ("x.ca-central-1.elb.amazonaws.com", "CA", ""),
        ("shop.westeurope.cloudapp.azure.com", "NL", ""),
        ("shop-a1b2.canadaeast-01.azurewebsites.net", "CA", "CA-QC"),
        ("us-central1-shop.cloudfunctions.net", "US", "US-IA"),
        ("europe-west10-docker.pkg.dev", "DE", ""),
        ("europe-west1-aiplatform.googleapis.com", "BE", ""),
        ("shop-123.europe-west2.run.app", "GB", ""),
    ],
)
def test_a_region_in_the_name_tells_the_place(host: str, country: str, subdivision: str) -> None:
    assert pack().regions.place_of_host(host) == Place(country, subdivision, "host")


@pytest.mark.parametrize(
    "host",
    [
        "d111111abcdef8.cloudfront.net",
        "shop.azureedge.net",
        "shop.fastly.net",
        "cdn.shopify.com",
        "s3.amazonaws.com",
        "storage.googleapis.com",
        "global.run.app",
        "amazonaws.com",
        "us-east-1.example.com",
        "eu-west-1.amazonaws.com.evil.example",
    ],
)
def test_a_global_or_foreign_host_is_in_no_country(host: str) -> None:
    assert pack().regions.place_of_host(host) == Place()


@pytest.mark.parametrize(
    "host",
    ["us-east-1.s3.amazonaws.com", "eu-west-1.foo.s3.amazonaws.com", "europe-west1-x.storage.googleapis.com"],
)
def test_a_name_that_a_customer_chose_proves_nothing(host: str) -> None:
    assert pack().regions.place_of_host(host) == Place()


def test_two_regions_in_one_name_prove_neither() -> None:
    assert pack().regions.place_of_host("eu-west-1.us-east-1.amazonaws.com") == Place()


def test_an_announced_region_that_nobody_checked_tells_nothing() -> None:
    assert pack().regions.place_of_host("shop-1.asia-southeast3.run.app") == Place()


@pytest.mark.parametrize(
    "host", ["", ".", "..", "a" * 5000, "a." * 126 + "b", "\x00.eu-west-1.amazonaws.com", "é.on.aws"]
)
def test_hostile_names_are_nowhere(host: str) -> None:
    assert pack().regions.place_of_host(host) == Place()


def test_the_regions_can_be_read_alone() -> None:
    regions, problems = read_regions(files()["cloud_regions.yaml"], "cloud_regions.yaml")
    assert problems == []
    assert regions is not None
    assert place_of_host("x.eu-north-1.on.aws", regions) == Place("SE", "", "host")
