"""The ledger by definition: keeps every charge for ever and recounts it for every question. Slow, short, obvious."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from strongroom.budget.rules import Rule, Rules, Scope
from strongroom.budget.scope import Disclosure, Kind
from strongroom.budget.window import Dimension
from strongroom.clock import HOUR, MINUTE

Verdict = tuple[int, frozenset[str], frozenset[str]]
"""Documents; names of the rules that stand against it; names of the rules that raise an alarm."""


@dataclass(frozen=True)
class Past:
    """One charge."""

    t: int
    what: Disclosure
    documents: int


@dataclass
class NaiveLedger:
    """See the module."""

    rules: Rules
    past: list[Past] = field(default_factory=list)

    def charge(self, what: Disclosure, declared: int | None) -> Verdict:
        """Charge it unless a rule stands against it."""
        documents = self.documents(what, what.at)
        breaches, alarms = self.judge(what, what.at, declared)
        if not breaches:
            self.past.append(Past(what.at, what, documents))
        return documents, breaches, alarms

    def judge(
        self, what: Disclosure, now: int, declared: int | None, learned_at: int | None = None
    ) -> tuple[frozenset[str], frozenset[str]]:
        """Rules that would be passed by `what` at `now`: those that refuse it, and those that only tell."""
        breaches, alarms = set(), set()
        for rule in self.rules.all:
            if what.kind not in rule.counts or name_in(rule.scope, what) is None:
                continue
            limit = self.limit(rule, now if learned_at is None else learned_at, declared)
            live = [one for one in self.past if counted(rule, one, what) and one.t <= now < one.t + rule.window]
            before = amount(rule.dimension, live)
            after = amount(rule.dimension, [*live, Past(now, what, self.documents(what, now))])
            if after <= max(limit, before):
                continue
            if what.kind in rule.refuses:
                breaches.add(rule.name)
            elif before <= limit:
                alarms.add(rule.name)
        return frozenset(breaches), frozenset(alarms)

    def until(self, what: Disclosure, now: int, declared: int | None) -> int | None:
        """The first instant at which nothing stands against `what`: each instant at which anything changes is tried."""
        windows = {rule.window for rule in self.rules.all} | {5 * MINUTE}
        instants = {one.t + window for one in self.past for window in windows}
        for instant in sorted(one for one in instants if one > now):
            if not self.judge(what, instant, declared, learned_at=now)[0]:
                return instant
        return None

    def documents(self, what: Disclosure, now: int) -> int:
        """1, unless it is a listing or this login was charged for it in this session less than five minutes ago."""
        if what.document is None:
            return 0
        return int(
            not any(
                one.documents and one.t <= now < one.t + 5 * MINUTE and reading(one.what) == reading(what)
                for one in self.past
            )
        )

    def limit(self, rule: Rule, now: int, declared: int | None) -> int:
        """The limit in force."""
        if rule.declared and declared is not None:
            return rule.declared * declared
        if not rule.learned:
            return rule.limit
        hour = now // HOUR
        watched = {hour - 24 * day - back for day in range(1, 29) for back in (0, 1)}
        hours: dict[int, int] = {}
        for one in self.past:
            if one.what.kind is Kind.CARE and one.t // HOUR in watched:
                hours[one.t // HOUR] = hours.get(one.t // HOUR, 0) + one.documents
        return max(rule.limit, 3 * max(hours.values(), default=0))


def name_in(scope: Scope, what: Disclosure) -> str | None:
    """What `scope` is for this disclosure."""
    who = what.scopes
    declared = who.network.startswith("org:")
    match scope:
        case Scope.SESSION:
            return who.session
        case Scope.ACCOUNT:
            return who.account
        case Scope.CLIENT:
            return who.client
        case Scope.ORGANISATION:
            return who.organisation
        case Scope.NETWORK:
            return None if declared else who.network
        case Scope.PRACTICE:
            return who.network if declared else None
        case Scope.MODULE:
            return "module"


def counted(rule: Rule, one: Past, what: Disclosure) -> bool:
    """Whether `one` is counted by `rule` in the window that `what` would be counted in."""
    return one.what.kind in rule.counts and name_in(rule.scope, one.what) == name_in(rule.scope, what)


def reading(what: Disclosure) -> tuple[str, str, str | None, int]:
    """Who reads which version in which session."""
    return what.scopes.account, what.scopes.session, what.document, what.version


def amount(dimension: Dimension, live: Iterable[Past]) -> int:
    """So much of it."""
    live = list(live)
    match dimension:
        case Dimension.DOCUMENTS:
            return sum(one.documents for one in live)
        case Dimension.BYTES:
            return sum(one.what.size for one in live if one.what.document is not None)
        case Dimension.PEOPLE:
            return len({one.what.patient for one in live})
        case Dimension.OPENINGS:
            return len(live)
