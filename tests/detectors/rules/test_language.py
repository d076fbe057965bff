"""What the rule language accepts, and how it refuses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.rules.language import MAX_EXPANDED, compile_expression
from detectors.rules.names import Assessor, readable
from detectors.rules.tree import decode


@pytest.mark.parametrize(
    ("text", "offset", "words"),
    [
        ('flow.recipent == "x"', 0, "did you mean flow.recipient"),
        ('true && flow.origin.contry == "DE"', 8, "did you mean flow.origin.country"),
        ('consent.decision == "denyed"', 17, "did you mean denied"),
        ('flow.role in ["own", "procesor"]', 10, "did you mean processor"),
        ('flow.purpose.startsWith("adverts")', 23, "no value of flow.purpose begins with 'adverts'"),
        ("flow.recipient == 1", 15, "`==` cannot be used with (string, int)"),
        ("flow.recipient", 0, "a condition is true or false, and this is string"),
        ('transfer.status == "missing"', 0, "no name transfer.status"),
        ("flow.subjects.size() > 0", 0, "no name flow.subjects"),
        ('flow.recipient.matches("a(?=b)")', 22, "none that RE2 knows"),
        ("flow.recipient.matches(flow.service)", 22, "the pattern of matches() is written out"),
        ('timestamp(flow.at_ms).getHours("Nowhere/Land") == 1', 30, "no such time zone"),
        ("timestamp(flow.at_ms).getHours(flow.service) == 1", 30, "a time zone is written out"),
        ("has(flow.recipient)", 3, "every name always has a value"),
        ("has(flow.origin.country)", 3, "compare flow.origin.country with"),
        ("google.protobuf.Int32Value{value: 1} == 1", 0, "messages are not part"),
        ('{"a": 1}.map(k, k) == ["a"]', 12, "run over lists only"),
        ('{"a": 1}.filter(k, true) == ["a"]', 15, "run over lists only"),
        ('{"a": 1, 2: 1}.size() == 2', 0, "keys of a map are all texts"),
        ("1 == 1.0", 2, "`==` cannot be used with (int, double)"),
        ('{"a": 1, "a": 2}.size() == 2', 0, "the same key twice"),
        ("{flow.service: 1}.size() == 1", 0, "keys of a map are written out"),
        ("flow.categories.exists(flow, true)", 22, "cannot be named flow"),
        ('flow.recipient = "meta"', 15, "compare with =="),
        ("flow.recipient.beginsWith('a')", 25, "no function beginsWith"),
        ("law.honours_gpc &&", 18, "the end of the expression"),
        ("", 0, "write a condition"),
        ("  ", 0, "write a condition"),
        ("true " * 20_000, 0, f"longer than {MAX_EXPANDED}"),
        ("(" * 200 + "true" + ")" * 200, 0, "nested too deeply"),
        ("+".join("1" * 1500) + " == 1", 0, "nested too deeply"),
        ("flow.recipient == '\ud800'", 0, "surrogate"),
    ],
)
def test_what_is_outside_is_refused_with_a_sentence_and_its_place(text: str, offset: int, words: str) -> None:
    expression, mistakes = compile_expression(text, Assessor.TRACKING)
    assert expression is None
    assert (mistakes[0].offset, words in mistakes[0].message) == (offset, True), mistakes


def test_all_mistakes_of_an_expression_are_given_at_once_in_order() -> None:
    _, mistakes = compile_expression('flow.a == "x" ||\nflow.b == "y" || law.c', Assessor.TRACKING)
    assert [mistake.offset for mistake in mistakes] == [0, 17, 34]


def test_a_long_chain_of_conditions_is_not_deep() -> None:
    text = "&&".join(["true"] * 600)
    expression, _ = compile_expression(text, Assessor.CHECKOUT)
    assert expression is not None
    assert expression.holds(None) is True  # type: ignore[arg-type]


def test_each_assessor_has_its_own_names_and_no_person_among_them() -> None:
    for assessor, part in (("tracking", "consent"), ("transfers", "transfer"), ("checkout", "checkout")):
        names = readable(Assessor(assessor))
        assert {name.partition(".")[0] for name in names} == {"flow", "law", part}
        assert not {"flow.subjects", "flow.signals", "flow.fields", "flow.location"} & set(names)


@given(st.text(max_size=60))
def test_no_text_is_answered_with_a_traceback(text: str) -> None:
    expression, mistakes = compile_expression(text, Assessor.TRACKING)
    assert (expression is None) == bool(mistakes)


@given(st.binary(max_size=200))
def test_bytes_that_are_no_tree_are_refused(data: bytes) -> None:
    with pytest.raises((ValueError, KeyError)):
        decode(data)
