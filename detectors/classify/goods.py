"""What is bought: from what a record says of its goods, and from what the shop tells of its paths, SKUs and kinds of product."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from fnmatch import translate
from functools import lru_cache
from itertools import islice
from typing import Annotated

from pydantic import Field, model_validator

from detectors.classify.recognizers.gates import ENGINE
from detectors.documents import Written
from topics.flow import Goods
from topics.observation import Observation

_MOST_BYTES = 1 << 18
"""Of a part that is looked at: goods stand in the body of an order, which is far smaller."""

Glob = Annotated[str, Field(min_length=1, max_length=200)]


class WrittenGoodsRule(Written):
    """What the shop says of goods: where one of these fits, they are bought. Globs, without case."""

    goods: Annotated[tuple[Goods, ...], Field(min_length=1)] = Field(description="Kinds of goods that it stands for.")
    path: Glob | None = Field(None, description="Path of the request or page (`/wine/*`).")
    sku: Glob | None = Field(None, description="SKU or product id of an item (`EBOOK-*`).")
    kind: Glob | None = Field(None, description="Kind or category of product of an item (`*alcohol*`).")

    @model_validator(mode="after")
    def _tells_one_thing(self) -> "WrittenGoodsRule":
        if sum(each is not None for each in (self.path, self.sku, self.kind)) != 1:
            raise ValueError("give exactly one of `path`, `sku` and `kind`")
        return self


def _names(*names: str) -> str:
    return "|".join(names)


# What platforms call the question, and what yes and no say: of a cart or an order, or of one of its items.
_SHIPPED = (Goods.PHYSICAL.value, Goods.DIGITAL.value)
_INTANGIBLE = (Goods.DIGITAL.value, Goods.PHYSICAL.value)


def _asked(kind: Goods) -> tuple[str, str]:
    return kind.value, f"no-{kind.value}"


_QUESTIONS: dict[tuple[str, str], tuple[str, ...]] = {
    _SHIPPED: ("requires_shipping", "requiresShipping", "isShippingRequired", "is_shipping_required", "needs_shipping", "needsShipping"),
    _INTANGIBLE: ("is_virtual", "isVirtual", "virtual", "is_downloadable", "isDownloadable", "downloadable", "is_digital", "isDigital", "digital"),
    _asked(Goods.AGE_RESTRICTED): (
        "age_restricted", "ageRestricted", "is_age_restricted", "isAgeRestricted", "age_verification_required", "ageVerificationRequired",
        "requires_age_verification", "requiresAgeVerification", "adult_signature_required", "adultSignatureRequired",
    ),
    _asked(Goods.GIFT): ("is_gift", "isGift", "gift_wrap", "giftWrap"),
    _asked(Goods.PRESCRIPTION): ("prescription_required", "prescriptionRequired", "requires_prescription", "requiresPrescription"),
}  # fmt: skip
_ANSWERS = {name.encode(): says for says, names in _QUESTIONS.items() for name in names}
# Lists that hold items of one form alone: BigCommerce.
_LISTS = {
    "physicalItems": Goods.PHYSICAL,
    "physical_items": Goods.PHYSICAL,
    "digitalItems": Goods.DIGITAL,
    "digital_items": Goods.DIGITAL,
}
_KINDS = ("product_type", "productType", "type_id", "product_category", "productCategory", "category")
_SKUS = ("sku", "product_id", "productId", "item_id")
_FORMS = {name.encode(): form.value for name, form in _LISTS.items()}
_NUMBERED = frozenset(name.encode() for name in _SKUS)
_TYPES = {
    "physical": Goods.PHYSICAL, "simple": Goods.PHYSICAL, "digital": Goods.DIGITAL, "downloadable": Goods.DIGITAL, "virtual": Goods.DIGITAL,
    "gift_card": Goods.DIGITAL, "giftcard": Goods.DIGITAL, "ebook": Goods.DIGITAL, "license": Goods.DIGITAL,
}  # fmt: skip
# A value: the beginning of a list, or a short text. What stands before it is of JSON, of JSON inside of a string, or of a form.
_VALUE = rb"[\]\\\"]{0,6}\s{0,4}[:=]\s{0,4}(\[\s{0,8}[^\s]|\\?\"?[A-Za-z0-9][\w +/.-]{0,63})"
_TRUE = frozenset({b"true", b"yes", b"1"})
_FALSE = frozenset({b"false", b"no", b"0"})
_MOST_FOUND = 400
_LONGEST_PATH = 1_024


def _whole_words(names: Iterable[str]) -> re.Pattern[bytes]:
    """Find any of the names as a whole word, with its value, in one go over the bytes."""
    listed = "|".join(sorted(names, key=len, reverse=True)).encode()
    return re.compile(rb"(?<![A-Za-z0-9_])(" + listed + rb")" + _VALUE)


@lru_cache
def _gate(names: tuple[str, ...]) -> Callable[[bytes], int]:
    """Tell in a tenth of the time that a pattern takes whether any of the names stands in some bytes: in most none does."""
    return ENGINE([(1, rf"(?:^|[^A-Za-z0-9_])(?:{'|'.join(names)})")]).scan


_TELLING = (*(name.decode() for name in _ANSWERS), *_LISTS, *_KINDS)
_TELLING_WITH_SKUS = (*_TELLING, *_SKUS)
_PATTERN = _whole_words(_TELLING)
_PATTERN_WITH_SKUS = _whole_words(_TELLING_WITH_SKUS)


class GoodsReader:
    """Tells what is bought. Made once for each snapshot."""

    def __init__(self, rules: Sequence[WrittenGoodsRule] = ()) -> None:
        self._paths = [(_glob(rule.path), rule.goods) for rule in rules if rule.path is not None]
        self._skus = [(_glob(rule.sku), rule.goods) for rule in rules if rule.sku is not None]
        self._kinds = [(_glob(rule.kind), rule.goods) for rule in rules if rule.kind is not None]

    def of(self, observation: Observation) -> tuple[str, ...]:
        """Give what is bought, sorted: kinds of goods, and `no-` before a kind that it is not. Empty: nobody tells."""
        found: set[str] = set()
        if observation.path and self._paths:
            for pattern, goods in self._paths:
                if pattern.match(observation.path[:_LONGEST_PATH]):
                    found.update(each.value for each in goods)
        is_open = _gate(_TELLING_WITH_SKUS if self._skus else _TELLING)
        for part in observation.parts:
            if is_open(part.data):
                found.update(self._in(part.data[:_MOST_BYTES]))
        if not found:
            return ()
        # One item that is restricted makes the whole restricted.
        return tuple(sorted(each for each in found if not each.startswith("no-") or each[3:] not in found))

    def _in(self, data: bytes) -> Iterator[str]:
        pattern = _PATTERN_WITH_SKUS if self._skus else _PATTERN
        for name, value in {match.groups() for match in islice(pattern.finditer(data), _MOST_FOUND)}:
            text = value.strip(b'\\" ')
            says = _ANSWERS.get(name)
            if says is not None:
                if text in _TRUE or text in _FALSE:
                    yield says[text in _FALSE]
            elif name in _FORMS:
                if text.startswith(b"[") and not text.endswith(b"]"):
                    yield _FORMS[name]
            elif name in _NUMBERED:
                yield from _named(text.decode("ascii", "replace"), self._skus)
            else:
                yield from self._of_kind(text.decode("ascii", "replace").strip().lower())

    def _of_kind(self, kind: str) -> Iterator[str]:
        if kind in _TYPES:
            yield _TYPES[kind].value
        yield from _named(kind, self._kinds)


def _named(text: str, patterns: Iterable[tuple[re.Pattern[str], tuple[Goods, ...]]]) -> Iterator[str]:
    for pattern, goods in patterns:
        if pattern.match(text):
            yield from (each.value for each in goods)


def _glob(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(pattern), re.IGNORECASE)
