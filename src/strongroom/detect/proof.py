"""A rule file's own events, run: what it must match is matched, and what it must leave alone is left alone.

The events are lines of real formats and go the way of a hunt: recognised, read, normalised, asked for by the same SQL.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from strongroom.detect import rules
from strongroom.detect.duckdb import Engine
from strongroom.detect.hunt import run
from strongroom.errors import ConfigError
from strongroom.logs import formats, read

LEAST: Final = 2
"""Logs that a rule must match, and logs that it must leave alone."""
_REPEAT: Final = 10_000


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One log. Its lines are repeated with %n%, %mm% and %ss% counting up."""

    name: str
    log: str
    repeat: int = 1

    def raw(self) -> bytes:
        """The log as a file would hold it."""
        return "".join(
            self.log.replace("%n%", str(n)).replace("%mm%", f"{n // 60:02d}").replace("%ss%", f"{n % 60:02d}")
            for n in range(min(self.repeat, _REPEAT))
        ).encode()


class Cases(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands in NAME.events.yml."""

    match: tuple[Case, ...]
    leave: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one case of a rule file ended. `said` is empty when it holds."""

    file: str
    case: str
    matched: bool
    wanted: bool
    said: str = ""

    @property
    def holds(self) -> bool:
        """Whether the rules did as they must, and everything in the log was read."""
        return not self.said and self.matched == self.wanted


def prove(path: Path) -> list[Outcome]:
    """Run the cases of a rule file. A file without enough of them, or with a rule that does not run, does not hold."""
    loaded = rules.load([path])
    outcomes = [Outcome(str(path), one.title, matched=False, wanted=True, said=one.reason) for one in loaded.stopped]
    cases = load(path.with_name(path.name.removesuffix(".yml") + rules.EVENTS))
    for name, given in (("match", cases.match), ("leave", cases.leave)):
        if len(given) < LEAST:
            said = f"It needs at least {LEAST} logs under `{name}`."
            outcomes.append(Outcome(str(path), name, matched=False, wanted=True, said=said))
        for case in given:
            matched, said = _matched(case, loaded)
            outcomes.append(Outcome(str(path), case.name, matched=matched, wanted=name == "match", said=said))
    return outcomes


def load(path: Path) -> Cases:
    """The cases of a file; none when there is no such file. Raises ConfigError when it does not fit."""
    if not path.exists():
        return Cases((), ())
    try:
        return msgspec.yaml.decode(path.read_bytes(), type=Cases)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise ConfigError(f"{path} does not fit: {error}") from error


def _matched(case: Case, loaded: rules.Loaded) -> tuple[bool, str]:
    raw = case.raw()
    format_ = formats.recognise(raw)
    if format_ is None:
        return False, "Its log is written in no format that is known."
    account, stopped = read.Account(), list[Any]()
    with Engine() as engine:
        for events in read.tables([raw], format_, 0, account):
            engine.take(events)
        run(loaded.detections, engine, stopped)
        hits = engine.rows("SELECT count(*) FROM hit")[0][0]
    if account.unreadable or stopped:
        return False, "; ".join([*account.unreadable, *(one.reason for one in stopped)])
    return hits > 0, ""
