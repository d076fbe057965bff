import pytest

from detectors.classify.cookies import CLICK, COOKIE, categories_in


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("_ga=GA1.2.1.2; theme=dark", {COOKIE}),
        ("_GA_ABC123=GS1.1; _fbp=fb.1.1.2", {COOKIE}),
        ("_fbc=fb.1.1.abc; _gcl_aw=GCL.1.x", {CLICK}),
        ("_ga=", set()),
        ("cart=7; PHPSESSID=abc; lang=de", set()),
        (";;;=;" * 5_000, set()),
    ],
)
def test_identifiers_are_known_by_the_name_of_the_cookie(header: str, expected: set[str]) -> None:
    assert categories_in(header) == expected
