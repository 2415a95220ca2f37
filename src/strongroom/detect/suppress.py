"""Suppressions: what somebody chose to quieten, with their name, a reason and an end. Counted and told, never silent.

    [[suppression]]
    about = "login backup"       # whom findings are about, as they say it; * stands for anything
    detection = "4d0cc0de-…"     # a detection's id; left out: all of them
    at_most = 5000               # documents; when more left, the finding stands after all
    author = "Ann Lee"
    reason = "The nightly backup of the documents, ticket 4711"
    until = 2027-03-31           # the last day; a year ahead at most

What is quietened is one detection about one principal: a backup that also walks over ids is found by the walk. An end that has
passed ends the suppression by itself, and the hunt says so.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from strongroom.detect.detection import SERVED, Detection
from strongroom.detect.duckdb import Engine
from strongroom.errors import ConfigError
from strongroom.sigma.sql import literal

LONGEST: Final = dt.timedelta(days=366)
"""Nobody may quieten anything for longer without looking at it again."""
_MAX: Final = 1024 * 1024
_ANY: Final = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_", "*": "%"})


class Suppression(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of a file."""

    author: str
    reason: str
    until: dt.date
    about: str = "*"
    detection: str = ""
    at_most: int | None = None


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    suppression: tuple[Suppression, ...] = ()


@dataclass(frozen=True, slots=True)
class Suppressed:
    """What one suppression quietened: a detection about somebody."""

    by: Suppression
    about: str
    title: str
    events: int
    documents: int  # that left


def load(path: Path, today: dt.date) -> tuple[tuple[Suppression, ...], tuple[Suppression, ...]]:
    """Those in force, and those that have ended. Raises ConfigError for a file that does not fit, and says which entry."""
    try:
        raw = path.read_bytes()
        if len(raw) > _MAX:
            raise ConfigError(f"The suppressions {path} are larger than {_MAX} bytes.")
        found = msgspec.toml.decode(raw, type=_File).suppression
    except OSError as error:
        raise ConfigError(f"The suppressions {path} cannot be read: {error.strerror}.") from error
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise ConfigError(f"The suppressions {path} do not fit: {error}.") from error
    for number, one in enumerate(found, 1):
        wrong = _wrong(one, today)
        if wrong:
            raise ConfigError(f"Suppression {number} of {path} {wrong}.")
    return tuple(one for one in found if one.until >= today), tuple(one for one in found if one.until < today)


def _wrong(one: Suppression, today: dt.date) -> str:
    if not one.author.strip() or not one.reason.strip():
        return "needs an author and a reason"
    if not one.about.strip("* ") and not one.detection:
        return "would quieten everything: name whom it is about, or a detection"
    if one.until > today + LONGEST:
        return f"ends later than a year from now: {today + LONGEST} at the latest"
    return ""


def apply(engine: Engine, given: Iterable[Suppression], detections: Iterable[Detection]) -> list[Suppressed]:
    """Take the hits of what is quietened away, so that findings are counted without them, and say what they were."""
    titles = {one.head.id: one.head.title for one in detections}
    quiet: list[Suppressed] = []
    for one in given:
        meant = f"about LIKE {literal(one.about.translate(_ANY))} ESCAPE '\\'"
        if one.detection:
            meant += f" AND detection = {literal(one.detection)}"
        rows = engine.rows(f"""
        SELECT about, detection, count(DISTINCT event), count(DISTINCT document) FILTER ({SERVED})
        FROM hit JOIN event ON event.rowid = event WHERE {meant} GROUP BY ALL ORDER BY ALL
        """)
        for about, detection, events, documents in rows:
            if one.at_most is None or documents <= one.at_most:
                engine.run(f"DELETE FROM hit WHERE about = {literal(about)} AND detection = {literal(detection)}")
                quiet.append(Suppressed(one, about, titles[detection], events, documents))
    return quiet
