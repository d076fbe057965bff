"""`explain` shows how a verdict came about: by the same judge, with the facts that would flip it, and nobody's data."""

import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from detectors.consent.ledger import Choice, Coverage, Word
from monitor.context import Loaded, load_shipped
from monitor.explain import explain
from monitor.explain_text import lines
from monitor.pipeline import Context, process
from topics.adapters import make
from topics.observation import AdapterOptions
from topics.record import RawRecord
from topics.subject import SubjectKey

REGISTER = Path(__file__).parents[2] / "monitor" / "shop" / "register.yaml"
NOW_MS = 1_793_606_400_000  # 2026-11-02, 08:00 UTC
SETTLE_MS = 1000
CANARIES = ("canary-name", "canary-street", "canary.mail@example.org", "198.51.100.77", "canary-user", "Canary Agent")
ADVERTISING = ("advertising",)


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    return load_shipped(domains=["shop.example"], register_file=REGISTER)


class Choices:
    """A ledger that has read everything and holds these choices of everybody."""

    mark = "0:9"

    def __init__(self, *choices: Choice) -> None:
        self._choices = choices

    def coverage(self, broker_ms: int) -> Coverage:  # noqa: ARG002 - the protocol's signature
        return Coverage.READY

    def choices(self, subjects: Sequence[str]) -> Sequence[Choice]:  # noqa: ARG002 - the protocol's signature
        return self._choices

    def choices_of(self, people: Sequence[Sequence[str]]) -> Sequence[Sequence[Choice]]:
        return [self.choices(person) for person in people]


def choice(at_ms: int, *, granted: bool, received_ms: int | None = None, offset: int = 5) -> Choice:
    allowed, refused = (ADVERTISING, ()) if granted else ((), ADVERTISING)
    received = received_ms or at_ms + 10
    return Choice(at_ms, offset, received, Word(allowed, refused, "banner", "privacy.consent.v1", 0))


def context(loaded: Loaded, *choices: Choice) -> Context:
    adapters = {
        "events": make("segment", AdapterOptions()),
        "kong": make("kong", AdapterOptions(body="request.body")),
    }
    return msgspec.structs.replace(loaded.context(adapters, "cluster"), ledger=Choices(*choices))


def event(*, country: str = "DE", **more: Any) -> RawRecord:
    """An event of a person that is also sent to an advertising network."""
    place = {"country": country, **({"region": "CA"} if country == "US" else {})}
    value = {
        "type": "track",
        "event": "Product Viewed",
        "userId": "canary-user",
        "timestamp": "2026-11-02T08:00:00.000Z",
        "context": {
            "ip": "198.51.100.77",
            "userAgent": "Canary Agent",
            "location": place,
            **more,
        },
        "properties": {"email": "canary.mail@example.org", "name": "canary-name", "street": "canary-street"},
        "integrations": {"Google Ads": True},
    }
    return record("events", value)


def record(topic: str, value: Any) -> RawRecord:
    return RawRecord(topic, 0, 7, NOW_MS + 20, None, json.dumps(value).encode())


def only(traces: list[dict[str, Any]]) -> dict[str, Any]:
    assert len(traces) == 1
    return traces[0]


def trace(taken: RawRecord, by: Context, **more: Any) -> dict[str, Any]:
    return only(explain(taken, by, settle_ms=SETTLE_MS, **more))


def rules(findings: Iterable[dict[str, Any]]) -> set[str]:
    return {each["rule"] for each in findings}


def facts(traced: dict[str, Any], *, silencing: str) -> set[str]:
    return {flip["fact"] for flip in traced["flips"] if any(silencing in each for each in flip["vanish"])}


def test_the_verdict_is_the_judges_own(loaded: Loaded) -> None:
    by = context(loaded, choice(NOW_MS - 5000, granted=False))
    taken = event()
    told = {(each["id"], each["why"]) for each in trace(taken, by)["findings"]}
    assert told == {(each.finding_id, each.why) for each in process([taken], by, {}).findings}
    assert told


def test_a_refusal_is_named_by_its_coordinates_and_a_later_grant_would_flip_it(loaded: Loaded) -> None:
    traced = trace(event(), context(loaded, choice(NOW_MS - 5000, granted=False)))
    ledger = only(traced["flows"])["ledger"]
    assert ledger["used"]["place"] == "privacy.consent.v1/0/5"
    assert ledger["used"]["says"] == "refused"
    assert ledger["mark"] == "0:9"
    assert "tracking.refusal-ignored" in rules(traced["findings"])
    assert "a grant of advertising.targeted on record a second before the event" in facts(
        traced, silencing="tracking.refusal-ignored"
    )


def test_consent_that_arrived_late_is_shown_beside_the_verdict_of_that_time(loaded: Loaded) -> None:
    late = choice(NOW_MS - 5000, granted=True, received_ms=NOW_MS + 3_600_000)
    traced = trace(event(), context(loaded, late))
    ledger = only(traced["flows"])["ledger"]
    assert ledger["used"] is None
    assert ledger["todays"]["says"] == "granted"
    assert [each["says"] for each in ledger["late"]] == ["granted"]
    assert "tracking.consent-missing" in rules(traced["findings"])
    assert "tracking.consent-missing" not in rules(traced["findings_by_todays_ledger"])
    text = "\n".join(lines([traced]))
    assert text.index("VERDICT THEN") < text.index("WHAT TODAY'S LEDGER WOULD SAY")


def test_a_choice_made_after_the_event_is_shown_and_changes_nothing(loaded: Loaded) -> None:
    traced = trace(event(), context(loaded, choice(NOW_MS + 500, granted=True)))
    ledger = only(traced["flows"])["ledger"]
    assert ledger["used"] is None
    assert ledger["todays"] is None
    assert [each["says"] for each in ledger["afterwards"]] == ["granted"]
    assert "tracking.consent-missing" in rules(traced["findings"])
    assert "findings_by_todays_ledger" not in traced


def test_without_the_signal_the_verdict_flips(loaded: Loaded) -> None:
    traced = trace(event(country="US", gpc=True), context(loaded))
    signal = only(only(traced["flows"])["signals"])
    assert (signal["kind"], signal["says"], signal["set_aside"]) == ("gpc", "denied", "")
    assert "no signal at context.gpc" in facts(traced, silencing="tracking.gpc-ignored")


def test_a_signal_that_means_nothing_there_is_set_aside_with_the_reason(loaded: Loaded) -> None:
    traced = trace(event(country="DE", us_privacy="1YYN"), context(loaded))
    signal = only(only(traced["flows"])["signals"])
    assert signal["set_aside"] == "says nothing under the law of DE"


def test_a_register_entry_in_force_would_flip_an_expired_one(loaded: Loaded) -> None:
    headers = {"host": "api.shop.example", "cf-ipcountry": "DE"}
    flowing = {
        "started_at": NOW_MS,
        "request": {"method": "POST", "uri": "/support", "headers": headers, "body": '{"email":"a@b.example"}'},
        "response": {"status": 200},
        "service": {"host": "shop.freshdesk.com", "name": "helpdesk"},
        "client_ip": "198.51.100.77",
    }
    traced = trace(record("kong", flowing), context(loaded))
    assert "transfers.mechanism-expired" in rules(traced["findings"])
    flow = only(traced["flows"])
    assert flow["recipient_known_by"] == "register entry freshdesk"
    assert flow["destination"] == {"country": "US", "subdivision": "", "source": "register"}
    assert "a register entry for freshdesk with an agreement and the mechanism scc, both in force" in facts(
        traced, silencing="transfers.mechanism-expired"
    )


def test_dropping_the_field_would_flip_over_collection(loaded: Loaded) -> None:
    value = json.loads(event().value or b"")
    value["event"] = "Order Completed"
    value["properties"]["customer"] = {"diagnosis": "canary-name has asthma"}
    traced = trace(record("events", value), context(loaded, choice(NOW_MS - 5000, granted=True)))
    assert "checkout.sensitive-field" in rules(traced["findings"])
    assert "the field properties.customer.diagnosis dropped" in facts(traced, silencing="checkout.sensitive-field")


def test_every_rule_of_the_detector_is_said_to_have_held_or_not(loaded: Loaded) -> None:
    traced = trace(event(), context(loaded, choice(NOW_MS - 5000, granted=False)))
    asked = {rule["rule"]: rule["held"] for each in only(traced["flows"])["detectors"] for rule in each["rules"]}
    wanted = {
        rule.written.id for rule in loaded.rules.rules if rule.written.assessor.value in {"tracking", "transfers"}
    }
    assert wanted <= asked.keys()
    assert {name for name, held in asked.items() if held} == rules(traced["findings"])


def test_the_law_is_that_of_the_day(loaded: Loaded) -> None:
    law = only(trace(event(country="US"), context(loaded))["flows"])["law"]
    assert (law["on"], law["jurisdiction"], law["regime"]) == ("2026-11-02", "US-CA", "opt-out")
    assert "us-ca-universal-opt-out-signal" in {duty["id"] for duty in law["duties"]}


def test_the_clock_that_was_believed_is_named(loaded: Loaded) -> None:
    ahead = json.loads(event().value or b"")
    ahead["timestamp"] = "2026-11-03T08:00:00.000Z"
    assert trace(event(), context(loaded))["read"]["clock"] == "event"
    assert trace(record("events", ahead), context(loaded))["read"]["clock"] == "event, held back to the broker's"
    del ahead["timestamp"]
    assert trace(record("events", ahead), context(loaded))["read"]["clock"] == "broker"


def test_no_personal_value_is_given_without_reveal(loaded: Loaded) -> None:
    by = context(loaded, choice(NOW_MS - 5000, granted=False))
    for taken in (event(gpc=True, us_privacy="1YYN"), record("events", {"userId": CANARIES})):
        traces = explain(taken, by, settle_ms=SETTLE_MS)
        told = json.dumps(traces) + "\n".join(lines(traces))
        assert not [canary for canary in CANARIES if canary in told]


def test_reveal_gives_the_values_at_the_paths(loaded: Loaded) -> None:
    traced = trace(event(), context(loaded), reveal=True)
    revealed = {each["path"]: each["value"] for each in traced["revealed"]["fields"]}
    assert revealed["properties.email"] == "canary.mail@example.org"
    assert {"kind": "user_id", "value": "canary-user"} in traced["revealed"]["subjects"]
    assert "canary.mail@example.org" in "\n".join(lines([traced]))


def test_revealed_values_cannot_steer_a_terminal(loaded: Loaded) -> None:
    value = json.loads(event().value or b"")
    value["properties"]["name"] = "mara\x1b[2J\r"
    text = "\n".join(lines([trace(record("events", value), context(loaded), reveal=True)]))
    assert "\x1b" not in text
    assert "\r" not in text


def test_an_item_of_a_batch_is_explained_alone(loaded: Loaded) -> None:
    one = json.loads(event().value or b"")
    batch = record("events", {"batch": [one, 17, {**one, "integrations": {}}]})
    by = context(loaded)
    assert [each["item"] for each in explain(batch, by, settle_ms=SETTLE_MS)] == [0, 1, 2]
    assert trace(batch, by, item=1)["not_read"]["reason"] == "shape"
    assert "no_flow" in trace(batch, by, item=2)
    assert explain(batch, by, settle_ms=SETTLE_MS, item=3) == []


def command(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "monitor", "explain", *arguments],
        input=given,
        capture_output=True,
        check=False,
        timeout=60,
    )


def test_the_command_explains_a_line_of_a_file_with_choices_from_another(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_bytes(b'{"type":"page"}\n\n' + (event().value or b"") + b"\n")
    refusal = {"at_ms": NOW_MS - 5000, "ids": {"user_id": "canary-user"}, "refused": ["advertising"]}
    (tmp_path / "consent.jsonl").write_text(json.dumps(refusal))
    done = command(
        str(tmp_path / "events.jsonl"), "--line", "3", "--consent", str(tmp_path / "consent.jsonl"),
        "--domain", "shop.example",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode()
    assert "violation tracking.refusal-ignored" in text
    assert "consent.jsonl/0/0: refused" in text
    assert not [canary for canary in CANARIES if canary in text]


def test_what_is_wrong_with_the_command_is_said_in_words(tmp_path: Path) -> None:
    good = tmp_path / "events.jsonl"
    good.write_bytes(event().value or b"")
    bad = tmp_path / "consent.jsonl"
    bad.write_text('{"at_ms": 1}\nnot json canary-name\n')
    for arguments, says in (
        ([str(good), "--line", "9"], b"no record at line 9"),
        ([str(good), "--item", "4"], b"no item 4"),
        ([str(good), "--consent", str(bad)], b"consent.jsonl:2: not a consent record (syntax)"),
        ([], b"--topic"),
    ):
        done = command(*arguments)
        assert done.returncode != 0
        assert says in done.stderr
        assert b"Traceback" not in done.stderr
        assert b"canary" not in done.stderr


def test_a_hash_of_another_key_is_another_hash(loaded: Loaded) -> None:
    other = msgspec.structs.replace(loaded.know, key=SubjectKey("k2", b"another key, long enough"))
    by = context(loaded)
    first = trace(event(), by)["subjects"]
    second = trace(event(), msgspec.structs.replace(by, know=other))["subjects"]
    assert first != second
