import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from detectors.classify.fields import Budget, find_fields
from detectors.classify.second_tier import DEADLINE, STARTING, Answer
from monitor.config import SecondTierConfig
from monitor.second_tier import ProcessTier
from tests.detectors.classify.shipped import taxonomy
from topics.observation import Media, Part

SLOW = """
import json, sys, time
print(json.dumps({"ready": True}), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    if any("sleep" in text for text in asked["texts"]):
        time.sleep(60)
    found = [[index, "user.name"] for index, text in enumerate(asked["texts"]) if "Jane" in text]
    print(json.dumps({"id": asked["id"], "found": found}), flush=True)
"""


@pytest.fixture
def tier(tmp_path: Path) -> Iterator[ProcessTier]:
    """A process that answers at once, and sleeps for a minute when it is told to."""
    script = tmp_path / "reader.py"
    script.write_text(SLOW)
    made = ProcessTier([sys.executable, str(script)], SecondTierConfig(deadline_seconds=0.5, burst_seconds=1.0))
    yield made
    made.close()


def answered(tier: ProcessTier, text: str, seconds: float = 20.0) -> Answer:
    """Ask until the process has started."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        answer = tier.read([text])
        if answer.unknown != STARTING:
            return answer
        time.sleep(0.05)
    raise AssertionError("the process did not start")


def test_what_the_second_tier_finds_stands_beside_the_rest(tier: ProcessTier) -> None:
    answered(tier, "hello")
    part = Part("", json.dumps({"note": "please ring, Jane", "email": "jane@example.com"}).encode(), Media.JSON)
    scan = find_fields(part, Budget(), taxonomy().with_second_tier(tier))
    assert {(each.path, each.category) for each in scan.fields} == {
        ("note", "user.name"),
        ("email", "user.contact.email"),
    }
    assert scan.uninspectable == ()


def test_only_free_text_and_hits_are_asked_about(tier: ProcessTier) -> None:
    part = Part("", json.dumps({"sku": "Jane", "city": "Berlin", "id": 7}).encode(), Media.JSON)
    find_fields(part, Budget(), taxonomy().with_second_tier(tier))
    assert tier.starts == 0


def test_a_slow_answer_is_unknown_and_never_waited_for(tier: ProcessTier) -> None:
    answered(tier, "hello")
    part = Part("", json.dumps({"note": "sleep now"}).encode(), Media.JSON)
    slow = taxonomy().with_second_tier(tier)
    began = time.monotonic()
    outcomes = [find_fields(part, Budget(), slow).uninspectable for _ in range(200)]
    waited = time.monotonic() - began
    assert outcomes[0] == (DEADLINE,)
    assert all(each in {(DEADLINE,), (STARTING,)} for each in outcomes)
    # The promise is the burst and a share of the time since, not 200 deadlines; the rest is this machine's own pace.
    assert waited < 20


def test_a_process_that_was_ended_is_started_again_and_answers(tier: ProcessTier) -> None:
    answered(tier, "hello")
    assert answered(tier, "sleep now").unknown == DEADLINE
    time.sleep(1.1)
    assert answered(tier, "I am Jane") == Answer(((0, "user.name"),))
    assert tier.starts == 2


def test_what_is_longer_than_the_longest_text_is_said_to_be_unknown(tier: ProcessTier) -> None:
    answered(tier, "hello")
    assert answered(tier, "Jane " * 1_000) == Answer(((0, "user.name"),), DEADLINE)


def test_a_process_that_cannot_start_breaks_nothing(tmp_path: Path) -> None:
    tier = ProcessTier([sys.executable, str(tmp_path / "absent.py")], SecondTierConfig())
    assert {tier.read(["hello"]).unknown for _ in range(3)} == {STARTING}
    tier.close()


def test_presidio_reads_free_text_by_its_own_recognizers() -> None:
    pytest.importorskip("presidio_analyzer")
    tier = ProcessTier(
        [sys.executable, "-m", "monitor.presidio_worker", ""], SecondTierConfig(deadline_seconds=5, burst_seconds=10)
    )
    try:
        answer = answered(tier, "reach me at jane@example.com about my diabetes", seconds=120)
    finally:
        tier.close()
    assert {category for _, category in answer.found} >= {"user.contact.email", "user.health_and_medical"}
