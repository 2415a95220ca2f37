"""Events for detections."""

from collections.abc import Iterator
from typing import Any

import pytest

from strongroom.detect.detection import Detection
from strongroom.detect.duckdb import Engine
from strongroom.detect.state import State

DEFAULTS: dict[str, Any] = {
    "record.source": 0, "record.offset": 0, "record.length": 1, "metadata.log_name": "web",
    "status_id": 1, "act": "read", "principal": "ann", "principal.kind": "login", "src_endpoint.ip": "192.0.2.1",
    "http_response.code": 200, "traffic.bytes_out": 1_000,
}  # fmt: skip


class Scene:
    """An engine, events that are added to it by what matters of them, and what a detection hits."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._count = 0

    def clear(self) -> None:
        """Begin anew."""
        self.engine.run("DELETE FROM event")
        self.engine.run("DELETE FROM hit")

    def add(self, *events: dict[str, Any]) -> None:
        """Events; a column that is not named has its default."""
        rows = [{**DEFAULTS, **event, "record.offset": self._count + at} for at, event in enumerate(events)]
        self._count += len(rows)
        fields = sorted({name for row in rows for name in row})
        if rows:
            self.engine.add(fields, [tuple(row.get(field) for field in fields) for row in rows])

    def hits(self, detection: Detection) -> list[tuple[str, int, int]]:
        """(about, fired, time) of every hit, by time."""
        sql = f"SELECT about, fired, event.time FROM ({detection.hits}) JOIN event ON event.rowid = event ORDER BY ALL"  # noqa: S608  # a detection's own
        return self.engine.rows(sql)


@pytest.fixture(scope="module")
def one_engine() -> Iterator[Engine]:
    """One for a module: opening is the dear part."""
    with Engine() as engine:
        yield engine


@pytest.fixture
def scene(one_engine: Engine) -> Scene:
    """Nothing has happened yet."""
    found = Scene(one_engine)
    found.clear()
    return found


def read(number: int, at: int, **more: Any) -> dict[str, Any]:
    """A document was read, by its number, at a second."""
    return {"time": at * 1_000, "document": f"/d/{number}", "route": "/d/{int}", "number": number, **more}


def away(state: State, shelf: int) -> list[str]:
    """The names of what of a shelf lies on disk alone."""
    return [key for (key,) in state._con.execute("SELECT key FROM thing WHERE shelf = ? ORDER BY key", (shelf,))]
