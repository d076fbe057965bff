"""Places of IP addresses, from a database file in MaxMind's format (MaxMind DB file format specification 2.0).

The file is mapped into memory and read by the C extension of `maxminddb`. The reader in pure Python is 12 to 15 times slower: a
monitor that falls back to it in silence falls behind, so it is refused.
"""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import maxminddb

from detectors.classify.origin import IP_DATABASE, Remembered
from detectors.law.iso import COUNTRIES, SUBDIVISIONS
from topics.flow import Place

_NOWHERE = Place()
_MAX_ADDRESS = 45
"""An IPv6 address with an IPv4 tail."""

_STATES = (
    "AL Alabama,AK Alaska,AZ Arizona,AR Arkansas,CA California,CO Colorado,CT Connecticut,DE Delaware,DC District of Columbia,"
    "FL Florida,GA Georgia,HI Hawaii,ID Idaho,IL Illinois,IN Indiana,IA Iowa,KS Kansas,KY Kentucky,LA Louisiana,ME Maine,"
    "MD Maryland,MA Massachusetts,MI Michigan,MN Minnesota,MS Mississippi,MO Missouri,MT Montana,NE Nebraska,NV Nevada,"
    "NH New Hampshire,NJ New Jersey,NM New Mexico,NY New York,NC North Carolina,ND North Dakota,OH Ohio,OK Oklahoma,OR Oregon,"
    "PA Pennsylvania,RI Rhode Island,SC South Carolina,SD South Dakota,TN Tennessee,TX Texas,UT Utah,VT Vermont,VA Virginia,"
    "WA Washington,WV West Virginia,WI Wisconsin,WY Wyoming"
)
_PROVINCES = (
    "AB Alberta,BC British Columbia,MB Manitoba,NB New Brunswick,NL Newfoundland and Labrador,NS Nova Scotia,NT Northwest "
    "Territories,NU Nunavut,ON Ontario,PE Prince Edward Island,QC Quebec,SK Saskatchewan,YT Yukon"
)
_NAMED = {
    (country, name.lower()): f"{country}-{code}"
    for country, names in (("US", _STATES), ("CA", _PROVINCES))
    for code, _, name in (each.partition(" ") for each in names.split(","))
} | {("CA", "québec"): "CA-QC", ("US", "washington, d.c."): "US-DC"}
"""States and provinces by their English names, for databases that have no codes (DB-IP Lite)."""


class GeoProblem(Exception):
    """A database that cannot be used, in one line that says what to do."""


class GeoDatabase:
    """An open database: a `PlaceOfAddress`. `place_of` remembers what it was asked last."""

    def __init__(self, file: Path) -> None:
        """Open the file. Raises GeoProblem."""
        self._reader = _opened(file)
        metadata = self._reader.metadata()
        told = (metadata.database_type, metadata.build_epoch, metadata.node_count, file.stat().st_size)
        self.digest = hashlib.sha256(repr(told).encode("utf-8", "surrogatepass")).hexdigest()
        """Names the release of the database, so that verdicts under another one can be told apart."""
        self.place_of = Remembered(_Reading(self._reader)).place_of
        """Give the place of an address, or `Place()`."""


class _Reading:
    def __init__(self, reader: maxminddb.Reader) -> None:
        self._reader = reader

    def place_of(self, address: str) -> Place:
        if len(address) > _MAX_ADDRESS:
            return _NOWHERE
        try:
            record = self._reader.get(address)
        except (TypeError, ValueError, maxminddb.InvalidDatabaseError):
            # Not an address, an IPv6 one in a database of IPv4, or a damaged record: nobody knows.
            return _NOWHERE
        return place_in(record)


def _opened(file: Path) -> maxminddb.Reader:
    try:
        return maxminddb.open_database(os.fspath(file), maxminddb.MODE_MMAP_EXT)
    except OSError as error:
        raise GeoProblem(f"cannot be read ({error.strerror or 'input error'})") from None
    except maxminddb.InvalidDatabaseError:
        raise GeoProblem("is not a database in MaxMind's format (.mmdb)") from None
    except ValueError:
        raise GeoProblem(
            "the C extension of maxminddb is missing, and its reader in pure Python is too slow for a stream: install a wheel of "
            "maxminddb for this platform, or build it with a C compiler and libmaxminddb"
        ) from None


def place_in(record: object) -> Place:
    """Read a record of MaxMind's own shape (`country.iso_code`, `subdivisions`) or of a flat one (`country_code`, `state1`)."""
    if not isinstance(record, Mapping):
        return _NOWHERE
    country = _code(record.get("country_code")) or _iso(record.get("country"))
    if country not in COUNTRIES:
        return _NOWHERE
    return Place(country, _subdivision(record, country), IP_DATABASE)


def _subdivision(record: Mapping[str, Any], country: str) -> str:
    parts = record.get("subdivisions")
    if isinstance(parts, list) and parts:
        code = f"{country}-{_iso(parts[0])}"
        return code if code in SUBDIVISIONS else ""
    name = record.get("state1")
    return _NAMED.get((country, name.strip().lower()), "") if isinstance(name, str) else ""


def _iso(node: object) -> str:
    return _code(node.get("iso_code")) if isinstance(node, Mapping) else _code(node)


def _code(value: object) -> str:
    return value.upper() if isinstance(value, str) and 1 < len(value) <= 3 else ""
