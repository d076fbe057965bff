"""Where an address of a cloud is, by the lists that the clouds publish."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.classify.ranges import CloudRanges, RangesProblem, read_rows
from tests.detectors.law.shipped import pack
from topics.flow import Place

AMAZON = {
    "syncToken": "1",
    "prefixes": [
        {"ip_prefix": "198.51.100.0/24", "region": "us-east-1", "service": "AMAZON"},
        {"ip_prefix": "198.51.100.0/24", "region": "us-east-1", "service": "EC2"},
        {"ip_prefix": "198.51.100.128/25", "region": "eu-central-1", "service": "EC2"},
        {"ip_prefix": "198.51.100.192/26", "region": "GLOBAL", "service": "CLOUDFRONT"},
        {"ip_prefix": "203.0.113.0/28", "region": "us-west-2", "service": "AMAZON"},
        {"ip_prefix": "203.0.113.0/28", "region": "us-west-2", "service": "GLOBALACCELERATOR"},
        {"ip_prefix": "192.0.2.0/30", "region": "mars-1", "service": "EC2"},
        {"ip_prefix": "not a network", "region": "us-east-1", "service": "EC2"},
    ],
    "ipv6_prefixes": [{"ipv6_prefix": "2001:db8:1::/48", "region": "ap-northeast-1", "service": "EC2"}],
}
GOOGLE = {
    "prefixes": [
        {"ipv4Prefix": "198.51.100.0/25", "service": "Google Cloud", "scope": "europe-west3"},
        {"ipv6Prefix": "2001:db8:2::/48", "service": "Google Cloud", "scope": "global"},
    ]
}
MICROSOFT = {
    "values": [
        {"name": "AzureCloud", "properties": {"region": "", "systemService": "", "addressPrefixes": ["192.0.2.0/24"]}},
        {"name": "AzureCloud.eastus", "properties": {"region": "eastus", "systemService": "", "addressPrefixes": ["192.0.2.0/24"]}},
        {
            "name": "AzureFrontDoor.Frontend",
            "properties": {"region": "", "systemService": "AzureFrontDoor", "addressPrefixes": ["192.0.2.64/26"]},
        },
        {"name": "odd"},
    ]
}  # fmt: skip


def ranges(*documents: Any) -> CloudRanges:
    return CloudRanges(row for each in documents for row in read_rows(json.dumps(each).encode(), pack().regions))


@pytest.mark.parametrize(
    ("address", "country"),
    [
        ("198.51.100.1", "US"),
        ("198.51.100.129", "DE"),
        # A content network answers everywhere, whatever the network around it.
        ("198.51.100.200", ""),
        ("203.0.113.1", ""),
        ("192.0.2.1", ""),
        ("2001:db8:1::9", "JP"),
        ("2001:db8:9::9", ""),
        ("10.0.0.1", ""),
        ("no address", ""),
        ("9" * 100, ""),
        ("", ""),
    ],
)
def test_the_longest_network_tells(address: str, country: str) -> None:
    assert ranges(AMAZON).place_of(address).country == country


def test_each_cloud_has_its_own_format_and_codes() -> None:
    assert ranges(GOOGLE).place_of("198.51.100.1") == Place("DE", "", "host")
    assert ranges(GOOGLE).place_of("2001:db8:2::1") == Place()
    assert ranges(MICROSOFT).place_of("192.0.2.1").country == "US"
    assert ranges(MICROSOFT).place_of("192.0.2.65") == Place()


def test_two_clouds_that_claim_one_network_for_two_places_prove_neither() -> None:
    other = {"prefixes": [{"ipv4Prefix": "198.51.100.128/25", "scope": "us-east1"}]}
    assert ranges(AMAZON, other).place_of("198.51.100.129") == Place()


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b'{"prefixes": []}', b'{"prefixes": [1]}', b'{"values": 7}'])
def test_a_file_that_is_no_list_is_a_mistake(data: bytes) -> None:
    with pytest.raises(RangesProblem):
        read_rows(data, pack().regions)


@given(st.text(max_size=60))
def test_no_text_makes_a_look_up_fail(address: str) -> None:
    assert isinstance(ranges(AMAZON).place_of(address), Place)
