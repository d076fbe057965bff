from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.classify.goods import GoodsReader, WrittenGoodsRule
from detectors.documents import validate
from topics.flow import Goods
from topics.observation import Kind, Media, Observation, Part


def observation(*bodies: bytes, path: str = "/checkout") -> Observation:
    parts = tuple(Part("request.body", each, Media.JSON) for each in bodies)
    return Observation(item=0, kind=Kind.REQUEST, source="test", path=path, parts=parts)


def goods(body: Any, *rules: dict[str, Any]) -> tuple[str, ...]:
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    return GoodsReader([WrittenGoodsRule.model_validate(each) for each in rules]).of(observation(data))


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"line_items": [{"requires_shipping": True}]}, ("physical",)),
        ({"line_items": [{"requires_shipping": False}]}, ("digital",)),
        ({"line_items": [{"requires_shipping": False}, {"requires_shipping": True}]}, ("digital", "physical")),
        ({"isShippingRequired": False}, ("digital",)),
        ({"items": [{"is_virtual": "1"}]}, ("digital",)),
        ({"type_id": "downloadable"}, ("digital",)),
        ({"lineItems": {"physicalItems": [], "digitalItems": [{"name": "x"}]}}, ("digital",)),
        ({"lineItems": {"physicalItems": [{"name": "x"}], "digitalItems": []}}, ("physical",)),
        ({"lines": [{"age_restricted": False}, {"age_restricted": True}]}, ("age-restricted",)),
        ({"lines": [{"ageRestricted": False}]}, ("no-age-restricted",)),
        ({"is_gift": True, "needs_shipping": True}, ("gift", "physical")),
        (b"is_gift=true&items[0][requires_shipping]=false", ("digital", "gift")),
        (b'{"isGift" : true , "virtual": 1 }', ("digital", "gift")),
        (b"is_gift=true&requires_shipping=false&category=x", ("digital", "gift")),
        ({"payload": '{"requires_shipping": false}'}, ("digital",)),
        ({"requires_shipping": None, "not_requires_shipping": True, "requires_shipping_note": True}, ()),
        ({"note": "virtual true friends"}, ()),
        (b"", ()),
    ],
)  # fmt: skip
def test_records_tell_their_goods(body: Any, told: tuple[str, ...]) -> None:
    assert goods(body) == told


def test_a_shop_tells_goods_by_path_sku_and_kind_of_product() -> None:
    wine = {"goods": ["age-restricted", "physical"], "path": "/WINE/*"}
    book = {"goods": ["digital"], "sku": "EBOOK-*"}
    beer = {"goods": ["age-restricted"], "kind": "*beer*"}
    reader = GoodsReader([WrittenGoodsRule.model_validate(each) for each in (wine, book, beer)])
    assert reader.of(observation(path="/wine/checkout")) == ("age-restricted", "physical")
    assert reader.of(observation(b'{"sku": "ebook-771"}')) == ("digital",)
    assert reader.of(observation(b'{"product_type": "Craft Beer & Cider"}')) == ("age-restricted",)
    assert reader.of(observation(b'{"sku": "LM-1", "category": "lamps"}', path="/lamps")) == ()


def test_a_rule_tells_one_thing() -> None:
    value, problems = validate({"goods": ["digital"], "sku": "A", "path": "/b"}, "m.yaml", WrittenGoodsRule)
    assert value is None
    assert "exactly one" in problems[0].message


@given(st.binary(max_size=400))
def test_any_bytes_give_goods_of_the_closed_list(data: bytes) -> None:
    for each in GoodsReader().of(observation(data)):
        assert each.removeprefix("no-") in set(Goods)
