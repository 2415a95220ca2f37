"""Parquet files, as lines of JSON."""

import datetime as dt
import decimal
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from strongroom.logs import files, formats, parquet, read

FLOW = {
    "srcaddr": "10.0.1.5",
    "dstaddr": "203.0.113.9",
    "start": 1_766_998_800,
    "bytes": 5,
    "flow_direction": "egress",
    "pkt_srcaddr": None,
}


def source(folder: Path, rows: list[dict[str, object]], group: int = 1_000) -> files.Source:
    """A file of these rows."""
    pq.write_table(pa.Table.from_pylist(rows), folder / "a.parquet", row_group_size=group)
    return files.Source("a.parquet", folder / "a.parquet", named=True)


def test_rows_are_lines(tmp_path: Path) -> None:
    """Objects by the names of their columns, nested ones too; times in ISO 8601; what is empty is left out."""
    at = dt.datetime(2025, 12, 29, 9, tzinfo=dt.UTC)
    found = source(
        tmp_path, [{"a": 1, "b": {"c": [1, 2]}, "t": at, "d": decimal.Decimal("1.5"), "n": None, "x": b"\xff"}]
    )
    (line,) = b"".join(files.blocks(found)).splitlines()
    assert msgspec.json.decode(line) == {
        "a": 1,
        "b": {"c": [1, 2]},
        "t": "2025-12-29T09:00:00Z",
        "d": "1.5",
        "x": "/w==",
    }


def test_flow_logs_as_aws_delivers_them(tmp_path: Path) -> None:
    """Recognised and read like the text; evidence is opened again where it is said to stand, in any group of rows."""
    found = source(tmp_path, [{**FLOW, "bytes": size} for size in range(5_000)], group=700)
    format_ = formats.recognise(next(files.blocks(found, formats.SAMPLE)))
    assert format_ is not None
    assert format_.name == "vpc-flow"
    account = read.Account()
    rows = [row for batch in read.rows(files.blocks(found, 999), format_, 0, account) for row in batch]
    assert (account.events, account.unreadable) == (5_000, {})
    _, offset, length, *_ = rows[4_321]
    ((again, same),) = files.reopen(found, [(offset, length)], account.seal)
    assert same
    assert msgspec.json.decode(again)["bytes"] == 4_321


@pytest.mark.parametrize("spoil", [slice(4, 40), slice(-40, -8)], ids=["rows", "footer"])
def test_a_damaged_file_is_cut_off(tmp_path: Path, spoil: slice) -> None:
    """Where it is damaged, and not with another error."""
    found = source(tmp_path, [FLOW] * 3)
    raw = bytearray(found.path.read_bytes())
    raw[spoil] = b"\xff" * len(raw[spoil])
    found.path.write_bytes(raw)
    with pytest.raises(files.CutOff):
        list(files.blocks(found))


def test_a_file_that_only_begins_alike(tmp_path: Path) -> None:
    """Is damaged."""
    (tmp_path / "a").write_bytes(parquet.MAGIC + b" is a word")
    with pytest.raises(files.CutOff):
        list(files.blocks(files.Source("a", tmp_path / "a", named=True)))
