"""A topic that was created anew has names of its own; what was never created anew keeps the names it always had."""

from hypothesis import given
from hypothesis import strategies as st

from topics.lineage import Lineage, created_anew

IDS = st.sampled_from(["id-1", "id-2", "id-3"])
MET = st.lists(st.tuples(st.sampled_from(["here", "there"]), st.sampled_from(["a", "b"]), IDS), max_size=12)


def met(rows: list[tuple[str, str, str]]) -> list[Lineage]:
    return [Lineage(cluster=cluster, topic=topic, topic_id=each, met_at_ms=0) for cluster, topic, each in rows]


def test_a_topic_that_was_never_met_is_named_as_ever() -> None:
    assert created_anew("here", [], {"a": "id-1"}) == {}


@given(MET, st.dictionaries(st.sampled_from(["a", "b"]), IDS))
def test_the_first_creation_is_named_as_ever_and_each_later_one_by_its_id(
    rows: list[tuple[str, str, str]], now: dict[str, str]
) -> None:
    anew = created_anew("here", met(rows), now)
    for topic, topic_id in now.items():
        first = next((row[2] for row in rows if row[:2] == ("here", topic)), topic_id)
        assert anew.get(topic) == (None if first == topic_id else f"here:{topic_id}")


@given(MET, IDS, MET)
def test_what_is_met_later_changes_no_name(
    rows: list[tuple[str, str, str]], topic_id: str, later: list[tuple[str, str, str]]
) -> None:
    seen = [*rows, ("here", "a", topic_id)]
    assert created_anew("here", met(seen), {"a": topic_id}) == created_anew(
        "here", met([*seen, *later]), {"a": topic_id}
    )


def test_what_was_met_on_another_cluster_says_nothing_of_this_one() -> None:
    assert created_anew("here", met([("there", "a", "id-2")]), {"a": "id-1"}) == {}
