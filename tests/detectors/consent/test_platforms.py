"""Consent mode, cookies of consent platforms, and objects of events."""

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.consent import cookies, google, objects
from detectors.consent.refusal import Reason, Refusal

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
DECODERS = [
    google.decode_gcs,
    google.decode_gcd,
    cookies.decode_onetrust,
    cookies.decode_cookiebot,
    cookies.decode_trustarc_prefs,
    cookies.decode_trustarc_permit,
    cookies.decode_didomi,
    cookies.decode_commanders_act,
]


@pytest.mark.parametrize("decode", DECODERS, ids=lambda decode: decode.__name__)
@given(text=st.text(max_size=60) | st.text(alphabet="{}':,%01@|truefalsG-", max_size=60))
def test_no_text_makes_a_decoder_raise(decode: Any, text: str) -> None:
    assert decode(text) is not None


@pytest.mark.parametrize("decode", DECODERS, ids=lambda decode: decode.__name__)
@pytest.mark.parametrize("text", ["1" * 1_000_000, "%25" * 400_000, "{" * 100_000], ids=["ones", "encodings", "braces"])
def test_a_text_above_the_cap_is_refused_unread(decode: Any, text: str) -> None:
    assert decode(text) == Refusal(Reason.TOO_LONG)


@pytest.mark.parametrize("decode", DECODERS, ids=lambda decode: decode.__name__)
@pytest.mark.parametrize(
    ("text", "reason"), [("", Reason.EMPTY), (" ", Reason.EMPTY), ("null", Reason.LITTER), ("${X}", Reason.LITTER)]
)
def test_nothing_and_litter_are_told_apart_from_bad_form(decode: Any, text: str, reason: Reason) -> None:
    assert decode(text) == Refusal(reason)


@pytest.mark.parametrize(
    ("letter", "default", "update", "effective"),
    [
        ("l", None, None, None),
        ("p", False, None, False),
        ("q", False, False, False),
        ("t", True, None, True),
        ("r", False, True, True),
        ("m", None, False, False),
        ("n", None, True, True),
        ("u", True, False, False),
        ("v", True, True, True),
    ],
)
def test_each_letter_of_gcd(letter: str, default: bool | None, update: bool | None, effective: bool | None) -> None:  # noqa: FBT001
    decoded = google.decode_gcd(f"13{letter}3l3p3t5")
    assert isinstance(decoded, google.Gcd)
    state = decoded.ad_storage
    assert (state.default, state.update, state.effective) == (default, update, effective)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("11L1l1l1l5", Reason.CASE_FOLDED),
        ("11x1l1l1l5", Reason.FORM),
        ("21l1l1l1l5", Reason.FORM),
        ("11l1l1l1l", Reason.FORM),
        ("11l1l1l1l５", Reason.FORM),
    ],
)
def test_a_bad_gcd_is_refused(text: str, reason: Reason) -> None:
    assert google.decode_gcd(text) == Refusal(reason)


@pytest.mark.parametrize(
    ("text", "reason"),
    [("g100", Reason.CASE_FOLDED), ("G211", Reason.FORM), ("G1000", Reason.FORM), ("G1", Reason.FORM)],
)
def test_a_bad_gcs_is_refused(text: str, reason: Reason) -> None:
    assert google.decode_gcs(text) == Refusal(reason)


def test_onetrust_may_be_raw_encoded_or_encoded_twice() -> None:
    pairs = {
        "isGpcEnabled": "1",
        "interactionCount": "2",
        "groups": "C0001:1,SPD_BG:0,2:1",
        "AwaitingReconsent": "true",
    }
    raw = "&".join(f"{key}={value}" for key, value in pairs.items())
    form = "&".join(f"{key}={quote(value, safe='')}" for key, value in pairs.items())
    expected = cookies.OneTrust(
        groups={"C0001": True, "SPD_BG": False, "2": True}, gpc=True, interactions=2, awaiting_reconsent=True
    )
    for text in (raw, form, quote(form, safe="")):
        assert cookies.decode_onetrust(text) == expected


def test_onetrust_without_groups_does_not_invent_them() -> None:
    decoded = cookies.decode_onetrust("isGpcEnabled=0&datestamp=x")
    assert decoded == cookies.OneTrust(groups=None, gpc=False, interactions=None, awaiting_reconsent=None)


@pytest.mark.parametrize("groups", ["C0001", "C0001:2", ":1", "C0001:1,", "C0001:1,C0001:0", "C 1:1", "x" * 65 + ":1"])
def test_onetrust_groups_that_are_no_groups_are_refused(groups: str) -> None:
    assert cookies.decode_onetrust(f"isGpcEnabled=0&groups={groups}") == Refusal(Reason.VALUE)


COOKIEBOT = "{stamp:'aB+/==',necessary:true,preferences:false,statistics:true,marketing:false,method:'explicit',ver:1,utc:1700000000001,iab2:'CQxx',region:'de'}"


@pytest.mark.parametrize(
    "text",
    [
        COOKIEBOT,
        quote(COOKIEBOT),
        COOKIEBOT.replace(",", ", "),
        COOKIEBOT.replace(",", "%2C+"),
        quote(quote(COOKIEBOT)),
    ],
)
def test_cookiebot_is_read_in_every_encoding(text: str) -> None:
    assert cookies.decode_cookiebot(text) == cookies.Cookiebot(
        necessary=True,
        preferences=False,
        statistics=True,
        marketing=False,
        method="explicit",
        utc_ms=1_700_000_000_001,
        tc="CQxx",
    )


def test_cookiebot_of_before_the_method_shows_implied_consent_by_its_stamp() -> None:
    decoded = cookies.decode_cookiebot(
        "{stamp:'-1',necessary:true,preferences:true,statistics:true,marketing:true,ver:1}"
    )
    assert isinstance(decoded, cookies.Cookiebot)
    assert decoded.method == "implied"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (COOKIEBOT[:60], Reason.TRUNCATED),
        (COOKIEBOT.replace("marketing:false", "marketing:maybe"), Reason.VALUE),
        (COOKIEBOT.replace("marketing:false,", ""), Reason.VALUE),
        (COOKIEBOT.replace("explicit", "forced"), Reason.VALUE),
        (COOKIEBOT.replace("ver:1", "marketing:true"), Reason.FORM),
        (COOKIEBOT.replace("ver:1", "ver:{}"), Reason.FORM),
        ("1", Reason.FORM),
    ],
)
def test_a_bad_cookiebot_cookie_is_refused(text: str, reason: Reason) -> None:
    assert cookies.decode_cookiebot(text) == Refusal(reason)


@pytest.mark.parametrize(("text", "outside"), [("-1", True), ("0", False)])
def test_cookiebot_without_a_state(text: str, outside: bool) -> None:  # noqa: FBT001
    assert cookies.decode_cookiebot(text) == cookies.CookiebotOutside(outside_region=outside)


@pytest.mark.parametrize(
    ("text", "levels", "implied"),
    [
        ("0,1,2:", (0, 1, 2), None),
        ("0|1|2:", (0, 1, 2), None),
        ("0%2C1:", (0, 1), None),
        ("0:ab12:implied,eu", (0,), True),
        ("0,2::expressed,eu", (0, 2), False),
        (":", (), None),
    ],
)
def test_trustarc_preferences(text: str, levels: tuple[int, ...], implied: bool | None) -> None:  # noqa: FBT001
    assert cookies.decode_trustarc_prefs(text) == cookies.TrustArc(levels=levels, implied=implied)


@pytest.mark.parametrize(
    ("text", "levels"),
    [("permit 1,2,3", (0, 1, 2)), ("permit 1 required", (0,)), ("permit_1|2|3", (0, 1, 2)), ("permit%201%2C2", (0, 1))],
)
def test_trustarc_permits_count_from_one(text: str, levels: tuple[int, ...]) -> None:
    assert cookies.decode_trustarc_permit(text) == cookies.TrustArc(levels=levels, implied=None)


def test_didomi_holds_what_is_on_both_lists_for_refused() -> None:
    token = {"purposes": {"enabled": ["cookies", "ads"], "disabled": ["ads"]}, "vendors": {"enabled": []}}
    text = base64.b64encode(json.dumps(token).encode()).decode()
    expected = cookies.Didomi(enabled=frozenset({"cookies"}), disabled=frozenset({"ads"}))
    assert cookies.decode_didomi(text) == cookies.decode_didomi(quote(text)) == expected


@pytest.mark.parametrize("token", ["[" * 5_000, '{"purposes": 1}', "{}", "\x00"])
def test_a_didomi_token_of_another_shape_is_refused(token: str) -> None:
    assert cookies.decode_didomi(base64.b64encode(token.encode()).decode()) == Refusal(Reason.FORM)


@pytest.mark.parametrize(("text", "out"), [("1@036|1@@1600000000000", True), ("0@036%7C1@1", False)])
def test_commanders_act_is_inverted(text: str, out: bool) -> None:  # noqa: FBT001
    assert cookies.decode_commanders_act(text) == cookies.CommandersAct(opted_out=out)


OBJECTS = [
    objects.decode_segment,
    objects.decode_rudderstack,
    objects.decode_snowplow,
    objects.decode_xdm,
    objects.decode_meta_options,
    objects.decode_google_consent,
]


@pytest.mark.parametrize("decode", OBJECTS, ids=lambda decode: decode.__name__)
@given(value=JSON)
def test_no_object_makes_a_decoder_raise(decode: Any, value: Any) -> None:
    assert decode(value) is not None


@pytest.mark.parametrize("value", ["true", 1, None, []])
def test_only_true_booleans_are_preferences(value: Any) -> None:
    assert objects.decode_segment({"categoryPreferences": {"Advertising": value}}) == Refusal(Reason.VALUE)


def test_rudderstacks_denied_list_wins_and_case_matters() -> None:
    management = {"allowedConsentIds": ["Ads", "x"], "deniedConsentIds": ["Ads", "ads"]}
    assert objects.decode_rudderstack(management) == {"Ads": False, "x": True, "ads": False}


def test_xdm_gives_the_values_it_holds() -> None:
    consents = {"collect": {"val": "y"}, "share": {"val": "dy"}, "marketing": {"email": {"val": "n"}, "any": {}}}
    assert objects.decode_xdm(consents) == {"collect": "y", "share": "dy", "marketing.email": "n"}
    assert objects.decode_xdm({"collect": {"val": "maybe"}}) == Refusal(Reason.VALUE)


@pytest.mark.parametrize(
    ("value", "limited"), [(["LDU"], True), ([], False), (True, True), ("LDU", True), ("", False), (["X"], False)]
)
def test_metas_options_ask_for_limited_use_or_not(value: Any, limited: bool) -> None:  # noqa: FBT001
    assert objects.decode_meta_options(value) is limited
