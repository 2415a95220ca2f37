"""How a watch asks events for the bases of its detections: as many at once as can be; and to which folds each finding goes."""

from collections.abc import Callable, Iterable
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from strongroom.detect.detection import PLACE, SOURCE, Base
from strongroom.detect.duckdb import Engine

MASK: Final = 60
"""Bases that are asked at once: a bit of a number each."""

Row = tuple[Any, ...]
"""A finding: time, source, offset, event, length; then which question was asked (`Asked`) and the bits of those bases that the
event is of, with what they select; or, of a base that is asked by itself, its number below 0 and its row."""
Pick = Callable[[Row], Row]
_HEAD: Final = ("time", SOURCE, PLACE, "rowid", '"record.length"')
Plan = tuple[list[str], list[tuple[int, Callable[[], list[Row]]]]]
"""Of events of some logs: the names of prepared questions, and bases that are asked by themselves."""


class Asked:
    """Bases that are asked at once: an event is fetched with everything that any of them selects."""

    def __init__(self, number: int, bases: dict[int, Base]) -> None:
        """By their numbers; all have `columns`, the first two of them an event's rowid and time."""
        told = (column for base in bases.values() for column in base.columns)
        columns = list(dict.fromkeys((*_HEAD, *told)))
        bits = " + ".join(
            f"CASE WHEN {base.where} THEN {1 << nth}::BIGINT ELSE 0 END" for nth, base in enumerate(bases.values())
        )
        asked = [*columns[: len(_HEAD)], str(number), bits, *columns[len(_HEAD) :]]
        names = ", ".join(f"{column} AS c{at}" for at, column in enumerate(asked))
        self.sql = f"SELECT * FROM (SELECT {names} FROM event) WHERE c{len(_HEAD) + 1} <> 0"
        places = {column: at if at < len(_HEAD) else at + 2 for at, column in enumerate(columns)}
        self._members = [
            (1 << nth, at, itemgetter(*(places[column] for column in base.columns)))
            for nth, (at, base) in enumerate(bases.items())
        ]

    def of(self, bits: int) -> list[tuple[int, Pick]]:
        """The bases of these bits, each with how to pick its row."""
        return [(at, pick) for bit, at, pick in self._members if bits & bit]


class Asking:
    """The bases of a watch, with the folds that each feeds."""

    def __init__(self, engine: Engine, bases: dict[Base, list[int]]) -> None:
        """`bases`: with the numbers of their folds."""
        self._engine, self._bases = engine, bases
        self._plans: dict[frozenset[str], Plan] = {}
        self._asked: list[Asked] = []
        self._known: dict[tuple[int, int], list[tuple[int, list[Pick]]]] = {}
        self.channels, self._reach = _channels(list(bases.values()))

    def found(self, logs: Iterable[str]) -> list[Row]:
        """Of the engine's events, which are of these logs."""
        together, alone = self._plan(frozenset(logs))
        found = [row for name in together for row in self._engine.prepared(name)]
        for at, ask in alone:
            found += [(row[5], *row[:4], -1 - at, row[4:]) for row in ask()]
        return found

    def _plan(self, logs: frozenset[str]) -> Plan:
        """How events of these logs are asked."""
        plan = self._plans.get(logs)
        if plan is None:
            nth, together = len(self._plans), list[str]()
            meant = {at: base for at, base in enumerate(self._bases) if not base.logs or logs.intersection(base.logs)}
            once = [(at, base) for at, base in meant.items() if base.columns]
            for first in range(0, len(once), MASK):
                self._asked.append(Asked(len(self._asked), dict(once[first : first + MASK])))
                together.append(f"plan_{nth}_{first}")
                self._engine.prepare(together[-1], self._asked[-1].sql)
            alone = [(at, self._alone(at, base, nth)) for at, base in meant.items() if not base.columns]
            plan = self._plans[logs] = (together, alone)
        return plan

    def _alone(self, at: int, base: Base, nth: int) -> Callable[[], list[Row]]:
        """How a base is asked that is asked by itself."""
        sql, name = _PLACED.format(base=base.sql), f"alone_{nth}_{at}"
        if base.tables:
            return partial(self._engine.rows, sql)
        self._engine.prepare(name, sql)
        return partial(self._engine.prepared, name)

    def lots(self, ready: list[Row]) -> tuple[list[list[Row]], list[list[Row]]]:
        """Of each channel the rows for its folds, and the findings that they are of."""
        lots: list[list[Row]] = [[] for _ in self.channels]
        origins: list[list[Row]] = [[] for _ in self.channels]
        for (number, bits), alike in groupby(ready, _kind):
            rows = list(alike)
            for channel, picks in self._ways(number, bits):
                if len(picks) == 1:
                    lots[channel].extend(map(picks[0], rows))
                    origins[channel].extend(rows)
                else:
                    lots[channel].extend(pick(row) for row in rows for pick in picks)
                    origins[channel].extend(row for row in rows for _ in picks)
        return lots, origins

    def _ways(self, number: int, bits: int) -> list[tuple[int, list[Pick]]]:
        """Where what waits goes to (see `Row`): groups of folds, and how the rows for them are picked."""
        found = self._known.get((number, bits))
        if found is None:
            bases = self._asked[number].of(bits) if number >= 0 else [(-1 - number, itemgetter(6))]
            ways: dict[int, list[Pick]] = {}
            for at, pick in bases:
                for channel in self._reach[at]:
                    ways.setdefault(channel, []).append(pick)
            found = self._known[number, bits] = list(ways.items())
        return found

    def rows(self, row: Row) -> list[tuple[int, Row]]:
        """A finding as rows of bases, with their numbers."""
        number = row[5]
        return (
            [(at, pick(row)) for at, pick in self._asked[number].of(row[6])] if number >= 0 else [(-1 - number, row[6])]
        )


_PLACED: Final = """
SELECT place."record.source", place."record.offset", place.rowid, place."record.length", found.*
FROM ({base}) AS found JOIN event AS place ON place.rowid = found.event
"""


def _kind(row: Row) -> tuple[int, int]:
    """What goes the same ways."""
    return row[5], row[6] if row[5] >= 0 else 0


def _channels(users: list[list[int]]) -> tuple[list[list[int]], list[list[int]]]:
    """Folds by which bases feed them (`users`: the folds of each base), and of each base to which of these groups it goes: what
    comes to a fold from several bases must come in the order of time.
    """
    sources: dict[int, list[int]] = {}
    for base, folds in enumerate(users):
        for fold in folds:
            sources.setdefault(fold, []).append(base)
    alike: dict[tuple[int, ...], list[int]] = {}
    for fold, bases in sources.items():
        alike.setdefault(tuple(bases), []).append(fold)
    reach = [[nth for nth, bases in enumerate(alike) if base in bases] for base in range(len(users))]
    return list(alike.values()), reach
