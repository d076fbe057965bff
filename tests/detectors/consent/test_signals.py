from urllib.parse import quote

import pytest

from detectors.consent.signals import find_signals
from tests.detectors.consent.asking import (
    ADVERTISING,
    ALL,
    NONE,
    TRACKING,
    california,
    of_cookies,
    of_event,
    of_purposes,
    of_query,
    said,
)
from tests.detectors.consent.writer import Writer, header, tc_core
from topics.flow import Signal


def test_a_record_without_signals_gives_none() -> None:
    assert find_signals(None, None, None, {}) == ()
    assert find_signals({"host": ("a",)}, "a=b; session=1", "x=1&y=2", {"context.other": {"a": 1}}) == ()


def test_a_gpc_header_is_a_denial_of_advertising() -> None:
    assert find_signals({"sec-gpc": ("1",)}, None, None, {}) == (
        Signal("gpc", "denied", "headers.sec-gpc", ADVERTISING),
    )
    assert find_signals({"sec-gpc": ("0",)}, None, None, {}) == ()
    assert said(find_signals({"sec-gpc": ("?1",)}, None, None, {})) == [("gpc", "unreadable", "nonconforming")]


def test_do_not_track_is_shown_and_never_decides() -> None:
    assert said(find_signals({"dnt": ("1",)}, None, None, {})) == [("dnt", "not-applicable", "information")]
    assert find_signals({"dnt": ("0",)}, None, None, {}) == ()
    assert said(of_event(dnt=True)) == [("dnt", "not-applicable", "information")]


@pytest.mark.parametrize(
    ("text", "says", "remark"),
    [
        ("1YYN", "denied", ""),
        ("1NYN", "denied", ""),
        ("1YNN", "allowed", ""),
        ("1NNN", "not-applicable", "no_notice"),
        ("1-N-", "not-applicable", "no_notice"),
        ("1---", "not-applicable", "said_not_to_apply"),
        ("1yyn", "denied", "lower_case"),
        ("${US_PRIVACY}", "unreadable", "litter"),
        ("%24%7BUS_PRIVACY%7D", "unreadable", "litter"),
        ("1XNN", "unreadable", "form"),
    ],
)
def test_what_a_us_privacy_string_says(text: str, says: str, remark: str) -> None:
    signal = Signal("usp", says, "query.us_privacy", ADVERTISING, remark)
    assert of_query(f"a=1&us_privacy={text}&b=2") == (signal,)
    assert said(of_cookies(f"a=1; usprivacy={text}")) == [("usp", says, remark)]


def test_an_empty_value_is_no_signal() -> None:
    assert of_query("us_privacy=&gpp=&gdpr_consent=&gcs=&gcd=&gdpr=&gpp_sid=") == ()
    assert of_cookies("usprivacy=; OptanonConsent=; euconsent-v2=; CookieConsent=; didomi_token=; didomi_dcs=") == ()


@pytest.mark.parametrize("levels", [1, 2])
def test_a_signal_inside_a_nested_url_is_found(levels: int) -> None:
    url = "https://a.example/p?us_privacy=1YYN&x=1"
    for _ in range(levels):
        url = f"https://b.example/r?u={quote(url, safe='')}"
    query = url.partition("?")[2]
    assert of_query(query) == (Signal("usp", "denied", "query.nested.us_privacy", ADVERTISING),)


def test_a_url_inside_a_url_inside_a_url_inside_a_url_is_not_followed() -> None:
    url = "https://a.example/p?us_privacy=1YYN"
    for _ in range(3):
        url = f"https://b.example/r?u={quote(url, safe='')}"
    assert of_query(url.partition("?")[2]) == ()


def test_two_different_strings_in_one_query_leave_only_the_denial() -> None:
    assert said(of_query("us_privacy=1YNN&us_privacy=1YYN")) == [
        ("usp", "unreadable", "conflict"),
        ("usp", "denied", "conflict"),
    ]
    assert said(of_query("us_privacy=1YNN&us_privacy=1YNN")) == [("usp", "allowed", "")]


def test_a_tc_string_speaks_for_each_purpose() -> None:
    path = "query.gdpr_consent"
    made = 1_700_000_000_000
    assert of_query(f"gdpr=1&gdpr_consent={ALL}") == (
        Signal("tcf", "allowed", path, ("advertising.targeted",), "", made),
        Signal("tcf", "allowed", path, ("advertising.measurement",), "", made),
        Signal("tcf", "allowed", path, ("analytics",), "", made),
        Signal("tcf", "allowed", path, ("sensitive.precise_geolocation",), "", made),
    )
    assert {says for _, says, _ in said(of_cookies(f"euconsent-v2={NONE}"))} == {"denied"}
    mixed = tc_core({1, 8}, {2, 7}, {3}, set())
    assert [says for _, says, _ in said(of_query(f"gdpr_consent={mixed}"))] == ["denied", "allowed", "allowed"]


def test_legitimate_interest_is_no_basis_for_profiles() -> None:
    text = tc_core({1}, set(range(2, 12)), {3}, {3})
    assert [says for _, says, _ in said(of_query(f"gdpr_consent={text}"))] == ["denied", "allowed", "allowed"]


def test_a_purpose_one_that_was_not_disclosed_allows_nothing() -> None:
    text = tc_core(set(range(2, 12)), set(), {3}, set(), purpose_one_treatment=True)
    assert set(said(of_query(f"gdpr_consent={text}"))) == {("tcf", "not-applicable", "purpose_one_treatment")}


def test_restrictions_and_global_scope_are_remarked_on() -> None:
    restricted = tc_core(set(range(1, 12)), set(), {3}, set(), restrictions=((3, 0, {3}),))
    assert [remark for _, _, remark in said(of_query(f"gdpr_consent={restricted}"))] == ["restrictions", "", ""]
    worldwide = tc_core(set(range(1, 12)), set(), {3}, set(), service_specific=False)
    assert said(of_query(f"gdpr_consent={worldwide}")) == [("tcf", "unreadable", "not_service_specific")]


@pytest.mark.parametrize(
    ("days", "allowing", "denying"),
    [
        (0, ("allowed", ""), ("denied", "")),
        (390, ("allowed", ""), ("denied", "")),
        (400, ("unreadable", "stale"), ("denied", "stale")),
        (-5, ("unreadable", "future"), ("unreadable", "future")),
    ],
)
def test_an_old_string_allows_nothing_and_still_denies(
    days: int, allowing: tuple[str, str], denying: tuple[str, str]
) -> None:
    at_ms = 1_700_000_000_000 + days * 86_400_000
    for text, expected in ((ALL, allowing), (NONE, denying)):
        for query in (f"gdpr_consent={text}", f"gpp={header({2})}~{text}"):
            found = find_signals(None, None, query, {}, at_ms=at_ms)
            assert {(signal.says, signal.remark) for signal in of_purposes(found)} == {expected}
    cookies = find_signals(None, f"euconsent-v2={ALL}", None, {}, at_ms=at_ms)
    assert {signal.says for signal in of_purposes(cookies)} == {allowing[0]}


def test_a_string_without_the_segment_that_its_day_demands_allows_nothing() -> None:
    created = 17_723_232_000
    text = tc_core(set(range(1, 12)), set(), {3}, set(), created=created)
    found = find_signals(None, None, f"gdpr_consent={text}", {}, at_ms=created * 100)
    assert set(said(found)) == {("tcf", "unreadable", "without_disclosed_vendors")}


def test_a_gdpr_flag_of_zero_marks_the_string_beside_it() -> None:
    found = of_query(f"gdpr=0&gdpr_consent={ALL}")
    assert found[0] == Signal("tcf", "not-applicable", "query.gdpr", TRACKING, "gdpr_0")
    assert {signal.remark for signal in found} == {"gdpr_0"}
    assert said(of_query("gdpr=${GDPR}")) == [("tcf", "unreadable", "litter")]


@pytest.mark.parametrize(
    ("text", "says", "remark"),
    [
        (california(1, 2), "denied", ""),
        (california(2, 1), "denied", ""),
        (california(2, 2), "allowed", ""),
        (california(2, 2, notice=0), "allowed", ""),
        (california(2, 2, notice=2), "not-applicable", "no_notice"),
        (california(0, 0, notice=0), "not-applicable", "declared_not_done"),
        (california(0, 0, notice=1), "not-applicable", "no_choice"),
        (california(0, 0, notice=2), "not-applicable", "no_notice"),
        (california(2, 2, gpc=".YA"), "denied", "gpc_vs_field"),
        (california(0, 0, gpc=".YA"), "denied", "gpc"),
        (california(2, 2, gpc=".QA"), "allowed", ""),
        (california(3, 3), "not-applicable", "no_choice"),
        (f"{header({8})}~FAAAAAAA", "unreadable", "unknown_section_version"),
        (f"{header({8})}~FAAAAAAA.YA", "denied", "gpc"),
        (f"{header({8})}~B", "unreadable", "truncated"),
    ],
)
def test_what_a_californian_section_says(text: str, says: str, remark: str) -> None:
    assert of_query(f"gpp={text}&gpp_sid=8") == (Signal("gpp", says, "query.gpp.usca", ADVERTISING, remark),)


def test_targeted_advertising_may_be_refused_alone() -> None:
    writer = Writer().integer(1, 6)
    for value in (1, 1, 1, 2, 1):
        writer.integer(value, 2)
    text = f"{header({9})}~{writer.integer(0, 24).text()}"
    assert of_query(f"gpp={text}") == (
        Signal("gpp", "denied", "query.gpp.usva", ("advertising.targeted",)),
        Signal("gpp", "allowed", "query.gpp.usva", ("advertising.measurement", "social")),
    )


@pytest.mark.parametrize("sid", ["7", "7,9"])
def test_a_section_that_is_not_in_force_is_marked(sid: str) -> None:
    assert said(of_query(f"gpp={california(1, 1)}&gpp_sid={sid}")) == [("gpp", "denied", "not_in_force")]


def test_where_no_section_is_in_force_none_decides() -> None:
    assert said(of_query(f"gpp={california(1, 1)}&gpp_sid=-1")) == [("gpp", "not-applicable", "none_in_force")]


@pytest.mark.parametrize("sid", ["", "${GPP_SID}", "x", "8", "2,8", "8%2C9"])
def test_section_ids_that_name_it_or_nothing_leave_it_in_force(sid: str) -> None:
    assert said(of_query(f"gpp={california(1, 1)}&gpp_sid={sid}")) == [("gpp", "denied", "")]


def test_strings_inside_a_gpp_string_keep_their_kind() -> None:
    found = of_query(f"gpp={header({2, 6})}~{NONE}~1YYN")
    assert {(signal.kind, signal.says, signal.path) for signal in of_purposes(found)} == {
        ("tcf", "denied", "query.gpp.tcfeuv2"),
        ("usp", "denied", "query.gpp.uspv1"),
    }


def test_consent_mode_speaks_only_where_a_person_acted() -> None:
    assert [(s.says, s.remark) for s in of_query("gcd=13r3v3n3r5")] == [("allowed", "")] * 3
    assert [(s.says, s.remark) for s in of_query("gcd=13u3r3n3r5")] == [("denied", ""), ("denied", ""), ("allowed", "")]
    assert [(s.says, s.remark) for s in of_query("gcd=13t3t3t3t5")] == [("not-applicable", "default_granted")] * 3
    assert [(s.says, s.remark) for s in of_query("gcd=13p3p3p3p5")] == [("not-applicable", "default_denied")] * 3
    assert [(s.says, s.remark) for s in of_query("gcd=13l3l3l3l1")] == [("not-applicable", "no_choice")] * 3


def test_the_older_parameter_of_consent_mode_counts_only_alone() -> None:
    assert said(of_query("gcs=G101")) == [("gcs", "denied", "act_unknown"), ("gcs", "not-applicable", "act_unknown")]
    assert of_query("gcs=G1--") == ()
    assert {signal.kind for signal in of_query("gcs=G100&gcd=13t3t3t3t5")} == {"gcd"}
