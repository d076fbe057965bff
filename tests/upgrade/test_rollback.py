"""After a rollback the release before goes on from what this one wrote: it is run, on Apache Kafka, from its own wheel."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
import pytest

from tests.conftest import skip_or_fail
from tests.integration.system import System, distinct_findings, read_topic
from tests.kafka.broker import create_topic
from tests.kafka.jvm import Cluster
from tests.kafka.processes import Unavailable, wait_until
from tests.upgrade.golden import KEY, PEOPLE, SOURCES, program, releases, run_and_stop
from topics.catalog import ALERTS, FINDINGS
from topics.finding import Fold

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
_ACCOUNTING = "privacy.accounting.v1"
_UNKNOWN_TO = {"0.1.0": ("dead_letters", "canary_seconds")}
"""Settings of these tests that a release does not know: its `check` names them, and the operator takes them out."""


class RolledBack(NamedTuple):
    """A release that runs where today's monitor ran before it."""

    system: System
    accounted: dict[tuple[str, int], int]
    """How far today's monitor had come in each partition."""
    episodes: dict[str, dict[str, Any]]
    """The newest alert of each episode as today's monitor left it."""
    folds: list[bytes]


@pytest.fixture(scope="module", params=releases())
def rolled_back(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RolledBack]:
    try:
        cluster = Cluster(1)
    except Unavailable as reason:
        skip_or_fail(str(reason))
    # Episodes of long ago must not end while they are looked at, whenever this test runs.
    lasting = {"alerts": {"port": 0, "update_seconds": 1, "quiet_seconds": 1_000_000_000}}
    with cluster, System(cluster.bootstrap, tmp_path_factory.mktemp("rolled-back"), SOURCES, lasting) as system:
        # A rollback follows an upgrade: the release before made this one, and was not started anew for it.
        create_topic(cluster.bootstrap, "privacy-monitor-alerts-ticks", 3)
        run_and_stop(system)
        folds = [value for _, value, _ in read_topic(cluster.bootstrap, FINDINGS.name) if value is not None]
        before = RolledBack(system, _accounted(system), _newest(system.read(ALERTS.name)), folds)
        assert before.episodes, "today's monitor told of episodes"
        system.program = program(request.param, tmp_path_factory.mktemp("program"))
        _take_out(system, _UNKNOWN_TO[request.param])
        system.start("run")
        system.start("alerts")
        yield before


def _take_out(system: System, unknown: Sequence[str]) -> None:
    settings = json.loads(system.config.read_text())
    for name in unknown:
        with pytest.raises(AssertionError, match=f"{name}: unknown key"):
            system.command("check")
        del settings[name]
    system.config.write_text(json.dumps(settings))
    system.command("check")


def _accounted(system: System) -> dict[tuple[str, int], int]:
    ends: dict[tuple[str, int], int] = {}
    for each in system.read(_ACCOUNTING):
        place = each["topic"], each["partition"]
        ends[place] = max(ends.get(place, 0), each["end"])
    return ends


def _newest(alerts: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for each in alerts:
        if each["revision"] >= found.get(each["episode_key"], each)["revision"]:
            found[each["episode_key"]] = each
    return found


_READ_LEDGER = """
import json, sys
from pathlib import Path
from monitor.ledger_reader import LedgerReader
from topics.subject import SubjectKey

reader, key = LedgerReader(Path(sys.argv[1])), SubjectKey("k1", sys.argv[2].encode())
view = reader.view()
print(json.dumps([[sorted(each.refused) for each in view.choices([key.hash("user_id", name)])] for name in sys.argv[3:]]))
"""


def test_what_runs_is_the_release_before(rolled_back: RolledBack) -> None:
    program = rolled_back.system.program
    assert program is not None
    assert _python(rolled_back, "import monitor; print(monitor.__file__)").startswith(str(program))


def test_its_workers_go_on_where_those_of_today_stopped(rolled_back: RolledBack) -> None:
    system = rolled_back.system
    again = [(topic, key, value) for topic in _sources(system) for key, value, _ in read_topic(system.bootstrap, topic)]
    system.produce(again)
    system.await_judged(120)
    ranges = {(each["topic"], each["partition"], each["start"], each["end"]) for each in system.read(_ACCOUNTING)}
    after = _accounted(system)
    for (topic, partition), stopped in rolled_back.accounted.items():
        if topic in _sources(system):
            mine = sorted((start, end) for name, number, start, end in ranges if (name, number) == (topic, partition))
            assert [start for start, _ in mine] == [0, *(end for _, end in mine[:-1])], "no offset twice, none left out"
            assert stopped in {start for start, _ in mine} | {after[topic, partition]}
    assert sum(after.values()) > sum(rolled_back.accounted.values())


def test_its_workers_find_the_canary(rolled_back: RolledBack) -> None:
    assert "canary found" in rolled_back.system.command("canary", "--no-alerts", "--timeout", "60")


def test_its_ledger_speaks_for_the_same_choices(rolled_back: RolledBack) -> None:
    wanted = [[sorted(words)] for words in PEOPLE.values()]

    def told() -> Any:
        return json.loads(
            _python(rolled_back, _READ_LEDGER, str(rolled_back.system.folder / "ledger.lmdb"), KEY, *PEOPLE)
        )

    assert wait_until(lambda: told() == wanted, seconds=60), f"{told()}\n{rolled_back.system.logs()}"


def test_its_alert_plane_counts_on_and_nothing_twice(rolled_back: RolledBack) -> None:
    system = rolled_back.system
    fold = msgspec.json.decode(rolled_back.folds[-1], type=Fold)
    key = next(each for each in rolled_back.episodes if each.partition(":")[0] == fold.episode_key)
    # What today's workers wrote comes once more, as after a crash; then one finding that is new.
    offset = sum(distance for distance, _, _ in fold.offsets) + 1_000_000
    new = msgspec.structs.replace(fold, offsets=((offset, fold.last_at_ms // 60_000, 1),), count=1)
    again = [(FINDINGS.name, key_of, value) for key_of, value, _ in read_topic(system.bootstrap, FINDINGS.name)]
    system.produce([*again, (FINDINGS.name, fold.episode_key.encode(), msgspec.json.encode(new))])
    counted = distinct_findings(system.read(FINDINGS.name))

    def told() -> dict[str, Any]:
        return _newest(system.read(ALERTS.name))[key]

    def wanted() -> int:
        return counted[fold.episode_key].total()

    assert wait_until(lambda: told()["findings"] == wanted(), seconds=180), f"{told()}, {wanted()}\n{system.logs()}"
    assert told()["episode_id"] == rolled_back.episodes[key]["episode_id"]
    assert told()["revision"] > rolled_back.episodes[key]["revision"]


def _sources(system: System) -> list[str]:
    return [str(source["topic"]) for source in system.sources]


def _python(rolled_back: RolledBack, code: str, *arguments: str) -> str:
    """Run code by the libraries of today and the packages of the release."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        check=True,
        cwd=rolled_back.system.program,
        text=True,
        timeout=60,
    )
    return done.stdout
