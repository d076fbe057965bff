"""The checker finds every forgery, and none where there is none."""

import random
from collections import Counter
from dataclasses import replace

from monitor.audit.check import check
from monitor.audit.evidence import Collector
from monitor.audit.run import questions, windows
from monitor.audit.verdict import Kind, Result, Unverifiable
from tests.monitor.audit.forgeries import FORGERIES, forged
from tests.monitor.audit.topics_of_ours import BUNDLE, PLACE, Topics, made

_FAULTS = 1_000


def _checked(topics: Topics) -> Result:
    return check(PLACE, topics.evidence(), topics.words, BUNDLE)


def test_topics_that_are_right_have_no_fault() -> None:
    for seed in range(300):
        topics = made(seed)
        result = _checked(topics)
        assert not result.faults, (seed, result.faults)
        assert not topics.unreadable
        assert not result.unverifiable, seed
        assert result.offsets.total() > 0


def test_every_one_of_a_thousand_seeded_faults_is_found() -> None:
    missed, planted = [], Counter[str]()
    for seed in range(3 * _FAULTS):
        if planted.total() == _FAULTS:
            break
        rng = random.Random(seed)
        forgery = FORGERIES[seed % len(FORGERIES)]
        changed = forged(rng, made(seed), forgery)
        if changed is None:
            continue
        planted[forgery.__name__] += 1
        if not _checked(changed).faults and not changed.unreadable:
            missed.append((forgery.__name__, seed))
    assert planted.total() == _FAULTS
    assert len(planted) == len(FORGERIES), "a kind of forgery was never planted"
    assert missed == []


def test_how_the_evidence_is_cut_into_windows_changes_nothing() -> None:
    for seed in range(100):
        topics = made(seed)
        sizes = topics.source.sizes
        total = Result()
        cut = windows(topics.evidence(), most=5)
        for window in cut:
            begin, until = window.source.begin or 0, window.source.until or 0
            window.source.sizes.update({o: size for o, size in sizes.items() if begin <= o < until})
            total.add(check(PLACE, window, topics.words, BUNDLE))
        whole = _checked(topics)
        assert total == whole, seed


def test_what_retention_took_since_is_unverifiable_and_no_fault() -> None:
    topics = made(3)
    low = topics.accounting[1]["end"]
    topics.source = replace(topics.source, low=low, sizes={o: s for o, s in topics.source.sizes.items() if o >= low})
    result = _checked(topics)
    assert not result.faults
    assert result.unverifiable[Unverifiable.RETENTION] > 0


def test_what_another_bundle_judged_is_unverifiable_and_no_fault() -> None:
    topics = made(5)
    result = check(PLACE, topics.evidence(), topics.words, "another")
    assert not result.faults
    assert result.unverifiable[Unverifiable.BUNDLE] > 0


def test_a_record_that_compaction_may_have_taken_is_unverifiable() -> None:
    topics = made(7)
    topics.source.sizes.pop(max(topics.source.sizes))
    assert Kind.NOT_THERE in {each.kind for each in _checked(topics).faults}
    topics.source.compacted = True
    result = _checked(topics)
    assert not result.faults
    assert result.unverifiable[Unverifiable.COMPACTION] == 1


def test_a_range_delivered_twice_under_exactly_once_is_a_fault() -> None:
    topics = made(9)
    for each in topics.accounting:
        each["delivery"] = "exactly_once"
    once = {(each["start"], each["end"]): each for each in topics.accounting}
    topics.accounting = list(once.values())
    assert not [each for each in _checked(topics).faults if each.kind is Kind.ACCOUNTED_TWICE]
    topics.accounting.append(topics.accounting[0])
    assert [each for each in _checked(topics).faults if each.kind is Kind.ACCOUNTED_TWICE]


def test_a_range_beyond_the_end_is_a_fault_and_does_not_keep_us_looking() -> None:
    topics = made(11)
    topics.accounting[-1] = {
        **topics.accounting[-1],
        "end": 10**15,
        "runs": [[10**15 - topics.accounting[-1]["start"], "inspected"]],
    }
    assert _checked(topics).faults
    assert windows(topics.evidence())[-1].source.until == topics.source.high


def test_the_judge_is_asked_about_every_record_of_its_bundle_at_the_mark_of_its_range() -> None:
    topics = made(13)
    asked = {
        (question.mark, offset)
        for window in windows(topics.evidence(), most=4)
        for question in questions(window, BUNDLE)
        for offset in range(question.start, question.end)
    }
    assert asked >= set(topics.words)
    assert questions(topics.evidence(), "another") == []


def test_records_that_are_none_of_ours_are_told_and_other_clusters_are_not_asked_about() -> None:
    collector = Collector("cluster", [PLACE])
    for value in (b"", b"[]", b"\xff", b'{"cluster": "cluster", "topic": "shop.events", "partition": 0}'):
        collector.accounting("accounting/0/1", value)
        collector.fold("findings/0/1", value)
        collector.letter("letters/0/1", value)
    assert len(collector.unreadable) == 12
    collector.accounting("accounting/0/2", b'{"cluster": "another", "topic": "shop.events", "partition": 0}')
    assert len(collector.unreadable) == 12
