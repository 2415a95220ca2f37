"""A part of `detect`: accounts of a real hospital, all honest, and thefts that are put among them.

The publisher's table is Mannhardt, de Leoni, Reijers, van der Aalst, "Hospital Billing" (4TU.ResearchData). For each theft a copy
of an account is made under another name, with all that account did, and what the thief reads in addition: so every theft is
judged against its own account's past, and the honest accounts stay as they are. A few copies at a time, so that they do not
become the crowd that they are measured against.
"""

import csv
import gzip
import random
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from bench.report import Figure, Goal
from strongroom.detect.duckdb import Engine
from strongroom.detect.hunt import Result, Wanted, hunt
from strongroom.logs import files
from strongroom.logs.mapping import Mapping

SCORED: Final = datetime(2013, 3, 1, tzinfo=UTC)
DAYS: Final = 31
THEFTS, AT_ONCE = 200, 8
MAPPING: Final = Mapping((), (), (), {"time": ("timestamp",), "principal": ("resource",), "document": ("case_id",)})

Event = tuple[datetime, str, str]
"""(when, account, record)."""


def run(data: Path) -> Iterator[Figure]:
    """False alarms over March, learned from the months before; and thefts of two paces."""
    honest = _events(next(data.glob("*.csv.gz")))
    found = _hunted(honest)
    alarms = sum(one.last >= SCORED.timestamp() * 1000 for one in found.findings)
    yield Figure("hospital: rows, read", found.events, "units", 18_862)
    yield Figure("hospital: alarms in March", alarms / DAYS, "a day", None, Goal("value", "<=", 0.05))
    burst = _caught(honest, 11, _burst)
    yield Figure(
        "hospital: thefts of 25 records in an hour, caught", burst, "thefts", THEFTS, Goal("ratio", ">=", 0.95)
    )
    slow = _caught(honest, 12, _slow)
    yield Figure(
        "hospital: thefts of 5 records a day for 30 days, caught", slow, "thefts", THEFTS, Goal("ratio", ">=", 0.80)
    )


def _events(path: Path) -> list[Event]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        return [(datetime.fromisoformat(row["timestamp"]), row["resource"], row["case_id"]) for row in rows]


def _burst(rng: random.Random) -> list[timedelta]:
    start = timedelta(hours=rng.uniform(0, DAYS * 24 - 1))
    return [start + timedelta(seconds=at) for at in sorted(rng.sample(range(3_600), 25))]


def _slow(rng: random.Random) -> list[timedelta]:
    return [timedelta(days=day, hours=rng.uniform(0, 24)) for day in range(30) for _ in range(5)]


def _caught(honest: list[Event], seed: int, pace: object) -> int:
    assert callable(pace)
    rng = random.Random(seed)
    accounts = sorted({who for when, who, _ in honest if who and when < SCORED})
    records = sorted({record for _, _, record in honest})
    caught = 0
    for first in range(0, THEFTS, AT_ONCE):
        thieves = range(first, min(first + AT_ONCE, THEFTS))
        added = [
            event for thief in thieves for event in _theft(honest, rng, rng.choice(accounts), thief, records, pace(rng))
        ]
        named = {one.about for one in _hunted(honest + added).findings}
        caught += sum(f"login thief{thief}" in named for thief in thieves)
    return caught


def _theft(
    honest: list[Event], rng: random.Random, account: str, thief: int, records: list[str], times: list[timedelta]
) -> list[Event]:  # fmt: skip
    """A copy of the account, and what the thief reads in addition: records that the account never touched."""
    own = [(when, f"thief{thief}", record) for when, who, record in honest if who == account]
    touched = {record for _, _, record in own}
    others = rng.sample([record for record in records if record not in touched], len(times))
    return own + [(SCORED + at, f"thief{thief}", record) for at, record in zip(times, others, strict=True)]


def _hunted(events: list[Event]) -> Result:
    with tempfile.TemporaryDirectory() as folder, Engine() as engine:
        path = Path(folder, "events.csv")
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("timestamp", "resource", "case_id"))
            writer.writerows((when.isoformat(), who, record) for when, who, record in events)
        return hunt(files.expand((str(path),)), Wanted(mapping=MAPPING), engine)
