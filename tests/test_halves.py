"""How the suite is split."""

import pytest

from tests.__main__ import chooses


@pytest.mark.parametrize(
    "arguments", [[], ["-k", "name"], ["-x", "-q"], ["--durations", "5"], ["--maxfail=3"], ["-p", "no:randomly"]]
)
def test_names_and_manners_leave_both_halves(arguments: list[str]) -> None:
    assert not chooses(arguments)


@pytest.mark.parametrize(
    "arguments", [["tests/topics"], ["-m", "kafka"], ["-n", "4"], ["-q", "tests/topics/test_schemas.py", "-k", "x"]]
)
def test_who_chooses_tests_gets_those_alone(arguments: list[str]) -> None:
    assert chooses(arguments)
