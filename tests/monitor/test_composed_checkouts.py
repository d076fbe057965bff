"""Composed checkouts of every platform's shape, through real adapters and the whole judge: each excess found, no clean one flagged.

The cases stand in `tests/checkouts`, one file a platform, and were written before the tables were held against them.
"""

from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest
from ruamel.yaml import YAML

from monitor.context import load_shipped
from monitor.pipeline import Context, process
from topics.adapters import make
from topics.finding import Basis, Detector, Finding, Verdict
from topics.observation import AdapterOptions
from topics.record import RawRecord

FOLDER = Path(__file__).parents[1] / "checkouts"
AT_MS = 1_795_000_000_000
REGISTER = Path(__file__).parents[2] / "examples" / "register.yaml"


def cases() -> list[Any]:
    read = YAML(typ="safe")
    found = [(file.stem, each) for file in sorted(FOLDER.glob("*.yaml")) for each in read.load(file)]
    return [pytest.param(case, id=f"{platform}: {case['name']}") for platform, case in found]


@cache
def context() -> Context:
    adapters = {
        "gateway": make("kong", AdapterOptions(body="request.body", service="checkout")),
        "events": make("segment", AdapterOptions(service="checkout")),
    }
    return load_shipped(domains=["shop.example"], register_file=REGISTER).context(adapters, "composed")


def request(case: dict[str, Any]) -> dict[str, Any]:
    """Log the request as a gateway does: passed on to a service of the shop's, to `to`, or to the host that was called."""
    method, host, uri = case["request"].split(" ", 2)
    country, _, region = case.get("country", "DE").partition("-")
    headers = {"host": host, "cloudfront-viewer-country": country}
    if region:
        headers["cloudfront-viewer-country-region"] = region
    form = case.get("form")
    headers["content-type"] = "application/json" if form is None else "application/x-www-form-urlencoded"
    upstream = case.get("to") or ("orders.internal.shop.example" if host.endswith("shop.example") else host)
    return {
        "client_ip": "203.0.113.9",
        "started_at": AT_MS,
        "request": {
            "method": method,
            "uri": uri,
            "headers": headers,
            "body": form if form is not None else orjson.dumps(case["body"]).decode(),
        },
        "response": {"status": 200},
        "latencies": {"proxy": 30},
        "tries": [{"ip": "10.20.0.7", "port": 443}],
        "service": {"name": "checkout", "host": upstream},
    }


def judged(case: dict[str, Any]) -> list[Finding]:
    if "event" in case:
        topic, value = "events", {"timestamp": "2026-11-18T10:00:00Z", "messageId": "m-1", **case["event"]}
    else:
        topic, value = "gateway", request(case)
    outcome = process([RawRecord(topic, 0, 7, AT_MS, None, orjson.dumps(value))], context(), {})
    assert not outcome.faults
    assert not outcome.dead_letters
    return [each for each in outcome.findings if each.detector is Detector.CHECKOUT_OVER_COLLECTION]


def told(finding: Finding) -> tuple[str, str, tuple[str, ...]]:
    return finding.rule, finding.step, finding.categories


@pytest.mark.parametrize("case", cases())
def test_a_composed_checkout_is_judged_as_planted(case: dict[str, Any]) -> None:
    findings = judged(case)
    expected = case["expect"]
    assert sorted(map(told, findings)) == sorted(
        (e["rule"], e["step"], tuple(sorted(e["categories"]))) for e in expected
    )
    for each in expected:
        finding = next(found for found in findings if found.rule == each["rule"])
        assert finding.verdict is Verdict.VIOLATION
        assert any(path.endswith(f"{each['at']}") or f".{each['at']}" in path for path in finding.fields), (
            finding.fields
        )
        reasons = [value for name, value in finding.proof if name == "because"]
        assert any(each["because"] in reason for reason in reasons), reasons
        assert [value for name, value in finding.proof if name == "excess"] == sorted(each["categories"])
        assert len([name for name, _ in finding.proof if name == "enough"]) == len(each["categories"])
        if "basis" in each:
            assert finding.basis is Basis(each["basis"])


def test_the_cases_are_many_and_half_of_them_clean() -> None:
    found = [case.values[0] for case in cases()]
    clean = [case for case in found if not case["expect"]]
    assert len(found) >= 40
    assert 0.4 < len(clean) / len(found) < 0.6
