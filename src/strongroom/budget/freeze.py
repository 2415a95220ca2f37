"""What is frozen: sessions, accounts, clients, organisations, route classes, and the module for strangers.

A short list, asked before every request. Two hands write it: officers, and the budgets. What one wrote the other does
not overwrite: an account may be frozen twice, and a fresh second factor lifts the budgets' freeze, never an officer's.

A watch over logs may ask for freezes by the budgets' hand (`ask`). Its words come from what others write into logs: so it is
bounded here, whatever it asks, and what was lifted is not frozen again by it for a week.

Pure state: every change is in the log (`Op.FROZEN`, `Op.UNFROZEN`, `Op.STEPPED_UP`), and `snapshot` saves replaying it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, unique

import msgspec

from strongroom.budget.rules import PROTECTED
from strongroom.budget.scope import Kind, Scopes
from strongroom.clock import DAY, HOUR, Millis, iso
from strongroom.errors import Malformed
from strongroom.ids import AccountId

FORM = 2
OLDEST = 1
"""The earliest form that is read. It knew of no watch."""
WATCH = "watch"
"""Why something is frozen that a watch asked for."""
STICKS = 7 * DAY
"""For which a watch does not get frozen again what was lifted."""
STRANGERS = "strangers"
"""The name of the one freeze that there is upon the module."""


@unique
class Upon(Enum):
    """What a freeze is upon."""

    SESSION = "session"
    ACCOUNT = "account"
    CLIENT = "client"
    ORGANISATION = "organisation"
    CLASS = "class"
    MODULE = "module"
    """Everything but OWN and CARE: patients go on reading their own, and clinicians in live care theirs."""


@unique
class RouteClass(Enum):
    """What a request does, for freezes of a class."""

    READ = "read"
    SEARCH = "search"
    WRITE = "write"
    EXPORT = "export"


@dataclass(frozen=True, slots=True)
class Target:
    """One thing that can be frozen: a session's, login's, client's or organisation's name, a route class, strangers."""

    upon: Upon
    name: str

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("A freeze of nothing in particular is no freeze.")
        if self.upon is Upon.CLASS and self.name not in {one.value for one in RouteClass}:
            raise ValueError("There is no such route class.")
        if self.upon is Upon.MODULE and self.name != STRANGERS:
            raise ValueError("The module is frozen for strangers or not at all.")


@dataclass(frozen=True, slots=True)
class Freeze:
    """One freeze. `by` is the officer; None where a budget, the probe budget, a decoy or a watch did it."""

    target: Target
    why: str
    """A rule's name or an officer's words; shown to officers, not to who is frozen."""
    at: Millis
    by: str | None = None
    until: Millis | None = None
    """The first instant at which it no longer holds; None: until somebody lifts it."""

    def __post_init__(self) -> None:
        if self.by is None and self.target.upon not in {Upon.SESSION, Upon.ACCOUNT}:
            raise ValueError("Only an officer freezes what many use.")
        if self.until is not None and self.until <= self.at:
            raise ValueError("A freeze ends after it begins.")

    def holds(self, at: Millis) -> bool:
        """Whether it is still on."""
        return self.until is None or at < self.until


@dataclass(frozen=True, slots=True)
class Frozen:
    """The answer to a request that a freeze stands against."""

    freeze: Freeze

    @property
    def by_step_up(self) -> bool:
        """Whether a fresh second factor lifts it."""
        return self.freeze.by is None and self.freeze.target.upon is Upon.ACCOUNT

    @property
    def sentence(self) -> str:
        """For whoever is frozen: since when, by whom, until when, what to do. Names no rule, no person, no reason."""
        what = "The module" if self.freeze.target.upon is Upon.MODULE else f"This {self.freeze.target.upon.value}"
        who = "automatically" if self.freeze.by is None else "by an officer"
        if self.by_step_up:
            end = "A fresh second factor lifts it."
            if self.freeze.until is not None:
                end += f" It ends at {iso(self.freeze.until)}."
        elif self.freeze.until is not None:
            end = f"It ends at {iso(self.freeze.until)} or when an officer lifts it."
        else:
            end = "An officer can lift it."
        return f"{what} was frozen {who} at {iso(self.freeze.at)}. {end}"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a watch may have frozen: so many in an hour, so many at any time, each for so many milliseconds."""

    an_hour: int
    at_once: int
    lasts: int


class FreezeList:
    """All freezes, at most two upon one thing: an officer's and the budgets'. The latest of each hand holds."""

    def __init__(self, freezes: Iterable[Freeze] = ()) -> None:
        self._freezes: dict[tuple[Target, bool], Freeze] = {}
        self._asked: dict[str, tuple[Millis, Millis | None]] = {}  # account -> frozen for a watch, lifted
        for one in freezes:
            self.freeze(one)

    def freeze(self, freeze: Freeze) -> None:
        """It holds from now on, in place of an earlier one of the same hand upon the same thing."""
        self._freezes[freeze.target, freeze.by is None] = freeze

    def ask(self, account: AccountId, at: Millis, bounds: Bounds) -> Freeze | str:
        """A watch asks: the freeze that holds from now on, or why there is none. Fails towards freezing nobody."""
        target = Target(Upon.ACCOUNT, account)
        self._asked = {
            name: (when, lifted) for name, (when, lifted) in self._asked.items() if (lifted or when) > at - STICKS
        }
        held = self.all(at)
        if any(one.target == target for one in held):
            return "It is frozen already."
        if account in self._asked and self._asked[account][1] is not None:
            return "It was lifted lately."
        if sum(one.why == WATCH and one.by is None for one in held) >= bounds.at_once:
            return f"{bounds.at_once} are frozen for a watch already, which is the bound."
        if sum(when > at - HOUR for when, _ in self._asked.values()) >= bounds.an_hour:
            return f"{bounds.an_hour} were frozen for a watch in the last hour, which is the bound."
        freeze = Freeze(target, WATCH, at, until=Millis(at + bounds.lasts))
        self.freeze(freeze)
        self._asked[account] = (at, None)
        return freeze

    def forget(self, freeze: Freeze) -> None:
        """It could not be written down, and does not hold."""
        key = freeze.target, freeze.by is None
        if self._freezes.get(key) is freeze:
            del self._freezes[key]

    def unfreeze(self, target: Target, at: Millis) -> tuple[Freeze, ...]:
        """An officer lifts whatever is upon `target`. Gives what was lifted; nothing where nothing was."""
        return tuple(lifted for ours in (False, True) if (lifted := self._lift(target, at, ours=ours)) is not None)

    def step_up(self, account: AccountId, at: Millis) -> Freeze | None:
        """A fresh second factor lifts the budgets' freeze of this account, and nothing else. Gives what was lifted."""
        return self._lift(Target(Upon.ACCOUNT, account), at, ours=True)

    def _lift(self, target: Target, at: Millis, *, ours: bool) -> Freeze | None:
        lifted = self._freezes.pop((target, ours), None)
        if lifted is not None and lifted.by is None and lifted.why == WATCH:
            self._asked[target.name] = (lifted.at, at)
        return lifted

    def of_account(self, account: AccountId) -> Freeze | None:
        """The budgets' freeze of this account: what `step_up` would lift."""
        return self._freezes.get((Target(Upon.ACCOUNT, account), True))

    def check(self, scopes: Scopes, kind: Kind, route: RouteClass, at: Millis) -> Frozen | None:
        """The freeze that stands against this request at `at`, an officer's before a budget's; None: it may go on."""
        if not self._freezes:
            return None
        for target in _targets(scopes, kind, route):
            for ours in (False, True):
                found = self._freezes.get((target, ours))
                if found is not None and found.holds(at):
                    return Frozen(found)
        return None

    def all(self, at: Millis) -> tuple[Freeze, ...]:
        """Every freeze that holds at `at`, the oldest first; those that are over are forgotten."""
        self._freezes = {key: one for key, one in self._freezes.items() if one.holds(at)}
        return tuple(
            sorted(
                self._freezes.values(), key=lambda one: (one.at, one.target.upon.value, one.target.name, one.by or "")
            )
        )

    def snapshot(self) -> bytes:
        """The whole list, as bytes that depend on nothing else."""
        rows = [
            (one.target.upon.value, one.target.name, one.why, one.at, one.by, one.until)
            for one in self._freezes.values()
        ]
        asked = sorted((name, when, lifted) for name, (when, lifted) in self._asked.items())
        return msgspec.msgpack.encode((FORM, sorted(rows, key=lambda row: (row[0], row[1], row[4] is None)), asked))

    @classmethod
    def restore(cls, raw: bytes) -> "FreezeList":
        """The list that `snapshot` wrote. Raises Malformed for anything else."""
        try:
            form, *parts = msgspec.msgpack.decode(raw, type=list[msgspec.Raw])
            told = msgspec.msgpack.decode(form, type=int)
            rows = msgspec.msgpack.decode(parts[0], type=_Rows)
            asked = msgspec.msgpack.decode(parts[1], type=_Asked) if told > OLDEST else []
            freezes = [Freeze(Target(Upon(u), name), why, at, by, until) for u, name, why, at, by, until in rows]
        except (msgspec.MsgspecError, ValueError, IndexError) as error:
            raise Malformed("A snapshot of the freezes does not parse.", advice="Replay the log instead.") from error
        if not OLDEST <= told <= FORM or len(parts) != told:
            raise Malformed(f"A snapshot of the freezes has form {told}.", advice="Replay the log instead.")
        found = cls(freezes)
        found._asked = {name: (when, lifted) for name, when, lifted in asked}
        return found


_Rows = list[tuple[str, str, str, Millis, str | None, Millis | None]]
_Asked = list[tuple[str, Millis, Millis | None]]


def _targets(scopes: Scopes, kind: Kind, route: RouteClass) -> Iterable[Target]:
    yield Target(Upon.SESSION, scopes.session)
    yield Target(Upon.ACCOUNT, scopes.account)
    if scopes.client:
        yield Target(Upon.CLIENT, scopes.client)
    if scopes.organisation:
        yield Target(Upon.ORGANISATION, scopes.organisation)
    yield Target(Upon.CLASS, route.value)
    if kind not in PROTECTED:
        yield Target(Upon.MODULE, STRANGERS)
