"""Names of fields by kind: other languages, whose something is, values whose name stands elsewhere, and what only looks alike."""

import json
from typing import Any

import pytest

from detectors.classify.fields import Budget, find_fields
from tests.detectors.classify.shipped import taxonomy
from topics.observation import Media, Part

NAME = "user.name"
PHONE = "user.contact.phone_number"
STREET = "user.contact.address.street"
CITY = "user.contact.address.city"
POSTAL = "user.contact.address.postal_code"
STATE = "user.contact.address.state"
COUNTRY = "user.contact.address.country"
BORN = "user.demographic.date_of_birth"
CARD = "user.financial.credit_card.number"
SECRET = "user.authorization.credentials"


def found(value: Any) -> set[tuple[str, str]]:
    scan = find_fields(Part("", json.dumps(value, ensure_ascii=False).encode(), Media.JSON), Budget(), taxonomy())
    return {(field.path, field.category) for field in scan.fields}


def categories(value: Any) -> set[str]:
    return {category for _, category in found(value)}


@pytest.mark.parametrize(
    ("key", "value", "category"),
    [
        ("vorname", "Anke", NAME), ("Nachname", "Krüger", NAME), ("geburtsdatum", "01.02.1990", BORN), ("straße", "Ringweg", STREET), ("Hausnummer", "12a", STREET),
        ("postleitzahl", "20095", POSTAL), ("wohnort", "Hamburg", CITY), ("telefonnummer", "040 123456", PHONE), ("passwort", "geheim-1", SECRET), ("prénom", "Camille", NAME),
        ("code_postal", "69003", POSTAL), ("codePostalLivraison", "69003", POSTAL), ("date_de_naissance", "21/08/1991", BORN), ("motDePasse", "secret-1", SECRET), ("apellidos", "García Pérez", NAME),
        ("código_postal", "28013", POSTAL), ("fechaNacimiento", "03/04/1985", BORN), ("contraseña", "clave-1", SECRET), ("cognome", "Ferri", NAME), ("codice_postale", "00184", POSTAL),
        ("data_di_nascita", "10/12/1985", BORN), ("voornaam", "Sanne", NAME), ("geboortedatum", "01-02-1990", BORN), ("woonplaats", "Utrecht", CITY), ("wachtwoord", "geheim-1", SECRET),
        ("imię", "Zofia", NAME), ("kod_pocztowy", "31-147", POSTAL), ("miejscowość", "Kraków", CITY), ("hasło", "tajne-1", SECRET), ("sobrenome", "Lima", NAME),
        ("dataNascimento", "02/05/1987", BORN), ("senha", "segredo-1", SECRET), ("фамилия", "Смирнова", NAME), ("дата_рождения", "01.02.1990", BORN), ("почтовый_индекс", "420111", POSTAL),
        ("氏名", "小林 桃子", NAME), ("郵便番号", "150-0001", POSTAL), ("生年月日", "1990-05-01", BORN), ("手机号", "13812345678", PHONE), ("收货人", "王小明", NAME),
    ],
)  # fmt: skip
def test_names_of_other_languages_tell_what_they_mean(key: str, value: str, category: str) -> None:
    assert categories({key: value}) == {category}
    assert categories({"order": {"customer": {key: value}}}) == {category}


@pytest.mark.parametrize(
    ("key", "value", "category"),
    [
        ("giftRecipientEmail", "jane@example.com", "user.contact.email"), ("guarantor_phone_number", "+1 415 555 0101", PHONE), ("emergencyContactPhone", "+1 415 555 0101", PHONE),
        ("AVSaddress1", "1 Main St", STREET), ("AVScity", "Ottawa", CITY), ("AVSname", "Jane Roe", NAME), ("vpc_CardExp", "2105", "user.financial.credit_card.expiry"),
        ("ciudad_facturacion", "Madrid", CITY), ("address_to_city", "Ulm", CITY), ("to_state", "NJ", STATE), ("RelayConnectionPassword", "zbp8X1ykGZ", SECRET),
        ("ＥＭＡＩＬ", "jane@example.com", "user.contact.email"),
    ],
)  # fmt: skip
def test_a_name_is_told_by_its_last_words_and_without_somebodys_prefix(key: str, value: str, category: str) -> None:
    assert categories({key: value}) == {category}


@pytest.mark.parametrize(
    ("value", "path", "category"),
    [
        ({"fields": [{"name": "firstname", "value": "Jane"}]}, "fields[].value", NAME),
        ({"note_attributes": [{"name": "date_of_birth", "value": "1990-01-31"}]}, "note_attributes[].value", BORN),
        ({"meta_data": [{"key": "_billing_phone", "value": "+1 415 555 0101"}]}, "meta_data[].value", PHONE),
        ({"properties": {"lastname": {"value": "Roe", "timestamp": 1}}}, "properties.lastname.value", NAME),
        ({"phone": {"country_code": "+44", "number": "2079460018"}}, "phone.number", PHONE),
        ({"dob": {"day": 14, "month": 3, "year": 1988}}, "dob.year", BORN),
        ({"customer": {"id": "c-1"}}, "customer.id", "user.unique_id"),
        ({"device": {"token": "ff15bc0c20c4aa6cd508"}}, "device.token", "user.device.device_id"),
        ({"billing_address": {"title": "Dr.", "city": "Ulm"}}, "billing_address.title", NAME),
    ],
)
def test_a_value_is_told_by_the_name_beside_or_above_it(value: Any, path: str, category: str) -> None:
    assert (path, category) in found(value)


@pytest.mark.parametrize(
    "value",
    [
        {"stores": [{"name": "Berlin Mitte", "address": {"street": "Torstraße 1", "city": "Berlin", "zip": "10119"}, "phone": "+49 30 1234567"}]},
        {"seller": {"address": {"city": "Berlin", "line1": "Torstraße 1", "postal_code": "10119"}}},
        {"warehouse": {"location": {"lat": 52.52867, "lng": 13.40156}}},
        {"shipment": {"origin": {"address": {"city": "Lille", "streetAddress": "9 Dock Road"}}}},
        {"almacen": {"direccion": "Calle Mayor 8", "ciudad": "Madrid"}},
        {"order": {"number": "4111111111111111"}, "tracking": {"code": "4111111111111111"}},
        {"product": {"title": "Victoria Dress", "manufacturer": {"name": "Paul Smith"}, "colour": "Rose", "genre": "Rock"}},
        {"produkt": {"name": "Tischlampe Anna", "preis": 49.9}},
        {"userFields": {"userField": [{"name": "colour", "value": "blue"}]}},
        {"customer": {"state": "disabled"}, "invoice_prefix": "AB12CD", "email_verified": True},
        {"os_name": "iOS", "app_name": "Lamps", "country_state_list": 3},
        {"sender_address": 1, "defaultShippingAddress": 0},
        {"billing_descriptor": {"name": "LAMPS", "city": "London"}},
        {"title": "VP Operations", "prefix": "INV", "suffix": "-2026"},
        {"OAuth": {"client_id": "lampshop-web"}, "advertiser_id": "adv-221", "adId": "4242"},
        {"items": [{"name": "Grace", "price": 12, "city": "Paris Mug"}], "version": "10.2.33.44"},
        {"key": "pk_test_51Invented00000000", "api_key": "demo"},
    ],
)  # fmt: skip
def test_what_belongs_to_shops_and_things_is_left_alone(value: Any) -> None:
    assert found(value) == set()


def test_a_person_below_a_shop_is_a_person_again() -> None:
    assert found({"store": {"customers": [{"address": {"city": "Ulm"}}], "contact": {"first_name": "Jane"}}}) == {
        ("store.customers[].address.city", CITY),
        ("store.contact.first_name", NAME),
    }


def test_a_shop_in_the_key_itself_counts_as_one_above() -> None:
    data = b"store[city]=Berlin&store[address][zip]=10119&customer[city]=Ulm"
    scan = find_fields(Part("", data, Media.FORM), Budget(), taxonomy())
    assert {(each.path, each.category) for each in scan.fields} == {("customer.city", CITY)}


@pytest.mark.parametrize(
    ("key", "value"),
    [("api_key", "9d1f2c3b4a59687766"), ("clientSecret", "9f8e7d6c5b4a3928"), ("merchantAuthentication.transactionKey", "346HZ32z3fP4hTG2")],
)  # fmt: skip
def test_a_key_of_a_program_is_told_and_is_no_data_of_a_person(key: str, value: str) -> None:
    assert categories({key: value}) == {"system.credentials"}
    assert not taxonomy().is_sensitive("system.credentials", "US-CA")


@pytest.mark.parametrize("value", ["2313", "7A3CBEA0-BDF5-11E4-8DFC-AA07A5B093DB", "ab" * 32])
def test_a_name_that_says_advertising_identifier_is_believed(value: str) -> None:
    assert categories({"advertisingId": value}) == {"user.device.advertising_id"}
    assert categories({"context": {"madId": value}}) == {"user.device.advertising_id"}


@pytest.mark.parametrize("value", ["00000000-0000-0000-0000-000000000000", "0", ""])
def test_the_zero_identifier_means_refused(value: str) -> None:
    assert categories({"advertisingId": value, "idfa": value}) == set()


def test_a_telephone_number_inside_of_a_sentence_is_found() -> None:
    assert categories({"body": "please call +44 20 7946 0958 or come by"}) == {PHONE}
    assert categories({"body": "sent at 2026-11-25T10:11:12+02:00, +5 points, UTC+0530"}) == set()


def test_a_known_name_of_another_script_is_shown_and_any_other_is_not() -> None:
    assert {path for path, _ in found({"お客様": {"氏名": "小林 桃子"}})} == {"お客様.氏名"}
    assert {path for path, _ in found({"王": {"email": "a@example.com"}})} == {"*.email"}
