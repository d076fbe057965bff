"""A baseline is learned from traffic, reviewed by people, and held against: what appears beyond it is told, always in the same way."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest
from typer.testing import CliRunner

from monitor import baseline_commands
from monitor.baseline_commands import Learner, kept
from monitor.cli import app
from monitor.context import Loaded, load, load_shipped
from monitor.demo.record import record
from monitor.files import ConfigProblems, read_config
from monitor.pipeline import process
from monitor.replay import CaptureReplay
from monitor.tallies import Start
from topics.adapters import make
from topics.finding import Finding
from topics.observation import AdapterOptions
from topics.record import RawRecord

RULE = "checkout.field-appeared"
PLAIN = {"shipping_address": {"first_name": "Noor", "last_name": "Adam", "street": "Birkenallee 9", "city": "Leipzig"}}
AT_MS = 1_795_000_000_000
OWN_REGISTER = """\
recipients:
  - id: shop
    hosts: ["*.shop.example"]
    entity: Example Shop GmbH
    role: own
    countries: [DE]
    purposes: [functional]
    mechanism: {kind: none}
"""


def logged(body: Any, path: str = "/checkout/shipping") -> bytes:
    return orjson.dumps(
        {
            "client_ip": "203.0.113.9",
            "started_at": AT_MS,
            "request": {
                "method": "POST",
                "uri": path,
                "headers": {"host": "shop.example", "content-type": "application/json"},
                "body": orjson.dumps(body).decode(),
            },
            "response": {"status": 200},
            "tries": [{"ip": "10.20.0.7", "port": 443}],
            "service": {"name": "checkout", "host": "orders.internal.shop.example"},
        }
    )


def with_mail(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "email": "noor.adam@mailbox.example"}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "subject.key").write_text("a key of the tests, longer than sixteen bytes")
    config = {
        "kafka": {"bootstrap_servers": "localhost:9092"},
        "shop": {"domains": ["shop.example"]},
        "sources": [{"topic": "shop.kong", "adapter": "kong", "body": "request.body"}],
        "subjects": {"secret": {"file": "subject.key"}},
    }
    (tmp_path / "monitor.yaml").write_bytes(orjson.dumps(config))
    return tmp_path


def capture(folder: Path, bodies: list[Any]) -> str:
    file = folder / "shop.kong.jsonl"
    file.write_bytes(b"\n".join(logged(each) for each in bodies))
    return str(file)


def learn(folder: Path, *arguments: str) -> str:
    done = CliRunner().invoke(app, ["baseline", "learn", "--config", str(folder / "monitor.yaml"), *arguments])
    assert done.exit_code == 0, done.output
    return done.stderr


def use(folder: Path, baseline: str = "baseline.yaml") -> Loaded:
    config = orjson.loads((folder / "monitor.yaml").read_bytes())
    (folder / "monitor.yaml").write_bytes(orjson.dumps({**config, "baseline": baseline}))
    return load(read_config(folder / "monitor.yaml"), str(folder / "monitor.yaml"))


def judged(loaded: Loaded, values: list[bytes], cut: int = 1_000) -> list[Finding]:
    context = loaded.context({"shop.kong": make("kong", AdapterOptions(body="request.body"))}, "test")
    records = [RawRecord("shop.kong", 0, offset, AT_MS, None, value) for offset, value in enumerate(values)]
    found: list[Finding] = []
    for begin in range(0, len(records), cut):
        batch = records[begin : begin + cut]
        found += process(batch, context, {("shop.kong", 0): Start(begin)}).findings
    return found


def test_a_kind_of_data_that_was_never_there_is_told_and_what_was_there_is_not(shop: Path) -> None:
    learn(shop, capture(shop, [PLAIN] * 120), "--out", str(shop / "baseline.yaml"))
    loaded = use(shop)
    assert judged(loaded, [logged(PLAIN)] * 3) == []
    (finding,) = judged(loaded, [logged(with_mail(PLAIN))])
    assert (finding.rule, finding.severity, finding.categories) == (RULE, "low", ("user.contact.email",))
    assert finding.fields == ("request.body.email",)
    assert dict(finding.group)["checkout.endpoint"] == "POST /checkout/shipping"
    assert dict(finding.proof)["because"] == "This endpoint never had it while its baseline was learned."


def test_the_same_traffic_gives_the_same_findings_wherever_it_is_cut(shop: Path) -> None:
    learn(shop, capture(shop, [PLAIN] * 120), "--out", str(shop / "baseline.yaml"))
    loaded = use(shop)
    values = [logged(with_mail(PLAIN) if number % 3 == 0 else PLAIN) for number in range(40)]
    whole = judged(loaded, values)
    assert len(whole) == 14
    assert judged(loaded, values, cut=7) == judged(loaded, values, cut=1) == whole


def test_a_gate_that_is_open_with_a_baseline_hides_nothing(shop: Path) -> None:
    learn(shop, capture(shop, [PLAIN] * 120), "--out", str(shop / "baseline.yaml"))
    loaded = use(shop)
    paths = ("/products/7", "/checkout/shipping", "/cart", "/about")
    values = [logged(with_mail(PLAIN), path) for path in paths for _ in range(3)]
    records = [RawRecord("shop.kong", 0, offset, AT_MS, None, value) for offset, value in enumerate(values)]
    gated = loaded.context({"shop.kong": make("kong", AdapterOptions(body="request.body"))}, "test")
    whole = msgspec.structs.replace(gated, gate=None)
    assert gated.gate is not None
    found = process(records, gated, {}).findings
    assert found == process(records, whole, {}).findings
    assert [each.offset for each in found if each.rule == RULE] == [3, 4, 5]


def test_what_was_said_of_equal_records_is_remembered_beside_a_baseline_and_hides_nothing(shop: Path) -> None:
    learn(shop, capture(shop, [PLAIN] * 120), "--out", str(shop / "baseline.yaml"))
    loaded = use(shop)
    bodies = (PLAIN, with_mail(PLAIN), {"note": "blue"})
    values = [logged(body, path) for _ in range(5) for path in ("/checkout/shipping", "/checkout") for body in bodies]
    records = [RawRecord("shop.kong", 0, offset, AT_MS, None, value) for offset, value in enumerate(values)]
    remembering = loaded.context({"shop.kong": make("kong", AdapterOptions(body="request.body"))}, "test")
    found = process(records, remembering, {})
    assert remembering.verdicts is not None
    assert 1 < len(remembering.verdicts._known) <= 6
    assert msgspec.structs.asdict(found) == msgspec.structs.asdict(
        process(records, msgspec.structs.replace(remembering, gate=None, verdicts=None), {})
    )
    assert [each.offset for each in found.findings if each.rule == RULE] == list(range(1, 30, 6))


def test_a_host_that_the_register_calls_ones_own_is_held_against_the_baseline_too(shop: Path) -> None:
    (shop / "register.yaml").write_text(OWN_REGISTER)
    config = orjson.loads((shop / "monitor.yaml").read_bytes())
    (shop / "monitor.yaml").write_bytes(orjson.dumps({**config, "register": "register.yaml"}))
    file = capture(shop, [{"note": "blue"}] * 120)
    Path(file).write_bytes(Path(file).read_bytes().replace(b"/checkout/shipping", b"/account/notes"))
    learn(shop, file, "--out", str(shop / "baseline.yaml"))
    told = judged(use(shop), [logged(with_mail({"note": "blue"}), "/account/notes")])
    assert [each.rule for each in told] == [RULE]


def test_learning_the_same_traffic_gives_the_same_file(shop: Path) -> None:
    file = capture(shop, [PLAIN, with_mail(PLAIN)] * 60)
    learn(shop, file, "--out", str(shop / "one.yaml"))
    learn(shop, file, "--out", str(shop / "two.yaml"))
    assert (shop / "one.yaml").read_bytes() == (shop / "two.yaml").read_bytes()
    assert "mailbox.example" not in (shop / "one.yaml").read_text()


def test_what_few_records_hold_is_left_out_and_listed(shop: Path) -> None:
    taught = {**PLAIN, "religion": "an invented faith"}
    told = learn(shop, capture(shop, [PLAIN] * 120 + [taught] * 2), "--out", str(shop / "baseline.yaml"))
    assert "user.demographic.religious_belief in 2 records of POST /checkout/shipping" in told
    assert "religious_belief" not in (shop / "baseline.yaml").read_text()


def test_an_endpoint_with_few_records_is_left_out(shop: Path) -> None:
    told = learn(shop, capture(shop, [PLAIN] * 20), "--out", str(shop / "baseline.yaml"))
    assert told.startswith("0 endpoints from 20 records; left out: 1 endpoints")
    assert judged(use(shop), [logged(with_mail(PLAIN))]) == []


def test_what_people_wrote_stays_when_it_is_learned_over(shop: Path) -> None:
    out = shop / "baseline.yaml"
    learn(shop, capture(shop, [PLAIN] * 120), "--out", str(out))
    out.write_text(out.read_text().replace("    user.name:", "    user.contact.email: 0\n    user.name:"))
    learn(shop, capture(shop, [PLAIN] * 30), "--over", str(out), "--out", str(out))
    assert "records: 150" in out.read_text()
    assert judged(use(shop), [logged(with_mail(PLAIN))]) == []


def test_a_mistake_in_the_baseline_is_told_with_its_line_and_another_baseline_is_another_bundle(shop: Path) -> None:
    out = shop / "baseline.yaml"
    learn(shop, capture(shop, [PLAIN] * 120), "--out", str(out))
    bundle = use(shop).bundle
    out.write_text(out.read_text().replace("user.name:", "user.nam:"))
    with pytest.raises(ConfigProblems) as raised:
        use(shop)
    (problem,) = raised.value.problems
    assert problem.path == "endpoints.0.categories"
    assert problem.line > 0
    out.write_text(out.read_text().replace("user.nam:", "user.contact.email:"))
    assert use(shop).bundle != bundle


def test_hostile_paths_fold_and_learning_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baseline_commands, "MOST_ENDPOINTS", 50)
    loaded = load_shipped(domains=["shop.example"])
    learner = Learner(loaded)
    words = ["cart", "item", "page", "order", "shipping", "customer", "address", "total", "price", "list"]
    context = loaded.context({"shop.kong": make("kong", AdapterOptions(body="request.body"))}, "test")
    paths = [f"/checkout/payment/{one}/{two}" for one in words for two in words]
    paths += [f"/checkout/payment/noor-adam-{number}/x{number}" for number in range(500)]
    values = [logged(PLAIN, path) for path in paths]
    records = [RawRecord("shop.kong", 0, offset, AT_MS, None, value) for offset, value in enumerate(values)]
    process(records, context, {}, learner.see)
    assert len(learner.records) == 50
    assert learner.left_out == 550
    result = kept(learner, least=1, seldom=1, by_hand={})
    assert "noor" not in result.text


def test_a_lawful_day_of_the_shop_has_no_drift_against_what_was_learned_from_another(tmp_path: Path) -> None:
    record(tmp_path / "one", 4_000, 7)
    record(tmp_path / "two", 1_000, 8)
    names: Callable[[str], list[str]] = lambda day: [  # noqa: E731 - one line
        str(tmp_path / day / f"shop.{topic}.jsonl") for topic in ("events", "kong", "nginx")
    ]
    # Plants stand in a few records of each endpoint: what people would not let through in a review is left out as seldom.
    learn(
        tmp_path / "one",
        *names("one"),
        "--least",
        "20",
        "--seldom",
        "8",
        "--out",
        str(tmp_path / "two" / "baseline.yaml"),
    )
    loaded = use(tmp_path / "two")
    found: list[Finding] = []
    with CaptureReplay(names("two"), loaded, read_config(tmp_path / "two" / "monitor.yaml"), None) as replay:
        context = loaded.context(replay.adapters, replay.cluster)
        for records, _ledger in replay.batches(lambda _: None):
            found += process(records, context, {}).findings
    assert any(each.rule == "checkout.unneeded-field" for each in found)
    assert [each for each in found if each.rule == RULE] == []
