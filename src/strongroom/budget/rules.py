"""What a limit is, and what a table of limits may say. The table itself is in `table.py`.

A rule counts some kinds of disclosure in one window of one scope, and may refuse some of the kinds that it counts.
What no rule may say, whoever writes it:

* a shared scope (client, organisation, network, practice, module) refuses neither OWN nor CARE: whatever other logins
  do, patients and clinicians in live care are not refused because of it;
* only a login's own scopes (session, account) freeze;
* what is refused is counted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum, unique

from strongroom.budget.scope import Kind
from strongroom.budget.window import Dimension
from strongroom.errors import ConfigError

PROTECTED = frozenset({Kind.OWN, Kind.CARE})
"""Kinds that only a login's own scopes may refuse."""
REMOVED = -1
"""As an override: this rule is not there. Rules of the account scope can be moved, never removed."""
HEADROOM = 100
"""An override is at most this many times the default, so that no limit is removed by a large number."""


@unique
class Scope(Enum):
    """What a rule counts within. The value is the first word of the rule's name."""

    SESSION = "session"
    ACCOUNT = "account"
    CLIENT = "client"
    ORGANISATION = "organisation"
    NETWORK = "network"
    """An address (/32, /64) that nobody declared."""
    PRACTICE = "practice"
    """An organisation's declared network."""
    MODULE = "module"


OF_ONE_LOGIN = frozenset({Scope.SESSION, Scope.ACCOUNT})


@unique
class Consequence(Enum):
    """What follows when a limit would be passed."""

    ALARM = "alarm"
    """The officers are told, once for each time the limit is passed; nothing is refused."""
    REFUSE = "refuse"
    """Refused until enough has left the window."""
    FREEZE = "freeze"
    """Refused, and the session or account is frozen: until a fresh second factor (account) or an officer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One limit. `limit` itself is still allowed; one more is not. Raises ConfigError for what no table may say."""

    name: str
    scope: Scope
    counts: frozenset[Kind]
    refuses: frozenset[Kind]
    """Counted kinds outside it raise an alarm where these are refused."""
    window: int
    """Milliseconds."""
    dimension: Dimension
    limit: int
    consequence: Consequence
    why: str
    learned: bool = False
    """The limit is three times the same-hour maximum of four weeks, and `limit` its floor (`history.py`)."""
    declared: int = 0
    """With a declared grant of n documents the limit is n times this instead; 0: a declaration changes nothing."""

    def __post_init__(self) -> None:
        if not self.counts >= self.refuses:
            raise ConfigError(f"Budget rule {self.name} refuses a kind that it does not count.")
        if bool(self.refuses) is (self.consequence is Consequence.ALARM):
            raise ConfigError(f"Budget rule {self.name} must refuse something, or be an alarm.")
        if self.scope not in OF_ONE_LOGIN and self.refuses & PROTECTED:
            raise ConfigError(f"Budget rule {self.name} would let some logins use up the reads of others.")
        if self.scope not in OF_ONE_LOGIN and self.consequence is Consequence.FREEZE:
            raise ConfigError(f"Budget rule {self.name} would freeze many logins because of one.")
        if self.limit < 0 or self.window < 1 or not self.counts:
            raise ConfigError(f"Budget rule {self.name} needs kinds, a window and a limit of 0 or more.")


@dataclass(frozen=True, slots=True)
class Gauge:
    """One window's definition: the rules of one scope that count the same kinds for the same time."""

    place: int
    """Among the gauges of the table."""
    scope: Scope
    counts: frozenset[Kind]
    window: int
    rules: tuple[Rule, ...]
    slot: int
    """Place of `scope` among the scopes."""
    sums: bool
    """Whether anything but people is limited."""

    @property
    def layout(self) -> str:
        """What a window in a snapshot must have been made for, to be read back."""
        kinds = "+".join(sorted(kind.value for kind in self.counts))
        return f"{self.scope.value} {kinds} {self.window} {'sums' if self.sums else 'people'}"


class Rules:
    """A complete table. Raises ConfigError when a name is there twice, or a login could go uncounted."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.all = tuple(rules)
        if len({rule.name for rule in self.all}) != len(self.all):
            raise ConfigError("Two budget rules have one name.")
        for kind in Kind:
            for dimension in Dimension:
                self._must_bound(kind, dimension)
        self.gauges = _gauges(self.all)
        self._of = {kind: tuple(gauge for gauge in self.gauges if kind in gauge.counts) for kind in Kind}

    def of(self, kind: Kind) -> tuple[Gauge, ...]:
        """Every window that a disclosure of this kind is counted in."""
        return self._of[kind]

    @property
    def layout(self) -> list[str]:
        """The layout of every gauge: a snapshot made under another one is not read back."""
        return [gauge.layout for gauge in self.gauges]

    def with_limits(self, overrides: Mapping[str, int]) -> "Rules":
        """The same table with other limits, by rule name. Raises ConfigError that names the rule and what is wrong."""
        unknown = sorted(set(overrides) - {rule.name for rule in self.all})
        if unknown:
            raise ConfigError(f"There is no budget rule {unknown[0]!r}.", advice="docs/budgets.md lists the names.")
        kept = (_overridden(rule, overrides[rule.name]) if rule.name in overrides else rule for rule in self.all)
        return Rules(rule for rule in kept if rule is not None)

    def _must_bound(self, kind: Kind, dimension: Dimension) -> None:
        for rule in self.all:
            if rule.scope is Scope.ACCOUNT and rule.dimension is dimension and kind in rule.refuses:
                return
        raise ConfigError(f"No account limit on {dimension.name.lower()} of kind {kind.value} is left.")


def _gauges(rules: Iterable[Rule]) -> tuple[Gauge, ...]:
    groups: dict[tuple[Scope, frozenset[Kind], int], list[Rule]] = {}
    for rule in rules:
        groups.setdefault((rule.scope, rule.counts, rule.window), []).append(rule)
    gauges = []
    for place, ((scope, counts, window), group) in enumerate(groups.items()):
        sums = any(rule.dimension is not Dimension.PEOPLE for rule in group)
        gauges.append(Gauge(place, scope, counts, window, tuple(group), list(Scope).index(scope), sums))
    return tuple(gauges)


def _overridden(rule: Rule, limit: int) -> Rule | None:
    advice = f"The default is {rule.limit}; docs/budgets.md says what it is based on."
    if isinstance(limit, bool) or not isinstance(limit, int):
        raise ConfigError(f"The limit of budget rule {rule.name} must be a whole number.", advice=advice)
    if limit == REMOVED and rule.scope is not Scope.ACCOUNT:
        return None
    if limit == REMOVED:
        raise ConfigError(f"Budget rule {rule.name} bounds a login and cannot be removed.", advice=advice)
    if not 0 <= limit <= HEADROOM * rule.limit:
        raise ConfigError(f"The limit of budget rule {rule.name} must be 0 to {HEADROOM * rule.limit}.", advice=advice)
    return replace(rule, limit=limit)
