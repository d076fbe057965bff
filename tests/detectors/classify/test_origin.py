"""Where the person is: what wins, what is kept as a conflict, and what is somebody else's address."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.classify import origin
from detectors.classify.origin import CONFLICTS, NoAddresses, Origin, Remembered, origin_of
from topics.flow import Place
from topics.observation import Kind, Media, Observation, Part

NOWHERE = Place()


class Book:
    """A known place for one address; it counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def place_of(self, address: str) -> Place:
        self.asked += 1
        return Place("FR", "", "ip-database") if address == "192.0.2.1" else Place()


def seen(body: object = None, path: str = "request.body", media: Media = Media.JSON, **more: str) -> Observation:
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    parts = (Part(path, data, media),) if body is not None else ()
    return Observation(
        item=0,
        kind=Kind.REQUEST,
        source="test",
        parts=parts,
        country=more.get("country"),
        subdivision=more.get("subdivision"),
        place_source=more.get("place_source"),
        client_ip=more.get("client_ip"),
    )


def told(observation: Observation) -> Origin:
    return origin_of(observation, Book(), Place("BR", "", "assumed"))


def test_shipping_comes_before_billing_account_gateway_and_address() -> None:
    body = {
        "customer": {"address": {"country": "NL"}},
        "billing_address": {"country": "AT"},
        "shippingAddress": {"countryCode": "US", "state": "CA"},
    }
    everything = seen(body, country="CH", place_source="gateway-geo", client_ip="192.0.2.1")
    assert told(everything).place == Place("US", "US-CA", "declared-address")
    del body["shippingAddress"]
    assert told(seen(body, country="CH")).place == Place("AT", "", "declared-address")
    del body["billing_address"]
    assert told(seen(body, country="CH")).place == Place("NL", "", "account-address")
    assert told(seen({}, country="CH", place_source="gateway-geo")).place == Place("CH", "", "gateway-geo")
    assert told(seen({}, client_ip="192.0.2.1")).place == Place("FR", "", "ip-database")
    assert told(seen({}, client_ip="192.0.2.9")).place == Place("BR", "", "assumed")
    assert origin_of(seen({}), NoAddresses(), NOWHERE) == Origin()


def test_an_address_database_is_asked_only_where_nothing_else_speaks() -> None:
    book = Book()
    origin_of(seen({}, country="CH", client_ip="192.0.2.1"), book, NOWHERE)
    assert book.asked == 0


def test_a_place_is_looked_up_once_for_each_address() -> None:
    book = Book()
    remembered = Remembered(book)
    assert {remembered.place_of("192.0.2.1") for _ in range(100)} == {Place("FR", "", "ip-database")}
    assert book.asked == 1


def test_what_a_weaker_source_says_otherwise_is_kept_as_a_conflict() -> None:
    body = {"shipping_address": {"country": "DE"}}
    german_abroad = told(seen(body, country="US", subdivision="US-CA", place_source="gateway-geo"))
    assert german_abroad == Origin(Place("DE", "", "declared-address"), "country", Place("US", "US-CA", "gateway-geo"))
    body = {"shipping_address": {"country": "US", "state": "NY"}}
    elsewhere = told(seen(body, country="US", subdivision="US-CA", place_source="gateway-geo"))
    assert (elsewhere.place.subdivision, elsewhere.conflict, elsewhere.rival.subdivision) == (
        "US-NY",
        "subdivision",
        "US-CA",
    )
    assert {german_abroad.conflict, elsewhere.conflict} <= CONFLICTS


def test_an_agreeing_source_makes_a_country_more_exact_and_is_then_the_source() -> None:
    exact = told(seen({"shipping": {"country": "US"}}, country="US", subdivision="US-CA", place_source="gateway-geo"))
    assert exact == Origin(Place("US", "US-CA", "gateway-geo"))


@pytest.mark.parametrize(
    "body",
    [
        {"from_address": {"country": "CN"}},
        {"sender": {"address": {"country": "CN"}}},
        {"warehouse": {"address": {"country": "CN"}}},
        {"country": "CN"},
        {"customer": {"country": "CN"}},
        {"shipping": {"carrier": {"country": "CN"}}},
        {"shipping_address": {"country": "China"}},
        {"shipping_address": {"country": "XX"}},
        {"shipping_address": {"country": ["CN"]}},
        {"shipping_address": {"country": None}},
        b'{"shipping_address": {"country": "CN"',
    ],
)
def test_somebody_elses_address_and_what_is_no_code_place_nobody(body: object) -> None:
    assert told(seen(body)).place.source == "assumed"


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"order": {"shipping_address": {"country_code": "gb"}}}, Place("GB", "", "declared-address")),
        ({"shipping": {"address": {"country": "US", "state": "US-TX"}}}, Place("US", "US-TX", "declared-address")),
        (
            {"addresses": [], "shippingAddress": [{"countryCode": "CA", "region": "QC"}]},
            Place("CA", "CA-QC", "declared-address"),
        ),
        ({"to_address": {"country": "US", "state": "Texas"}}, Place("US", "", "declared-address")),
    ],
)
def test_addresses_are_found_as_shops_write_them(body: object, place: Place) -> None:
    assert told(seen(body)).place == place


def test_the_traits_of_an_event_are_the_account() -> None:
    assert told(seen({"address": {"country": "SE"}}, path="context.traits")).place == Place("SE", "", "account-address")


def test_a_form_with_brackets_is_read_like_the_object_it_describes() -> None:
    form = b"amount=5&shipping%5Baddress%5D%5Bcountry%5D=DE&shipping[address][state]=BE&billing[country]=AT"
    found = told(seen(form, media=Media.FORM))
    assert found == Origin(Place("DE", "DE-BE", "declared-address"), "country", Place("AT", "", "declared-address"))


def test_a_deep_or_long_body_ends_within_its_budget() -> None:
    inner = b'{"shipping_address":{"country":"DE"}}'
    assert told(seen(b'{"x":' * 900 + inner + b"}" * 900)).place.country == "DE"
    assert told(seen(b'{"x":' * 100_000 + inner + b"}" * 100_000)).place.source == "assumed"
    many = {"items": [{"country": "x", "k": {"a": 1}}] * 50_000}
    assert told(seen(many)).place.source == "assumed"


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["DE", "US", "CA", "country", "\ud800"]) | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.sampled_from(["shipping", "address", "country", "state"]) | st.text(), inner)
    ),
)


@given(document=_json, form=st.binary())
def test_no_body_breaks_it(document: object, form: bytes) -> None:
    try:
        data = orjson.dumps(document)
    except TypeError:
        data = b'{"country": '
    for observation in (seen(data), seen(b"country" + form), seen(b"a[country]=" + form, media=Media.FORM)):
        place = told(observation)
        assert place.conflict in CONFLICTS
        assert len(place.place.country) == 2


def test_the_cheap_gate_lets_every_known_key_of_an_address_through() -> None:
    keys = [key for key, kind in origin._KEYS.items() if kind < origin._PERSON] + sorted(origin._ADDRESSES)
    for key in keys:
        assert origin._may_address(f"{key} country".encode()), key
