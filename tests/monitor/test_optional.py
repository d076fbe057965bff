"""What the configuration may name beyond the shipped knowledge, from its file to the verdict."""

import json
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

import msgspec
import pytest

from monitor.capture import Capture
from monitor.context import Loaded, load, load_shipped
from monitor.files import ConfigProblems, read_config
from monitor.observed import Observed, from_captures, take
from monitor.pipeline import process
from monitor.shop import Shop
from tests.monitor.test_geo import database
from topics.adapters import make
from topics.finding import Verdict
from topics.observation import AdapterOptions
from topics.record import RawRecord

REGISTER = Path(__file__).parents[2] / "examples" / "register.yaml"


def written(folder: Path, **more: object) -> Path:
    config = {
        "kafka": {"bootstrap_servers": "localhost:9"},
        "shop": {"domains": ["shop.example"]},
        "sources": [{"topic": "t", "adapter": "nginx"}],
        "subjects": {"secret": {"file": "key"}},
        "consent": None,
        **more,
    }
    (folder / "key").write_text("0123456789abcdef0123456789abcdef")
    file = folder / "monitor.yaml"
    file.write_text(json.dumps(config))
    return file


def loaded(folder: Path, **more: object) -> Loaded:
    file = written(folder, **more)
    return load(read_config(file), str(file))


def record(headers: Mapping[str, str]) -> RawRecord:
    log = {
        "time_iso8601": "2026-11-02T12:00:00+00:00",
        "request_method": "GET",
        "request_uri": "/tr?id=1&em=ada%40example.org",
        "host": "www.facebook.com",
        "status": 200,
        **headers,
    }
    return RawRecord("t", 0, 0, 1_793_620_800_000, None, json.dumps(log).encode())


def verdicts(knowledge: Loaded, headers: Mapping[str, str]) -> set[tuple[str, Verdict, str]]:
    context = knowledge.context({"t": make("nginx", AdapterOptions())}, "c")
    outcome = process([record(headers)], context, {})
    return {(each.rule, each.verdict, dict(each.proof).get("reason", "")) for each in outcome.findings}


def test_a_guess_from_the_address_gives_a_gap_where_the_gateway_gives_a_violation(tmp_path: Path) -> None:
    database(tmp_path, {"192.0.2.0/24": {"country_code": "DE"}})
    # A register that names nobody: without one a missing mechanism is itself only a gap.
    (tmp_path / "register.yaml").write_text("recipients: []\n")
    knowledge = loaded(tmp_path, places={"database": "places.mmdb"}, register="register.yaml")
    told = verdicts(knowledge, {"remote_addr": "192.0.2.1", "geoip2_data_country_code": "DE"})
    assert "transfers.mechanism-missing" in {rule for rule, _, _ in told}
    guessed = verdicts(knowledge, {"remote_addr": "192.0.2.1"})
    assert {verdict for rule, verdict, _ in guessed if not rule.startswith("recipients.")} == {Verdict.GAP}
    assert "origin-weak" in {reason for _, _, reason in guessed}
    nowhere = verdicts(loaded(tmp_path), {"remote_addr": "192.0.2.1"})
    assert "no-origin" in {reason for _, _, reason in nowhere}


def test_another_database_is_another_bundle(tmp_path: Path) -> None:
    database(tmp_path, {"192.0.2.0/24": {"country_code": "DE"}})
    assert loaded(tmp_path).bundle != loaded(tmp_path, places={"database": "places.mmdb"}).bundle


def test_what_is_named_and_cannot_be_read_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "places.mmdb").write_bytes(b"no database" * 100)
    file = written(tmp_path, places={"database": "places.mmdb"}, recipients={"third_party_web": True})
    with pytest.raises(ConfigProblems) as caught:
        load(read_config(file), str(file))
    told = "\n".join(map(str, caught.value.problems))
    assert f"{file}:1" in told
    assert "MaxMind" in told
    assert "privacy-monitor data update" in told


def test_the_second_list_is_used_where_the_data_folder_holds_it_and_never_when_switched_off(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "third-party-web"
    folder.mkdir(parents=True)
    entities = [{"name": "Acme", "category": "ad", "domains": ["*.acme-ads.example"]}]
    (folder / "entities.json").write_text(json.dumps(entities))
    known = loaded(tmp_path).know.recipients.lookup_host("x.acme-ads.example")
    assert known is not None
    assert known.purpose == "advertising.targeted"
    off = loaded(tmp_path, recipients={"third_party_web": False})
    assert off.know.recipients.lookup_host("x.acme-ads.example") is None


def test_findings_of_the_live_loop_and_captures_name_the_same_missing_recipients(tmp_path: Path) -> None:
    asked = [
        piece.value
        for piece in islice(Shop(7, 1_793_606_400_000).stream(), 4000)
        if piece.plant is not None and piece.plant.kind.startswith("helpdesk")
    ]
    file = tmp_path / "gateway.jsonl"
    file.write_bytes(b"\n".join(asked))
    knowledge = load_shipped(domains=["shop.example"], register_file=REGISTER)
    capture = Capture(str(file), None)
    (seen,) = from_captures([capture], knowledge, "request.body")
    context = knowledge.context({"t": make("kong", AdapterOptions(body="request.body"))}, "c")
    outcome = process(list(capture.records("t")), context, {})
    found: dict[str, Observed] = {}
    for each in outcome.folds:
        take(found, RawRecord("privacy.shadow.v1", 0, 0, 0, None, msgspec.json.encode(each)))
    take(found, RawRecord("privacy.shadow.v1", 0, 1, 0, None, b"no fold"))
    take(found, RawRecord("privacy.shadow.v1", 0, 2, 0, None, None))
    (told,) = found.values()
    assert (told.recipient, told.hosts, told.count, told.purposes) == (
        seen.recipient,
        seen.hosts,
        seen.count,
        seen.purposes,
    )
    assert (told.first_at_ms, told.last_at_ms, told.categories) == (seen.first_at_ms, seen.last_at_ms, seen.categories)


def test_a_violation_under_a_law_names_what_it_entails_and_a_gap_does_not(tmp_path: Path) -> None:
    headers = {"http_sec_gpc": "1", "geoip2_data_country_code": "US", "geoip2_data_region_code": "CA"}
    context = loaded(tmp_path).context({"t": make("nginx", AdapterOptions())}, "c")
    outcome = process([record(headers)], context, {})
    by_verdict = {(each.verdict, each.basis.value): each.exposure for each in outcome.findings}
    assert "us-ca-penalty" in by_verdict[Verdict.VIOLATION, "law"]
    assert all(not ids for (verdict, basis), ids in by_verdict.items() if verdict is Verdict.GAP or basis == "policy")
    assert {each.exposure for each in outcome.folds} == set(by_verdict.values())
