"""Where an address of a cloud is: the lists of ranges that the clouds publish, by longest prefix.

Formats, as published: Amazon's ip-ranges.json, Google's cloud.json, Microsoft's ServiceTags_Public.json. What answers
everywhere (content networks, accelerators, anycast) is nowhere, and never a country.
"""

import ipaddress
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import orjson

from detectors.classify.places import CloudRegions
from topics.flow import Place

_NOWHERE = Place()
_CACHED = 65_536
_MAX_ADDRESS = 45
_EVERYWHERE = frozenset(
    {
        "CLOUDFRONT",
        "CLOUDFRONT_ORIGIN_FACING",
        "GLOBALACCELERATOR",
        "ROUTE53",
        "AzureFrontDoor",
        "AzureTrafficManager",
        "AzureCDN",
    }
)
_Row = tuple[str, Place]
_Table = dict[int, dict[int, Place]]


class RangesProblem(Exception):
    """A file that is none of the lists, in one line."""


class CloudRanges:
    """Places by network. `place_of` remembers what it was asked last."""

    def __init__(self, rows: Iterator[_Row]) -> None:
        self._tables: dict[int, _Table] = {4: {}, 6: {}}
        for text, place in rows:
            network = _network(text)
            if network is None:
                continue
            table = self._tables[network.version].setdefault(network.prefixlen, {})
            number = int(network.network_address) >> (network.max_prefixlen - network.prefixlen)
            known = table.setdefault(number, place)
            if known != place:
                # Two services of one network in two places prove neither; one that is everywhere outweighs all.
                table[number] = _NOWHERE
        self._lengths = {version: sorted(table, reverse=True) for version, table in self._tables.items()}
        self.place_of = lru_cache(_CACHED)(self._place_of)
        """Give the place of an address, or `Place()`. Never raises."""

    def __len__(self) -> int:
        return sum(len(table) for tables in self._tables.values() for table in tables.values())

    def _place_of(self, address: str) -> Place:
        if len(address) > _MAX_ADDRESS:
            return _NOWHERE
        try:
            asked = ipaddress.ip_address(address)
        except ValueError:
            return _NOWHERE
        number, tables = int(asked), self._tables[asked.version]
        for length in self._lengths[asked.version]:
            found = tables[length].get(number >> (asked.max_prefixlen - length))
            if found is not None:
                return found
        return _NOWHERE


def read_rows(data: bytes, regions: CloudRegions) -> list[_Row]:
    """Read one list: its networks with their places. Raises RangesProblem."""
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise RangesProblem("is not JSON") from None
    if isinstance(document, dict):
        if isinstance(document.get("values"), list):
            return list(_azure(document["values"], regions.by_cloud.get("azure", {})))
        prefixes = document.get("prefixes")
        if isinstance(prefixes, list):
            more = document.get("ipv6_prefixes")
            listed = [each for each in (*prefixes, *(more if isinstance(more, list) else ())) if isinstance(each, dict)]
            if any("scope" in each for each in listed):
                return list(_google(listed, regions.by_cloud.get("gcp", {})))
            if any("region" in each for each in listed):
                return list(_amazon(listed, regions.by_cloud.get("aws", {})))
    raise RangesProblem(
        "is none of ip-ranges.json (Amazon), cloud.json (Google) and ServiceTags_Public.json (Microsoft)"
    )


def _amazon(prefixes: list[dict[str, Any]], known: Mapping[str, Place]) -> Iterator[_Row]:
    for each in prefixes:
        place = _NOWHERE if each.get("service") in _EVERYWHERE else known.get(str(each.get("region")), _NOWHERE)
        yield str(each.get("ip_prefix") or each.get("ipv6_prefix")), place


def _google(prefixes: list[dict[str, Any]], known: Mapping[str, Place]) -> Iterator[_Row]:
    for each in prefixes:
        yield str(each.get("ipv4Prefix") or each.get("ipv6Prefix")), known.get(str(each.get("scope")), _NOWHERE)


def _azure(values: list[Any], known: Mapping[str, Place]) -> Iterator[_Row]:
    for each in values:
        properties = each.get("properties") if isinstance(each, dict) else None
        if not isinstance(properties, dict):
            continue
        region, service = str(properties.get("region") or ""), str(properties.get("systemService") or "")
        # A tag without region gathers networks of all regions: what they are is in the tags of the regions.
        if not region and service not in _EVERYWHERE:
            continue
        place = _NOWHERE if service in _EVERYWHERE else known.get(region, _NOWHERE)
        prefixes = properties.get("addressPrefixes")
        yield from ((str(prefix), place) for prefix in (prefixes if isinstance(prefixes, list) else ()))


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        return None
