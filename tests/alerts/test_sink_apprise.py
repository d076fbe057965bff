"""The Apprise sink: its real process, real services of Apprise, and a guard that nothing of theirs gets past."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from alerts.sinks.apprise import AppriseSender, AppriseText
from alerts.sinks.post import Answer, Outcome
from alerts.sinks.route import Route
from alerts.sinks.sink import Limits, Sink
from alerts.sinks.spool import Spool
from alerts.text import Links
from tests.alerts.prometheus import Receiver
from tests.alerts.test_export import history

pytest.importorskip("apprise")

NOW_MS = 1_800_000_000_000
MESSAGE = b'{"title": "a title", "body": "a body", "type": "warning"}'


def address(receiver: Receiver, host: str = "127.0.0.1") -> str:
    """Give the address of a Mattermost there, whose webhooks are like Slack's."""
    return f"mmost://{host}:{receiver.url.rpartition(':')[2]}/3ccdd113474722377935511fc85d3dd4"


def sender(where: str, *hosts: str, private: bool = True, http: bool = True) -> AppriseSender:
    return AppriseSender(where, hosts or ("127.0.0.1", "localhost"), allow_private=private, allow_http=http)


@pytest.fixture
def closing() -> Iterator[list[AppriseSender]]:
    made: list[AppriseSender] = []
    yield made
    for each in made:
        each.close()


def send(closing: list[AppriseSender], one: AppriseSender, seconds: float = 10.0) -> Answer:
    closing.append(one)
    return one(MESSAGE, {}, seconds)


def test_an_alert_reaches_a_chat_through_the_spool(tmp_path: Path, closing: list[AppriseSender]) -> None:
    alert = msgspec.structs.replace(history()[0], recipient="<!channel> @here *evil*")
    with Receiver() as receiver, Spool(tmp_path / "spool") as spool:
        closing.append(sender(address(receiver)))
        form = AppriseText(Links(runbooks="https://docs.shop.example/runbooks"))
        one = Sink("chat", form, closing[0], spool, limits=Limits(timeout_seconds=10.0), route=Route())
        one.take([alert], NOW_MS)
        assert one.flush(NOW_MS) == (Outcome.DELIVERED, 1)
        assert one.waiting() == 0
        ((path, _, body),) = receiver.requests
    assert path == "/hooks/3ccdd113474722377935511fc85d3dd4"
    text = json.loads(body)["text"]
    assert alert.episode_key in text
    assert "https://docs.shop.example/runbooks/" in text
    assert not {"<", "@", "*", "`"} & set(text), "nothing in it is a mention or a link"


def test_what_a_target_refuses_stays_in_the_spool_and_is_tried_again(
    tmp_path: Path, closing: list[AppriseSender]
) -> None:
    answers = [(503, 0.0), (200, 0.0)]
    with Receiver(lambda number: answers[number]) as receiver, Spool(tmp_path / "spool") as spool:
        closing.append(sender(address(receiver)))
        one = Sink("chat", AppriseText(Links()), closing[0], spool, limits=Limits(), route=Route())
        one.take(history()[:1], NOW_MS)
        assert one.flush(NOW_MS) == (Outcome.FAILED, 1)
        assert one.waiting() == 1
        assert one.flush(NOW_MS + 400_000) == (Outcome.DELIVERED, 1)


def test_a_redirect_is_not_followed(closing: list[AppriseSender]) -> None:
    with Receiver(lambda number: (302 if number == 0 else 200, 0.0)) as receiver:
        assert send(closing, sender(address(receiver))).outcome is Outcome.FAILED
        assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    ("where", "hosts", "private"),
    [
        ("hook", ("hooks.shop.example",), True),
        ("hook", ("127.0.0.1",), False),
        ("name", ("hooks.shop.example",), True),
        ("name", ("localhost",), False),
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ", ("127.0.0.1",), True),
        ("mailto://user:pass@mail.shop.example", ("127.0.0.1",), True),
        ("syslog://", ("127.0.0.1",), True),
    ],
)
def test_a_host_that_is_not_allowed_and_a_private_address_are_refused_whatever_connects(
    closing: list[AppriseSender], where: str, hosts: tuple[str, ...], *, private: bool
) -> None:
    with Receiver() as receiver:
        local = {"hook": address(receiver), "name": address(receiver, "localhost")}
        one = sender(local.get(where, where), *hosts, private=private)
        answer = send(closing, one)
        assert receiver.requests == []
    if not where.startswith("syslog"):
        assert answer.outcome is Outcome.REFUSED


def test_a_proxy_of_the_environment_is_not_used(closing: list[AppriseSender], monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver() as proxy, Receiver() as receiver:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        assert send(closing, sender(address(receiver))).outcome is Outcome.DELIVERED
        assert (len(proxy.requests), len(receiver.requests)) == (0, 1)


def test_a_slow_target_has_failed_within_its_time_and_the_next_message_goes_out(closing: list[AppriseSender]) -> None:
    with Receiver(lambda number: (200, 5.0 if number == 0 else 0.0)) as receiver:
        one = sender(address(receiver))
        assert one.problem() == ""
        closing.append(one)
        began = time.monotonic()
        assert send(closing, one, 3.0).outcome is Outcome.FAILED
        assert time.monotonic() - began < 30
        assert send(closing, one).outcome is Outcome.DELIVERED


@pytest.mark.parametrize(
    ("where", "http", "problem"),
    [
        ("nonsense://x", True, "no address that Apprise knows"),
        ("mmost://127.0.0.1/3ccdd113474722377935511fc85d3dd4", False, "clear text"),
        ("mmosts://127.0.0.1/3ccdd113474722377935511fc85d3dd4", False, ""),
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ", False, ""),
    ],
)
def test_an_address_is_checked_before_anything_is_sent(where: str, problem: str, *, http: bool) -> None:
    told = sender(where, http=http).problem()
    assert problem in told
    assert bool(problem) == bool(told)
    assert "3ccdd113" not in told


def test_a_text_that_is_too_long_for_a_service_is_cut_together_with_its_title(closing: list[AppriseSender]) -> None:
    with Receiver() as receiver:
        one = sender(f"mastodon://token@127.0.0.1:{receiver.url.rpartition(':')[2]}")
        closing.append(one)
        one(json.dumps({"title": "t" * 60, "body": "b" * 3_000, "type": "info"}).encode(), {}, 10.0)
        ((_, _, body),) = receiver.requests
    assert json.loads(body)["status"].startswith("t" * 60)
    assert len(json.loads(body)["status"]) <= 500


def test_a_process_that_cannot_be_started_is_told_and_not_raised(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("sys.executable", str(tmp_path / "gone"))
    one = sender("mmosts://127.0.0.1/3ccdd113474722377935511fc85d3dd4")
    assert "cannot be started" in one.problem()
    assert one(MESSAGE, {}, 1.0).outcome is Outcome.REFUSED
