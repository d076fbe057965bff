"""Generated files are current, and what is written to a topic passes its schema."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from alerts.episodes import Policy, step
from monitor.context import VERSION
from monitor.generated import files
from tests.alerts.test_volumes import volume
from tests.alerts.traffic import Seen, fold
from topics.accounting import Accounting, DeadLetter, OffsetClass
from topics.bundle import Bundle
from topics.canary import Canary
from topics.catalog import (
    ACCOUNTING,
    ALERTS,
    CANARY,
    CATALOG,
    CONSENT,
    DEAD_LETTERS,
    FINDINGS,
    LINEAGES,
    LINKS,
    RULES,
    SHADOW,
    TRIAGE,
    VOLUMES,
)
from topics.consent import ConsentRecord
from topics.lineage import Lineage
from topics.links import LinkRecord
from topics.schema import RECORDS, asyncapi, json_schema
from topics.triage import Declaration, Declared

ROOT = Path(__file__).parents[2]
_FOLD = fold([Seen("key", 0, 5, 1_700_000_000_000, 2, "aa"), Seen("key", 0, 9, 1_700_000_060_000, 1, "bb")])
SAMPLES: dict[str, Any] = {
    RULES.name: Bundle.of("live", {"acme/acme.first.yaml": "id: acme.first"}, {}),
    CONSENT.name: ConsentRecord(at_ms=1, ids={"email": "a@shop.example"}, granted=("analytics",)),
    LINKS.name: LinkRecord(first="a", first_kind="email", second="b", second_kind="user_id"),
    FINDINGS.name: _FOLD,
    SHADOW.name: _FOLD,
    ALERTS.name: step(None, _FOLD, 1_700_000_100_000, Policy())[1][0],
    VOLUMES.name: volume(range(100)),
    DEAD_LETTERS.name: DeadLetter(
        cluster="c",
        topic="t",
        partition=0,
        offset=1,
        item=None,
        reason="syntax",
        position=4,
        size_bytes=10,
        digest="d",
        timestamp_ms=1,
    ),
    ACCOUNTING.name: Accounting(
        cluster="c",
        topic="t",
        partition=0,
        start=0,
        end=3,
        runs=((3, OffsetClass.INSPECTED),),
        items={"judged": 3},
        findings=0,
        ledger_mark="m",
        bundle="b",
        worker="w",
        delivery="at_least_once",
    ),
    TRIAGE.name: Declaration(episode_key="key", what=Declared.BREACH, at_ms=1_700_000_000_000),
    LINEAGES.name: Lineage(cluster="c", topic="t", topic_id="kV1uvxpZQ4mKu0HnlmDoTg", met_at_ms=1),
    CANARY.name: Canary(message_id="one", timestamp="2026-11-25T12:00:00.000Z"),
}


@pytest.mark.parametrize("path", sorted(files(VERSION)))
def test_a_generated_file_is_what_the_code_says(path: str) -> None:
    assert (ROOT / path).read_text() == files(VERSION)[path], f"run `make docs` and commit {path}"


@pytest.mark.parametrize("topic", [topic.name for topic in CATALOG])
def test_a_record_passes_the_schema_of_its_topic_and_a_broken_one_does_not(topic: str) -> None:
    check = jsonschema_rs.Draft202012Validator(json_schema(topic))
    record = json.loads(msgspec.json.encode(SAMPLES[topic]))
    check.validate(record)
    for name in json_schema(topic)["required"]:
        assert not check.is_valid({key: value for key, value in record.items() if key != name}), name
    if "schema" in record:
        assert not check.is_valid({**record, "schema": "privacy.other.v1"})


def test_asyncapi_names_each_topic_and_each_reference_leads_somewhere() -> None:
    document = asyncapi("1")
    assert {each["address"] for each in document["channels"].values()} == {topic.name for topic in CATALOG}
    assert set(RECORDS) == {topic.name for topic in CATALOG}
    assert document["asyncapi"] == "3.0.0"
    actions = {each["action"] for each in document["operations"].values()}
    assert actions == {"send", "receive"}

    def follow(value: Any) -> None:
        if isinstance(value, dict):
            reference = value.get("$ref", "")
            if reference.startswith("#/"):
                target: Any = document
                for part in reference[2:].split("/"):
                    target = target[part]
            elif reference:
                assert (ROOT / "topics" / "schemas" / reference).is_file(), reference
            for inner in value.values():
                follow(inner)
        elif isinstance(value, list):
            for inner in value:
                follow(inner)

    follow(document)
