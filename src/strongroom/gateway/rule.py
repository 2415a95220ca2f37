"""What the guard counts, and what it does when there is too much of it: one rule a line, its reason beside it.

All counts are of different ids in a sliding window, exact (`budget.window`). Requests per address are counted by others.

What no rule may say: a scope that many people share (device, network, module) refuses nothing that the portal showed to whoever
asks for it, on a device or from an address that was theirs a day before. Whatever some do, others go on reading what is theirs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum, IntEnum, unique
from typing import Final

from strongroom.clock import DAY, HOUR, MONTH
from strongroom.errors import ConfigError


@unique
class Scope(Enum):
    """Whose count it is."""

    __hash__ = object.__hash__  # by identity: asked for at every step, and an enum's own is computed in Python

    PERSON = "person"
    SESSION = "session"
    DEVICE = "device"
    NETWORK = "network"
    MANNER = "manner"
    """Of writing requests: one program has one, whatever device it says it is."""
    ROUTE = "route"
    MODULE = "module"


OWN: Final = frozenset({Scope.PERSON, Scope.SESSION})
"""Scopes of one person alone."""


@unique
class What(Enum):
    """What is counted."""

    __hash__ = object.__hash__  # as above

    DOCUMENTS = "documents"
    """That were read."""
    PATIENTS = "patients"
    """Whose documents were read, where the address names them."""
    UNSHOWN = "unshown"
    """Documents that were read, and no answer had shown to this person."""
    STEPS = "steps"
    """Documents that no answer had shown, of a number close to one that this person asked for just before."""
    RUNS = "runs"
    """As `steps`, where no list is described (these five are counted there alone): by whoever opens their own in order."""
    ROAMING = "roaming"
    """As `runs`, by somebody who was given documents from many addresses in a day."""
    AWAY = "away"
    """As `runs`, by somebody who was known, on a device and from an address that are not theirs for long."""
    HOLES = "holes"
    """Numbers that are not there, close to one that this person asked for just before; looked at when they ask for another."""
    LOST = "lost"
    """Documents that are not there, asked for by somebody who was given one before; looked at whatever they ask for next."""
    MISSES = "misses"
    """Documents that were asked for and are not there. Never counted against a person: a made-up token may name anybody."""
    DENIALS = "denials"
    """Documents that the portal itself refused. As for misses."""
    REFUSALS = "refusals"
    """Documents that a limit of the guard refused. As for misses."""
    BYTES = "bytes"
    """Of documents, that went out; by whole hours, so that up to one more than the window is looked at."""
    SHOWN = "shown"
    """Documents (this and the next three are counted by whole hours) that a list showed to this person for the first time."""
    LISTED = "listed"
    """Patients of whom a list showed something to this person for the first time, where it, or its address, names them."""
    WIDER = "wider"
    """As `listed`, to somebody who was known for a week; and three times as many as were shown to them before."""
    FRESH = "fresh"
    """As `shown`, to somebody who was known, on a device and from an address that are not theirs for long."""
    NEW = "new"
    """People on a device and from an address that are not theirs for long; where hardly anybody else is (`crowd`)."""
    NEWCOMERS = "newcomers"
    """The same, of people who were known; far more than forecast for the hour of the week."""
    CROWD = "crowd"
    """The same again, and twice as many as the others."""


MISSING: Final = frozenset({What.HOLES, What.LOST})
AFTER: Final = frozenset({What.MISSES, What.DENIALS, What.REFUSALS, *MISSING})
"""Known only when there is an answer."""
LISTS: Final = frozenset({What.SHOWN, What.LISTED, What.WIDER, What.FRESH})
"""Counts of what lists show."""
CROWDS: Final = frozenset({What.NEW, What.NEWCOMERS, What.CROWD})
"""Counts of people and not of documents."""


@unique
class Rung(IntEnum):
    """What is done, the mildest first."""

    NOTE = 0
    """Told, and nothing else."""
    SLOW = 1
    """Refused for some seconds: 429."""
    STEP_UP = 2
    """This one request is refused until whoever asks proves again who they are: 401 with a challenge."""
    SESSION = 3
    """The session is refused: 401. Signing in again begins another one."""
    ACCOUNT = 4
    """The person is refused documents: 403."""
    ROUTE = 5
    """On this route, everybody is refused what was not shown to them: 403."""
    STRANGERS = 6
    """In this scope (network, device, module), everybody is refused what was not shown to them: 403."""
    NEWCOMERS = 7
    """In this scope, who is on a device and at an address not theirs for long is refused documents: 401 with a challenge."""


LASTS: Final[Mapping[Rung, int]] = {
    Rung.SLOW: 10_000, Rung.SESSION: DAY, Rung.ACCOUNT: DAY, Rung.ROUTE: HOUR, Rung.STRANGERS: HOUR,
    Rung.NEWCOMERS: HOUR,
}  # fmt: skip
"""Milliseconds. Rungs that are not here last for one request."""


@dataclass(frozen=True, slots=True)
class Rule:
    """More than `limit` different ids in `window` milliseconds, and `rung` is stepped upon."""

    scope: Scope
    what: What
    window: int
    limit: int
    rung: Rung
    why: str
    name: str = ""
    """Scope, what and window, as `person-unshown-24h`; limits are changed by it."""

    def __post_init__(self) -> None:
        """Name it, unless it has a name of its own."""
        if not self.name:
            object.__setattr__(self, "name", f"{self.scope.value}-{self.what.value}-{_WINDOWS[self.window]}")


_WINDOWS: Final = {HOUR: "1h", DAY: "24h", MONTH: "30d"}

DEFAULTS: Final = (
    Rule(Scope.PERSON, What.UNSHOWN, DAY, 5, Rung.STEP_UP, "Links in mails and old bookmarks: a few a day."),
    Rule(Scope.PERSON, What.UNSHOWN, MONTH, 15, Rung.STEP_UP, "The same, patiently: one every few minutes gains nothing."),
    Rule(Scope.PERSON, What.STEPS, DAY, 10, Rung.SESSION, "Nobody opens ten neighbours in a row that no page showed."),
    Rule(Scope.PERSON, What.HOLES, DAY, 2, Rung.STEP_UP, "Who opens their own in order meets no number that is not there."),
    Rule(Scope.PERSON, What.HOLES, MONTH, 3, Rung.STEP_UP, "The same, by and by."),
    Rule(Scope.PERSON, What.ROAMING, DAY, 10, Rung.STEP_UP, "Neighbours in a row, from one address after the other."),
    Rule(Scope.PERSON, What.AWAY, DAY, 10, Rung.STEP_UP, "A stolen login reads in order where its owner never was."),
    Rule(Scope.PERSON, What.LOST, DAY, 8, Rung.STEP_UP, "Numbers are tried, here and there; dead links are few."),
    Rule(Scope.PERSON, What.RUNS, DAY, 100, Rung.NOTE, "In order and without a gap: a practice, or a thief who knows all numbers."),
    Rule(Scope.SESSION, What.MISSES, HOUR, 10, Rung.SESSION, "A dead link is opened again and again, and counts once."),
    Rule(Scope.PERSON, What.PATIENTS, DAY, 12, Rung.ACCOUNT, "A carer's two to six people, twice over."),
    Rule(Scope.PERSON, What.DOCUMENTS, HOUR, 150, Rung.NOTE, "Three hundred for a lawyer must pass; somebody may look."),
    Rule(Scope.PERSON, What.DOCUMENTS, DAY, 2_000, Rung.ACCOUNT, "A life's documents, several times over."),
    Rule(Scope.PERSON, What.BYTES, DAY, 20_000_000_000, Rung.ACCOUNT, "A life's pictures and letters; of scans, hundreds."),
    Rule(Scope.PERSON, What.LISTED, DAY, 150, Rung.ACCOUNT, "A busy reception on its first day; larger ones are allowed by name."),
    Rule(Scope.PERSON, What.WIDER, DAY, 20, Rung.STEP_UP, "Who read for few people all week does not read for many today."),
    Rule(Scope.PERSON, What.SHOWN, DAY, 2_000, Rung.ACCOUNT, "As for documents that are read."),
    Rule(Scope.PERSON, What.FRESH, DAY, 100, Rung.STEP_UP, "Who has a new device has been shown before what is theirs."),
    Rule(Scope.SESSION, What.DENIALS, HOUR, 10, Rung.SESSION, "The portal refuses; somebody goes on trying."),
    Rule(Scope.SESSION, What.REFUSALS, HOUR, 20, Rung.SESSION, "Told no, somebody honest asks what is wrong."),
    Rule(Scope.DEVICE, What.UNSHOWN, HOUR, 100, Rung.NOTE, "Many share a kind of device; one tool has many accounts."),
    Rule(Scope.NETWORK, What.UNSHOWN, HOUR, 40, Rung.STRANGERS, "Hundreds may share an address; few open what was not shown."),
    Rule(Scope.NETWORK, What.MISSES, HOUR, 100, Rung.STRANGERS, "Numbers are tried, whoever is signed in."),
    Rule(Scope.ROUTE, What.UNSHOWN, HOUR, 200, Rung.ROUTE, "One route is walked, by however many; the others go on."),
    Rule(Scope.MODULE, What.UNSHOWN, HOUR, 300, Rung.STRANGERS, "However many accounts and addresses there are."),
    Rule(Scope.DEVICE, What.NEW, HOUR, 20, Rung.NEWCOMERS, "A device that only new people have: a tool with accounts."),
    Rule(Scope.DEVICE, What.NEW, DAY, 60, Rung.NEWCOMERS, "The same, by and by."),
    Rule(Scope.MANNER, What.NEW, HOUR, 20, Rung.NEWCOMERS, "Calls itself many devices, and writes as one program."),
    Rule(Scope.MANNER, What.NEW, DAY, 60, Rung.NEWCOMERS, "The same, by and by."),
    Rule(Scope.ROUTE, What.CROWD, HOUR, 30, Rung.NEWCOMERS, "Known people on new devices from new addresses; few others."),
    Rule(Scope.MODULE, What.CROWD, HOUR, 30, Rung.NEWCOMERS, "The same, on whatever route."),
    Rule(Scope.MODULE, What.NEWCOMERS, HOUR, 20, Rung.NOTE, "More of them than forecast; somebody may look."),
)  # fmt: skip
"""Proposals until they have met a portal's own traffic: that is what `simulate` is for."""


WORDS: Final[Mapping[str, Rung]] = {
    "note": Rung.NOTE, "slow": Rung.SLOW, "step-up": Rung.STEP_UP, "session": Rung.SESSION, "account": Rung.ACCOUNT,
    "route": Rung.ROUTE, "strangers": Rung.STRANGERS, "newcomers": Rung.NEWCOMERS,
}  # fmt: skip
"""Rungs as gateway.toml calls them."""
SHARED_RUNGS: Final = frozenset({Rung.NOTE, Rung.ROUTE, Rung.STRANGERS})
"""For scopes that many people share. They refuse nothing that was shown."""
_CROWD_RUNGS: Final = frozenset({Rung.NOTE, Rung.NEWCOMERS})


def overridden(limits: Mapping[str, int], rungs: Mapping[str, str] | None = None) -> tuple[Rule, ...]:
    """The rules with these limits and rungs in place of their own.

    Raises ConfigError for a name that is none, a limit below 0, and a rung that would let some refuse others what is theirs.
    """
    steps = rungs or {}
    names = {rule.name for rule in DEFAULTS}
    for name in (*limits, *steps):
        if name not in names:
            raise ConfigError(f"gateway.toml: there is no rule {name}.", advice="docs/gateway.md lists them.")
    for name, limit in limits.items():
        if limit < 0:
            raise ConfigError(f"gateway.toml: the limit of {name} is below nothing.")
    return tuple(_stepped(replace(rule, limit=limits.get(rule.name, rule.limit)), steps) for rule in DEFAULTS)


def _stepped(rule: Rule, rungs: Mapping[str, str]) -> Rule:
    word = rungs.get(rule.name)
    if word is None:
        return rule
    rung = WORDS.get(word)
    may = frozenset(WORDS.values()) - {Rung.ROUTE, Rung.STRANGERS, Rung.NEWCOMERS}
    if rule.scope not in OWN:
        may = _CROWD_RUNGS if rule.what in CROWDS else SHARED_RUNGS
    if rung is None or rung not in may:
        words = ", ".join(word for word, one in WORDS.items() if one in may)
        raise ConfigError(f"gateway.toml: {rule.name} cannot step on {word}.", advice=f"It can on {words}.")
    return replace(rule, rung=rung)
