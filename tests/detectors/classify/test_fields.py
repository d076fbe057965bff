import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.classify.fields import Budget, FieldScan, find_fields
from tests.detectors.classify.shipped import taxonomy
from topics.observation import Media, Part

EMAIL = "user.contact.email"
CARD = "user.financial.credit_card.number"
CVV = "user.financial.credit_card.security_code"


def scan(value: Any, path: str = "properties", budget: Budget | None = None) -> FieldScan:
    return find_fields(Part(path, json.dumps(value).encode(), Media.JSON), budget or Budget(), taxonomy())


def found(value: Any, path: str = "properties") -> set[tuple[str, str]]:
    return {(field.path, field.category) for field in scan(value, path).fields}


def categories(value: Any, path: str = "properties") -> set[str]:
    return {category for _, category in found(value, path)}


def test_a_field_is_found_by_name_and_value_and_its_shape_is_masked() -> None:
    result = scan({"email": "jane.roe@example.com"})
    assert [(each.path, each.category, each.shape) for each in result.fields] == [
        ("properties.email", EMAIL, "a{4}.a{3}@a{7}.a{3}")
    ]
    assert result.uninspectable == ()


@pytest.mark.parametrize(
    "key", ["firstName", "first_name", "FIRSTNAME", "billing_first_name", "customer[first_name]", "x_firstName"]
)
def test_spelling_of_a_key_does_not_matter(key: str) -> None:
    assert categories({key: "Jane"}) == {"user.name"}


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"name": "Blue shirt", "price": 12}, "properties"),
        ({"products": [{"name": "Blue shirt", "sku": "1"}]}, "properties"),
        ({"campaign": {"name": "spring"}}, "context"),
        ({"state": "enabled"}, "properties"),
        ({"status": {"state": "complete", "code": "123"}}, "properties"),
        ({"store": {"city": "Berlin", "zip": "10115"}}, "properties"),
        ({"icon": "logo@2x.png", "dsn": "https://abc@o1.ingest.example.com/2"}, "properties"),
        ({"order_id": "4111111111111111"}, "properties"),
        ({"amount": 1602531300000, "total": "16025313000000"}, "properties"),
        ({"cvv": "match"}, "properties"),
        ({"latitude": 52, "longitude": 13}, "properties"),
        ({"latitude": 52.123456}, "properties"),
        ({"phone": True, "email": None, "age": 30}, "properties"),
    ],
)
def test_what_only_looks_like_personal_data_is_left_alone(value: Any, path: str) -> None:
    assert found(value, path) == set()


@pytest.mark.parametrize(
    "mask",
    ["****", "REDACTED", "[FILTERED]", "<redacted>", "", "null", "j***@example.com", "XXXX", "{{email}}", "${email}"],
)
def test_masked_values_are_no_personal_data(mask: str) -> None:
    assert found({"email": mask, "first_name": mask, "cvv": mask, "card_number": mask, "password": mask}) == set()


def test_ambiguous_names_need_their_context() -> None:
    assert found({"address": {"name": "Jane Roe", "state": "CA", "line1": "1 Main St"}}) == {
        ("properties.address.name", "user.name"),
        ("properties.address.state", "user.contact.address.state"),
        ("properties.address.line1", "user.contact.address.street"),
    }
    assert categories({"name": "Jane Roe"}, "context.traits") == {"user.name"}


def test_siblings_give_context() -> None:
    assert ("properties.state", "user.contact.address.state") in found({"city": "Ottawa", "state": "ON"})


def test_a_card_is_found_below_a_card() -> None:
    card = {"number": "4111 1111 1111 1111", "code": "123", "expMonth": 9, "name": "Gold"}
    assert found({"card": card}) == {
        ("properties.card.number", CARD),
        ("properties.card.code", CVV),
        ("properties.card.expMonth", "user.financial.credit_card.expiry"),
    }


def test_a_number_that_fails_its_check_digit_is_no_card() -> None:
    assert CARD not in categories({"card_number": "4111111111111112"})


@pytest.mark.parametrize("value", ["4111111111111111", 4111111111111111, "4111-1111-1111-1111"])
def test_card_numbers_and_mail_addresses_are_found_under_any_key(value: str | int) -> None:
    assert found({"blob": value, "link": "https://shop.example/?m=jane%40example.com"}) == {
        ("properties.blob", CARD),
        ("properties.link.m", EMAIL),
    }


def test_a_pair_of_precise_coordinates_is_one_category_on_both_paths() -> None:
    assert found({"spot": {"lat": 52.52001, "lng": "13.40495"}}) == {
        ("properties.spot.lat", "user.location.precise"),
        ("properties.spot.lng", "user.location.precise"),
    }


def test_hashed_contact_data_is_a_category_of_its_own() -> None:
    assert found({"user_data": {"em": "ab" * 32, "ph": ["cd" * 32]}}) == {
        ("properties.user_data.em", "user.contact.email.hashed"),
        ("properties.user_data.ph[]", "user.contact.phone_number.hashed"),
    }


def test_paths_fold_over_arrays() -> None:
    assert found({"guests": [{"email": "a@example.com"}, {"email": "b@example.com"}]}) == {
        ("properties.guests[].email", EMAIL)
    }


def test_json_inside_of_a_string_is_opened() -> None:
    inner = json.dumps({"data": json.dumps({"email": "jane@example.com"})})
    assert found({"body": inner}) == {("properties.body.data.email", EMAIL)}


def test_a_key_that_is_personal_data_is_found_and_not_shown() -> None:
    assert found({"jane@example.com": {"age_group": "adult"}}) == {
        ("properties.*", EMAIL),
        ("properties.*.age_group", "user.demographic.age_range"),
    }


def test_forms_and_queries_are_read() -> None:
    data = b"card%5Bnumber%5D=4111111111111111&card[cvc]=123&email=jane%40example.com&email=jo%40example.com"
    result = find_fields(Part("query", data, Media.FORM), Budget(), taxonomy())
    assert {(each.path, each.category) for each in result.fields} == {
        ("query.card.number", CARD),
        ("query.card.cvc", CVV),
        ("query.email[]", EMAIL),
    }


def test_text_is_searched_for_what_tells_itself_and_for_names_near_their_values() -> None:
    data = b"paid with 4111111111111111, receipt to jane@example.com; phone: 0301234567"
    result = find_fields(Part("request.body", data, Media.TEXT), Budget(), taxonomy())
    assert {(each.path, each.category) for each in result.fields} == {
        ("request.body", EMAIL),
        ("request.body", CARD),
        ("request.body.phone", "user.contact.phone_number"),
    }


def test_the_names_of_markup_are_read() -> None:
    data = b"<order><card><number>4111111111111111</number><code>123</code></card><m>jane@example.com</m></order>"
    result = find_fields(Part("request.body", data, Media.TEXT), Budget(), taxonomy())
    assert {(each.path, each.category) for each in result.fields} == {
        ("request.body.order.m", EMAIL),
        ("request.body.order.card.number", CARD),
        ("request.body.order.card.code", CVV),
    }


def test_what_cannot_be_parsed_is_said_and_still_searched() -> None:
    broken = b'{"email": "jane@example.com", "na'
    result = find_fields(Part("body", broken, Media.JSON), Budget(), taxonomy())
    assert (result.uninspectable, [each.category for each in result.fields]) == (("syntax",), [EMAIL])
    cut = find_fields(Part("body", broken, Media.JSON, truncated=True), Budget(), taxonomy())
    assert cut.uninspectable == ("truncated",)


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 10_000 + b"]" * 10_000,
        b'{"a":' * 500 + b"1" + b"}" * 500,
        json.dumps(list(range(50_000))).encode(),
        b'{"a":"' + b"@" * 2_000_000 + b'"}',
        json.dumps({f"mail{index}x": f"a{index}@example.com" for index in range(1_000)}).encode(),
    ],
    ids=["deep array", "deep object", "wide", "long", "many fields"],
)
def test_a_hostile_part_ends_within_its_budget_and_says_so(data: bytes) -> None:
    result = find_fields(Part("body", data, Media.JSON), Budget(), taxonomy())
    assert "over-budget" in result.uninspectable
    assert len(result.fields) <= Budget().fields


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text() | st.sampled_from(["email", "lat", "lng", "card", "name"]), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(JSON)
@settings(max_examples=100, deadline=None)
def test_no_json_makes_it_raise(value: Any) -> None:
    data = json.dumps(value).encode("utf-8", "surrogatepass")
    for media in Media:
        first = find_fields(Part("body", data, media), Budget(), taxonomy())
        assert first == find_fields(Part("body", data, media), Budget(), taxonomy())


@given(st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_no_bytes_make_it_raise(data: bytes) -> None:
    for media in Media:
        find_fields(Part("body", data, media), Budget(), taxonomy())


KEYS = [
    "email",
    "first_name",
    "password",
    "cvv",
    "phone",
    "city",
    "ssn",
    "customer",
    "note",
    "address",
    "lat",
    "card_number",
]
SECRETS = st.one_of(
    st.from_regex(r"[a-z]{6,12}@[a-z]{5,12}\.(com|de)", fullmatch=True),
    st.from_regex(r"[1-9][0-9]{7,18}", fullmatch=True),
    st.from_regex(r"[A-Z][a-z]{3,9} [A-Z][a-z]{3,9}", fullmatch=True),
    st.from_regex(r"[0-9a-f]{8}-[0-9]{4}-[0-9a-f]{12}", fullmatch=True),
    st.from_regex(r"[a-z0-9]{41,60}", fullmatch=True),
)


@given(secret=SECRETS, keys=st.lists(st.sampled_from(KEYS), min_size=1, max_size=3))
@settings(max_examples=200, deadline=None)
def test_nothing_that_was_planted_comes_out(secret: str, keys: list[str]) -> None:
    value: Any = {secret: {"email": secret, "x": [secret]}}
    for key in keys:
        value = {key: secret, secret: value, "inner": json.dumps({secret: secret}), "list": [secret, {key: secret}]}
    assert secret not in repr(scan(value))
    form = Part("query", f"{secret}={secret}&{keys[0]}={secret}".encode(), Media.FORM)
    assert secret not in repr(find_fields(form, Budget(), taxonomy()))


@pytest.mark.parametrize(
    "name", ["ada", "Ada", "grace", "jane_roe", "janeRoe", "li", "mark", "adaEmail", "customer_ada", "ada.email"]
)
def test_a_key_that_may_be_a_name_of_a_person_is_never_shown(name: str) -> None:
    result = scan({name: {"email": "jane@example.com"}})
    assert {each.path for each in result.fields} == {"properties.*.email"}


@pytest.mark.parametrize(
    "key",
    ["shippingAddress", "order_details", "customer-info", "lineItems", "user_data2", "contact[primary]", "utm_params"],
)
def test_names_that_schemas_are_made_of_stay_readable(key: str) -> None:
    (path,) = {each.path for each in scan({key: {"email": "jane@example.com"}}).fields}
    assert "*" not in path


def test_a_hidden_key_is_read_the_same_the_second_time_and_not_remembered() -> None:
    reader = taxonomy().keys
    assert reader.read("zebedee") == reader.read("zebedee")
    assert "zebedee" not in repr(vars(reader))


def test_a_body_is_read_by_what_it_is_and_not_by_what_the_sender_calls_it() -> None:
    card = b'{"card": {"number": "4111111111111111"}}'
    for media in (Media.FORM, Media.TEXT, Media.JSON):
        scan = find_fields(Part("body", card, media), Budget(), taxonomy())
        assert [field.category for field in scan.fields] == ["user.financial.credit_card.number"], media


def test_markup_that_cannot_be_read_is_searched_but_never_called_clean() -> None:
    for media in (Media.FORM, Media.TEXT, Media.JSON):
        scan = find_fields(Part("body", b"<pay><pan>4111111111111111</pay>", media), Budget(), taxonomy())
        assert "user.financial.credit_card.number" in {field.category for field in scan.fields}
        assert "markup" in scan.uninspectable
