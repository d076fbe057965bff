import pytest

from detectors.classify.need_files import Need, NeedFile
from detectors.classify.needs import SELLS, NeedTable, Verdict, read_needs
from detectors.classify.own_needs import read_overrides
from detectors.documents import read
from tests.detectors.classify.shipped import needs, taxonomy, text
from topics.flow import Goods, Step

EMAIL, BIRTH, CVV = "user.contact.email", "user.demographic.date_of_birth", "user.financial.credit_card.security_code"
STREET, IBAN = "user.contact.address.street", "user.financial.bank_account"
GENDER, CARD = "user.demographic.gender", "user.financial.credit_card.number"
PURCHASE = [step for step in Step if step is not Step.NONE]


def kinds(step: Step, purpose: str, *categories: str, own: bool = False) -> dict[str, Need]:
    return {each.category: each.kind for each in needs().assess(step, purpose, categories, own=own).excess}


def test_shipping_needs_an_address_and_no_date_of_birth() -> None:
    assert kinds(Step.SHIPPING, "unknown", "user.name", "user.contact.address.street", BIRTH, own=True) == {
        BIRTH: Need.UNNEEDED
    }


def test_a_tax_service_needs_no_mail_address() -> None:
    assert kinds(Step.PAYMENT, "tax", EMAIL, "user.contact.address.postal_code") == {EMAIL: Need.UNNEEDED}


def test_a_security_code_belongs_to_the_payment_alone() -> None:
    assert kinds(Step.PAYMENT, "unknown", CVV, own=True) == {}
    assert kinds(Step.ORDER, "payment", CVV) == {}
    for step in PURCHASE:
        assert kinds(step, "analytics", CVV) == {CVV: Need.PROHIBITED}
        if step is not Step.PAYMENT:
            assert kinds(step, "unknown", CVV, own=True) == {CVV: Need.PROHIBITED}


def test_health_and_belief_are_needed_nowhere() -> None:
    for step in PURCHASE:
        for own in (True, False):
            assert set(
                kinds(step, "payment", "user.health_and_medical", "user.demographic.religious_belief", own=own).values()
            ) == {Need.UNNEEDED}


def test_what_travels_with_every_request_is_never_too_much() -> None:
    travelling = (
        "user.device.ip_address",
        "user.device",
        "user.device.cookie_id",
        "user.unique_id.click_id",
        "user.device.advertising_id",
        "user.account.username",
    )
    for step in Step:
        assert kinds(step, "advertising.targeted", *travelling) == kinds(step, "unknown", *travelling, own=True) == {}


def test_outside_of_the_purchase_the_shop_itself_is_not_judged() -> None:
    assert kinds(Step.NONE, "unknown", BIRTH, CVV, own=True) == {}


def test_who_gets_paid_delivers_or_taxes_is_judged_in_any_step_or_none() -> None:
    assert kinds(Step.NONE, "tax", EMAIL) == kinds(Step.PAYMENT, "tax", EMAIL) == {EMAIL: Need.UNNEEDED}
    assert kinds(Step.NONE, "delivery", BIRTH) == {BIRTH: Need.UNNEEDED}
    assert kinds(Step.NONE, "payment", "user.behavior.browsing_history") == {
        "user.behavior.browsing_history": Need.UNNEEDED
    }


def test_every_reason_says_why_and_what_is_enough() -> None:
    for step in PURCHASE:
        for excess in needs().assess(step, "tax", taxonomy().categories).excess:
            assert excess.reason.endswith(".")
            assert excess.enough.endswith(".")


def test_a_category_that_the_taxonomy_lacks_is_a_mistake() -> None:
    value, problems = read_needs(text("needs.yaml").replace("  user.name:\n", "  user.nam:\n"), "n.yaml", taxonomy())
    assert value is None
    assert problems[0].path == "categories.user.nam"


def verdict(step: Step, *categories: str, goods: tuple[str, ...] = (), sells: frozenset[Goods] = SELLS) -> Verdict:
    return needs().decided((), sells).assess(step, "unknown", categories, own=True, goods=goods)


def test_a_download_needs_no_street_and_a_parcel_does() -> None:
    (excess,) = verdict(Step.CONTACT, STREET, goods=("digital",)).excess
    assert (excess.kind, excess.early) == (Need.UNNEEDED, Step.PAYMENT)
    assert "download" in excess.reason
    assert verdict(Step.CONTACT, STREET, goods=("physical",)).excess == ()
    assert verdict(Step.CONTACT, STREET, goods=("digital", "physical")).excess == ()


def test_unknown_goods_get_the_lenient_reading() -> None:
    assert verdict(Step.CONTACT, STREET).excess == ()
    assert verdict(Step.CONTACT, STREET, sells=frozenset({Goods.DIGITAL})).excess != ()


WINE = SELLS | {Goods.AGE_RESTRICTED}


def test_goods_with_an_age_limit_may_need_a_date_of_birth() -> None:
    assert verdict(Step.SHIPPING, BIRTH, goods=("age-restricted",)).excess == ()
    assert [each.kind for each in verdict(Step.SHIPPING, BIRTH, goods=("no-age-restricted",), sells=WINE).excess] == [
        Need.UNNEEDED
    ]


def test_where_nobody_knows_the_goods_and_they_decide_it_is_a_gap() -> None:
    (excess,) = verdict(Step.SHIPPING, BIRTH, sells=WINE).excess
    assert excess.kind is Need.CONDITIONAL
    assert "Nobody knows" in excess.reason
    # A shop that sells nothing of the kind needs nobody to tell.
    assert [each.kind for each in verdict(Step.SHIPPING, BIRTH).excess] == [Need.UNNEEDED]
    assert verdict(Step.CART, BIRTH, sells=WINE).excess[0].kind is Need.UNNEEDED


def test_what_a_later_step_needs_is_early() -> None:
    found = {each.category: each for each in verdict(Step.CART, IBAN, GENDER, CARD).excess}
    assert (found[IBAN].kind, found[IBAN].early) == (Need.UNNEEDED, Step.PAYMENT)
    assert (found[CARD].kind, found[CARD].early) == (Need.PROHIBITED, Step.PAYMENT)
    assert found[GENDER].early is Step.NONE
    assert "payment" in found[IBAN].reason


def test_a_recipient_of_whom_nothing_is_known_may_have_any_part_in_the_purchase() -> None:
    found = {each.category: each for each in needs().assess(Step.PAYMENT, "unknown", [EMAIL, GENDER, CARD, CVV]).excess}
    assert found.keys() == {GENDER, CARD, CVV}
    assert found[GENDER].kind is Need.UNNEEDED
    assert found[CARD].kind is found[CVV].kind is Need.CONDITIONAL
    assert "what this recipient does" in found[CARD].reason


def test_a_services_access_of_the_shops_own_is_no_password_of_a_person() -> None:
    token = "user.authorization.credentials"
    assert kinds(Step.PAYMENT, "payment", token) == kinds(Step.NONE, "tax", token) == {}
    assert kinds(Step.ACCOUNT, "analytics", token) == {token: Need.PROHIBITED}


OWN = """\
overrides:
  - category: user.demographic.date_of_birth
    steps: [payment]
    goods: [physical]
    need: needed
    justification: Our lender asks for it before every purchase on account, and we offer no other method.
    decided_by: Data protection officer
    decided_on: 2026-11-02
  - category: user.contact
    recipients: [delivery]
    need: unneeded
    justification: Our carrier is forbidden to contact buyers under the agreement of 2026.
    enough: The parcel's number.
    decided_by: Data protection officer
    decided_on: 2026-11-02
"""


def own(text: str = OWN) -> NeedTable:
    overrides, problems = read_overrides(text, "own.yaml", needs(), taxonomy().categories)
    assert overrides is not None, problems
    return needs().decided(overrides, SELLS)


def test_a_shop_decides_otherwise_with_its_justification() -> None:
    table = own()
    assert table.assess(Step.PAYMENT, "unknown", [BIRTH], own=True, goods=("physical",)).excess == ()
    assert table.assess(Step.PAYMENT, "unknown", [BIRTH], own=True, goods=("digital",)).excess != ()
    assert table.assess(Step.SHIPPING, "unknown", [BIRTH], own=True).excess != ()
    (excess,) = table.assess(Step.SHIPPING, "delivery", [EMAIL]).excess
    assert excess.reason.startswith("Our carrier is forbidden")
    assert excess.enough == "The parcel's number."


@pytest.mark.parametrize(
    ("old", "new", "line", "path", "says"),
    [
        ("    justification: Our lender asks for it before every purchase on account, and we offer no other method.\n", "", 2, "overrides.0.justification", "required"),
        ("Our lender asks for it before every purchase on account, and we offer no other method.", "because", 6, "overrides.0.justification", "at least 20"),
        ("user.demographic.date_of_birth", "user.demographic.birthday", 2, "overrides.0.category", "no category"),
        ("user.demographic.date_of_birth", "user.financial.credit_card.security_code", 5, "overrides.0.need", "prohibited"),
        ("    steps: [payment]\n", "", 2, "overrides.0", "nothing says where"),
        ("steps: [payment]", "steps: [till]", 3, "overrides.0.steps.0", "should be"),
        ("recipients: [delivery]", "recipients: [couriers]", 9, "overrides.1", "unknown purpose couriers"),
        ("decided_on: 2026-11-02\n  - category: user.contact", "decided_on: soon\n  - category: user.contact", 8, "overrides.0.decided_on", "date"),
    ],
)  # fmt: skip
def test_every_mistake_in_a_shops_own_decisions_has_its_line(
    old: str, new: str, line: int, path: str, says: str
) -> None:
    assert OWN.count(old) == 1
    value, problems = read_overrides(OWN.replace(old, new), "own.yaml", needs(), taxonomy().categories)
    assert value is None
    assert [(each.line, each.path) for each in problems] == [(line, path)]
    assert says in problems[0].message


def test_two_decisions_on_one_thing_are_a_mistake() -> None:
    again = OWN + OWN.partition("overrides:\n")[2].partition("  - category: user.contact\n")[0]
    value, problems = read_overrides(again, "own.yaml", needs(), taxonomy().categories)
    assert value is None
    assert (problems[0].line, problems[0].path) == (16, "overrides.2.category")


def test_the_shipped_table_gives_a_reason_for_every_purpose_of_every_category() -> None:
    written, problems = read(text("needs.yaml"), "needs.yaml", NeedFile)
    assert written is not None, problems
    for key, each in written.categories.items():
        assert each.reason, key
        for sentence in (*each.needed.values(), *each.conditional.values(), *each.unneeded.values()):
            assert sentence.endswith("."), (key, sentence)
