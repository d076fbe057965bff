"""Where the shop itself receives data: the region that answered, else what the register says of the host or the service."""

from detectors.classify.places import CloudRegions
from detectors.register import Register
from topics.flow import Place
from topics.observation import Observation

_NOWHERE = Place()
_LONGEST = 64


def own_place(observation: Observation, register: Register, regions: CloudRegions) -> Place:
    """Give the place; `Place()` where neither the record nor the register tells it. Never raises."""
    if observation.region and len(observation.region) <= _LONGEST:
        code = observation.region.lower().replace(" ", "")
        # Google's records name a zone, which is a region and a letter; Microsoft's may have spaces.
        place = register.own_places.get(("region", code)) or regions.by_code.get(code) or regions.by_code.get(code[:-2])
        if place is not None and place.country:
            return Place(place.country, place.subdivision, "cloud-region")
    if not register.own_places:
        return _NOWHERE
    host = (observation.host or "").partition(":")[0].lower()
    return (
        register.own_places.get(("host", host)) or register.own_places.get(("service", observation.service)) or _NOWHERE
    )
