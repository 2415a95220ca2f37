"""What goes between machines arrives as it was."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from strongroom.cluster.piece import ONE, ROWS, pieces, spread, unpacked

PARTED = st.lists(st.tuples(st.integers(0, 3), st.none() | st.text(st.characters(codec="utf-8"))))


@given(rows=PARTED)
def test_rows_reach_the_part_that_they_are_for(rows: list[tuple[int, str | None]]) -> None:
    """All of them, in their order."""
    rows.sort(key=lambda row: row[0])
    schema = pa.schema([("what", pa.string()), ("part", pa.int32())])
    table = pa.table({"what": [what for _, what in rows], "part": [part for part, _ in rows]}, schema)
    found = [(piece.part, what) for piece in spread("x", table) for what in unpacked(piece.body)["what"].to_pylist()]
    assert found == rows


def test_many_rows_are_several_pieces() -> None:
    """Each small enough to be held."""
    table = pa.table({"n": pa.array(range(2 * ROWS + 1))})
    sizes = [unpacked(piece.body).num_rows for piece in pieces(ONE, "x", table)]
    assert sizes == [ROWS, ROWS, 1]
