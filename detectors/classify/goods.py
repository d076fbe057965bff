"""What is bought: from what a record says of its goods, and from what the shop tells of its paths, SKUs and kinds of product."""

import re
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import translate
from itertools import islice
from typing import Annotated, NamedTuple

from pydantic import Field, model_validator

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


_QUESTIONS: dict[str, tuple[tuple[str, str], tuple[str, ...]]] = {
    # A fragment that all names of the line share: where it is missing none of them is searched.
    "hipping": (_SHIPPED, ("requires_shipping", "requiresShipping", "isShippingRequired", "is_shipping_required", "needs_shipping", "needsShipping")),
    "irtual": (_INTANGIBLE, ("is_virtual", "isVirtual", "virtual")),
    "ownloadable": (_INTANGIBLE, ("is_downloadable", "isDownloadable", "downloadable")),
    "igital": (_INTANGIBLE, ("is_digital", "isDigital", "digital")),
    "estricted": (_asked(Goods.AGE_RESTRICTED), ("age_restricted", "ageRestricted", "is_age_restricted", "isAgeRestricted")),
    "erification": (_asked(Goods.AGE_RESTRICTED), ("age_verification_required", "ageVerificationRequired", "requires_age_verification", "requiresAgeVerification")),
    "dult": (_asked(Goods.AGE_RESTRICTED), ("adult_signature_required", "adultSignatureRequired")),
    "ift": (_asked(Goods.GIFT), ("is_gift", "isGift", "gift_wrap", "giftWrap")),
    "rescription": (_asked(Goods.PRESCRIPTION), ("prescription_required", "prescriptionRequired", "requires_prescription", "requiresPrescription")),
}  # fmt: skip
# Lists that hold items of one form alone: BigCommerce.
_LISTS = {
    "physicalItems": Goods.PHYSICAL,
    "physical_items": Goods.PHYSICAL,
    "digitalItems": Goods.DIGITAL,
    "digital_items": Goods.DIGITAL,
}
_KINDS = ("product_type", "productType", "type_id", "product_category", "productCategory", "category")
_SKUS = ("sku", "product_id", "productId", "item_id")
_TYPES = {
    "physical": Goods.PHYSICAL, "simple": Goods.PHYSICAL, "digital": Goods.DIGITAL, "downloadable": Goods.DIGITAL, "virtual": Goods.DIGITAL,
    "gift_card": Goods.DIGITAL, "giftcard": Goods.DIGITAL, "ebook": Goods.DIGITAL, "license": Goods.DIGITAL,
}  # fmt: skip
# What stands between a name and its value, in JSON, in JSON inside of a string, and in a form.
_BETWEEN = rb"[\]\\\"]{0,6}\s{0,4}[:=]\s{0,4}\\?\"?"
_ANSWER = _BETWEEN + rb"(true|false|yes|no|1|0)(?![A-Za-z0-9_.])"
_FIRST = rb"[\\\"]{0,3}\s{0,4}:\s{0,4}\[\s{0,8}([^\s\]])"
_TEXT = _BETWEEN + rb"([A-Za-z0-9][\w +&/.-]{0,63})"
_TRUE = frozenset({b"true", b"yes", b"1"})
_WORD = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")
_MOST_ITEMS = 200
_LONGEST_PATH = 1_024


class _Finder(NamedTuple):
    """A name, and the pattern of it with its value. Both begin with letters, which is what makes the search quick."""

    name: bytes
    pattern: re.Pattern[bytes]

    def values(self, data: bytes) -> Iterator[bytes]:
        """Give the values of the name wherever it stands as a whole word."""
        if self.name not in data:
            return
        for match in islice(self.pattern.finditer(data), _MOST_ITEMS):
            at = match.start()
            if not at or data[at - 1] not in _WORD:
                yield match[1]


def _finders(names: Iterable[str], value: bytes) -> tuple[_Finder, ...]:
    return tuple(_Finder(name.encode(), re.compile(name.encode() + value)) for name in names)


_ASKED = [(fragment.encode(), yes, no, _finders(names, _ANSWER)) for fragment, ((yes, no), names) in _QUESTIONS.items()]
_LISTED = tuple(zip(_finders(_LISTS, _FIRST), _LISTS.values(), strict=True))
_KIND_FINDERS = _finders(_KINDS, _TEXT)
_SKU_FINDERS = _finders(_SKUS, _TEXT)


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
        for part in observation.parts:
            found.update(self._in(part.data[:_MOST_BYTES]))
        if not found:
            return ()
        # One item that is restricted makes the whole restricted.
        return tuple(sorted(each for each in found if not each.startswith("no-") or each[3:] not in found))

    def _in(self, data: bytes) -> Iterator[str]:
        yield from _answered(data)
        if b"Items" in data or b"_items" in data:
            yield from (form.value for finder, form in _LISTED if any(True for _ in finder.values(data)))
        if b"type" in data or b"Type" in data or b"ategory" in data:
            for finder in _KIND_FINDERS:
                for kind in finder.values(data):
                    yield from self._of_kind(kind.decode("ascii", "replace").strip().lower())
        for finder in _SKU_FINDERS if self._skus else ():
            for sku in finder.values(data):
                yield from _named(sku.decode("ascii", "replace"), self._skus)

    def _of_kind(self, kind: str) -> Iterator[str]:
        if kind in _TYPES:
            yield _TYPES[kind].value
        yield from _named(kind, self._kinds)


def _answered(data: bytes) -> Iterator[str]:
    for fragment, yes, no, finders in _ASKED:
        if fragment in data:
            for finder in finders:
                answers = set(finder.values(data))
                if answers:
                    if not answers.isdisjoint(_TRUE):
                        yield yes
                    if not answers <= _TRUE:
                        yield no


def _named(text: str, patterns: Iterable[tuple[re.Pattern[str], tuple[Goods, ...]]]) -> Iterator[str]:
    for pattern, goods in patterns:
        if pattern.match(text):
            yield from (each.value for each in goods)


def _glob(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(pattern), re.IGNORECASE)
