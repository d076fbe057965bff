"""Payment cards and bank accounts."""

from detectors.classify.recognizers.recognizer import Recognizer

REFERENCES = (
    "id", "ids", "gtin", "ean", "upc", "isbn", "sku", "barcode", "imei", "tracking", "serial", "timestamp", "time", "date", "at", "ts", "phone", "mobile", "hash",
    "token", "key", "order", "orders", "invoice", "reference", "ref", "transaction", "uuid", "guid", "session", "client", "cid", "fbp", "fbc", "ga", "version",
    "build", "merchant", "terminal", "checkout", "cart", "parcel", "uid", "nonce",
)  # fmt: skip
"""Words of a name under which a long number refers to something and is no card."""
_CARD = "user.financial.credit_card.number"
_BANK = "user.financial.bank_account"

RECOGNIZERS: tuple[Recognizer, ...] = (
    Recognizer(name="card-number", category=_CARD, valid="issued_card", alone=0.75, contradicts=REFERENCES, numbers=True, hidden=False,
        pattern=r"[2-6]\d{3}[ \-]?\d{4}[ \-]?\d{4}[ \-]?\d{2,4}(?:[ \-]?\d{1,3})?|3\d{3}[ \-]?\d{4,6}[ \-]?\d{4,5}(?:[ \-]?\d{4})?",
        gate=r"\d{14}|\d{4}[ \-]\d{4,6}[ \-]\d{4}", within=r"(?<![\d.\-])\d(?:[ \-]?\d){12,18}(?![\d\-])",
        finds=("4111 1111 1111 1111", "378282246310005", "6011-1111-1111-1117", "2223003122003222"), spares=("4111111111111112", "4222222222222", "1234567812345670", "0000000000000000")),
    Recognizer(name="iban", category=_BANK, valid="mod97", alone=0.95, pattern=r"[A-Z]{2}\d{2} ?[A-Z0-9]{4} ?\d[A-Z0-9]{3} ?(?:[A-Z0-9]{4} ?){1,5}[A-Z0-9]{0,4}",
        gate=r"[A-Z]{2}\d\d ?[A-Z0-9]{4} ?\d", within=r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b", keys=("iban", "ibannumber", "kontoiban"),
        finds=("DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432", "FR1420041010050500013M02606"), spares=("DE89370400440532013001", "ZZ68539007547034000000")),
    Recognizer(name="card-magnetic-stripe", category=_CARD, pattern=r"%?B\d{12,19}\^[^^\"]{2,26}\^\d{4}[^\"]*|;\d{12,19}=\d{4}[^\"]*", gate=r"\d{12}[\^=]", alone=0.95, hidden=True,
        within=r"\bB\d{12,19}\^[^^\"]{2,26}\^\d{4}|;\d{12,19}=\d{4}", keys=("track1", "track2", "trackdata", "magdata"),
        finds=("B4111111111111111^ROE/JANE^2512101", ";4111111111111111=2512101"), spares=("B12^X^2512",)),
    Recognizer(name="us-routing-number", category=_BANK, pattern=r"\d{9}", valid="aba", keys=("routingnumber", "routing", "abarouting", "aba", "abanumber", "routingno"), numbers=True,
        finds=("122000030", "021000021"), spares=("021000022",)),
    Recognizer(name="es-pt-account", category=_BANK, pattern=r"\d{20,21}", keys=("ccc", "nib", "cuentabancaria"), finds=("12345678901234567890",), spares=("1234",)),
    Recognizer(name="crypto-wallet", category=_BANK, pattern=r"0x[0-9a-fA-F]{40}|bc1[ac-hj-np-z02-9]{25,62}|[13][1-9A-HJ-NP-Za-km-z]{25,34}", keys=("wallet", "walletaddress", "btcaddress", "ethaddress", "cryptowallet"),
        finds=("0x52908400098527886E0F7030069857D2E4169EE7", "1BoatSLRHtKNngkdXEeobR76b53LETtpyT"), spares=("0x1234",)),
)  # fmt: skip
"""A number alone is a card only with an issuer's prefix, its length and the check digit."""
