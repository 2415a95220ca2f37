"""Blocks to units. Invariant: every byte lies in a unit or is a line's end, however the blocks are cut."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.logs import units
from strongroom.logs.units import elements, lines


def naive(data: bytes) -> list[tuple[int, int, bytes]]:
    """The lines, by splitting the whole."""
    found, offset = [], 0
    for line in data.split(b"\n"):
        bare = line.removesuffix(b"\r")
        if bare:
            found.append((offset, len(bare), bare))
        offset += len(line) + 1
    return found


def cut(data: bytes, size: int) -> list[bytes]:
    """Blocks of a size."""
    return [data[start : start + size] for start in range(0, len(data), size)]


@given(
    st.lists(st.sampled_from([b"a", b"bb", b"\n", b"\r\n", b"\r", b"\xff", b"ccc"])).map(b"".join), st.integers(1, 7)
)
def test_lines_do_not_depend_on_blocks(data: bytes, size: int) -> None:
    """Whole, byte by byte and in odd pieces: the same lines at the same offsets, and they open to the same bytes."""
    found = list(lines(cut(data, size)))
    assert found == naive(data)
    for offset, length, unit in found:
        assert data[offset : offset + length] == unit


@pytest.mark.parametrize("size", [1, 7, 64, 1_000])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
def test_a_line_that_is_too_long_is_one_unit_without_bytes(
    monkeypatch: pytest.MonkeyPatch, size: int, end: bytes
) -> None:
    """It is let go as it comes, and what follows it stands where it stands."""
    monkeypatch.setattr(units, "MAX_LINE", 20)
    data = b"first\n" + b"x" * 200 + b"\nlast" + end
    found = list(lines(cut(data, size)))
    assert [(offset, unit) for offset, _, unit in found] == [(0, b"first"), (6, None), (207, b"last")]
    assert found[1][1] == 200


@given(st.lists(st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=5), max_size=3), max_size=5))
def test_elements_stand_where_they_stand(values: list[dict[str, object]]) -> None:
    """Of an array and of CloudTrail's `Records`: each element's bytes are at its offset, twins included."""
    for shape, indent in ((values, None), ({"Records": values}, 2)):
        data = json.dumps(shape, indent=indent).encode()
        found = list(elements(cut(data, 7)))
        assert [json.loads(unit or b"") for _, _, unit in found] == values
        for offset, length, unit in found:
            assert data[offset : offset + length] == unit


def test_a_document_that_is_none_is_one_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not parse is handed on whole, to be counted; what is too large is not held; an array's end must be there."""
    assert list(elements([b'{"Records": '])) == [(0, 11, b'{"Records":')]
    assert list(elements([b'{"Records": [1,'])) == [(13, 1, b"1"), (15, 0, b"")]
    assert list(elements([b'["\xff", 1]'])) == [(1, 3, b'"\xff"'), (6, 1, b"1")]
    monkeypatch.setattr(units, "MAX_DOCUMENT", 10)
    assert list(elements([b"[1,2,3]", b"xxxxxxx"])) == [(0, 14, None)]


@given(
    st.lists(st.dictionaries(st.text(), st.integers() | st.text()), min_size=1),
    st.sampled_from(["[", '{"Records":[', '{"a":1,"value":[']),
    st.data(),
)
def test_what_came_before_a_break_counts(values: list[dict[str, object]], opening: str, data: st.DataObject) -> None:
    """A document that is cut off gives its whole elements, and the rest as one unit: nothing of it is lost."""
    written = [json.dumps(value, ensure_ascii=False).encode() for value in values]
    head = opening.encode()
    whole = head + b", ".join(written)
    end = data.draw(st.integers(len(head), len(whole)))
    found = list(elements([whole[:end]]))
    ends = [len(head) + sum(map(len, written[: n + 1])) + 2 * n for n in range(len(written))]
    kept = sum(one <= end for one in ends)
    assert [unit for _, _, unit in found][:kept] == written[:kept]
    assert len(found) == kept + 1
    for offset, length, unit in found:
        assert whole[offset : offset + length] == unit


def test_objects_one_behind_the_other() -> None:
    """Over many lines each, as many programs print them; and one alone."""
    objects = [{"a": 1, "value": [1]}, {"b": "ä\n"}]
    data = "\n".join(json.dumps(one, indent=2, ensure_ascii=False) for one in objects).encode()
    assert [json.loads(unit or b"") for _, _, unit in elements([data])] == objects
    assert [json.loads(unit or b"") for _, _, unit in elements([data.split(b"\n{")[0]])] == [1]
    assert list(elements([b'{"a": 1}\n'])) == [(0, 8, b'{"a": 1}')]
    assert units.is_document(data)
