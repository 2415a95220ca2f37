"""Sixty days of a portal's document module, honest people and playbooks P1 to P9, hunted as anybody hunts.

    ask       one request, and when people are awake
    town      who there is, and what is whose
    honest    a day of honest traffic, everything in it that looks like theft included
    plays     the playbooks
    books     a request as each log has it
    score     what was gone when the first finding fired, and what fired without reason
    page      the tables of docs/detection.md

Two hunts over the same directory: with the logs alone, and with the operator's tables (who acts for whom, who works where).
"""

import heapq
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from bench import Scale
from bench.replay.ask import DAYS, Ask
from bench.replay.books import AUDIT, Books
from bench.replay.honest import Honest, accounts, relations
from bench.replay.plays import Plays
from bench.replay.score import Score, Scores, Truth, score
from bench.replay.town import PORTAL, Town
from bench.report import Figure, Goal
from strongroom.detect.duckdb import Engine
from strongroom.detect.hunt import Wanted, hunt
from strongroom.logs import files, mapping

PEOPLE: Final[dict[Scale, int]] = {"small": PORTAL // 20, "full": PORTAL}
SEED: Final = 20_251_229
ALONE, TOLD = "logs alone", "with the operator's tables"

_MAPPING: Final = """\
routes = ["/portal/documents/{document}/content", "/portal/patients/{patient}/documents"]
relations = "tables/relations.csv"
accounts = "tables/accounts.csv"

[columns]
time = "when"
principal = "account"
document = "document"
patient = "patient"
address = "address"
status = "status"
bytes = "bytes"
agent = "agent"
"""

GOALS: Final = {
    (ALONE, "P1"): 10, (ALONE, "P1, 20 logins"): 50, (ALONE, "P3, slower"): 25, (ALONE, "P4"): 500,
    (TOLD, "P1"): 2, (TOLD, "P1, 20 logins"): 50, (TOLD, "P3, slower"): 25, (TOLD, "P4"): 500,
}  # fmt: skip
"""Documents lost, at most."""
ALARMS: Final = 5
"""False alarms a day, at most, of 1.8 million people."""


def run(scale: Scale) -> Iterable[Figure]:
    """The table as figures."""
    people = PEOPLE[scale]
    for one in replay(people):
        for play in one.plays:
            yield from _figures(one.condition, play)
        bound = Goal("value", "<=", ALARMS * people / PORTAL)
        yield Figure(f"{one.condition}: false alarms", one.alarms, "a day", None, bound)
        yield Figure(f"{one.condition}: false alarms after the first ten days", one.settled, "a day")
        yield Figure(f"{one.condition}: false hints of a low level", one.hints, "a day")


def _figures(condition: str, play: Score) -> Iterator[Figure]:
    most = GOALS.get((condition, play.play))
    goal = None if most is None else Goal("value", "<=", most)
    name = f"{condition}: {play.play}"
    yield Figure(f"{name}, documents lost", play.documents, "documents", play.taken, goal)
    yield Figure(f"{name}, people lost", play.people, "people")
    yield Figure(f"{name}, until the first finding", float("nan") if play.seconds is None else play.seconds, "s")


def replay(people: int, seed: int = SEED) -> Iterator[Scores]:
    """Make the logs of a portal of so many people, hunt in them, and say what was found. Figures differ with the seed."""
    with tempfile.TemporaryDirectory(prefix="strongroom-replay-") as name:
        folder = Path(name)
        truth = make(folder, people, seed)
        yield _hunted(ALONE, folder, None, truth)
        yield _hunted(TOLD, folder, mapping.load(folder / "portal.toml"), truth)


def make(folder: Path, people: int, seed: int) -> Truth:
    """Write all books, and the operator's tables, into a directory; what was stolen. Memory: that of a day, and the town's."""
    truth, began = Truth(), time.process_time()
    town = Town(people, seed)
    logs = folder / "logs"
    logs.mkdir()
    with Books(logs) as books:
        books.write(truth.watch(everything(town, seed)))
    (folder / "tables").mkdir()
    (folder / "portal.toml").write_text(_MAPPING, encoding="ascii")
    with (folder / "tables" / "relations.csv").open("w", encoding="ascii") as file:
        file.write("account,patient\n")
        file.writelines(f"{account},{patient}\n" for account, patient in relations(town))
    with (folder / "tables" / "accounts.csv").open("w", encoding="ascii") as file:
        file.write("account,role,group\n")
        file.writelines(f"{account},{role},{group}\n" for account, role, group in accounts(town))
    spent = time.process_time() - began
    _say(f"{books.records:,} records of {people:,} people and {DAYS} days, made in {spent:.0f} CPU-s")
    return truth


def everything(town: Town, seed: int) -> Iterator[Ask]:
    """Everybody's requests, by time."""
    honest = Honest(town, seed)
    plays = Plays(town, honest, seed).all()
    return heapq.merge((one for day in range(DAYS) for one in honest.day(day)), *plays.values())


def _hunted(condition: str, folder: Path, told: mapping.Mapping | None, truth: Truth) -> Scores:
    began = time.process_time()
    with Engine() as engine:
        result = hunt(files.expand((str(folder / "logs"),)), Wanted(mapping=told), engine)
        unread = [file.source.path.name for file in result.files if file.account.unreadable]
        assert not unread, unread
        assert not result.stopped, result.stopped
        assert told is None or all(file.format for file in result.files if file.source.path.name == AUDIT)
        _say(f"{condition}: {result.events:,} events hunted in {time.process_time() - began:.0f} CPU-s")
        return score(condition, result, engine, truth)


def _say(what: str) -> None:
    print(f"  {time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)
