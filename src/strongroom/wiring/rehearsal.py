"""What a store that a rehearsal made may do besides. Every process of it reads the same moved clock from one file."""

from dataclasses import dataclass
from pathlib import Path

from strongroom.clock import Clock, Machine, Millis, SystemClock
from strongroom.errors import ConfigError

VARIABLE = "STRONGROOM_REHEARSAL"
"""Environment variable with the switches, comma-separated. Without the store's own seal they are refused."""
BROKEN = "broken-authorization"
PROBES = "probe-limit="


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Guards that are off, and the simulated clock."""

    broken_authorization: bool = False
    probe_limit: int | None = None
    machine: Machine | None = None
    """Where the time comes from, when a whole store is simulated in one process."""


def parse_switches(text: str) -> Rehearsal:
    """The switches in the environment variable. Raises ConfigError for an unknown one."""
    broken, limit = False, None
    for word in filter(None, text.split(",")):
        if word == BROKEN:
            broken = True
        elif word.startswith(PROBES) and word.removeprefix(PROBES).isdecimal():
            limit = int(word.removeprefix(PROBES))
        elif word != "on":
            msg = f"{VARIABLE} has no switch {word!r}."
            raise ConfigError(msg)
    return Rehearsal(broken, limit)


class MovedClock:
    """The machine's time plus the milliseconds in a file. Simulated; loopback stores of rehearsals only."""

    def __init__(self, path: Path, inner: Clock | None = None) -> None:
        self._path = path
        self._inner = inner or SystemClock()

    def now(self) -> Millis:
        """See `Clock.now`."""
        try:
            ahead = int(self._path.read_text())
        except FileNotFoundError:
            ahead = 0
        return Millis(self._inner.now() + ahead)

    def advance(self, by: int) -> None:
        """Move on by `by` milliseconds."""
        ahead = int(self._path.read_text()) if self._path.exists() else 0
        beside = self._path.with_suffix(".new")
        beside.write_text(str(ahead + max(0, by)))
        beside.chmod(0o644)
        beside.replace(self._path)


def clock_file(run: Path) -> Path:
    """Where a store's moved clock is."""
    return run / "clock"
