"""The transfer register: what is found in it, and how its mistakes are told."""

import pytest

from detectors.register import Register, read_register
from topics.flow import Role

REGISTER = """\
recipients:
  - id: zendesk
    hosts: ["*.zendesk.com", "zendesk.com"]
    names: ["Zendesk"]
    entity: Zendesk, Inc.
    role: processor
    countries: [US]
    purposes: [support]
    agreement: {id: DPA-2024-017, signed: 2024-03-01, expires: 2028-01-01}
    mechanism: {kind: scc, since: 2024-03-01, expires: 2027-03-01, module: 2}
    subprocessors: [{name: Hosting, countries: [IE]}]
  - id: ads
    hosts: ["*.ads.example", "eu.partner.example"]
    names: ["Ad Network", "Ads"]
    entity: Ads Ltd
    role: third-party
    countries: [GB, CA-QC]
    purposes: [advertising]
    categories: [user.contact]
    mechanism: {kind: none}
  - id: partner
    hosts: ["partner.example"]
    entity: Partner SA
    role: own
    countries: [FR]
    purposes: [analytics, marketing.email]
"""


def register() -> Register:
    read, problems = read_register(REGISTER, "register.yaml")
    assert problems == []
    assert read is not None
    return read


@pytest.mark.parametrize(
    ("host", "recipient"),
    [
        ("zendesk.com", "zendesk"),
        ("acme.zendesk.com", "zendesk"),
        ("A.B.ZENDESK.COM.", "zendesk"),
        ("evilzendesk.com", None),
        ("zendesk.com.evil.example", None),
        ("ads.example", None),
        ("x.ads.example", "ads"),
        ("eu.partner.example", "ads"),
        ("partner.example", "partner"),
        ("www.partner.example", None),
        ("com", None),
        ("", None),
        ("." * 300, None),
        ("a." * 200 + "zendesk.com", None),
    ],
)
def test_a_host_belongs_to_the_entry_that_names_it_or_stands_above_it(host: str, recipient: str | None) -> None:
    found = register().by_host(host)
    assert (found.id if found else None) == recipient


def test_names_are_found_in_any_case_and_ids_as_written() -> None:
    read = register()
    assert read.by_name("zenDESK") is read.by_id("zendesk") is read.by_name(" Zendesk ")
    assert read.by_name("Zen") is None
    assert read.by_id("Zendesk") is None


def test_an_entry_knows_its_role_places_purposes_and_categories() -> None:
    zendesk, ads, partner = register().entries
    assert (zendesk.role, ads.role, partner.role) == (Role.PROCESSOR, Role.THIRD_PARTY, Role.OWN)
    assert zendesk.places == {"US", "IE"}
    assert ads.allows_purpose("advertising.targeted")
    assert not ads.allows_purpose("advertisingx")
    assert not ads.allows_purpose("analytics")
    assert ads.covers_category("user.contact.email")
    assert not ads.covers_category("user.contacts")
    assert zendesk.covers_category("user.financial")


def test_an_empty_register_finds_nobody() -> None:
    read, problems = read_register("recipients: []", "register.yaml")
    assert problems == []
    assert read is not None
    assert read.by_host("zendesk.com") is None


PLANTED = [
    ("role: processor", "role: vendor", 6, "'own', 'processor' or 'third-party'"),
    ("countries: [US]", "countries: [UK]", 7, "the United Kingdom is GB"),
    ("countries: [US]", "countries: [us]", 7, "ISO 3166"),
    ("countries: [US]", "countries: [USA]", 7, "ISO 3166"),
    ("countries: [US]", "countries: []", 7, "at least one"),
    ("countries: [US]", "countries: US", 7, "needs a list"),
    ("purposes: [support]", "purposes: [suport]", 8, "unknown purpose"),
    ("purposes: [support]", "purposes: []", 8, "at least one"),
    ("    purposes: [support]\n", "", 2, "required"),
    ("    entity: Zendesk, Inc.\n", "", 2, "required"),
    ("entity: Zendesk, Inc.", "entity: ''", 5, "at least 1 character"),
    ("entity: Zendesk, Inc.", "entitty: Zendesk, Inc.", 5, "unknown key"),
    ("id: zendesk", "id: Zen Desk", 2, "pattern"),
    ("id: ads", "id: zendesk", 12, "already stands at recipients.0"),
    ('names: ["Ad Network"', 'names: ["ZENDESK"', 14, "already stands at recipients.0"),
    ('"*.ads.example"', '"zendesk.com"', 13, "already stands at recipients.0"),
    ('"*.ads.example"', '"eu.zendesk.com"', 13, "overlaps with *.zendesk.com"),
    ('"*.ads.example"', '"*.eu.zendesk.com"', 13, "overlaps with *.zendesk.com"),
    ('"*.ads.example"', '"*.example"', 22, "overlaps with *.example"),
    ('"*.ads.example"', '"https://ads.example"', 13, "expected a host"),
    ('"*.ads.example"', '"Ads.example"', 13, "lower case"),
    ('"*.ads.example"', '"*"', 13, "expected a host"),
    ('"*.ads.example"', '"ads.*.example"', 13, "expected a host"),
    ('    hosts: ["partner.example"]\n', "", 21, "hosts or names"),
    ("signed: 2024-03-01", "signed: 2024-13-01", 9, "does not exist"),
    ("expires: 2028-01-01", "expires: 2024-03-01", 9, "later than signed"),
    ("signed: 2024-03-01, ", "", 9, "required"),
    ("expires: 2027-03-01", "expires: 2023-03-01", 10, "later than since"),
    ("expires: 2027-03-01", "expires: 2027", 10, "a day such as"),
    ("kind: scc", "kind: clauses", 10, "'scc'"),
    ("kind: scc", "kind: agreement", 10, "under agreement"),
    ("kind: scc", "kind: bcr", 10, "have a module"),
    ("module: 2", "module: 5", 10, "less than or equal to 4"),
    ("kind: scc, since: 2024-03-01", "kind: scc", 10, "since is required"),
    ("countries: [IE]", "countries: [EI]", 11, "ISO 3166"),
    ("countries: [IE]", "country: [IE]", 11, "unknown key"),
    ("[user.contact]", "[contact]", 19, "pattern"),
    ("recipients:", "recipient:", 1, "unknown key"),
    ("  - id: partner", "  - id: partner\n    id: again", 22, "twice"),
    ("  - id: partner", "  - 7\n  - id: partner", 21, "dictionary"),
    ("    entity: Partner SA", "   entity: Partner SA", 23, "not YAML"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "says"), PLANTED)
def test_a_planted_mistake_is_told_with_its_line(old: str, new: str, line: int, says: str) -> None:
    assert old in REGISTER
    read, problems = read_register(REGISTER.replace(old, new, 1), "conf/register.yaml")
    assert read is None
    assert {each.file for each in problems} == {"conf/register.yaml"}
    assert any(each.line == line and says in each.message for each in problems), [str(each) for each in problems]


def test_one_mistake_does_not_hide_another() -> None:
    text = REGISTER.replace("countries: [US]", "countries: [UK]").replace("id: ads", "id: zendesk")
    _, problems = read_register(text.replace("role: own", "role: mine"), "register.yaml")
    assert [each.line for each in problems] == [7, 12, 24]
