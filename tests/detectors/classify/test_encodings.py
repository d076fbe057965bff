"""What changes when a value is written otherwise: nothing, within a budget."""

import base64
import gc
import gzip
import html
import json
import resource
import zlib
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import cramjam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.classify.fields import Budget, FieldScan, find_fields
from tests.detectors.classify.shipped import taxonomy
from topics.observation import Media, Part

VALUES = {
    "user.contact.email": "jane.roe@example.com",
    "user.financial.credit_card.number": "4111111111111111",
    "user.financial.bank_account": "GB82WEST12345698765432",
    "user.government_id": "219-09-9999",
    "user.device.ip_address": "198.51.100.77",
    "user.contact.phone_number": "+49 30 1234567",
    "user.contact.address.street": "Hauptstraße 5, 10115 Berlin",
}


def scan(data: bytes, media: Media = Media.JSON, budget: Budget | None = None) -> FieldScan:
    return find_fields(Part("", data, media), budget or Budget(), taxonomy())


def categories(value: Any) -> set[str]:
    return {field.category for field in scan(json.dumps(value).encode()).fields}


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def token(claims: object) -> str:
    def piece(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{piece({'alg': 'HS256', 'typ': 'JWT'})}.{piece(claims)}.c2lnbmF0dXJlc2lnbmF0dXJl"


def protobuf(text: str) -> bytes:
    inner = b"\x0a" + bytes([len(text.encode())]) + text.encode()
    return b"\x08\x96\x01" + b"\x12" + bytes([len(inner)]) + inner


WAYS: dict[str, Callable[[str], Any]] = {
    "plain": lambda text: text,
    "JSON in a string": lambda text: json.dumps({"x": text}),
    "JSON three times": lambda text: json.dumps({"a": json.dumps({"b": json.dumps({"c": text})})}),
    "percent": lambda text: quote(text, safe=""),
    "percent twice": lambda text: quote(quote(text, safe=""), safe=""),
    "query of an address": lambda text: f"https://shop.example/p?{urlencode({'x': text})}",
    "form": lambda text: urlencode({"a": "1", "x": text}),
    "multipart": lambda text: (
        f'--b0undary\r\nContent-Disposition: form-data; name="x"\r\n\r\n{text}\r\n--b0undary--\r\n'
    ),
    "base64": lambda text: b64(text.encode()),
    "base64 for addresses": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "base64 of JSON": lambda text: b64(json.dumps({"x": text}).encode()),
    "hexadecimal": lambda text: text.encode().hex(),
    "gzip": lambda text: b64(gzip.compress(text.encode())),
    "deflate": lambda text: b64(zlib.compress(text.encode())),
    "zstd": lambda text: b64(bytes(cramjam.zstd.compress(text.encode()))),
    "brotli": lambda text: b64(bytes(cramjam.brotli.compress(("x" * 40 + " " + text).encode()))),
    "web token": lambda text: token({"x": text, "iat": 1}),
    "GraphQL": lambda text: {"query": "mutation M($i: I!) { m(input: $i) { id } }", "variables": {"i": {"x": text}}},
    "Protocol Buffers": lambda text: b64(protobuf(text)),
    "entities": lambda text: "".join(f"&#{ord(each)};" for each in text),
    "entities by name": lambda text: (
        html.escape(text).replace("@", "&commat;").replace(".", "&period;").replace("+", "&plus;")
    ),
    "full width": lambda text: "".join(
        chr(ord(each) + 0xFEE0) if each.isascii() and each.isalnum() else each for each in text
    ),
    "array": lambda text: [["a"], [text]],
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("category", VALUES)
def test_however_a_value_is_written_it_is_found(way: str, category: str) -> None:
    if way == "brotli" and category != "user.contact.email":
        pytest.skip(
            "a text around the value is needed to tell Brotli from chance, and only some values count inside of a text"
        )
    assert category in categories({"blob": WAYS[way](VALUES[category])})


TEXTS = (
    "percent",
    "percent twice",
    "base64",
    "base64 for addresses",
    "hexadecimal",
    "gzip",
    "deflate",
    "zstd",
    "entities",
    "full width",
)


@pytest.mark.parametrize("way", TEXTS)
def test_a_wrapped_value_is_read_under_the_name_of_its_wrapping(way: str) -> None:
    assert "user.demographic.date_of_birth" in categories({"birthDate": WAYS[way]("1990-05-17")})


SYNONYMS = {
    "user.contact.email": ("email", "e_mail", "userEmail", "mail_address", "contactEmail", "emailAddr"),
    "user.contact.phone_number": ("phone", "mobileNumber", "tel", "msisdn", "contact_number", "telefon", "cell_phone"),
    "user.name": ("fullName", "customer_name", "cardholder", "recipient", "buyer", "nameOnCard"),
    "user.contact.address.street": (
        "address1",
        "street",
        "addressLine1",
        "streetAddress",
        "shipping_address",
        "residence",
    ),
    "user.financial.bank_account": ("iban", "ibanNumber", "account", "payout"),
    "user.demographic.date_of_birth": ("birthDate", "dob", "date_of_birth", "birthday", "bday", "yearOfBirth"),
    "user.device.ip_address": ("ip", "clientIp", "remote_addr", "x_forwarded_for", "userIpAddress"),
}
SAID = {
    **VALUES,
    "user.name": "Jane Roe",
    "user.demographic.date_of_birth": "1990-05-17",
    "user.contact.phone_number": "030 1234567",
}


@pytest.mark.parametrize("category", SYNONYMS)
def test_a_synonym_of_a_name_leaves_the_verdict(category: str) -> None:
    assert [key for key in SYNONYMS[category] if category not in categories({key: SAID[category]})] == []


@given(st.permutations(["email", "city", "state", "name", "sku", "ip", "blob", "card"]))
@settings(max_examples=30, deadline=None)
def test_the_order_of_keys_leaves_the_verdict(order: list[str]) -> None:
    whole = {
        "email": "jane@example.com", "city": "Ottawa", "state": "ON", "name": "Jane Roe", "sku": "1", "ip": "198.51.100.77", "blob": b64(b"GB82WEST12345698765432"),
        "card": {"number": "4111111111111111", "code": "123"},
    }  # fmt: skip
    first = {(each.path, each.category) for each in scan(json.dumps(whole).encode()).fields}
    assert {
        (each.path, each.category) for each in scan(json.dumps({key: whole[key] for key in order}).encode()).fields
    } == first


def test_what_is_wrapped_too_often_is_said_and_not_opened() -> None:
    text: str = "jane@example.com"
    for _ in range(8):
        text = b64(text.encode())
    assert "encoded-too-deep" in scan(json.dumps({"blob": text}).encode()).uninspectable


def test_a_key_that_is_repeated_is_searched_in_both_values_and_told() -> None:
    result = scan(b'{"cvv": "123", "cvv": null, "card_number": "x", "card_number": "4111111111111111"}')
    assert result.uninspectable == ("repeated-key",)
    assert "user.financial.credit_card.security_code" in {each.category for each in result.fields}


def test_a_repeated_key_is_found_behind_escapes_that_would_balance_the_count() -> None:
    data = rb'{"cvv": "123", "cvv": null, "a": "\\", "b": "\\", "c": "\\", "d": "\\"}'
    assert "repeated-key" in scan(data).uninspectable


def test_no_document_without_a_repeated_key_is_said_to_have_one() -> None:
    for value in ({"a": 'say "x"', "b": "\\"}, {"a": {"a": 1}}, [{"a": 1}, {"a": 2}], {"é": "ü", "a:b": '":'}):
        assert scan(json.dumps(value).encode()).uninspectable == ()


def test_an_integer_that_does_not_fit_64_bits_keeps_its_digits() -> None:
    assert "user.financial.bank_account" in {each.category for each in scan(b'{"nib": 123456789012345678901}').fields}


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b'{"email": "jane@example.com"', "syntax"), (b'{"email": "jane@example.com",}', "syntax"), (b"{'email': 'jane@example.com'}", "syntax"),
        (b'{"email": "jane@example.com"} trailing', "syntax"), (b'{"email": "jane@example.com", "x": 01}', "syntax"), (b'{"email": "jane@example.com", "x": NaN}', "syntax"),
        (b'{"email": "jane@example.com", "x": "\x01"}', "syntax"), (b'{"email": "jane@example.com", "x": "\xff"}', "syntax"), (b'{"email": "jane@example.com", /* c */ "x": 1}', "syntax"),
        (b'\xef\xbb\xbf{"email": "jane@example.com"}', "syntax"), (b'{"email": "jane@example.com", "x": 1e999}', "syntax"), (b'{"email": "jane@example.com", "": {"": []}}', ""),
        (b'  {"email":\n"jane@example.com"}\n', ""), (b'["jane@example.com"]', ""), (b'{"email": "jane\\u0040example.com"}', ""),
    ],
)  # fmt: skip
def test_broken_and_odd_json_is_searched_all_the_same(data: bytes, told: str) -> None:
    result = scan(data)
    assert "user.contact.email" in {each.category for each in result.fields}
    assert result.uninspectable == ((told,) if told else ())


def bombs() -> list[bytes]:
    zeros = b"0" * 10_000_000
    nested = gzip.compress(gzip.compress(zeros))
    return [
        gzip.compress(zeros),
        zlib.compress(zeros),
        bytes(cramjam.zstd.compress(zeros)),
        bytes(cramjam.brotli.compress(zeros)),
        nested,
    ]


def test_a_thousand_bombs_are_told_and_take_no_memory() -> None:
    made = [json.dumps({"blob": b64(each)}).encode() for each in bombs()]
    for each in made:
        scan(each)
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    told = [scan(made[index % len(made)]).uninspectable for index in range(1_000)]
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1_024
    assert grown < 64  # MiB
    # Brotli has no mark: what does not open under the cap is not known to be compressed at all.
    assert all("expands-too-much" in each for index, each in enumerate(told) if index % len(made) != 3)


def test_a_compressed_part_is_opened() -> None:
    for data in (
        gzip.compress(b'{"email": "jane@example.com"}'),
        bytes(cramjam.zstd.compress(b'{"email": "jane@example.com"}')),
    ):
        assert {each.category for each in scan(data).fields} == {"user.contact.email"}


def test_xml_with_entities_of_its_own_is_not_expanded() -> None:
    data = b'<!DOCTYPE a [<!ENTITY b "cccccccccc"><!ENTITY d "&b;&b;&b;">]><a>&d; jane@example.com</a>'
    result = scan(data, Media.TEXT)
    assert result.uninspectable == ("markup",)
    assert {each.category for each in result.fields} == {"user.contact.email"}
