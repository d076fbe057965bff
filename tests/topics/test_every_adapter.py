"""What every adapter promises, whatever the bytes."""

import codecs
import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.topics.adapters.records import LINES, SINGLE, VALID, record
from topics.adapters import ADAPTERS, make, sniff
from topics.observation import AdapterOptions, Observation, Reading
from topics.record import MAX_ITEMS, MAX_RECORD_BYTES, Reason, Rejected

OPTIONS = AdapterOptions(service="shop", trusted_proxies=2, recipients=("Warehouse", "Criteo"))
READERS = {name: make(name, OPTIONS) for name in ADAPTERS}
names = pytest.mark.parametrize("name", sorted(ADAPTERS))
bounded = pytest.mark.parametrize("name", sorted(ADAPTERS.keys() - {"har"}))
written_in_lines = pytest.mark.parametrize("name", sorted(LINES))

ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("-") | st.binary().map(repr),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def checked(name: str, value: bytes | None) -> Reading:
    reading = READERS[name].read(record(value))
    assert not any(isinstance(each, Rejected) and each.reason is Reason.INTERNAL for each in reading)
    if len(reading) == 1 and isinstance(reading[0], Rejected) and reading[0].item is None:
        return reading
    assert [each.item for each in reading] == list(range(len(reading)))
    for each in reading:
        if isinstance(each, Observation):
            assert all(isinstance(part.data, bytes) for part in each.parts)
            assert all(type(value) is str and value for _, value in each.subjects)
            assert each.headers is None or all(name == name.lower() for name in each.headers)
            for text in (each.host, each.path, each.name, each.method, each.client_ip, each.user_agent, each.country):
                assert text is None or (type(text) is str and text != "-")
    return reading


def encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


@st.composite
def mutated(draw: st.DrawFn, name: str) -> Any:
    """Give a valid record with some of its members replaced, removed or renamed."""
    root: list[Any] = [copy.deepcopy(draw(st.sampled_from(VALID[name])))]
    for _ in range(draw(st.integers(1, 4))):
        places: list[tuple[Any, Any]] = []
        pending: list[Any] = [root]
        while pending:
            node = pending.pop()
            for key, value in list(node.items()) if isinstance(node, dict) else list(enumerate(node)):
                places.append((node, key))
                if isinstance(value, dict | list):
                    pending.append(value)
        node, key = draw(st.sampled_from(places))
        if isinstance(node, dict) and draw(st.booleans()):
            del node[key]
        else:
            node[key] = draw(ODD)
    return root[0]


@names
@settings(max_examples=80, deadline=None)
@given(value=st.binary(max_size=300) | st.binary(max_size=60).map(lambda tail: b'{"a":' + tail))
def test_random_bytes_never_raise(name: str, value: bytes) -> None:
    assert all(isinstance(each, Rejected | Observation) for each in checked(name, value))


@names
@settings(max_examples=80, deadline=None)
@given(value=ODD)
def test_random_json_never_raises(name: str, value: Any) -> None:
    if not isinstance(value, list):
        assert len(checked(name, encoded(value))) == 1
    else:
        assert len(checked(name, encoded(value))) in (1, len(value))


@names
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_mutated_records_never_raise(name: str, data: st.DataObject) -> None:
    value = encoded(data.draw(mutated(name)))
    assert isinstance(checked(name, value), list)
    cut = data.draw(st.integers(0, len(value)))
    assert checked(name, value[:cut]) or cut == len(value)


@names
@settings(max_examples=40, deadline=None)
@given(broken=ODD.filter(lambda value: not isinstance(value, dict)), at=st.integers(0, 2))
def test_a_broken_item_costs_no_neighbour(name: str, broken: Any, at: int) -> None:
    items: list[Any] = [SINGLE[name], SINGLE[name]]
    items.insert(at, broken)
    # json.dumps writes NaN and Infinity, which are no JSON: they break the whole array.
    if "NaN" in json.dumps(broken) or "Infinity" in json.dumps(broken):
        return
    reading = checked(name, encoded(items))
    assert [isinstance(each, Observation) for each in reading] == [index != at for index in range(3)]


@names
@pytest.mark.parametrize("between", [b"", b"\n", b"\r\n", b"  \n\n "])
def test_objects_glued_together_are_all_read(name: str, between: bytes) -> None:
    one = encoded(SINGLE[name])
    reading = checked(name, between.join([one, one, one]))
    assert [type(each) for each in reading] == [Observation] * 3


@names
def test_a_broken_line_costs_no_other_line(name: str) -> None:
    one = encoded(SINGLE[name])
    reading = checked(name, b"\n".join([one, one[:-20], one, b'{"caf\xe9": 1}', one]))
    assert [isinstance(each, Observation) for each in reading] == [True, False, True, False, True]


@names
def test_no_value_is_empty(name: str) -> None:
    for value in (None, b"", b"  \n", codecs.BOM_UTF8):
        assert checked(name, value) == [Rejected(Reason.EMPTY)]


@names
def test_a_bom_and_blanks_around_are_no_fault(name: str) -> None:
    for value in (codecs.BOM_UTF8 + encoded(SINGLE[name]), b" " + encoded(SINGLE[name]) + b"\n"):
        assert [type(each) for each in checked(name, value)] == [Observation]


@names
def test_nesting_beyond_any_record_is_too_deep(name: str) -> None:
    deep = b"[" * 10_000 + b"]" * 10_000
    assert [each.reason for each in checked(name, deep) if isinstance(each, Rejected)] == [Reason.TOO_DEEP]
    inside = b'{"' + (b'properties":' if name == "segment" else b'request":') + deep + b"}"
    assert [each.reason for each in checked(name, inside) if isinstance(each, Rejected)] == [Reason.TOO_DEEP]
    assert len(checked(name, b'{"a":' * 10_000)) == 1


@names
def test_other_encodings_are_told_apart_from_broken_json(name: str) -> None:
    latin = json.dumps({**SINGLE[name], "note": "caf\xe9"}, ensure_ascii=False).encode("latin-1")
    assert [each.reason for each in checked(name, latin) if isinstance(each, Rejected)] == [Reason.ENCODING]
    wide = encoded(SINGLE[name]).decode().encode("utf-16")
    assert [each.reason for each in checked(name, wide) if isinstance(each, Rejected)] == [Reason.ENCODING]


@names
def test_text_beyond_ascii_is_read(name: str) -> None:
    value = json.dumps({**SINGLE[name], "note": "Zürich 東京"}, ensure_ascii=False).encode()
    assert [type(each) for each in checked(name, value)] == [Observation]


@names
def test_nulls_everywhere_reject_at_most_the_record(name: str) -> None:
    assert len(checked(name, encoded(dict.fromkeys(SINGLE[name])))) == 1


@bounded
def test_a_value_above_the_budget_is_rejected_unread(name: str) -> None:
    value = encoded({**SINGLE[name], "note": "x" * (MAX_RECORD_BYTES + 1)})
    assert checked(name, value) == [Rejected(Reason.TOO_LARGE)]


@bounded
def test_ten_megabytes_are_rejected_unread(name: str) -> None:
    assert checked(name, b"[" * 10_000_000) == [Rejected(Reason.TOO_LARGE)]


@bounded
@pytest.mark.parametrize("between", [b",", b"\n"])
def test_items_above_the_budget_are_one_rejection(name: str, between: bytes) -> None:
    glued = between.join([b"{}"] * (MAX_ITEMS + 5))
    reading = checked(name, b"[" + glued + b"]" if between == b"," else glued)
    assert len(reading) == MAX_ITEMS + 1
    assert reading[-1] == Rejected(Reason.TOO_MANY_ITEMS, MAX_ITEMS)


@names
def test_sniff_knows_what_it_reads(name: str) -> None:
    for value in VALID[name]:
        assert sniff(encoded(value)) == name
        assert sniff(codecs.BOM_UTF8 + b" " + encoded([value])) == name


@written_in_lines
def test_lines_are_read_and_known_by_their_look(name: str) -> None:
    for line in LINES[name]:
        assert [type(each) for each in checked(name, line.encode())] == [Observation]
        assert sniff(line.encode()) == name
        assert sniff(codecs.BOM_UTF8 + line.encode() + b"\n") == name


@written_in_lines
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\n\n"])
def test_a_broken_text_line_costs_no_other_line(name: str, end: bytes) -> None:
    one = LINES[name][0].encode()
    reading = checked(name, end.join([one, b"caf\xe9", one, b"no record", one]))
    assert [each.reason if isinstance(each, Rejected) else None for each in reading] == [
        None,
        Reason.ENCODING,
        None,
        Reason.SHAPE,
        None,
    ]


@written_in_lines
def test_a_line_that_a_log_shipper_wrapped_is_read(name: str) -> None:
    line = LINES[name][0]
    plain = checked(name, line.encode())
    for key in ("message", "log"):
        assert checked(name, encoded({key: line + "\n", "stream": "stdout"})) == plain
        assert checked(name, encoded([{key: line}])) == plain


@written_in_lines
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_mutated_lines_never_raise(name: str, data: st.DataObject) -> None:
    line = data.draw(st.sampled_from(LINES[name]))
    for _ in range(data.draw(st.integers(1, 4))):
        at, end = sorted((data.draw(st.integers(0, len(line))), data.draw(st.integers(0, len(line)))))
        line = line[:at] + data.draw(st.text(max_size=6)) + line[min(end, at + 8) :]
    reading = checked(name, line.encode("utf-8", "surrogatepass"))
    assert reading or all(not each.strip() or each.startswith("#") for each in line.strip("\r\n ").split("\n"))


@written_in_lines
def test_more_lines_than_the_budget_are_one_rejection(name: str) -> None:
    reading = checked(name, b"\n".join([b"x"] * (MAX_ITEMS + 5)))
    assert len(reading) == MAX_ITEMS + 1
    assert reading[-1] == Rejected(Reason.TOO_MANY_ITEMS, MAX_ITEMS)


def test_sniff_does_not_guess_without_a_reason() -> None:
    assert [sniff(value) for value in (b"", b"GET / HTTP/1.1", b'{"a": 1}', b"\xff\xfe{")] == [None] * 4


def test_an_unknown_format_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="known ones are: segment, kong, nginx, har,"):
        make("unheard", AdapterOptions())


@names
def test_the_name_of_an_adapter_is_its_key(name: str) -> None:
    assert READERS[name].name == name
