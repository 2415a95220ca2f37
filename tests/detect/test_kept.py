"""What was read is kept: an interrupted hunt goes on, whatever changed is read anew, and the answer is the same."""

import gzip
import os
import stat
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from strongroom.detect import hunt as hunting
from strongroom.detect import shape
from strongroom.detect.duckdb import Engine
from strongroom.detect.evidence import opened
from strongroom.detect.hunt import Wanted, hunt
from strongroom.detect.kept import Kept
from strongroom.errors import OperationError, UsageError
from strongroom.logs import files, mapping
from tests.detect.test_hunt import HONEST, THIEF, write


class Interrupted(Exception):
    """Somebody pressed the keys."""


def hunted(
    logs: Path, folder: Path | None, told: Callable[[str, int], None] | None = None, **more: Any
) -> dict[str, Any]:
    """The whole answer, evidence opened."""
    sources = files.expand((str(logs),))
    kept = Kept(folder) if folder else None
    with Engine() as engine:
        found = hunt(sources, Wanted(kept=kept, **more), engine, told or (lambda _name, _bytes: None))
    return shape.result(found, [(one, opened(one.evidence, found.files)) for one in found.findings])


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Three files, one packed, one with a line that is none, one that is no log."""
    folder = tmp_path / "logs"
    folder.mkdir()
    write(folder / "a.log", THIEF[30:] + HONEST[:50])
    write(folder / "b.log.gz", [*HONEST[50:], "this is no line", *THIEF[:30]])
    write(folder / "c.txt", ["nothing", "of", "a", "log"])
    return folder


def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of files that are read for their events, as they are."""
    seen: list[str] = []
    real = hunting._watched

    def watched(source: files.Source, told: Callable[[str, int], None]) -> Iterable[bytes]:
        for at, block in enumerate(real(source, told)):
            if not at:
                seen.append(source.path.name)
            yield block

    monkeypatch.setattr(hunting, "_watched", watched)
    return seen


def test_a_second_hunt_reads_nothing_and_says_the_same(
    logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Findings, counts, what was unreadable and where, and evidence that is still what was read."""
    plain = hunted(logs, None)
    assert hunted(logs, tmp_path / "kept") == plain
    read = counted(monkeypatch)
    assert hunted(logs, tmp_path / "kept") == plain
    assert read == []
    assert all(at["same"] for one in plain["findings"] for at in one["evidence"])


def test_an_interrupted_hunt_goes_on(logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file that was under way is read anew, those before it are not."""

    def stop(name: str, _bytes: int) -> None:
        if name.endswith("b.log.gz"):
            raise Interrupted

    with pytest.raises(Interrupted):
        hunted(logs, tmp_path / "kept", stop)
    read = counted(monkeypatch)
    assert hunted(logs, tmp_path / "kept") == hunted(logs, None)
    assert read[0] == "b.log.gz"
    assert "a.log" not in read[: read.index("a.log")]
    assert read.count("a.log") == 1  # by the hunt that keeps nothing


def test_what_changed_is_read_anew(logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that was written on; what was kept of its earlier state goes."""
    hunted(logs, tmp_path / "kept")
    with (logs / "a.log").open("a", encoding="utf-8") as file:
        file.write(f"{HONEST[0]}\n")
    before = {path.name for path in (tmp_path / "kept").iterdir()}
    read = counted(monkeypatch)
    assert hunted(logs, tmp_path / "kept")["events"] == 161
    assert read == ["a.log"]
    after = {path.name for path in (tmp_path / "kept").iterdir()}
    assert (len(before), len(after), len(before & after)) == (5, 5, 3)


def test_a_better_mapping_needs_no_reading(logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept is what was read, and not what a mapping made of it."""
    (tmp_path / "m.toml").write_text('routes = ["/documents/{patient}/content"]', encoding="utf-8")
    told = mapping.load(tmp_path / "m.toml")
    hunted(logs, tmp_path / "kept")
    read = counted(monkeypatch)
    found = hunted(logs, tmp_path / "kept", mapping=told)
    assert read == []
    assert found == hunted(logs, None, mapping=told)


def test_a_file_that_is_renumbered_keeps_its_evidence(logs: Path, tmp_path: Path) -> None:
    """Another file comes before it: events know their files by their places in the list."""
    hunted(logs, tmp_path / "kept")
    write(logs / "0.log", HONEST[:3])
    found = hunted(logs, tmp_path / "kept")
    assert found == hunted(logs, None)
    assert all(at["same"] for one in found["findings"] for at in one["evidence"])


def test_only_the_owner_may_look(logs: Path, tmp_path: Path) -> None:
    """It holds what the logs hold."""
    old = os.umask(0)
    try:
        hunted(logs, tmp_path / "kept")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "kept").stat().st_mode) == 0o700
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "kept").glob("*.events")}
    assert modes == {0o600}


def test_a_directory_of_something_else_is_left_alone(tmp_path: Path) -> None:
    """Nothing of it may be taken for leftovers."""
    (tmp_path / "thesis.txt").write_text("x")
    with pytest.raises(UsageError, match="not empty"):
        Kept(tmp_path)
    with pytest.raises(OperationError, match="cannot be used"):
        Kept(tmp_path / "thesis.txt" / "below")


def test_halves_and_damage(logs: Path, tmp_path: Path) -> None:
    """What lacks its end is read anew; what has its length and is damaged is said."""
    folder = tmp_path / "kept"
    plain = hunted(logs, folder)
    for path in folder.glob("*.events"):
        path.write_bytes(path.read_bytes()[:-9])
    assert hunted(logs, folder) == plain
    for path in folder.glob("*.events"):
        path.write_bytes(b"x" * path.stat().st_size)
    with pytest.raises(OperationError, match="damaged"):
        hunted(logs, folder)
    for path in folder.glob("*.json"):
        path.write_text("no JSON")
    assert hunted(logs, folder) == plain


def test_a_file_without_events_is_kept_too(tmp_path: Path) -> None:
    """Forced into a format that reads none of it."""
    (tmp_path / "logs").mkdir()
    write(tmp_path / "logs" / "a.log", ["no", "line"])
    (tmp_path / "logs" / "b.log").write_bytes(gzip.compress(b"")[:5])
    from strongroom.logs.formats import NAMES  # noqa: PLC0415  # of this test alone

    first = hunted(tmp_path / "logs", tmp_path / "kept", format=NAMES["access"])
    assert hunted(tmp_path / "logs", tmp_path / "kept", format=NAMES["access"]) == first
    assert first["events"] == 0
