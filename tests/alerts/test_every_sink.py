"""What every sink promises: nothing lost, order kept, nothing told after its end, whatever the target does."""

import base64
import hashlib
import hmac
import json
import random
import threading
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from alerts.sinks.forms import Alertmanager, Form, SignedWebhook
from alerts.sinks.post import Answer, Outcome, post
from alerts.sinks.route import Route
from alerts.sinks.sink import Limits, Sink
from alerts.sinks.spool import Spool, SpoolProblem, Taken
from alerts.sinks.target import Target, check
from tests.alerts.prometheus import Receiver
from tests.alerts.test_export import history
from topics.alert import Alert, Audience, Change, EpisodeState
from topics.finding import Severity

SECRET = b"a secret of the tests, long enough"
FORMS: dict[str, Callable[[], Form]] = {
    "webhook": lambda: SignedWebhook(SECRET),
    "alertmanager": lambda: Alertmanager(20 * 365 * 86_400),
}
NOW_MS = 1_800_000_000_000
OPENED = history()[0]


def target(url: str = "https://hooks.shop.example/in") -> Target:
    return check(url, ["hooks.shop.example", "127.0.0.1"], allow_http=True, allow_private=True)


def made(key: str, revision: int, last: int) -> Alert:
    over = revision == last
    return msgspec.structs.replace(
        OPENED,
        alert_id=f"{key}-{revision}",
        episode_key=key,
        episode_id=f"episode-{key}",
        revision=revision,
        findings=revision,
        at_ms=NOW_MS + revision,
        change=Change.RESOLVED if over else Change.OPENED if revision == 1 else Change.GROWN,
        state=EpisodeState.RESOLVED if over else EpisodeState.OPEN,
    )


class Unsteady:
    """A target in memory that fails in a given way half of the time, and keeps what it took."""

    def __init__(self, form: str, failure: Outcome, random_: random.Random) -> None:
        self._form = form
        self._failure = failure
        self._random = random_
        self.told: defaultdict[str, list[Any]] = defaultdict(list)
        self.requests = 0

    def send(self, _target: Target, body: bytes, _headers: dict[str, str], _timeout: float) -> Answer:
        self.requests += 1
        fails = self._random.random() < 0.5
        # A slow target may have taken the body all the same: only then may something come twice.
        if fails:
            return Answer(self._failure)
        for one in self._read(json.loads(body)):
            self.told[one[0]].append(one[1])
        return Answer(Outcome.DELIVERED, 200)

    def _read(self, body: Any) -> list[tuple[str, Any]]:
        if self._form == "webhook":
            return [(each["episode_id"], (each["revision"], each["state"] == "resolved")) for each in body["alerts"]]
        return [
            (
                each["labels"]["episode"],
                (int(each["annotations"]["description"].split()[0]), each["endsAt"] < "2040"),
            )
            for each in body
        ]


def sink(form: str, spool: Spool, **changes: Any) -> Sink:
    parts: dict[str, Any] = {
        "limits": Limits(requests_per_minute=600, fold_above=1_000_000),
        "route": Route(),
        **changes,
    }
    to, send = parts.pop("target", target()), parts.pop("send", post)
    return Sink("hook", FORMS[form](), partial(send, to), spool, **parts)


def drain(one: Sink, now_ms: int) -> int:
    """Flush until nothing waits, time going on; give the time then."""
    for _ in range(200_000):
        if not one.waiting():
            return now_ms
        one.flush(now_ms)
        now_ms += 400_000
    raise AssertionError("never empty")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("failure", [Outcome.FAILED, Outcome.BUSY, Outcome.REFUSED])
@pytest.mark.parametrize("fold_above", [1_000_000, 10])
def test_nothing_is_lost_and_order_is_kept_over_a_target_that_fails_half_of_the_time(
    tmp_path: Path, form: str, failure: Outcome, fold_above: int
) -> None:
    random_ = random.Random(7)
    unsteady = Unsteady(form, failure, random_)
    last = 8
    keys = [f"k{number}" for number in range(60)]
    alerts = [made(key, revision, last) for revision in range(1, last + 1) for key in random_.sample(keys, len(keys))]
    now_ms = NOW_MS
    path = tmp_path / "spool"
    for begin in range(0, len(alerts), 40):
        # Each batch by a process of its own, and each read twice.
        with Spool(path) as spool:
            one = sink(form, spool, limits=Limits(requests_per_minute=600, fold_above=fold_above), send=unsteady.send)
            one.take(alerts[begin : begin + 40], now_ms)
            assert set(one.take(alerts[begin : begin + 40], now_ms)) == {Taken.STALE}
            one.flush(now_ms)
            now_ms += 2_000
    with Spool(path) as spool:
        one = sink(form, spool, send=unsteady.send)
        now_ms = drain(one, now_ms)
        requests = unsteady.requests
        assert one.flush(now_ms + 1) is None
        assert unsteady.requests == requests
    assert set(unsteady.told) == {f"episode-{key}" for key in keys}
    for seen in unsteady.told.values():
        revisions = [revision for revision, _ in seen]
        assert revisions == sorted(set(revisions))
        assert seen[-1] == (last, True)
        assert [over for _, over in seen].count(True) == 1
        if form == "webhook" and fold_above > len(alerts):
            assert revisions == list(range(1, last + 1))


def test_a_storm_of_a_hundred_thousand_alerts_folds_into_few_requests_and_loses_no_count(tmp_path: Path) -> None:
    unsteady = Unsteady("webhook", Outcome.FAILED, random.Random(3))
    keys, revisions = 50, 2_000
    with Spool(tmp_path / "spool") as spool:
        one = sink(
            "webhook",
            spool,
            limits=Limits(requests_per_minute=20, alerts_per_request=100, fold_above=100),
            send=unsteady.send,
        )
        now_ms = NOW_MS
        for begin in range(1, revisions + 1, 100):
            one.take(
                [made(f"k{key}", revision, revisions) for revision in range(begin, begin + 100) for key in range(keys)],
                now_ms,
            )
            one.flush(now_ms)
            now_ms += 6_000
            assert one.waiting() <= 200
        assert unsteady.requests <= 40
        drain(one, now_ms)
    assert {seen[-1] for seen in unsteady.told.values()} == {(revisions, True)}
    assert len(unsteady.told) == keys


def test_what_is_folded_while_it_is_being_sent_is_sent_again_in_its_newer_form(tmp_path: Path) -> None:
    with Spool(tmp_path / "spool") as spool:
        spool.take("hook", [made("k", 1, 9)], NOW_MS, 0)
        batch = spool.oldest("hook", 10, NOW_MS)
        spool.take("hook", [made("k", 2, 9)], NOW_MS, 0)
        spool.done(batch)
        assert [each.alert.revision for each in spool.oldest("hook", 10, NOW_MS)] == [2]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, Outcome.DELIVERED),
        (202, Outcome.DELIVERED),
        (302, Outcome.REFUSED),
        (307, Outcome.REFUSED),
        (401, Outcome.REFUSED),
        (404, Outcome.REFUSED),
        (429, Outcome.BUSY),
        (500, Outcome.FAILED),
        (503, Outcome.FAILED),
    ],
)
def test_each_answer_of_a_real_target_means_one_thing_and_no_redirect_is_followed(
    tmp_path: Path, form: str, status: int, outcome: Outcome
) -> None:
    with Receiver(lambda _: (status, 0.0)) as receiver, Spool(tmp_path / "spool") as spool:
        one = sink(form, spool, target=target(receiver.url + "/in"))
        one.take([OPENED], NOW_MS)
        assert one.flush(NOW_MS) == (outcome, 1)
        assert [path for path, _, _ in receiver.requests] == ["/in"]
        assert one.waiting() == (0 if outcome is Outcome.DELIVERED else 1)


def test_a_target_that_is_down_or_slow_has_failed_within_its_time() -> None:
    with Receiver(lambda _: (200, 0.6)) as receiver:
        slow = target(receiver.url)
        assert post(slow, b"{}", {}, 0.2).outcome is Outcome.FAILED
    assert post(slow, b"{}", {}, 0.2).outcome is Outcome.FAILED


def test_pauses_grow_with_failures_and_end_with_success(tmp_path: Path) -> None:
    answers = [Answer(Outcome.FAILED)] * 4 + [Answer(Outcome.BUSY, 429, 900.0), Answer(Outcome.DELIVERED, 200)]
    at: list[int] = []
    with Spool(tmp_path / "spool") as spool:
        now_ms = NOW_MS

        def send(*_: object) -> Answer:
            at.append(now_ms)
            return answers[len(at) - 1]

        one = sink("webhook", spool, send=send)
        one.take([OPENED], now_ms)
        while one.waiting():
            one.flush(now_ms)
            now_ms += 50
    pauses = [(after - before) / 1000 for before, after in pairwise(at)]
    for pause, longest in zip(pauses[:4], (1, 2, 4, 8), strict=True):
        assert longest / 2 <= pause <= longest + 0.1
    assert pauses[4] == pytest.approx(900, abs=0.1)


def test_a_webhook_is_signed_over_its_id_time_and_body() -> None:
    request = SignedWebhook(SECRET).request([OPENED], 0, NOW_MS)
    identifier, moment = request.headers["webhook-id"], request.headers["webhook-timestamp"]
    signed = f"{identifier}.{moment}.".encode() + request.body
    expected = base64.b64encode(hmac.new(SECRET, signed, hashlib.sha256).digest()).decode()
    assert request.headers["webhook-signature"] == f"v1,{expected}"
    assert SignedWebhook(SECRET).request([OPENED], 0, NOW_MS + 60_000).headers["webhook-id"] == identifier


def test_a_route_lets_pass_what_it_names() -> None:
    low = msgspec.structs.replace(OPENED, severity=Severity.LOW)
    assert Route().wants(low)
    assert not Route(severity=Severity.HIGH).wants(low)
    assert not Route(audiences=(Audience.ENGINEERS,)).wants(OPENED)
    exempted = msgspec.structs.replace(OPENED, audience=Audience.NOBODY)
    assert not Route().wants(exempted)
    assert Route(audiences=(Audience.NOBODY,)).wants(exempted)
    assert Route(jurisdictions=(OPENED.jurisdiction,), services=OPENED.services).wants(OPENED)
    assert not Route(jurisdictions=("DE",)).wants(OPENED)
    assert not Route(services=("other",)).wants(OPENED)


def test_two_threads_share_a_spool_without_loss(tmp_path: Path) -> None:
    path = tmp_path / "spool"
    unsteady = Unsteady("webhook", Outcome.FAILED, random.Random(1))
    Spool(path).close()

    def take() -> None:
        with Spool(path) as spool:
            one = sink("webhook", spool)
            for revision in range(1, 101):
                one.take([made("k", revision, 100)], NOW_MS)

    taking = threading.Thread(target=take)
    taking.start()
    with Spool(path) as spool:
        one = sink("webhook", spool, send=unsteady.send)
        now_ms = NOW_MS
        while taking.is_alive() or one.waiting():
            one.flush(now_ms)
            now_ms += 400_000
    taking.join()
    seen = [revision for revision, _ in unsteady.told["episode-k"]]
    assert seen == list(range(1, 101))


def test_a_file_that_is_no_spool_is_named(tmp_path: Path) -> None:
    file = tmp_path / "spool"
    file.write_bytes(b"something else, and long enough to be read as a header of a database" * 20)
    with pytest.raises(SpoolProblem, match="spool"):
        Spool(file)
    with pytest.raises(SpoolProblem, match="nowhere"):
        Spool(tmp_path / "nowhere" / "spool")
