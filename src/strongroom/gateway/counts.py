"""What the guard counts and remembers: different ids by place, bytes, what was shown to whom, whose session is whose. Bounded."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from strongroom.clock import DAY, HOUR, SECOND
from strongroom.gateway import met as places_met
from strongroom.gateway.met import NOWHERE, Met
from strongroom.gateway.orders import Orders
from strongroom.gateway.sqlite import together

SLICES: Final = 512
"""Parts of the file, one of which is swept each second: all of it in nine minutes."""
EACH: Final = 20_000
"""Ids that one person may have been shown; whoever was shown more begins anew with the latest."""
PEOPLE: Final = 4_000_000
SHOWN: Final = 64_000_000
"""Ids in all, some 25 bytes each on disk. Who was shown nothing for the longest time is forgotten first."""
SESSIONS: Final = 2_000_000
UNUSED: Final = 400 * DAY
FEW: Final = 256
"""Ids, or hours, of one place that are remembered; where there are more the file is asked."""
MANY: Final = "many"
"""Remembered in their place."""
_IN: Final = 500
"""Values in one statement."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is remembered of a person. `blind`: until when nothing counts as unshown; `walk`: numbers they asked for lately."""

    blind: int = 0
    walk: tuple[int, ...] = ()
    met: Met = NOWHERE


class Counts(Orders):
    """See the module."""

    def __init__(
        self, path: Path | None = None, *, each: int = EACH, shown: int = SHOWN, sessions: int = SESSIONS
    ) -> None:
        """As `sqlite.File`; with bounds of people, ids and sessions."""
        super().__init__(path)
        self._each, self._most_shown, self._most_sessions = each, shown, sessions
        self._swept = -1
        self._watched: int | None = None

    # ---- different ids ----------------------------------------------------------------------------------------------

    def others(self, place: int, one: int, since: int, most: int) -> int:
        """How many ids other than `one` are counted there with an end after `since`; no more than `most` are looked at."""
        ids = self._ids(place)
        if ids:
            return min(most, sum([until > since for other, until in ids.items() if other != one]))
        if ids is not None:
            return 0
        sql = "SELECT count(*) FROM (SELECT 1 FROM counted WHERE place = ? AND until > ? AND one <> ? LIMIT ?)"
        return int(self.one(sql, place, since, one, most)[0])

    @together
    def count(self, place: int, one: int, until: int) -> None:
        """`one` is counted there until then. For within `together`."""
        ids = self._ids(place)
        self.do(
            "INSERT INTO counted VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET until = excluded.until", place, one, until
        )
        if ids is not None:
            ids[one] = until
        self.kept.change(place, "ids", ids if ids is not None and len(ids) <= FEW else MANY)

    def _ids(self, place: int) -> dict[int, int] | None:
        """What is counted there, with its end; None where that is much, or not known at once."""
        return self._kept("ids", "SELECT one, until FROM counted WHERE place = ? LIMIT ?", place)

    def _kept(self, kind: str, sql: str, place: int) -> dict[int, int] | None:
        found: dict[int, int] | Literal["many"] | None = self.kept.get(kind, place)
        if found is None and self.writing:
            rows = self.all(sql, place, FEW + 1)
            found = dict(rows) if len(rows) <= FEW else MANY
            self.kept.keep(kind, place, found, len(found) + 1)
        return None if found == MANY else found

    @together
    def serve(self, place: int, hour: int, size: int, until: int) -> None:
        """So many bytes went out in that hour. For within `together`."""
        hours = self._hours(place)
        if hours is not None:
            hours[hour] = hours.get(hour, 0) + size
        sql = "INSERT INTO served VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET size = size + excluded.size"
        self.do(sql, place, hour, size, until)
        self.kept.change(place, "hours", hours if hours is not None and len(hours) <= FEW else MANY)

    def _hours(self, place: int) -> dict[int, int] | None:
        """What went out there, by hour; None where that is much, or not known at once."""
        return self._kept("hours", "SELECT hour, size FROM served WHERE place = ? LIMIT ?", place)

    def bytes(self, place: int, hour: int) -> int:
        """How many went out from that hour on."""
        hours = self._hours(place)
        if hours is not None:
            return sum([size for at, size in hours.items() if at >= hour])
        return int(self.one("SELECT coalesce(sum(size), 0) FROM served WHERE place = ? AND hour >= ?", place, hour)[0])

    def by_hour(self, place: int, since: int) -> dict[int, int]:
        """The same, of each hour from `since` on in which there was something."""
        return dict(self.all("SELECT hour, size FROM served WHERE place = ? AND hour >= ?", place, since))

    def watched_since(self, now: int) -> int:
        """The hour in which the first crowd was counted: this one, if there was none."""
        if self._watched is None:
            self.do("INSERT OR IGNORE INTO meta VALUES ('watched', ?)", now // HOUR)
            self._watched = self.watched()
        return self._watched or 0

    def watched(self) -> int | None:
        """The same; None if there was none."""
        row = self.maybe("SELECT value FROM meta WHERE name = 'watched'")
        return None if row is None else int(row[0])

    # ---- people -----------------------------------------------------------------------------------------------------

    def known(self, person: str) -> Known:
        """What is remembered of them."""
        who = self.number("person", person)
        known: Known | None = self.kept.get("known", who)
        if known is None:
            row = self.maybe("SELECT blind, walk, met FROM people WHERE person = ?", who)
            known = Known() if row is None else Known(row[0], tuple(map(int, row[1].split())), places_met.read(row[2]))
            if self.writing:
                self.kept.keep("known", who, known)
        return known

    def blinded(self, person: str, now: int, until: int) -> None:
        """An answer that cannot be read showed them something."""
        self._person(person, now, "blind", until)

    def met_at(self, person: str, now: int, line: str) -> None:
        """Where they were met, as `met.write` writes it."""
        self._person(person, now, "met", line)

    def walked(self, person: str, now: int, walk: Iterable[int]) -> None:
        """These numbers are what they asked for lately."""
        self._person(person, now, "walk", " ".join(map(str, walk)))

    def showed(self, person: str, ids: Iterable[tuple[str, str]], now: int) -> None:
        """These (family and id) were shown to them. Writes nothing where all of it is known."""
        numbers = self.ids(ids)
        if not self.knows(person, numbers, now):
            with self.together():
                self.learn(person, numbers, now)

    def ids(self, ids: Iterable[tuple[str, str]]) -> list[int]:
        """Of these (family and id) each once; as many as one person may be shown."""
        return list(dict.fromkeys(self.number(*one) for one in ids))[: self._each]

    def knows(self, person: str, numbers: Sequence[int], now: int) -> bool:
        """Whether all of these were shown to them, and something was in the last day."""
        who = self.number("person", person)
        seen = self.maybe("SELECT seen FROM people WHERE person = ?", who)
        return seen is not None and seen[0] > now - DAY and self._knows(who, numbers) == len(numbers)

    def fresh(self, person: str, numbers: Sequence[int]) -> int:
        """How many of these were not shown to them before."""
        return len(numbers) - self._knows(self.number("person", person), numbers) if numbers else 0

    @together
    def learn(self, person: str, numbers: Sequence[int], now: int, fresh: int | None = None) -> None:
        """These were shown to them, of which so many are `fresh`, if that is known. For within `together`."""
        who = self.number("person", person)
        if fresh is None:
            fresh = self.fresh(person, numbers)
        row = self.maybe("SELECT shown FROM people WHERE person = ?", who)
        before = row[0] if row is not None else 0
        if before + fresh > self._each:
            self.do("DELETE FROM shown WHERE person = ?", who)
            before, fresh = 0, len(numbers)
        self.many("INSERT OR IGNORE INTO shown VALUES (?, ?)", [(who, one) for one in numbers])
        self.kept.change(who + 1)
        self._person(person, now, "shown", before + fresh)

    def was_shown(self, person: str, family: str, document: str) -> bool:
        """Whether it was shown to them."""
        who, one = self.number("person", person), self.number(family, document)
        shown: dict[int, bool] | None = self.kept.get("shown", who + 1)
        if shown is not None and one in shown:
            return shown[one]
        found = self._knows(who, [one]) > 0
        if self.writing:
            shown = shown if shown is not None and len(shown) < FEW else {}
            shown[one] = found
            self.kept.keep("shown", who + 1, shown)
        return found

    def begin(self, session: str, person: str, now: int) -> None:
        """That session is that person's."""
        with self.together():
            number = self.number("session", session)
            self.do("INSERT OR REPLACE INTO sessions VALUES (?, ?, ?)", number, person, now)
            self.kept.change(number)

    def person_of(self, session: str) -> str | None:
        """Whose session it is, where that is known."""
        number = self.number("session", session)
        person: str | None = self.kept.get("session", number)
        if person is None:
            with self.together():  # to remember it
                row = self.maybe("SELECT person FROM sessions WHERE session = ?", number)
                person = "" if row is None else str(row[0])
                self.kept.keep("session", number, person)
        return person or None

    # ---- keeping ----------------------------------------------------------------------------------------------------

    def sweep(self, now: int) -> None:
        """Forget what is over, and what there is too much of, in one part of the file. For whoever counts, now and then."""
        part = now // SECOND % SLICES
        if part == self._swept:
            return
        self._swept = part
        low = -(2**63) + part * (2**64 // SLICES)
        high = low + 2**64 // SLICES - 1
        with self.together():
            for table in ("counted", "served"):
                self.do(f"DELETE FROM {table} WHERE place BETWEEN ? AND ? AND until <= ?", low, high, now)  # noqa: S608  # two names of ours
            self.forget(now)
            self._forget_people(low, high, now)
            sql = (
                "DELETE FROM sessions WHERE session IN (SELECT session FROM sessions WHERE session BETWEEN ? AND ?"
                " ORDER BY used DESC LIMIT -1 OFFSET ?) RETURNING session"
            )
            for row in self.all(sql, low, high, -(-self._most_sessions // SLICES)):
                self.kept.change(row[0])

    @together
    def _forget_people(self, low: int, high: int, now: int) -> None:
        held = 0
        people = self.all(
            "SELECT person, seen, shown FROM people WHERE person BETWEEN ? AND ? ORDER BY seen DESC", low, high
        )
        for rank, (person, seen, size) in enumerate(people):
            held += size
            if held > -(-self._most_shown // SLICES) or rank >= PEOPLE // SLICES or seen <= now - UNUSED:
                self.do("DELETE FROM shown WHERE person = ?", person)
                self.do("DELETE FROM people WHERE person = ?", person)
                self.kept.change(person)
                self.kept.change(person + 1)

    def _knows(self, who: int, numbers: Sequence[int]) -> int:
        known = 0
        for start in range(0, len(numbers), _IN):
            some = numbers[start : start + _IN]
            marks = ", ".join("?" * len(some))
            sql = f"SELECT count(*) FROM shown WHERE person = ? AND one IN ({marks})"  # noqa: S608  # question marks
            known += self.one(sql, who, *some)[0]
        return known

    @together
    def _person(self, person: str, now: int, column: str, value: object) -> None:
        sql = (
            f"INSERT INTO people (person, seen, {column}) VALUES (?, ?, ?)"  # noqa: S608  # names of ours
            f" ON CONFLICT DO UPDATE SET seen = max(seen, excluded.seen), {column} = excluded.{column}"
        )
        who = self.number("person", person)
        self.do(sql, who, now, value)
        self.kept.change(who)
