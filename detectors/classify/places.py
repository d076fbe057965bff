"""Where a host is, as its own name tells: the region codes of clouds, from `detectors/law/cloud_regions.yaml`."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Protocol, Self

import msgspec
from pydantic import StringConstraints, model_validator

from detectors.documents import Problem, Written, read
from detectors.law.fact import NOT_EMPTY, Confidence, Day, PlaceCode, Text
from topics.flow import Place

_NOWHERE = Place()
_MAX_HOST = 253
"""RFC 1035: a longer name is not a host."""
_MAX_REGION_WORDS = 4
_LABEL = re.compile(r"[a-z0-9_-]+\Z", re.ASCII)


class Region(Written):
    """One region of a cloud."""

    code: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+$", max_length=40)]
    country: PlaceCode
    subdivision: PlaceCode | None = None
    confidence: Confidence
    subdivision_confidence: Confidence | None = None

    @model_validator(mode="after")
    def _lies_in_its_country(self) -> Self:
        if self.subdivision and not self.subdivision.startswith(f"{self.country}-"):
            raise ValueError("the subdivision lies in another country")
        return self


class HostForm(Written):
    """How hosts with one ending name their region."""

    suffix: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$")]
    forms: tuple[Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]*\{\}(-\*|[a-z0-9-]*)$")], ...] = ("{}",)
    """A label with the region: `{}` alone, `s3-{}`, or `{}-*` for one that only begins with it."""
    chosen_left_of: tuple[str, ...] = ()
    """Labels left of which customers choose the words, which then prove nothing."""


class Cloud(Written):
    """A provider, its hosts and its regions."""

    id: Text
    hosts: Annotated[tuple[HostForm, ...], NOT_EMPTY]
    source: Annotated[tuple[Text, ...], NOT_EMPTY]
    regions: tuple[Region, ...]

    @model_validator(mode="after")
    def _names_each_region_once(self) -> Self:
        codes = [region.code for region in self.regions]
        twice = sorted({code for code in codes if codes.count(code) > 1})
        if twice:
            raise ValueError(f"region {twice[0]} stands here twice")
        return self


class CloudRegionsFile(Written):
    """The file of regions."""

    checked_on: Day
    clouds: tuple[Cloud, ...]

    @model_validator(mode="after")
    def _says_each_suffix_once(self) -> Self:
        seen: set[str] = set()
        for suffix in (host.suffix for cloud in self.clouds for host in cloud.hosts):
            if suffix in seen:
                raise ValueError(f"suffix {suffix} stands here twice")
            seen.add(suffix)
        return self


class _Ending(msgspec.Struct, frozen=True):
    """What hosts with one ending can say."""

    labels: Mapping[str, Place]
    """By whole label."""
    beginnings: Mapping[str, Place]
    """By the words up to a hyphen that a label begins with."""
    chosen_left_of: frozenset[str]


class AddressPlaces(Protocol):
    """Tells where an address is."""

    def place_of(self, address: str) -> Place:
        """Give the place, or `Place()`. Never raises."""
        ...


class CloudRegions(msgspec.Struct, frozen=True, eq=False):
    """Regions by the word that names them, for each ending of a host."""

    endings: Mapping[str, _Ending] = msgspec.field(default_factory=dict)
    by_cloud: Mapping[str, Mapping[str, Place]] = msgspec.field(default_factory=dict)
    """Regions by their code, by the cloud's id."""
    by_code: Mapping[str, Place] = msgspec.field(default_factory=dict)
    """Regions by their code, where no two clouds mean different places by it."""
    ranges: AddressPlaces | None = None
    """Places of addresses, where the operator has the clouds' lists."""

    def place_of_host(self, host: str) -> Place:
        """Give the place that the name tells; `Place()` for a global, unknown or malformed one.

        A content network answers everywhere, so a name without a region is never a country.
        """
        return _place_of_host(self, host) if len(host) <= _MAX_HOST else _NOWHERE

    def place_of_address(self, address: str) -> Place:
        """Give the place of a cloud's address; `Place()` for one that is everywhere, unknown or malformed."""
        return self.ranges.place_of(address) if self.ranges is not None and address else _NOWHERE


@lru_cache(maxsize=8192)
def _place_of_host(regions: CloudRegions, host: str) -> Place:
    labels = host.lower().rstrip(".").split(".")
    for cut in range(1, len(labels) - 1):
        ending = regions.endings.get(".".join(labels[cut:]))
        if ending is not None:
            return _place_of_labels(labels[:cut], ending)
    return _NOWHERE


def _place_of_labels(labels: list[str], ending: _Ending) -> Place:
    found: set[Place] = set()
    # From the right: what stands left of a chosen name is the customer's wording.
    for label in reversed(labels):
        if not _LABEL.match(label):
            return _NOWHERE
        place = ending.labels.get(label) or _beginning(label, ending.beginnings)
        if place is not None:
            found.add(place)
        if label in ending.chosen_left_of:
            break
    # Two regions in one name prove neither.
    return found.pop() if len(found) == 1 else _NOWHERE


def _beginning(label: str, beginnings: Mapping[str, Place]) -> Place | None:
    if not beginnings:
        return None
    words = label.split("-")
    for end in range(min(len(words) - 1, _MAX_REGION_WORDS), 0, -1):
        place = beginnings.get("-".join(words[:end]))
        if place is not None:
            return place
    return None


def compiled(file: CloudRegionsFile) -> CloudRegions:
    """Build the look-up of a file. Regions that are only recalled tell nothing."""
    by_cloud = {cloud.id: _places(cloud) for cloud in file.clouds}
    by_code: dict[str, Place] = {}
    for places in by_cloud.values():
        for code, place in places.items():
            by_code[code] = place if by_code.get(code, place) == place else _NOWHERE
    endings = {host.suffix: _ending(host, by_cloud[cloud.id]) for cloud in file.clouds for host in cloud.hosts}
    return CloudRegions(endings, by_cloud, by_code)


def _places(cloud: Cloud) -> dict[str, Place]:
    places: dict[str, Place] = {}
    for region in cloud.regions:
        if region.confidence is Confidence.VERIFIED:
            sure = region.subdivision_confidence is not Confidence.RECALLED
            places[region.code] = Place(region.country, (region.subdivision or "") if sure else "", "host")
    return places


def _ending(host: HostForm, places: Mapping[str, Place]) -> _Ending:
    whole = [form for form in host.forms if not form.endswith("-*")]
    return _Ending(
        {form.replace("{}", code): place for form in whole for code, place in places.items()},
        dict(places) if len(whole) < len(host.forms) else {},
        frozenset(host.chosen_left_of),
    )


def place_of_host(host: str, regions: CloudRegions) -> Place:
    """Give the place that a host's name tells: see `CloudRegions.place_of_host`."""
    return regions.place_of_host(host)


def read_regions(text: str, file: str) -> tuple[CloudRegions | None, list[Problem]]:
    """Read the file of regions: the look-up, or every mistake with its line."""
    document, problems = read(text, file, CloudRegionsFile)
    return (compiled(document) if document else None), problems
