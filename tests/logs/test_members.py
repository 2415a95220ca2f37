"""Members of objects that others wrote."""

import pytest

from strongroom.logs import members
from strongroom.logs.record import NO_JSON, NOT_THIS_FORMAT, Unreadable

ENTRY = {
    "a": "x",
    "b": {"c": {"d": 1}},
    "n": 7,
    "f": 7.0,
    "s": "8",
    "t": True,
    "l": [{"e": 1}, 2],
    "u": "\ud800",
    "z": "",
}


def test_words() -> None:
    """The first that is text and not empty; what no file can hold becomes visible."""
    assert members.word(ENTRY, "n", "z", "a") == "x"
    assert members.word(ENTRY, "n", "none") == ""
    assert members.word(ENTRY, "u") == "\\ud800"


@pytest.mark.parametrize(
    ("where", "expected"), [("n", 7), ("b.c.d", 1), ("b.c.x", None), ("a.b", None), ("none", None), ("p.q", 3)]
)
def test_names_joined_by_dots(where: str, expected: object) -> None:
    """A name with a dot in it is itself first."""
    assert members.at(ENTRY | {"p.q": 3, "p": {"q": 4}}, where) == expected


@pytest.mark.parametrize(
    ("names", "expected"), [(("n",), 7), (("f",), 7), (("s",), 8), (("t",), None), (("a", "n"), 7), (("l",), None)]
)
def test_numbers(names: tuple[str, ...], expected: int | None) -> None:
    """Whole ones, as such or in digits."""
    assert members.number(ENTRY, *names) == expected


def test_ways() -> None:
    """To an object, and to the objects of an array; what is none is as if it were not there."""
    assert members.inner(ENTRY, "b", "c") == {"d": 1}
    assert members.inner(ENTRY, "a", "c") == members.inner(ENTRY, "b", "c", "d") == {}
    assert members.objects(ENTRY, "l") == [{"e": 1}]
    assert members.items(ENTRY, "a") == []


@pytest.mark.parametrize(("unit", "reason"), [(b"{", NO_JSON), (b"\xff", NO_JSON), (b"[]", NOT_THIS_FORMAT)])
def test_what_is_no_object(unit: bytes, reason: Unreadable) -> None:
    """Half an object, bytes that are no UTF-8, another value."""
    assert members.decode(unit) == reason
