"""Each mistake that somebody can make in a copy of the pack is told with its file and line."""

from typing import NamedTuple

import pytest

from detectors.law.pack import read_pack
from tests.detectors.law.shipped import files, small

CA = "jurisdictions/us-ca.yaml"
US = "jurisdictions/us.yaml"
EU = "jurisdictions/eu.yaml"
DE = "jurisdictions/de.yaml"
GDPR = "transfers/eu-gdpr.yaml"
DOJ = "transfers/us-doj.yaml"
SOURCES = "sources.yaml"
SALE = "id: us-ca-opt-out-of-sale\n    kind: opt-out-right\n    of: sale\n    purposes: [advertising, social]\n    since: 2020-01-01"


class Planted(NamedTuple):
    """An edit of the first place where `old` stands, and what must be said about the line with `at` in it."""

    name: str
    file: str
    old: str
    new: str
    at: str
    says: str


PLANTED = [
    Planted("not-yaml", CA, "duties:", "duties: [", "", "not YAML"),
    Planted("the-same-key-twice", CA, "name: California", "name: California\nname: Kalifornien", "Kalifornien", "twice"),
    Planted("no-mapping", DE, "id: DE\nname: Germany\nregime: opt-in\nparent: EU\n", "- DE\n", "- DE", "mapping"),
    Planted("unknown-key", CA, "regime: opt-out", "regime: opt-out\nregion: west", "region", "unknown key"),
    Planted("misspelt-key-of-a-duty", CA, "    since: 2020", "    sinse: 2020", "sinse", "unknown key"),
    Planted("missing-first-day", CA, "    since: 2020-01-01\n", "", "us-ca-opt-out-of-sale", "required"),
    Planted("missing-name", DE, "name: Germany\n", "", "id: DE", "required"),
    Planted("unknown-country", DE, "id: DE", "id: DX", "id: DX", "ISO 3166"),
    Planted("country-in-small-letters", DE, "id: DE", "id: de", "id: de", "ISO 3166"),
    Planted("unknown-regime", DE, "regime: opt-in", "regime: opt-over", "regime", "'opt-in', 'opt-out' or 'none'"),
    Planted("regime-without-its-duty", US, "regime: none", "regime: opt-out", "regime: opt-out", "amount to none"),
    Planted("duty-without-its-regime", CA, "regime: opt-out", "regime: none", "regime: none", "amount to opt-out"),
    Planted("unknown-parent", DE, "parent: EU", "parent: AQ", "parent", "no file for the parent AQ"),
    Planted("its-own-parent", DE, "parent: EU", "parent: DE", "parent", "above itself"),
    Planted("another-files-name", DE, "id: DE", "id: AT", "id: AT", "at.yaml"),
    Planted("unknown-kind", CA, "kind: opt-out-right", "kind: opt-out-wish", "us-ca-opt-out-of-sale", "opt-out-wish"),
    Planted("missing-kind", CA, "    kind: opt-out-right\n", "", "us-ca-opt-out-of-sale", "kind"),
    Planted("day-that-is-none", CA, "since: 2020-01-01", "since: 2020-02-30", "2020-02-30", "does not exist"),
    Planted("day-as-number", CA, "since: 2020-01-01", "since: 2020", "since: 2020\n", "a day such as"),
    Planted("day-with-time", CA, "since: 2020-01-01", "since: 2020-01-01T12:00:00", "T12", "a day such as"),
    Planted("day-in-words", CA, "since: 2020-01-01", "since: new year", "new year", "a day such as"),
    Planted("end-before-start", CA, SALE, SALE + "\n    until: 2019-01-01", "id: us-ca-opt-out-of-sale", "later than since"),
    Planted("end-on-the-first-day", CA, SALE, SALE + "\n    until: 2020-01-01", "id: us-ca-opt-out-of-sale", "later than"),
    Planted("observed-after-the-check", CA, SALE, SALE.replace("2020", "2029") + "\n    since_is: observed", "id: us-ca-opt-out-of-sale", "observed after"),
    Planted("verified-without-source", EU, "    source: [ISW-9, ISW-99]\n", "", "id: eu-sensitive-data", "names its source"),
    Planted("unknown-source", EU, "[ISW-9, ISW-99]", "[ISW-0]", "[ISW-0]", "no such key in sources.yaml: ISW-0"),
    Planted("unknown-confidence", EU, "confidence: verified", "confidence: sure", "confidence: sure", "'verified' or 'recalled'"),
    Planted("missing-check", EU, "    checked_on: 2026-11-23\n", "", "id: eu-consent", "required"),
    Planted("unknown-purpose", EU, "[advertising, analytics, social]", "[adverts]", "[adverts]", "unknown purpose"),
    Planted("half-a-purpose", EU, "[advertising, analytics, social]", "[adv]", "[adv]", "unknown purpose"),
    Planted("no-purpose", EU, "[advertising, analytics, social]", "[]", "purposes: []", "at least one"),
    Planted("unknown-right", CA, "of: sale", "of: selling", "of: selling", "'sale'"),
    Planted("unknown-sensitive-regime", CA, "regime: right_to_limit", "regime: consent_required", "consent_required", "right_to_limit"),
    Planted("unknown-standard", EU, "standard: necessary", "standard: strict", "standard: strict", "'necessary'"),
    Planted("unknown-signal", CA, "signals: [gpc]", "signals: [dnt]", "[dnt]", "'gpc'"),
    Planted("no-days", CA, "days: 45", "days: 0", "days: 0", "greater than or equal to 1"),
    Planted("days-in-words", CA, "days: 45", "days: soon", "days: soon", "whole number"),
    Planted("hours-and-days", EU, "hours: 72", "hours: 72\n    days: 3", "id: eu-breach-regulator", "not both"),
    Planted("no-amount", CA, "amount: 2663", "amount: -1", "amount: -1", "greater than or equal to 1"),
    Planted("unknown-currency", CA, "currency: USD", "currency: dollars", "currency: dollars", "pattern"),
    Planted("age-of-an-adult", CA, "below: 16", "below: 61", "below: 61", "less than or equal to 21"),
    Planted("unknown-treatment", CA, "treatment: own-consent", "treatment: ask", "treatment: ask", "'banned'"),
    Planted("id-of-another-file", CA, "id: us-ca-opt-out-of-sale", "id: us-co-opt-out-of-sale", "us-co-opt-out-of-sale", "begin with us-ca-"),
    Planted("id-in-capitals", CA, "id: us-ca-opt-out-of-sale", "id: US-CA-SALE", "id: US-CA-SALE", "pattern"),
    Planted("id-twice", CA, "id: us-ca-limit-sensitive-use", "id: us-ca-opt-out-of-sale", "", "already stands in"),
    Planted("two-at-a-time", CA, "of: targeted-advertising", "of: sale", "since: 2023-01-01", "overlaps with us-ca-opt-out-of-sale"),
    Planted("restriction-without-file", EU, "regime: eu-gdpr", "regime: eu-gdpr-2", "regime: eu-gdpr-2", "no file transfers/eu-gdpr-2.yaml"),
    Planted("exporter-outside", GDPR, "area: [AT, ", "area: [", "id: eu-gdpr", "inside the area"),
    Planted("unknown-exporter", GDPR, "exporters: [AT, ", "exporters: [XX, ", "exporters", "ISO 3166"),
    Planted("exporter-of-two-laws", DOJ, "exporters: [US]\narea: [US]", "exporters: [US, DE]\narea: [US, DE]", "exporters", "already stands in"),
    Planted("adequate-twice", GDPR, "places: [CA]", "places: [CA, JP]", "places: [JP]", "JP is also in entry 1"),
    Planted("adequate-twice-in-a-row", GDPR, "places: [CA]", "places: [CA, CA]", "places: [CA, CA]", "twice"),
    Planted("unknown-scope", GDPR, "scope: full", "scope: partly", "scope: partly", "'full'"),
    Planted("unknown-mechanism", GDPR, "kind: scc", "kind: handshake", "handshake", "'scc'"),
    Planted("no-ground-as-mechanism", GDPR, "kind: scc", "kind: none", "kind: none", "carries a stream"),
    Planted("recalled-law-that-raises", GDPR, "confidence: verified", "confidence: recalled", "id: eu-gdpr", "may not raise"),
    Planted("unknown-consequence", GDPR, "without_ground: missing", "without_ground: fine", "without_ground", "'missing'"),
    Planted("concern-that-is-not-permitted", DOJ, "without_ground: permitted", "without_ground: missing", "id: us-doj", "permits all other"),
    Planted("category-outside-the-taxonomy", DOJ, "[user.location.precise]", "[location]", "[location]", "pattern"),
    Planted("threshold-below-none", DOJ, "threshold: 100\n", "threshold: -1\n", "threshold: -1", "greater than or equal to 0"),
    Planted("verified-group-without-source", DOJ, "      source: [SL-202205, PI-DOJ]\n", "", "id: human-genomic", "names its source"),
    Planted("unknown-source-of-a-group", DOJ, "source: [SL-202205, PI-DOJ]", "source: [PI]", "source: [PI]", "no such key"),
    Planted("unknown-kind-of-source", SOURCES, "kind: official", "kind: hearsay", "kind: hearsay", "'official'"),
    Planted("url-that-is-none", SOURCES, "url: https://", "url: see ", "url: see ", "pattern"),
]  # fmt: skip


@pytest.mark.parametrize("planted", PLANTED, ids=[each.name for each in PLANTED])
def test_a_planted_mistake_is_told_with_its_file_and_line(planted: Planted) -> None:
    copy = small()
    assert planted.old in copy[planted.file]
    copy[planted.file] = copy[planted.file].replace(planted.old, planted.new, 1)
    pack, problems = read_pack(copy)
    assert pack is None
    told = [each for each in problems if planted.says in each.message and each.file == planted.file]
    assert told, [str(each) for each in problems]
    lines = copy[planted.file].splitlines(keepends=True)
    assert any(planted.at in lines[each.line - 1] for each in told), [str(each) for each in problems]
    assert all(each.line >= 1 for each in problems)


CLOUD = "cloud_regions.yaml"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("country: ZA", "country: ZZ", "ISO 3166"),
        ("code: af-south-1,", "code: ap-east-1,", "stands here twice"),
        ("suffix: amazonaws.com\n", "suffix: com\n", "pattern"),
        ("suffix: on.aws", "suffix: run.app", "stands here twice"),
        ("subdivision: US-VA", "subdivision: CA-ON", "another country"),
        ("'s3-{}'", "'s3-'", "pattern"),
    ],
)
def test_a_mistake_in_the_regions_is_told(old: str, new: str, says: str) -> None:
    text = files()[CLOUD]
    assert old in text
    pack, problems = read_pack({**small(), CLOUD: text.replace(old, new, 1)})
    assert pack is None
    assert all(each.file == CLOUD and each.line >= 1 for each in problems)
    assert any(says in each.message for each in problems), [str(each) for each in problems]


def test_all_mistakes_of_all_files_are_told_at_once() -> None:
    copy = small()
    copy[CA] = copy[CA].replace("of: sale", "of: selling").replace("days: 45", "days: 0", 1)
    copy[GDPR] = copy[GDPR].replace("kind: scc", "kind: handshake")
    copy[DE] = copy[DE].replace("regime: opt-in", "regime: [")
    _, problems = read_pack(copy)
    assert {each.file for each in problems} == {CA, GDPR, DE}
    assert len(problems) == 4
    assert problems == sorted(problems)


def test_a_file_that_belongs_to_no_pack_is_a_mistake() -> None:
    _, problems = read_pack({**small(), "jurisdictions/notes.txt": "id: DE", "other.yaml": "id: DE"})
    assert [each.file for each in problems] == ["jurisdictions/notes.txt", "other.yaml"]


def test_a_pack_without_sources_is_a_mistake() -> None:
    copy = small()
    del copy[SOURCES]
    _, problems = read_pack(copy)
    assert problems
    assert all("has a file sources.yaml" in each.message for each in problems)


def test_parents_in_a_circle_are_a_mistake() -> None:
    copy = small()
    copy[EU] = copy[EU].replace("regime: opt-in", "regime: opt-in\nparent: DE", 1)
    _, problems = read_pack(copy)
    assert {each.file for each in problems if "above itself" in each.message} == {EU, DE}


def test_a_mistake_never_shows_a_traceback_for_hostile_text() -> None:
    for text in (
        "",
        "\x00",
        "&a [*a]",
        "id: &a [*a]\nname: *a",
        "a: " * 200,
        "[" * 200,
        "? {a: b}",
        "!!python/object:x y",
    ):
        pack, problems = read_pack({**small(), DE: text})
        assert pack is None
        assert problems
