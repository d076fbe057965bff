import pytest

from detectors.consent import tcf
from detectors.consent.refusal import Remark
from detectors.consent.signals import find_signals
from detectors.consent.vendors import PUBLISHER, VENDORS, says
from tests.detectors.classify.shipped import recipients
from tests.detectors.consent.writer import publisher_segment, tc_core, vendor_segment

EVERY = set(range(1, 12))


def read(text: str) -> tcf.TcString:
    decoded = tcf.decode(text)
    assert isinstance(decoded, tcf.TcString)
    return decoded


def test_consent_is_the_bit_of_the_purpose_and_that_of_the_vendor() -> None:
    decoded = read(tc_core({1, 3}, set(), {10}, set()))
    assert says(decoded, 3, 10) == ("allowed", None)
    assert says(decoded, 4, 10) == ("denied", None)
    assert says(decoded, 3, 11) == ("denied", Remark.NOT_THE_VENDOR)


def test_who_was_not_disclosed_may_do_nothing() -> None:
    decoded = read(f"{tc_core(EVERY, set(), {10, 11}, set())}.{vendor_segment(1, {10})}")
    assert says(decoded, 3, 10) == ("allowed", None)
    assert says(decoded, 3, 11) == ("denied", Remark.NOT_DISCLOSED)


def test_an_empty_list_of_disclosed_vendors_says_nothing() -> None:
    decoded = read(f"{tc_core(EVERY, set(), {10}, set())}.{vendor_segment(1, set())}")
    assert says(decoded, 3, 10) == ("allowed", None)


def test_legitimate_interest_allows_nothing_by_itself_and_denies_nothing_either() -> None:
    decoded = read(tc_core({1}, {7}, set(), {10}))
    assert says(decoded, 7, 10) == ("not-applicable", Remark.INTEREST_UNDECLARED)
    assert says(decoded, 3, 10)[0] == "denied"


@pytest.mark.parametrize(
    ("kind", "by_consent", "by_interest"),
    [
        (0, ("denied", Remark.PUBLISHER_FORBIDS), ("denied", Remark.PUBLISHER_FORBIDS)),
        (1, ("allowed", None), ("denied", Remark.PUBLISHER_FORBIDS)),
        (2, ("denied", Remark.PUBLISHER_FORBIDS), ("not-applicable", Remark.INTEREST_UNDECLARED)),
        (3, ("allowed", None), ("not-applicable", Remark.INTEREST_UNDECLARED)),
    ],
)
def test_a_publishers_restriction_binds_the_vendors_it_names(
    kind: int, by_consent: tuple[str, Remark | None], by_interest: tuple[str, Remark | None]
) -> None:
    consent = read(tc_core({7}, set(), {10, 11}, set(), restrictions=((7, kind, {10}),)))
    interest = read(tc_core(set(), {7}, set(), {10}, restrictions=((7, kind, {10}),)))
    assert says(consent, 7, 10) == by_consent
    assert says(interest, 7, 10) == by_interest
    assert says(consent, 7, 11) == ("allowed", None)


def test_who_acts_for_the_shop_is_judged_by_the_shops_own_segment() -> None:
    core = tc_core(EVERY, set(), set(), set())
    assert says(read(core), 8, PUBLISHER) == ("allowed", None)
    decoded = read(f"{core}.{publisher_segment({1}, {8}, [])}")
    assert says(decoded, 8, PUBLISHER) == ("allowed", None)
    assert says(decoded, 3, PUBLISHER) == ("denied", None)


def test_every_known_vendor_is_a_listed_recipient() -> None:
    assert VENDORS.keys() <= recipients().by_id.keys()
    assert len(set(VENDORS.values())) == len(VENDORS)


@pytest.mark.parametrize("carrier", ["cookies", "query", "event", "gpp"])
def test_a_string_is_asked_about_one_vendor_wherever_it_travels(carrier: str) -> None:
    text = tc_core(EVERY, set(), {91}, set())

    def found(vendor: int) -> set[str]:
        if carrier == "cookies":
            signals = find_signals(None, f"euconsent-v2={text}", None, {}, vendor=vendor)
        elif carrier == "event":
            signals = find_signals(None, None, None, {"context.tcString": text}, vendor=vendor)
        else:
            query = f"gpp=DBABMA~{text}" if carrier == "gpp" else f"gdpr_consent={text}"
            signals = find_signals(None, None, query, {}, vendor=vendor)
        return {signal.says for signal in signals if signal.purposes == ("advertising.targeted",)}

    assert found(91) == {"allowed"}
    assert found(50) == {"denied"}
    assert found(0) == {"allowed"}
