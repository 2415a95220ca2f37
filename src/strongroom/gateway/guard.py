"""The guard: counts what leaves, knows what was shown, and steps upon the ladder. Time comes with the requests.

    before(asked)                  -> Verdict      refused by what is known (or, while it simulates, would be); counts nothing
    answered(asked, status, size)  -> Verdict      counts what the portal gave, before a byte of it goes out; or refuses it
    served(asked, size)                            counts bytes that no answer had announced
    showed(asked, ids, patients)   -> Verdict      the portal shows these to whoever asked: counts them, or refuses the list

In order, for a request for a document: measures that are in force; decoys; then each rule. `answered` looks again and counts in one
transaction: of many that are asked for at once, by however many workers, no more go out than the limits allow; and whoever is
killed, nothing went out that was not counted.

What is counted and what is in force is kept in `sqlite`. Fails closed: what it raises ends the request (`proxy`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final

from strongroom.clock import HOUR, MINUTE
from strongroom.gateway import numbers
from strongroom.gateway.counts import Counts, Known
from strongroom.gateway.crowd import Crowd
from strongroom.gateway.ladder import refusal
from strongroom.gateway.lists import Lists
from strongroom.gateway.measures import ANY, Measure, Place, measure
from strongroom.gateway.ports import Act, Asked, Verdict
from strongroom.gateway.reading import Shown
from strongroom.gateway.refusal import Refusal
from strongroom.gateway.rule import AFTER, DEFAULTS, LASTS, MISSING, Rule, Rung, Scope, What

BLIND: Final = 60 * MINUTE
"""For so long nothing counts as unshown to somebody, after an answer that showed them what could not be read."""
NUMBERS: Final = 20_000
"""Names of counts that are remembered: some 5 MiB."""
ADDRESSES: Final = 8
"""From so many somebody may be given documents in a day: home, work, and a telephone that travels."""
_GIVEN: Final = range(200, 400)
_MISSED, _DENIED = frozenset({404, 410}), frozenset({401, 403})
PATIENT: Final = "patient"
"""The family of patients' ids."""
DECOY: Final = Rule(
    Scope.SESSION, What.UNSHOWN, 24 * 60 * MINUTE, 0, Rung.SESSION, "No answer ever showed it to anybody.", "decoy"
)

UNREAD: Final = Rule(
    Scope.PERSON,
    What.SHOWN,
    24 * 60 * MINUTE,
    0,
    Rung.STEP_UP,
    "A list that cannot be read may show everybody's.",
    "list-unread",
)


@dataclass(frozen=True, slots=True)
class _Seen:
    """A request for a document, in what is known of it."""

    asked: Asked
    places: dict[Scope, Place]
    """Where it counts."""
    strange: bool
    """Whether the portal showed it to nobody like this."""
    ids: dict[What, int]
    """What it would add, as far as that is known before the portal is asked."""
    allowed: frozenset[str]
    """Rules that are not about it."""
    known: Known
    """What is remembered of whoever asks."""

    def about(self, rule: str) -> bool:
        """Whether that rule is about it."""
        return not self.allowed or self.allowed.isdisjoint({rule, ANY})


@dataclass(frozen=True, slots=True)
class _Found:
    """A refusal, and what comes with it."""

    verdict: Verdict
    measure: Measure | None = None
    passed: tuple[Place, Rule] | None = None
    """Whose count went beyond which rule; None for what is in force already."""
    told_no: bool = True
    """Whether it counts as a refusal: not where something is in force anyway, that may have been put there by hand."""


class Watchful:
    """See the module. `listed`: families whose documents some answer shows; elsewhere nothing counts as unshown."""

    def __init__(
        self, counts: Counts, *, enforce: bool, rules: Iterable[Rule] = DEFAULTS, listed: Iterable[str] = (),
        decoys: Iterable[str] = (), exempt: Iterable[str] = (), tell: Callable[[Act], None] | None = None,
    ) -> None:  # fmt: skip
        """`decoys`: ids. `exempt`: names of networks that no rule is about. `tell` hears of acts, while they are counted: it may
        neither wait nor raise.
        """
        self.counts, self._enforce, self._tell = counts, enforce, tell
        self._rules = tuple(rules)
        self._lists = Lists(counts, self._rules)
        self._crowd = Crowd(counts, self._rules, enforce=enforce, tell=tell)
        self._listed, self._decoys, self._exempt = frozenset(listed), frozenset(decoys), frozenset(exempt)
        self._longest = {
            (rule.scope, rule.what): max(
                other.window for other in self._rules if (other.scope, other.what) == (rule.scope, rule.what)
            )
            for rule in self._rules
        }

        self._stern = tuple(sorted(self._rules, key=lambda rule: -rule.rung))
        self._charging: dict[tuple[What, ...], tuple[Rule, ...]] = {}
        self._tallying: dict[tuple[What, ...], tuple[Rule, ...]] = {}
        self._numbers: dict[tuple[Place, What], int] = {}

    def together(self) -> AbstractContextManager[None]:
        """See `ports.Guard`."""
        return self.counts.together()

    def before(self, asked: Asked) -> Verdict | None:
        """See `ports.Guard`."""
        if not asked.document and not asked.lists:
            return None
        self.counts.sweep(asked.at)
        with self.counts.looking():
            seen = self._seen(asked)
            found = self._found(seen)
        if found is None:
            return None
        with self.counts.together():
            self._refused(seen, found)
        return found.verdict

    def answered(self, asked: Asked, status: int, size: int, before: Verdict | None = None) -> Verdict | None:
        """See `ports.Guard`."""
        if not asked.document:
            return None
        with self.counts.together():
            seen = self._seen(asked)
            given = status in _GIVEN
            found = self._found(seen) or self._new_here(seen) if given and before is None else None
            if found is not None:
                self._refused(seen, found)
                if found.verdict.enforced:
                    return found.verdict
            self._count(seen, status)
            self._walked(seen)
            if given and size:
                self._serve(asked, seen.places, size)
        return None if found is None else found.verdict

    def served(self, asked: Asked, size: int) -> None:
        """See `ports.Guard`."""
        if asked.document and size:
            with self.counts.together():
                self._serve(asked, asked.places(), size)

    def showed(self, asked: Asked, shown: Shown | None, patients: frozenset[str] = frozenset()) -> Verdict | None:
        """See `ports.Guard`."""
        person = asked.who.person if asked.who else ""
        if not person:
            return None
        if shown is None:
            return self._showed_unread(asked, person)
        if not asked.lists:
            self.counts.showed(person, shown, asked.at)
            return None
        named = patients | {asked.patient} if asked.patient and shown else patients
        documents, people = self.counts.ids(shown), self.counts.ids((PATIENT, one) for one in named)
        if self.counts.knows(person, documents + people, asked.at):
            return None  # which is nearly always
        with self.counts.together():
            seen = self._seen(asked)
            met, hour = seen.known.met, asked.at // HOUR
            strange = self._crowd.is_new(asked, met)
            new = self._lists.new(person, documents, people, strange=strange, since=hour - met.since())
            found = self._found(seen) or self._shown_too_much(seen, new)
            if found is not None:
                self._refused(seen, found)
                if found.verdict.enforced:
                    return found.verdict
            self._lists.showed(person, new, documents + people, asked.at)
        return None if found is None else found.verdict

    def _showed_unread(self, asked: Asked, person: str) -> Verdict | None:
        """Nobody can count what it shows."""
        with self.counts.together():
            seen = self._seen(asked)
            found = self._in_force(seen)
            if found is None and seen.about(UNREAD.name):
                unread = Refusal(
                    403, "guard-list-unread", "This list cannot be looked at as a whole. Ask for less at once."
                )
                verdict = Verdict(unread, enforced=self._enforce)
                found = _Found(verdict, None, (seen.places[Scope.PERSON], UNREAD), told_no=False)
            if found is not None:
                self._refused(seen, found)
                if found.verdict.enforced:
                    return found.verdict
            self.counts.blinded(person, asked.at, asked.at + BLIND)
        return None if found is None else found.verdict

    def proved(self, asked: Asked) -> None:
        """See `ports.Guard`."""
        if asked.who is not None:
            with self.counts.together():
                self._crowd.proved(asked, self.counts.known(asked.who.person).met)

    # ---- what is known of a request --------------------------------------------------------------------------------

    def _seen(self, asked: Asked) -> _Seen:
        person = asked.who.person if asked.who else ""
        known = self.counts.known(person) if person else Known()
        listed = asked.family in self._listed
        strange = listed and not (
            person and (known.blind > asked.at or self.counts.was_shown(person, asked.family, asked.document))
        )
        places = asked.places()
        allowed = self.counts.allowed(list(places.values()), asked.at)
        if not asked.document:
            return _Seen(asked, places, ids={}, strange=False, allowed=allowed, known=known)
        one = self.counts.number(asked.family, asked.document)
        ids = {What.DOCUMENTS: one}
        if asked.patient:
            ids[What.PATIENTS] = self.counts.number(PATIENT, asked.patient)
        if strange:
            ids[What.UNSHOWN] = one
        walks = numbers.near(asked.document, known.walk)
        if strange and walks:
            ids[What.STEPS] = one
        if person and not listed:
            ids |= dict.fromkeys(self._unlisted(asked, known, walks=walks), one)
        return _Seen(asked, places, strange, ids, allowed, known)

    def _unlisted(self, asked: Asked, known: Known, *, walks: bool) -> Iterator[What]:
        """What it may add where no answer shows whose it is; of what only the answer tells, whether it is looked at."""
        yield What.LOST
        if walks:
            yield from (What.RUNS, What.ROAMING, What.HOLES)
            if self._crowd.is_new(asked, known.met):
                yield What.AWAY

    def _charged(self, seen: _Seen) -> Iterator[tuple[Place, Rule]]:
        """Where it would count, and by which rule that refuses, the sternest first."""
        whats = (*seen.ids, What.BYTES) if seen.asked.document else tuple(seen.ids)
        rules = self._charging.get(whats)
        if rules is None:
            rules = tuple(rule for rule in self._stern if rule.what in whats and rule.rung is not Rung.NOTE)
            self._charging[whats] = rules
        for rule in rules:
            where = seen.places.get(rule.scope)
            if where is None or not seen.about(rule.name) or self._exempted(where):
                continue
            if rule.what is not What.ROAMING or seen.known.met.addresses(seen.asked.at // HOUR) > ADDRESSES:
                yield where, rule

    def _exempted(self, where: Place) -> bool:
        return where[0] is Scope.NETWORK and where[1] in self._exempt

    # ---- the ladder -------------------------------------------------------------------------------------------------

    def _found(self, seen: _Seen) -> _Found | None:
        return self._in_force(seen) or self._decoy(seen) or self._spent(seen)

    def _in_force(self, seen: _Seen) -> _Found | None:
        asked = seen.asked
        for one in self.counts.measures(list(seen.places.values()), asked.at):
            if (one.unshown_only and not seen.strange) or not (one.by_hand or seen.about(one.rule)):
                continue
            if one.rung is Rung.NEWCOMERS:  # of these it is asked when the portal has answered
                continue
            if not asked.document and one.rung not in {Rung.SESSION, Rung.ACCOUNT}:
                continue
            if one.by_hand or not self._enforce or one.enforced:
                verdict = Verdict(refusal(one.rung, one.rule), enforced=self._enforce or one.by_hand)
                return _Found(verdict, told_no=False)
        return None

    def _new_here(self, seen: _Seen) -> _Found | None:
        """Many new people at once, of whom this is one."""
        if ANY in seen.allowed:
            return None
        held = self._crowd.came(seen.asked, seen.places, seen.known.met, seen.allowed)
        if held is None:
            return None
        verdict = Verdict(refusal(held.rung, held.rule), enforced=self._enforce or held.by_hand)
        return _Found(verdict, held.measure, told_no=False)

    def _decoy(self, seen: _Seen) -> _Found | None:
        if seen.asked.document not in self._decoys or not seen.about(DECOY.name):
            return None
        ended = Refusal(401, "guard-decoy", "This session has been ended. Sign in again.", hard=True)
        where = seen.places.get(Scope.SESSION)
        return _Found(
            Verdict(ended, enforced=self._enforce), None if where is None else self._measure(seen, where, DECOY),
            (where or seen.places[Scope.NETWORK], DECOY),
        )  # fmt: skip

    def _spent(self, seen: _Seen) -> _Found | None:
        """The first rule that this request would pass, the sternest first."""
        for where, rule in self._charged(seen):
            if self._beyond(seen, where, rule):
                if self.counts.is_undone(where, rule.name, seen.asked.at):
                    continue
                verdict = Verdict(refusal(rule.rung, rule.name), enforced=self._enforce)
                return _Found(verdict, self._measure(seen, where, rule), (where, rule))
        return None

    def _beyond(self, seen: _Seen, where: Place, rule: Rule) -> bool:
        """Whether its limit is passed with this request."""
        number, now = self._number(where, rule.what), seen.asked.at
        if rule.what is What.BYTES:
            return self.counts.bytes(number, (now - rule.window) // HOUR) >= rule.limit
        since = now - rule.window + self._longest[rule.scope, rule.what]
        one = seen.ids.get(rule.what, seen.ids.get(What.DOCUMENTS, 0))
        return self.counts.others(number, one, since, rule.limit) >= rule.limit

    def _shown_too_much(self, seen: _Seen, new: Mapping[What, int]) -> _Found | None:
        """Whether this list would pass a rule, which shows so much that is new."""
        if ANY in seen.allowed:
            return None
        asked, where = seen.asked, seen.places[Scope.PERSON]
        for rule in self._lists.beyond(where[1], new, asked.at, seen.allowed):
            if rule.rung is not Rung.NOTE:
                verdict = Verdict(refusal(rule.rung, rule.name), enforced=self._enforce)
                return _Found(verdict, self._measure(seen, where, rule), (where, rule))
            self.counts.report(f"guard-{rule.name}", where[1], asked.at, enforced=False)
            self._acted(asked, rule, where)
        return None

    def _count(self, seen: _Seen, status: int) -> None:
        """Count it; what is known only afterwards, and what is only noted, steps upon the ladder here."""
        if status in _GIVEN:
            ids = {what: one for what, one in seen.ids.items() if what not in AFTER} | {What.BYTES: 0}
        elif status in _MISSED:
            ids = {What.MISSES: seen.ids[What.DOCUMENTS]}
            if self._crowd.was_here(seen.asked, seen.known.met):  # which a made-up token was not
                ids |= {what: one for what, one in seen.ids.items() if what in MISSING}
        else:
            ids = {What.DENIALS: seen.ids[What.DOCUMENTS]} if status in _DENIED else {}
        self._tally(seen, ids)

    def _tally(self, seen: _Seen, ids: Mapping[What, int]) -> None:
        asked, counted = seen.asked, dict[tuple[Scope, What], Place]()
        whats = tuple(ids)
        rules = self._tallying.get(whats)
        if rules is None:
            rules = self._tallying[whats] = tuple(rule for rule in self._rules if rule.what in ids)
        for rule in rules:
            where = seen.places.get(rule.scope)
            if where is None or self._exempted(where) or not seen.about(rule.name):
                continue
            if rule.rung is Rung.NOTE:
                if self._beyond(seen, where, rule):
                    self.counts.report(f"guard-{rule.name}", _who(asked), asked.at, enforced=False)
                    self._acted(asked, rule, where)
            elif rule.what in AFTER and self._beyond(seen, where, rule):
                self._put(self._measure(seen, where, rule), asked.at)
                self._acted(asked, rule, where)
            counted[rule.scope, rule.what] = where
        for (scope, what), where in counted.items():  # once, however many rules look at it
            if what is not What.BYTES:
                self.counts.count(self._number(where, what), ids[what], asked.at + self._longest[scope, what])

    def _serve(self, asked: Asked, places: Mapping[Scope, Place], size: int) -> None:
        for (scope, what), window in self._longest.items():
            where = places.get(scope) if what is What.BYTES else None
            if where is not None and not self._exempted(where):
                self.counts.serve(self._number(where, what), asked.at // HOUR, size, asked.at + window + HOUR)

    def _refused(self, seen: _Seen, found: _Found) -> None:
        asked = seen.asked
        self.counts.report(found.verdict.refusal.rule, _who(asked), asked.at, enforced=found.verdict.enforced)
        self._put(found.measure, asked.at)
        if found.passed is not None:
            self._acted(asked, found.passed[1], found.passed[0])
        if found.told_no and asked.document:
            self._tally(seen, {What.REFUSALS: seen.ids[What.DOCUMENTS]})
        if found.verdict.enforced:
            self._walked(seen)

    def _acted(self, asked: Asked, rule: Rule, where: Place) -> None:
        if self._tell is not None:
            self._tell(Act(asked, rule, where, self._enforce and rule.rung is not Rung.NOTE))

    def _put(self, new: Measure | None, now: int) -> None:
        if new is not None:
            self.counts.put(new, now)

    def _measure(self, seen: _Seen, counted: Place, rule: Rule) -> Measure | None:
        lasts, where = LASTS.get(rule.rung), counted
        if lasts is None:
            return None
        if rule.rung is Rung.SESSION:
            where = seen.places.get(Scope.SESSION, counted)
        elif rule.rung is Rung.ROUTE:
            where = Scope.ROUTE, seen.asked.route
        now = seen.asked.at
        who = seen.asked.who
        person = who.person if who is not None and where[0] is Scope.SESSION else ""
        return measure(where, rule, counted, now, now + lasts, person=person, enforced=self._enforce)

    # ---- keeping ----------------------------------------------------------------------------------------------------

    def _walked(self, seen: _Seen) -> None:
        """Refused or not: whoever goes on walking in another session goes on from there."""
        walk = numbers.onward(seen.known.walk, seen.asked.document)
        if seen.asked.who is not None and walk is not seen.known.walk:
            self.counts.walked(seen.asked.who.person, seen.asked.at, walk)

    def _number(self, where: Place, what: What) -> int:
        number = self._numbers.get((where, what))
        if number is None:
            if len(self._numbers) >= NUMBERS:
                self._numbers.clear()
            number = self._numbers[where, what] = self.counts.number("place", where[0].value, where[1], what.value)
        return number


def _who(asked: Asked) -> str:
    return asked.who.person if asked.who else asked.network
