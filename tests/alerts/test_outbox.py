"""Nothing is committed ahead of what it rests on."""

import asyncio

import pytest

from alerts.outbox import Outbox


def test_a_record_that_ended_early_holds_the_commit_until_it_is_read_again() -> None:
    outbox = Outbox()
    outbox.begin("p0", 10)  # ends early: cancelled by a rebalance, say
    outbox.begin("p0", 11)
    outbox.finish("p0", 11)
    assert outbox.committable({"p0": 12, "p1": 5}) == {"p1": 5}
    assert outbox.committable({"p0": 10}) == {"p0": 10}
    outbox.begin("p0", 10)
    outbox.finish("p0", 10)
    assert outbox.committable({"p0": 12}) == {"p0": 12}


def test_delivery_waits_for_what_was_sent_before_and_not_for_what_comes_after() -> None:
    async def scenario() -> list[str]:
        outbox, seen = Outbox(), []
        first, second = asyncio.Future[None](), asyncio.Future[None]()
        outbox.add(first)
        waiting = asyncio.ensure_future(outbox.delivered())
        waiting.add_done_callback(lambda _: seen.append("delivered"))
        await asyncio.sleep(0)
        outbox.add(second)
        seen.append("sent")
        first.set_result(None)
        await waiting
        await asyncio.sleep(0)
        second.cancel()
        return seen

    assert asyncio.run(scenario()) == ["sent", "delivered"]


def test_a_failed_send_is_never_forgotten() -> None:
    async def scenario() -> None:
        outbox = Outbox()
        failed, good = asyncio.Future[None](), asyncio.Future[None]()
        outbox.add(failed)
        failed.set_exception(ConnectionError("gone"))
        for _ in range(2):
            outbox.add(good)
            if not good.done():
                good.set_result(None)
            with pytest.raises(ConnectionError, match="gone"):
                await outbox.delivered()

    asyncio.run(scenario())


def test_a_broker_that_does_not_answer_is_an_error() -> None:
    async def scenario() -> None:
        outbox = Outbox(patience_seconds=0.01)
        outbox.add(asyncio.Future())
        await outbox.delivered()

    with pytest.raises(TimeoutError, match="1 records"):
        asyncio.run(scenario())
