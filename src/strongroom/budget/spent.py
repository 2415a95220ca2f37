"""What a budget says when it does not simply agree: `Alarm` (yes, and tell the officers) and `Spent` (no). Values."""

from dataclasses import dataclass

from strongroom.budget.freeze import Target
from strongroom.budget.rules import Rule, Scope
from strongroom.budget.window import Dimension
from strongroom.clock import DAY, HOUR, SECOND, Millis, iso

_THINGS = {
    Dimension.DOCUMENTS: "documents",
    Dimension.BYTES: "bytes",
    Dimension.PEOPLE: "people",
    Dimension.OPENINGS: "openings",
}
_WHO = {
    Scope.SESSION: "This session",
    Scope.ACCOUNT: "This login",
    Scope.CLIENT: "This app",
    Scope.ORGANISATION: "This organisation",
    Scope.NETWORK: "This network",
    Scope.PRACTICE: "This network",
    Scope.MODULE: "The module",
}


@dataclass(frozen=True, slots=True)
class Alarm:
    """A limit was passed and nothing was refused. Raised when it is passed, not again while it stays so."""

    rule: Rule
    name: str
    """Of the session, login, organisation ... that the rule counted within; empty for the module."""
    used: int
    """With this disclosure."""
    limit: int


@dataclass(frozen=True, slots=True)
class Spent:
    """Nothing was charged, because `rule` stands against it. Where several do: the sternest, then the longest."""

    rule: Rule
    name: str
    """As in `Alarm`."""
    limit: int
    """In force just now: the rule's own, a learned one, or the declared one."""
    used: int
    """Without this disclosure."""
    at: Millis
    until: Millis | None
    """The first instant at which no rule would stand against the same disclosure, if nothing else is charged before
    and no learned, declared or configured limit changes. None: waiting does not help."""
    freeze: Target | None
    """What is to be frozen because of it."""

    @property
    def retry(self) -> int | None:
        """Whole seconds until then, rounded up."""
        return None if self.until is None else -(-(self.until - self.at) // SECOND)

    @property
    def sentence(self) -> str:
        """What was reached, and what to do. Names nobody."""
        reached = (
            f"{_WHO[self.rule.scope]} has used {self.used} of {self.limit} {_THINGS[self.rule.dimension]}"
            f" in {_span(self.rule.window)}."
        )
        later = "Waiting does not help." if self.until is None else f"It fits again from {iso(self.until)}."
        if self.freeze is None:
            return f"{reached} {later}"
        return f"{reached} The {self.freeze.upon.value} is frozen until a fresh second factor or an officer. {later}"


def _span(length: int) -> str:
    """`length` in days, or in hours up to a day."""
    return f"{length // DAY} days" if length > DAY else f"{length // HOUR} h"
