"""Whether data may go where it goes, on that day."""

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import detectors.transfers
from detectors.assessment import Transfer, TransferStatus
from detectors.law.fact import Confidence, SinceIs
from detectors.law.pack import read_pack
from detectors.register import RegisterEntry, read_register
from detectors.transfers import assess
from tests.detectors.law.shipped import files, pack
from topics.flow import DataFlow, Place, Role

DAY = timedelta(days=1)
TODAY = date(2026, 9, 1)
EEA = sorted(pack().regimes["eu-gdpr"].area)


def millis(day: date, hour: int = 12) -> int:
    return int(datetime(day.year, day.month, day.day, hour, tzinfo=UTC).timestamp() * 1000)


def flow(
    origin: str = "DE",
    destination: str = "US",
    *,
    categories: tuple[str, ...] = ("user.contact.email",),
    role: Role = Role.PROCESSOR,
    source: str = "recipient-list",
    recipient: str = "helpdesk",
) -> DataFlow:
    return DataFlow(
        item=0,
        location="request",
        at_ms=0,
        origin=place(origin),
        destination=place(destination, source),
        categories=categories,
        role=role,
        recipient=recipient,
    )


def place(code: str, source: str = "gateway-geo") -> Place:
    return Place(code[:2], code if "-" in code else "", source if code else "")


def entry(
    mechanism: str = "", *, countries: str = "US", extra: str = "", role: str = "processor", agreement: str = ""
) -> RegisterEntry:
    text = f"""\
recipients:
  - id: helpdesk
    hosts: [helpdesk.example]
    entity: Helpdesk Inc.
    role: {role}
    countries: [{countries}]
    purposes: [support]
"""
    text += f"    mechanism: {{{mechanism}}}\n" if mechanism else ""
    text += f"    agreement: {{{agreement}}}\n" if agreement else ""
    register, problems = read_register(text + extra, "register.yaml")
    assert problems == []
    assert register is not None
    return register.entries[0]


def status(given: DataFlow, registered: RegisterEntry | None = None, on: date = TODAY) -> str:
    return assess(given, registered, pack(), millis(on)).status.value


SCC = "kind: scc, since: 2024-03-01, expires: 2027-03-01, module: 2"


def test_german_data_at_an_unregistered_american_helpdesk_is_missing_its_ground() -> None:
    assert assess(flow(), None, pack(), millis(TODAY)) == Transfer(
        status=TransferStatus.MISSING, origin="DE", destination="US", regime="eu-gdpr", reason="not-registered"
    )


def test_clauses_on_the_register_document_it() -> None:
    assert assess(flow(), entry(SCC), pack(), millis(TODAY)) == Transfer(
        status=TransferStatus.DOCUMENTED,
        origin="DE",
        destination="US",
        regime="eu-gdpr",
        mechanism="scc",
        entry="helpdesk",
    )


def test_clauses_hold_from_their_first_day_until_the_day_before_they_expire() -> None:
    registered = entry(SCC)
    assert status(flow(), registered, date(2024, 2, 29)) == "missing"
    assert status(flow(), registered, date(2024, 3, 1)) == "documented"
    assert status(flow(), registered, date(2027, 1, 29)) == "documented"
    ending = assess(flow(), registered, pack(), millis(date(2027, 2, 28)))
    assert (ending.status.value, ending.mechanism, ending.expires_on) == ("expiring", "scc", "2027-03-01")
    expired = assess(flow(), registered, pack(), millis(date(2027, 3, 1), hour=0))
    assert (expired.status.value, expired.expired_on) == ("expired", "2027-03-01")


def test_an_assessment_that_ran_out_takes_the_clauses_with_it() -> None:
    registered = entry(SCC + ", assessment_expires: 2026-09-01")
    assert status(flow(), registered, TODAY - 31 * DAY) == "documented"
    assert status(flow(), registered, TODAY - DAY) == "expiring"
    found = assess(flow(), registered, pack(), millis(TODAY))
    assert (found.status.value, found.expired_on) == ("expired", "2026-09-01")


@pytest.mark.parametrize("origin", EEA)
def test_within_the_economic_area_nothing_is_transferred(origin: str) -> None:
    assert all(status(flow(origin, destination)) == "not-applicable" for destination in EEA)


@pytest.mark.parametrize(
    "country", ["AD", "AR", "CA", "CH", "FO", "GB", "GG", "IL", "IM", "JE", "JP", "KR", "NZ", "UY", "BR"]
)
def test_the_adequate_countries_need_no_entry(country: str) -> None:
    found = assess(flow("FR", country), None, pack(), millis(TODAY))
    assert (found.status.value, found.mechanism) == ("documented", "adequacy")


@pytest.mark.parametrize("country", ["US", "IN", "CN", "RU", "AU", "SG", "ZA", "TR", "MX"])
def test_other_countries_do(country: str) -> None:
    assert status(flow("FR", country)) == "missing"


def test_every_finding_of_adequacy_begins_and_ends_on_its_days() -> None:
    checked = 0
    for regime in pack().regimes.values():
        for adequacy in regime.adequacy:
            if adequacy.scope == "certified" or regime.without_ground == "permitted":
                continue
            given = flow(regime.exporters[0], adequacy.places[0])
            first = max(adequacy.since, regime.since)
            assert status(given, None, first) == "documented"
            before = status(given, None, first - DAY)
            if adequacy.since <= regime.since:
                assert before == ("unknown" if regime.since_is is SinceIs.OBSERVED else "not-applicable")
            elif Confidence.RECALLED in (adequacy.since_confidence, adequacy.confidence):
                assert before == "unknown"
            else:
                assert before == regime.without_ground
            if adequacy.until is not None:
                assert status(given, None, adequacy.until - 31 * DAY) == "documented"
                assert status(given, None, adequacy.until - 30 * DAY) == "expiring"
                assert status(given, None, adequacy.until - DAY) == "expiring"
                assert status(given, None, adequacy.until) == regime.without_ground
            checked += 1
    assert checked >= 15


def test_every_regime_begins_on_its_day() -> None:
    for regime in pack().regimes.values():
        given = flow(regime.exporters[0], "CN" if regime.concern else "ZA", categories=("user.biometric",))
        before, after = status(given, None, regime.since - DAY), status(given, None, regime.since)
        assert before == ("unknown" if regime.since_is is SinceIs.OBSERVED else "not-applicable")
        expected = "unknown" if regime.concern else regime.without_ground
        assert after == ("not-applicable" if expected == "permitted" else expected)


def test_every_mechanism_counts_from_its_first_day_until_the_day_before_its_end() -> None:
    """Walk every ground of every law over its own edges, with a register that has held it for ever."""
    edges = 0
    for regime in pack().regimes.values():
        for mechanism in regime.mechanisms:
            kind = mechanism.kind.value
            written = f"kind: {kind}, since: 2000-01-01, regimes: [{regime.id}]"
            agreement = "id: A, signed: 2000-01-01" if kind == "agreement" else ""
            place = "US" if kind == "dpf" else "ZA"
            registered = entry("" if agreement else written, countries=place, agreement=agreement)
            given = flow(regime.exporters[0], place)
            schemes = [each.since for each in regime.adequacy if each.scope == "certified"] if kind == "dpf" else []
            first = max(mechanism.since, regime.since, *schemes)
            assert status(given, registered, first) == "documented", (regime.id, kind)
            if mechanism.until is not None:
                assert status(given, registered, mechanism.until) != "documented", (regime.id, kind)
                edges += 1
            if mechanism.confidence is Confidence.VERIFIED and first > regime.since:
                assert status(given, registered, first - DAY) != "documented", (regime.id, kind)
                edges += 1
    assert edges >= 2


@pytest.mark.parametrize("origin", ["GB", "CH", "BR", "JP", "KR", "RU", "AU", "SG"])
def test_before_the_day_from_which_a_law_was_seen_nothing_is_called_clean(origin: str) -> None:
    found = assess(flow(origin, "US"), None, pack(), millis(date(2022, 1, 1)))
    assert (found.status.value, found.reason) == ("unknown", "no-law")
    assert status(flow(origin, origin), None, date(2022, 1, 1)) == "not-applicable"


@pytest.mark.parametrize("origin", ["IS", "LI", "NO"])
def test_outside_the_union_the_decision_on_brazil_accuses_and_acquits_nobody(origin: str) -> None:
    found = assess(flow(origin, "BR"), None, pack(), millis(TODAY))
    assert (found.status.value, found.reason) == ("unknown", "unsettled")
    assert status(flow(origin, "BR"), entry(SCC, countries="BR")) == "documented"
    assert status(flow(origin, "BR"), None, date(2026, 1, 25)) == "missing"
    assert status(flow("FR", "BR")) == "documented"


def test_the_day_in_december_on_which_britain_stops_being_adequate_accuses_nobody() -> None:
    assert status(flow("DE", "GB"), None, date(2031, 12, 31)) == "expiring"
    assert status(flow("DE", "GB"), None, date(2032, 1, 1)) == "missing"


@pytest.mark.parametrize(("origin", "law"), [("CN", "cn-pipl"), ("BR", "br-lgpd")])
def test_the_clauses_of_the_union_are_not_those_of_a_law_with_its_own(origin: str, law: str) -> None:
    found = assess(flow(origin), entry(SCC), pack(), millis(TODAY))
    assert (found.status.value, found.mechanism) == ("unknown", "scc")
    assert status(flow(origin), entry(SCC + f", regimes: [{law}]")) == "documented"
    assert status(flow(origin), entry(SCC + ", regimes: [eu-gdpr]")) == "unknown"


@pytest.mark.parametrize(
    ("origin", "first"), [("DE", date(2023, 7, 10)), ("GB", date(2023, 10, 12)), ("CH", date(2024, 9, 15))]
)
def test_america_is_adequate_for_certified_recipients_only(origin: str, first: date) -> None:
    certified = entry("kind: dpf, since: 2020-01-01")
    assert status(flow(origin), certified, first) == "documented"
    assert status(flow(origin), certified, first - DAY) == ("unknown" if origin == "CH" else "missing")
    assert status(flow(origin), None, TODAY) == "missing"
    assert status(flow(origin), entry("kind: adequacy"), TODAY) == "missing"
    assert status(flow(origin, "IN"), entry("kind: dpf, since: 2020-01-01", countries="IN"), TODAY) == "missing"


def test_the_framework_falls_with_one_date_in_the_data() -> None:
    text = files()["transfers/eu-gdpr.yaml"]
    fallen = text.replace("    since: 2023-07-10\n", "    since: 2023-07-10\n    until: 2026-09-01\n")
    without, problems = read_pack({**files(), "transfers/eu-gdpr.yaml": fallen})
    assert problems == []
    assert without is not None
    certified = entry("kind: dpf, since: 2023-08-01")
    assert assess(flow(), certified, without, millis(TODAY - DAY)).status is TransferStatus.DOCUMENTED
    assert assess(flow(), certified, without, millis(TODAY)).status is TransferStatus.MISSING


def test_each_exporter_has_its_own_list() -> None:
    assert status(flow("GB", "KR")) == "documented"
    assert status(flow("CH", "KR")) == "missing"
    assert status(flow("CH", "JP")) == "missing"
    assert status(flow("GB", "BR")) == "unknown"
    assert status(flow("CH", "BR")) == "unknown"
    # Recalled entries of the Swiss list may acquit, never accuse.
    assert status(flow("CH", "NL")) == "documented"


@pytest.mark.parametrize(
    ("mechanism", "origin", "expected"),
    [
        ("kind: bcr, since: 2024-01-01", "DE", "documented"),
        ("kind: idta, since: 2024-01-01", "DE", "missing"),
        ("kind: idta, since: 2024-01-01", "GB", "documented"),
        ("kind: scc, since: 2024-01-01", "GB", "documented"),
        ("kind: idta, since: 2024-01-01", "CH", "unknown"),
        ("kind: none", "DE", "missing"),
        ("kind: derogation", "DE", "missing"),
        ("kind: derogation", "GB", "missing"),
        ("kind: scc, since: 2024-01-01, regimes: [uk-gdpr]", "DE", "missing"),
        ("kind: scc, since: 2024-01-01, regimes: [uk-gdpr]", "GB", "documented"),
        ("", "DE", "missing"),
    ],
)
def test_a_mechanism_counts_where_the_exporters_law_accepts_it(mechanism: str, origin: str, expected: str) -> None:
    assert status(flow(origin), entry(mechanism)) == expected


def test_an_adequate_destination_needs_no_living_mechanism() -> None:
    assert (
        status(flow("DE", "CH"), entry("kind: scc, since: 2020-01-01, expires: 2021-01-01", countries="CH"))
        == "documented"
    )


def test_a_processor_that_moved_its_servers_is_not_covered_by_the_old_entry() -> None:
    found = assess(flow(destination="IN", source="host"), entry(SCC), pack(), millis(TODAY))
    assert (found.status.value, found.reason) == ("missing", "destination-not-registered")
    moved = entry(SCC, extra="    subprocessors: [{name: Hosting, countries: [IN]}]\n")
    assert status(flow(destination="IN", source="host"), moved) == "documented"


def test_a_category_that_the_entry_does_not_cover_is_not_documented() -> None:
    narrow = entry(SCC, extra="    categories: [user.contact]\n")
    assert status(flow(), narrow) == "documented"
    wide = flow(categories=("user.contact.email", "user.financial"))
    assert assess(wide, narrow, pack(), millis(TODAY)).reason == "category-not-registered"


def test_a_recipient_in_several_countries_is_as_lawful_as_the_worst() -> None:
    found = assess(flow(destination=""), entry(countries="IE, CH, IN"), pack(), millis(TODAY))
    assert (found.status.value, found.destination) == ("missing", "IN")
    assert status(flow(destination=""), entry(countries="IE, CH")) == "documented"
    assert status(flow(destination="US", source="register"), entry(countries="IE, AT")) == "not-applicable"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (flow(origin=""), "no-origin"),
        (flow(origin="EU"), "no-origin"),
        (flow(destination=""), "no-destination"),
        (flow(destination="", recipient="unknown"), "unknown-recipient"),
        (flow(origin="PE"), "no-law"),
        (flow(origin="CA"), "no-subdivision"),
    ],
)
def test_what_nobody_knows_is_unknown_with_its_reason(given: DataFlow, reason: str) -> None:
    found = assess(given, None, pack(), millis(TODAY))
    assert (found.status.value, found.reason) == ("unknown", reason)


def test_a_flow_without_personal_data_is_not_a_transfer() -> None:
    assert assess(flow(categories=()), None, pack(), millis(TODAY)) == Transfer()
    assert assess(flow(categories=("system.operations",)), None, pack(), millis(TODAY)) == Transfer()


def test_a_flow_that_could_not_be_looked_into_is_not_called_clean() -> None:
    blind = msgspec.structs.replace(flow(categories=()), uninspectable=("truncated",))
    found = assess(blind, None, pack(), millis(TODAY))
    assert (found.status.value, found.reason) == ("unknown", "uninspectable")
    assert status(msgspec.structs.replace(blind, destination=place("FR"))) == "not-applicable"


def test_a_request_to_the_shop_itself_is_no_transfer_unless_the_register_says_who_receives_it() -> None:
    assert status(flow(role=Role.OWN)) == "not-applicable"
    assert status(flow(role=Role.OWN), entry(role="own")) == "missing"
    assert status(flow(role=Role.OWN, destination="FR"), entry(role="own", countries="FR")) == "not-applicable"


def test_data_leaves_quebec_at_the_border_of_the_province() -> None:
    signed = entry(countries="US", agreement="id: A, signed: 2024-01-01, expires: 2027-01-01")
    assert status(flow("CA-QC", "CA-QC")) == "not-applicable"
    assert status(flow("CA-QC", "US")) == "missing"
    assert status(flow("CA-QC", "US"), signed) == "documented"
    assert status(flow("CA-QC", "US"), signed, date(2027, 1, 1)) == "expired"
    assert status(flow("CA-QC", "US"), signed, date(2023, 12, 31)) == "missing"
    # That another province is outside too is only recalled.
    assert status(flow("CA-QC", "CA-ON")) == "unknown"
    assert status(flow("CA-QC", "CA")) == "unknown"
    assert status(flow("CA-ON", "CA-QC")) == "not-applicable"
    assert status(flow("CA-QC", "US"), None, date(2023, 9, 21)) == "not-applicable"


def test_what_ontario_says_of_transfers_is_not_on_file() -> None:
    for day in (date(2023, 1, 1), TODAY):
        found = assess(flow("CA-ON", "US"), None, pack(), millis(day))
        assert (found.status.value, found.reason) == ("unknown", "no-law")
    assert status(flow("CA-ON", "CA-BC")) == "not-applicable"


@pytest.mark.parametrize("country", ["CN", "CU", "HK", "IR", "KP", "MO", "RU", "VE"])
def test_sensitive_american_data_in_a_place_of_concern_is_marked_whatever_the_register_says(country: str) -> None:
    given = flow("US-CA", country, categories=("user.location.precise",), role=Role.THIRD_PARTY)
    found = assess(given, entry(SCC, countries=country, role="third-party"), pack(), millis(TODAY))
    assert (found.status.value, found.regime, found.reason) == ("unknown", "us-doj", "bulk-candidate")
    assert found.bulk == ("precise-geolocation",)
    assert status(given, None, date(2025, 4, 8)) == "unknown"
    assert status(given, None, date(2025, 4, 7)) == "not-applicable"


@pytest.mark.parametrize(
    ("categories", "reason", "marks"),
    [
        # A gene is health data too: each group has its own number.
        (("user.health_and_medical.genetic",), "bulk-candidate", ("human-genomic", "personal-health")),
        (("user.financial.bank_account",), "bulk-candidate", ("personal-financial",)),
        # The threshold of these is only recalled.
        (("user.device.ip_address",), "rule-recalled", ("covered-identifiers",)),
        (("user.name",), "rule-recalled", ("covered-identifiers",)),
        (("user.demographic.language",), "", ()),
    ],
)
def test_one_flow_is_one_person_and_only_marks(
    categories: tuple[str, ...], reason: str, marks: tuple[str, ...]
) -> None:
    found = assess(flow("US-TX", "CN", categories=categories, role=Role.THIRD_PARTY), None, pack(), millis(TODAY))
    assert (found.status.value, found.reason) == ("unknown" if reason else "not-applicable", reason)
    assert found.bulk == marks


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        (Role.THIRD_PARTY, "prohibited"),
        (Role.PROCESSOR, "missing"),
        # Brokerage or a vendor: of a recipient that nobody knows only the lesser is certain.
        (Role.UNKNOWN, "missing"),
    ],
)
def test_a_way_that_an_operator_closes_from_the_first_person_on_is_judged_at_once(role: Role, expected: str) -> None:
    name = "transfers/us-doj.yaml"
    given = dict(files())
    path = next(each for each in given if each.endswith(name))
    given[path] = given[path].replace("threshold: 1000\n", "threshold: 0\n")
    closed, problems = read_pack(given)
    assert closed is not None, problems
    found = assess(flow("US-TX", "CN", categories=("user.biometric",), role=role), None, closed, millis(TODAY))
    assert (found.status.value, found.bulk) == (expected, ("biometric-identifiers",))


def onward(extra: str, *, origin: str = "DE", countries: str = "IE", mechanism: str = "") -> tuple[str, str, str, str]:
    registered = entry(mechanism, countries=countries, extra=f"    subprocessors: [{extra}]\n")
    found = assess(flow(origin, "", source=""), registered, pack(), millis(TODAY))
    return found.status.value, found.onward.value, found.onward_destination, found.onward_reason


def test_what_a_recipient_passes_on_is_judged_as_the_register_names_it() -> None:
    assert onward("{name: Host, countries: [US]}") == ("not-applicable", "missing", "US", "no-mechanism")
    assert onward("{name: Host, countries: [FR]}") == ("not-applicable", "not-applicable", "FR", "")
    certified = "{name: Host, countries: [US], mechanism: {kind: dpf, since: 2024-01-01}}"
    assert onward(certified) == ("not-applicable", "documented", "US", "")
    ended = "{name: Host, countries: [US], mechanism: {kind: dpf, since: 2024-01-01, expires: 2025-01-01}}"
    assert onward(ended) == ("not-applicable", "expired", "US", "")
    assert onward("{name: Host, countries: [US]}", mechanism=SCC) == ("not-applicable", "documented", "US", "")


def test_of_several_subprocessors_the_worst_counts_and_none_changes_the_recipients_own_verdict() -> None:
    two = "{name: A, countries: [JP]}, {name: B, countries: [US, CH]}"
    assert onward(two) == ("not-applicable", "missing", "US", "no-mechanism")
    assert onward(two, countries="US", mechanism=SCC)[0] == "documented"
    assert onward("{name: A, countries: [CN]}", origin="US-CA", countries="US")[1] == "unknown"


def test_american_data_may_go_anywhere_else() -> None:
    assert status(flow("US-CA", "DE", categories=("user.biometric",))) == "not-applicable"
    assert status(flow("US-CA", "US-TX", categories=("user.biometric",))) == "not-applicable"


@pytest.mark.parametrize("origin", ["BR", "CN", "RU", "KR", "JP", "AU", "SG"])
def test_a_law_that_is_recalled_or_has_unseen_exemptions_never_accuses(origin: str) -> None:
    assert status(flow(origin, "US")) == "unknown"
    assert status(flow(origin, "US"), entry("kind: scc, since: 2020-01-01, expires: 2021-01-01")) == "unknown"


def test_the_indian_list_of_closed_countries_is_empty() -> None:
    assert status(flow("IN", "US"), None, date(2028, 1, 1)) == "not-applicable"


def test_the_page_of_the_detector_has_its_headings() -> None:
    text = detectors.transfers.__doc__ or ""
    headings = ("What it finds", "Why it matters", "Example", "What it cannot see")
    assert [text.count(f"\n\n## {heading}\n\n") for heading in headings] == [1, 1, 1, 1]


@given(
    st.text(max_size=8) | st.sampled_from(["DE", "US-CA", "CA-QC", "EU", "CH", "US"]),
    st.text(max_size=8) | st.sampled_from(["CN", "US-CA", "CA-QC", "EU", "CH", "US"]),
    st.integers(min_value=-(10**14), max_value=10**14),
)
def test_no_place_and_no_moment_makes_it_fail(origin: str, destination: str, on_ms: int) -> None:
    for registered in (None, entry(SCC)):
        given_flow = flow(origin, destination)
        first, second = (assess(given_flow, registered, pack(), on_ms) for _ in range(2))
        assert first == second
        assert first.status is not TransferStatus.MISSING or first.regime in {
            "eu-gdpr",
            "uk-gdpr",
            "ch-fadp",
            "ca-qc-law25",
        }
