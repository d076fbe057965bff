"""Made-up people for the demo shop: nobody real, and every address, number and name is reserved for examples or invented."""

from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple


class Place(NamedTuple):
    """Where a visitor lives, and how addresses and telephone numbers look there."""

    country: str
    """ISO 3166-1 alpha-2."""
    region: str
    """Second part of the ISO 3166-2 code (`CA` for California); empty where the shop does not ask for one."""
    locale: str
    currency: str
    cities: tuple[tuple[str, str], ...]
    """City and postal code."""
    streets: tuple[str, ...]
    phone: str
    """Number set aside for fiction (NANP 555-01xx, Ofcom, Bundesnetzagentur, ARCEP), `%02d` left open."""
    given: tuple[str, ...]
    family: tuple[str, ...]


_US_STREETS = (
    "14 Larkspur Lane",
    "207 Mill Race Road",
    "88 Copperfield Avenue",
    "5 Heron Court",
    "931 Old Quarry Street",
)
_US_GIVEN = ("Marlow", "Odette", "Tamsin", "Ezra", "Juniper", "Callum", "Priya", "Rosalind", "Hugo", "Imani")
_US_FAMILY = ("Fairweather", "Okonjo", "Bramble", "Castellane", "Thistlewood", "Varga", "Pemberly", "Quillfeather")


def _state(code: str, *cities: tuple[str, str]) -> Place:
    return Place("US", code, "en-US", "USD", cities, _US_STREETS, "+1-202-555-01%02d", _US_GIVEN, _US_FAMILY)


CALIFORNIA = _state("CA", ("Sacramento", "95814"), ("Oakland", "94607"), ("San Diego", "92101"))
COLORADO = _state("CO", ("Denver", "80202"), ("Boulder", "80302"))
TEXAS = _state("TX", ("Austin", "78701"), ("Houston", "77002"))
CONNECTICUT = _state("CT", ("Hartford", "06103"), ("New Haven", "06510"))
VIRGINIA = _state("VA", ("Richmond", "23219"), ("Norfolk", "23510"))
OHIO = _state("OH", ("Columbus", "43215"), ("Cleveland", "44113"))
GERMANY = Place(
    *("DE", "", "de-DE", "EUR"),
    (("Berlin", "10115"), ("Köln", "50667"), ("Leipzig", "04109")),
    ("Lindenweg 12", "Am Mühlbach 3", "Kastanienallee 41", "Rosengasse 7"),
    "+49 30 23125 1%02d",
    ("Anneliese", "Björn", "Clarissa", "Detlef", "Friederike", "Jörg", "Leonie", "Ulrike"),
    ("Apfelbaum", "Grünspecht", "Sternhagel", "Weidenbusch", "Müßiggang", "Tannhof"),
)
FRANCE = Place(
    *("FR", "", "fr-FR", "EUR"),
    (("Lyon", "69002"), ("Nantes", "44000"), ("Lille", "59800")),
    ("3 rue des Tilleuls", "18 allée du Moulin", "27 impasse des Lavandes"),
    "+33 1 99 00 12 %02d",
    ("Amélie", "Bastien", "Églantine", "Gaspard", "Maëlle", "Théo"),
    ("Bellefontaine", "Chantereine", "Lavigerie", "Montclair", "Roussillon-Prat"),
)
BRITAIN = Place(
    *("GB", "", "en-GB", "GBP"),
    (("Leeds", "LS1 4AP"), ("Bristol", "BS1 5TR"), ("Cardiff", "CF10 1EP")),
    ("9 Bramley Close", "42 Wharfside", "1 Thornbury Mews"),
    "+44 20 7946 09%02d",
    ("Arabella", "Desmond", "Fergus", "Gwyneth", "Nadia", "Rufus"),
    ("Ashcombe", "Dunmore", "Featherstonhaugh", "Larkin-Moss", "Penhallow"),
)
QUEBEC = Place(
    *("CA", "QC", "fr-CA", "CAD"),
    (("Montréal", "H2Y 1C6"), ("Québec", "G1R 4P5")),
    ("120 rue de l'Érable", "64 chemin du Lac"),
    "+1-514-555-01%02d",
    ("Aurélie", "Étienne", "Maude", "Olivier"),
    ("Beausoleil", "Lafontaine-Roy", "Vertefeuille"),
)
OPT_OUT_STATES = (CALIFORNIA, COLORADO, TEXAS, CONNECTICUT, VIRGINIA)
"""States whose law in force gives a right to opt out of targeted advertising."""
OPT_IN_COUNTRIES = (GERMANY, FRANCE)
PLACES = (
    CALIFORNIA,
    CALIFORNIA,
    COLORADO,
    TEXAS,
    CONNECTICUT,
    VIRGINIA,
    OHIO,
    GERMANY,
    GERMANY,
    FRANCE,
    BRITAIN,
    QUEBEC,
)
"""Where visitors come from; a place that stands twice is twice as frequent."""

CARDS = (
    "4242424242424242",
    "4000056655665556",
    "4111111111111111",
    "5555555555554444",
    "6011111111111117",
    "378282246310005",
)
"""Test numbers that payment providers publish; none belongs to an account."""

_BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.4 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.4 Mobile/15E148 Safari/604.1",
)
_NETWORKS = ("192.0.2.", "198.51.100.", "203.0.113.")
_MAIL_HOSTS = ("example.com", "example.org", "example.net")
_ASCII = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "é": "e", "É": "e", "ë": "e", "è": "e", "-": None, " ": None}
)


@dataclass(slots=True)
class Visitor:
    """One made-up person, what they chose so far, and since when."""

    place: Place
    given: str
    family: str
    user_id: str
    anonymous_id: str
    email: str
    phone: str
    street: str
    city: str
    postal_code: str
    ip: str
    user_agent: str
    cloudfront: bool
    """The edge that this visitor came through: CloudFront's geography headers, otherwise Cloudflare's."""
    gpc: bool = False
    us_privacy: str = ""
    granted: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    chosen_at_ms: int | None = None
    steps: list[str] = field(default_factory=list)
    """What is left of the visit, last first."""

    @property
    def name(self) -> str:
        """The full name as it stands on a parcel."""
        return f"{self.given} {self.family}"

    @property
    def jurisdiction(self) -> str:
        """Country, with the region where there is one: `US-CA`, `DE`."""
        return f"{self.place.country}-{self.place.region}" if self.place.region else self.place.country


class Moment(NamedTuple):
    """A visitor doing something at a point in time, milliseconds since the epoch, with the chance that decides the details."""

    rng: Random
    visitor: Visitor
    at_ms: int


def address_of(visitor: Visitor) -> dict[str, str]:
    """Give the delivery address without name and telephone number."""
    address = {
        "street": visitor.street,
        "city": visitor.city,
        "postal_code": visitor.postal_code,
        "country": visitor.place.country,
    }
    if visitor.place.region:
        address["region"] = visitor.place.region
    return address


def identifier(rng: Random) -> str:
    """Make an identifier in the shape of a random UUID."""
    digits = f"{rng.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def meet(rng: Random, place: Place) -> Visitor:
    """Invent a visitor from a place, with nothing chosen yet."""
    given, family = rng.choice(place.given), rng.choice(place.family)
    city, postal_code = rng.choice(place.cities)
    number = rng.getrandbits(40)
    host = number % 254 + 1
    return Visitor(
        place=place,
        given=given,
        family=family,
        user_id=f"u-{number:010x}",
        anonymous_id=identifier(rng),
        email=f"{given}.{family}.{number % 9973}".lower().translate(_ASCII) + "@" + _MAIL_HOSTS[number % 3],
        phone=place.phone % (number % 100),
        street=rng.choice(place.streets),
        city=city,
        postal_code=postal_code,
        ip=f"2001:db8:{number & 0xFFFF:x}::{host:x}" if number % 5 == 0 else _NETWORKS[number % 3] + str(host),
        user_agent=_BROWSERS[number >> 8 & 3],
        # Only CloudFront's pair of headers tells the state; Cloudflare's single one would leave an American without a law.
        cloudfront=bool(place.region) or number >> 16 & 1 == 1,
    )
