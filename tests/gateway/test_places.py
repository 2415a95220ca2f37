"""Places of ids in JSON: named ones are found, others are nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import Malformed
from strongroom.gateway.places import found, is_there, read_place

JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=4)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abi"), inner, max_size=3)),
)


@pytest.mark.parametrize(
    ("document", "place", "ids"),
    [
        ({"items": [{"id": 1}, {"id": "b"}]}, "items[].id", ["1", "b"]),
        ([{"id": 1}], "[].id", ["1"]),
        ({"a": {"b": "x"}}, "a.b", ["x"]),
        ({"ids": ["p", "q"]}, "ids[]", ["p", "q"]),
        ({"items": {"id": 1}}, "items[].id", []),
        ({"items": [{"id": True}, {"id": None}, {"id": 1.5}, {"id": ""}, {"id": "x" * 257}, 7]}, "items[].id", []),
        ([], "a.b", []),
    ],
)
def test_ids_are_found(document: object, place: str, ids: list[str]) -> None:
    """Text and whole numbers, in order; what is not there is nothing."""
    assert list(found(document, read_place(place))) == ids


@pytest.mark.parametrize(
    ("document", "place", "there"),
    [
        ({"items": []}, "items[].id", True),
        ({"items": [{"id": None}]}, "items[].id", True),
        ({"items": [{"of": 1}, {"id": 1}]}, "items[].id", True),
        ({"items": [{"of": 1}]}, "items[].id", False),
        ({"items": {}}, "items[].id", False),
        ({"data": [{"id": 1}]}, "items[].id", False),
        ([], "[].id", True),
        ({}, "[].id", False),
        ({"letter": {"id": 1}}, "letter.id", True),
        ({"letter": 1}, "letter.id", False),
        ({"people": [{"letters": []}]}, "people[].letters[].id", True),
    ],
)
def test_a_shape_is_there_or_is_not(document: object, place: str, there: bool) -> None:
    """A list of nothing is that list; one of other things is another."""
    assert is_there(document, read_place(place)) == there


@pytest.mark.parametrize("text", ["", ".", "a.", "a..b", "[]a", "a[1]", "a[][]", "a b", "$.a[*]", "a\n"])
def test_what_is_no_place_is_refused(text: str) -> None:
    """A place is written in one way."""
    with pytest.raises(Malformed):
        read_place(text)


@given(JSON, st.sampled_from(["a", "a[].b", "[].i", "a.b.i", "[].a[].b"]))
def test_no_document_breaks_the_search(document: object, place: str) -> None:
    """Whatever a portal answers, what is found is short text."""
    assert all(0 < len(one) <= 256 for one in found(document, read_place(place)))
