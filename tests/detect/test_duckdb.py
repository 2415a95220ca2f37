"""The engine: what goes in comes out, what rules say reaches nothing, and nothing is left behind."""

import re
from importlib.resources import files
from pathlib import Path
from typing import Final

import pytest

from strongroom.detect.duckdb import Engine, Error
from strongroom.errors import OperationError

_COUNTED: Final = re.compile(r"count\(\*\)\s+FILTER\s+\([^()]*(?:\([^()]*\)[^()]*)*\)\s+OVER")


def test_values_come_back(one_engine: Engine) -> None:
    """Texts with null characters, the largest numbers, and nothing."""
    one_engine.add(("principal", "time", "http_response.code", "store"), [("a\x00b", 2**63 - 1, 2**31 - 1, None)])
    assert one_engine.rows('SELECT principal, time, "http_response.code", store FROM event') == [
        ("a\x00b", 2**63 - 1, 2**31 - 1, None)
    ]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "COPY event TO '/tmp/strongroom-escape.csv'",
        "ATTACH '/tmp/strongroom-escape.db'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "SELECT * FROM '/etc/hosts'",
    ],
)
def test_sql_reaches_neither_files_nor_network(sql: str) -> None:
    """Rules are text by other people: the engine they run in is shut, and cannot be opened from inside."""
    with Engine() as engine, pytest.raises(Error):
        engine.rows(sql)
    assert not list(Path("/tmp").glob("strongroom-escape*"))


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The temporary files go with the engine, also after an error."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Engine() as engine:
        assert list(tmp_path.iterdir())
        with pytest.raises(Error):
            engine.rows("nonsense")
    assert list(tmp_path.iterdir()) == []


def test_memory_that_does_not_suffice_is_said(tmp_path: Path) -> None:
    """With what to do about it, and not with the engine's own words."""
    with Engine(memory="1MB") as engine, pytest.raises(OperationError, match="memory or of disk"):
        engine.rows("SELECT list(i) FROM range(50_000_000) t(i)")


def test_columns_that_come_after_many_events_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are written out one by one; what was read before stays as it was."""
    monkeypatch.setattr("strongroom.detect.duckdb.MANY", 1)
    with Engine() as engine:
        engine.add(("time", "principal"), [(1, "ann"), (2, "bob")])
        assert engine.rows('SELECT time, principal, "traffic.bytes_out" FROM event ORDER BY time') == [
            (1, "ann", None),
            (2, "bob", None),
        ]
        engine.add(("time", "principal", "route"), [(3, "eve", "/d")])
        assert engine.rows("SELECT principal, route FROM event WHERE time > 1 ORDER BY time") == [
            ("bob", None),
            ("eve", "/d"),
        ]


def test_events_keep_their_order_and_whole_records_take_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many come at once, and whatever of them fills a group; records that are alike are packed as such."""
    monkeypatch.setattr("strongroom.detect.duckdb.GROUP", 2_048)
    monkeypatch.setattr("strongroom.detect.duckdb.STORED", 100_000)
    many = 7_000
    with Engine() as engine:
        for first in range(0, many, 500):
            engine.add(
                ("time", "raw_data"),
                [(at, f'{{"at": {at}, "always": "the same"}}') for at in range(first, first + 500)],
            )
        assert engine.rows("SELECT count(*), max(rowid), count(*) FILTER (time = rowid) FROM event") == [
            (many, many - 1, many)
        ]
        assert engine.rows("SELECT raw_data FROM event WHERE time = 6999")[0][0].startswith('{"at": 6999,')
        packed = engine.rows(
            "SELECT DISTINCT compression FROM pragma_storage_info('event') WHERE column_name = 'raw_data' AND "
            "segment_type = 'VARCHAR' AND persistent"
        )
        assert packed == [("ZSTD",)]


def test_no_statement_counts_with_a_filter_in_a_window() -> None:
    """For each row the engine looks then at the whole of its window anew: of a theft of a million documents that is hours."""
    source = files("strongroom.detect")
    said = [one.name for one in source.iterdir() if one.name.endswith(".py") and _COUNTED.search(one.read_text())]
    assert said == []
    assert _COUNTED.search("count(*) FILTER (apart IN (1, 2)) OVER w"), "what is looked for would be seen"
