"""The closures hold against the CEL engine."""

import os
from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.assessment import Assessment
from detectors.rules.language import compile_expression, environment
from detectors.rules.names import Assessor, assessment
from detectors.rules.values import EvaluationError
from tests.detectors.rules.expressions import activation, facts, interpreted
from tests.detectors.rules.grammar import Writer

EXPRESSIONS = int(os.environ.get("RULES_EXPRESSIONS", "3000"))
"""How many expressions are written; RULES_EXPRESSIONS=100000 takes about four minutes of processor time."""
_CONTEXTS = 2
_MOST_REFUSED = 0.10


def _closed(text: str, assessor: Assessor, given_facts: Assessment) -> bool | None:
    expression, mistakes = compile_expression(text, assessor)
    assert expression is not None, (text, mistakes)
    try:
        return expression.holds(given_facts)
    except EvaluationError:
        return None


@pytest.mark.timeout(max(300, EXPRESSIONS // 50))
def test_closures_give_what_the_engine_gives_for_expressions_of_the_whole_grammar(
    capsys: pytest.CaptureFixture[str],
) -> None:
    seed = int(os.environ.get("RULES_SEED", "1"))
    random, assessors = Random(seed), list(Assessor)
    refused: Counter[str] = Counter()
    results: Counter[bool | None] = Counter()
    differences: list[tuple[str, bool | None, bool | None]] = []
    for number in range(EXPRESSIONS):
        assessor = assessors[number % len(assessors)]
        text = Writer(random, assessor).condition()
        cases = [facts(random, assessor) for _ in range(_CONTEXTS)]
        # What the grammar writes is well-typed: the engine's checker takes all of it.
        engines = environment(assessor).compile(text)
        expression, mistakes = compile_expression(text, assessor)
        if expression is None:
            refused[mistakes[0].message] += 1
            continue
        for case in cases:
            try:
                ours: bool | None = expression.holds(case)
            except EvaluationError:
                ours = None
            value = engines.eval(data=activation(case, assessor)).value()
            theirs = value if isinstance(value, bool) else None
            results[theirs] += 1
            if ours is not theirs:
                differences.append((text, ours, theirs))
    share = refused.total() / EXPRESSIONS
    with capsys.disabled():
        print(  # noqa: T201 - the shares are the point
            f"\n{EXPRESSIONS} expressions (seed {seed}) in {_CONTEXTS} contexts each: {len(differences)} differences; "
            f"{results[True]} true, {results[False]} false, {results[None]} errors; {share:.1%} refused"
        )
        for message, count in refused.most_common():
            print(f"  {count} refused: {message}")  # noqa: T201
    assert differences == []
    assert share <= _MOST_REFUSED
    # A comparison of nothing but errors would prove little.
    assert min(results.values()) > results.total() / 10


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("true || 1 / 0 == 1", True),
        ("1 / 0 == 1 || true", True),
        ("false && 1 / 0 == 1", False),
        ("1 / 0 == 1 && false", False),
        ("1 / 0 == 1 && true", None),
        ("1 / 0 == 1 || false", None),
        ("-7 / 2 == -3", True),
        ("-7 % 2 == -1", True),
        ("7 % -2 == 1", True),
        ("9223372036854775807 + 1 > 0", None),
        ("-9223372036854775808 - 1 < 0", None),
        ("-9223372036854775808 / -1 > 0", None),
        ("-9223372036854775808 % -1 == 0", None),
        ("-(-9223372036854775808) > 0", None),
        ("4611686018427387904 * 2 > 0", None),
        ("1 % 0 == 0", None),
        ('{"a": 1}["b"] == 1', None),
        ('{"a": 1}.b == 1', None),
        ('has({"a": 1}.b)', False),
        ('has({"a": 1}.a)', True),
        ("[1, 2][-1] == 2", None),
        ("[1, 2][2] == 2", None),
        ('"\U0001f600é".size() == 2', True),
        ('"é" < "\U0001f600"', True),
        ("[1 / 0, 1].exists(x, true)", None),
        ("[0, 1].exists(x, 1 / x == 1)", True),
        ("[0, 2].exists(x, 1 / x == 1)", None),
        ("[0, 2].all(x, 1 / x == 1)", False),
        ("[0, 1].all(x, 1 / x == 1)", None),
        ("[0, 1].exists_one(x, 1 / x == 1)", None),
        ("[1, 1, 2].exists_one(x, x == 1)", False),
        ("[1, 2].map(x, [3].map(x, x + 1)[0] + x) == [5, 6]", True),
        ("[1, 2, 3].map(x, x > 1, x * 2) == [4, 6]", True),
        ("[1, 2].all(x, [2, 3].exists(y, y > x))", True),
        ("[].all(x, false)", True),
        ("flow.categories == []", True),
        ("(true ? 1 : 1 / 0) == 1", True),
        ("(1 / 0 == 1) ? true : true", None),
        ("false ? true : law.honours_gpc", False),
        ("timestamp(flow.at_ms / 1000).getFullYear() == 1970", True),
        ('timestamp("2026-03-29T00:59:59Z").getHours("Europe/Berlin") == 1', True),
        ('timestamp("2026-03-29T01:00:00Z").getHours("Europe/Berlin") == 3', True),
        ('timestamp("9999-12-31T23:59:59Z").getFullYear("+02:00") == 10000', True),
        ('timestamp("2026-11-02") < timestamp(0)', None),
        ('timestamp("2026-11-02T00:00:00Z") - timestamp("2026-11-01T00:00:00Z") == duration("24h")', True),
        ('duration("1h30m").getMinutes() == 90', True),
        ('string(duration("-1.5s")) == "-1.500s"', True),
        ('string(1e6) == "1e+06" && string(0.1) == "0.1"', True),
        ("18446744073709551615u + 1u > 0u", None),
        ("1u - 2u < 1u", None),
        ("0.0 / 0.0 == 0.0 / 0.0", False),
        ("[0.0 / 0.0] == [0.0 / 0.0]", False),
        ("dyn(1) == 1.0", True),
        ("dyn(1) == true", False),
        ("dyn(9223372036854775807) == 9223372036854775807.0", True),
        ("dyn(1) + 1.0 == 2.0", None),
        ("false && dyn(1)", False),
        ("true && dyn(1)", None),
        ("{1: 2}[dyn(1.0)] == 2", True),
        ("{1: true}[dyn(true)]", None),
        ('[1, "a"].exists(x, x == "a")', True),
        ('{"a": 1, "b": 2}.all(key, key in ["a", "b"])', True),
        ("type(flow.role) == string", True),
        ("type(1u) == type(1)", False),
        ('flow.service.matches("^$")', True),
        ('int("0x10") == 16', None),
        ('size(bytes("é")) == 2', True),
        ('string(b"\\xff") == ""', None),
    ],
)
def test_semantics_of_cel_are_kept(text: str, *, expected: bool | None) -> None:
    case, _wrong = assessment(Assessor.TRACKING, {})
    assert case is not None
    assert _closed(text, Assessor.TRACKING, case) is expected
    assert interpreted(text, activation(case, Assessor.TRACKING), Assessor.TRACKING) is expected


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_facts_without_a_required_value_never_hold(seed: int) -> None:
    random = Random(seed)
    writer, case = Writer(random, Assessor.TRACKING), facts(random, Assessor.TRACKING)
    values = activation(case, Assessor.TRACKING)
    for _ in range(10):
        text = f"{writer.word()} && {writer.condition()}"
        expression, _mistakes = compile_expression(text, Assessor.TRACKING)
        if expression is None:
            continue
        if any(part.values is not None and values[part.name] not in part.values for part in expression.conjuncts):
            assert _closed(text, Assessor.TRACKING, case) is False, text


def test_required_values_are_read_from_the_outermost_conjunction_only() -> None:
    expression, _ = compile_expression(
        'consent.decision == "denied" && flow.role in ["processor", "third-party"] && "gpc" == consent.signal'
        ' && (flow.purpose == "social" || flow.purpose.startsWith("advertising")) && law.honours_gpc'
        ' && flow.categories == ["a"] && (flow.step == "cart" || flow.proof != "")'
        ' && flow.role != "own" && flow.purpose != "social"',
        Assessor.TRACKING,
    )
    assert expression is not None
    assert [(each.name, each.values) for each in expression.conjuncts] == [
        ("consent.decision", {"denied"}),
        ("flow.role", {"processor", "third-party"}),
        ("consent.signal", {"gpc"}),
        ("flow.purpose", {"social", "advertising.measurement", "advertising.targeted"}),
        ("law.honours_gpc", {True}),
        ("", None),
        ("", None),
        ("flow.role", {"processor", "third-party", "unknown"}),
        # A purpose is text with a list beside it: "not this one" is not turned into "one of the others".
        ("", None),
    ]
