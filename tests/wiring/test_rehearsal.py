"""Switches that exist only in stores that a rehearsal made."""

from pathlib import Path

import pytest

from strongroom.clock import ManualClock
from strongroom.errors import ConfigError
from strongroom.wiring.keeper import open_keeper
from strongroom.wiring.place import make_store
from strongroom.wiring.rehearsal import MovedClock, Rehearsal, parse_switches


def test_switches_are_few_and_named() -> None:
    """An unknown word is refused rather than ignored."""
    assert parse_switches("on") == Rehearsal()
    assert parse_switches("on,broken-authorization,probe-limit=7") == Rehearsal(True, 7)  # as it reads
    for wrong in ("off", "probe-limit=x", "broken"):
        with pytest.raises(ConfigError):
            parse_switches(wrong)


def test_a_real_store_refuses_them_all(tmp_path: Path) -> None:
    """No guard can be switched off in a store that `init` made."""
    made = make_store(tmp_path / "s", '[store]\nname = "real"\n', hand=False)
    with pytest.raises(ConfigError, match="only in stores"):
        open_keeper(made.config, made.layout, rehearsal=Rehearsal(broken_authorization=True))
    with pytest.raises(ConfigError, match="only in stores"):
        open_keeper(made.config, made.layout, rehearsal=Rehearsal())


def test_a_moved_clock_moves_forward_for_everybody_who_reads_the_file(tmp_path: Path) -> None:
    """Two processes' clocks agree; nothing moves back."""
    one, other = MovedClock(tmp_path / "clock", ManualClock()), MovedClock(tmp_path / "clock", ManualClock())
    began = one.now()
    one.advance(1_000)
    one.advance(-5)
    assert other.now() == one.now() == began + 1_000
