"""One value of one parameter, against FHIR's own table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.fhir.criteria import Moment, Target, Token, read_media_type, split, unescape
from strongroom.fhir.dates import Span, span
from strongroom.fhir.fault import Unreadable


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("a", [True, True, False, True]),
        ("s|a", [True, False, False, False]),
        ("|a", [False, True, False, False]),
        ("s|", [True, False, True, False]),
    ],
)
def test_the_four_forms_of_a_token(asked: str, found: list[bool]) -> None:
    """A code, a system with a code, a code without a system, a system with any code."""
    values = [("s", "a"), (None, "a"), ("s", "b"), ("other", "a")]
    assert [Token.read(asked).holds(value) for value in values] == found


@pytest.mark.parametrize("text", ["", "|", "a|b|c"])
def test_a_token_asks_for_something(text: str) -> None:
    """Nothing must not mean everything."""
    with pytest.raises(Unreadable):
        Token.read(text)


def test_escapes() -> None:
    r"""\, and \| belong to the value."""
    assert split(r"a\,b,c", ",") == [r"a\,b", "c"]
    assert unescape(r"a\,b\|c\\d\$") == r"a,b|c\d$"
    assert Token.read(r"s|a\|b").holds(("s", "a|b"))


def test_media_types_are_compared_as_media_types() -> None:
    """Letter case and parameters do not matter."""
    token = read_media_type("Text/Plain; charset=utf-8")
    assert token.holds(("urn:ietf:bcp:13", "text/plain"))
    assert not token.holds(("urn:ietf:bcp:13", "text/html"))


_PREFIXES = ["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb"]


@given(st.sampled_from(_PREFIXES), st.integers(0, 5), st.integers(1, 4), st.integers(0, 5), st.integers(1, 4))
def test_prefixes_mean_what_the_page_says(prefix: str, start: int, length: int, low: int, size: int) -> None:
    """Oracle: the sentences of search.html#prefix, over the moments themselves."""
    found, asked = set(range(start, start + length)), set(range(low, low + size))
    above, below = set(range(low + size, 20)), set(range(-20, low))
    expected = {
        "eq": found <= asked,
        "ne": not found <= asked,
        "gt": bool(found & above),
        "lt": bool(found & below),
        "ge": bool(found & above) or found <= asked,
        "le": bool(found & below) or found <= asked,
        "sa": found <= above,
        "eb": found <= below,
    }[prefix]
    assert Moment(prefix, Span(low, low + size)).holds(Span(start, start + length)) == expected


def test_a_date_without_prefix_is_eq() -> None:
    """And its precision is its length."""
    assert Moment.read("2026-03").holds(span("2026-03-15"))
    assert not Moment.read("2026-03").holds(span("2026-04-01"))


@pytest.mark.parametrize("text", ["ap2026", "xx2026", "gt", "gtx", "2026-02-30"])
def test_dates_that_are_none_are_refused(text: str) -> None:
    """Never taken for a search that finds all or nothing."""
    with pytest.raises(Unreadable):
        Moment.read(text)


@pytest.mark.parametrize(
    ("asked", "value", "found"),
    [
        ("p1", "Practitioner/p1", True),
        ("Practitioner/p1", "Practitioner/p1", True),
        ("Organization/p1", "Practitioner/p1", False),
        ("p1", "https://example.org/fhir/Practitioner/p1", True),
        ("Practitioner/p1", "https://example.org/fhir/Practitioner/p1", True),
        ("https://example.org/fhir/Practitioner/p1", "https://example.org/fhir/Practitioner/p1", True),
        ("https://example.org/fhir/Practitioner/p1", "Practitioner/p1", False),
        ("p1", "Practitioner/p1/_history/2", True),
        ("p", "Practitioner/p1", False),
        ("#a", "#a", True),
        ("a", "#a", False),
        ("p1", "urn:uuid:p1", False),
    ],
)
def test_the_forms_of_a_reference(asked: str, value: str, found: bool) -> None:
    """An id, a type with an id, an address."""
    assert Target.read(asked).holds(value) == found
