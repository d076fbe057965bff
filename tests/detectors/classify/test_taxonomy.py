from detectors.classify.taxonomy import read_taxonomy
from tests.detectors.classify.shipped import taxonomy, text


def test_every_mistake_of_a_file_is_told_without_a_value() -> None:
    broken = text("taxonomy.yaml").replace("check: gender", "check: guess").replace("label: City\n", "lable: City\n")
    value, problems = read_taxonomy(broken, "mine.yaml")
    assert value is None
    assert {problem.path for problem in problems} == {
        "categories.user.demographic.gender.check",
        "categories.user.contact.address.city.label",
        "categories.user.contact.address.city.lable",
    }
    assert all(problem.file == "mine.yaml" and problem.line > 0 for problem in problems)


def test_an_unknown_context_or_regime_is_a_mistake() -> None:
    value, problems = read_taxonomy(text("taxonomy.yaml").replace("regime: health", "regime: wealth"), "t.yaml")
    assert value is None
    assert "unknown regime wealth" in problems[0].message


def test_what_is_sensitive_depends_on_where_the_person_is() -> None:
    known = taxonomy()
    location, health, card = "user.location.precise", "user.health_and_medical", "user.financial.credit_card.number"
    assert [known.is_sensitive(each, "DE") for each in (location, health, card)] == [False, True, False]
    assert [known.is_sensitive(each, "US-CA") for each in (location, health, card)] == [True, True, True]
    assert [known.is_sensitive(each, "US-VA") for each in (location, health, card)] == [True, True, False]
    assert [known.is_sensitive(each) for each in (location, health, card)] == [True, True, True]
    assert not known.is_sensitive("user.contact.email", "US-CA")


def test_labels_are_for_people() -> None:
    assert taxonomy().label("user.contact.email") == "E-mail address"
    assert taxonomy().label("user.unheard_of") == "user.unheard_of"


def test_keys_are_read_the_same_way_each_time() -> None:
    keys = taxonomy().keys
    assert keys.read("billingCity") == keys.read("billingCity")
    assert [each.category for each in keys.read("billing_city").meanings] == ["user.contact.address.city"]


def test_a_key_that_may_be_a_person_is_shown_as_a_star() -> None:
    words = [
        taxonomy().keys.read(key).word
        for key in ("jane@example.com", "4915112345678", "Jane Roe", "a" * 41, "line_items")
    ]
    assert words == ["*", "*", "*", "*", "line_items"]
