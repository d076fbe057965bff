"""Clean events with the carriers that personal data hides in: identifiers, tokens, versions, prices, codes, random and encrypted text."""

import base64
import json
import random
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from detectors.classify.fields import Budget, explain_fields, find_fields
from tests.bench.detection_fields import shipped_taxonomy
from tests.bench.structured import CLASSES
from topics.observation import Media, Part

_WORDS = "summer sale blue oak lamp shirt size order total cart view add remove page list grid sort price new best top free back next step light dark mode home".split()  # noqa: SIM905 - shorter to read
_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.6045.105 Safari/537.36"
Make = Callable[[random.Random], Any]


def _digits(chance: random.Random, count: int) -> str:
    return "".join(chance.choice("0123456789") for _ in range(count))


def _token(chance: random.Random) -> str:
    return "".join(
        chance.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
        for _ in range(chance.choice([16, 24, 32, 40]))
    )


def _text(chance: random.Random) -> str:
    return " ".join(chance.choice(_WORDS) for _ in range(chance.randint(2, 9)))


def _hex(chance: random.Random) -> str:
    return "".join(chance.choice("0123456789abcdef") for _ in range(chance.choice([16, 32, 40, 64])))


def _uuid(chance: random.Random) -> str:
    text = "".join(chance.choice("0123456789abcdef") for _ in range(32))
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _binary(chance: random.Random) -> str:
    return base64.b64encode(chance.randbytes(chance.choice([16, 24, 32, 48, 96]))).decode()


VALUES: Mapping[str, Make] = {
    "token": _token,
    "uuid": _uuid,
    "hex": _hex,
    "order": lambda chance: f"ORD-{_digits(chance, 8)}",
    "number 13": lambda chance: _digits(chance, 13),
    "number 10": lambda chance: _digits(chance, 10),
    "version": lambda chance: ".".join(str(chance.randint(0, 29)) for _ in range(chance.choice([3, 4]))),
    "price": lambda chance: f"{chance.choice(['', 'EUR ', '$'])}{chance.randint(1, 4000)}.{chance.randint(0, 99):02d}",
    "code": lambda chance: (
        f"{chance.choice(['SKU', 'VAR', 'LOT', 'A', 'XZ'])}-{_digits(chance, chance.choice([4, 6, 8]))}"
    ),
    "text": _text,
    "date": lambda chance: f"20{chance.randint(20, 27)}-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}",
    "epoch": lambda chance: str(1_790_000_000_000 + chance.randrange(10**10)),
    "size": lambda chance: f"{chance.randint(1, 90)}x{chance.randint(1, 90)}x{chance.randint(1, 90)}",
}
"""What stands in clear, and inside of carriers."""
LONG_NUMBER: Make = lambda chance: _digits(chance, 16)  # noqa: E731 - one of the values
"""Sixteen random digits: every 45th has an issuer's prefix and the right check digit, and nothing tells it from a card."""


def event(chance: random.Random, *, long_numbers: bool = False) -> dict[str, Any]:
    """Write one clean event. Long numbers stand under names of references unless they are asked for in carriers too."""
    make = [*VALUES.values(), *([LONG_NUMBER] if long_numbers else [])]
    product = f"{chance.choice(['Madison', 'Jordan', 'Paris', 'Austin', 'Blue Jean', 'Florence'])} {chance.choice(['Lamp', 'Shoe', 'Mug', 'Table', 'Jacket', 'Rug'])}"
    made: dict[str, Any] = {
        "event": chance.choice(["purchase", "page_view", "add_to_cart", "search"]), "ts": 1_795_000_000_000 + chance.randrange(10**9), "order_id": chance.choice([LONG_NUMBER, _uuid, VALUES["order"]])(chance),
        "session": _hex(chance), "sku": _digits(chance, 13), "amount": chance.randint(1, 40_000) / 100, "version": VALUES["version"](chance), "ua": _AGENT,
        "url": f"https://shop.example/p/{_digits(chance, 6)}?utm_source=news&variant={chance.randint(1, 99)}&ref={_token(chance)}",
        "items": [{"sku": f"SKU-{_digits(chance, 6)}", "name": product, "qty": chance.randint(1, 3)}],
    }  # fmt: skip
    for name in chance.sample(["blob", "payload", "meta", "extra", "state", "props"], chance.randint(1, 4)):
        made[name] = chance.choice(_CARRIERS)(chance, make)
    return made


def _base64(chance: random.Random, make: Sequence[Make]) -> Any:
    return base64.b64encode(str(chance.choice(make)(chance)).encode()).decode()


def _json(chance: random.Random, make: Sequence[Make]) -> Any:
    return json.dumps(
        {
            chance.choice(["id", "token", "v", "ref", "value", "data", "k"]): chance.choice(make)(chance)
            for _ in range(chance.randint(1, 3))
        }
    )


_CARRIERS: Sequence[Callable[[random.Random, Sequence[Make]], Any]] = (
    _base64,
    _json,
    lambda chance, _: _binary(chance),
    lambda chance, make: chance.choice(make)(chance),
    lambda chance, make: {"v": chance.choice(make)(chance), "n": chance.randint(0, 10**9)},
    lambda chance, _: base64.b64encode(zlib.compress(_text(chance).encode() * 3)).decode(),
    lambda chance, _: (
        f"eyJhbGciOiJIUzI1NiJ9.{base64.urlsafe_b64encode(json.dumps({'iat': 1_795_000_000, 'scope': _text(chance)}).encode()).decode().rstrip('=')}.{_token(chance)}"
    ),
)


def report(count: int) -> None:
    """Print the share of clean events in which one of the nine classes is found, and which recognizers did."""
    for long_numbers in (False, True):
        chance = random.Random(11)
        flagged, by = 0, Counter[str]()
        many = count if not long_numbers else count // 5
        for _ in range(many):
            made = event(chance, long_numbers=long_numbers)
            part = Part("", json.dumps(made).encode(), Media.JSON)
            if any(field.category in CLASSES for field in find_fields(part, Budget(), shipped_taxonomy()).fields):
                flagged += 1
                _, told = explain_fields(part, Budget(), shipped_taxonomy())
                by.update({each.recognizer for each in told if each.found and each.category in CLASSES})
        which = "with 16 random digits in carriers" if long_numbers else "clean events"
        print(f"{which}: {flagged}/{many:,} flagged = {flagged / many:.4%} {dict(by.most_common(8))}")  # noqa: T201 - a benchmark reports
