"""What cookies of consent platforms and objects of events say of our purposes."""

from typing import Any

import pytest

from detectors.consent.signals import SignalFinder, find_signals
from tests.detectors.consent.asking import (
    ADVERTISING,
    ALL,
    TRACKING,
    california,
    of_cookies,
    of_event,
    of_query,
    said,
)
from topics.flow import Signal

ONETRUST = "OptanonConsent=isGpcEnabled=0&groups=C0001%3A1%2CC0002%3A1%2CC0004%3A0%2CX9%3A0"


def test_onetrusts_groups_are_defaults_until_the_banner_is_closed() -> None:
    assert said(of_cookies(ONETRUST)) == [
        ("onetrust", "not-applicable", "default_granted"),
        ("onetrust", "not-applicable", "default_denied"),
    ]
    assert of_cookies(f"{ONETRUST}; OptanonAlertBoxClosed=2026-01-01T00:00:00.000Z") == (
        Signal("onetrust", "allowed", "cookies.OptanonConsent", ("analytics",), "", 1_767_225_600_000),
        Signal("onetrust", "denied", "cookies.OptanonConsent", ("advertising",), "", 1_767_225_600_000),
    )


def test_a_tenant_names_its_own_groups() -> None:
    finder = SignalFinder({"x9": ("advertising",), "c0004": ("analytics",)})
    found = finder.find(None, f"{ONETRUST}; OptanonAlertBoxClosed=1", None, {})
    assert {(signal.purposes, signal.says) for signal in found} == {
        (("advertising",), "denied"),
        (("analytics",), "denied"),
    }


def test_gpc_inside_onetrusts_cookie_is_a_denial() -> None:
    assert said(of_cookies("OptanonConsent=isGpcEnabled=1&datestamp=x")) == [("onetrust", "denied", "gpc")]


def cookiebot(method: str, *, marketing: bool) -> str:
    flag = str(marketing).lower()
    return f"CookieConsent={{stamp:'x',necessary:true,preferences:true,statistics:{flag},marketing:{flag},method:'{method}',ver:1}}"


def test_implied_consent_of_cookiebot_is_no_choice() -> None:
    assert {signal.says for signal in of_cookies(cookiebot("explicit", marketing=True))} == {"allowed"}
    assert ("cookiebot", "denied", "") in said(of_cookies(cookiebot("explicit", marketing=False)))
    assert {(s.says, s.remark) for s in of_cookies(cookiebot("implied", marketing=True))} == {
        ("not-applicable", "implied")
    }
    assert said(of_cookies("CookieConsent=-1")) == [("cookiebot", "not-applicable", "no_banner")]


@pytest.mark.parametrize(
    ("cookies", "expected"),
    [
        ("notice_gdpr_prefs=0,1,2:", ("trustarc", "allowed", "")),
        ("notice_gdpr_prefs=0|1:", ("trustarc", "denied", "")),
        ("notice_gdpr_prefs=0,1,2::implied,eu", ("trustarc", "not-applicable", "implied")),
        ("notice_behavior=implied,us; notice_gdpr_prefs=0,1,2:", ("trustarc", "not-applicable", "implied")),
        ("cmapi_cookie_privacy=permit 1 required", ("trustarc", "denied", "")),
        ("TC_PRIVACY=1@1@", ("commanders-act", "denied", "")),
        ("TC_PRIVACY=0@1@", ("commanders-act", "allowed", "categories_unread")),
        ("osano_consentmanager=AbC_123", ("osano", "unreadable", "opaque")),
        ("didomi_dcs=AbC_123", ("didomi", "unreadable", "opaque")),
        ("didomi_token=!", ("didomi", "unreadable", "form")),
        ("CookieConsent=%7Bx", ("cookiebot", "unreadable", "litter")),
        (f"OTGPPConsent={california(1, 1)}", ("gpp", "denied", "")),
    ],
)
def test_what_a_platforms_cookie_says(cookies: str, expected: tuple[str, str, str]) -> None:
    assert said(of_cookies(cookies)) == [expected]


def test_an_event_may_carry_the_browsers_and_the_standards_words() -> None:
    assert of_event(gpc=True) == (Signal("gpc", "denied", "context.gpc", ADVERTISING),)
    assert of_event(gpc="yes") == (Signal("gpc", "unreadable", "context.gpc", ADVERTISING, "nonconforming"),)
    assert said(of_event(us_privacy="1YYN")) == [("usp", "denied", "")]
    assert said(of_event(us_privacy=17)) == [("usp", "unreadable", "type")]
    assert said(of_event(gpp=california(1, 1), gpp_sid=[8])) == [("gpp", "denied", "")]
    assert said(of_event(gpp=california(1, 1), gpp_sid=[7])) == [("gpp", "denied", "not_in_force")]
    assert {s.remark for s in of_event(gdpr=0, tcString=ALL)} == {"gdpr_0"}


def test_an_openrtb_object_is_looked_into() -> None:
    consent = {"regs": {"ext": {"us_privacy": "1YYN", "gpc": "1"}, "gpp": california(1, 1), "gpp_sid": [8]}}
    found = find_signals(None, None, None, consent)
    assert {(signal.path, signal.says) for signal in found} == {
        ("regs.ext.us_privacy", "denied"),
        ("regs.ext.gpc", "denied"),
        ("regs.gpp.usca", "denied"),
    }


def test_categories_of_the_shops_own_software_are_choices() -> None:
    path = "context.consent.categoryPreferences"
    consent = {"categoryPreferences": {"Advertising": False, "Analytics": True, "Odd": False}}
    assert of_event(consent=consent) == (
        Signal("segment", "denied", path, ("advertising",)),
        Signal("segment", "allowed", path, ("analytics",)),
    )
    management = {"allowedConsentIds": ["Analytics"], "deniedConsentIds": ["Advertising"]}
    assert {(s.says, s.purposes) for s in of_event(consentManagement=management)} == {
        ("allowed", ("analytics",)),
        ("denied", ("advertising",)),
    }


def test_two_categories_of_one_purpose_must_both_allow() -> None:
    consent = {"categoryPreferences": {"Advertising": True, "Marketing": False}}
    assert said(of_event(consent=consent)) == [("segment", "denied", "")]


@pytest.mark.parametrize(
    ("kind", "says", "remark"),
    [
        ("deny_all", "denied", ""),
        ("withdrawn", "denied", ""),
        ("allow_all", "allowed", ""),
        ("allow_selected", "not-applicable", "categories_unread"),
        ("implicit_consent", "not-applicable", "implied"),
        ("pending", "not-applicable", "no_choice"),
        ("expired", "not-applicable", "no_choice"),
        ("other", "unreadable", "value"),
    ],
)
def test_what_a_consent_event_of_snowplow_says(kind: str, says: str, remark: str) -> None:
    assert of_event(consent_preferences={"eventType": kind}) == (
        Signal("snowplow", says, "context.consent_preferences", TRACKING, remark),
    )


def test_xdm_and_google_objects_speak_for_their_purposes() -> None:
    consents = {
        "collect": {"val": "y"},
        "share": {"val": "n"},
        "adID": {"val": "dy"},
        "marketing": {"email": {"val": "p"}},
    }
    assert [(s.purposes, s.says, s.remark) for s in of_event(consents=consents)] == [
        (("analytics",), "allowed", ""),
        (ADVERTISING, "denied", ""),
        (("advertising.targeted",), "not-applicable", "default_granted"),
        (("marketing.email",), "not-applicable", "no_choice"),
    ]
    consent = {"ad_user_data": "GRANTED", "ad_personalization": "DENIED", "analytics_storage": "granted"}
    assert [(s.purposes, s.says) for s in of_event(consent=consent)] == [
        (("advertising.targeted",), "denied"),
        (("analytics",), "allowed"),
    ]


@pytest.mark.parametrize(
    "consent", [{"data_processing_options": ["LDU"]}, {"data_processing_options": True}, {"limited_data_use": True}]
)
def test_limited_data_use_is_an_opt_out_that_was_passed_on(consent: dict[str, Any]) -> None:
    assert said(of_event(**consent)) == [("ldu", "denied", "restricted_processing")]
    assert said(of_query("dpo=LDU&dpoco=1&dpost=1000")) == [("ldu", "denied", "restricted_processing")]
    assert of_event(data_processing_options=[], limited_data_use=False) == ()


def test_a_device_switch_refuses_but_never_allows() -> None:
    off, on = of_event(device={"adTrackingEnabled": False}), of_event(device={"adTrackingEnabled": True})
    assert off == (Signal("device", "denied", "context.device.adtrackingenabled", ("advertising.targeted",)),)
    assert on == ()
