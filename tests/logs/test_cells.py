"""Lines of CSV."""

import pytest

from strongroom.logs.cells import below, cells, divided
from strongroom.logs.record import NOT_THIS_FORMAT, Read


@pytest.mark.parametrize(
    ("line", "expected"),
    [(b'a,"b ""c"", d"', ["a", 'b "c", d']), (b"", []), (b'"', None), (b"\xff,x", ["\\xff", "x"]), (b"a\rb", None)],
)
def test_cells(line: bytes, expected: list[str] | None) -> None:
    """Quotes are undone; a quote that does not end, and an end of line without quotes, are no line."""
    assert cells(line) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [(b"a,b;c,d", (["a", "b;c", "d"], ",")), (b'a;"b;c";d', (["a", "b;c", "d"], ";")), (b"a\tb", (["a", "b"], "\t"))],
)
def test_what_stands_between_cells(line: bytes, expected: tuple[list[str], str]) -> None:
    """That of which a heading has most."""
    assert divided(line) == expected
    assert divided(b'"')[0] == []


def test_below_a_heading() -> None:
    """Each line has a cell for each name; the heading may come again."""
    seen: list[dict[str, str]] = []

    def row(said: dict[str, str]) -> Read:
        seen.append(said)
        return (1,)

    parse = below(b"a,b", ["a", "b"], row)
    assert [parse(b"1,2"), parse(b"a,b"), parse(b"1"), parse(b'"')] == [(1,), [], NOT_THIS_FORMAT, NOT_THIS_FORMAT]
    assert seen == [{"a": "1", "b": "2"}]
