"""Many accounts doing one thing, each of them little: who is new where, how many of these there are, and whom it holds.

Somebody is *new here* who reads documents on a device and from an address that are not theirs for long (`met`). So is everybody
whose login was stolen, and hardly anybody else in the same hour. Three things are looked at, each with signs of its own:

* `new`: people new here, known before or not, with one kind of device or one manner of writing requests in common that
  hardly anybody uses who is not new. A release changes the device of everybody, and those whose address is known bring it with
  them; a tool that changes its words keeps its manner.
* `newcomers`: people who were known, and are new here, far more than at that hour of the week. The forecast is the median of the
  same hour in eight weeks (until the fourth: of the seven days before), times how much more than usual the others are: on a day
  of news everybody comes.
* `crowd`: the same, and at least twice as many as those who are not new. It holds no one who was never seen before: on a day of
  news, or after a mailing, they are many.

What it holds are people who are new here, and nobody else: 401, until they prove who they are on a route that `proves`, or the
hour is over. Whoever is held is counted, so that it lasts as long as they come; counted is only what the portal itself answered
with a document. For `QUIET` hours after the first request nothing is held: until then everybody is new.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from statistics import median
from typing import Final

from strongroom.clock import DAY, HOUR, SECOND
from strongroom.gateway import met as places_met
from strongroom.gateway.counts import Counts
from strongroom.gateway.measures import Measure, Place, measure
from strongroom.gateway.met import ADDRESS, LONG, Met
from strongroom.gateway.ports import Act, Asked
from strongroom.gateway.rule import CROWDS, LASTS, Rule, Rung, Scope, What

QUIET: Final = 14 * 24
"""Hours after which `new` holds somebody; `newcomers` and `crowd` need a week."""
WEEK: Final = 7 * 24
WEEKS, ENOUGH = 8, 3
"""As far as is looked back, and how many weeks suffice without days."""
TIMES, DEVIATIONS = 3, 6
"""Over the forecast: so many times, and so many deviations."""
TENTH, TWICE = 10, 2
FAMILIAR: Final = 10_000
"""People who are not new; more of one device or manner are not told apart."""
HOLDS: Final = 10 * SECOND
LIMITS: Final = 1_000
"""Limits that are remembered, and for how long."""
_NORMAL: Final = 1.4826
"""A deviation, against the median of the distances from the median."""


@dataclass(frozen=True, slots=True)
class Held:
    """Somebody new here is held: by which rule, and what comes with it."""

    rule: str
    rung: Rung
    measure: Measure | None
    by_hand: bool = False


class Crowd:
    """See the module. For within `Counts.together`."""

    def __init__(
        self, counts: Counts, rules: Iterable[Rule], *, enforce: bool, tell: Callable[[Act], None] | None = None
    ) -> None:
        """Of the rules those that are about crowds. `tell` as for the guard."""
        self._counts, self._enforce, self._tell = counts, enforce, tell
        self._rules = tuple(rule for rule in rules if rule.what in CROWDS)
        self._longest = {
            (rule.scope, rule.what): max(
                other.window for other in self._rules if (other.scope, other.what) == (rule.scope, rule.what)
            )
            for rule in self._rules
        }
        self._stern = tuple(sorted(self._rules, key=lambda rule: -rule.rung))
        self._of_all = tuple(rule for rule in self._stern if rule.what is What.NEW)
        self._tally: dict[int, int] = {}
        self._flushed = 0
        self._limits: dict[tuple[str, Place], tuple[int, int | None]] = {}

    def came(self, asked: Asked, where: Mapping[Scope, Place], met: Met, allowed: frozenset[str]) -> Held | None:
        """Somebody is about to be given a document: count them, or hold them."""
        if asked.who is None:
            return None
        self._counts.watched_since(asked.at)
        marks, hour = self._marks(asked), asked.at // HOUR
        if met.long(marks, hour):
            latest = met.latest()
            if latest != hour:
                self._familiar(asked, where, new_day=latest // 24 != hour // 24)
            if met.last(marks) != hour:
                self._met(asked, met.now(marks, hour, hour))
            return None
        one = self._counts.number("person", asked.who.person)
        again = met.last(marks) == hour
        known = met.knows(hour)
        if not again:
            self._count(asked, where, one, known=known)
        rules = self._stern if known else self._of_all
        held = self._in_force(asked, where, allowed, rules) or self._beyond(asked, where, one, allowed, rules)
        if not again and (held is None or not (self._enforce or held.by_hand)):
            if known:
                self._add(asked, where, "newcomers")
            self._met(asked, met.now(marks, hour, hour))
        return held

    def is_new(self, asked: Asked, met: Met) -> bool:
        """Whether whoever asks was known, and is new here."""
        hour = asked.at // HOUR
        return met.knows(hour) and not met.long(self._marks(asked), hour)

    def was_here(self, asked: Asked, met: Met) -> bool:
        """Whether whoever asks was given a document before on this device or from this address."""
        marks = self._marks(asked)
        return any(mark in marks for mark, _, _ in met.places)

    def proved(self, asked: Asked, met: Met) -> None:
        """Whoever asks proved to the portal who they are: this device and this address are theirs."""
        hour = asked.at // HOUR
        self._met(asked, met.now(self._marks(asked), hour, hour - LONG))

    # ---- counting ---------------------------------------------------------------------------------------------------

    def _marks(self, asked: Asked) -> tuple[str, str]:
        """Of the device and the address. Many have one kind of device: on the very kind of a victim, a thief is at home."""
        device = self._counts.number("device", asked.device, asked.manner)
        network = self._counts.number("network", asked.network)
        return f"d{device & 0xFFFFFFFF:x}", f"{ADDRESS}{network & 0xFFFFFFFF:x}"

    def _met(self, asked: Asked, met: Met) -> None:
        if asked.who is not None:
            self._counts.met_at(asked.who.person, asked.at, places_met.write(met))

    def _familiar(self, asked: Asked, where: Mapping[Scope, Place], *, new_day: bool) -> None:
        """Somebody who is not new reads, for the first time in this hour."""
        self._add(asked, where, "familiar")
        if new_day and asked.who is not None:
            one = self._counts.number("person", asked.who.person)
            for scope in (Scope.DEVICE, Scope.MANNER):
                self._counts.count(self._number(where[scope], "familiar"), one, asked.at + 7 * DAY)

    def _add(self, asked: Asked, where: Mapping[Scope, Place], kind: str) -> None:
        """One more in this hour, in the whole module and on this route; written now and then."""
        for scope in (Scope.MODULE, Scope.ROUTE):
            number = self._number(where[scope], kind)
            self._tally[number] = self._tally.get(number, 0) + 1
        if self._flushed // HOUR != asked.at // HOUR or asked.at - self._flushed >= SECOND:
            self._flush(asked.at)

    def _flush(self, now: int) -> None:
        """What was added, into the file. What a killed worker had not written is a second's, and makes nobody new."""
        for number, count in self._tally.items():
            self._counts.serve(number, now // HOUR, count, now + (WEEKS + 1) * 7 * DAY)
        self._tally.clear()
        self._flushed = now

    def _count(self, asked: Asked, where: Mapping[Scope, Place], one: int, *, known: bool) -> None:
        for (scope, what), window in self._longest.items():
            if known or what is What.NEW:
                self._counts.count(self._number(where[scope], what.value), one, asked.at + window)
        for scope in (Scope.DEVICE, Scope.MANNER) if known else ():
            self._counts.count(self._number(where[scope], "known"), one, asked.at + HOUR)

    def _number(self, where: Place, kind: str) -> int:
        return self._counts.number("crowd", where[0].value, where[1], kind)

    # ---- judging ----------------------------------------------------------------------------------------------------

    def _in_force(
        self, asked: Asked, where: Mapping[Scope, Place], allowed: frozenset[str], rules: Iterable[Rule]
    ) -> Held | None:
        names = {rule.name for rule in rules}
        for one in self._counts.measures(list(where.values()), asked.at):
            binds = one.by_hand or (one.rule in names - allowed and (one.enforced or not self._enforce))
            if one.rung is Rung.NEWCOMERS and binds:
                self._lasts(one, asked)
                return Held(one.rule, one.rung, None, one.by_hand)
        return None

    def _lasts(self, held: Measure, asked: Asked) -> None:
        """As long as they come it does not end, not for a moment in which others would be the crowd."""
        now = asked.at
        rule = next((rule for rule in self._rules if rule.name == held.rule), None)
        if rule is None or held.by_hand or held.until - now > LASTS[Rung.NEWCOMERS] // 2:
            return
        if self._too_many(rule, held.where, 0, now):
            self._counts.replace(replace(held, until=now + LASTS[Rung.NEWCOMERS]))

    def _beyond(
        self, asked: Asked, where: Mapping[Scope, Place], one: int, allowed: frozenset[str], rules: Iterable[Rule]
    ) -> Held | None:
        """The first rule that there are too many for with this one."""
        now = asked.at
        if now // HOUR - self._counts.watched_since(now) <= WEEK:
            return None  # no rule has a limit yet (`_limit`)
        for rule in rules:
            place = where[rule.scope]
            if rule.name in allowed or not self._too_many(rule, place, one, now):
                continue
            if rule.what is not What.NEW and {where[Scope.DEVICE], where[Scope.MANNER]} & self._counts.undone(now):
                continue  # somebody knows that device, or that manner
            if rule.rung is Rung.NOTE:
                self._counts.report(f"guard-{rule.name}", place[1] or place[0].value, now, enforced=False)
                self._acted(asked, rule, place)
            elif not self._counts.is_undone(place, rule.name, now):
                self._acted(asked, rule, place)
                new = measure(place, rule, place, now, now + LASTS[rule.rung], person="", enforced=self._enforce)
                return Held(rule.name, rule.rung, new)
        return None

    def _acted(self, asked: Asked, rule: Rule, where: Place) -> None:
        if self._tell is not None:
            self._tell(Act(asked, rule, where, self._enforce and rule.rung is not Rung.NOTE))

    def _too_many(self, rule: Rule, place: Place, one: int, now: int) -> bool:
        """Whether with `one` there are more than the rule allows."""
        since = now - rule.window + self._longest[rule.scope, rule.what]
        number = self._number(place, rule.what.value)
        if self._counts.others(number, one, since, rule.limit) < rule.limit:
            return False  # which is nearly always
        limit = self._limit_now(rule, place, now)
        if limit is not None and rule.what is not What.NEW:
            limit += self._told_apart(now)
        return limit is not None and self._counts.others(number, one, since, limit) >= limit

    def _limit_now(self, rule: Rule, place: Place, now: int) -> int | None:
        """As `_limit` said it some seconds ago: what it looks at changes slowly, and there may be much of it."""
        at, limit = self._limits.get((rule.name, place), (now - HOLDS, None))
        if not now - HOLDS < at <= now:
            if len(self._limits) >= LIMITS:
                self._limits.clear()
            limit = self._limit(rule, place, now)
            self._limits[rule.name, place] = now, limit
        return limit

    def _told_apart(self, now: int) -> int:
        """How many who were known have in common what is held, or what somebody took back: they make nobody else a crowd."""
        found = {Scope.DEVICE: 0, Scope.MANNER: 0}
        held = {one.where for one in self._counts.in_force(now) if one.rung is Rung.NEWCOMERS}
        for where in held | self._counts.undone(now):
            if where[0] in found:
                found[where[0]] += self._counts.others(self._number(where, "known"), 0, now, FAMILIAR)
        return max(found.values())

    def _limit(self, rule: Rule, place: Place, now: int) -> int | None:
        """How many there may be at this hour; None: nothing can be said yet."""
        hour, began = now // HOUR, self._counts.watched_since(now)
        if rule.what is What.NEW:
            if hour - began < QUIET:
                return None
            known = self._counts.others(self._number(place, "familiar"), 0, now, FAMILIAR)
            return max(rule.limit, TENTH * known)
        self._flush(now)
        newcomers, familiar = self._hours(place, "newcomers", hour), self._hours(place, "familiar", hour)
        weeks = [hour - WEEK * back for back in range(1, WEEKS + 1) if hour - WEEK * back > began]
        past = weeks if len(weeks) >= ENOUGH else [hour - 24 * back for back in range(1, 8)] if weeks else []
        if not past:
            return None
        limit = max(rule.limit, _forecast(newcomers, familiar, past, hour))
        if rule.what is What.CROWD:
            limit = max(limit, TWICE * (familiar.get(hour, 0) + familiar.get(hour - 1, 0)))
        return limit

    def _hours(self, place: Place, kind: str, hour: int) -> dict[int, int]:
        return self._counts.by_hour(self._number(place, kind), hour - WEEK * WEEKS - 1)


def _forecast(newcomers: Mapping[int, int], familiar: Mapping[int, int], past: list[int], hour: int) -> int:
    """More new people in this hour than this are too many."""
    usual, others = median(newcomers.get(at, 0) for at in past), median(familiar.get(at, 0) for at in past)
    here = max(familiar.get(hour, 0), familiar.get(hour - 1, 0))
    expected = usual * max(1.0, here / max(1.0, others))
    spread = max(math.sqrt(expected), _NORMAL * median(abs(newcomers.get(at, 0) - usual) for at in past))
    return math.ceil(max(TIMES * expected, expected + DEVIATIONS * spread))
