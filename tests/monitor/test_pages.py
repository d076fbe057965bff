"""The pages of each process: metrics that Prometheus takes, a life sign, a reason when it does not work."""

import re
import socket
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from monitor.metrics import LedgerMetrics, Metrics
from monitor.pages import Pages, PagesProblem


@pytest.fixture
def registry() -> CollectorRegistry:
    made = CollectorRegistry()
    Metrics(made, version="1.0.0")
    LedgerMetrics(made)
    return made


@pytest.fixture
def pages(registry: CollectorRegistry) -> Iterator[tuple[Pages, list[str]]]:
    reason = [""]
    made = Pages("127.0.0.1", 0, registry, lambda: reason[0])
    yield made, reason
    made.close()


def get(url: str) -> tuple[int, str]:
    try:
        with urlopen(url, timeout=5) as answer:  # noqa: S310 - a page on this machine
            return answer.status, answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_it_lives_and_says_why_it_does_not_work(pages: tuple[Pages, list[str]]) -> None:
    made, reason = pages
    assert get(made.url + "/healthz") == (200, "alive\n")
    assert get(made.url + "/readyz") == (200, "ready\n")
    reason[0] = "no partition is assigned"
    assert get(made.url + "/readyz") == (503, "no partition is assigned\n")
    assert get(made.url + "/healthz") == (200, "alive\n")
    assert get(made.url + "/secrets?x=1")[0] == 404


def test_metrics_keep_the_rules_of_promtool(pages: tuple[Pages, list[str]]) -> None:
    status, text = get(pages[0].url + "/metrics")
    assert status == 200
    families = list(text_string_to_metric_families(text))
    assert len(families) > 15
    for each in families:
        assert re.fullmatch(r"privacy_[a-z0-9_]+", each.name), each.name
        assert each.documentation.strip(), f"{each.name} has no help"
        if each.type == "counter":
            assert all(re.search(r"_(total|created)$", sample.name) for sample in each.samples), each.name
        else:
            assert not each.name.endswith(("_total", "_count", "_sum", "_bucket")), each.name
        assert not re.search(r"(_ms|_milliseconds|_minutes|_kb)$", each.name), f"{each.name}: base units only"
        assert each.type not in each.name.split("_"), f"{each.name} names its type"
        for sample in each.samples:
            assert all(re.fullmatch(r"[a-z][a-z0-9_]*", label) for label in sample.labels)


def test_a_taken_port_moves_on(registry: CollectorRegistry) -> None:
    first = Pages("127.0.0.1", 0, registry, str)
    second = Pages("127.0.0.1", first.port, registry, str)
    try:
        assert second.port > first.port
        assert get(second.url + "/healthz")[0] == 200
    finally:
        second.close()
        first.close()


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_an_address_that_is_not_ours_is_told(registry: CollectorRegistry, host: str) -> None:
    with pytest.raises(PagesProblem, match=rf"cannot listen at {host}:9464 \(.+\); set http.host and http.port"):
        Pages(host, 9464, registry, str)


def test_clients_that_talk_nonsense_or_hang_up_leave_no_word(
    pages: tuple[Pages, list[str]], capfd: pytest.CaptureFixture[Any]
) -> None:
    made = pages[0]
    for data in (b"", b"\x00\xff\r\n\r\n", b"GET /metrics HTTP/1.1\r\n", b"GET " + b"x" * 70_000 + b"\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", made.port), timeout=5) as client:
            client.sendall(data)
    assert get(made.url + "/healthz") == (200, "alive\n")
    assert capfd.readouterr() == ("", "")
