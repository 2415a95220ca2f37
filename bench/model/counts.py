"""Budgets, counted the naive way: keep every charge for ever, and count all of them again for every question.

Nothing here is shared with `strongroom.budget` but the table of limits itself, which is data: no window object, no
running total, no cache. Slow, and short enough to be seen to be right.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from strongroom.budget.rules import Rule, Scope
from strongroom.budget.scope import Kind
from strongroom.budget.window import Dimension
from strongroom.clock import DAY, HOUR, MINUTE

REREAD = 5 * MINUTE
"""A version that a session was charged for is free to it for so long."""
LEARNING_DAYS, FACTOR = 28, 3


@dataclass(frozen=True, slots=True)
class Charged:
    """One charge. `at`: as asked; `t`: as counted, never before the charge in front of it."""

    number: int
    """Of the operation that made it."""
    at: int
    kind: Kind
    patient: str
    document: str | None
    version: int
    size: int
    names: tuple[str | None, ...]
    """Whose budget of each scope it goes to, in the order of `Scope`."""
    t: int = 0
    documents: int = 0
    entry: int | None = None
    """Index in the log, once it is known."""


SLOTS = {scope.value: slot for slot, scope in enumerate(Scope)}


def entered(charges: Sequence[Charged], charge: Charged) -> Charged:
    """The charge as it counts behind these: at what time, and whether the document is free."""
    t = max(charge.at, charges[-1].t) if charges else charge.at
    return replace(charge, t=t, documents=int(charge.document is not None and not _was_charged(charges, charge, t)))


def without(charges: Sequence[Charged], number: int) -> list[Charged]:
    """As if operation `number` had never been charged: all behind it are counted again."""
    place = next((at for at, one in enumerate(charges) if one.number == number), len(charges))
    kept = list(charges[:place])
    for one in charges[place + 1 :]:
        kept.append(entered(kept, one))
    return kept


def recounted(charges: Iterable[Charged]) -> list[Charged]:
    """The same charges, counted again in this order."""
    kept: list[Charged] = []
    for one in charges:
        kept.append(entered(kept, one))
    return kept


def _was_charged(charges: Sequence[Charged], charge: Charged, t: int) -> bool:
    for one in reversed(charges):  # they are in the order of time
        if one.t + REREAD <= t:
            return False
        same = (one.document, one.version, one.names[:2]) == (charge.document, charge.version, charge.names[:2])
        if same and one.documents:
            return True
    return False


def used(charges: Sequence[Charged], rule: Rule, name: str, now: int) -> int:
    """What of a rule's dimension was used up within its window at `now`."""
    slot, since, counts = SLOTS[rule.scope.value], now - rule.window, tuple(rule.counts)
    inside = [one for one in charges if since < one.t <= now and one.names[slot] == name and one.kind in counts]
    return _amount(rule.dimension, inside)


def _amount(dimension: Dimension, inside: Sequence[Charged]) -> int:
    if dimension is Dimension.PEOPLE:
        return len({one.patient for one in inside})
    if dimension is Dimension.OPENINGS:
        return len(inside)
    if dimension is Dimension.DOCUMENTS:
        return sum(one.documents for one in inside)
    return sum(one.size for one in inside if one.document is not None)


def limit_of(charges: Sequence[Charged], rule: Rule, now: int) -> int:
    """The limit in force: a learned one is three times the busiest same hour, or the one before it, of four weeks."""
    if not rule.learned:
        return rule.limit
    busy: Counter[int] = Counter()
    for one in charges:
        if one.kind is Kind.CARE:
            busy[one.t // HOUR] += one.documents
    same = [now // HOUR - day * (DAY // HOUR) - back for day in range(1, LEARNING_DAYS + 1) for back in (0, 1)]
    busiest = max(busy[hour] for hour in same)
    return max(rule.limit, FACTOR * busiest)


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule that stands against a charge."""

    rule: Rule
    name: str
    used: int
    limit: int


def breaches(
    charges: Sequence[Charged], charge: Charged, rules: Sequence[Rule], now: int, limits_at: int | None = None
) -> list[Breach]:
    """Every rule that one more such charge at `now` would break. `limits_at`: learned limits as of another time."""
    documents = int(charge.document is not None and not _was_charged(charges, charge, now))
    found = []
    for rule in rules:
        if charge.kind not in tuple(rule.refuses):
            continue
        name = charge.names[SLOTS[rule.scope.value]]
        if name is None:
            continue
        before = used(charges, rule, name, now)
        if rule.dimension is Dimension.PEOPLE:
            with_it = used([*charges, replace(charge, t=now)], rule, name, now)
        else:
            more = {Dimension.DOCUMENTS: documents, Dimension.OPENINGS: 1}
            with_it = before + more.get(rule.dimension, charge.size if charge.document is not None else 0)
        if with_it == before or with_it <= rule.limit:  # no limit in force is below the rule's own
            continue
        limit = limit_of(charges, rule, now if limits_at is None else limits_at)
        if with_it > limit:
            found.append(Breach(rule, name, before, limit))
    return found
