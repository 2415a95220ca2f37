"""How far a long bench is."""

import pytest

from bench import progress
from bench.progress import Progress


class Hand:
    """A clock that is set by hand."""

    seconds = 0.0

    def __call__(self) -> float:
        """Seconds."""
        return self.seconds


def test_it_says_now_and_then_how_long_the_rest_takes(capsys: pytest.CaptureFixture[str]) -> None:
    """Not at every step; and by the pace so far."""
    clock = Hand()
    told = Progress("kills", 1_000, clock)
    clock.seconds = progress.EVERY
    told.at(0)
    told.at(10)
    told.at(11)
    clock.seconds = 3 * progress.EVERY
    told.at(995)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(" ", 3)[3] for line in lines] == [
        "10 of 1,000 kills; about 50 min left",
        "995 of 1,000 kills; less than a minute left",
    ]
