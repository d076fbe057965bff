"""How to reach a person: e-mail addresses, telephone numbers, postal addresses in one line, names that are known as names."""

from detectors.classify.recognizers.recognizer import Recognizer

_MAIL = r"[A-Za-z0-9._%+'\-]{1,64}@(?:[A-Za-z0-9\-]{1,63}\.){1,8}[A-Za-z]{2,24}"
_PHONE = "user.contact.phone_number"
_NOT_PHONE = (
    "order", "sku", "id", "version", "invoice", "tracking", "date", "time", "amount", "price", "ean", "gtin", "upc", "isbn", "serial", "ref", "reference",
    "build", "code", "token", "hash", "ip", "model", "part", "ts", "timestamp",
)  # fmt: skip
_STREET = "user.contact.address.street"
_NOT_STREET = ("title", "description", "product", "event", "url", "sku", "error", "warehouse", "store", "shop", "agent")

RECOGNIZERS: tuple[Recognizer, ...] = (
    Recognizer(name="email", has="@", category="user.contact.email", pattern=_MAIL, gate=r"@[A-Za-z0-9]", valid="email", alone=0.9,
        keys=("email", "mailbox", "emailaddress"), finds=("jane.roe@example.com", "o'hara+x@mail.example.co.uk"), spares=("icon@2x.png", "jane@localhost", "@handle")),
    Recognizer(name="phone-international", category=_PHONE, valid="phone", alone=0.75, contradicts=_NOT_PHONE,
        pattern=r"(?:\+\d{1,3}|00[1-9]\d{0,2}[ .\-])[ .\-]{0,2}(?:\(\d{1,4}\)[ .\-]?)?\d[\d .\-/]{4,16}\d(?: ?(?:x|ext\.?) ?\d{1,6})?", gate=r'"(?:\+|00)\d|\+[1-9](?:\d{7}|\d{0,2}[ .\-(])',
        within=r"\+\d{1,3}[ .\-]{0,2}(?:\(\d{1,4}\)[ .\-]?)?\d[\d .\-/]{5,14}\d\b", finds=("+49 (0)30 123456", "+1-472-555-0187", "001-682-555-3165x26685", "+33 3 29 48 09 30"),
        spares=("+1", "+10%", "00000000", "+12.5")),
    Recognizer(name="phone-north-america", category=_PHONE, valid="phone", alone=0.7, contradicts=_NOT_PHONE,
        pattern=r"(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[\-.])\d{3}[\-.]\d{4}(?: ?(?:x|ext\.?) ?\d{1,6})?", gate=r"\d{3}[)\-.] ?\d{3}[\-.]\d{4}", within=r"\([2-9]\d{2}\) ?\d{3}-\d{4}|\b[2-9]\d{2}[\-.]\d{3}[\-.]\d{4}\b",
        finds=("(555) 555-0123", "746.555.1458x12", "463-262-7049"), spares=("123-456-7890", "74.555.1458")),
    Recognizer(name="phone-national", category=_PHONE, valid="phone", alone=0.6, contradicts=_NOT_PHONE,
        pattern=r"\(0\d{2,4}\) ?\d{3,9}|0\d{2,4}[ /]\d{4,9}|0[1-9](?:[ .]\d{2}){4}|0[5789]0-\d{4}-\d{4}|0\d-\d{4}-\d{4}|0\d{2}-\d{3}-\d{4}|0\d{3}-\d{2}-\d{4}|[1-9]\d-\d{4}-\d{4}",
        gate=r'"\(?0\d|"\d\d-\d{4}-\d{4}"', finds=("(01361) 17206", "04543 777916", "01 58 59 91 55", "080-5356-0237", "46-6055-5925"), spares=("2024-01-02", "05.11.2024", "0123")),
    Recognizer(name="phone", category=_PHONE, valid="dialled", numbers=True, not_in=("thing",), pattern=r"[+0-9 ().\-/]{7,32}(?:(?:ext|x)\.? ?\d{1,6})?",
        keys=("contact", "contactno", "tel", "telefon", "telefono", "handy", "handynummer", "portable", "celular", "mobil", "reachat", "callback", "callbacknumber", "whatsapp"),
        finds=("9636494459", "030 1234567"), spares=("12345", "2024-01-02")),
    Recognizer(name="address-en", has=", ", category=_STREET, alone=0.7, contradicts=_NOT_STREET,
        pattern=r"\d{1,6}[A-Za-z]? [^\",;|{}<>]{3,60}(?:, [^\",;|{}<>]{2,40}){1,3},? [A-Z]{2,3} (?:\d{5}(?:-\d{4})?|[A-Z]\d[A-Z] ?\d[A-Z]\d|\d{4})(?:, [A-Za-z .]{2,30})?",
        gate=r"[A-Z]{2} (?:\d{4}|[A-Z]\d[A-Z])", finds=("123 Main St Apt. 4, Springfield, IL 62704", "45 Queen St W, Toronto, ON M5H 2M9", "12 George St, Sydney, NSW 2000"), spares=("12 Oak, Lamp", "5 pieces, 2 boxes")),
    Recognizer(name="address-uk", has=" ", category=_STREET, alone=0.7, contradicts=_NOT_STREET, pattern=r"(?:Flat |Unit |Studio )?\d{1,5}[A-Za-z]?,? [^\",;|{}<>]{3,60}(?:, [^\",;|{}<>]{2,40}){0,3},? [A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}",
        gate=r'\d[A-Z]{2}"', finds=("10 Downing Street, London SW1A 2AA", "Flat 3, 12 High Road, Leeds, LS1 4DY"), spares=("10 pieces SW1",)),
    Recognizer(name="address-military", has=" A", category=_STREET, alone=0.8, pattern=r"(?:Unit|PSC|USNS|USS|USNV|USCGC) [^\",;|{}<>]{2,50},? (?:Box \d{1,5},? )?(?:DPO|APO|FPO),? A[AEP] \d{5}(?:-\d{4})?",
        gate=r"[DAF]PO,? A[AEP]", finds=("Unit 3418 Box 4179, DPO AP 29331", "PSC 1234, Box 567, APO AE 09021"), spares=("Unit 12 Box 4",)),
    Recognizer(name="address-continental", has=", ", category=_STREET, alone=0.65, contradicts=_NOT_STREET,
        pattern=r"[^\",;|{}<>:=]{1,60}(?:, [^\",;|{}<>:=]{2,40})?, (?:[A-Z]{1,2}-)?\d{4,5} [^\d\W][^\",;|{}<>:=\d]{1,40}", valid="address_line", gate=r", (?:[A-Z]{1,2}-)?\d{4,5} ",
        finds=("Hauptstraße 5, 10115 Berlin", "80, avenue Guy Rousset, 58708 Guillon", "boulevard Launay, 66263 Diallo", "Stollplatz 59/1, 16798 Marktheidenfeld"),
        spares=("Austin Table, 12345 pieces", "total, 10000 units sold")),
    Recognizer(name="address-japan", category=_STREET, alone=0.75, pattern=r"(?:〒?\d{3}-?\d{4} ?)?[^\d\W]{2,4}[都道府県][^\d\W]{1,20}[市区町村郡][^\",;|{}<>]{1,60}", valid="has_digit",
        gate=r"\xe9\x83\xbd|\xe9\x81\x93|\xe5\xba\x9c|\xe7\x9c\x8c", finds=("東京都大島町湯宮12丁目6番11号", "山口県八街市明石町6丁目11番4号 戸塚町クレスト659"), spares=("東京都", "大阪府の天気")),
    Recognizer(name="address", category=_STREET, pattern=r"[^\"{}<>]{6,160}", valid="address_line", not_in=("thing",), contradicts=_NOT_STREET,
        keys=("place", "residence", "adresse", "direccion", "indirizzo", "endereco", "anschrift", "deliverto", "shipto", "location", "domicilio", "addr", "destination", "dropoff"),
        finds=("1752 Rose Place, New Kim, AK 59850", "Faustweg 426, 73752 Bersenbrück", "東京都大島町湯宮12丁目6番11号"), spares=("Berlin", "warehouse", "12345", "https://shop.example/a 12")),
    Recognizer(name="salutation", category="user.name", pattern=r"[^\W\d_]{1,12}[.]?(?: [^\W\d_]{1,12}[.]?)?", valid="salutation", not_in=("thing",),
        keys=("title", "salutation", "prefix", "suffix", "nameprefix", "namesuffix", "honorific", "courtesytitle", "anrede", "titel", "civilite", "titre", "tratamiento", "tratamento", "titolo", "titulo",
            "aanhef", "aanspreekvorm", "обращение", "敬称", "称呼"),
        finds=("Mrs", "Dr.", "Frau", "Mme", "Herr Dr."), spares=("VP Operations", "Checkout", "INV", "Desk lamp")),
    Recognizer(name="addressee", category="user.name", pattern=r"[^\d\"@{}<>:/_=]{3,60}", valid="name_like", not_in=("thing",),
        keys=("recipient", "addressee", "consignee", "receiver", "buyer", "holder", "signer", "signatory", "payee", "customer", "client", "beneficiary", "guest", "passenger", "traveller", "traveler",
            "patient", "member", "shopper", "purchaser", "attention", "attn", "kunde", "empfaenger", "destinataire", "destinatario", "titulaire", "titular", "inhaber", "person", "shiptoname", "billtoname",
            "contactperson", "ansprechpartner", "orderedby", "placedby", "soldto", "deliverto", "shipto", "billto", "user"),
        finds=("Wencke Ruppert", "小林 桃子", "Marc Grenier", "Dr. Anna von Berg"), spares=("acme", "guest", "Austin Table", "CUSTOMER", "new user")),
    Recognizer(name="person-name", category="user.name", pattern=r"[^\d\"@{}<>:/_=]{3,60}", valid="person", not_in=("thing",), contradicts=("product", "item", "event", "page", "campaign", "category", "brand", "store", "file"),
        keys=("n", "nm", "name", "who", "to", "attn", "by", "from", "signedby", "displayname", "nom", "nome", "nombre", "kontakt"),
        finds=("Jane Roe", "Dr. Anna Schmidt", "小川 さゆり", "Michael O'Neill"), spares=("Blue Jean Jacket", "Home Page", "Paris Mug", "CHECKOUT", "Madison Lamp", "Austin Table", "Jordan Shoe")),
)  # fmt: skip
"""The order is the order of trying: what proves most comes first."""
