"""A strict kind has one spelling, no separator and no room for text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.gateway.kinds import KINDS, STRICT, counted, fits

UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (
            "int",
            ["0", "7", "1234567890123456789"],
            ["", "-1", "01", "+1", "1.0", "1e3", "٣", "12345678901234567890", "1\n"],
        ),
        ("digits", ["007", "0"], ["", "1a", "9" * 21]),
        ("uuid", [UUID], [UUID.upper(), UUID[:-1], UUID + "0", "{" + UUID + "}"]),
        ("guid", [UUID, UUID.upper()], [UUID[:-1]]),
        ("hex", ["00ff"], ["", "FF", "0x1", "f" * 129]),
        ("token", ["aZ09_-"], ["", "a.b", "a/b", "a" * 201]),
        ("base64", ["TGV0dGVyOjQ3MTE=", "a+/b-_==", "a"], ["", "=", "a===", "a=b", "a.b", "a b", "a" * 401]),
        ("id", ["a.B-9"], ["", "a_b", "a" * 65]),
        ("reference", ["Patient/a1", "a1"], ["patient/a1", "Patient/", "A/b/c", "http://x/Patient/a1"]),
        ("date", ["2026-01-31"], ["2026-1-31", "20260131"]),
        ("bool", ["true", "false", "0", "1"], ["TRUE", "yes", ""]),
        ("name", ["Befund Müller (1).pdf", "a"], ["", ".htaccess", "a/b", "a:b", "a<b", "a" * 201]),
        ("text", ["", "O'Neill & Söhne", "x" * 1_024], ["a\x00b", "a\nb", "x" * 1_025]),
    ],
)
def test_kinds(kind: str, good: list[str], bad: list[str]) -> None:
    """In full or not at all."""
    assert [value for value in good if not fits(kind, value)] == []
    assert [value for value in bad if fits(kind, value)] == []


@pytest.mark.parametrize("kind", sorted(STRICT))
@given(data=st.data())
def test_a_strict_value_is_no_language(kind: str, data: st.DataObject) -> None:
    """Nothing in it could close a quote, begin a tag, an escape or another parameter."""
    value = data.draw(st.from_regex(KINDS[kind], fullmatch=True))
    assert set("'\"<>&%?#;\\ ${}()`|\x00\n").isdisjoint(value)


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("digits", "007", "7"),
        ("digits", "000", "0"),
        ("guid", UUID.upper(), UUID),
        ("reference", "Patient/a", "a"),
        ("base64", "a+/b==", "a-_b"),
    ],
)
def test_two_spellings_of_one_id_count_once(kind: str, one: str, other: str) -> None:
    """However an id is spelled, it counts as one."""
    assert fits(kind, one)
    assert counted(kind, one) == counted(kind, other)


def test_ids_that_differ_in_case_are_two() -> None:
    """Only where case means nothing it is folded."""
    assert counted("token", "aB") != counted("token", "ab")
