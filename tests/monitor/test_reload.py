"""Rules that change while the worker runs: taken as a whole, or not at all."""

from collections import Counter
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from detectors.rules.names import Assessor
from monitor.config import Config
from monitor.context import Loaded, load
from monitor.files import read_config
from monitor.reload import Reloader
from monitor.rules_new import template

RULE = template("acme.first", Assessor.TRACKING).replace("runbook: acme.first", "runbook: tracking.consent-missing")
EXEMPTION = """\
id: known
rule: acme.first
match: {flow.recipient: meta}
owner: growth@shop.example
reason: Gone with the next release.
expires: 2026-11-30
"""


class Watched:
    """A configuration with a folder of rules, and what became of its changes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("rules/acme", "exemptions"):
            (folder / name).mkdir(parents=True)
        (folder / "subject.key").write_text("a key of the tests, longer than sixteen bytes")
        (folder / "monitor.yaml").write_text(
            "kafka: {bootstrap_servers: 'localhost:1'}\nshop: {domains: [shop.example]}\n"
            "sources: [{topic: shop.events, adapter: segment}]\nsubjects: {secret: {file: subject.key}}\n"
            "rules: [rules]\nexemptions: [exemptions]\n"
            "recipients: {lists: [{path: trackers.txt, format: hosts, purpose: analytics}]}\n"
        )
        (folder / "trackers.txt").write_text("first.example\n")
        self.config: Config = read_config(folder / "monitor.yaml")
        self.first: Loaded = load(self.config)
        self.swapped: list[Loaded] = []
        self.counts: Counter[str] = Counter()
        self.reloader = Reloader(
            self.config, "monitor.yaml", self.first, self.swapped.append, lambda outcome: self.counts.update([outcome])
        )

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)
        self.reloader.turn()

    def rules(self) -> list[str]:
        return [each.written.id for each in self.swapped[-1].rules.rules if each.written.id.startswith("acme.")]


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


def test_a_new_rule_judges_and_a_removed_one_does_not(watched: Watched) -> None:
    watched.write("rules/acme/acme.first.yaml", RULE)
    assert watched.rules() == ["acme.first"]
    (watched.folder / "rules/acme/acme.first.yaml").unlink()
    watched.reloader.turn()
    assert watched.rules() == []
    assert watched.swapped[-1].bundle == watched.first.bundle
    assert watched.counts == {"loaded": 2}


def test_a_broken_file_leaves_the_last_good_set_and_says_so(watched: Watched) -> None:
    watched.write("rules/acme/acme.first.yaml", RULE)
    with capture_logs() as said:
        watched.write("rules/acme/acme.first.yaml", RULE.replace("flow.recipient ==", "flow.recipent =="))
    assert watched.counts == {"loaded": 1, "broken": 1}
    assert len(watched.swapped) == 1
    assert [each["log_level"] for each in said] == ["error"]
    assert "did you mean flow.recipient?" in said[0]["problems"][0]
    # It is said once, not every second.
    watched.reloader.turn()
    assert watched.counts["broken"] == 1
    watched.write("rules/acme/acme.first.yaml", RULE.replace("0.1.0", "0.2.0"))
    assert watched.counts == {"loaded": 2, "broken": 1}


def test_a_failing_test_inside_a_rule_keeps_it_out(watched: Watched) -> None:
    watched.write("rules/acme/acme.first.yaml", RULE.replace("expect: none", "expect: finding", 1))
    assert (watched.counts, watched.swapped) == ({"broken": 1}, [])


def test_an_exception_is_loaded_with_its_rule(watched: Watched) -> None:
    watched.write("rules/acme/acme.first.yaml", RULE)
    watched.write("exemptions/known.yaml", EXEMPTION)
    assert [each.written.id for each in watched.swapped[-1].exemptions.by_rule["acme.first"]] == ["known"]
    assert len({each.bundle for each in [watched.first, *watched.swapped]}) == 3
    # The rule that it is about is gone: the whole is broken, and the exception stays.
    (watched.folder / "rules/acme/acme.first.yaml").unlink()
    watched.reloader.turn()
    assert watched.counts == {"loaded": 2, "broken": 1}


def test_a_touched_file_is_not_loaded_and_a_signal_loads_without_a_change(watched: Watched) -> None:
    watched.write("rules/acme/acme.first.yaml", RULE)
    (watched.folder / "rules/acme/acme.first.yaml").touch()
    watched.reloader.turn()
    assert watched.counts == {"loaded": 1}
    watched.reloader.turn(asked=True)
    assert watched.counts == {"loaded": 1, "unchanged": 1}


def test_a_changed_list_of_trackers_judges(watched: Watched) -> None:
    watched.write("trackers.txt", "first.example\nsecond.example\n")
    assert watched.counts == {"loaded": 1}
    assert watched.swapped[-1].bundle != watched.first.bundle


def test_a_list_that_is_gone_leaves_what_was_read_in_place(watched: Watched) -> None:
    (watched.folder / "trackers.txt").unlink()
    watched.reloader.turn()
    assert (watched.counts, watched.swapped) == ({"broken": 1}, [])


def test_another_key_of_the_subjects_is_refused(watched: Watched) -> None:
    (watched.folder / "subject.key").write_text("quite another key, longer than sixteen bytes")
    watched.reloader.turn(asked=True)
    assert (watched.counts, watched.swapped) == ({"broken": 1}, [])
