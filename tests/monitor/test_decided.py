"""What a shop says of its own purchase in the configuration and its files: checked with lines, and applied by the whole judge."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from monitor.cli import app
from monitor.context import Loaded, load
from monitor.explain import explain
from monitor.explain_text import lines
from monitor.files import ConfigProblems, read_config
from monitor.pipeline import process
from topics.adapters import make
from topics.finding import Basis, Finding, Verdict
from topics.observation import AdapterOptions
from topics.record import RawRecord

AT_MS = 1_795_000_000_000
ADDRESS = {"first_name": "Ada", "last_name": "Quill", "street": "6 Tanner Row", "city": "Towson", "zip": "21204"}
BORN = {"shipping_address": ADDRESS, "date_of_birth": "1990-02-11"}
NEEDS = """\
overrides:
  - category: user.demographic.date_of_birth
    steps: [shipping]
    need: needed
    justification: Our carrier hands over to the addressee alone, and the contract asks for the date.
    decided_by: Data protection officer
    decided_on: 2026-11-02
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "subject.key").write_text("a key of the tests, longer than sixteen bytes")
    return tmp_path


def configured(folder: Path, **settings: Any) -> Loaded:
    config: dict[str, Any] = {
        "kafka": {"bootstrap_servers": "localhost:9092"},
        "shop": {"domains": ["shop.example"], **settings.pop("shop", {})},
        "sources": [{"topic": "shop.kong", "adapter": "kong", "service": "checkout", "body": "request.body"}],
        "subjects": {"secret": {"file": "subject.key"}},
        **settings,
    }
    file = folder / "monitor.yaml"
    file.write_bytes(orjson.dumps(config))
    return load(read_config(file), str(file))


def logged(
    body: Any, path: str = "/checkout/shipping", *, to: str = "", country: str = "DE", region: str = ""
) -> bytes:
    headers = {"host": "shop.example", "content-type": "application/json", "cloudfront-viewer-country": country}
    if region:
        headers["cloudfront-viewer-country-region"] = region
    return orjson.dumps(
        {
            "client_ip": "203.0.113.9",
            "started_at": AT_MS,
            "request": {"method": "POST", "uri": path, "headers": headers, "body": orjson.dumps(body).decode()},
            "response": {"status": 200},
            "tries": [{"ip": "10.20.0.7", "port": 443}],
            "service": {"name": "checkout", "host": to or "orders.internal.shop.example"},
        }
    )


def record(value: bytes) -> RawRecord:
    return RawRecord("shop.kong", 0, 5, AT_MS, None, value)


def judged(loaded: Loaded, value: bytes) -> list[Finding]:
    adapters = {"shop.kong": make("kong", AdapterOptions(body="request.body", service="checkout"))}
    found = process([record(value)], loaded.context(adapters, "test"), {}).findings
    return [each for each in found if each.rule.startswith("checkout.")]


def rules(loaded: Loaded, value: bytes) -> list[str]:
    return [each.rule for each in judged(loaded, value)]


def test_a_decision_of_the_shop_silences_what_it_justifies(shop: Path) -> None:
    assert rules(configured(shop), logged(BORN)) == ["checkout.unneeded-field"]
    (shop / "needs.yaml").write_text(NEEDS)
    decided = configured(shop, needs="needs.yaml")
    assert rules(decided, logged(BORN)) == []
    assert rules(decided, logged(BORN, "/checkout/payment")) == ["checkout.unneeded-field"]
    assert decided.bundle != configured(shop).bundle


def test_check_lists_every_mistake_of_needs_baseline_and_goods(shop: Path) -> None:
    (shop / "needs.yaml").write_text(NEEDS.replace("date_of_birth", "birthday").replace("need: needed", "need: maybe"))
    (shop / "baseline.yaml").write_text("learned: {records: 1}\nendpoints:\n  - {endpoint: POST /x, records: many}\n")
    with pytest.raises(ConfigProblems):
        configured(shop, needs="needs.yaml", baseline="baseline.yaml")
    done = CliRunner().invoke(app, ["check", "--config", str(shop / "monitor.yaml")])
    assert done.exit_code == 1
    assert f"{shop}/needs.yaml:4: overrides.0.need: " in done.output
    assert f"{shop}/baseline.yaml:3: endpoints.0.records: " in done.output
    with pytest.raises(ConfigProblems) as raised:
        configured(shop, shop={"sells": ["wine"], "goods": [{"sku": "A", "path": "/b", "goods": ["digital"]}]})
    assert {each.path for each in raised.value.problems} == {"shop.sells.0", "shop.goods.0"}


@pytest.mark.parametrize("key", ["needs", "baseline"])
def test_a_file_that_is_not_there_is_told_with_the_line_that_names_it(shop: Path, key: str) -> None:
    with pytest.raises(ConfigProblems) as raised:
        configured(shop, **{key: "absent.yaml"})
    (problem,) = raised.value.problems
    assert (problem.path, problem.line) == (key, 1)


def test_goods_that_nobody_tells_are_a_gap_in_a_shop_that_sells_wine_and_the_configuration_closes_it(
    shop: Path,
) -> None:
    sells = ["physical", "age-restricted"]
    (gap,) = judged(configured(shop, shop={"sells": sells}), logged(BORN))
    assert (gap.rule, gap.verdict) == ("checkout.need-undecided", Verdict.GAP)
    told = configured(shop, shop={"sells": sells, "goods": [{"sku": "WN-*", "goods": ["age-restricted", "physical"]}]})
    assert rules(told, logged({**BORN, "items": [{"sku": "WN-0012"}]})) == []
    plain = {**BORN, "items": [{"sku": "KT-1042", "age_restricted": False}]}
    assert rules(told, logged(plain)) == ["checkout.unneeded-field"]


def test_own_steps_may_name_paths_and_events(shop: Path) -> None:
    loaded = configured(shop, shop={"steps": {"/kasse/*/adresse": "shipping"}})
    assert rules(loaded, logged(BORN, "/kasse/7/adresse")) == ["checkout.unneeded-field"]
    assert rules(configured(shop), logged(BORN, "/kasse/7/adresse")) == []


def test_a_minimisation_duty_makes_it_law_and_maryland_makes_it_louder(shop: Path) -> None:
    loaded = configured(shop)
    (maryland,) = judged(loaded, logged(BORN, country="US", region="MD"))
    (germany,) = judged(loaded, logged(BORN, country="DE"))
    (georgia,) = judged(loaded, logged(BORN, country="US", region="GA"))
    assert (maryland.basis, maryland.severity, maryland.law) == (Basis.LAW, "high", ("us-md-minimisation",))
    assert (germany.basis, germany.severity) == (Basis.LAW, "medium")
    assert (georgia.basis, georgia.severity, georgia.law) == (Basis.POLICY, "medium", ())


def test_where_only_the_strictly_necessary_is_allowed_a_mere_possibility_is_a_gap(shop: Path) -> None:
    loaded = configured(shop)
    parcel = {"to_address": {**ADDRESS, "latitude": 39.40153, "longitude": -76.60191}}
    there = logged(parcel, "/egress/labels", to="api.easypost.com", country="US", region="MD")
    elsewhere = logged(parcel, "/egress/labels", to="api.easypost.com", country="US", region="VA")
    (gap,) = judged(loaded, there)
    assert (gap.rule, gap.verdict, gap.basis) == ("checkout.need-unproved", Verdict.GAP, Basis.LAW)
    assert gap.categories == ("user.location.precise",)
    assert "strictly necessary" in dict(gap.proof)["because"]
    assert rules(loaded, elsewhere) == []


def test_explain_shows_step_goods_and_why_each_kind_of_data_is_not_needed(shop: Path) -> None:
    loaded = configured(shop)
    adapters = {"shop.kong": make("kong", AdapterOptions(body="request.body", service="checkout"))}
    value = logged({**BORN, "items": [{"requires_shipping": True}]})
    text = "\n".join(lines(explain(record(value), loaded.context(adapters, "test"), settle_ms=0)))
    assert "step shipping; goods physical; unneeded user.demographic.date_of_birth" in text
    assert (
        "user.demographic.date_of_birth: Nothing here depends on the day a person was born. Enough: For goods" in text
    )
    assert "1990" not in text


def test_needs_are_printed_for_whoever_answers_for_them(shop: Path) -> None:
    (shop / "needs.yaml").write_text(NEEDS)
    configured(shop, needs="needs.yaml")
    options = ["needs", "--category", "user.demographic.date_of_birth"]
    shipped = CliRunner().invoke(app, options, env={"COLUMNS": "240"})
    own = CliRunner().invoke(app, [*options, "--config", str(shop / "monitor.yaml")], env={"COLUMNS": "240"})
    assert "at cart, contact, shipping, payment, review, order" in shipped.output
    assert "at payment, review, order" in own.output
    assert "The step shipping is the first to need it." in own.output
    assert "Enough: For goods with an age limit" in own.output
