"""Places of addresses, on databases that the tests write themselves."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import maxminddb
import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from monitor.geo import GeoDatabase, GeoProblem, place_in
from topics.flow import Place


def database(folder: Path, records: Mapping[str, dict[str, Any]]) -> Path:
    writer = MMDBWriter(6, "test", languages=["en"], description="test", ipv4_compatible=True)
    for network, record in records.items():
        writer.insert_network(IPSet([network]), record)
    file = folder / "places.mmdb"
    writer.to_db_file(str(file))
    return file


def test_records_of_both_shapes_give_country_and_subdivision(tmp_path: Path) -> None:
    file = database(
        tmp_path,
        {
            "192.0.2.0/25": {"country": {"iso_code": "US"}, "subdivisions": [{"iso_code": "CA"}]},
            "192.0.2.128/25": {"country_code": "US", "state1": "California"},
            "198.51.100.0/24": {"country_code": "de", "state1": "Bavaria"},
            "2001:db8::/32": {"country_code": "CA", "state1": "Quebec"},
        },
    )
    places = GeoDatabase(file)
    assert places.place_of("192.0.2.1") == Place("US", "US-CA", "ip-database")
    assert places.place_of("192.0.2.200") == Place("US", "US-CA", "ip-database")
    assert places.place_of("198.51.100.7") == Place("DE", "", "ip-database")
    assert places.place_of("2001:db8::1") == Place("CA", "CA-QC", "ip-database")


@pytest.mark.parametrize(
    "address", ["203.0.113.9", "10.0.0.1", "", "not an address", "192.0.2.1:443", "1" * 5000, "::g", "\0"]
)
def test_an_address_that_nobody_knows_has_no_place(tmp_path: Path, address: str) -> None:
    assert GeoDatabase(database(tmp_path, {"192.0.2.0/24": {"country_code": "DE"}})).place_of(address) == Place()


@pytest.mark.parametrize(
    "record",
    [
        None,
        7,
        [],
        {},
        {"country": None},
        {"country_code": 5},
        {"country_code": "QQ"},
        {"country": {"iso_code": "DEU!"}},
    ],
)
def test_a_record_of_another_shape_gives_no_place(record: object) -> None:
    assert place_in(record) == Place()


def test_an_unknown_state_leaves_the_country() -> None:
    assert place_in({"country_code": "US", "state1": "Guam?"}) == Place("US", "", "ip-database")
    assert place_in({"country": {"iso_code": "US"}, "subdivisions": [{"iso_code": "XX"}]}) == Place(
        "US", "", "ip-database"
    )


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    other = tmp_path / "other.mmdb"
    other.write_bytes(b"not a database" * 1000)
    with pytest.raises(GeoProblem, match="MaxMind"):
        GeoDatabase(other)
    with pytest.raises(GeoProblem, match="cannot be read"):
        GeoDatabase(tmp_path / "absent.mmdb")


def test_without_the_c_extension_the_database_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = database(tmp_path, {"192.0.2.0/24": {"country_code": "DE"}})
    monkeypatch.setattr(maxminddb, "_extension", None, raising=False)
    monkeypatch.setattr(maxminddb, "HAS_EXTENSION", False, raising=False)
    monkeypatch.setattr(sys.modules["maxminddb"], "extension", None, raising=False)
    with pytest.raises(GeoProblem, match="C extension"):
        GeoDatabase(file)


def test_another_release_has_another_digest(tmp_path: Path) -> None:
    one = GeoDatabase(database(tmp_path, {"192.0.2.0/24": {"country_code": "DE"}}))
    (tmp_path / "b").mkdir()
    other = GeoDatabase(
        database(tmp_path / "b", {"192.0.2.0/24": {"country_code": "DE"}, "203.0.113.0/24": {"country_code": "FR"}})
    )
    assert one.digest != other.digest
