"""Bytes of dead letters: open to who holds the secret, and to nobody else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topics.sealing import MAX_SEALED_BYTES, Seal, SealBroken

SEAL = Seal("d1", b"a secret of the tests")
PLACE = "cluster/shop.events/0/7"


@given(st.binary(min_size=1, max_size=2_000))
def test_what_was_sealed_is_given_back_and_is_the_same_each_time(data: bytes) -> None:
    sealed = SEAL.close(data, PLACE)
    assert SEAL.open(sealed, PLACE) == data
    assert sealed == SEAL.close(data, PLACE)
    assert sealed != SEAL.close(data, "cluster/shop.events/0/8")


@pytest.mark.parametrize("place", ["cluster/shop.events/0/8", "cluster/shop.events/1/7", ""])
def test_a_letter_moved_to_another_place_does_not_open(place: str) -> None:
    with pytest.raises(SealBroken):
        SEAL.open(SEAL.close(b"canary", PLACE), place)


def test_another_secret_does_not_open_and_another_key_id_is_named() -> None:
    sealed = SEAL.close(b"canary", PLACE)
    with pytest.raises(SealBroken, match="another"):
        Seal("d1", b"another secret of the tests").open(sealed, PLACE)
    with pytest.raises(SealBroken, match="'d1'"):
        Seal("d2", b"a secret of the tests").open(sealed, PLACE)


@given(st.integers(0, 60), st.sampled_from("ABCxyz019+/=."))
def test_a_changed_letter_does_not_open(at: int, other: str) -> None:
    sealed = SEAL.close(b"canary canary canary canary", PLACE)
    at %= len(sealed)
    changed = sealed[:at] + other + sealed[at + 1 :]
    if changed != sealed:
        with pytest.raises(SealBroken) as told:
            SEAL.open(changed, PLACE)
        assert "canary" not in str(told.value)


def test_nothing_and_too_much_are_not_kept() -> None:
    assert SEAL.close(b"", PLACE) == ""
    assert SEAL.close(b"x" * (MAX_SEALED_BYTES + 1), PLACE) == ""
    assert "secret" not in repr(SEAL)
