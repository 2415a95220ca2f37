"""What is in force: who or what is refused, by which rule, until when; and what a person has undone. Pure; time is handed in."""

from dataclasses import dataclass, field

from strongroom.gateway.rule import Rule, Rung, Scope

Place = tuple[Scope, str]
"""A scope and a name in it. A route is (MODULE, its name); the whole module is (MODULE, "")."""


@dataclass(frozen=True, slots=True)
class Measure:
    """`where` is refused by `rule` until `until`, milliseconds."""

    where: Place
    rule: Rule
    since: int
    until: int

    @property
    def unshown_only(self) -> bool:
        """Whether it refuses only what was not shown to whoever asks."""
        return self.rule.rung in {Rung.ROUTE, Rung.STRANGERS}


@dataclass(slots=True)
class Measures:
    """At most one for each place, the sternest; expired ones leave as they are met, or when they are swept."""

    _active: dict[Place, Measure] = field(default_factory=dict)
    _undone: dict[tuple[Place, str], int] = field(default_factory=dict)

    def at(self, where: Place, now: int) -> Measure | None:
        """What is in force there."""
        found = self._active.get(where)
        if found is not None and found.until <= now:
            del self._active[where]
            return None
        return found

    def put(self, measure: Measure, now: int) -> bool:
        """Put it in force, unless somebody undid it, or a sterner one is. Whether it is new."""
        if self.is_undone(measure.where, measure.rule, now):
            return False
        found = self.at(measure.where, now)
        if found is not None and found.rule.rung >= measure.rule.rung:
            return False
        self._active[measure.where] = measure
        return True

    def undo(self, where: Place, now: int) -> Measure | None:
        """Take back what is in force there. The same rule does nothing there for the length of its window: the undo sticks."""
        found = self.at(where, now)
        if found is not None:
            del self._active[where]
            self._undone[where, found.rule.name] = max(found.until, now + found.rule.window)
        return found

    def is_undone(self, where: Place, rule: Rule, now: int) -> bool:
        """Whether somebody took back what this rule did there."""
        return self._undone.get((where, rule.name), 0) > now

    def all(self, now: int) -> list[Measure]:
        """What is in force, the newest first."""
        return sorted((one for one in self._active.values() if one.until > now), key=lambda one: -one.since)

    def sweep(self, now: int) -> None:
        """Forget what is over."""
        self._active = {where: one for where, one in self._active.items() if one.until > now}
        self._undone = {key: until for key, until in self._undone.items() if until > now}
