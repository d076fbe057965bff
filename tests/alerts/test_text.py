"""From the alert alone: what happened, who is affected, since when, what to do next, by which law until when, where the evidence is."""

import json
import re
from typing import Any

import msgspec
import pytest

from alerts.episodes import Policy, step, tick
from alerts.sinks.apprise import AppriseText
from alerts.sinks.forms import Alertmanager, SignedWebhook
from alerts.sinks.pagerduty import PagerDuty
from alerts.text import Links, told
from monitor.files import package_files
from tests.alerts.prometheus import ALERTS
from tests.alerts.test_clocks import refused
from tests.alerts.traffic import START_MS, Seen, fold
from topics.alert import Alert
from topics.finding import Fold, Verdict

LINKS = Links(runbooks="https://docs.shop.example/runbooks")
FORMS: dict[str, Any] = {
    "webhook": SignedWebhook(b"a secret that is long enough", LINKS),
    "alertmanager": Alertmanager(3_600, LINKS),
    "pagerduty": PagerDuty("k" * 32, LINKS),
    "apprise": AppriseText(LINKS),
}
NOW_MS = START_MS + 1_000


def rendered(form: str, alert: Alert) -> str:
    """Give all that a person sees of one alert."""
    body = json.loads(FORMS[form].request([alert], 0, NOW_MS).body)
    if form == "webhook":
        return str(body["texts"][0])
    if form == "alertmanager":
        return "\n".join(body[0]["annotations"].values())
    if form == "pagerduty":
        payload = body["payload"]
        return "\n".join([payload["summary"], *payload["custom_details"].values()])
    return f"{body['title']}\n{body['body']}"


def violation() -> Alert:
    """An opt-out that was ignored, of two persons in one state."""
    one: Fold = msgspec.structs.replace(
        refused(proof=(("carries", "none"),)),
        runbook="tracking.opt-out-ignored",
        subjects="e:a,b",
        services=("web-shop",),
        recipient="meta",
    )
    return step(None, one, NOW_MS, Policy())[1][0]


@pytest.mark.parametrize("form", FORMS)
def test_each_sink_tells_somebody_on_call_all_that_is_needed_to_begin(form: str) -> None:
    alert = violation()
    text = rendered(form, alert)
    exemplar = alert.exemplars[0]
    harmless = exemplar.fields[0].replace("_", "＿")
    for what, needed in {
        "what happened": "An order was sent to an advertising network after an opt-out: 1 finding about 2 persons",
        "how many": "2 persons",
        "where": "US-CA",
        "who received it": "meta",
        "who sent it": "web-shop",
        "since when": "2023-11-14 22:13 UTC",
        "what to do next": "https://docs.shop.example/runbooks/tracking.opt-out-ignored.md",
        "by which law": "us-ca-opt-out-of-sale",
        "until when": "the opt-out must have effect by 2023-12-05",
        "what else may come": "once a breach is declared",
        "where to look": "look at each hop",
        "evidence": f"{exemplar.topic}/{exemplar.partition}/{exemplar.offset} at ",
        "the fields": harmless if form == "apprise" else exemplar.fields[0],
        "the episode": alert.episode_key,
    }.items():
        assert needed in text, what


@pytest.mark.parametrize("form", FORMS)
def test_a_gap_is_never_told_as_a_violation_and_policy_never_as_law(form: str) -> None:
    gap = step(None, fold([Seen("k", 0, 0, START_MS, 1, "s", verdict=Verdict.GAP)]), NOW_MS, Policy())[1][0]
    text = rendered(form, msgspec.structs.replace(gap, law=()))
    assert "the missing fact" in text
    assert "no duty of law" in text
    assert "stop the flow" not in text


@pytest.mark.parametrize("form", ["webhook", "alertmanager", "apprise"])
def test_the_end_says_that_it_is_over(form: str) -> None:
    state, _ = step(None, fold([Seen("k", 0, 0, START_MS, 1, "s")]), NOW_MS, Policy())
    state, _ = tick(state, NOW_MS + 10**9, Policy())
    _, alerts = tick(state, NOW_MS + 2 * 10**9, Policy())
    assert "confirm that it is mended" in rendered(form, alerts[0])


def test_every_runbook_that_an_alert_can_name_is_there() -> None:
    pages = {path.stem for path in (ALERTS / "runbooks").glob("*.md")}
    named = {
        found
        for text in package_files("detectors.rules", ".yaml").values()
        for found in re.findall(r"^runbook: (\S+)$", text, re.MULTILINE)
    }
    assert named
    assert named <= pages
    alert = violation()
    for verdict in Verdict:
        older = msgspec.structs.replace(alert, verdict=verdict, runbook="")
        assert LINKS.runbook(older).rpartition("/")[2].removesuffix(".md") in pages
    assert Links().runbook(alert) == "runbooks/tracking.opt-out-ignored.md"


def test_a_line_has_an_end_and_no_line_is_empty() -> None:
    many = tuple(f"{'x' * 100}{number}" for number in range(60))
    vast = msgspec.structs.replace(violation(), services=many, categories=many, law=many)
    for label, text in told(vast, LINKS):
        assert 0 < len(text) <= 600, label
