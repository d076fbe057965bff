"""Who was away for too long writes nothing more."""

from alerts.lease import Lease


def test_only_who_stood_still_for_longer_than_the_lease_is_ended() -> None:
    now = [100.0]
    ended: list[float] = []
    lease = Lease(4.0, clock=lambda: now[0], end=lambda: ended.append(now[0]))
    now[0] = 500.0  # a start may take as long as it likes
    for pause in (0.0, 3.9, 4.0, 0.1):
        now[0] += pause
        lease.check()
    assert not ended
    now[0] += 4.1
    lease.check()
    assert ended == [now[0]]
