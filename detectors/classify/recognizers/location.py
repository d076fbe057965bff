"""Where a person is, to about a hundred metres."""

from detectors.classify.recognizers.recognizer import Recognizer

_PLACE = "user.location.precise"

RECOGNIZERS: tuple[Recognizer, ...] = (
    Recognizer(name="coordinate-pair", has=".", category=_PLACE, pattern=r"[(\[]?-?\d{1,3}\.\d{3,17}[,;] ?-?\d{1,3}\.\d{3,17}[)\]]?", gate=r"\d\.\d{4,17}[,;] ?-?\d{1,3}\.\d{4}", valid="coordinates", alone=0.7, hidden=True,
        contradicts=("size", "dimension", "price", "range", "bounds", "viewbox"), keys=("ll", "latlng", "latlon", "coords", "geo", "gps", "position", "loc"),
        finds=("48.13715, 11.57612", "(-33.86882, 151.20929)"), spares=("48.1, 11.5", "512.12345, 11.57612")),
    Recognizer(name="geo-uri", has="geo:", category=_PLACE, pattern=r"geo:-?\d{1,3}\.\d{3,}[,;]-?\d{1,3}\.\d{3,}[^\"]{0,60}", gate=r"geo:-?\d", alone=0.95, hidden=True, finds=("geo:48.2010,16.3695;u=35",), spares=("geo:48,16",)),
    Recognizer(name="point-well-known-text", has="(", category=_PLACE, pattern=r"(?:POINT|Point) ?\(-?\d{1,3}\.\d{3,} -?\d{1,3}\.\d{3,}\)", gate=r"(?:POINT|Point) ?\(-?\d", alone=0.95, hidden=True, finds=("POINT(11.57612 48.13715)",), spares=("POINT(1 2)",)),
    Recognizer(name="plus-code", has="+", category=_PLACE, pattern=r"[23456789CFGHJMPQRVWX]{8}\+[23456789CFGHJMPQRVWX]{2,3}", gate=r"[2-9CFGHJMPQRVWX]{8}\+", alone=0.8, hidden=True, keys=("pluscode", "openlocationcode"), finds=("8FVC9G8F+6W",), spares=("ABC+12",)),
    Recognizer(name="nmea-position", has="$G", category=_PLACE, pattern=r"\$G[PN](?:GGA|RMC),[^\"]{10,100}", gate=r"\$G[PN](?:GGA|RMC)", alone=0.95, hidden=True, finds=("$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47",), spares=("$GPGSV,1",)),
)  # fmt: skip
"""A pair of numbers that stand as two fields is found by their names, in the walk."""
