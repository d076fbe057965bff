"""What classification knows of the shop and the world."""

import msgspec

from detectors.classify.goods import GoodsReader
from detectors.classify.origin import NoAddresses, PlaceOfAddress
from detectors.classify.places import CloudRegions
from detectors.classify.recipients import RecipientIndex
from detectors.classify.steps import StepMap
from detectors.classify.taxonomy import Taxonomy
from detectors.register import Register
from topics.flow import Place
from topics.subject import SubjectKey


class Knowledge(msgspec.Struct, frozen=True, kw_only=True):
    """What classification knows of the shop and the world. Made once for each snapshot."""

    key: SubjectKey
    domains: frozenset[str]
    """The shop's own registrable domains and host names."""
    recipients: RecipientIndex
    register: Register
    has_register: bool = False
    """Whether the shop keeps one at all: without it no recipient can be told to be missing from it."""
    taxonomy: Taxonomy
    steps: StepMap
    goods: GoodsReader
    regions: CloudRegions
    addresses: PlaceOfAddress = NoAddresses()
    """Tells the place of an IP address."""
    assumed_origin: Place = Place()
    """Where a person is whom no record places: for captures of one's own browser."""
    skew_ms: int = 300_000
    """How far an event may claim to be ahead of the broker's clock."""
