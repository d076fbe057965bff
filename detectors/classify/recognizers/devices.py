"""What tells a device or a browser apart: addresses on a network, identifiers of hardware, of advertising, of visits."""

from detectors.classify.recognizers.recognizer import Recognizer

_UUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
_NOT_IP = ("version", "build", "ua", "agent", "release", "os", "firmware", "app", "sdk", "ver")

RECOGNIZERS: tuple[Recognizer, ...] = (
    Recognizer(name="ipv4", has=".", category="user.device.ip_address", pattern=r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}", gate=r'\d\.\d{1,3}\.\d{1,3}\.\d{1,3}"', valid="public_ipv4", alone=0.7, contradicts=_NOT_IP, hidden=True,
        keys=("src", "peer", "remote", "ipaddress", "remoteaddress", "clientaddress", "sourceaddress"), finds=("198.51.100.77", "222.17.89.7"), spares=("23.5.0.20", "119.0.0.0", "256.1.1.1", "1.2.3.4")),
    Recognizer(name="ipv6", has=":", category="user.device.ip_address", pattern=r"[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{0,4}){2,7}", gate=r"[0-9a-fA-F]{3}:|::", valid="ipv6", alone=0.8, contradicts=_NOT_IP, hidden=True,
        keys=("src", "peer", "remote", "remoteaddress", "clientaddress", "sourceaddress"), finds=("2001:db8::ff00:42:8329", "fd12:3456:789a:1:0:0:0:1"), spares=("12:30:45", "a:b:c", "1:2:3")),
    Recognizer(name="mac-address", category="user.device.device_id", pattern=r"[0-9a-fA-F]{2}(?:[:\-][0-9a-fA-F]{2}){5}", gate=r"[0-9a-fA-F]{2}[:\-][0-9a-fA-F]{2}[:\-][0-9a-fA-F]{2}[:\-]", valid="mac", alone=0.8, hidden=True,
        keys=("mac", "macaddress", "wifimac", "bssid", "wifibssid"), finds=("3c:22:fb:12:34:56", "3C-22-FB-12-34-56"), spares=("00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "12:30:45")),
    Recognizer(name="imei", category="user.device.device_id", pattern=r"\d{15}|\d{2}-\d{6}-\d{6}-\d", valid="luhn", numbers=True, hidden=True, keys=("imei", "imeinumber", "deviceimei", "meid"),
        finds=("490154203237518", "35-209900-176148-1"), spares=("490154203237519",)),
    Recognizer(name="google-analytics-client", has="GA1.", category="user.device.cookie_id", pattern=r"GA1\.[12]\.\d{6,10}\.\d{10}", gate=r"GA1\.[12]\.", alone=0.9, hidden=True, finds=("GA1.2.1234567890.1234567890",), spares=("GA1.2",)),
    Recognizer(name="client-id", category="user.device.cookie_id", pattern=_UUID + r"|[0-9a-fA-F]{16,40}|amp-[A-Za-z0-9_\-]{8,64}|(?:GA1\.\d\.)?\d{1,12}\.\d{9,12}|[A-Za-z]{0,12}[_\-]?(?:id)?[_\-]?\d{1,20}", hidden=True, keys=("clientid", "cid", "gacid"),
        finds=("1033501218.1368477899", "2b6f0cc9-0c7e-4f3a-8a35-55a3c2a4b1d0"), spares=("lampshop-web", "SPREEDLY", "https://shop.example")),
    Recognizer(name="session-id", category="user.device.cookie_id", pattern=_UUID + r"|[0-9a-fA-F]{24,64}|1\d{9}(?:\d{3})?", numbers=True, hidden=True, keys=("sid", "gasid", "domainsid"),
        finds=("3d0f1f2e-2f4b-4f51-8b61-6e1f0a1b2c3d", "1764000000"), spares=("AC12", "42")),
    Recognizer(name="facebook-browser", has="fb.", category="user.device.cookie_id", pattern=r"fb\.[012]\.\d{13}\.\d{6,20}", gate=r"fb\.[012]\.\d{13}", alone=0.9, hidden=True, finds=("fb.1.1596403881668.1116446470",), spares=("fb.1.12",)),
    Recognizer(name="facebook-click", has="fb.", category="user.unique_id.click_id", pattern=r"fb\.[012]\.\d{13}\.[A-Za-z][A-Za-z0-9_\-]{10,200}", gate=r"fb\.[012]\.\d{13}", alone=0.9, hidden=True,
        finds=("fb.1.1554763741205.AbCdEfGhIjKlMnOpQrStUvWxYz1234567890",), spares=("fb.1.1554763741205",)),
    Recognizer(name="advertising-id", category="user.device.advertising_id", pattern=_UUID + r"|[0-9a-fA-F]{32}|[0-9a-fA-F]{64}", valid="adid", hidden=True,
        keys=("adid", "aaid", "maid", "hashedmaids", "ifa", "deviceifa", "advertiserid", "adidentifier", "admobid", "amazonadid", "afai", "tifa", "lgudid", "vida", "applovinid"), finds=("38400000-8cf0-11bd-b23e-10b96e40000d",),
        spares=("00000000-0000-0000-0000-000000000000",)),
)  # fmt: skip
"""A version number looks like an address: without a telling name, only a public address that no version resembles counts."""
