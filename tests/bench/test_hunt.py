"""The bench of hunting: the log it makes holds a theft that is found, and processes are measured whole."""

import sys
from pathlib import Path

import pytest

from bench import hunt
from strongroom.detect.duckdb import Engine
from strongroom.detect.hunt import Wanted
from strongroom.detect.hunt import hunt as hunted
from strongroom.errors import ConfigError
from strongroom.logs import files


def test_the_log_is_read_whole_and_its_thief_is_found(tmp_path: Path) -> None:
    """Every line, names with blanks and quoted junk included; and the same file for the same size."""
    for name in ("a", "b"):
        hunt.write(tmp_path / name, 12_000)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    with Engine() as engine:
        found = hunted(files.expand((str(tmp_path / "a"),)), Wanted(), engine)
    assert (found.events, found.files[0].account.unreadable) == (12_000, {})
    assert "login mallory" in {one.about for one in found.findings}


def test_figures_are_of_whole_processes(tmp_path: Path) -> None:
    """With the peer's in the same unit; whether goals hold is not for a test to say. Every made record is read."""
    figures = list(hunt._trail(tmp_path, 300))
    assert len(figures) == 2
    assert all(figure.value > 0 and figure.against for figure in figures)
    with Engine() as engine:
        found = hunted(files.expand((str(tmp_path / "trail"),)), Wanted(), engine)
    assert (found.events, found.duplicates) == (300, 0)


def test_without_its_peers_it_measures_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """And says what to install, before it begins."""
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ConfigError, match="goaccess and lnav and mawk"):
        list(hunt.run("small"))


def test_a_process_that_does_not_end_as_it_must_measures_nothing() -> None:
    """A hunt that fails is not fast; one that finds something does not fail."""
    with pytest.raises(AssertionError):
        hunt.spent(sys.executable, "-c", "raise SystemExit(3)")
    assert hunt.spent(sys.executable, "-c", "raise SystemExit(1)").peak > 1
