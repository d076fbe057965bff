"""A request whose host tells no region is placed by the clouds' own lists, and the register is believed unless the traffic shows otherwise."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from monitor.context import load_all
from monitor.files import ConfigProblems
from monitor.pipeline import process
from tests.detectors.classify.test_ranges import AMAZON
from tests.monitor.test_event_date import NoChoices
from topics.adapters import make
from topics.finding import Finding
from topics.observation import AdapterOptions
from topics.record import RawRecord

CONFIG = """\
kafka: {bootstrap_servers: localhost:9092}
shop: {domains: [shop.example]}
sources: [{topic: har, adapter: har}]
subjects: {secret: {file: subject.key}}
register: register.yaml
places: {ranges: [ip-ranges.json]}
"""
REGISTER = """\
recipients:
  - id: helpdesk
    hosts: ["helpdesk.example"]
    entity: Helpdesk Ltd.
    role: processor
    countries: [IE]
    purposes: [support]
"""


def written(folder: Path, ranges: str) -> Path:
    for name, text in (
        ("monitor.yaml", CONFIG),
        ("register.yaml", REGISTER),
        ("ip-ranges.json", ranges),
        ("subject.key", "a key of the tests, longer than sixteen bytes"),
    ):
        (folder / name).write_text(text, encoding="utf-8")
    return folder / "monitor.yaml"


def entry(host: str, address: str) -> bytes:
    body = {"email": "ada@shop.example", "shipping_address": {"country": "DE", "city": "Berlin"}}
    request: dict[str, Any] = {
        "method": "POST",
        "url": f"https://{host}/v1/tickets",
        "headers": [{"name": "content-type", "value": "application/json"}],
        "postData": {"mimeType": "application/json", "text": json.dumps(body)},
    }
    made = {"startedDateTime": "2026-11-20T10:00:00.000Z", "request": request, "response": {"status": 200}}
    return json.dumps({**made, "serverIPAddress": address}).encode()


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> Any:
    settings, loaded, _ = load_all(written(tmp_path_factory.mktemp("ranges"), json.dumps(AMAZON)))
    assert settings.places.ranges[0].is_absolute()
    context = msgspec.structs.replace(loaded.context({"har": make("har", AdapterOptions())}, "c1"), ledger=NoChoices())

    def judged(host: str, address: str) -> list[Finding]:
        found = process([RawRecord("har", 0, 0, 1_795_000_000_000, None, entry(host, address))], context, {}).findings
        return [each for each in found if each.rule.startswith("transfers.")]

    return judged


def test_an_unlisted_host_is_placed_by_its_address(findings: Any) -> None:
    (found,) = findings("tickets.unlisted.example", "198.51.100.1")
    assert (found.rule, dict(found.proof)["destination"]) == ("transfers.mechanism-missing", "US-VA")
    assert findings("tickets.unlisted.example", "198.51.100.129") == []
    (unknown,) = findings("tickets.unlisted.example", "198.51.100.200")
    assert unknown.rule == "transfers.destination-unknown"


def test_a_processor_that_moved_its_servers_is_found_by_its_address(findings: Any) -> None:
    assert findings("helpdesk.example", "198.51.100.129") == [], (
        "Germany lies within the area, whatever the register names"
    )
    assert findings("helpdesk.example", "198.51.100.200") == []
    (found,) = findings("helpdesk.example", "198.51.100.1")
    proof = dict(found.proof)
    assert (found.rule, proof["destination"], proof["reason"]) == (
        "transfers.mechanism-missing",
        "US-VA",
        "destination-not-registered",
    )


def test_a_list_that_cannot_be_used_is_a_mistake_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigProblems) as raised:
        load_all(written(tmp_path, "[]"))
    (problem,) = raised.value.problems
    assert (problem.line, problem.path) == (6, "places.ranges.0")
    assert "ip-ranges.json (Amazon)" in problem.message
