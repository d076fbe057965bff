"""Hints of a cause: each where all facts support it, and nowhere else."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.hints import CONSENT_MISSING, CONSENT_STALE, RETRY, SENTENCES, SIGNAL_LOST, WRONG_CATEGORY, hints
from tests.alerts.traffic import START_MS, Seen, finding
from topics.finding import Detector, Finding

Proof = tuple[tuple[str, str], ...]
TRACKING, RECIPIENT = Detector.UNCONSENTED_TRACKING, Detector.UNDOCUMENTED_RECIPIENT
MISSING: Proof = (("signal", "default"), ("reason", "no-signal"), ("carries", "none"))
LOST: Proof = (("signal", "ledger"), ("carries", "none"), ("seconds-since-refusal", "90"))
STALE: Proof = (("signal", "ledger"), ("conflict", "tcf"), ("remark", "stale_string"), ("carries", "tcf"))
UNCOVERED: Proof = (("status", "category-not-covered"), ("uncovered", "user.contact.email"))


def one(
    proof: Proof, detector: Detector = TRACKING, *, offset: int = 0, subject: str = "s", at_ms: int = START_MS
) -> Finding:
    made = finding(Seen("k", 0, offset, at_ms, 1, subject))
    return msgspec.structs.replace(made, proof=proof, detector=detector, location="body")


@pytest.mark.parametrize(
    ("proof", "detector", "hint"),
    [
        (MISSING, TRACKING, CONSENT_MISSING),
        (LOST, TRACKING, SIGNAL_LOST),
        (STALE, TRACKING, CONSENT_STALE),
        (UNCOVERED, RECIPIENT, WRONG_CATEGORY),
    ],
)
def test_a_cause_is_named_where_every_exemplar_shows_it(proof: Proof, detector: Detector, hint: str) -> None:
    several = [one(proof, detector, offset=number, subject=f"s{number}") for number in range(3)]
    assert hints(several) == (hint,)
    assert SENTENCES[hint]
    mixed = [*several, one((("signal", "gpc"), ("carries", "gpc")), offset=9)]
    assert hints(mixed) == ()


@pytest.mark.parametrize("proof", [MISSING, LOST, STALE, UNCOVERED])
@pytest.mark.parametrize("left_out", range(3))
def test_without_one_of_its_facts_a_cause_is_not_named(proof: Proof, left_out: int) -> None:
    if left_out < len(proof) and proof[left_out][0] not in {"seconds-since-refusal", "conflict", "status"}:
        detector = RECIPIENT if proof is UNCOVERED else TRACKING
        less = tuple(pair for number, pair in enumerate(proof) if number != left_out)
        if proof is not STALE or left_out == 2:
            assert hints([one(less, detector)]) == ()


def test_what_a_release_wrote_that_told_less_supports_no_claim() -> None:
    assert hints([one((("signal", "ledger"), ("seconds-since-refusal", "90")))]) == ()
    assert hints([]) == ()


def test_the_same_event_of_a_person_on_two_records_after_a_refusal_is_a_retry() -> None:
    refused: Proof = (("signal", "ledger"), ("carries", "tcf"), ("seconds-since-refusal", "90"))
    assert hints([one(refused, offset=1), one(refused, offset=2)]) == (RETRY,)
    assert hints([one(refused, offset=1), one(refused, offset=1)]) == (), "the same record read twice"
    assert hints([one(refused, offset=1), one(refused, offset=2, at_ms=START_MS + 1)]) == (), "another event"
    assert hints([one(refused, offset=1, subject=""), one(refused, offset=2, subject="")]) == (), "nobody is named"
    assert hints([one((("signal", "gpc"),), offset=1), one((("signal", "gpc"),), offset=2)]) == (), "no refusal before"


@given(st.lists(st.sampled_from([MISSING, LOST, STALE, UNCOVERED, (("signal", "gpc"),)]), max_size=5), st.randoms())
def test_the_order_of_exemplars_and_repeats_change_nothing(proofs: list[Proof], random_: object) -> None:
    seen = [one(proof, offset=number) for number, proof in enumerate(proofs)]
    assert hints(seen) == hints(reversed(seen)) == hints([*seen, *seen])
