"""Requests as services document them: every labelled field is found under its category, and nothing else is."""

import pytest

from tests.bench.requests import Request, requests, score


@pytest.mark.parametrize("request_", requests(), ids=lambda each: each.name)
def test_what_is_personal_in_a_request_is_found_and_nothing_else(request_: Request) -> None:
    told = score(request_)
    assert {path for path, _ in told.labelled - told.hit} == request_.unfound
    assert {path for path, _ in told.wrong} == request_.mistaken
