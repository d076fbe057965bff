"""Where alerts may be sent, and where not."""

import pytest

from alerts.sinks.post import Outcome, post
from alerts.sinks.target import TargetProblem, address_of, check, is_public
from tests.alerts.prometheus import Receiver


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("https://other.example/", "not in the list"),
        ("https://hooks.shop.example.evil.example/", "not in the list"),
        ("http://hooks.shop.example/", "clear text"),
        ("https://user:pass@hooks.shop.example/", "password"),
        ("file:///etc/passwd", "not of the form"),
        ("https://[::1", "no URL"),
        ("https://hooks.shop.example:99999/", "no URL"),
        ("hooks.shop.example", "not of the form"),
        ("https://hooks.shop.example/päss", "written as %XX"),
        ("https://hooks.shop.example/pass word", "written as %XX"),
        (f"https://{'a' * 64}.example/", "no URL"),
    ],
)
def test_an_address_that_nobody_allowed_is_refused_and_its_path_is_not_told(url: str, complaint: str) -> None:
    with pytest.raises(TargetProblem, match=complaint) as raised:
        check(url, ["hooks.shop.example"])
    assert "pass" not in str(raised.value).replace("password", "")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104 - an address to refuse
        "::1",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "2002:a00:1::",
        "224.0.0.1",
        "255.255.255.255",
    ],
)
def test_a_private_address_in_any_dress_is_private(address: str) -> None:
    assert not is_public(address)
    assert is_public("93.184.215.14")
    assert is_public("2606:2800:21f:cb07:6820:80da:af6b:8b2c")


def test_nothing_is_sent_to_a_private_address_unless_it_is_allowed() -> None:
    with Receiver() as receiver:
        private = check(receiver.url, ["127.0.0.1"], allow_http=True)
        with pytest.raises(TargetProblem, match="private"):
            address_of(private)
        assert post(private, b"{}", {}, 1.0).outcome is Outcome.REFUSED
        assert receiver.requests == []
