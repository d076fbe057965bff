"""The commands `law` and `register` as people type them."""

import json
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from detectors.register import read_register
from detectors.register_views import Draft, draft
from monitor.cli import app
from monitor.files import ConfigProblems
from monitor.shop import Shop
from tests.detectors.classify.shipped import recipients

REGISTER = str(Path(__file__).parents[2] / "examples" / "register.yaml")
LAW = Path(__file__).parents[2] / "detectors" / "law" / "jurisdictions"


def run(*words: str, code: int = 0) -> Result:
    done = CliRunner().invoke(app, list(words))
    assert done.exit_code == code, (done.output, done.exception)
    return done


def lines(*words: str, code: int = 0) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run(*words, "--json", code=code).stdout.splitlines()]


@pytest.fixture(scope="module")
def tickets(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("capture") / "gateway.jsonl"
    pieces = islice(Shop(7, 1_793_606_400_000).stream(), 4000)
    asked = [piece.value for piece in pieces if piece.plant is not None and piece.plant.kind.startswith("helpdesk")]
    file.write_bytes(b"\n".join(asked) + b"\n")
    return str(file)


def test_law_list_has_every_state_once() -> None:
    rows = lines("law", "list", "--on", "2026-11-23")
    names = [row["jurisdiction"] for row in rows]
    assert len(names) == len(set(names))
    assert {"US-CA", "DE", "CA-QC"} <= set(names)
    assert "US-CA" in run("law", "list").stdout


def test_law_show_gives_duties_of_the_day_and_what_a_violation_entails() -> None:
    rows = lines("law", "show", "us-ca", "--on", "2026-11-23")
    states = {row["id"]: row["state"] for row in rows if row["type"] == "duty"}
    assert states["us-ca-opt-out-of-profiling"] == "coming"
    assert states["us-ca-universal-opt-out-signal"] == "in-force"
    exposure = rows[-1]
    assert exposure["type"] == "exposure"
    assert {(each["low"], each["high"]) for each in exposure["amounts"]} == {(0, 2663), (0, 7988)}
    shown = run("law", "show", "US-CA", "--on", "2026-11-23").stdout
    assert "0 to 2,663 USD" in shown
    assert "11 CCR § 7025" in shown


@pytest.mark.parametrize(
    "words",
    [
        ("law", "show", "QQ"),
        ("law", "show", "AQ"),
        ("law", "show", "US-CA", "--on", "yesterday"),
        ("law", "diff", "2027-01-01", "2026-01-01"),
        ("register", "check"),
        ("register", "missing"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(words: tuple[str, ...]) -> None:
    done = run(*words, code=2)
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("privacy-monitor: ")


def test_law_diff_of_two_days_tells_what_begins_and_ends_between() -> None:
    changes = {(row["duty"], row["change"], row["on"]) for row in lines("law", "diff", "2026-12-31", "2027-01-01")}
    assert ("us-ca-penalty", "ends", "2027-01-01") in changes
    assert ("us-ca-opt-out-of-profiling", "begins", "2027-01-01") in changes
    assert lines("law", "diff", "2027-01-01", "2027-01-01") == []


def _page(gpc: str) -> dict[str, Any]:
    headers = [{"name": "Sec-GPC", "value": gpc}, {"name": "Referer", "value": "https://www.shop.example/"}]
    request = {
        "method": "GET",
        "url": "https://www.facebook.com/tr?id=1&ev=Purchase&em=ada%40example.org",
        "headers": headers,
    }
    entry = {"startedDateTime": "2026-11-01T12:00:00Z", "request": request, "response": {"status": 200}}
    return {"log": {"version": "1.2", "pages": [], "entries": [entry]}}


@pytest.fixture
def capture(tmp_path: Path) -> str:
    file = tmp_path / "page.har"
    file.write_text(json.dumps(_page("1")))
    return str(file)


def test_law_diff_with_a_capture_tells_which_findings_change(capture: str) -> None:
    # The duty to honour the signal in Maryland began on 2025-10-01.
    rows = lines("law", "diff", "2025-09-30", "2025-10-01", "--capture", capture, "--from", "US-MD")
    changed = {(row["change"], row["rule"]) for row in rows if row["type"] == "finding"}
    assert ("begins", "tracking.gpc-ignored") in changed
    assert ("ends", "tracking.gpc-ignored-by-policy") in changed
    after = lines("law", "diff", "2025-10-02", "2025-10-03", "--capture", capture, "--from", "US-MD")
    assert [row for row in after if row["type"] == "finding"] == []
    assert (
        "tracking.gpc-ignored"
        in run("law", "diff", "2025-09-30", "2025-10-01", "--capture", capture, "--from", "US-MD").stdout
    )


def test_law_diff_of_two_folders_judges_the_capture_under_both(tmp_path: Path, capture: str) -> None:
    old, new = tmp_path / "old" / "jurisdictions", tmp_path / "new" / "jurisdictions"
    for folder in (old, new):
        folder.mkdir(parents=True)
    text = (LAW / "us-ca.yaml").read_text(encoding="utf-8")
    (old / "us-ca.yaml").write_text(text, encoding="utf-8")
    edited = text.replace(
        "since: 2023-03-29\n    citation: '11 CCR § 7025'", "since: 2027-03-29\n    citation: '11 CCR § 7025'"
    )
    assert edited != text
    (new / "us-ca.yaml").write_text(edited, encoding="utf-8")
    rows = lines("law", "diff", str(old.parent), str(new.parent), "--capture", capture, "--from", "US-CA")
    assert [(row["duty"], row["change"]) for row in rows if row["type"] == "duty"] == [
        ("us-ca-universal-opt-out-signal", "changes")
    ]
    assert ("ends", "tracking.gpc-ignored") in {
        (row["change"], row["rule"]) for row in rows if row["type"] == "finding"
    }


def test_law_review_lists_what_is_recalled_and_fails_on_old_checks_when_asked() -> None:
    assert {"recalled"} <= {row["why"] for row in lines("law", "review", "--on", "2026-11-23")}
    run("law", "review", "--on", "2026-11-23", "--fail")
    run("law", "review", "--on", "2029-11-23", "--fail", code=1)


def test_mistakes_in_a_law_folder_are_told_with_file_and_line(tmp_path: Path) -> None:
    folder = tmp_path / "jurisdictions"
    folder.mkdir()
    (folder / "us-ca.yaml").write_text("id: US-CA\nname: California\nregime: sometimes\n", encoding="utf-8")
    done = CliRunner().invoke(app, ["law", "list", "--law", str(tmp_path)])
    assert isinstance(done.exception, ConfigProblems)
    assert any(f"{folder}/us-ca.yaml:3" in str(problem) for problem in done.exception.problems)


def test_register_check_tells_every_mistake_with_its_line(tmp_path: Path) -> None:
    run("register", "check", "--register", REGISTER)
    file = tmp_path / "register.yaml"
    file.write_text("recipients:\n  - id: A b\n    hosts: [desk]\n    countries: [UK]\n", encoding="utf-8")
    told = run("register", "check", "--register", str(file), code=1).stdout.splitlines()
    assert {line.partition(": ")[0] for line in told} == {f"{file}:2", f"{file}:3", f"{file}:4"}
    assert len(lines("register", "check", "--register", str(file), code=1)) == len(told)


def test_register_expiring_counts_days_and_fails_on_what_has_ended() -> None:
    rows = lines("register", "expiring", "--register", REGISTER, "--on", "2026-05-30")
    assert rows == [
        {"ends_on": "2026-06-01", "days_left": 2, "entry": "freshdesk", "what": "mechanism", "detail": "scc"}
    ]
    assert lines("register", "expiring", "--register", REGISTER, "--on", "2026-06-01", code=1)[0]["days_left"] == 0
    assert lines("register", "expiring", "--register", REGISTER, "--on", "2025-01-01") == []


def test_register_missing_finds_the_helpdesk_that_nobody_entered(tickets: str) -> None:
    words = (
        "register",
        "missing",
        tickets,
        "--register",
        REGISTER,
        "--domain",
        "shop.example",
        "--body",
        "request.body",
    )
    (helpdesk,) = lines(*words, code=1)
    assert helpdesk["recipient"] == "intercom"
    assert helpdesk["purposes"] == {"support": helpdesk["disclosures"]}
    assert "user.contact.email" in helpdesk["categories"]
    assert 0 < helpdesk["first_at_ms"] <= helpdesk["last_at_ms"]
    assert "intercom" in run(*words, code=1).stdout


def test_a_suggested_entry_is_refused_until_a_person_has_filled_it_in(tickets: str, tmp_path: Path) -> None:
    words = (
        "register",
        "suggest",
        tickets,
        "--register",
        REGISTER,
        "--domain",
        "shop.example",
        "--body",
        "request.body",
    )
    text = run(*words).stdout
    register, problems = read_register(text, "draft.yaml")
    assert register is None
    assert [(problem.path, problem.line > 1) for problem in problems] == [("recipients.0.countries", True)]
    register, problems = read_register(text.replace("countries: []", "countries: [US]"), "draft.yaml")
    assert problems == []
    assert register is not None
    assert register.by_host("api.intercom.io") is not None
    file = tmp_path / "draft.yaml"
    file.write_text(text, encoding="utf-8")
    run("register", "check", "--register", str(file), code=1)


def test_hostile_names_in_traffic_cannot_write_into_a_draft() -> None:
    bad = 'x"]\n  - id: evil\n    role: own'
    text = draft([Draft(bad, [bad, "ok.example"], [bad], {"support": 1}, [bad], 1)], recipients())
    register, problems = read_register(
        text.replace("countries: []", "countries: [US]").replace('entity: ""', "entity: E"), "d"
    )
    assert problems == []
    assert register is not None
    assert [entry.written.hosts for entry in register.entries] == [("ok.example", "*.ok.example")]
