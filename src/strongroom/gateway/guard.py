"""The guard: counts what leaves, knows what was shown, and steps upon the ladder. Pure; time comes with the requests.

    before(asked)            -> Verdict | None     refused (or, while it simulates, would be)
    after(asked, outcome)                          counts what the portal really gave
    showed(asked, ids)                             the portal showed these to whoever asked

In order, for a request for a document: measures that are in force; decoys; then each rule, with what is under way. A limit that is
passed by what was counted puts its measure in force; one that is passed only by what is under way refuses this request alone, since
nobody has yet said that any of it is what it claims to be.

Not thread-safe: one loop, one guard. Fails closed: what it raises ends the request (`proxy`).
"""

import hashlib
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, TypeVar

from strongroom.clock import MINUTE
from strongroom.gateway.measures import Measure, Measures, Place
from strongroom.gateway.ports import Asked, Outcome, Verdict
from strongroom.gateway.reading import Shown
from strongroom.gateway.refusal import Refusal
from strongroom.gateway.rule import BEFORE, DEFAULTS, LASTS, OWN, Rule, Rung, Scope, What
from strongroom.gateway.shown import ShownTo
from strongroom.gateway.tally import Tally

T = TypeVar("T")

NEAR: Final = 3
"""Numbers that lie so close are neighbours: walks leave out some."""
LATELY: Final = 8
"""Numbers of one person that are remembered: whoever walks two ways by turns walks."""
BLIND: Final = 60 * MINUTE
"""For so long nothing counts as unshown to somebody, after an answer that showed them what could not be read."""
_PEOPLE: Final = 400_000
"""Whose last numbers, or blindness, are remembered."""
_SWEEP: Final = 10 * MINUTE
_GIVEN: Final = range(200, 400)
_MISSED, _DENIED = frozenset({404, 410}), frozenset({401, 403})
DECOY: Final = Rule(
    Scope.SESSION, What.UNSHOWN, 24 * 60 * MINUTE, 0, Rung.SESSION, "No answer ever showed it to anybody."
)
_CHALLENGE: Final = ((b"www-authenticate", b'StepUp realm="documents"'),)


@dataclass(slots=True)
class Report:
    """What rules did, or would have done: requests and people, by rule."""

    requests: Counter[str] = field(default_factory=Counter)
    people: dict[str, set[str]] = field(default_factory=dict)
    first: dict[str, int] = field(default_factory=dict)

    def note(self, rule: str, who: str, now: int) -> None:
        """Once more."""
        self.requests[rule] += 1
        self.first.setdefault(rule, now)
        people = self.people.setdefault(rule, set())
        if len(people) < _PEOPLE:
            people.add(who)


class Watchful:
    """See the module. `listed`: families whose documents some answer shows; elsewhere nothing counts as unshown."""

    def __init__(
        self, key: bytes, *, enforce: bool, rules: Iterable[Rule] = DEFAULTS, listed: Iterable[str] = (),
        decoys: Iterable[str] = (), exempt: Iterable[str] = (),
    ) -> None:  # fmt: skip
        """`key`: 32 random bytes. `decoys`: ids. `exempt`: names of networks that no rule is about."""
        self._key, self._enforce = key, enforce
        self._rules = tuple(rules)
        self._listed, self._decoys, self._exempt = frozenset(listed), frozenset(decoys), frozenset(exempt)
        self._shown, self._tally = ShownTo(key), Tally()
        self._asked: OrderedDict[str, tuple[int, ...]] = OrderedDict()
        self._blind: OrderedDict[str, int] = OrderedDict()
        self._begun: dict[str, list[tuple[Place, Rule, str]]] = {}
        self._swept = 0
        self.measures = Measures()
        self.report = Report()

    def before(self, asked: Asked) -> Verdict | None:
        """See `ports.Guard`."""
        self._sweep(asked.at)
        if not asked.document:
            return None
        strange = self._strange(asked)
        refusal = self._in_force(asked, strange) or self._decoy(asked) or self._spent(asked, strange)
        if refusal is not None:
            self.report.note(refusal.rule, asked.who.person if asked.who else asked.network, asked.at)
            if self._enforce:
                self._walked(asked)
                return Verdict(refusal, enforced=True)
        self._begin(asked, strange)
        self._walked(asked)
        return None if refusal is None else Verdict(refusal, enforced=False)

    def after(self, asked: Asked, outcome: Outcome) -> None:
        """See `ports.Guard`."""
        begun = self._begun.pop(asked.request, [])
        for where, rule, one in begun:
            self._tally.settle(where, rule, one)
        if outcome.status in _GIVEN:
            for where, rule, one in begun:
                self._counted(asked, where, rule, one)
        elif asked.document:
            what = What.MISSES if outcome.status in _MISSED else What.DENIALS if outcome.status in _DENIED else None
            for rule in self._rules:
                place = _place(rule.scope, asked)
                if rule.what is what and place is not None and not self._exempted(place):
                    self._counted(asked, place, rule, self._name(asked.family, asked.document))

    def showed(self, asked: Asked, shown: Shown | None) -> None:
        """See `ports.Guard`."""
        person = asked.who.person if asked.who else ""
        if not person:
            return
        if shown is None:
            _remember(self._blind, person, asked.at + BLIND)
        else:
            self._shown.add(person, shown)

    # ---- what is known of a request --------------------------------------------------------------------------------

    def _strange(self, asked: Asked) -> bool:
        """Whether the portal showed it to nobody like this."""
        if asked.family not in self._listed:
            return False
        person = asked.who.person if asked.who else ""
        if not person:
            return True
        return self._blind.get(person, 0) <= asked.at and not self._shown.knows(person, asked.family, asked.document)

    def _ids(self, asked: Asked, strange: bool) -> Iterator[tuple[What, str]]:  # noqa: FBT001  # private, and never a literal
        """What a request would add, of what is known before it is asked."""
        yield What.DOCUMENTS, self._name(asked.family, asked.document)
        if asked.patient:
            yield What.PATIENTS, self._name("patient", asked.patient)
        if strange:
            yield What.UNSHOWN, self._name(asked.family, asked.document)
        if (strange or asked.family not in self._listed) and self._steps(asked):
            yield What.STEPS, self._name(asked.family, asked.document)

    def _steps(self, asked: Asked) -> bool:
        """Whether its number is close to one that this person asked for lately."""
        if asked.who is None or not asked.document.isdecimal():
            return False
        number = int(asked.document)
        return any(0 < abs(number - other) <= NEAR for other in self._asked.get(asked.who.person, ()))

    def _walked(self, asked: Asked) -> None:
        """Refused or not: whoever goes on walking in another session goes on from there."""
        if asked.who is not None and asked.document.isdecimal():
            lately = self._asked.get(asked.who.person, ())
            _remember(self._asked, asked.who.person, (*lately[1 - LATELY :], int(asked.document)))

    def _charged(self, asked: Asked, strange: bool) -> Iterator[tuple[Place, Rule, str]]:  # noqa: FBT001  # as above
        ids = dict(self._ids(asked, strange))
        for rule in self._rules:
            where = _place(rule.scope, asked)
            if rule.what in BEFORE and rule.what in ids and where is not None and not self._exempted(where):
                yield where, rule, ids[rule.what]

    def _exempted(self, where: Place) -> bool:
        return where[0] is Scope.NETWORK and where[1] in self._exempt

    # ---- the ladder -------------------------------------------------------------------------------------------------

    def _in_force(self, asked: Asked, strange: bool) -> Refusal | None:  # noqa: FBT001  # as above
        places = [place for scope in Scope if (place := _place(scope, asked)) is not None]
        for where in [*places, (Scope.MODULE, asked.route)]:
            measure = self.measures.at(where, asked.at)
            if measure is not None and (strange or not measure.unshown_only):
                return _refusal(measure.rule)
        return None

    def _decoy(self, asked: Asked) -> Refusal | None:
        if asked.document not in self._decoys:
            return None
        where = _place(Scope.SESSION, asked)
        if where is not None:
            self.measures.put(Measure(where, DECOY, asked.at, asked.at + LASTS[DECOY.rung]), asked.at)
        return Refusal(401, "guard-decoy", "This session has been ended. Sign in again.", hard=True)

    def _spent(self, asked: Asked, strange: bool) -> Refusal | None:  # noqa: FBT001  # as above
        """The first rule that this request would pass, the sternest first."""
        for where, rule, one in sorted(self._charged(asked, strange), key=lambda charged: -charged[1].rung):
            if rule.rung is Rung.NOTE or self._tally.with_this(where, rule, one, asked.at) <= rule.limit:
                continue
            if self.measures.is_undone(where, rule, asked.at):
                continue
            if self._tally.count(where, rule, asked.at) < rule.limit:
                return Refusal(
                    429, "guard-busy", "Too much is under way. Try again in a moment.", extra=((b"retry-after", b"2"),)
                )
            self._step(asked, where, rule)
            return _refusal(rule)
        return None

    def _counted(self, asked: Asked, where: Place, rule: Rule, one: str) -> None:
        """Count it; what is known only afterwards, and what is only noted, steps upon the ladder here."""
        count = self._tally.add(where, rule, one, asked.at)
        if count <= rule.limit:
            return
        if rule.rung is Rung.NOTE:
            self.report.note(f"guard-{rule.name}", asked.who.person if asked.who else asked.network, asked.at)
        elif rule.what not in BEFORE:
            self._step(asked, where, rule)

    def _step(self, asked: Asked, where: Place, rule: Rule) -> None:
        lasts = LASTS.get(rule.rung)
        if rule.rung is Rung.SESSION:
            session = _place(Scope.SESSION, asked)
            where = where if session is None else session
        elif rule.rung is Rung.ROUTE:
            where = Scope.MODULE, asked.route
        if lasts is not None:
            self.measures.put(Measure(where, rule, asked.at, asked.at + lasts), asked.at)

    # ---- keeping ----------------------------------------------------------------------------------------------------

    def _begin(self, asked: Asked, strange: bool) -> None:  # noqa: FBT001  # as above
        begun = list(self._charged(asked, strange))
        for where, rule, one in begun:
            self._tally.begin(where, rule, one)
        self._begun[asked.request] = begun

    def _sweep(self, now: int) -> None:
        if now - self._swept > _SWEEP:
            self._swept = now
            self._tally.sweep(now)
            self.measures.sweep(now)

    def _name(self, family: str, one: str) -> str:
        return hashlib.blake2b(f"{family}\0{one}".encode(), digest_size=8, key=self._key).hexdigest()


def _place(scope: Scope, asked: Asked) -> Place | None:
    """Where a request counts in this scope; None where it has no such thing."""
    if scope in OWN:
        if asked.who is None:
            return None
        return scope, asked.who.person if scope is Scope.PERSON else asked.who.session
    if scope is Scope.MODULE:
        return scope, ""
    return scope, asked.device if scope is Scope.DEVICE else asked.network


def _refusal(rule: Rule) -> Refusal:
    name = f"guard-{rule.name}" if rule is not DECOY else "guard-decoy"
    match rule.rung:
        case Rung.SLOW:
            return Refusal(429, name, "Too much at once. Try again in some seconds.", extra=((b"retry-after", b"10"),))
        case Rung.STEP_UP:
            return Refusal(401, name, "Sign in again to open what no page has shown you.", extra=_CHALLENGE)
        case Rung.SESSION:
            return Refusal(401, name, "This session has been ended. Sign in again.")
        case Rung.ACCOUNT:
            return Refusal(
                403, name, "Documents cannot be opened with this account for now. Ask the portal's help desk."
            )
        case _:
            return Refusal(403, name, "For now only documents that a page of yours shows can be opened.")


def _remember(where: OrderedDict[str, T], person: str, what: T) -> None:
    where[person] = what
    where.move_to_end(person)
    if len(where) > _PEOPLE:
        where.popitem(last=False)
