"""The files that a hunt writes beside its answer."""

import json
import stat
from pathlib import Path

import pytest

from tests.cli.test_hunt import THIEF, run

FILES = {"html": "r.html", "ocsf": "f.ndjson", "csv": "f.csv", "documents": "d.csv"}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log with a theft in it."""
    path = tmp_path / "access.log"
    path.write_text("".join(THIEF), encoding="utf-8")
    return path


def test_all_reports_of_one_hunt(log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each as asked for, for their owner alone, and nothing half written is left."""
    assert run("hunt", log, *(part for name, file in FILES.items() for part in (f"--{name}", tmp_path / file))) == 1
    assert capsys.readouterr().out.endswith(f"Wrote {', '.join(str(tmp_path / file) for file in FILES.values())}.\n")
    made = {name: (tmp_path / file).read_text(encoding="utf-8") for name, file in FILES.items()}
    assert made["html"].startswith("<!doctype html>\n<html")
    assert "login mallory: 60 documents" in made["html"]
    (event,) = (json.loads(line) for line in made["ocsf"].splitlines())
    assert event["unmapped"]["documents"] == 60
    assert made["csv"].count("\n") == 2
    assert made["documents"].count("\n") == 61
    assert {stat.S_IMODE((tmp_path / file).stat().st_mode) for file in FILES.values()} == {0o600}
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["access.log", *FILES.values()])


def test_nothing_is_written_over(log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not even by mistake the log itself; two reports are two files; a directory must be there. Nothing was read yet."""
    before = log.read_bytes()
    assert run("hunt", log, "--html", log) == 2
    assert log.read_bytes() == before
    assert run("hunt", log, "--html", tmp_path / "x", "--csv", tmp_path / "x") == 2
    assert run("hunt", log, "--html", tmp_path / "nowhere" / "x") == 2
    assert capsys.readouterr().out == ""


def test_what_cannot_be_written_is_said(log: Path, tmp_path: Path) -> None:
    """The file in progress is in the way as a link: it is not followed."""
    (tmp_path / ".r.html.part").symlink_to(log)
    before = log.read_bytes()
    assert run("hunt", log, "--html", tmp_path / "r.html") == 3
    assert log.read_bytes() == before
