"""What is in force: who or what is refused, by which rule, until when, and why. Values; they are kept in `sqlite`."""

from dataclasses import dataclass
from typing import Final

from strongroom.gateway.rule import Rule, Rung, Scope

Place = tuple[Scope, str]
"""A scope and a name in it; the whole module has none."""
BY_HAND: Final = "by-hand"
"""The rule of what a person put in force."""


ANY: Final = "*"
"""Every rule, in what is allowed."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """That rule is not about requests from `where` until `until`: they are neither refused by it nor counted for it."""

    where: Place
    rule: str
    why: str
    since: int
    until: int


@dataclass(frozen=True, slots=True)
class Measure:
    """`where` is refused by `rule` until `until`, milliseconds.

    `counted` is whose count went beyond a limit: a session is refused for what its person took. Taking it back holds for both, for
    at least `sticks` milliseconds. `enforced`: not put in force while the guard only simulated.
    """

    where: Place
    rule: str
    rung: Rung
    why: str
    since: int
    until: int
    sticks: int
    counted: Place
    person: str
    """Whose session it is, where it is one."""
    enforced: bool = True

    @property
    def unshown_only(self) -> bool:
        """Whether it refuses only what was not shown to whoever asks."""
        return self.rung in {Rung.ROUTE, Rung.STRANGERS}

    @property
    def by_hand(self) -> bool:
        """Whether a person put it in force: then it holds while the guard simulates, too."""
        return self.rule == BY_HAND


def measure(
    where: Place, rule: Rule, counted: Place, since: int, until: int, *, person: str, enforced: bool
) -> Measure:
    """What `rule` puts in force."""
    return Measure(where, rule.name, rule.rung, rule.why, since, until, rule.window, counted, person, enforced)
