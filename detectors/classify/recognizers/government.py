"""Identifiers that states give to persons, by country. Most are plain numbers, so most need a telling name beside their check digit."""

from typing import Any

from detectors.classify.recognizers.recognizer import Recognizer

_ID = "user.government_id"
_TAX = f"{_ID}.national_identification_number"
_ON_INVOICES = frozenset(
    [
        "us-itin",
        "de-tax-id",
        "es-dni",
        "it-fiscal-code",
        "pt-nif",
        "br-cpf",
        "br-cpf-plain",
        "ar-cuil",
        "cl-rut",
        "in-pan",
        "au-tfn",
        "nz-ird",
        "tr-tckn",
    ]
)
"""Numbers by which people are taxed, which invoices and customs of their countries ask a buyer for."""


def _of(name: str, pattern: str, valid: str, keys: str, **more: Any) -> Recognizer:
    """Spell out a row of the table: keys are separated by spaces."""
    return Recognizer(
        name=name,
        category=_TAX if name in _ON_INVOICES else _ID,
        pattern=pattern,
        valid=valid,
        keys=tuple(keys.split()),
        numbers=True,
        **more,
    )


RECOGNIZERS: tuple[Recognizer, ...] = (
    _of("us-ssn", r"\d{3}-\d{2}-\d{4}", "us_ssn", "", gate=r"\d{3}-\d\d-\d{4}", alone=0.7, contradicts=("order", "sku", "invoice", "version", "date"),
        within=r"\b\d{3}-\d{2}-\d{4}\b", has="-", finds=("219-09-9999", "509-12-4321"), spares=("000-12-3456", "666-12-3456", "912-34-5678", "219-00-9999", "219-09-0000")),
    _of("us-ssn-plain", r"\d{3}[ -]?\d{2}[ -]?\d{4}", "us_ssn", "ssn socialsecuritynumber socialsecurity ssnumber socialsecurityno ssntaxid taxid tin socialnumber",
        finds=("219099999", "219 09 9999"), spares=("000123456", "666123456")),
    _of("us-itin", r"9\d{2}[ -]?\d{2}[ -]?\d{4}", "us_itin", "itin taxid tin ssn individualtaxpayeridentificationnumber", finds=("912-70-1234",), spares=("912-10-1234",)),
    _of("gb-nino", r"[A-CEGHJ-PR-TW-Za-ceghj-pr-tw-z][A-CEGHJ-NPR-TW-Za-ceghj-npr-tw-z] ?\d{2} ?\d{2} ?\d{2} ?[A-Da-d]", "gb_nino",
        "nino nationalinsurancenumber nationalinsurance insurancenumber", finds=("AB 12 34 56 C", "JG103759A"), spares=("BG123456A", "AB123456E")),
    _of("gb-nhs", r"\d{3}[ -]?\d{3}[ -]?\d{4}", "gb_nhs", "nhs nhsnumber nhsno", finds=("943 476 5919",), spares=("943 476 5918", "9434765910")),
    _of("de-tax-id", r"\d{2} ?\d{3} ?\d{3} ?\d{3}", "de_tax", "steuerid steueridentifikationsnummer steueridnr idnr steuernummer taxid tin",
        finds=("86095742719", "47 036 892 816"), spares=("86095742718", "12345678901")),
    _of("fr-nir", r"[1-478]\d{2}(?:0[1-9]|1[0-2]|[2-9]\d)(?:\d{2}|2[ABab])\d{3}\d{3}\d{2}", "fr_nir", "nir securitesociale numerosecuritesociale numsecu insee secu",
        gate=r"\d{15}", alone=0.6, contradicts=("order", "id", "sku", "transaction", "tracking"), finds=("185057800608491",), spares=("185057800608492",)),
    _of("es-dni", r"(?:\d{8}|[XYZxyz]\d{7})-?[A-Za-z]", "es_dni", "dni nie nif dninie nifnie numerodni documentoidentidad", finds=("12345678Z", "X1234567L"), spares=("12345678A",)),
    _of("it-fiscal-code", r"[A-Za-z]{6}\d{2}[A-EHLMPR-Ta-ehlmpr-t]\d{2}[A-Za-z]\d{3}[A-Za-z]", "it_fiscal", "codicefiscale fiscalcode cf codfiscale", alone=0.8, gate=r"[A-Za-z]{6}\d\d[A-Za-z]\d",
        finds=("RSSMRA85T10A562S",), spares=("RSSMRA85T10A562T",)),
    _of("nl-bsn", r"\d{8,9}", "nl_bsn", "bsn burgerservicenummer sofinummer", finds=("111222333",), spares=("111222334",)),
    _of("be-rrn", r"\d{2}\.?\d{2}\.?\d{2}-?\d{3}\.?\d{2}", "be_rrn", "rrn insz niss rijksregisternummer registrenational numeronational", alone=0.0,
        finds=("85.07.30-033.28", "85073003328"), spares=("85.07.30-033.29",)),
    _of("pl-pesel", r"\d{11}", "pl_pesel", "pesel numerpesel", finds=("44051401359",), spares=("44051401358",)),
    _of("se-personal-number", r"(?:\d{2})?\d{6}[-+]?\d{4}", "se_person", "personnummer personnr pnr svensktpersonnummer", finds=("811218-9876", "198112189876"), spares=("811218-9875",)),
    _of("no-birth-number", r"\d{6} ?\d{5}", "no_birth", "fodselsnummer fnr birthnumber personnummer", finds=("15076500565",), spares=("15076500566",)),
    _of("dk-cpr", r"\d{6}-?\d{4}", "dk_cpr", "cpr cprnummer cprnr", finds=("070761-4285",), spares=("450761-4285",)),
    _of("fi-hetu", r"\d{6}[-+A-Fa-fU-Yu-y]\d{3}[0-9A-Ya-y]", "fi_hetu", "hetu henkilotunnus", alone=0.55, gate=r"\d{6}[-+A-Fa-fU-Yu-y]\d{3}", finds=("131052-308T",), spares=("131052-308U",)),
    _of("ch-ahv", r"756\.?\d{4}\.?\d{4}\.?\d{2}", "ch_ahv", "ahv avs ahvnummer ahvnr numeroavs socialsecuritynumber", finds=("756.9217.0769.85",), spares=("756.9217.0769.86",)),
    _of("cz-sk-birth-number", r"\d{6}/?\d{4}", "cz_birth", "rodnecislo rc birthnumber", finds=("736028/5163", "7360285163"), spares=("736028/5164",)),
    _of("ro-cnp", r"[1-9]\d{12}", "ro_cnp", "cnp codnumericpersonal", finds=("1800101221144",), spares=("1800101221145",)),
    _of("bg-egn", r"\d{10}", "bg_egn", "egn", finds=("7523169263",), spares=("7523169264",)),
    _of("hr-oib", r"\d{11}", "iso_mod_11_10", "oib osobniidentifikacijskibroj", finds=("69435151530",), spares=("69435151531",)),
    _of("ee-lt-personal-code", r"[1-6]\d{10}", "ee_lt_code", "isikukood asmenskodas personalcode", finds=("37605030299",), spares=("37605030298",)),
    _of("gr-amka", r"\d{11}", "luhn", "amka", finds=("01013099997",), spares=("01013099998",)),
    _of("pt-nif", r"[1-3]\d{8}", "pt_nif", "nif contribuinte nifpt numerocontribuinte", finds=("123456789",), spares=("123456788",)),
    _of("ie-pps", r"\d{7}[A-Wa-w][A-IWa-iw]?", "ie_pps", "pps ppsn ppsnumber", finds=("1234567T", "1234567FA"), spares=("1234567A",)),
    _of("at-svnr", r"\d{4} ?\d{6}", "at_svnr", "svnr sozialversicherungsnummer svnummer", finds=("1237010180",), spares=("1238010180",)),
    _of("ca-sin", r"\d{3}[ -]?\d{3}[ -]?\d{3}", "ca_sin", "sin sinnumber socialinsurancenumber socialinsurance", finds=("130 692 544", "130692544"), spares=("130 692 545", "046 454 286")),
    _of("br-cpf", r"\d{3}\.\d{3}\.\d{3}-\d{2}", "br_cpf", "", gate=r"\d{3}\.\d{3}-\d\d", alone=0.9, within=r"\b\d{3}\.\d{3}\.\d{3}-\d{2}\b", has="-", finds=("529.982.247-25",), spares=("529.982.247-26", "111.111.111-11")),
    _of("br-cpf-plain", r"\d{3}\.?\d{3}\.?\d{3}-?\d{2}", "br_cpf", "cpf cpfnumber numerocpf cpfcnpj taxid document documento", finds=("52998224725",), spares=("52998224726", "00000000000")),
    _of("mx-curp", r"[A-Za-z]{4}\d{6}[HMXhmx][A-Za-z]{5}[0-9A-Za-z]\d", "mx_curp", "curp claveunica", alone=0.8, gate=r"[A-Za-z]{4}\d{6}[A-Za-z]{6}", finds=("HEGG560427MVZRRL04",), spares=("HEGG560427MVZRRL05",)),
    _of("ar-cuil", r"2[0347]-?\d{8}-?\d", "ar_cuil", "cuil cuit cuitcuil", finds=("20-12345678-6",), spares=("20-12345678-5",)),
    _of("cl-rut", r"\d{1,2}\.?\d{3}\.?\d{3}-?[\dkK]", "cl_rut", "rut run rutcliente", finds=("12.345.678-5",), spares=("12.345.678-6",)),
    _of("in-aadhaar", r"[2-9]\d{3}[ -]?\d{4}[ -]?\d{4}", "verhoeff", "aadhaar aadhaarnumber aadhar aadharno uidai", finds=("2345 6789 0124", "234567890124"), spares=("2345 6789 0123",)),
    _of("in-pan", r"[A-Za-z]{3}[Pp][A-Za-z]\d{4}[A-Za-z]", "any", "pan pannumber panno pancard incometaxpan", finds=("ABCPE1234F",), spares=("ABCDE1234F", "ABCPE12345")),
    _of("cn-resident-id", r"[1-8]\d{5}(?:18|19|20)\d{2}(?:0\d|1[0-2])[0-3]\d{4}[\dXx]", "cn_resident", "shenfenzheng idcard idcardno idnumber residentid identitynumber",
        gate=r"\d{17}", alone=0.75, finds=("11010519491231002X",), spares=("110105194912310021",)),
    _of("jp-my-number", r"\d{4}[ -]?\d{4}[ -]?\d{4}", "jp_number", "mynumber kojinbango individualnumber", finds=("123456789018",), spares=("123456789017",)),
    _of("kr-rrn", r"\d{6}-?[1-8]\d{6}", "kr_rrn", "rrn residentregistrationnumber juminno juminnumber jumin", finds=("900101-1234568",), spares=("901301-1234568",)),
    _of("tw-id", r"[A-Za-z][12]\d{8}", "tw_id", "shenfenzhengzihao twid nationalid nationalidnumber idnumber", finds=("A123456789",), spares=("A123456788",)),
    _of("hk-id", r"[A-Za-z]{1,2}\d{6}\(?[0-9Aa]\)?", "hk_id", "hkid hkidnumber hkidcard", finds=("A123456(3)",), spares=("A123456(4)",)),
    _of("sg-nric", r"[STFGMstfgm]\d{7}[A-Za-z]", "sg_nric", "nric fin nricfin nricnumber nricno", finds=("S1234567D", "G1234567X"), spares=("S1234567A",)),
    _of("my-nric", r"\d{6}-?\d{2}-?\d{4}", "my_nric", "mykad nric icnumber nokp icno", finds=("900101-14-5678",), spares=("901401-14-5678",)),
    _of("th-id", r"\d-?\d{4}-?\d{5}-?\d{2}-?\d", "th_id", "thaiid nationalid citizenid", finds=("1101700230708",), spares=("1101700230709",)),
    _of("au-tfn", r"\d{3} ?\d{3} ?\d{3}", "au_tfn", "tfn taxfilenumber", finds=("123 456 782",), spares=("123 456 783",)),
    _of("au-medicare", r"[2-6]\d{3} ?\d{5}(?: ?\d)?", "au_medicare", "medicare medicarenumber medicareno", finds=("2123 45670",), spares=("2123 45671",)),
    _of("nz-ird", r"\d{2,3}[ -]?\d{3}[ -]?\d{3}", "nz_ird", "ird irdnumber", finds=("49-091-850", "136410132"), spares=("49-091-851",)),
    _of("za-id", r"\d{6} ?\d{4} ?[01]\d ?\d", "za_id", "idnumber rsaid said southafricanid nationalid", finds=("8001015009087",), spares=("8001015009088",)),
    _of("tr-tckn", r"[1-9]\d{10}", "tr_tckn", "tckn tckimlik tckimlikno tcno kimlikno", finds=("10000000146",), spares=("10000000147",)),
    _of("il-id", r"\d{9}", "luhn", "teudatzehut ilid israelid", finds=("123456782",), spares=("123456783",)),
    Recognizer(name="passport-line", has="<<", category=_ID, pattern=r"[PpVv][A-Za-z<][A-Z]{3}[A-Z]+(?:<[A-Z]+)*<<[A-Z][A-Z<]{1,38}", keys=("mrz", "machinereadablezone"), alone=0.9, gate="[A-Z]<<[A-Z]",
        hidden=True, finds=("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",), spares=("P<UTO<<", "LINE<<ONE")),
    Recognizer(name="us-medicare-beneficiary", category="user.health_and_medical", pattern=r"[1-9][AC-HJKMNP-RT-Yac-hjkmnp-rt-y][0-9AC-HJKMNP-RT-Yac-hjkmnp-rt-y]\d-?[AC-HJKMNP-RT-Yac-hjkmnp-rt-y][0-9AC-HJKMNP-RT-Yac-hjkmnp-rt-y]\d-?[AC-HJKMNP-RT-Yac-hjkmnp-rt-y]{2}\d{2}",
        keys=("mbi", "medicareid", "medicarenumber", "medicarebeneficiaryidentifier"), finds=("1EG4-TE5-MK73",), spares=("0EG4-TE5-MK73", "1SG4-TE5-MK73")),
)  # fmt: skip
"""By country. `alone` is above the line only where the look and the check digit together hardly ever occur by chance."""
