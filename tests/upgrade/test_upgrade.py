"""Every release reads what those before it left, counts on where they stopped, and writes what they can read again."""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from alerts.episodes import Episode
from monitor.alert_log import newest
from monitor.ledger_reader import LedgerReader
from tests.conftest import skip_or_fail
from tests.integration.system import System, distinct_findings
from tests.kafka.jvm import Cluster
from tests.kafka.processes import Unavailable, wait_until
from tests.upgrade.golden import CHANGELOG, KEY, PEOPLE, SOURCES, commit_all, kept, ledger, refill, releases, schemas
from topics.alert import Alert
from topics.catalog import ALERTS, CANARY, CATALOG, FINDINGS
from topics.finding import Fold
from topics.schema import RECORDS, json_schema
from topics.subject import SubjectKey

every_release = pytest.mark.parametrize("release", releases())


def test_the_first_release_is_kept() -> None:
    assert "0.1.0" in releases()


@every_release
def test_what_a_release_left_is_there_and_holds_nobodys_data(release: str) -> None:
    topics = kept(release)
    assert {FINDINGS.name, ALERTS.name, "privacy.accounting.v1", "privacy.consent.v1", "privacy.links.v1"} <= {
        name for name, records in topics.items() if records
    }
    text = b"".join(each.value or b"" for records in topics.values() for each in records)
    assert b"@" not in text
    assert len(gzip.compress(text)) < 200_000, "small enough to keep for ever"


@every_release
def test_every_record_of_a_release_is_read(release: str) -> None:
    for topic, records in kept(release).items():
        kind = Episode if topic == CHANGELOG else RECORDS[topic]
        for each in records:
            if each.value is not None:
                msgspec.json.decode(each.value, type=kind)


@every_release
def test_every_record_of_a_release_passes_the_schema_of_today(release: str) -> None:
    for topic, records in kept(release).items():
        if topic != CHANGELOG:
            validator = jsonschema_rs.validator_for(json_schema(topic))
            assert all(validator.is_valid(json.loads(each.value)) for each in records if each.value), topic


@every_release
def test_a_topic_keeps_its_name_key_and_clean_up(release: str) -> None:
    assert schemas(release).keys() <= {topic.name for topic in CATALOG}, "a topic is never taken away or named anew"


@every_release
def test_a_field_that_a_release_reads_is_never_taken_away(release: str) -> None:
    """So that after a rollback the release before reads what this one wrote: it ignores what it does not know."""
    now = {topic.name: json_schema(topic.name) for topic in CATALOG}
    for topic, schema in schemas(release).items():
        for path, before in _records(schema):
            after = dict(_records(now[topic]))[path]
            assert set(before.get("required", ())) <= set(after.get("properties", {})), (topic, path)
            changed = [
                name
                for name in before.get("required", ())
                if before["properties"][name].get("type") != after["properties"][name].get("type")
            ]
            assert changed == [], (topic, path)


def _records(schema: Any) -> Iterator[tuple[str, Any]]:
    yield "", schema
    yield from ((name, each) for name, each in schema.get("$defs", {}).items() if "properties" in each)


@pytest.fixture(scope="module", params=releases())
def upgraded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, System]]:
    """Today's monitor on a cluster as a release left it, with its ledger on the disk."""
    release: str = request.param
    try:
        cluster = Cluster(1)
    except Unavailable as reason:
        skip_or_fail(str(reason))
    folder = tmp_path_factory.mktemp("upgraded")
    ledger(release, folder / "ledger.lmdb")
    with cluster:
        refill(cluster.bootstrap, release)
        commit_all(cluster.bootstrap, "privacy-monitor-alerts", [FINDINGS.name])
        # Episodes of long ago must not end while they are looked at, whenever this test runs.
        lasting = {"alerts": {"port": 0, "update_seconds": 1, "quiet_seconds": 1_000_000_000}}
        with System(cluster.bootstrap, folder, SOURCES, lasting) as system:
            system.start("run")
            system.start("alerts")
            yield release, system


@pytest.mark.kafka
@pytest.mark.slow
def test_the_ledger_of_a_release_speaks_for_the_same_choices(upgraded: tuple[str, System]) -> None:
    _, system = upgraded
    reader, key = LedgerReader(system.folder / "ledger.lmdb"), SubjectKey("k1", KEY.encode())

    def refused() -> dict[str, list[set[str]]]:
        view = reader.view()
        try:
            return {name: [set(each.refused) for each in view.choices([key.hash("user_id", name)])] for name in PEOPLE}
        finally:
            view.close()

    wanted = {name: [set(words)] for name, words in PEOPLE.items()}
    assert wait_until(lambda: refused() == wanted, seconds=60), f"{refused()}\n{system.logs()}"


@pytest.mark.kafka
@pytest.mark.slow
def test_episodes_of_a_release_go_on_and_count_nothing_twice(upgraded: tuple[str, System]) -> None:
    release, system = upgraded
    folds = [each for each in kept(release)[FINDINGS.name] if each.value]
    before = {each.episode_key: each for each in newest(_alerts(release))}
    # What a release wrote and committed comes once more, as after a crash; then one finding that is new.
    again = [(FINDINGS.name, each.key, each.value) for each in folds]
    last = msgspec.json.decode(folds[-1].value or b"", type=Fold)
    offset = sum(distance for distance, _, _ in last.offsets) + 1_000
    new = msgspec.structs.replace(last, offsets=((offset, last.last_at_ms // 60_000, 1),), count=1)
    system.produce([*again, (FINDINGS.name, folds[-1].key, msgspec.json.encode(new))])
    counted = {key: sum(each.values()) for key, each in distinct_findings(_as_json(folds)).items()}
    key = next(each for each in before if each.partition(":")[0] == last.episode_key)
    wanted = before[key].findings + 1

    def told() -> Alert | None:
        found = [msgspec.json.decode(json.dumps(each), type=Alert) for each in system.read(ALERTS.name)]
        return {each.episode_key: each for each in newest(found)}.get(key)

    def is_told() -> bool:
        alert = told()
        return alert is not None and alert.revision > before[key].revision and alert.findings >= wanted

    assert wait_until(is_told, seconds=180), system.logs()
    after = told()
    assert after is not None
    assert (after.findings, after.episode_id) == (wanted, before[key].episode_id)
    assert before[key].findings == counted[last.episode_key]


@pytest.mark.kafka
@pytest.mark.slow
def test_workers_of_today_judge_on_a_cluster_of_a_release(upgraded: tuple[str, System]) -> None:
    _, system = upgraded
    assert "canary found" in system.command("canary", "--no-alerts", "--timeout", "60")
    written = Counter(each["schema"] for each in system.read("privacy.accounting.v1"))
    assert written["privacy.accounting.v1"] > 0
    assert any(each["topic"] == CANARY.name for each in system.read("privacy.accounting.v1"))


def _alerts(release: str) -> list[Alert]:
    return [msgspec.json.decode(each.value, type=Alert) for each in kept(release)[ALERTS.name] if each.value]


def _as_json(records: list[Any]) -> list[Any]:
    return [json.loads(each.value) for each in records]


def test_a_folder_of_a_release_is_complete() -> None:
    for release in releases():
        names = {path.name for path in (Path(__file__).parent / release).iterdir()}
        assert {each for each in names if not each.endswith(".whl")} == {
            "topics.json.gz",
            "ledger.mdb.gz",
            "schemas.json",
        }
        assert len([each for each in names if each.endswith(".whl")]) == 1
