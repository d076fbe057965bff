"""The example of the documentation holds what a responder needs, and nothing of any person."""

import json
import re
from collections.abc import Iterator
from typing import Any

from monitor.example_page import example, example_page
from topics.alert import Alert

OURS = {"shop.example", "www.shop.example"}


def values(tree: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Give every text of a record, with the name that it stands under."""
    if isinstance(tree, dict):
        for name, each in tree.items():
            yield from values(each, str(name))
    elif isinstance(tree, list):
        for each in tree:
            yield from values(each, key)
    elif isinstance(tree, str):
        yield key, tree


PERSONAL = re.compile(
    r"mail|phone|name|birth|address|street|city|postal|ip$|anonymousId|userId|user_?id|agent|card|fbp|fbc|client_ip",
    re.IGNORECASE,
)


def test_no_value_of_a_person_that_was_judged_stands_on_the_page() -> None:
    page = example_page()
    looked_at = 0
    for record in example().records:
        for name, value in values(json.loads(record.value or b"")):
            if PERSONAL.search(name) and len(value) > 4 and value not in OURS:
                # Names of our own services and of companies are told; a person's values are not.
                told = {"web-shop", "api-gateway", "meta", "intercom", "Order Completed"}
                if value not in told and not value.startswith(("/", "http")):
                    looked_at += 1
                    assert value not in page, name
    assert looked_at > 50


def test_no_address_of_any_kind_stands_on_the_page() -> None:
    page = example_page()
    assert not re.search(r"[\w.]+@[\w.]+\.\w+", page)
    assert not re.search(r"\b\d{1,3}(\.\d{1,3}){3}\b", page)
    assert not re.search(
        r"\b\d{13,19}\b", re.sub(r'"(at|opened|first|last|due|started)_at_ms": \d+|"at_ms": \d+', "", page)
    )


def test_the_page_shows_a_clock_that_runs_a_cause_and_related_episodes() -> None:
    shown = [alert for alert in example().alerts if alert.rule == "tracking.opt-out-ignored"]
    assert all(isinstance(alert, Alert) for alert in shown)
    page = example_page()
    for needed in (
        "the opt-out must have effect by 2026-11-",
        "cause: ",
        "related: ",
        "next: stop the flow",
        "d  2026-11-",
    ):
        assert needed in page, needed
