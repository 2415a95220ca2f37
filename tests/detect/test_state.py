"""The state of a watch on disk: all of one instant, or that of the instant before."""

import sqlite3
from pathlib import Path

import msgspec
import pytest

from strongroom.detect.state import State
from strongroom.errors import ConfigError, OperationError
from tests.detect.conftest import away


def test_a_saving_that_was_not_done_was_none(tmp_path: Path) -> None:
    """Pieces, lots and things are those of the last one that was."""
    state = State(tmp_path / "s")
    assert list(state.pieces()) == []
    shelf = state.shelf("people")
    state.begin([("x", [1, "a", b"b", None])])
    state.add(shelf, [raw("ann", 1)])
    state.put(shelf, [("eve", 9, 1)])
    state.commit()
    state.begin([("y", {})])
    assert list(state.drop(state.last())) == [None]
    state.add(shelf, [raw("ann", 2)])
    state.put(shelf, [("eve", 9, 2), ("zoe", 9, 3)])
    state.close()
    again = State(tmp_path / "s")
    assert dict(again.pieces()) == {"x": [1, "a", b"b", None]}
    shelf = again.shelf("people")
    assert dict(again.lots(shelf)) == {"ann": 1}
    assert (again.get(shelf, "eve"), again.get(shelf, "zoe")) == (1, None)
    again.close()


def raw(name: str, thing: int) -> msgspec.Raw:
    """As in a lot."""
    return msgspec.Raw(msgspec.msgpack.encode((name, thing)))


def test_a_state_of_another_version_is_refused(tmp_path: Path) -> None:
    """An earlier one, which has other tables, too; and a place that is no directory."""
    State(tmp_path / "s").close()
    with sqlite3.connect(tmp_path / "s" / "watch.db") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    (tmp_path / "old").mkdir()
    with sqlite3.connect(tmp_path / "old" / "watch.db") as connection:
        connection.execute("CREATE TABLE state (name TEXT PRIMARY KEY, form INTEGER NOT NULL, body BLOB NOT NULL)")
    connection.close()
    for name in ("s", "old"):
        with pytest.raises(ConfigError, match="another version"):
            State(tmp_path / name)
    (tmp_path / "file").touch()
    with pytest.raises(OperationError):
        State(tmp_path / "file")


def test_what_does_not_matter_any_more_goes() -> None:
    """Some at a time, from one name to the next, and from the first again."""
    state = State(None)
    shelf = state.shelf("groups")
    state.put(shelf, [(f"g{at}", at, [at]) for at in range(6)])
    assert state.sweep(shelf, "", 4, 3) == "g3"
    assert state.sweep(shelf, "g3", 4, 3) == ""
    assert away(state, shelf) == ["g3", "g4", "g5"]
    state.close()
