"""Ways to forge right topics of ours. Each gives topics that cannot be, or None where there is nothing to forge."""

import copy
import random
from collections.abc import Callable
from typing import Any

from tests.monitor.audit.topics_of_ours import RULES, Topics

Forgery = Callable[[random.Random, Topics], bool]


def forged(rng: random.Random, topics: Topics, forgery: Forgery) -> Topics | None:
    """Forge a copy. None when these topics hold nothing that this forgery could change."""
    changed = copy.deepcopy(topics)
    return changed if forgery(rng, changed) else None


def _one(rng: random.Random, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Choose a record, and give it with its repetitions: a forger who changes one delivery is told by the other."""
    if not records:
        return []
    chosen = rng.choice(records)
    return list({id(each): each for each in records if each == chosen}.values())


def drop_range(rng: random.Random, topics: Topics) -> bool:
    # Not the first or last: where accounting begins and ends is what it says.
    inner = [each for each in topics.accounting if 0 < _position(topics, each) < len(_starts(topics)) - 1]
    chosen = _one(rng, inner)
    topics.accounting = [each for each in topics.accounting if each not in chosen]
    return bool(chosen)


def widen_range(rng: random.Random, topics: Topics) -> bool:
    for each in (chosen := _one(rng, topics.accounting)):
        each["end"] += 1
    return bool(chosen)


def shift_range(rng: random.Random, topics: Topics) -> bool:
    inner = [each for each in topics.accounting if _position(topics, each) > 0]
    for each in (chosen := _one(rng, inner)):
        each["start"] += 1
        each["end"] += 1
    return bool(chosen)


def swap_class(rng: random.Random, topics: Topics) -> bool:
    chosen = _one(rng, topics.accounting)
    index = rng.randrange(len(chosen[0]["runs"]))
    kinds = {"inspected", "dead-lettered", "not-a-record", "nonsense"} - {chosen[0]["runs"][index][1]}
    if chosen[0]["runs"][index][1] == "expired-before-read":
        return False  # what retention took, nobody can tell from what was inspected before it was taken
    kind = rng.choice(sorted(kinds))
    for each in chosen:
        each["runs"][index][1] = kind
    return True


def claim_expired(rng: random.Random, topics: Topics) -> bool:
    chosen = _one(rng, topics.accounting)
    found = [run for run in chosen[0]["runs"] if run[1] in {"inspected", "dead-lettered"}]
    if not found:
        return False
    index = chosen[0]["runs"].index(rng.choice(found))
    for each in chosen:
        each["runs"][index][1] = "expired-before-read"
    return True


def miscount_items(rng: random.Random, topics: Topics) -> bool:
    chosen = _one(rng, [each for each in topics.accounting if each["items"]])
    if not chosen:
        return False
    name = rng.choice(sorted(chosen[0]["items"]))
    for each in chosen:
        each["items"][name] += rng.choice((1, 2, 17))
    return True


def miscount_findings(rng: random.Random, topics: Topics) -> bool:
    for each in (chosen := _one(rng, topics.accounting)):
        each["findings"] += 1
    return bool(chosen)


def drop_fold(rng: random.Random, topics: Topics) -> bool:
    chosen = _one(rng, topics.folds)
    topics.folds = [each for each in topics.folds if each not in chosen]
    return bool(chosen)


def drop_finding(rng: random.Random, topics: Topics) -> bool:
    """Take an offset out of a fold, and out of the accounting: only the judge can tell."""
    chosen = _one(rng, [each for each in topics.folds if len(each["offsets"]) > 1])
    if not chosen:
        return False
    gone = chosen[0]["offsets"][0][0]
    count = chosen[0]["offsets"][0][2]
    for each in chosen:
        first, second, *rest = each["offsets"]
        each["offsets"] = [[first[0] + second[0], *second[1:]], *rest]
        each["count"] -= count
        each["exemplars"] = [one for one in each["exemplars"] if one["offset"] != gone]
    for each in topics.accounting:
        if each["start"] <= gone < each["end"]:
            each["findings"] -= count
    return True


def invent_finding(rng: random.Random, topics: Topics) -> bool:
    """Add a fold, and count it in the accounting: only the judge can tell."""
    offset = rng.choice(sorted(topics.source.sizes))
    rule = rng.choice(RULES)
    fold = {
        "cluster": "cluster",
        "topic": "shop.events",
        "partition": 0,
        "mode": "live",
        "rule": rule,
        "episode_key": "invented",
        "exemption": "",
        "bundle": "bundle",
        "offsets": [[offset, 0, 1]],
        "count": 1,
        "exemplars": [],
    }
    topics.folds.append(fold)
    for each in topics.accounting:
        if each["start"] <= offset < each["end"]:
            each["findings"] += 1
    return True


def other_rule(rng: random.Random, topics: Topics) -> bool:
    for each in (chosen := _one(rng, topics.folds)):
        each["rule"] = "another.rule"
        for one in each["exemplars"]:
            one["rule"] = "another.rule"
    return bool(chosen)


def other_episode(rng: random.Random, topics: Topics) -> bool:
    for each in (chosen := _one(rng, topics.folds)):
        each["episode_key"] += "x"
    return bool(chosen)


def move_finding(rng: random.Random, topics: Topics) -> bool:
    for each in (chosen := _one(rng, topics.folds)):
        each["offsets"][0][0] += 1
        each["exemplars"] = []
    return bool(chosen)


def recount_delivery(rng: random.Random, topics: Topics) -> bool:
    """Let a fold be delivered again with another count."""
    chosen = _one(rng, topics.folds)
    if not chosen:
        return False
    again = copy.deepcopy(chosen[0])
    again["offsets"][0][2] += 1
    again["count"] += 1
    topics.folds.append(again)
    return True


def other_id(rng: random.Random, topics: Topics) -> bool:
    for each in (chosen := _one(rng, topics.folds)):
        each["exemplars"][0]["finding_id"] = "another"
    return bool(chosen)


def equal_ids(rng: random.Random, topics: Topics) -> bool:
    exemplars = [one for fold in topics.folds for one in fold["exemplars"]]
    first = rng.choice(exemplars) if exemplars else None
    others = [one for one in exemplars if first is not None and one["finding_id"] != first["finding_id"]]
    if first is None or not others:
        return False
    rng.choice(others)["finding_id"] = first["finding_id"]
    return True


def drop_letter(rng: random.Random, topics: Topics) -> bool:
    chosen = _one(rng, topics.letters)
    topics.letters = [each for each in topics.letters if each not in chosen]
    return bool(chosen)


def invent_letter(rng: random.Random, topics: Topics) -> bool:
    offset = rng.choice(sorted(topics.source.sizes))
    letter = {
        "cluster": "cluster",
        "topic": "shop.events",
        "partition": 0,
        "offset": offset,
        "item": 77,
        "reason": "shape",
        "size_bytes": topics.source.sizes[offset],
    }
    topics.letters.append(letter)
    return True


def other_reason(rng: random.Random, topics: Topics) -> bool:
    for each in (chosen := _one(rng, topics.letters)):
        each["reason"] = "too-deep"
    return bool(chosen)


def other_size(rng: random.Random, topics: Topics) -> bool:
    for each in (chosen := _one(rng, topics.letters)):
        each["size_bytes"] += 1
    return bool(chosen)


def letter_elsewhere(rng: random.Random, topics: Topics) -> bool:
    for each in (chosen := _one(rng, topics.letters)):
        each["offset"] += 1
    return bool(chosen)


def _starts(topics: Topics) -> list[int]:
    return sorted({each["start"] for each in topics.accounting})


def _position(topics: Topics, record: dict[str, Any]) -> int:
    return _starts(topics).index(record["start"])


FORGERIES: tuple[Forgery, ...] = (
    drop_range,
    widen_range,
    shift_range,
    swap_class,
    claim_expired,
    miscount_items,
    miscount_findings,
    drop_fold,
    drop_finding,
    invent_finding,
    other_rule,
    other_episode,
    move_finding,
    recount_delivery,
    other_id,
    equal_ids,
    drop_letter,
    invent_letter,
    other_reason,
    other_size,
    letter_elsewhere,
)
