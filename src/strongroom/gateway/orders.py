"""What is in force, what was taken back, what is allowed, and what rules did: for the guard, and for people who look after it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec

from strongroom.clock import YEAR
from strongroom.gateway.measures import Allowed, Measure, Place
from strongroom.gateway.rule import Rung, Scope
from strongroom.gateway.sqlite import File, together

EXPLAINED: Final = 100_000
"""The latest requests that were refused, some 300 bytes each."""
FEW: Final = 100
"""Orders of one kind that are remembered; where there are more the file is asked."""
_STERNEST: Final = "ORDER BY rung DESC, scope, name, enforced"
_ORDERS: Final = -1
"""Stands for all of them in `mmap`."""


@dataclass(frozen=True, slots=True)
class Reported:
    """What a rule did, or would have done: requests, of whom, from when to when."""

    rule: str
    enforced: bool
    requests: int
    who: int
    first: int
    last: int


class Match(msgspec.Struct, frozen=True):
    """A rule of the WAF and the part of the request where it matched; empty: it did not say, or the name may be anybody's text."""

    rule: int
    part: str
    severity: int = 2
    """As the rule says: 2 critical, 3 error, 4 warning, 5 notice."""


class Refused(msgspec.Struct, frozen=True):
    """One request that was refused, or would have been, as it is kept to be explained: rules, names of parts, names made here."""

    request: str
    at: int
    method: str
    route: str
    status: int
    rule: str
    enforced: bool
    network: str
    person: str = ""
    session: str = ""
    matches: tuple[Match, ...] = ()


@dataclass(frozen=True, slots=True)
class _Few:
    """All orders, where there are few."""

    measures: dict[Place, list[Measure]]
    allowed: dict[Place, list[tuple[str, int]]]
    undone: dict[tuple[Place, str], int]


class Orders(File):
    """See the module."""

    def _few(self) -> _Few | None:
        """All orders, where there are few and they are known at once."""
        few: _Few | Literal[False] | None = self.kept.get("orders", _ORDERS)
        if few is None and self.writing:
            tables = [self.all(f"SELECT * FROM {name} LIMIT ?", FEW + 1) for name in ("measures", "allowed", "undone")]  # noqa: S608  # three names of ours
            few = False
            if max(map(len, tables)) <= FEW:
                measures: dict[Place, list[Measure]] = {}
                allowed: dict[Place, list[tuple[str, int]]] = {}
                for one in map(_measure, tables[0]):
                    measures.setdefault(one.where, []).append(one)
                for scope, name, rule, *_, until in tables[1]:
                    allowed.setdefault((Scope(scope), name), []).append((rule, until))
                undone = {((Scope(scope), name), rule): until for scope, name, rule, until in tables[2]}
                few = _Few(measures, allowed, undone)
            self.kept.keep("orders", _ORDERS, few)
        return few or None

    # ---- what is in force -------------------------------------------------------------------------------------------

    def measures(self, places: Sequence[Place], now: int) -> list[Measure]:
        """What is in force there, the sternest first."""
        few = self._few()
        if few is not None:
            found = [one for place in places for one in few.measures.get(place, ()) if one.until > now]
            return sorted(found, key=_sternest) if len(found) > 1 else found
        marks = ", ".join(["(?, ?)"] * len(places))
        names = [word for scope, name in places for word in (scope.value, name)]
        sql = f"SELECT * FROM measures WHERE (scope, name) IN (VALUES {marks}) AND until > ? {_STERNEST}"  # noqa: S608  # question marks
        return list(map(_measure, self.all(sql, *names, now)))

    def in_force(self, now: int) -> list[Measure]:
        """All that is in force, the newest first."""
        return list(map(_measure, self.all("SELECT * FROM measures WHERE until > ? ORDER BY since DESC", now)))

    @together
    def put(self, new: Measure, now: int) -> bool:
        """Put it in force, unless somebody took it back, or what is there is as stern. Whether it is new."""
        if self.is_undone(new.where, new.rule, now):
            return False
        scope, name = new.where
        sql = "SELECT rung FROM measures WHERE scope = ? AND name = ? AND enforced = ? AND until > ?"
        row = self.maybe(sql, scope.value, name, new.enforced, now)
        if row is not None and row[0] >= new.rung:
            return False
        self.replace(new)
        return True

    @together
    def replace(self, new: Measure) -> None:
        """Put it in force, whatever is there."""
        values = (new.enforced, new.rule, new.rung, new.why, new.since, new.until, new.sticks)
        sql = "INSERT OR REPLACE INTO measures VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        self.do(sql, new.where[0].value, new.where[1], *values, new.counted[0].value, new.counted[1], new.person)
        self.kept.change(_ORDERS)

    @together
    def undo(self, where: Place, now: int) -> list[Measure]:
        """Take back what is in force there, was counted there, or holds a session of theirs; and keep it away from all of these."""
        scope, name = where
        sql = (
            "SELECT * FROM measures WHERE until > ?1 AND ((scope = ?2 AND name = ?3) OR (from_scope = ?2 AND from_name = ?3)"
            " OR (person = ?3 AND ?2 = ?4))"
        )
        gone = list(map(_measure, self.all(sql, now, scope.value, name, Scope.PERSON.value)))
        for one in gone:
            for place in {one.where, one.counted}:
                self.keep_away(place, one.rule, max(one.until, now + one.sticks))
            self.do("DELETE FROM measures WHERE scope = ? AND name = ?", one.where[0].value, one.where[1])
        self.kept.change(_ORDERS)
        return gone

    @together
    def keep_away(self, where: Place, rule: str, until: int) -> None:
        """That rule does nothing there until then."""
        sql = "INSERT INTO undone VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET until = max(until, excluded.until)"
        self.do(sql, where[0].value, where[1], rule, until)
        self.kept.change(_ORDERS)

    def undone(self, now: int) -> set[Place]:
        """Where somebody took back what some rule did."""
        rows = self.all("SELECT DISTINCT scope, name FROM undone WHERE until > ?", now)
        return {(Scope(scope), name) for scope, name in rows}

    def is_undone(self, where: Place, rule: str, now: int) -> bool:
        """Whether somebody took back what this rule did there."""
        few = self._few()
        if few is not None:
            return few.undone.get((where, rule), 0) > now
        sql = "SELECT 1 FROM undone WHERE scope = ? AND name = ? AND rule = ? AND until > ?"
        return self.maybe(sql, where[0].value, where[1], rule, now) is not None

    @together
    def allow(self, one: Allowed) -> None:
        """From now on."""
        scope, name = one.where
        sql = "INSERT OR REPLACE INTO allowed VALUES (?, ?, ?, ?, ?, ?)"
        self.do(sql, scope.value, name, one.rule, one.why, one.since, one.until)
        self.kept.change(_ORDERS)

    @together
    def disallow(self, where: Place, rule: str) -> bool:
        """No longer. Whether it was."""
        sql = "DELETE FROM allowed WHERE scope = ? AND name = ? AND rule = ? RETURNING 1"
        self.kept.change(_ORDERS)
        return self.maybe(sql, where[0].value, where[1], rule) is not None

    def allowed(self, places: Sequence[Place], now: int) -> frozenset[str]:
        """Rules that are not about a request with these places."""
        few = self._few()
        if few is not None:
            return frozenset([rule for place in places for rule, until in few.allowed.get(place, ()) if until > now])
        marks = ", ".join(["(?, ?)"] * len(places))
        names = [word for scope, name in places for word in (scope.value, name)]
        sql = f"SELECT rule FROM allowed WHERE (scope, name) IN (VALUES {marks}) AND until > ?"  # noqa: S608  # question marks
        return frozenset(row[0] for row in self.all(sql, *names, now))

    def all_allowed(self, now: int) -> list[Allowed]:
        """All that is allowed, the newest first."""
        rows = self.all("SELECT * FROM allowed WHERE until > ? ORDER BY since DESC", now)
        return [Allowed((Scope(row[0]), row[1]), *row[2:]) for row in rows]

    # ---- what rules did ---------------------------------------------------------------------------------------------

    def report(self, rule: str, who: str, now: int, *, enforced: bool) -> None:
        """Once more."""
        sql = (
            "INSERT INTO reported VALUES (?, ?, ?, 1, ?, ?)"
            " ON CONFLICT DO UPDATE SET requests = requests + 1, last = max(last, excluded.last)"
        )
        self.do(sql, rule, who, enforced, now, now)

    def reported(self, since: int = 0) -> list[Reported]:
        """What each rule did to whoever met it after `since`."""
        sql = (
            "SELECT rule, enforced, sum(requests), count(*), min(first), max(last) FROM reported"
            " WHERE last >= ? GROUP BY rule, enforced ORDER BY rule, enforced"
        )
        return [Reported(row[0], bool(row[1]), *row[2:]) for row in self.all(sql, since)]

    def met(self, since: int, most: int) -> list[tuple[str, str, int, int]]:
        """Rule, whom it refused, how often, and when last: the latest first."""
        sql = "SELECT rule, who, requests, last FROM reported WHERE enforced AND last >= ? ORDER BY last DESC LIMIT ?"
        return [tuple(row) for row in self.all(sql, since, most)]

    def remember(self, one: Refused) -> None:
        """Keep it, to be explained."""
        self.do("INSERT OR IGNORE INTO refused (request, what) VALUES (?, ?)", one.request, msgspec.json.encode(one))

    def refused(self, request: str) -> Refused | None:
        """The request of that number; None: it was not refused, or was long ago."""
        row = self.maybe("SELECT what FROM refused WHERE request = ?", request)
        return None if row is None else msgspec.json.decode(row[0], type=Refused)

    def add_numbers(self, new: Mapping[str, int]) -> None:
        """To what all workers did."""
        for series, value in new.items():
            self.do(
                "INSERT INTO numbers VALUES (?, ?) ON CONFLICT DO UPDATE SET value = value + excluded.value",
                series,
                value,
            )

    def numbers(self) -> list[tuple[str, int]]:
        """What all workers did."""
        return [(row[0], row[1]) for row in self.all("SELECT series, value FROM numbers")]

    @together
    def forget(self, now: int) -> None:
        """What is over, and the oldest of what there is too much of."""
        for table in ("measures", "undone", "allowed"):
            self.do(f"DELETE FROM {table} WHERE until <= ?", now)  # noqa: S608  # three names of ours
        self.do("DELETE FROM reported WHERE last <= ?", now - YEAR)
        self.do("DELETE FROM refused WHERE number <= (SELECT max(number) FROM refused) - ?", EXPLAINED)


def _sternest(one: Measure) -> tuple[int, str, str, bool]:
    return -one.rung, one.where[0].value, one.where[1], one.enforced


def _measure(row: Sequence[Any]) -> Measure:
    scope, name, enforced, rule, rung, why, since, until, sticks, from_scope, from_name, person = row
    counted = (Scope(from_scope), from_name)
    return Measure((Scope(scope), name), rule, Rung(rung), why, since, until, sticks, counted, person, bool(enforced))
