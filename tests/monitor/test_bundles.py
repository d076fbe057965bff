"""Bundles: whole or refused, over the files, and the last good one goes on."""

from pathlib import Path

import msgspec
import pytest

from detectors.law.pack import LawPack
from detectors.rules.names import Assessor
from monitor.bundles import BrokenBundle, gathered
from monitor.files import ConfigProblems
from monitor.rules_knowledge import law_pack
from monitor.rules_new import template
from tests.monitor.test_reload import Watched
from topics.bundle import Bundle

RULE = template("acme.first", Assessor.TRACKING).replace("runbook: acme.first", "runbook: tracking.consent-missing")
RUNS = {"acme/acme.first.yaml": RULE}
EXCEPTION = """\
id: known-vendor
rule: acme.first
match: {flow.recipient: an-id-of-a-recipient}
owner: privacy@shop.example
reason: A vendor that everybody knows.
expires: 2099-12-31
"""


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


@pytest.fixture(scope="module")
def law() -> LawPack:
    return law_pack(None)


def test_a_bundle_judges_over_the_files_and_a_broken_one_leaves_it(watched: Watched) -> None:
    watched.reloader.follow(Bundle.of("live", RUNS, {"known-vendor.yaml": EXCEPTION}))
    assert watched.rules() == ["acme.first"]
    assert len(watched.swapped[-1].exemptions.by_rule["acme.first"]) == 1
    wrong = {"acme/acme.first.yaml": RULE.replace("flow.recipient ==", "flow.recipent ==")}
    watched.reloader.follow(Bundle.of("live", wrong, {}))
    watched.reloader.follow(BrokenBundle(7, "the record is no bundle"))
    assert dict(watched.counts) == {"loaded": 1, "broken": 2}
    assert len(watched.swapped) == 1
    # A change of the files is loaded beneath the last good bundle.
    watched.write("rules/acme/acme.second.yaml", RULE.replace("acme.first", "acme.second"))
    assert watched.rules() == ["acme.first", "acme.second"]


def test_a_bundle_replaces_what_it_names_and_an_empty_one_takes_everything_back(watched: Watched) -> None:
    watched.write("rules/acme/acme.first.yaml", RULE)
    watched.reloader.follow(Bundle.of("live", {"acme/acme.first.yaml": RULE.replace("0.1.0", "0.2.0")}, {}))
    versions = [each.written.version for each in watched.swapped[-1].rules.rules if each.written.id == "acme.first"]
    assert versions == ["0.2.0"]
    watched.reloader.follow(Bundle.of("live", {}, {}))
    versions = [each.written.version for each in watched.swapped[-1].rules.rules if each.written.id == "acme.first"]
    assert versions == ["0.1.0"]


def test_what_is_gathered_is_what_the_folders_hold_and_a_mistake_is_never_published(
    watched: Watched, law: LawPack
) -> None:
    rules = watched.folder / "rules" / "acme"
    (rules / "acme.first.yaml").write_text(RULE)
    (rules / "acme.first.md").write_text("# acme.first\n")
    (watched.folder / "exemptions" / "known-vendor.yaml").write_text(EXCEPTION)
    bundle = gathered(watched.config, "monitor.yaml", law, "live", [])
    assert bundle.rules == {"acme/acme.first.yaml": RULE, "acme/acme.first.md": ""}
    assert bundle.exemptions == {"exemptions/known-vendor.yaml": EXCEPTION}
    assert bundle.is_whole
    watched.reloader.follow(bundle)
    assert watched.counts["broken"] == 0
    (rules / "acme.first.yaml").write_text(RULE.replace("flow.recipient ==", "flow.recipent =="))
    with pytest.raises(ConfigProblems, match=r"did you mean flow\.recipient"):
        gathered(watched.config, "monitor.yaml", law, "live", [])


def test_a_bundle_whose_files_were_changed_on_the_way_is_not_whole() -> None:
    bundle = Bundle.of("live", RUNS, {})
    assert msgspec.json.decode(msgspec.json.encode(bundle), type=Bundle).is_whole
    assert not msgspec.structs.replace(bundle, rules={}).is_whole
    assert not msgspec.structs.replace(bundle, exemptions=bundle.rules, rules={}).is_whole
