import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.classify.adblock_lists import read_filters
from detectors.classify.filter_lists import read_hosts
from tests.detectors.classify.shipped import recipients

HOSTS = """
# of our own
127.0.0.1 localhost
0.0.0.0 spy.example  # with a remark
::1 other-spy.example
plain.example
*.wild.example
Two.example three.example
"""
FILTERS = """[Adblock Plus 2.0]
! a title
||spy.example^$third-party
/quiet-pixel.
@@||spy.example/allowed.js
shop.example##.banner
"""


def test_a_hosts_file_and_a_plain_list_are_read_alike() -> None:
    found, problems = read_hosts(HOSTS, "own.txt", "analytics")
    assert problems == []
    assert found is not None
    assert len(found) == 6
    for host in (
        "spy.example",
        "a.b.spy.example",
        "other-spy.example",
        "x.wild.example",
        "TWO.example",
        "three.example",
    ):
        assert found.means(host, "/", "", "")
    for host in ("localhost", "notspy.example", "example", ""):
        assert not found.means(host, "/", "", "")


def test_every_mistake_of_a_hosts_file_is_told_with_its_line() -> None:
    found, problems = read_hosts("good.example\nnot a host!\n\n0.0.0.0 http://x.example/\n", "own.txt", "analytics")
    assert found is None
    assert [(each.file, each.line) for each in problems] == [("own.txt", 2), ("own.txt", 4)]
    assert "holds no host name" in read_hosts("# nothing\n", "own.txt", "analytics")[1][0].message


def test_filters_are_asked_with_the_page_the_request_came_from() -> None:
    found, problems = read_filters(FILTERS, "list.txt", "advertising.targeted")
    assert problems == []
    assert found is not None
    assert found.means("spy.example", "/a.js", "", "shop.example")
    assert not found.means("spy.example", "/a.js", "", "spy.example")
    assert not found.means("spy.example", "/allowed.js", "", "shop.example")
    assert found.means("nobody.example", "/quiet-pixel.gif", "u=1", "")
    assert not found.means("nobody.example", "/loud.gif", "", "shop.example")


@pytest.mark.parametrize("text", ["", "! only remarks\n", "<html>\n<body>\n", "shop.example##.banner\n"])
def test_a_list_without_filters_of_requests_is_a_mistake(text: str) -> None:
    found, problems = read_filters(text, "list.txt", "analytics")
    assert found is None
    assert "Adblock syntax" in problems[0].message


@settings(deadline=None)
@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60), st.text(max_size=30))
def test_no_text_of_traffic_breaks_the_engine(host: str, path: str, query: str, page: str) -> None:
    found, _ = read_filters(FILTERS, "list.txt", "analytics")
    assert found is not None
    assert found.means(host, path, query, page) in {True, False}


def test_a_list_stands_behind_what_is_shipped_and_before_looks() -> None:
    found, _ = read_hosts("ads.nobody.example\nfacebook.net\nquiet.example\n", "own.txt", "analytics.session_replay")
    assert found is not None
    index = recipients().with_lists([found])
    known = index.lookup_request("ads.nobody.example", "/x.js")
    assert known is not None
    assert (known.purpose, known.how, known.evidence, known.recipient) == (
        "analytics.session_replay",
        "list",
        "own.txt",
        None,
    )
    shipped = index.lookup_request("connect.facebook.net", "/en_US/fbevents.js")
    assert shipped is not None
    assert shipped.how == "host"
    assert recipients().lookup_request("quiet.example", "/x.js") is None
